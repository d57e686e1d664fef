"""The only writer of a release: aside, fsynced, renamed, and the link swapped last."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import orjson
import pyarrow.parquet as pq

from clio.errors import ReleaseError
from clio.filesystem import remove, sync
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
    """Number of the release to be written: one more than the latest.

    Raises
    ------
    ReleaseError
        Something else stands where the link to the latest release should be.
    """
    # Whatever else stands there under a number is not overwritten either.
    stand = [path.name for path in (run / RELEASES_DIRECTORY).glob("[0-9]*")]
    return 1 + max(_latest(run), *(int(name) for name in stand if name.isdecimal()), 0)


def _latest(run: Path) -> int:
    """Number of the release that the link names, or 0 where there is none yet."""
    link = run / LATEST_LINK
    name = link.readlink().name if link.is_symlink() else "" if link.exists() else "0"
    if not name.isdecimal():
        raise ReleaseError(
            f"{link} is not the link that Clio makes; move it away and run the same command again"
        )
    return int(name)


def write_release(
    run: Path,
    tables: Mapping[str, Releasable],
    info: ReleaseInfo,
    *,
    audit: Callable[[Path], None],
) -> Path:
    """Write a release into a run directory and make it the latest.

    Parameters
    ----------
    run
        The run directory.
    tables
        What the gate let through, by table name.
    info
        Contents of ``release.json``; its number decides the release's name.
    audit
        Looks at the folder while nobody else sees it; where it raises, nothing is released.

    Returns
    -------
    Path
        The release's directory. Its bytes depend on the arguments alone; a release that already
        stands under this number is left as it is.

    Raises
    ------
    ReleaseError
        Something else stands where the link to the latest release should be.
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
    if _latest(run) >= info.number and final.is_dir():
        return final  # the link is swapped last: it stands, and what stands is never changed
    for left_over in (aside, final):
        # A number that the link never named was left by a killed run; nobody has seen it.
        remove(left_over)
    # Without parents: a run that was removed meanwhile does not come back as a part of itself.
    releases.mkdir(exist_ok=True)
    aside.mkdir()
    try:
        _fill(aside, tables, info)
        audit(aside)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    aside.rename(final)
    sync(releases)
    link = run / f".{LATEST_LINK}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(RELEASES_DIRECTORY) / final.name)
    link.replace(run / LATEST_LINK)
    sync(run)
    return final


def _fill(aside: Path, tables: Mapping[str, Releasable], info: ReleaseInfo) -> None:
    for name, releasable in sorted(tables.items()):
        pq.write_table(releasable.table, aside / f"{name}.parquet", compression="zstd")
    text = orjson.dumps(
        info.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    )
    (aside / INFO_FILE).write_bytes(text + b"\n")
    for path in (*aside.iterdir(), aside):
        sync(path)
