"""``clio describe``: titles, summaries and hierarchy of a run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clio.cli.asking import ANSWERS
from clio.cli.common import Config, Json, Quiet, Seed, ending
from clio.cli.options import (
    BaseUrl,
    Concurrency,
    Describe,
    DescribeModel,
    MaxCalls,
    MaxCost,
    PricesFile,
    RequestsPerMinute,
    TokensPerMinute,
    Yes,
)
from clio.cli.progress import progress_display
from clio.cli.run import asking, report
from clio.pipeline import describe as describe_again
from clio.pipeline import estimate_describing
from clio.settings import given_settings

NAME = "describe"
SHORT = "Titles and hierarchy again, with another writer or model."
HELP = (
    "Write titles, summaries and the hierarchy of a run again, with another writer or model, as a "
    "new release. Nothing is read again: the input may be gone."
)


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run directory.")],
    describe: Describe = None,
    describe_model: DescribeModel = None,
    base_url: BaseUrl = None,
    max_cost: MaxCost = None,
    max_calls: MaxCalls = None,
    concurrency: Concurrency = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    prices: PricesFile = None,
    yes: Yes = False,
    config: Config = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Describe again and print a summary."""
    options = {
        "seed": seed,
        "describe": describe,
        "describe_model": describe_model,
        "base_url": base_url,
        "max_cost": max_cost,
        "max_calls": max_calls,
        "concurrency": concurrency,
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "prices": prices,
    }
    with ending(as_json=as_json, resumable=True):
        changes = given_settings(options, config=config)
        with progress_display(quiet=quiet) as progress:
            sending = asking(
                lambda: estimate_describing(run, changes),
                progress,
                what=ANSWERS,
                yes=yes,
                quiet=quiet,
            )
            done = describe_again(run, changes, progress=progress, sending=sending)
        report(done, quiet=quiet, as_json=as_json)
