"""``clio audit``: the privacy audit of a run or of a release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from clio.auditing.findings import AuditReport, Passed
from clio.auditing.page import figures, html_page, scope, verdict
from clio.cli.common import EXIT_FAILURE, Config, Json, Quiet, Seed, ending, output, print_json
from clio.errors import SettingsError
from clio.pipeline.auditing import audit
from clio.settings import given_settings
from clio.sources import shown

NAME = "audit"
SHORT = "Prove a release's privacy again, and attack it."
HELP = (
    "Audit a run, a release, or an export as parquet or csv: thresholds, sums, rounding, what "
    "subtraction gives away, wording, identifiers, files and their modes. A run is held against "
    "its private tables, which is logged. Exit status 1 where anything is found."
)

_MANY = 10


def command(
    path: Annotated[
        Path, typer.Argument(metavar="RUN|EXPORT", help="A run, a release or an export of one.")
    ],
    previous: Annotated[
        Path | None,
        typer.Option(
            "--previous",
            metavar="OTHER",
            help="Another release: find what the difference of the two reveals.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write the report as a page, too."),
    ] = None,
    config: Config = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Audit and print a report."""
    with ending(as_json=as_json):
        given_settings({"seed": seed}, config=config)  # nothing of it changes an audit
        report = audit(path, previous=previous)
        if html is not None:
            if html.exists():
                raise SettingsError(f"--html {html}: there is a file of that name already")
            html.write_text(html_page(report), encoding="utf-8")
        if as_json:
            print_json({"audited": shown(path), **report.as_json()})
        elif not quiet:
            _print(output, report)
        if not report.clean:
            raise typer.Exit(EXIT_FAILURE)


def _print(console: Console, report: AuditReport) -> None:
    console.print(f"\n{scope(report)}", markup=False)
    for passed in report.checks:
        _check(console, passed)
    for note in report.notes:
        console.print(f"Not covered: {note}", style="dim", markup=False)
    console.print(
        f"\n{escape(verdict(report))}", style="bold green" if report.clean else "bold red"
    )


def _check(console: Console, passed: Passed) -> None:
    mark = "[red]found[/red]" if passed.findings else "[green]ok[/green]   "
    told = figures(passed)
    console.print(
        f"  {mark}  [bold]{escape(passed.check)}[/bold]  {escape(passed.looked)}"
        + (f"  [dim]{escape(told)}[/dim]" if told else "")
    )
    for finding in passed.findings[:_MANY]:
        console.print(f"           {finding.where}: {finding.message}", markup=False)
    if len(passed.findings) > _MANY:
        console.print(f"           and {len(passed.findings) - _MANY:,} more")
