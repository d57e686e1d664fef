"""Bytes of the input, wherever they lie: what containers read from.

Each kind of place is a `Blob`: a local file and a spooled stream here, a member of an archive in
`clio.sources.zipped`, a remote object in `clio.sources.remote`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import tempfile
import weakref
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Final

from clio.errors import from_machine

if TYPE_CHECKING:
    from clio.sources.zipped import Archive

PIECE: Final = 2**20
"""Bytes that are read in one go."""


class Blob(ABC):
    """Bytes that can be read again and again, from the beginning or at any place.

    Attributes
    ----------
    name
        What people are shown; holds no password.
    source
        Short name, the same wherever it lies: part of the ids of rows without one.
    holder
        Name of what a person was handed: the archive, or the folder of a loose file.
    packed_size
        Bytes that it takes where it lies.
    archive
        The archive that it is a member of, or ``None``.
    """

    name: str
    source: str
    holder: str
    packed_size: int
    archive: Archive | None = None

    @property
    @abstractmethod
    def key(self) -> object:
        """Equal for two blobs that are the same file."""

    @abstractmethod
    def pieces(self, size: int = PIECE) -> Generator[bytes]:
        """Its bytes, in pieces of at most so many.

        Raises
        ------
        OSError
            It cannot be read.
        RejectedError
            The archive that it lies in is damaged, or expands too far.
        """

    def seekable(self) -> BinaryIO:
        """Its bytes as a file that can be read at any place; close it. Raises as `pieces`."""
        return spooled(self.pieces())

    def identity(self) -> bytes:
        """What changes when its content does: SHA-256 of the content, where that costs no download.

        Raises
        ------
        OSError
            It cannot be read.
        """
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.digest()


class LocalFile(Blob):
    """A file of this machine.

    Parameters
    ----------
    path
        Where it lies.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = shown(path)
        self.source = shown(path.name)
        self.holder = shown(path.absolute().parent.name)

    @property
    def packed_size(self) -> int:  # type: ignore[override]
        """Bytes of the file."""
        return self.path.stat().st_size

    @property
    def key(self) -> object:
        """Where it lies, behind all links."""
        return self.path.resolve()

    def pieces(self, size: int = PIECE) -> Generator[bytes]:
        """See `Blob.pieces`."""
        with self.path.open("rb", buffering=0) as file:
            while piece := file.read(size):
                yield piece

    def seekable(self) -> BinaryIO:
        """The file itself."""
        return self.path.open("rb")


class Spooled(Blob):
    """A stream that can be read only once, such as standard input, kept for the time of a run.

    What it holds lies in a file that has no name, so that nobody else can open it and nothing is
    left of it afterwards.

    Parameters
    ----------
    name
        What people are shown.
    stream
        Read to its end at once.
    """

    def __init__(self, name: str, stream: IO[bytes]) -> None:
        self.name = name
        self.source = self.holder = "-"
        self._file = spooled(iter(lambda: stream.read(PIECE), b""))
        weakref.finalize(self, self._file.close)
        self.packed_size = os.fstat(self._file.fileno()).st_size

    @property
    def key(self) -> object:
        """The same stream is never read twice."""
        return id(self)

    def pieces(self, size: int = PIECE) -> Generator[bytes]:
        """See `Blob.pieces`."""
        with self.seekable() as file:
            while piece := file.read(size):
                yield piece

    def seekable(self) -> BinaryIO:
        """A reader of its own."""
        return io.BufferedReader(_View(self._file))

    @cached_property
    def _identity(self) -> bytes:
        return super().identity()

    def identity(self) -> bytes:
        """Of the content: the same bytes handed over again go on with a run."""
        return self._identity


class _View(io.RawIOBase):
    """An open file read from a place of its own, so that several readers do not meet."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = (0, self._at, os.fstat(self._file.fileno()).st_size)[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        count = os.preadv(self._file.fileno(), [buffer], self._at)
        self._at += count
        return count


class ErrorKeeper(io.RawIOBase):
    """A file that remembers why it could not be read.

    Libraries raise the same errors for files that cannot be read and for contents that are damaged,
    or hide the former behind the latter.

    Parameters
    ----------
    file
        What is read; closed with this one.

    Attributes
    ----------
    failure
        The error of the last read that failed, or ``None``.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failure: OSError | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """See `io.IOBase.seek`."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """See `io.IOBase.tell`."""
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        """See `io.RawIOBase.read`."""
        try:
            # Arrow's files know no -1.
            return self._file.read() if size < 0 else self._file.read(size)
        except OSError as error:
            self.failure = error
            raise

    def close(self) -> None:
        """See `io.IOBase.close`."""
        self._file.close()
        super().close()


def spooled(pieces: Iterable[bytes]) -> BinaryIO:
    """A file without a name that holds the pieces, at its beginning.

    Raises
    ------
    DiskError
        There is no room for it.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    try:
        for piece in pieces:
            try:
                file.write(piece)
            except OSError as error:
                raise from_machine(_in_temporary_folder(error)) from None
        file.seek(0)
    except BaseException:
        # What could not be written would be tried again.
        with contextlib.suppress(OSError):
            file.close()
        raise
    return file


def _in_temporary_folder(error: OSError) -> OSError:
    number = errno.EIO if error.errno is None else error.errno
    return OSError(number, os.strerror(number), tempfile.gettempdir())


def shown(path: str | Path) -> str:
    """A path or address as text that can always be encoded, and that holds no password."""
    text = os.fsencode(path).decode("utf-8", "replace")
    scheme, mark, rest = text.partition("://")
    if not mark or not scheme.isalnum():
        return text
    place, slash, under = rest.partition("/")
    return scheme + mark + place.rpartition("@")[2] + slash + under.partition("?")[0]
