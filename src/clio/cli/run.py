"""``clio run``: conversations in, a release out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import clio
from clio.cli.common import (
    Config,
    Format,
    Inputs,
    Json,
    Port,
    Quiet,
    Seed,
    Where,
    ending,
    output,
    print_json,
    serve_until_stopped,
)
from clio.cli.progress import progress_display
from clio.cli.summary import print_summary, summary_json
from clio.pipeline import Run
from clio.server import DEFAULT_PORT
from clio.settings import Preset, Settings, load_settings

NAME = "run"
SHORT = "Your conversations in, a release out."
HELP = (
    "Read conversations, group them by what people ask for, describe the groups, and write a "
    "release that holds no conversation. Goes on where an earlier attempt stopped. Formats "
    "are told apart by looking; clio inspect shows what would be read."
)


def carry_out(inputs: list[str], out: Path | None, settings: Settings, *, quiet: bool) -> Run:
    """Run with a progress display that fits where it is shown."""
    with progress_display(quiet=quiet) as progress:
        return clio.run(inputs, out=out, settings=settings, progress=progress)


def report(run: Run, *, quiet: bool, as_json: bool) -> None:
    """Print what came out."""
    if as_json:
        print_json(summary_json(run))
    elif not quiet:
        print_summary(output, run)


def command(
    inputs: Inputs,
    out: Annotated[
        Path | None, typer.Option("--out", help="The run directory; by default INPUT-clio.")
    ] = None,
    where: Where = None,
    format_name: Format = None,
    analyst: Annotated[
        str | None, typer.Option("--analyst", help="Who answers the facets: extractive.")
    ] = None,
    embedder: Annotated[
        str | None,
        typer.Option("--embedder", help="Text to vectors: auto, minilm or multilingual."),
    ] = None,
    describe: Annotated[
        str | None, typer.Option("--describe", help="Who writes titles: extractive.")
    ] = None,
    base_clusters: Annotated[
        int | None,
        typer.Option("--base-clusters", min=1, help="Number of base clusters; else from the data."),
    ] = None,
    privacy: Annotated[
        Preset | None, typer.Option("--privacy", help="Thresholds of the release.")
    ] = None,
    min_accounts: Annotated[
        int | None, typer.Option("--min-accounts", min=1, help="Accounts a cluster needs.")
    ] = None,
    min_conversations: Annotated[
        int | None,
        typer.Option("--min-conversations", min=1, help="Conversations a cluster needs."),
    ] = None,
    round_to: Annotated[
        int | None, typer.Option("--round", min=1, help="Round released counts to multiples.")
    ] = None,
    breakdown: Annotated[
        list[str] | None,
        typer.Option("--breakdown", help="A label to break clusters down by; may be repeated."),
    ] = None,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Then serve the explorer and open it in a browser.")
    ] = False,
    port: Port = DEFAULT_PORT,
    config: Config = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Run the pipeline and print a summary."""
    options: dict[str, Any] = {
        "where": where,
        "format": format_name,
        "analyst": analyst,
        "embedder": embedder,
        "describe": describe,
        "base_clusters": base_clusters,
        "privacy": privacy,
        "min_accounts": min_accounts,
        "min_conversations": min_conversations,
        "round": round_to,
        "breakdown": tuple(breakdown) if breakdown else None,
        "seed": seed,
    }
    with ending(as_json=as_json, resumable=True):
        settings = load_settings(options, config=config)
        run = carry_out(inputs, out, settings, quiet=quiet)
        report(run, quiet=quiet, as_json=as_json)
        if open_browser:
            serve_until_stopped(
                run.path, port=port, browser=True, quiet=quiet or as_json, as_json=False
            )
