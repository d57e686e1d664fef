"""What changed in a finished run: its private counts in, a gated report and restricted tables out.

The statistics are `clio.monitoring`'s. Here private tables are read, everything found goes to
``restricted/``, and what may be shown to others is chosen: clusters of the release, with both sides
of every comparison over the thresholds of a cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from clio.errors import RunError, SettingsError
from clio.pipeline import files
from clio.pipeline.changing import (
    BASELINE_DAYS,
    Facts,
    alerts_file,
    around,
    last_whole_day,
    monday_before,
    recent,
    restricted_table,
)
from clio.pipeline.facets import restored
from clio.pipeline.failures import explained
from clio.pipeline.histories import database, dated_span, read_history
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.read import conversations_folder
from clio.privacy.changes import Showing, Shown
from clio.release.read import Release, open_release
from clio.settings import settings_from

WINDOW_DAYS: Final = 14


@dataclass(frozen=True)
class Monitoring:
    """What `monitor` found and may show.

    Attributes
    ----------
    path
        The run.
    release
        Number of the release that titles are from.
    publishable
        Whether that release may be shown to others.
    first, until
        First and last day of the history.
    event, window
        The event's day, where one was asked for, and the days on each side of it.
    before, after
        Of an event: first and last day of each side.
    shown
        Changes that may be shown, the surest first.
    withheld
        How many more were found, for the safety role alone.
    placebos
        How many other dates an event was held against, over all facets the fewest.
    dropped
        How many changes other dates show as often.
    detectable
        By facet and level: the ratio that a rise needs to be seen in half of the shown clusters.
    notes
        What a reader should know.
    restricted
        The table with everything.
    """

    path: Path
    release: int
    publishable: bool
    first: date
    until: date
    event: date | None
    window: int
    before: tuple[date, date] | None
    after: tuple[date, date] | None
    shown: list[Shown]
    withheld: int
    placebos: int
    dropped: int
    detectable: list[tuple[str, int, float]]
    notes: list[str]
    restricted: Path


def monitor(
    path: str | Path,
    *,
    event: date | None = None,
    window: int = WINDOW_DAYS,
    baseline: int = BASELINE_DAYS,
    until: date | None = None,
    seed: int | None = None,
) -> Monitoring:
    """What is new, rises, falls or shifts in a finished run, lately or at an event.

    All of it is written to ``restricted/alerts.parquet``, or ``restricted/event-DAY.parquet``.

    Parameters
    ----------
    path
        The run directory.
    event
        The first day of an event; without one, the last week is looked at.
    window
        Days on each side of the event.
    baseline
        Days that the last week is compared with.
    until
        The last day looked at; by default the end of the last whole period of the release.
    seed
        Of the choice of placebo dates; the run's own by default.

    Raises
    ------
    RunError
        The directory holds no finished run, or its history is too short.
    SettingsError
        A day lies outside the history, or a number of days is not a number of weeks.
    """
    _check_days(window, baseline)
    directory = RunDirectory(Path(path))
    with explained(directory), _opened(directory):
        release, settings = open_release(directory.path), settings_from(directory.state.settings)
        facets = restored(directory.state.facets)
        with database(directory) as sql:
            dated = dated_span(sql, directory)
            if dated is None:
                raise RunError("no conversation bears a date, so that nothing can be said of time")
            first, last = dated
            until = _until(until, last, release) if event is None else min(until or last, last)
            if not first <= until:
                raise SettingsError(f"the history begins on {first}; name a later day")
            if event is not None and not first < event <= until:
                raise SettingsError(
                    f"--event {event}: the history goes from {first} to {until}; name a day in it"
                )
            monday = monday_before(first)
            histories = [
                history
                for name in release.facets
                if (history := read_history(sql, directory, facets, name, monday, until))
            ]
        found, facts = [], Facts()
        seed = settings.seed if seed is None else seed
        for history in histories:
            if event is None:
                found += recent(history, baseline, facts)
            else:
                found += around(history, (event - monday).days, window, seed, facts)
        showing = Showing(
            release.clusters.to_pylist(),
            release.trends.to_pylist(),
            release.info.granularity,
            settings.thresholds(),
            monday,
        )
        rows = [(item, showing.shown(item)) for item in found]
        table = alerts_file(directory)
        if event is not None:
            table = table.with_name(f"event-{event}.parquet")
        files.write_table(table, restricted_table(rows, monday))
    shown = [row for _, row in rows if row is not None]
    sides = [
        None if span is None else (monday + timedelta(span[0]), monday + timedelta(span[1] - 1))
        for span in (facts.before, facts.after)
    ]
    return Monitoring(
        directory.path,
        release.info.number,
        release.info.publishable,
        first,
        until,
        event,
        window,
        sides[0],
        sides[1],
        sorted(shown, key=lambda s: (s.q, s.facet, s.cluster_id, s.kind)),
        len(rows) - len(shown),
        facts.placebos or 0,
        facts.dropped,
        showing.detectable(facts.detectable),
        _notes(event, facts, release),
        table,
    )


def _check_days(window: int, baseline: int) -> None:
    if not 1 <= window <= 366:
        raise SettingsError("--window is between 1 and 366 days")
    if baseline % 7 or not 14 <= baseline <= 364:
        raise SettingsError("--baseline is a number of whole weeks, from 14d to 364d")


@contextmanager
def _opened(directory: RunDirectory) -> Iterator[None]:
    """The run, locked and loaded.

    Raises
    ------
    RunError
        It is no finished run.
    """
    with directory.opened():
        stages = directory.state.stages
        if directory.state.release is None or not all(stage.done for stage in stages.values()):
            raise RunError(
                f"{directory.path} is not finished; run it again first: clio run INPUT... --out "
                f"{directory.path}"
            )
        if not conversations_folder(directory).exists():
            raise RunError(f"{directory.path} was purged: its private tables are gone")
        yield


def _until(until: date | None, last: date, release: Release) -> date:
    """The last day looked at: by default that of the release's last whole period."""
    if until is not None:
        return min(until, last)
    return last_whole_day(last, release.info.granularity)


def _notes(event: date | None, facts: Facts, release: Release) -> list[str]:
    notes = []
    if event is None and facts.short:
        notes.append(
            "The history is under five weeks: the last day was compared with seven, which sees "
            "great changes alone."
        )
    if event is not None and not facts.placebos:
        notes.append(
            "The history has too few other dates of this length to hold the event against: an "
            "ordinary fortnight may look like this."
        )
    if event is not None:
        notes.append(
            "A change at an event's date is no proof that the event caused it: whatever else "
            "changed then is in it too."
        )
    if release.info.account_basis != "ids":
        notes.append("Accounts are not all known: some or all texts count as an account each.")
    return notes
