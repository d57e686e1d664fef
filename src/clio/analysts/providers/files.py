"""A folder of requests that somebody else answers, in the format of OpenAI's batch interface.

``vllm run-batch``, another provider's batch interface or a script of one's own reads the files in
``requests`` and puts answers into ``responses``.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import orjson

from clio.analysts.providers.base import Completion, ProviderError, Request
from clio.analysts.providers.bodies import openai_body, openai_line, openai_outcome
from clio.errors import ModelError
from clio.filesystem import remove, sync

PLACEHOLDER: Final = "model"
"""The model's name in requests: whoever answers knows which one it is."""

MOST_REQUESTS: Final = 50_000
MOST_BYTES: Final = 200_000_000
"""Of one file: what OpenAI's batch interface takes, so that each can be uploaded there as it is."""

LONGEST_LINE: Final = 16_000_000
"""Bytes; a longer line of an answer counts as malformed."""

_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600
_OTHERS: Final = 0o077

_TEMPORARY: Final = ".tmp-"
_ID: Final = re.compile(rb'\{"custom_id":"([0-9a-f-]+)"')


@dataclass(frozen=True, slots=True)
class Line:
    """An answer in some file: which, to what, and what it says."""

    file: str
    custom_id: str
    outcome: Completion | ProviderError


@dataclass(slots=True)
class _Seen:
    """A file of answers as it was read last."""

    version: tuple[int, int, int]
    malformed: int = 0
    first: int = 0


class Folder:
    """Requests and answers in a folder that nobody else can read.

    Parameters
    ----------
    path
        The folder; made where it is missing, with ``requests`` and ``responses`` in it.
    model
        The model's name to write into requests.

    Raises
    ------
    ModelError
        Others may read it, or it is no folder.
    OSError
        It cannot be made.
    """

    def __init__(self, path: Path, model: str = PLACEHOLDER) -> None:
        self.path = path.expanduser().absolute()
        self.requests = self.path / "requests"
        self.responses = self.path / "responses"
        self._model = model
        self._seen: dict[str, _Seen] = {}
        if not self.path.exists():
            self.path.mkdir(mode=_PRIVATE_FOLDER, parents=True)
            self.path.chmod(_PRIVATE_FOLDER)
        self._check()
        for folder in (self.requests, self.responses):
            folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
            folder.chmod(_PRIVATE_FOLDER)

    def size(self, custom_id: str, request: Request) -> int:
        """Bytes of a request's line."""
        return len(openai_line(custom_id, openai_body(request, self._model)))

    def write(self, requests: Sequence[tuple[str, Request]]) -> None:
        """Write requests under their ids into a file, which stands whole or not at all.

        It is named by the ids in it, so the same requests make the same file.
        """
        chosen = sorted(requests, key=lambda pair: pair[0])
        names = "\n".join(custom_id for custom_id, _ in chosen)
        path = self.requests / f"{hashlib.sha256(names.encode()).hexdigest()[:16]}.jsonl"
        if path.exists():
            return
        temporary = path.with_name(_TEMPORARY + path.name)
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            for custom_id, request in chosen:
                file.write(openai_line(custom_id, openai_body(request, self._model)))
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)

    def lying(self) -> Iterator[str]:
        """Ids of the requests that lie there."""
        for path in _files(self.requests, (".jsonl",)):
            with path.open("rb") as file:
                for line in file:
                    found = _ID.match(line)
                    if found is not None:
                        yield found.group(1).decode()

    def read(self) -> Iterator[Line]:
        """Answers in files that are new or have changed since they were read last.

        The last line of a file that is still being written is left for later.
        """
        for path in _files(self.responses, (".jsonl", ".jsonl.gz")):
            status = path.stat()
            version = (status.st_ino, status.st_size, status.st_mtime_ns)
            before = self._seen.get(path.name)
            if before is None or before.version != version:
                seen = self._seen[path.name] = _Seen(version)
                yield from self._read(path, seen)

    def malformed(self) -> tuple[int, str]:
        """Lines that could not be read, and where the first of them stands."""
        bad = [(name, seen) for name, seen in sorted(self._seen.items()) if seen.malformed]
        if not bad:
            return 0, ""
        name, first = bad[0]
        return sum(seen.malformed for _, seen in bad), f"{name}, line {first.first}"

    def clear(self) -> None:
        """Delete all requests and answers; the folders stay."""
        for folder in (self.requests, self.responses):
            for path in folder.iterdir():
                remove(path)
        self._seen.clear()

    def _check(self) -> None:
        if not self.path.is_dir():
            raise ModelError(f"{self.path} is no folder; name another one behind files:")
        status = self.path.stat()
        if status.st_uid != os.geteuid():
            raise ModelError(f"{self.path} belongs to another account; name a folder of your own")
        if status.st_mode & _OTHERS:
            raise ModelError(
                f"others can read {self.path}, and conversations would lie there; "
                f"close it (chmod 700) or name another folder"
            )

    def _read(self, path: Path, seen: _Seen) -> Iterator[Line]:
        number = 0
        try:
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                for number, line in enumerate(_lines(file), 1):
                    parsed = _parse(line)
                    if parsed is not None:
                        yield Line(path.name, *parsed)
                    elif line.endswith(b"\n") and line.strip():
                        seen.malformed += 1
                        seen.first = seen.first or number
        except EOFError:
            return  # an archive that is still being written
        except (gzip.BadGzipFile, zlib.error):
            seen.malformed += 1
            seen.first = seen.first or number + 1


def _files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Files by name; hidden ones are somebody's that are not done yet."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.name.endswith(suffixes) and not path.name.startswith(".") and path.is_file()
    )


def _lines(file: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    """Lines with their ends; of one that is too long only an end is left."""
    while line := file.readline(LONGEST_LINE):
        if len(line) < LONGEST_LINE or line.endswith(b"\n"):
            yield line
            continue
        while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
            pass
        yield b"(too long)\n"


def _parse(line: bytes) -> tuple[str, Completion | ProviderError] | None:
    """Id and outcome that a line holds; ``None`` where it is not one."""
    try:
        record = orjson.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or not isinstance(record.get("custom_id"), str):
        return None
    return record["custom_id"], openai_outcome("files", record)
