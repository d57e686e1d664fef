"""Options that several commands share, grouped as their help shows them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from clio.settings import MOST_CALLS_AT_ONCE, Preset
from clio.sources.registry import ROW_FORMATS

INPUT: Final = "Input"
MODEL: Final = "Language model"
CLUSTERS: Final = "Clusters"
PRIVACY: Final = "Privacy"
OUTPUT: Final = "Output"
"""Groups of options."""

_FORMATS: Final = ", ".join(row_format.name for row_format in ROW_FORMATS[:-1])

Where = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="EXPR",
        help="Only conversations for which EXPR holds, such as \"country == 'DE' and "
        "date >= '2025-03' and 'visa' in words\": labels, date, language, words, turns.",
        rich_help_panel=INPUT,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help=f"Row format, where looking does not tell: {_FORMATS}.",
        rich_help_panel=INPUT,
    ),
]

Analyst = Annotated[
    str | None,
    typer.Option(
        "--analyst",
        metavar="WHO",
        help="Who answers the facets: extractive (no model), anthropic:MODEL, openai:MODEL, "
        "batch:anthropic:MODEL, batch:openai:MODEL or files:DIR.",
        rich_help_panel=MODEL,
    ),
]
FacetModel = Annotated[
    str | None,
    typer.Option(
        "--facet-model",
        metavar="WHO",
        help="A model for the facets alone.",
        rich_help_panel=MODEL,
    ),
]
Describe = Annotated[
    str | None,
    typer.Option(
        "--describe",
        metavar="WRITER",
        help="Who writes titles and hierarchy: extractive, model or keywords (the strictest).",
        rich_help_panel=MODEL,
    ),
]
DescribeModel = Annotated[
    str | None,
    typer.Option(
        "--describe-model",
        metavar="WHO",
        help="A model for titles and hierarchy alone.",
        rich_help_panel=MODEL,
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="A server that speaks OpenAI's or Anthropic's protocol.",
        rich_help_panel=MODEL,
    ),
]
FacetsFile = Annotated[
    Path | None,
    typer.Option(
        "--facets", metavar="FILE", help="Your own facets, as TOML.", rich_help_panel=MODEL
    ),
]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        help="Rules of a usage policy, as TOML: which is a conversation against?",
        rich_help_panel=MODEL,
    ),
]
Screen = Annotated[
    str | None,
    typer.Option(
        "--screen",
        metavar="QUESTION",
        help="A question with yes or no; conversations with no are skipped.",
        rich_help_panel=MODEL,
    ),
]
Language = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="NAME",
        help="Language that a model writes in; English by default.",
        rich_help_panel=MODEL,
    ),
]
Concurrency = Annotated[
    int | None,
    typer.Option(
        "--concurrency",
        metavar="N",
        help=f"Calls at once, at most; up to {MOST_CALLS_AT_ONCE:,}.",
        rich_help_panel=MODEL,
    ),
]
RequestsPerMinute = Annotated[
    int | None,
    typer.Option(
        "--requests-per-minute",
        metavar="N",
        min=1,
        help="Calls a minute, at most.",
        rich_help_panel=MODEL,
    ),
]
TokensPerMinute = Annotated[
    int | None,
    typer.Option(
        "--tokens-per-minute",
        metavar="N",
        min=1,
        help="Tokens a minute, at most.",
        rich_help_panel=MODEL,
    ),
]
MaxCost = Annotated[
    float | None,
    typer.Option(
        "--max-cost",
        metavar="USD",
        help="Stop cleanly before models cost more.",
        rich_help_panel=MODEL,
    ),
]
MaxCalls = Annotated[
    int | None,
    typer.Option(
        "--max-calls",
        metavar="N",
        min=1,
        help="Stop cleanly before models are called more often.",
        rich_help_panel=MODEL,
    ),
]
PricesFile = Annotated[
    Path | None,
    typer.Option(
        "--prices",
        metavar="FILE",
        help="Prices of models, before Clio's own.",
        rich_help_panel=MODEL,
    ),
]
ConversationTokens = Annotated[
    int | None,
    typer.Option(
        "--conversation-tokens",
        metavar="N",
        min=200,
        help="So much of a conversation is shown to a model.",
        rich_help_panel=MODEL,
    ),
]
Yes = Annotated[
    bool,
    typer.Option(
        "--yes", help="Send conversations to a model without asking.", rich_help_panel=MODEL
    ),
]

BaseClusters = Annotated[
    int | None,
    typer.Option(
        "--base-clusters",
        metavar="K",
        min=1,
        help="Number of base clusters; else from the data.",
        rich_help_panel=CLUSTERS,
    ),
]

Privacy = Annotated[
    Preset | None,
    typer.Option(
        "--privacy",
        metavar="PRESET",
        help=f"Thresholds of the release: {', '.join(Preset)}.",
        rich_help_panel=PRIVACY,
    ),
]
MinAccounts = Annotated[
    int | None,
    typer.Option(
        "--min-accounts",
        metavar="N",
        min=1,
        help="Accounts a cluster needs.",
        rich_help_panel=PRIVACY,
    ),
]
MinConversations = Annotated[
    int | None,
    typer.Option(
        "--min-conversations",
        metavar="N",
        min=1,
        help="Conversations a cluster needs.",
        rich_help_panel=PRIVACY,
    ),
]
