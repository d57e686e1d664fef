"""Options about models, which several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Analyst = Annotated[
    str | None,
    typer.Option(
        "--analyst",
        metavar="WHO",
        help="Who answers the facets: extractive (no model), anthropic:MODEL, openai:MODEL, "
        "batch:anthropic:MODEL, batch:openai:MODEL or files:DIR.",
    ),
]
FacetModel = Annotated[
    str | None,
    typer.Option("--facet-model", metavar="WHO", help="A model for the facets alone."),
]
Describe = Annotated[
    str | None,
    typer.Option("--describe", help="Who writes titles and hierarchy: extractive or model."),
]
DescribeModel = Annotated[
    str | None,
    typer.Option("--describe-model", metavar="WHO", help="A model for titles and hierarchy alone."),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="A server that speaks OpenAI's protocol, for openai:MODEL.",
    ),
]
FacetsFile = Annotated[
    Path | None, typer.Option("--facets", metavar="FILE", help="Your own facets, as TOML.")
]
Screen = Annotated[
    str | None,
    typer.Option(
        "--screen",
        metavar="QUESTION",
        help="A question with yes or no; conversations with no are skipped.",
    ),
]
Language = Annotated[
    str | None, typer.Option("--language", help="Language that a model writes in: English.")
]
Concurrency = Annotated[
    int | None, typer.Option("--concurrency", min=1, help="Calls of a model at once, at most.")
]
RequestsPerMinute = Annotated[
    int | None, typer.Option("--requests-per-minute", min=1, help="Calls a minute, at most.")
]
TokensPerMinute = Annotated[
    int | None, typer.Option("--tokens-per-minute", min=1, help="Tokens a minute, at most.")
]
MaxCost = Annotated[
    float | None,
    typer.Option(
        "--max-cost", metavar="USD", help="US dollars that models may cost; then it stops cleanly."
    ),
]
MaxCalls = Annotated[
    int | None,
    typer.Option("--max-calls", min=1, help="Calls of models; then it stops cleanly."),
]
PricesFile = Annotated[
    Path | None,
    typer.Option("--prices", metavar="FILE", help="Prices of models, before Clio's own."),
]
ConversationTokens = Annotated[
    int | None,
    typer.Option(
        "--conversation-tokens", min=200, help="So much of a conversation is shown to a model."
    ),
]
BaseClusters = Annotated[
    int | None,
    typer.Option("--base-clusters", min=1, help="Number of base clusters; else from the data."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Send conversations to a model without asking.")]
