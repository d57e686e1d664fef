"""``clio run``: conversations in, a release out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import clio
from clio.cli.asking import CONVERSATIONS, confirm
from clio.cli.common import (
    EXIT_FAILURE,
    Config,
    Inputs,
    Json,
    Place,
    Port,
    Quiet,
    Seed,
    ending,
    messages,
    output,
    print_json,
    serve_until_stopped,
)
from clio.cli.options import (
    CLUSTERS,
    OUTPUT,
    PRIVACY,
    Analyst,
    BaseClusters,
    BaseUrl,
    Concurrency,
    ConversationTokens,
    Describe,
    DescribeModel,
    FacetModel,
    FacetsFile,
    Format,
    Language,
    MaxCalls,
    MaxCost,
    MinAccounts,
    MinConversations,
    PolicyFile,
    PricesFile,
    Privacy,
    RequestsPerMinute,
    Screen,
    TokensPerMinute,
    Where,
    Yes,
)
from clio.cli.progress import paused, progress_display
from clio.cli.purge import print_purging
from clio.cli.summary import print_summary, summary_json
from clio.pipeline import Estimate, Progress, Run, estimate
from clio.pipeline.purging import purge
from clio.server import DEFAULT_PORT
from clio.settings import Settings, load_settings

if TYPE_CHECKING:
    from clio.pipeline.canaries import CanaryReport

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
    found: Callable[[], Estimate],
    progress: Progress,
    *,
    what: str = CONVERSATIONS,
    yes: bool,
    quiet: bool,
) -> Callable[[str], None]:
    """What says where texts go before they leave, and asks whether to go on."""

    def sending(host: str) -> None:
        with paused(progress):
            confirm(found, host, what=what, yes=yes, quiet=quiet, console=messages)

    return sending


def shadowed(inputs: list[str], run: Run, number: int, seed: int, *, quiet: bool) -> CanaryReport:
    """Plant canaries in a shadow of a run, with a progress display of its own."""
    # Not with the module: who does not ask for it need not wait for the numerics behind it.
    from clio.pipeline.canaries import Detail, check_canaries
    from clio.testing.canaries import details

    planted = [Detail(*each) for each in details(number, seed)]
    with progress_display(quiet=quiet) as progress:
        return check_canaries(inputs, run.path, planted, progress=progress)


def report(run: Run, *, quiet: bool, as_json: bool, canaries: CanaryReport | None = None) -> None:
    """Print what came out."""
    if as_json:
        more = {} if canaries is None else {"canaries": canaries.as_dict()}
        print_json(summary_json(run) | more)
        return
    if not quiet:
        print_summary(output, run)
    if canaries is not None and canaries.found:
        kinds = ", ".join(sorted({kind for kind, _, _ in canaries.found}))
        messages.print(
            f"clio: {len(canaries.found)} of {canaries.total} planted details came out ({kinds}); "
            "do not publish this release, and report it",
            style="red",
            markup=False,
        )
    elif canaries is not None and not quiet:
        output.print(f"Of {canaries.total} details planted in a shadow of the run none came out.")


def command(
    inputs: Inputs,
    where: Where = None,
    format_name: Format = None,
    analyst: Analyst = None,
    facet_model: FacetModel = None,
    describe: Describe = None,
    describe_model: DescribeModel = None,
    base_url: BaseUrl = None,
    facets: FacetsFile = None,
    policy: PolicyFile = None,
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
        typer.Option(
            "--embedder",
            metavar="NAME",
            help="Text to vectors: auto, minilm, multilingual or static.",
            rich_help_panel=CLUSTERS,
        ),
    ] = None,
    base_clusters: BaseClusters = None,
    privacy: Privacy = None,
    min_accounts: MinAccounts = None,
    min_conversations: MinConversations = None,
    round_to: Annotated[
        int | None,
        typer.Option(
            "--round",
            metavar="N",
            min=1,
            help="Round released counts to multiples of N.",
            rich_help_panel=PRIVACY,
        ),
    ] = None,
    public_data: Annotated[
        bool | None,
        typer.Option(
            "--public-data/--no-public-data",
            help="The conversations are public anyway: clio serve --traces may show them.",
            rich_help_panel=PRIVACY,
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="RUN",
            help="The run directory; by default INPUT-clio.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    breakdown: Annotated[
        list[str] | None,
        typer.Option(
            "--breakdown",
            metavar="LABEL",
            help="A label to break clusters down by; may be repeated.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    ephemeral: Annotated[
        bool,
        typer.Option(
            "--ephemeral",
            help="Delete all that is private as soon as the release stands.",
            rich_help_panel=PRIVACY,
        ),
    ] = False,
    canaries: Annotated[
        int | None,
        typer.Option(
            "--canaries",
            metavar="N",
            min=1,
            help="Plant N invented details in a shadow of the run, and see that none comes out.",
            rich_help_panel=PRIVACY,
        ),
    ] = None,
    open_browser: Annotated[
        bool,
        typer.Option(
            "--open",
            help="Then serve the explorer and open it in a browser.",
            rich_help_panel=OUTPUT,
        ),
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
        "policy": policy,
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
        "public_data": public_data,
        "seed": seed,
    }
    with ending(as_json=as_json, resumable=True):
        settings = load_settings(options, config=config)
        run = carry_out(inputs, out, settings, quiet=quiet, yes=yes)
        found = None
        if canaries is not None:
            found = shadowed(inputs, run, canaries, settings.seed, quiet=quiet)
        purged = purge(run.path) if ephemeral else None
        report(run, quiet=quiet, as_json=as_json, canaries=found)
        if purged is not None and not (quiet or as_json):
            print_purging(purged)
        if found is not None and found.found:
            raise typer.Exit(EXIT_FAILURE)
        if open_browser:
            serve_until_stopped(
                run.path,
                Place(port=port),
                browser=True,
                quiet=quiet or as_json,
                as_json=False,
            )
