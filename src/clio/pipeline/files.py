"""Files of a run: written aside, fsynced and renamed, so that a killed run leaves none half."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow.dataset import ParquetFileFormat, ParquetFragmentScanOptions, dataset

from clio.filesystem import sync

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
TIERS = ("private", "restricted")
"""Folders of a run for its owner alone; made when the run begins, and never again."""
_TEMPORARY = ".tmp-"


def atomic_write(path: Path, write: Callable[[Path], None], *, mode: int = PRIVATE_FILE) -> None:
    """Let `write` fill a file beside `path`, then put it in place in one step.

    Missing folders are made, open to the owner alone. Where that fails, `path` is as it was.

    Raises
    ------
    OSError
        The file system refuses, or the run that the file belongs to is no longer there.
    """
    _make_folders(path)
    temporary = path.with_name(_TEMPORARY + path.name)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        os.close(descriptor)
        temporary.chmod(mode)
        write(temporary)
        sync(temporary)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def _make_folders(path: Path) -> None:
    missing = [folder for folder in path.parents if not folder.is_dir()]
    if any(folder.name in TIERS for folder in missing):
        # The run was removed while it was worked on: what is private must not come back.
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    # Folder by folder, since `parents=True` would give those in between the default mode.
    for folder in reversed(missing):
        make_private(folder)


def make_private(folder: Path) -> None:
    """Make a folder for the owner alone, whatever the umask; it may stand already."""
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    folder.chmod(PRIVATE_FOLDER)


def write_table(path: Path, table: pa.Table, *, mode: int = PRIVATE_FILE) -> None:
    """Write an Arrow table as Parquet, atomically and with the same bytes each time."""

    def write(aside: Path) -> None:
        pq.write_table(table, aside, compression="zstd", write_page_checksum=True)

    atomic_write(path, write, mode=mode)


def write_bytes(path: Path, data: bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Write bytes, atomically."""

    def write(aside: Path) -> None:
        aside.write_bytes(data)

    atomic_write(path, write, mode=mode)


def write_json(path: Path, value: Any, *, mode: int = PRIVATE_FILE) -> None:
    """Write a value as sorted, indented JSON, atomically."""
    data = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
    write_bytes(path, data, mode=mode)


def write_json_lines(path: Path, rows: Iterable[Any]) -> None:
    """Write values as JSON lines, atomically."""

    def write(aside: Path) -> None:
        with aside.open("wb") as file:
            for row in rows:
                file.write(orjson.dumps(row) + b"\n")

    atomic_write(path, write)


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write a NumPy array as ``.npy``, atomically."""
    # Through memory, since NumPy does not say why a file could not be written.
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)

    def write(aside: Path) -> None:
        with aside.open("wb") as file:
            file.write(buffer.getbuffer())

    atomic_write(path, write)


def part_name(index: int, suffix: str) -> str:
    """File name of a shard: fixed width, so that name order is shard order."""
    return f"part-{index:06d}{suffix}"


def parts(folder: Path) -> list[Path]:
    """Complete shards of a folder, in order; an absent folder has none."""
    return sorted(folder.glob("part-*")) if folder.is_dir() else []


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a table that is one file or a folder of parts."""
    if path.is_dir():
        return pa.concat_tables([read_table(part, columns) for part in parts(path)])
    # Without partitioning, or a folder above the run named `account=5` would become a column.
    return pq.read_table(path, columns=columns, partitioning=None, page_checksum_verification=True)


def register(sql: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    """Make a table, one file or a folder of parts, a view for SQL; it is scanned, not loaded."""
    found = parts(path) if path.is_dir() else [path]
    scanning = ParquetFragmentScanOptions(page_checksum_verification=True)
    parquet = ParquetFileFormat(default_fragment_scan_options=scanning)
    sql.register(name, dataset([str(p) for p in found], format=parquet))


def size(paths: Iterable[Path]) -> tuple[int, int]:
    """How many files the paths are or hold, and how many bytes those have together."""
    found = [
        file
        for path in paths
        for file in (path.rglob("*") if path.is_dir() else [path])
        if file.is_file() and not file.name.startswith(_TEMPORARY)
    ]
    return len(found), sum(file.stat().st_size for file in found)


def damaged(folder: Path) -> Path | None:
    """The first table or array in a folder or below that cannot be read."""
    for path in sorted(folder.rglob("*.*")):
        if path.name.startswith(_TEMPORARY) or not path.is_file():
            continue
        try:
            if path.suffix == ".parquet":
                with pq.ParquetFile(path, page_checksum_verification=True) as file:
                    for group in range(file.num_row_groups):
                        file.read_row_group(group)
            elif path.suffix == ".npy":
                np.load(path, mmap_mode="r", allow_pickle=False)
        except (pa.ArrowException, OSError, ValueError, EOFError):
            return path
    return None
