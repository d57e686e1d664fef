"""The only writer of a release: aside, fsynced, renamed, and the link swapped last."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import orjson
import pyarrow.parquet as pq

from clio.privacy.tiers import Releasable
from clio.release.schema import (
    INFO_FILE,
    LATEST_LINK,
    RELEASES_DIRECTORY,
    TABLES,
    ReleaseInfo,
)

_ASIDE = ".writing"


def next_number(run: Path) -> int:
    """Number of the release to be written: one more than the latest that the link names."""
    link = run / LATEST_LINK
    return int(link.readlink().name) + 1 if link.is_symlink() else 1


def write_release(run: Path, tables: Mapping[str, Releasable], info: ReleaseInfo) -> Path:
    """Write a release into a run directory and make it the latest.

    Parameters
    ----------
    run
        The run directory.
    tables
        What the gate let through, by table name.
    info
        Contents of ``release.json``; its number decides the release's name.

    Returns
    -------
    Path
        The release's directory. Its bytes depend on the arguments alone; a release that already
        stands under this number is left as it is.

    Raises
    ------
    TypeError
        A table did not come from the gate.
    ValueError
        A table is not of the release's schema.
    """
    for name, releasable in tables.items():
        if not isinstance(releasable, Releasable):
            raise TypeError(f"table '{name}' has not passed the gate")
        if not releasable.table.schema.equals(TABLES[name]):
            raise ValueError(f"table '{name}' is not of the release's schema")
    releases = run / RELEASES_DIRECTORY
    aside, final = releases / _ASIDE, releases / f"{info.number:04d}"
    if next_number(run) > info.number and final.is_dir():
        return final  # the link is swapped last: it stands, and what stands is never changed
    for left_over in (aside, final):
        # A number that the link never named was left by a killed run; nobody has seen it.
        if left_over.exists():
            shutil.rmtree(left_over)
    aside.mkdir(parents=True)
    for name, releasable in sorted(tables.items()):
        pq.write_table(releasable.table, aside / f"{name}.parquet", compression="zstd")
    text = orjson.dumps(
        info.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    )
    (aside / INFO_FILE).write_bytes(text + b"\n")
    for path in (*aside.iterdir(), aside):
        _sync(path)
    aside.rename(final)
    _sync(releases)
    link = run / f".{LATEST_LINK}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(RELEASES_DIRECTORY) / final.name)
    link.replace(run / LATEST_LINK)
    _sync(run)
    return final


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
