"""What a file is that holds no conversations: told to who handed it in."""

from __future__ import annotations

import csv
import re
from typing import Final

from clio.sources.compression import Head

_MAGIC: Final = (
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (b"{\\rtf", "an RTF document"),
    (b"PK\x03\x04", "a zip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"ARROW1", "an Arrow file"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"\x7fELF", "a program"),
)
_TAR: Final = slice(257, 262)
_MARKUP: Final = (
    (re.compile(rb"(<!--.*?-->\s*)?<(!doctype\s+)?html", re.I | re.S), "an HTML page"),
    (re.compile(rb"<\?xml|<[A-Za-z][\w:.-]*[\s/>]"), "XML"),
    (re.compile(rb"---[ \t]*\r?\n|[\w-]+:[ \t]*\r?\n[ \t]+[\w-]+:|- [\w-]+:"), "YAML"),
)
_TABLES: Final = ((",", "a CSV table"), ("\t", "a TSV table"), (";", "a CSV table"))
_ROWS_LOOKED_AT: Final = 20
_NUMBERS_ALONE: Final = re.compile(r"[\s\d.,:eE+-]*")


def kind(head: Head) -> str | None:
    """A kind of file that is known, and never one of conversations; ``None`` for any other."""
    plain = head.plain.removeprefix(b"\xef\xbb\xbf")
    found = next((what for magic, what in _MAGIC if plain.startswith(magic)), None)
    if found is None and plain[_TAR] == b"ustar":
        found = "a tar archive"
    if found is None:
        text = plain.lstrip()
        found = next((what for pattern, what in _MARKUP if pattern.match(text)), None)
    return found or _table(head)


def described(head: Head) -> str:
    """What a file is that nothing can read, as a sentence goes on behind "is"."""
    if head.broken and not head.plain:
        return "a damaged archive"
    if not head.plain.strip():
        return "empty"
    what = kind(head)
    if what is None:
        binary = b"\0" in head.plain
        what = "binary data" if binary else "text that does not begin with a JSON object"
    return f"a compressed file of {what}" if head.packed else what


def _table(head: Head) -> str | None:
    try:
        text = head.plain.decode("utf-8-sig", "ignore")
    except UnicodeDecodeError:
        return None
    lines = text.splitlines()
    if not head.whole:
        lines = lines[:-1]
    lines = [line for line in lines if line.strip()][: _ROWS_LOOKED_AT + 1]
    if not lines or lines[0].lstrip()[:1] in ("{", "["):
        return None
    for delimiter, what in _TABLES:
        try:
            rows = list(csv.reader(lines, delimiter=delimiter))
        except csv.Error:
            continue
        # A quoted field may go over several lines, so the last row may be cut off.
        rows = rows[:_ROWS_LOOKED_AT]
        widths = {len(row) for row in rows[:-1] or rows}
        if len(widths) == 1 and widths.pop() > 1 and _is_header(rows[0], len(rows)):
            return what
    return None


def _is_header(names: list[str], rows: int) -> bool:
    """Whether the first row names columns: short, distinct names and not a sentence."""
    short = all(name.strip() and len(name) <= 40 for name in names)
    return (
        rows > 1
        and short
        and len(set(names)) == len(names)
        and not any(_NUMBERS_ALONE.fullmatch(name) for name in names)
    )
