"""Objects at an address (``s3://``, ``gs://``, ``https://``...), read through Arrow or fsspec."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final, cast
from urllib.parse import unquote

import pyarrow as pa
from pyarrow import fs

from clio.errors import InputError
from clio.sources.blobs import PIECE, Blob, shown

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# Arrow brings its own; for other addresses fsspec knows a package.
_ARROWS: Final = frozenset({"s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs"})
_MAGIC: Final = re.compile(r"[*\[]")
_BUFFER: Final = 8 * 2**20
_UNKNOWN_SIZE: Final = 2**30  # some servers do not say; what may be unpacked depends on it


def is_address(item: object) -> bool:
    """Whether an input is an address and not a path; ``file://`` is one too."""
    return isinstance(item, str) and _ADDRESS.match(item) is not None


def local_path(address: str) -> str | None:
    """The path that a ``file://`` address stands for, or ``None`` for another one.

    Raises
    ------
    InputError
        It names another machine.
    """
    scheme, _, rest = address.partition("://")
    if scheme.lower() != "file":
        return None
    host, slash, path = rest.partition("/")
    if host not in ("", "localhost"):
        raise InputError(f"{shown(address)} lies on another machine; name file:///PATH")
    return unquote(slash + path)


class RemoteFile(Blob):
    """A file at an address.

    Parameters
    ----------
    system
        Where it lies.
    path
        Its path there.
    size
        Its bytes.
    version
        What changes with its content: time of modification or an entity tag.
    name
        Its address, as people are shown it.
    """

    def __init__(
        self, system: fs.FileSystem, path: str, *, size: int, version: str, name: str
    ) -> None:
        self._system = system
        self.path = path
        self.name = name
        self.packed_size = size
        self._version = version
        place = PurePosixPath(name.partition("://")[2])
        self.source = place.name
        self.holder = place.parent.name

    @property
    def key(self) -> object:
        """Its address."""
        return self.name

    def pieces(self, size: int = PIECE) -> Generator[bytes]:
        """See `Blob.pieces`."""
        with _failing_as_os_error():
            stream = self._system.open_input_stream(
                self.path, compression=None, buffer_size=min(_BUFFER, 2 * size)
            )
        with stream:
            while True:
                with _failing_as_os_error():
                    piece = stream.read(size)
                if not piece:
                    return
                yield piece

    def seekable(self) -> BinaryIO:
        """The object itself, of which parts are asked for."""
        with _failing_as_os_error():
            return cast("BinaryIO", self._system.open_input_file(self.path))

    def identity(self) -> bytes:
        """Of path, size and time of modification or entity tag, so that nothing is read twice."""
        about = f"{self.path}\0{self.packed_size}\0{self._version}"
        return hashlib.sha256(about.encode("utf-8", "replace")).digest()


def files_at(address: str) -> tuple[list[RemoteFile], bool]:
    """The files that an address stands for, sorted, and whether it names a single one.

    Parameters
    ----------
    address
        Of a file, a folder (all files below; hidden ones left out) or a pattern (``*``, ``**``,
        ``[...]``). What a file system needs to know may follow behind ``?``.

    Raises
    ------
    InputError
        There is nothing, it cannot be reached, or a package for such addresses is missing.
    """
    place, mark, query = address.partition("?")
    magic = _MAGIC.search(place)
    if magic is not None and place.lower().startswith(("http://", "https://")):
        magic = None  # a page has no list of its files
    base = place if magic is None else place[: place.rindex("/", 0, magic.start()) + 1]
    try:
        with _failing_as_os_error():
            system, path = _system(base + mark + query, address)
            return _found(system, path, base, None if magic is None else place[len(base) :])
    except OSError as error:
        raise InputError(f"cannot read {shown(address)}: {reason(error)}") from None


def _found(
    system: fs.FileSystem, path: str, base: str, pattern: str | None
) -> tuple[list[RemoteFile], bool]:
    about = system.get_file_info(path)
    if about.type == fs.FileType.File and pattern is None:
        return [_file(system, about, shown(base))], True
    if about.type == fs.FileType.NotFound or not path.strip("/"):
        raise InputError(f"nothing is at {shown(base)}")
    root = path.rstrip("/") + "/"
    wanted = re.compile(_translated(pattern) if pattern is not None else r"(?s:.*)")
    files = []
    for info in system.get_file_info(fs.FileSelector(path, recursive=True)):
        below = info.path.lstrip("/").removeprefix(root.lstrip("/"))
        hidden = any(part.startswith(".") for part in below.split("/"))
        if info.type == fs.FileType.File and not hidden and wanted.fullmatch(below):
            files.append(_file(system, info, f"{shown(base).rstrip('/')}/{below}"))
    files.sort(key=lambda file: file.path.split("/"))
    return files, False


def _file(system: fs.FileSystem, info: fs.FileInfo, name: str) -> RemoteFile:
    version = str(info.mtime_ns)
    if info.mtime_ns is None and isinstance(system, fs.PyFileSystem):
        version = str(system.handler.fs.ukey(info.path))
    size = _UNKNOWN_SIZE if info.size is None else info.size
    return RemoteFile(system, info.path, size=size, version=version, name=name)


def _translated(pattern: str) -> str:
    """A pattern as a regular expression: ``**`` stands for any folders."""
    pieces = re.split(r"(\*\*/|\*\*|\*|\[[^\]/]+\])", pattern)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return (
        "(?s:"
        + "".join(
            known.get(piece)
            or ("[" + re.sub(r"^!", "^", piece[1:-1].replace("\\", r"\\")) + "]" if at % 2 else "")
            or re.escape(piece)
            for at, piece in enumerate(pieces)
        )
        + ")"
    )


def _system(address: str, original: str) -> tuple[fs.FileSystem, str]:
    scheme = address.partition("://")[0].lower()
    if scheme in _ARROWS:
        try:
            system, path = fs.FileSystem.from_uri(address)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError):
            raise InputError(f"{shown(original)} is no address that can be read") from None
        return system, path
    try:
        import fsspec  # type: ignore[import-untyped]  # an extra, and slow to import
    except ImportError:
        raise InputError(
            f"{scheme}:// addresses need fsspec: pip install 'clio-insights[remote]'"
        ) from None
    try:
        inner, path = fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise InputError(f"{scheme}:// addresses need another package: {error}") from None
    except ValueError:
        raise InputError(f"{scheme}:// is no kind of address that is known") from None
    return fs.PyFileSystem(fs.FSSpecHandler(inner)), path


@contextmanager
def _failing_as_os_error() -> Iterator[None]:
    """Errors of whatever library lies behind an address, as the one that callers know."""
    try:
        yield
    except (InputError, OSError):
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from None


def reason(error: OSError) -> str:
    """Why a file cannot be read, in a line; libraries behind addresses give no number."""
    if error.errno is not None:
        return error.strerror or type(error).__name__
    lines: list[Any] = str(error).splitlines() or [type(error).__name__]
    return str(lines[0])[:200]
