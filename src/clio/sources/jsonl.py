"""JSON Lines: one object a line, plain, gzip or Zstandard."""

from __future__ import annotations

from collections.abc import Iterator

from clio.sources.blobs import Blob
from clio.sources.compression import Contents, Head
from clio.sources.json_text import BOM, Texts
from clio.sources.rows import MAX_ROW_BYTES, Container, Reason


def _blocks(blob: Blob) -> Iterator[Texts]:
    number = 1  # of the line that begins with what is pending
    pending: list[bytes] = []
    size = 0
    contents = Contents(blob)
    for chunk in contents:
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
        yield Texts(_numbered(lines, number, too_large))
        number += len(lines)
    if contents.end is not None:
        # The line that broke off is the rejected row; without one, the row that never came is.
        yield Texts([(number, contents.end)])
    elif size:
        yield Texts(_numbered([b"".join(pending)], number, size > MAX_ROW_BYTES))


def _numbered(
    lines: list[bytes], number: int, first_too_large: bool
) -> list[tuple[int, bytes | Reason]]:
    if number == 1:
        lines[0] = lines[0].removeprefix(BOM)
    rows: list[tuple[int, bytes | Reason]] = []
    for at, line in enumerate(lines, number):
        if len(line) > MAX_ROW_BYTES or (first_too_large and at == number):
            rows.append((at, Reason.ROW_TOO_LARGE))
        elif line and not line.isspace():
            rows.append((at, line))
    return rows


def _recognises(head: Head) -> bool:
    # One object may also be pretty-printed, or wrap others; the container for JSON has looked.
    return head.plain.removeprefix(BOM).lstrip().startswith(b"{")


JSONL = Container(
    name="JSON Lines",
    suffixes=tuple(name + end for name in (".jsonl", ".ndjson") for end in ("", ".gz", ".zst")),
    recognises=_recognises,
    blocks=_blocks,
    by_name=True,
)
