"""``clio demo``: generated conversations, run and served."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clio.cli.common import (
    Config,
    Json,
    Place,
    Port,
    Quiet,
    Seed,
    ending,
    output,
    serve_until_stopped,
)
from clio.cli.run import carry_out, report
from clio.server import DEFAULT_PORT
from clio.settings import load_settings
from clio.testing import write_jsonl

NAME = "demo"
SHORT = "Try it on generated conversations."
HELP = (
    "Try Clio on generated conversations: writes them, runs the pipeline and serves the explorer."
)
BREAKDOWNS = ("product", "country")


def command(
    conversations: Annotated[
        int, typer.Option("--conversations", min=1, help="How many to generate.")
    ] = 10_000,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the conversations and the run.")
    ] = Path("clio-demo"),
    port: Port = DEFAULT_PORT,
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the explorer when done.")
    ] = True,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open it in a browser.")
    ] = True,
    config: Config = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Generate, run and serve."""
    with ending(as_json=as_json, resumable=True):
        settings = load_settings({"seed": seed, "breakdown": BREAKDOWNS}, config=config)
        name = f"conversations-{conversations}-{settings.seed}"
        source = out / f"{name}.jsonl"
        if not source.is_file():
            out.mkdir(parents=True, exist_ok=True)
            write_jsonl(source, conversations, seed=settings.seed)
        run = carry_out(
            [str(source)], out / f"run-{conversations}-{settings.seed}", settings, quiet=quiet
        )
        report(run, quiet=quiet, as_json=as_json)
        if serve:
            if not quiet and not as_json:
                output.print(
                    f"\nYour own conversations: clio run FILE --open   "
                    f"(generated ones to look at: {source})",
                    markup=False,
                )
            serve_until_stopped(
                run.path,
                Place(port=port),
                browser=open_browser,
                quiet=quiet or as_json,
                as_json=False,
            )
