"""``clio run``: conversations in, a release out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

import clio
from clio.cli.asking import confirm
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
    messages,
    output,
    print_json,
    serve_until_stopped,
)
from clio.cli.options import (
    Analyst,
    BaseClusters,
    BaseUrl,
    Concurrency,
    ConversationTokens,
    Describe,
    DescribeModel,
    FacetModel,
    FacetsFile,
    Language,
    MaxCalls,
    MaxCost,
    PricesFile,
    RequestsPerMinute,
    Screen,
    TokensPerMinute,
    Yes,
)
from clio.cli.progress import paused, progress_display
from clio.cli.summary import print_summary, summary_json
from clio.errors import ModelError
from clio.pipeline import Estimate, Progress, Run, estimate
from clio.server import DEFAULT_PORT
from clio.settings import Preset, Settings, load_settings

NAME = "run"
SHORT = "Your conversations in, a release out."
HELP = (
    "Read conversations, group them by what people ask for, describe the groups, and write a "
    "release that holds no conversation. Goes on where an earlier attempt stopped. Formats "
    "are told apart by looking; clio inspect shows what would be read."
)


def carry_out(
    inputs: list[str], out: Path | None, settings: Settings, *, quiet: bool, yes: bool = False
) -> Run:
    """Run with a progress display that fits where it is shown."""
    with progress_display(quiet=quiet) as progress:
        return clio.run(
            inputs,
            out=out,
            settings=settings,
            progress=progress,
            sending=asking(
                lambda: estimate(inputs, settings=settings), progress, yes=yes, quiet=quiet
            ),
        )


def asking(
    found: Callable[[], Estimate], progress: Progress, *, yes: bool, quiet: bool
) -> Callable[[str], None]:
    """What says where texts go before they leave, and asks whether to go on."""

    def sending(host: str) -> None:
        with paused(progress):
            try:
                confirm(found, host, yes=yes, quiet=quiet, console=messages)
            except typer.Exit:
                raise ModelError(f"not sent to {host}; what was read is kept") from None

    return sending


def say_host(*, quiet: bool) -> Callable[[str], None]:
    """What says where texts go before they leave, without a question."""

    def sending(host: str) -> None:
        if not quiet:
            messages.print(f"Answers to facets go to {host}, to be described", markup=False)

    return sending


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
    analyst: Analyst = None,
    facet_model: FacetModel = None,
    describe: Describe = None,
    describe_model: DescribeModel = None,
    base_url: BaseUrl = None,
    facets: FacetsFile = None,
    screen: Screen = None,
    language: Language = None,
    max_cost: MaxCost = None,
    max_calls: MaxCalls = None,
    concurrency: Concurrency = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    prices: PricesFile = None,
    conversation_tokens: ConversationTokens = None,
    yes: Yes = False,
    embedder: Annotated[
        str | None,
        typer.Option("--embedder", help="Text to vectors: auto, minilm or multilingual."),
    ] = None,
    base_clusters: BaseClusters = None,
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
        "facet_model": facet_model,
        "describe": describe,
        "describe_model": describe_model,
        "base_url": base_url,
        "facets": facets,
        "screen": screen,
        "language": language,
        "max_cost": max_cost,
        "max_calls": max_calls,
        "concurrency": concurrency,
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "prices": prices,
        "conversation_tokens": conversation_tokens,
        "embedder": embedder,
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
        run = carry_out(inputs, out, settings, quiet=quiet, yes=yes)
        report(run, quiet=quiet, as_json=as_json)
        if open_browser:
            serve_until_stopped(
                run.path, port=port, browser=True, quiet=quiet or as_json, as_json=False
            )
