"""Inputs as nobody should hand them out, and what reading them must come to all the same.

`mutated` damages a valid file in the ways that files are damaged, and in those that somebody who
means harm would choose; `account_for` reads the result and raises `AssertionError` where anything
but rows, each with a conversation or a reason, or one clear refusal came of it. All randomness is
the caller's, so that a seed, or Hypothesis, repeats a case.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import pyarrow.parquet as pq
import zstandard

from clio.errors import ClioError, InputError
from clio.sources import Row, expand, read

_MAGICS: Final = (
    b"\x1f\x8b\x08\x00",
    b"\x28\xb5\x2f\xfd",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PAR1",
    b"BZh9",
    b"\xfd7zXZ\x00",
    b"%PDF-1.7\n",
    b"SQLite format 3\x00",
    b"ARROW1\x00\x00",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
)
_BROKEN_TEXT: Final = (
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\0",
    b"\\ud800",
)
_PIECES: Final = (
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\n", b"\r", b"\x85", b"\xe2\x80\xa8"),
    *(b"null", b"NaN", b"-Infinity", b"1e999", b"-0", b'{"messages":', b"<!DOCTYPE html>"),
)
_NUMBER: Final = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WILD: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 0.5, 2**53 + 1, 2**64, 10**30, -(10**400), 1e308, 1.7e12, 4e9),
    *(
        "",
        " ",
        "x" * 5_000,
        "\ud800",
        "\0",
        "\u202e",
        "9" * 400,
        "0001-01-01",
        "9999-12-31T23:59:60Z",
    ),
    *([], {}, [[]], [None], {"": ""}, {"role": "user"}, {"parts": [None, {"text": 1}]}, ["user"]),
)

Mutation = Callable[[bytes, Random, Sequence[bytes]], bytes]


def mutated(data: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    """A valid file damaged in one to four ways.

    Parameters
    ----------
    data
        The valid file.
    chance
        Where and how.
    others
        Further valid files, to be spliced with.
    """
    for _ in range(chance.choice((1, 1, 1, 2, 3, 4))):
        data = chance.choice(_MUTATIONS)(data, chance, others)
    return data


def _place(data: bytes, chance: Random) -> int:
    return chance.randint(0, len(data))


def _flip(data: bytes, chance: Random, _others: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _truncate(data: bytes, chance: Random, _others: Sequence[bytes]) -> bytes:
    return data[: _place(data, chance)]


def _behead(data: bytes, chance: Random, _others: Sequence[bytes]) -> bytes:
    return data[_place(data, chance) :]


def _splice(data: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    other = chance.choice(others) if others else data
    return data[: _place(data, chance)] + other[_place(other, chance) :]


def _append(data: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    return data + chance.choice((b"", b"\n", b"\0" * 512)) + (chance.choice(others or [data]))


def _repeat(data: bytes, chance: Random, _others: Sequence[bytes]) -> bytes:
    start = _place(data, chance)
    block = data[start : start + chance.choice((1, 16, 256, 4096))]
    return data[:start] + block * chance.choice((2, 3, 100)) + data[start:]


def _drop(data: bytes, chance: Random, _others: Sequence[bytes]) -> bytes:
    start = _place(data, chance)
    return data[:start] + data[start + chance.choice((1, 2, 16, 256)) :]


def _insert(data: bytes, chance: Random, _others: Sequence[bytes]) -> bytes:
    start = _place(data, chance)
    return data[:start] + chance.choice(_BROKEN_TEXT + _PIECES) + data[start:]


def _huge_number(data: bytes, chance: Random, _others: Sequence[bytes]) -> bytes:
    found = list(_NUMBER.finditer(data[:100_000]))
    if not found:
        return data
    where = chance.choice(found)
    number = chance.choice((b"9" * 400, b"1e999", b"-1e-999", b"NaN", b"0x10", b"1" * 5_000, b"-"))
    return data[: where.start()] + number + data[where.end() :]


def _nest(data: bytes, chance: Random, _others: Sequence[bytes]) -> bytes:
    start = max(data.find(b":", _place(data, chance)) + 1, 0)
    opening = chance.choice((b"[", b'{"a":', b'{"parts":[', b'{"messages":['))
    return data[:start] + opening * chance.choice((40, 1_100, 50_000)) + data[start:]


def _magic(data: bytes, chance: Random, _others: Sequence[bytes]) -> bytes:
    magic = chance.choice(_MAGICS)
    return magic + (data if chance.random() < 0.5 else data[len(magic) :])


def _recode(data: bytes, chance: Random, _others: Sequence[bytes]) -> bytes:
    coding = chance.choice(("utf-16", "utf-16-be", "utf-32", "latin-1", "utf-8-sig"))
    return data.decode("utf-8", "replace").encode(coding, "replace")


def _pack(data: bytes, chance: Random, _others: Sequence[bytes]) -> bytes:
    kind = chance.choice(("gzip", "zstd", "zip", "zip", "deflate"))
    if kind == "gzip":
        return gzip.compress(data, 1, mtime=0)
    if kind == "zstd":
        return zstandard.compress(data, 1)
    if kind == "deflate":
        return zlib.compress(data)
    return zipped({chance.choice(("conversations.json", "a.jsonl", "b/c.parquet", "../x")): data})


def _unpack(data: bytes, _chance: Random, _others: Sequence[bytes]) -> bytes:
    return _unpacked(data) or data


def _signature(data: bytes, chance: Random, _others: Sequence[bytes]) -> bytes:
    """Damage one of the records that a zip archive or a Parquet file is read by."""
    if data.endswith(b"PAR1"):
        start, length = max(0, len(data) - chance.choice((8, 12, 64, 512))), len(data)
    else:
        marks = [m.start() for m in re.finditer(rb"PK(\x01\x02|\x03\x04|\x05\x06)", data)]
        if not marks:
            return data
        start = chance.choice(marks)
        length = min(len(data), start + 46)
    changed = bytearray(data)
    for _ in range(chance.choice((1, 2, 4))):
        if start < length:
            changed[chance.randrange(start, length)] = chance.choice((0, 1, 127, 128, 255))
    return bytes(changed)


def _value(data: bytes, chance: Random, _others: Sequence[bytes]) -> bytes:
    """Put a value of another kind somewhere into a JSON document or line."""
    if data[:1] not in (b"{", b"["):
        return data
    lines = data.split(b"\n") if data.startswith(b"{") else [data]
    at = chance.randrange(len(lines))
    try:
        document = json.loads(lines[at])
    except (ValueError, RecursionError):
        return data
    lines[at] = json.dumps(_changed(document, chance)).encode()
    return b"\n".join(lines)


def _changed(value: Any, chance: Random) -> Any:
    if not isinstance(value, dict | list) or not value or chance.random() < 0.15:
        return chance.choice(_WILD)
    if isinstance(value, list):
        at = chance.randrange(len(value))
        return [*value[:at], _changed(value[at], chance), *value[at + 1 :]]
    key = chance.choice(sorted(value))
    how = chance.random()
    if how < 0.1:
        return {name: item for name, item in value.items() if name != key}
    if how < 0.2:
        renamed = chance.choice(("messages", "conversation", "mapping", "id", "", "\ud800"))
        return {(renamed if name == key else name): item for name, item in value.items()}
    return value | {key: _changed(value[key], chance)}


_MUTATIONS: Final[tuple[Mutation, ...]] = (
    *(_flip, _truncate, _behead, _splice, _append, _repeat, _drop, _insert, _huge_number, _nest),
    *(_magic, _recode, _pack, _unpack, _signature, _signature, _value, _value, _value, _value),
)


def bombs() -> Iterator[tuple[str, bytes]]:
    """Small or plain files that would take much memory if read carelessly, with a name each."""
    spaces, row = b" " * (64 * 2**20), b'{"messages":[]}\n'
    yield "spaces.jsonl.gz", gzip.compress(row + spaces, mtime=0)
    yield "spaces.jsonl.zst", zstandard.compress(row + spaces)
    yield "spaces.zip", zipped({"a.jsonl": row + spaces})
    yield "long.jsonl", row + b'{"messages":"' + b"x" * (24 * 2**20) + b'"}\n' + row
    yield "long.json", b'[{"messages":"' + b"x" * (24 * 2**20) + b'"}]'
    yield "deep.json", b"[" * (8 * 2**20)
    yield "deep.jsonl", row + b'{"a":' * (4 * 2**20)
    yield "many.json", b"[" + b"{}," * 2**20 + b"{}]"
    yield "many.zip", zipped({f"{number}.jsonl": row for number in range(2_000)})
    yield "nested.zip", zipped({"b.zip": zipped({"a.jsonl": row + spaces})})


def peak_memory() -> int:
    """The most memory that this process has held, in MB (Linux)."""
    # What `resource` says begins, after a fork, with what the parent held.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip archive of the members, the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def account_for(path: Path, chance: Random) -> int:
    """Read whatever lies at a path and see that nothing of it is lost.

    Parameters
    ----------
    path
        A file or folder.
    chance
        Draws from where it is read a second time, as a resumed run does.

    Returns
    -------
    int
        Rows that came of it; 0 where it was refused as a whole.

    Raises
    ------
    AssertionError
        A row has neither conversation nor reason, or both; rows are missing or too many, where
        they can be counted otherwise; reading again from a row on gives others; or an error is
        not one clear line.
    """
    try:
        found = expand([path])
        rows = list(read(found))
    except ClioError as error:
        _see(isinstance(error, InputError), f"{type(error).__name__} instead of InputError")
        _see("\n" not in str(error), "an error of several lines")
        return 0
    for row in rows:
        _check_row(row)
    counted = _counted(path)
    _see(counted is None or counted == len(rows), f"{len(rows)} rows instead of {counted}")
    skip = chance.randint(0, len(rows))
    _see(list(read(expand([path]), skip=skip)) == rows[skip:], f"other rows after {skip}")
    return len(rows)


def _see(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)


def _check_row(row: Row) -> None:
    conversation = row.conversation
    _see((conversation is None) != (row.reason is None), "a row without outcome")
    _see(row.line >= 1, "a row without a line")
    if conversation is None:
        return
    _see(bool(conversation.conversation_id), "a conversation without id")
    # What is kept must be writable, as Parquet and JSON.
    texts = [conversation.conversation_id, conversation.user_id or ""]
    for text in (*texts, *(message.content for message in conversation.messages)):
        text.encode()
    json.dumps(dict(conversation.labels), allow_nan=False).encode()


def _counted(path: Path) -> int | None:
    """Rows of a file counted in another way, or ``None`` where there is none."""
    if not path.is_file():
        return None
    data = path.read_bytes()
    if data.startswith(b"PAR1"):
        try:
            return int(pq.read_table(path, partitioning=None).num_rows)
        except Exception:  # whatever a damaged file makes of it
            return None
    if data.startswith((b"PK", b"\xff\xfe", b"\xfe\xff")):
        return None
    plain = _unpacked(data) if data.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")) else data
    if plain is None or plain.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    plain = plain.removeprefix(b"\xef\xbb\xbf")
    lines = [line for line in plain.split(b"\n") if line and not line.isspace()]
    try:
        first = json.loads(lines[0])
    except (IndexError, ValueError, RecursionError):
        return None
    # A line that is an object by itself begins JSON Lines; a lone one may be an export's document.
    return len(lines) if isinstance(first, dict) and len(lines) > 1 else None


def _unpacked(data: bytes) -> bytes | None:
    """A compressed file unpacked, where it is whole and not too much for what it is packed in."""
    try:
        if data.startswith(b"\x1f\x8b"):
            plain = gzip.decompress(data)
        else:
            with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as file:
                plain = file.read()
    except (OSError, EOFError, zlib.error, zstandard.ZstdError):
        return None
    return plain if len(plain) < max(2**20, 200 * len(data)) else None
