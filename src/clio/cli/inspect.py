"""``clio inspect``: what would be read, before anything is."""

from __future__ import annotations

from clio.cli.common import (
    Config,
    Inputs,
    Json,
    Quiet,
    Seed,
    ending,
    output,
    print_json,
)
from clio.cli.inspection import inspection_json, print_inspection
from clio.cli.options import Format, Where
from clio.cli.progress import progress_display
from clio.pipeline import advise, inspect
from clio.settings import load_settings

NAME = "inspect"
SHORT = "What would be read: formats, rows, accounts, dates."
HELP = (
    "Look at conversations as a run would read them: formats, rows, accounts, dates, languages, "
    "labels, and what cannot be read. Never shows a text or a label's value; writes nothing."
)


def command(
    inputs: Inputs,
    where: Where = None,
    format_name: Format = None,
    config: Config = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Count, and print what was found and what to type next."""
    with ending(as_json=as_json):
        settings = load_settings(
            {"where": where, "format": format_name, "seed": seed}, config=config
        )
        with progress_display(quiet=quiet) as progress:
            found = inspect(inputs, settings=settings, progress=progress)
        advice = advise(found, inputs, settings)
        if as_json:
            print_json(inspection_json(found, advice))
        elif not quiet:
            print_inspection(output, found, advice)
