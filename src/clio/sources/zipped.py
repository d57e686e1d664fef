"""Zip archives: each member is a blob of its own, read where it lies; nothing is extracted."""

from __future__ import annotations

import hashlib
import lzma
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from clio.sources.blobs import PIECE, Blob, ErrorKeeper
from clio.sources.compression import limited
from clio.sources.rows import Reason, RejectedError

MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")

# Other methods than deflate do not bound what a step unpacks to, so their steps are small.
_BOUNDED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SMALL_STEP: Final = 2**12

# `BadZipFile` for checksums and headers; the rest from the methods behind it (bzip2: `OSError`).
_DAMAGES: Final = (
    zipfile.BadZipFile,
    OSError,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    ValueError,
    OverflowError,
    struct.error,
)


class Archive:
    """A zip archive.

    Parameters
    ----------
    blob
        Where it lies.
    """

    def __init__(self, blob: Blob) -> None:
        self.blob = blob
        self._users = 0
        self._file: ErrorKeeper | None = None
        self._zip: zipfile.ZipFile | None = None

    @cached_property
    def identity(self) -> bytes:
        """What changes when its content does."""
        return self.blob.identity()

    @contextmanager
    def held(self) -> Iterator[zipfile.ZipFile]:
        """Hold it open; whoever holds it inside shares the open file.

        Raises
        ------
        RejectedError
            Its directory cannot be read.
        OSError
            Its file cannot be read.
        """
        if self._zip is None:
            self._file = ErrorKeeper(self.blob.seekable())
            try:
                self._zip = zipfile.ZipFile(self._file)
            except BaseException as error:
                self._file.close()
                raise self.reason(error) from None
        self._users += 1
        try:
            yield self._zip
        finally:
            self._users -= 1
            if self._users == 0 and self._file is not None:
                self._zip.close()
                self._file.close()
                self._zip = self._file = None

    def reason(self, error: BaseException) -> BaseException:
        """What an error of reading it means: it cannot be read, or what it holds is damaged."""
        if self._file is not None and self._file.failure is not None:
            return self._file.failure
        if isinstance(error, EOFError):
            return RejectedError(Reason.ENDS_EARLY)
        if isinstance(error, _DAMAGES):
            return RejectedError(Reason.DAMAGED_ARCHIVE)
        return error

    def members(self) -> list[Member]:
        """Its files, in the order in which they were put in. Raises as `held`."""
        with self.held() as opened:
            infos = opened.infolist()
        overlapping = _overlapping(infos)
        return [
            Member(self, info, number, overlapping=number in overlapping)
            for number, info in enumerate(infos)
            if not info.is_dir()
        ]


def _overlapping(infos: list[zipfile.ZipInfo]) -> set[int]:
    """Members that lie over others: how small archives unpack to a great deal."""
    places = sorted((info.header_offset, number) for number, info in enumerate(infos))
    over = set()
    end = 0
    for offset, number in places:
        if offset < end:
            over.add(number)
        end = max(end, offset + infos[number].compress_size)
    return over


@dataclass(frozen=True, eq=False)
class _Place:
    info: zipfile.ZipInfo
    number: int
    overlapping: bool


class Member(Blob):
    """A file in a zip archive.

    Parameters
    ----------
    archive
        Where it lies.
    info
        Its entry in the archive's directory.
    number
        Of the entry.
    overlapping
        Whether it lies over other members.
    """

    archive: Archive

    def __init__(
        self, archive: Archive, info: zipfile.ZipInfo, number: int, *, overlapping: bool
    ) -> None:
        self.archive = archive
        self.path = info.filename.encode("utf-8", "replace").decode()
        self.name = f"{archive.blob.name}/{self.path}"
        self.source = f"{archive.blob.source}/{self.path}"
        self.holder = archive.blob.source
        self.packed_size = info.compress_size
        self.encrypted = bool(info.flag_bits & 1)
        self._place = _Place(info, number, overlapping)

    @property
    def key(self) -> object:
        """Its archive's and its place there."""
        return self.archive.blob.key, self._place.number

    def pieces(self, size: int = PIECE) -> Generator[bytes]:
        """See `Blob.pieces`."""
        return limited(self._pieces(size), self.packed_size)

    def _pieces(self, size: int) -> Iterator[bytes]:
        info = self._place.info
        if self._place.overlapping or self.encrypted:
            raise RejectedError(Reason.DAMAGED_ARCHIVE)
        step = size if info.compress_type in _BOUNDED else _SMALL_STEP
        with self.archive.held() as opened:
            try:
                with opened.open(info) as file:
                    while piece := file.read(step):
                        yield piece
            except Exception as error:
                raise self.archive.reason(error) from None

    def identity(self) -> bytes:
        """Of the archive and its place there, so that the archive is read once."""
        return hashlib.sha256(self.archive.identity + str(self._place.number).encode()).digest()
