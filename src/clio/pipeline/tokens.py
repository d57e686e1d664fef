"""One-time links of the safety role."""

from __future__ import annotations

from pathlib import Path

from clio import access
from clio.errors import RunError
from clio.pipeline.run_directory import RunDirectory


def issue_token(path: str | Path) -> str:
    """Make a one-time token for the safety role of a run, and note it in the log of looks.

    Parameters
    ----------
    path
        The run directory.

    Returns
    -------
    str
        To be brought to ``clio serve RUN --role safety`` within `clio.access.TOKEN_LIFE`; kept
        nowhere but as a hash.

    Raises
    ------
    RunError
        It is no run, or nothing restricted is left of it.
    """
    directory = RunDirectory(Path(path))
    if not (directory.path / "run.json").is_file():
        raise RunError(f"{directory.path} is no run; make one with: clio run INPUT...")
    if not directory.restricted.is_dir():
        raise RunError(f"{directory.path} was purged: nothing restricted is left to look at")
    token = access.issue(directory.restricted)
    access.record(directory.restricted, "token")
    return token
