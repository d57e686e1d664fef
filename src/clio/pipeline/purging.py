"""Deletes all that is private and restricted of a run; its releases stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clio import filesystem
from clio.errors import RunError
from clio.pipeline import files
from clio.pipeline.failures import explained
from clio.pipeline.outside import clear_answers
from clio.pipeline.run_directory import RunDirectory
from clio.settings import settings_from


@dataclass(frozen=True, slots=True)
class Purging:
    """What was done.

    Attributes
    ----------
    files, bytes
        How many private and restricted files were deleted, and how large they were.
    release
        Number of the release that stands, or ``None`` where nothing was released.
    outstanding
        Where texts still lie outside the run, one line each.
    """

    files: int
    bytes: int
    release: int | None
    outstanding: tuple[str, ...]


def purge(path: str | Path) -> Purging:
    """Delete the folders ``private/`` and ``restricted/`` of a run, and what lies outside for it.

    With the key of the pseudonyms goes the last tie to any account, so that the run is at its end:
    nothing can be added to it, and its releases can be served, exported and copied as before. May
    be called again.

    Parameters
    ----------
    path
        The run directory.

    Raises
    ------
    ClioError
        With one line that says what to do: it is no run, or another process works on it.
    """
    directory = RunDirectory(Path(path))
    if not (directory.path / "run.json").is_file():
        raise RunError(f"{directory.path} is no run; make one with: clio run INPUT...")
    tiers = (directory.private, directory.restricted)
    directory.load(whole=False)
    with explained(directory):
        if directory.private.is_dir():
            with directory.lock():
                directory.load(whole=False)
                found = files.size(tiers)
                settings = settings_from(directory.state.settings)
                directory.state.outstanding = clear_answers(directory, settings)
                # First, so that one that is killed now is finished and not taken up again.
                directory.state.purged = True
                directory.save()
                for tier in tiers:
                    filesystem.remove(tier)
        else:
            found = files.size(tiers)
            filesystem.remove(directory.restricted)
        filesystem.sync(directory.path)
    state = directory.state
    return Purging(*found, state.release, tuple(state.outstanding))
