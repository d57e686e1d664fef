"""``clio forget``: one account is taken out of a run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from clio.cli.common import Config, Json, Quiet, Seed, ending, output, print_json
from clio.settings import load_settings
from clio.sources import shown

NAME = "forget"
SHORT = "Take one account out of a run."
HELP = (
    "Delete all that a run holds of one account, at once. The tree stays, and so do released "
    "numbers: a difference would show what the account had added. Without [bold]--account[/bold]: "
    "finish what was interrupted."
)


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run directory.")],
    account: Annotated[
        str | None,
        typer.Option("--account", metavar="ID", help="The account, as the input names it."),
    ] = None,
    config: Config = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Forget an account and say what was done."""
    from clio.pipeline.forgetting import forget

    with ending(as_json=as_json):
        load_settings({"seed": seed}, config=config)
        done = forget(run, account)
        if as_json:
            print_json({"run": shown(run), **asdict(done)})
        elif not quiet:
            if done.conversations:
                output.print(f"{done.conversations:,} conversations are gone.", markup=False)
            else:
                output.print("Nothing is left of that account: it was forgotten before.")
            if done.release is not None:
                output.print(f"Release {done.release} has other words for what lost its support.")
            if done.kept_back is not None:
                output.print(f"No release has other words yet: {done.kept_back}", markup=False)
            for line in done.removed:
                output.print(f"Removed, as it held text of the account: {line}", markup=False)
            for line in done.outstanding:
                output.print(f"Outside of the run: {line}", markup=False)
