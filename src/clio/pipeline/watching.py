"""How far reading has come, by the bytes that were read: rows are not known before they are."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterator
from typing import BinaryIO, Final

from clio.pipeline.progress import Progress
from clio.sources import Input, Inputs
from clio.sources.blobs import PIECE, Blob

MEGABYTE: Final = 10**6


class Watched:
    """Inputs that tell how much of them was read.

    Parameters
    ----------
    inputs
        What is going to be read, in order.
    progress
        Told in megabytes as they lie on disk.
    """

    def __init__(self, inputs: Inputs, progress: Progress) -> None:
        self._inputs = inputs
        self._progress = progress
        self._bytes = self._told = 0

    @property
    def megabytes(self) -> int:
        """How much there is to read."""
        return max(1, round(sum(item.blob.packed_size for item in self._inputs) / MEGABYTE))

    def __iter__(self) -> Iterator[Input]:
        """The inputs, each told as read when the next is asked for."""
        before = 0
        for item in self._inputs:
            size = item.blob.packed_size
            left = size

            def advanced(count: int) -> None:
                # What lies in an archive is counted unpacked: it has at most its place there.
                nonlocal left
                part = min(left, count)
                left -= part
                self._tell(self._bytes + part)

            yield Input(_WatchedBlob(item.blob, advanced), item.container)
            before += size
            self._tell(before)

    def _tell(self, total: int) -> None:
        self._bytes = total
        whole = min(round(total / MEGABYTE), self.megabytes)
        if whole > self._told:
            self._progress.advanced(whole - self._told)
            self._told = whole


class _WatchedBlob(Blob):
    def __init__(self, blob: Blob, advanced: Callable[[int], None]) -> None:
        self._blob, self._advanced = blob, advanced
        self.name, self.source, self.holder = blob.name, blob.source, blob.holder
        self.packed_size, self.archive = blob.packed_size, blob.archive

    @property
    def key(self) -> object:
        return self._blob.key

    def pieces(self, size: int = PIECE) -> Generator[bytes]:
        for piece in self._blob.pieces(size):
            yield piece
            self._advanced(len(piece))

    def seekable(self) -> BinaryIO:
        return io.BufferedReader(_WatchedFile(self._blob.seekable(), self._advanced))

    def identity(self) -> bytes:
        return self._blob.identity()


class _WatchedFile(io.RawIOBase):
    def __init__(self, file: BinaryIO, advanced: Callable[[int], None]) -> None:
        self._file, self._advanced = file, advanced

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._advanced(len(data))
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()
