"""What the machine does to a run, as errors that say what to do: the one place that knows."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from clio.errors import DISK_ADVICE, ClioError, from_machine
from clio.pipeline.run_directory import RunDirectory

# What native code says where Python itself would raise `MemoryError`; threads need memory too.
_MEMORY = (
    "bad_alloc",
    "failed to allocate",
    "cannot allocate memory",
    "malloc of size",
    "can't start new thread",
    "failed to launch worker thread",
)
# SQL may spill as much as the disk has room for; beyond that it names this setting.
_SPILL_LIMIT = "max_temp_directory_size"
_NATIVE = "onnxruntime"


@contextmanager
def explained(directory: RunDirectory) -> Iterator[None]:
    """Turn errors of disk and memory into ones that a user can act on; others pass.

    Raises
    ------
    DiskError, OutOfMemoryError
        The operating system refused, or SQL could not spill to the run.
    """
    try:
        yield
    except ClioError:
        raise
    except Exception as error:
        known = _explanation(error, directory)
        if known is None:
            raise
        # Without the cause: what SQL says may quote a value.
        raise known from None


def _explanation(error: Exception, directory: RunDirectory) -> ClioError | None:
    refused = from_native(error, directory.temporary) or error
    if isinstance(refused, OSError) and refused.filename is None:
        refused.filename = str(directory.path)  # a file that is open does not say its name
    return from_machine(refused) if isinstance(refused, OSError | MemoryError) else None


def from_native(error: Exception, spill: Path) -> OSError | MemoryError | None:
    """The refusal of the operating system that an error of native code stands for, if any.

    Parameters
    ----------
    error
        As DuckDB, ONNX Runtime or Python's threads raised it.
    spill
        The folder that DuckDB spills to.
    """
    sql, said = isinstance(error, duckdb.Error), str(error)
    if not (sql or isinstance(error, RuntimeError) or _NATIVE in type(error).__module__):
        return None
    if sql and _SPILL_LIMIT in said:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(spill))
    if isinstance(error, duckdb.OutOfMemoryException) or any(w in said.lower() for w in _MEMORY):
        return MemoryError()
    number = next((n for n in DISK_ADVICE if sql and os.strerror(n) in said), None)
    if number is None and isinstance(error, duckdb.IOException):
        number = errno.EIO
    return None if number is None else OSError(number, os.strerror(number), str(spill))
