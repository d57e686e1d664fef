"""``clio flags``: a classifier's flags against what Clio sees."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from clio.cli.common import Config, Json, Quiet, Seed, ending, output, print_json
from clio.cli.flagging import ADVICE, as_json_values, headline, html_page, lines_of, tables
from clio.errors import SettingsError
from clio.pipeline import files
from clio.pipeline.flags import Flags, find_flags
from clio.settings import given_settings
from clio.sources import shown

NAME = "flags"
SHORT = "A classifier's likely misses and false alarms, for the safety role."
HELP = (
    "Hold a classifier's flags, a label of the conversations, against what Clio sees: clusters "
    "flagged less, or more, than their concern lets expect. Leads to read, never verdicts. "
    "Without a label: concern by cluster, and combinations worth a look."
)
_PAGE: Final = ".html"


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run directory.")],
    label: Annotated[
        str | None,
        typer.Option("--label", metavar="NAME", help="The label: a yes or no, a score, a word."),
    ] = None,
    flagged: Annotated[
        list[str] | None,
        typer.Option(
            "--flagged",
            metavar="VALUE",
            help="A word of the label that is a flag; may be repeated.",
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", metavar="X", help="From where on a score is a flag."),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy", metavar="FILE", help="Hold flags against the rules of a policy (TOML)."
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE", help="Write a page too, with a scatter: FILE.html."
        ),
    ] = None,
    config: Config = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Compare and print a report."""
    with ending(as_json=as_json):
        if report is not None and report.suffix.lower() != _PAGE:
            raise SettingsError("--report writes FILE.html; name one")
        if label is None and (flagged or threshold is not None):
            raise SettingsError("--flagged and --threshold need a label: name one with --label")
        found = find_flags(
            run,
            label=label,
            flagged=flagged or (),
            threshold=threshold,
            policy=policy,
            seed=given_settings({"seed": seed}, config=config).get("seed"),
        )
        if report is not None:
            files.write_bytes(report.absolute(), html_page(found).encode())
        if as_json:
            print_json({"run": shown(run), **as_json_values(found)})
        elif not quiet:
            _print(output, run, found, report)


def _print(console: Console, run: Path, found: Flags, report: Path | None) -> None:
    first, *more = headline(found)
    console.print(f"\n[bold]{_plain(first)}[/bold]")
    for line in more:
        console.print(line, markup=False, style="dim")
    for table in tables(found):
        title, *lines = lines_of(table)
        console.print(f"\n[bold]{_plain(title)}[/bold]")
        for line in lines:
            console.print(line, markup=False)
    if not found.combinations and found.label is None:
        console.print("No combination stands out.")
    console.print(f"\n{ADVICE}" if found.leads else "", markup=False)
    where = shown(run / "restricted")
    console.print(f"Everything, with the titles of all clusters: {where}", markup=False)
    if report is not None:
        console.print(f"The page lies in {report}.", markup=False)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
