"""``clio purge``: all that is private of a run is deleted."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from clio.cli.common import Config, Json, Quiet, Seed, ending, output, print_json
from clio.pipeline.purging import Purging, purge
from clio.settings import load_settings
from clio.sources import shown

NAME = "purge"
SHORT = "Delete what is private of a run, not its releases."
HELP = (
    "Delete all that is private or restricted of a run: conversations, answers, networks, the key. "
    "Its releases stay as they are; nothing can be added to the run any more."
)


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run directory.")],
    config: Config = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Purge a run and say what was done."""
    with ending(as_json=as_json):
        load_settings({"seed": seed}, config=config)
        done = purge(run)
        if as_json:
            print_json({"run": shown(run), **asdict(done)})
        elif not quiet:
            print_purging(done)


def print_purging(done: Purging) -> None:
    """Say what was deleted and what is left."""
    left = "nothing was released" if done.release is None else f"release {done.release} stands"
    output.print(f"{done.files:,} private files are deleted; {left}.", markup=False)
    for line in done.outstanding:
        output.print(f"Outside of the run: {line}", markup=False)
