"""Bytes of a file, decompressed where its first bytes say gzip or Zstandard."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import zstandard

from clio.sources.blobs import Blob
from clio.sources.rows import Reason, RejectedError

_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

# A step's output is bounded by its input: gzip expands at most 1,032-fold (66 MB a step) and
# Zstandard 32,768-fold (128 MB a step), whatever a hostile archive holds.
_GZIP_STEP: Final = 2**16
_ZSTD_STEP: Final = 2**12

MAX_EXPANSION: Final = 200
_ALWAYS_ALLOWED: Final = 2**20

PEEK: Final = 2**16
"""Bytes that are looked at to tell what a file is."""


def chunks(blob: Blob) -> Generator[bytes]:
    """Contents of a blob in chunks, decompressed; UTF-16 that says so becomes UTF-8.

    Several gzip members or Zstandard frames in a row read as one.

    Raises
    ------
    RejectedError
        The archive ends early, is damaged, or expands more than 200-fold (and beyond 1 MiB); what
        came before has been yielded.
    OSError
        The file cannot be read.
    """
    plain = _plain(blob)
    first = next(plain, b"")
    while 0 < len(first) < 2:
        following = next(plain, b"")
        if not following:
            break
        first += following
    content = chain((first,), plain) if first else plain
    yield from _utf8(content) if first.startswith(_UTF16) else content


class Contents:
    """Contents of a blob in chunks, as `chunks`, which end without an error.

    Attributes
    ----------
    end
        Why they ended early, or ``None``; known when they have ended.
    """

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self.end: Reason | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from chunks(self._blob)
        except RejectedError as rejected:
            self.end = rejected.reason


def _plain(blob: Blob) -> Iterator[bytes]:
    following = blob.pieces()
    first = next(following, b"")
    pieces = chain((first,), following)
    if first.startswith(_GZIP_MAGIC):
        unpacked = _unpacked(_steps(pieces, _GZIP_STEP), lambda: zlib.decompressobj(wbits=31))
    elif first.startswith(_ZSTD_MAGIC):
        start = zstandard.ZstdDecompressor().decompressobj
        unpacked = _unpacked(_steps(pieces, _ZSTD_STEP), start)
    else:
        yield from (piece for piece in pieces if piece)
        return
    yield from limited(unpacked, blob.packed_size)


def limited(pieces: Iterator[bytes], packed_size: int) -> Generator[bytes]:
    """The pieces, as long as they are not too much for what they were packed into.

    Raises
    ------
    RejectedError
        They are.
    """
    left = max(_ALWAYS_ALLOWED, MAX_EXPANSION * packed_size)
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise RejectedError(Reason.EXPANDS_TOO_FAR)
        yield piece


def _steps(pieces: Iterator[bytes], step: int) -> Iterator[bytes]:
    for piece in pieces:
        for at in range(0, len(piece), step):
            yield piece[at : at + step]


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


def _utf8(pieces: Iterator[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    for piece in pieces:
        text = decoder.decode(piece)
        if text:
            yield text.encode()
    if text := decoder.decode(b"", final=True):
        yield text.encode()


@dataclass(frozen=True)
class Head:
    """The beginning of a file, by which it is told what it is.

    Attributes
    ----------
    name
        The file's name, in lower case.
    raw
        Its first bytes as they are.
    plain
        The same decompressed, as UTF-8.
    whole
        Whether `plain` is all there is.
    broken
        Whether it is an archive that cannot be unpacked as far as `plain` should go.
    """

    name: str
    raw: bytes
    plain: bytes
    whole: bool
    broken: bool

    @property
    def packed(self) -> bool:
        """Whether it is compressed."""
        return self.raw.startswith((_GZIP_MAGIC, _ZSTD_MAGIC))


def peek(blob: Blob) -> Head:
    """Look at the beginning of a blob.

    Raises
    ------
    OSError
        It cannot be read.
    """
    raw = plain = b""
    broken, whole = False, True
    try:
        with closing(blob.pieces(PEEK)) as pieces:
            raw = next(pieces, b"")
        with closing(chunks(blob)) as unpacked:
            for chunk in unpacked:
                plain += chunk
                if len(plain) > PEEK:
                    whole = False
                    break
    except RejectedError:
        broken = True
    return Head(blob.source.lower(), raw, plain[:PEEK], whole and not broken, broken)
