"""``clio estimate``: what a run would cost, before any of it is spent."""

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
from clio.cli.estimation import estimate_json, print_estimate
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
    Format,
    Language,
    MinAccounts,
    MinConversations,
    PolicyFile,
    PricesFile,
    Privacy,
    RequestsPerMinute,
    Screen,
    TokensPerMinute,
    Where,
)
from clio.cli.progress import progress_display
from clio.pipeline import estimate
from clio.settings import load_settings

NAME = "estimate"
SHORT = "What a run would cost, before any of it is spent."
HELP = (
    "Count the calls, tokens, money, time and disk that a run with the same options would take. "
    "Reads the conversations, sends nothing and writes nothing."
)


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
    concurrency: Concurrency = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    prices: PricesFile = None,
    conversation_tokens: ConversationTokens = None,
    base_clusters: BaseClusters = None,
    privacy: Privacy = None,
    min_accounts: MinAccounts = None,
    min_conversations: MinConversations = None,
    config: Config = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Count, and print what a run would cost."""
    options = {
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
        "concurrency": concurrency,
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "prices": prices,
        "conversation_tokens": conversation_tokens,
        "base_clusters": base_clusters,
        "privacy": privacy,
        "min_accounts": min_accounts,
        "min_conversations": min_conversations,
        "seed": seed,
    }
    with ending(as_json=as_json):
        settings = load_settings(options, config=config)
        with progress_display(quiet=quiet) as progress:
            found = estimate(inputs, settings=settings, progress=progress)
        if as_json:
            print_json(estimate_json(found))
        elif not quiet:
            print_estimate(output, found)
