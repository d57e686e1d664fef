"""A new folder that is there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clio.errors import SettingsError
from clio.filesystem import remove, sync


def check_new(to: Path) -> None:
    """See that an export can go to `to`.

    Raises
    ------
    SettingsError
        Something is there already, or it lies within a run.
    """
    if to.is_symlink() or (to.exists() and (not to.is_dir() or any(to.iterdir()))):
        raise SettingsError(f"{to} is not empty; name a new folder with --to")
    for above in to.absolute().parents:
        if (above / "run.json").is_file():
            raise SettingsError(f"{to} lies within the run {above}; name a folder outside of it")


@contextmanager
def new_folder(to: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `to` in one step when it is full.

    Where filling it fails, `to` is as it was. A process that is killed may leave a hidden folder
    beside it; the next export to the same place removes that.

    Parameters
    ----------
    to
        New, or an empty folder; folders above it are made.

    Raises
    ------
    SettingsError
        As `check_new`, or it was filled by another process meanwhile.
    """
    check_new(to)
    to = to.absolute()
    to.parent.mkdir(parents=True, exist_ok=True)
    aside = to.with_name(f".{to.name}.clio-export")
    remove(aside)
    aside.mkdir()
    try:
        yield aside
        for path in (*aside.rglob("*"), aside):
            sync(path)
        check_new(to)
        aside.replace(to)
    except BaseException:
        with suppress(OSError):
            remove(aside)
        raise
    sync(to.parent)
