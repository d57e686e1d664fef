"""From what the user named to files that hold conversations: found, looked at, told apart."""

from __future__ import annotations

import glob
import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, overload

from clio.errors import InputError
from clio.sources import foreign, zipped
from clio.sources.blobs import Blob, LocalFile, Spooled, shown
from clio.sources.compression import Head, peek
from clio.sources.registry import CONTAINERS, ROW_FORMATS, row_format
from clio.sources.remote import files_at, is_address, local_path, reason
from clio.sources.rows import Container, Reason, RejectedError

STANDARD_INPUT: Final = "-"

_ARCHIVE: Final = ".zip"
_SUFFIXES: Final = (*(s for c in CONTAINERS for s in c.suffixes), _ARCHIVE)
# Names that do not say what a file is: it is looked at.
_SILENT: Final = ("", ".gz", ".zst")
_JSON: Final = re.compile(r"\.json(\.gz|\.zst)?$", re.IGNORECASE)
_RECORDS_LOOKED_AT: Final = 8
_OFFICE: Final = ("[Content_Types].xml", "mimetype")
_KINDS_NAMED: Final = 3


@dataclass(frozen=True)
class Input:
    """A file that holds conversations.

    Attributes
    ----------
    blob
        Where its bytes lie.
    container
        How it is taken apart.
    """

    blob: Blob
    container: Container

    @property
    def name(self) -> str:
        """What people are shown: its path, or its archive's and its own in it."""
        return self.blob.name


class Inputs(Sequence[Input]):
    """Files that hold conversations, in order, and what was left out beside them.

    Parameters
    ----------
    found
        The files.
    passed_over
        Name and kind of each file that lay among them and holds none.
    """

    def __init__(
        self, found: Iterable[Input] = (), passed_over: Iterable[tuple[str, str]] = ()
    ) -> None:
        self._found = tuple(found)
        self.passed_over = tuple(passed_over)

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> Input: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Input, ...]: ...
    def __getitem__(self, index: int | slice) -> Input | tuple[Input, ...]:
        return self._found[index]


def expand(inputs: Sequence[str | Path], *, format: str | None = None) -> Inputs:
    """The files that the inputs stand for.

    Parameters
    ----------
    inputs
        Files, folders (all files in them and below, sorted; hidden ones left out), patterns
        (``*``, ``?``, ``[...]``, ``**``; sorted), ``-`` for standard input, and addresses
        (``s3://...``) of files, folders and patterns. An archive stands for its members. What lies
        in a run counts only where it is named.
    format
        Name of the row format, where the user gave it: then no file of JSON is passed over because
        its rows are of no known one.

    Returns
    -------
    Inputs
        In the order of the inputs; a file named twice counts once, where it came first. Files
        among others that hold no conversations are passed over, and told.

    Raises
    ------
    InputError
        An input matches nothing, cannot be read, or holds no conversations.
    SettingsError
        There is no format of that name.
    """
    if format is not None:
        row_format(format)  # a wrong one fails before anything is looked at
    finder = _Finder(any_rows=format is not None)
    for item in inputs:
        finder.find(item)
    if not finder.found:
        raise InputError("no input was given; name a file, a folder or a pattern")
    return Inputs(finder.found.values(), finder.passed_over.items())


class _Finder:
    def __init__(self, *, any_rows: bool) -> None:
        self.found: dict[object, Input] = {}
        self.passed_over: dict[str, str] = {}
        self._any_rows = any_rows
        self._drained = False  # standard input can be read only once

    def find(self, item: str | Path) -> None:
        if item == STANDARD_INPUT:
            if not self._drained:
                self._drained = True
                self._take(_standard_input(), named=True)
            return
        if isinstance(item, str) and is_address(item):
            path = local_path(item)
            if path is None:
                self._find_remote(item)
                return
            item = path
        self._find_local(item)

    def _find_local(self, item: str | Path) -> None:
        path = Path(item)
        if path.is_dir():
            if _is_run(path):
                raise InputError(f"{shown(path)} is a run, not an input; clio serve shows it")
            self._take_all(map(LocalFile, _in_folder(path)), f"the folder {shown(path)}")
        elif path.exists():
            mode = path.stat().st_mode
            if stat.S_ISFIFO(mode):
                with path.open("rb") as stream:
                    self._take(Spooled(shown(path), stream), named=True)
            elif stat.S_ISREG(mode):
                self._take(LocalFile(path), named=True)
            else:
                raise InputError(f"{shown(path)} is not a regular file")
        elif glob.has_magic(str(item)):
            matches = [Path(m) for m in sorted(glob.glob(str(item), recursive=True))]  # noqa: PTH207
            files = [m for m in matches if m.is_file() and not any(map(_is_run, m.parents))]
            if not files:
                raise InputError(f"no file matches the pattern {shown(path)}")
            self._take_all(map(LocalFile, files), f"the pattern {shown(path)}")
        else:
            raise InputError(f"no such file or folder: {shown(path)}")

    def _find_remote(self, address: str) -> None:
        files, single = files_at(address)
        if single:
            self._take(files[0], named=True)
        else:
            self._take_all(files, shown(address))

    def _take_all(self, blobs: Iterable[Blob], where: str) -> None:
        """Take what lies together, of which at least one must hold conversations."""
        before = len(self.passed_over)
        taken = [self._take(blob, named=False) for blob in blobs]
        if any(taken):
            return
        others = Counter(list(self.passed_over.values())[before:])
        kinds = [kind for kind, _ in others.most_common(_KINDS_NAMED)]
        more = ", ..." if len(others) > _KINDS_NAMED else ""
        seen = f"{_counted(len(taken))} ({', '.join(kinds)}{more})" if taken else "no files"
        raise InputError(f"no conversations in {where}, which holds {seen}; expected {_expected()}")

    def _take(self, blob: Blob, *, named: bool) -> bool:
        """Take a file, or what an archive holds; whether there was anything."""
        if blob.key in self.found:
            return True
        if isinstance(blob, LocalFile) and not blob.path.is_file():
            self.passed_over[blob.name] = "not a regular file"
            return False
        if not named and (other := _other_kind(blob)) is not None:
            self.passed_over[blob.name] = other
            return False
        try:
            head = peek(blob)
            if head.raw.startswith(zipped.MAGIC):
                return self._take_archive(blob, named=named)
            what = self._looked_at(blob, head, named=named)
        except OSError as error:
            raise InputError(f"cannot read {blob.name}: {reason(error)}") from None
        if isinstance(what, str):
            if named:
                raise InputError(f"{blob.name} is {what}; expected {_expected()}")
            self.passed_over[blob.name] = what
            return False
        self.found[blob.key] = Input(blob, what)
        return True

    def _take_archive(self, blob: Blob, *, named: bool) -> bool:
        if blob.archive is not None:
            self.passed_over[blob.name] = "an archive inside an archive"
            return False
        archive = zipped.Archive(blob)
        try:
            with archive.held():
                members = archive.members()
                if any(member.path in _OFFICE for member in members):
                    if named:
                        raise InputError(
                            f"{blob.name} is an Office document; expected {_expected()}"
                        )
                    self.passed_over[blob.name] = "an Office document"
                    return False
                shown_members = [m for m in members if not _hidden(m.path)]
                if named:
                    self._take_all(shown_members, f"the archive {blob.name}")
                    return True
                taken = [self._take(member, named=False) for member in shown_members]
                return any(taken)
        except RejectedError:
            self.found[blob.key] = Input(blob, _DAMAGED)
            return True

    def _looked_at(self, blob: Blob, head: Head, *, named: bool) -> Container | str:
        """How a file is taken apart, or what it is where it holds no conversations."""
        if isinstance(blob, zipped.Member) and blob.encrypted:
            return "encrypted"
        if not head.broken and not head.plain.strip():
            return "empty"
        found = _container(head)
        if found is None:
            return foreign.described(head)
        if not named and not self._any_rows and _JSON.search(blob.source):
            return found if _holds_conversations(blob, found) else "JSON without conversations"
        return found


def _standard_input() -> Spooled:
    if sys.stdin is None or sys.stdin.closed:
        raise InputError("there is no standard input; name a file")
    if sys.stdin.isatty():
        raise InputError("standard input is a terminal; pipe conversations into it or name a file")
    return Spooled("standard input", sys.stdin.buffer)


def container_of(blob: Blob) -> Container:
    """How a file is taken apart that the user named.

    Raises
    ------
    InputError
        It cannot be read, or is of no known kind.
    """
    try:
        head = peek(blob)
    except OSError as error:
        raise InputError(f"cannot read {blob.name}: {reason(error)}") from None
    found = _container(head)
    if found is None:
        raise InputError(f"{blob.name} is {foreign.described(head)}; expected {_expected()}")
    return found


def _container(head: Head) -> Container | None:
    """The kind of a file, by its beginning; by its name where that does not tell."""
    for container in CONTAINERS:
        if container.recognises(head):
            return container
    if foreign.kind(head) is not None:
        return None
    for container in CONTAINERS:
        if head.name.endswith(container.suffixes) and (container.by_name or head.broken):
            return container
    return None


def _holds_conversations(blob: Blob, container: Container) -> bool:
    """Whether one of the first rows is of a known format, or broken, which its rejection tells."""
    records = (record for block in container.blocks(blob) for record in block.records(0))
    for _, record, why in islice(records, _RECORDS_LOOKED_AT):
        if why is not None:
            return True
        if isinstance(record, dict) and any(f.recognises(record) for f in ROW_FORMATS[:-1]):
            return True
    return False


def _other_kind(blob: Blob) -> str | None:
    """What a file is by its name alone, where it need not be looked at."""
    name = blob.source.lower()
    suffix = os.path.splitext(name)[1]  # noqa: PTH122 (it may hold any slashes)
    if name.endswith(_SUFFIXES) or suffix in _SILENT:
        return None
    return f"a {suffix} file"


def _is_run(folder: Path) -> bool:
    """Whether a folder is a run's: what it holds is no input, though its files look like some."""
    return (folder / "run.json").is_file() and (folder / "private").is_dir()


def _in_folder(folder: Path) -> list[Path]:
    files: list[Path] = []
    for where, folders, names in os.walk(folder):
        folders[:] = [
            name for name in folders if not name.startswith(".") and not _is_run(Path(where) / name)
        ]
        files.extend(Path(where) / name for name in names if not name.startswith("."))
    return sorted(files, key=lambda path: path.parts)


def _hidden(path: str) -> bool:
    parts = [part for part in path.split("/") if part not in (".", "..")]
    return any(part == "__MACOSX" or part.startswith(".") for part in parts)


def _counted(files: int) -> str:
    return "one file" if files == 1 else f"{files:,} files"


def _expected() -> str:
    names = [f"{c.name} ({c.suffixes[0]})" for c in CONTAINERS]
    return f"{', '.join(names)}, plain or compressed, or a {_ARCHIVE} of them"


class _DamagedArchive:
    """The one rejected row that stands for an archive whose directory cannot be read."""

    def __len__(self) -> int:
        return 1

    def records(self, start: int) -> Iterator[tuple[int, None, Reason]]:
        if start == 0:
            yield 1, None, Reason.DAMAGED_ARCHIVE


_DAMAGED: Final = Container(
    name="zip archive",
    suffixes=(_ARCHIVE,),
    recognises=lambda _: False,
    blocks=lambda _: iter((_DamagedArchive(),)),
)
