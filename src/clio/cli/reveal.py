"""``clio reveal``: the accounts of a case, by the owner's own files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from clio.cli.common import Config, Json, Quiet, Seed, ending, output, print_json
from clio.pipeline.revealing import reveal
from clio.settings import load_settings
from clio.sources import shown

NAME = "reveal"
SHORT = "The accounts of a case, by your own files."
HELP = (
    "Find the accounts of a case by hashing the ids in your own files with the run's key: the run "
    "holds no id. Each use is written to RUN/restricted/access.log. A case is a lead, no verdict."
)


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run directory.")],
    case: Annotated[
        str, typer.Argument(metavar="CASE", help="A network that clio networks names.")
    ],
    source: Annotated[
        list[str],
        typer.Option(
            "--from", metavar="INPUT", help="Files of conversations with ids; may be repeated."
        ),
    ],
    more: Annotated[
        list[str] | None, typer.Argument(metavar="[INPUT...]", help="Further files.")
    ] = None,
    config: Config = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Reveal a case."""
    with ending(as_json=as_json):
        load_settings({"seed": seed}, config=config)
        found = reveal(run, case, [*source, *(more or ())])
        if as_json:
            print_json({"run": shown(run), **asdict(found)})
            return
        for row in found.accounts:
            # An id may hold anything: what cannot be printed is not sent to the terminal.
            name = "".join(c if c.isprintable() else "\ufffd" for c in row.account)
            output.print(f"{name}\t{row.conversations:,}", markup=False, emoji=False)
        if not quiet:
            output.print(
                f"{len(found.accounts):,} accounts of {found.network_id}, with their conversations "
                f"in these files; {found.missing:,} more are not in them.",
                style="dim",
                markup=False,
            )
