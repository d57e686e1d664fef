"""Bytes of a file, decompressed where its first bytes say gzip or Zstandard."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import zstandard

from clio.sources.rows import Reason, RejectedError

GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"

_PLAIN_CHUNK: Final = 2**20
# A step's output is bounded by its input: gzip expands at most 1,032-fold (66 MB a step) and
# Zstandard 32,768-fold (128 MB a step), whatever a hostile archive holds.
_GZIP_CHUNK: Final = 2**16
_ZSTD_CHUNK: Final = 2**12

MAX_EXPANSION: Final = 200
_ALWAYS_ALLOWED: Final = 2**20


def chunks(path: Path) -> Iterator[bytes]:
    """Contents of a file in chunks, decompressed.

    Several gzip members or Zstandard frames in a row read as one.

    Raises
    ------
    RejectedError
        The archive ends early, is damaged, or expands more than 200-fold (and beyond 1 MiB); what
        came before has been yielded.
    OSError
        The file cannot be read.
    """
    with path.open("rb") as file:
        magic = file.read(4)
        file.seek(0)
        if magic.startswith(GZIP_MAGIC):
            packed = iter(lambda: file.read(_GZIP_CHUNK), b"")
            pieces = _unpacked(packed, lambda: zlib.decompressobj(wbits=31))
        elif magic == ZSTD_MAGIC:
            packed = iter(lambda: file.read(_ZSTD_CHUNK), b"")
            pieces = _unpacked(packed, zstandard.ZstdDecompressor().decompressobj)
        else:
            yield from iter(lambda: file.read(_PLAIN_CHUNK), b"")
            return
        limit = max(_ALWAYS_ALLOWED, MAX_EXPANSION * path.stat().st_size)
        for piece in pieces:
            limit -= len(piece)
            if limit < 0:
                raise RejectedError(Reason.EXPANDS_TOO_FAR)
            yield piece


def _unpacked(packed: Iterator[bytes], start: Callable[[], Any]) -> Iterator[bytes]:
    """Run decompression objects, one a member, over packed chunks."""
    member = None
    for chunk in packed:
        while chunk:
            if member is None:
                # Archives may be padded with zeros behind a member.
                chunk = chunk.lstrip(b"\0")
                if not chunk:
                    break
                member = start()
            try:
                piece = member.decompress(chunk)
            except (zlib.error, zstandard.ZstdError):
                raise RejectedError(Reason.DAMAGED_ARCHIVE) from None
            if piece:
                yield piece
            chunk = member.unused_data if member.eof else b""
            if member.eof:
                member = None
    if member is not None:
        raise RejectedError(Reason.ENDS_EARLY)


def peek(path: Path) -> tuple[bytes, bytes]:
    """The first bytes of a file, as they are and decompressed (4 KiB at most of each)."""
    with path.open("rb") as file:
        raw = file.read(2**12)
    stream = chunks(path)
    try:
        plain = next(stream, b"")
    except RejectedError:
        plain = b""
    finally:
        stream.close()  # type: ignore[attr-defined]
    return raw, plain[: 2**12]
