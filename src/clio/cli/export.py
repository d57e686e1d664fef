"""``clio export``: a release to publish."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clio.cli.common import Config, Json, Quiet, Seed, ending, output, print_json
from clio.cli.options import OUTPUT, PRIVACY
from clio.cli.progress import progress_display
from clio.errors import SettingsError
from clio.exporting.exports import DELTA, EPSILON, FORMS, Export, Privacy, export
from clio.settings import given_settings
from clio.sources import shown

NAME = "export"
SHORT = "A release to publish, with a data card."
HELP = (
    "Export the latest release of a run, or a release by its own path, into a new folder, with a "
    "data card. Opens nothing private, unless --epsilon asks for counts with differential privacy."
)


def command(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory or a release's.")],
    to: Annotated[
        Path,
        typer.Option("--to", metavar="DIR", help="A new or empty folder.", rich_help_panel=OUTPUT),
    ],
    form: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="FORM",
            help="site (the explorer as static files), csv, parquet, or index (the long format of "
            "the Anthropic Economic Index).",
            rich_help_panel=OUTPUT,
        ),
    ] = "site",
    epsilon: Annotated[
        float | None,
        typer.Option(
            "--epsilon",
            metavar="E",
            help=f"Make every number differentially private, for whole accounts; {EPSILON:g} is a "
            "good start, less is stricter.",
            rich_help_panel=PRIVACY,
        ),
    ] = None,
    delta: Annotated[
        float | None,
        typer.Option(
            "--delta",
            metavar="D",
            help=f"With --epsilon: the chance that its promise fails; {DELTA:g} where not given.",
            rich_help_panel=PRIVACY,
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            "--budget",
            metavar="B",
            help="With --epsilon: epsilon over all exports of the run; the one last named, or 4.",
            rich_help_panel=PRIVACY,
        ),
    ] = None,
    config: Config = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Export and say where."""
    with ending(as_json=as_json):
        chosen = given_settings({"seed": seed}, config=config).get("seed")
        known = next((f for f in FORMS if f == form), None)
        if known is None:
            raise SettingsError(f"--as {form}: there is {', '.join(FORMS)}")
        if epsilon is None and (delta is not None or budget is not None):
            raise SettingsError("--delta and --budget need --epsilon")
        privacy = None
        if epsilon is not None:
            privacy = Privacy(epsilon, DELTA if delta is None else delta, budget)
        with progress_display(quiet=quiet) as progress:
            made = export(path, to, form=known, privacy=privacy, seed=chosen, progress=progress)
        if as_json:
            print_json(_json(made))
        elif not quiet:
            _print(made)


def _json(made: Export) -> dict[str, object]:
    guarantee = made.card.differential_privacy
    return {
        "export": shown(made.directory),
        "form": made.form,
        "files": sorted(path.name for path in made.directory.iterdir()),
        "conversations": made.card.release.totals.conversations,
        "differential_privacy": None if guarantee is None else guarantee.model_dump(mode="json"),
    }


def _print(made: Export) -> None:
    info, guarantee = made.card.release, made.card.differential_privacy
    clusters = sum(sum(facet.clusters) for facet in info.facets)
    output.print(
        f"{shown(made.directory)}: {clusters:,} clusters over {info.totals.conversations:,} "
        "conversations, explained in DATACARD.md",
        markup=False,
    )
    if guarantee is not None:
        output.print(
            f"Epsilon {guarantee.epsilon:g}, delta {guarantee.delta:g}, for whole accounts and "
            f"given the taxonomy; all exports of the run together: {guarantee.epsilon_of_run:.3g}.",
            markup=False,
        )
