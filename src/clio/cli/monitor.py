"""``clio monitor``: what is new, what rises and falls, what an event changed."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from clio.cli.changes import as_json_values, headline, html_page, markdown_page, rows_of
from clio.cli.common import Config, Json, Quiet, Seed, ending, output, print_json
from clio.errors import SettingsError
from clio.pipeline import files
from clio.pipeline.changing import BASELINE_DAYS
from clio.pipeline.monitoring import WINDOW_DAYS, Monitoring, monitor
from clio.settings import load_settings

NAME = "monitor"
SHORT = "What changed: new, rising, falling, at an event."
HELP = (
    "Find what is new, rises, falls or shifts in a finished run: in its last week, or before and "
    "after the day of an event. Only clusters of the release are shown, and only where both sides "
    "of a comparison pass the privacy thresholds; all else lies in RUN/restricted."
)
_DAYS: Final = re.compile(r"(\d{1,3})([dw])")
_PUBLIC_FILE: Final = 0o644
_PAGES: Final = {".md": markdown_page, ".html": html_page}


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run directory.")],
    event: Annotated[
        str | None,
        typer.Option("--event", metavar="DATE", help="First day of an event, as 2024-11-05."),
    ] = None,
    window: Annotated[
        str, typer.Option("--window", metavar="DAYS", help="Days on each side of the event.")
    ] = f"{WINDOW_DAYS}d",
    baseline: Annotated[
        str,
        typer.Option("--baseline", metavar="DAYS", help="Whole weeks that the last is held to."),
    ] = f"{BASELINE_DAYS}d",
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DATE", help="Look at the history up to this day."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Write a page too: FILE.md or FILE.html."),
    ] = None,
    config: Config = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Look for changes and print them."""
    with ending(as_json=as_json):
        if report is not None and report.suffix.lower() not in _PAGES:
            raise SettingsError("--report writes FILE.md or FILE.html; name one of these")
        settings = load_settings({"seed": seed}, config=config)
        done = monitor(
            run,
            event=_date("--event", event),
            window=_days("--window", window),
            baseline=_days("--baseline", baseline),
            until=_date("--until", until),
            seed=settings.seed if "seed" in settings.model_fields_set else None,
        )
        if report is not None:
            page = _PAGES[report.suffix.lower()](done)
            files.write_bytes(report.absolute(), page.encode(), mode=_PUBLIC_FILE)
        if as_json:
            print_json(as_json_values(done))
        elif not quiet:
            _print(done, report)


def _date(option: str, given: str | None) -> date | None:
    if given is None:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise SettingsError(f"{option}: write a day as 2024-11-05") from None


def _days(option: str, given: str) -> int:
    found = _DAYS.fullmatch(given)
    if found is None:
        raise SettingsError(f"{option}: write days or weeks as 14d or 2w")
    return int(found[1]) * (7 if found[2] == "w" else 1)


def _print(done: Monitoring, report: Path | None) -> None:
    lines = headline(done)
    output.print(f"\n[bold]{lines[0]}[/bold]")
    if done.shown:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        names, rows = rows_of(done)
        for name in names:
            table.add_column(name)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        output.print(table)
    for line in lines[1:]:
        output.print(line, markup=False, style="dim")
    if not done.publishable:
        output.print("[bold red]Not anonymous, do not share.[/bold red]")
    if report is not None:
        output.print(f"The report lies in {report}.", markup=False)
