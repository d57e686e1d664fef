"""From what the user named to rows: files are found, told apart and read one after the other."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from clio.errors import InputError
from clio.sources.compression import GZIP_MAGIC, ZSTD_MAGIC, peek
from clio.sources.registry import CONTAINERS, ROW_FORMATS
from clio.sources.rows import Container, Origin, Reason, RejectedError, Row

_FOREIGN: Final = (
    (b"PK\x03\x04", "a zip archive"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"ARROW1", "an Arrow file"),
)


def expand(inputs: Sequence[str | Path]) -> list[Path]:
    """The files that the inputs stand for.

    Parameters
    ----------
    inputs
        Files, folders (all files in them and below whose names end as one of the known kinds,
        sorted; hidden ones left out) and patterns (``*``, ``?``, ``[...]``, ``**``; sorted). What
        lies in a run counts only where it is named.

    Returns
    -------
    list of Path
        In the order of the inputs; a file named twice counts once, where it came first.

    Raises
    ------
    InputError
        An input matches nothing, cannot be read, or is of no known kind.
    """
    found: dict[Path, Path] = {}
    for item in inputs:
        for path in _matches(item):
            found.setdefault(path.resolve(), path)
    if not found:
        raise InputError("no input was given; name a file, a folder or a pattern")
    return list(found.values())


def _matches(item: str | Path) -> list[Path]:
    path = Path(item)
    if path.is_dir():
        return _in_folder(path)
    if path.exists():
        _container_of(path)
        return [path]
    if not glob.has_magic(str(item)):
        raise InputError(f"no such file or folder: {shown(path)}")
    files: list[Path] = []
    for match in sorted(glob.glob(str(item), recursive=True)):  # noqa: PTH207 (absolute ones too)
        if Path(match).is_file() and not any(map(_is_run, Path(match).parents)):
            _container_of(Path(match))
            files.append(Path(match))
    if not files:
        raise InputError(f"no file matches the pattern {shown(path)}")
    return files


def _is_run(folder: Path) -> bool:
    """Whether a folder is a run's: what it holds is no input, though its files look like some."""
    return (folder / "run.json").is_file() and (folder / "private").is_dir()


def _in_folder(folder: Path) -> list[Path]:
    if _is_run(folder):
        raise InputError(f"{shown(folder)} is a run, not an input; clio serve shows it")
    suffixes = tuple(suffix for container in CONTAINERS for suffix in container.suffixes)
    files: list[Path] = []
    others: set[str] = set()
    for where, folders, names in os.walk(folder):
        folders[:] = [
            name for name in folders if not name.startswith(".") and not _is_run(Path(where) / name)
        ]
        for name in names:
            if name.startswith("."):
                continue
            if name.lower().endswith(suffixes):
                files.append(Path(where) / name)
            else:
                others.add(Path(name).suffix.lower() or "no suffix")
    if not files:
        seen = f"only files with {', '.join(sorted(others)[:5])}" if others else "no files"
        raise InputError(f"{shown(folder)} holds {seen}; expected {_expected()}")
    files.sort(key=lambda path: path.parts)
    for path in files:
        _container_of(path)
    return files


def _container_of(path: Path) -> Container:
    """The kind of a file, by its first bytes; by its name where they do not tell."""
    if not path.is_file():
        raise InputError(f"{shown(path)} is not a regular file")
    try:
        raw, plain = peek(path)
    except OSError as error:
        raise InputError(f"cannot read {shown(path)}: {error.strerror}") from None
    for container in CONTAINERS:
        if container.recognises(raw, plain):
            return container
    foreign = [what for magic, what in _FOREIGN if raw.startswith(magic)]
    for container in CONTAINERS:
        named = path.name.lower().endswith(container.suffixes)
        if container.by_name and not foreign and (named or not raw):
            return container
    seen = foreign[0] if foreign else _seen(raw, plain)
    raise InputError(f"{shown(path)} is {seen}; expected {_expected()}")


def _seen(raw: bytes, plain: bytes) -> str:
    packed = raw.startswith((GZIP_MAGIC, ZSTD_MAGIC))
    if plain.lstrip().startswith(b"["):
        what = "a JSON array"
    elif not plain or b"\0" in plain:
        what = "binary data"
    else:
        what = "text that does not begin with a JSON object"
    return f"a compressed file of {what}" if packed else what


def _expected() -> str:
    return " or ".join(f"{c.name} ({', '.join(c.suffixes)})" for c in CONTAINERS)


def shown(path: Path) -> str:
    """A path as text that can always be encoded."""
    return os.fsencode(path).decode("utf-8", "replace")


def read(paths: Sequence[Path], *, skip: int = 0) -> Iterator[Row]:
    """All rows of the files, in order, as a stream.

    Parameters
    ----------
    paths
        Files as `expand` returns them.
    skip
        Pass over so many rows first, without decoding them; the others are numbered all the same.

    Yields
    ------
    Row
        One for each line that is not blank (JSON Lines) or row (Parquet): a conversation, or the
        reason why it was rejected.

    Raises
    ------
    InputError
        A file cannot be opened any more, or is of no known kind.
    """
    for path in paths:
        file = shown(path)
        source = shown(Path(path.name))
        holder = shown(Path(path.absolute().parent.name))
        try:
            for block in _container_of(path).blocks(path):
                if len(block) <= skip:
                    skip -= len(block)
                    continue
                for line, record, reason in block.records(skip):
                    yield _row(file, Origin(source, line, holder), record, reason)
                skip = 0
        except OSError as error:
            raise InputError(f"cannot read {file}: {error.strerror}") from None


def _row(file: str, origin: Origin, record: Any, reason: Reason | None) -> Row:
    name = None
    try:
        if reason is not None:
            raise RejectedError(reason)
        if not isinstance(record, dict):
            raise RejectedError(Reason.NOT_AN_OBJECT)
        for row_format in ROW_FORMATS:
            if row_format.recognises(record):
                break
        name = row_format.name
        return Row(file, origin.line, row_format.parse(record, origin), None, name)
    except RejectedError as rejected:
        return Row(file, origin.line, None, rejected.reason.value, name)


def fingerprint(paths: Iterable[Path]) -> str:
    """SHA-256 (hex) over names and contents of the files, in order.

    Of a name only its last part counts, as it does for ids made from it: a moved file keeps its
    fingerprint.

    Raises
    ------
    InputError
        A file cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                contents = hashlib.file_digest(file, "sha256").digest()
        except OSError as error:
            raise InputError(f"cannot read {shown(path)}: {error.strerror}") from None
        digest.update(hashlib.sha256(os.fsencode(path.name)).digest())
        digest.update(contents)
    return digest.hexdigest()
