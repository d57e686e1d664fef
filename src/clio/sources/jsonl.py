"""JSON Lines: one object a line, plain, gzip or Zstandard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from clio.sources.compression import chunks
from clio.sources.json_text import decode
from clio.sources.rows import MAX_ROW_BYTES, Container, Reason, Record, RejectedError

_BOM: Final = b"\xef\xbb\xbf"


class _Lines:
    """Lines that are not blank, each with its number; a reason stands for a line without text."""

    def __init__(self, lines: list[tuple[int, bytes | Reason]]) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def records(self, start: int) -> Iterator[Record]:
        for number, line in self._lines[start:]:
            if isinstance(line, Reason):
                yield number, None, line
                continue
            try:
                record = decode(line)
            except RejectedError as rejected:
                yield number, None, rejected.reason
            else:
                yield number, record, None


def _blocks(path: Path) -> Iterator[_Lines]:
    number = 1  # of the line that begins with what is pending
    pending: list[bytes] = []
    size = 0
    end: Reason | None = None
    stream = chunks(path)
    while True:
        try:
            chunk = next(stream, None)
        except RejectedError as rejected:
            end = rejected.reason
            break
        if chunk is None:
            break
        cut = chunk.rfind(b"\n")
        if cut < 0:
            size += len(chunk)
            pending.append(chunk)
            if size > MAX_ROW_BYTES:
                pending.clear()  # too large whatever follows; only its end is of interest
            continue
        pending.append(chunk[:cut])
        lines = b"".join(pending).split(b"\n")
        too_large = size > MAX_ROW_BYTES
        pending = [chunk[cut + 1 :]]
        size = len(pending[0])
        yield _Lines(_numbered(lines, number, too_large))
        number += len(lines)
    if end is not None:
        # The line that broke off is the rejected row; without one, the row that never came is.
        yield _Lines([(number, end)])
    elif size:
        yield _Lines(_numbered([b"".join(pending)], number, size > MAX_ROW_BYTES))


def _numbered(
    lines: list[bytes], number: int, first_too_large: bool
) -> list[tuple[int, bytes | Reason]]:
    if number == 1:
        lines[0] = lines[0].removeprefix(_BOM)
    rows: list[tuple[int, bytes | Reason]] = []
    for at, line in enumerate(lines, number):
        if len(line) > MAX_ROW_BYTES or (first_too_large and at == number):
            rows.append((at, Reason.ROW_TOO_LARGE))
        elif line and not line.isspace():
            rows.append((at, line))
    return rows


def _recognises(_raw: bytes, plain: bytes) -> bool:
    return plain.removeprefix(_BOM).lstrip().startswith(b"{")


JSONL = Container(
    name="JSON Lines",
    suffixes=(".jsonl", ".jsonl.gz", ".jsonl.zst"),
    recognises=_recognises,
    blocks=_blocks,
    by_name=True,
)
