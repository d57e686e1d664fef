"""What changed in a finished run: its private counts in, a gated report and restricted tables out.

The statistics are `clio.monitoring`'s. Here private tables are read, everything found goes to
``restricted/``, and what may be shown to others is chosen: clusters of the release, with both sides
of every comparison over the thresholds of a cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from clio import monitoring
from clio.errors import RunError, SettingsError
from clio.monitoring import Activity
from clio.pipeline import files
from clio.pipeline.facets import restored
from clio.pipeline.failures import explained
from clio.pipeline.histories import History, database, read_history, span
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.showing import Found, Showing, Shown
from clio.pipeline.stages.read import conversations_folder
from clio.release.read import Release, open_release
from clio.settings import settings_from

BASELINE_DAYS: Final = 28
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
            first, last = span(sql, directory)
            until = _until(until, last, release) if event is None else min(until or last, last)
            if not first <= until:
                raise SettingsError(f"the history begins on {first}; name a later day")
            if event is not None and not first < event <= until:
                raise SettingsError(
                    f"--event {event}: the history goes from {first} to {until}; name a day in it"
                )
            monday = first - timedelta(days=first.weekday())
            histories = [
                read_history(sql, directory, facets, facet, monday, until)
                for facet in release.facets
            ]
        found, facts = [], _Facts()
        for history in histories:
            if event is None:
                found += _alerts(history, baseline, facts)
            else:
                day = (event - monday).days
                found += _event(
                    history, day, window, settings.seed if seed is None else seed, facts
                )
        showing = Showing(release, settings.thresholds(), monday)
        rows = [(item, showing.shown(item)) for item in found]
        name = "alerts" if event is None else f"event-{event}"
        table = directory.restricted / f"{name}.parquet"
        files.write_table(table, _restricted(rows, monday))
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
    """The last day looked at: a Sunday, unless named, where the release's periods are weeks."""
    if until is not None:
        return min(until, last)
    if release.info.granularity == "week":
        return last - timedelta(days=(last.weekday() + 1) % 7)
    return last


@dataclass
class _Facts:
    """What is known beside the changes, gathered over facets."""

    detectable: list[tuple[str, list[str], list[int], Any]]
    before: tuple[int, int] | None = None
    after: tuple[int, int] | None = None
    placebos: int | None = None
    dropped: int = 0
    short: bool = False

    def __init__(self) -> None:
        self.detectable = []


def _alerts(history: History, baseline: int, facts: _Facts) -> list[Found]:
    activity, tree = history.activity, history.tree
    if activity.days - int(activity.day.min()) < monitoring.SHORTEST:
        raise RunError(
            f"the history is too short: {monitoring.SHORTEST} days are the least to compare"
        )
    looked = monitoring.look(activity, tree, baseline=baseline)
    facts.short = looked.method == "day"
    facts.detectable.append((history.facet, history.ids, history.levels, looked.detectable))
    found = [
        _found(history, c.node, c.kind, c, c.since, c.accounts, c.method, few=c.few)
        for c in looked.changes
    ]
    end = activity.days
    spans = ((max(0, end - 7 - baseline), end - 7), (end - 7, end))
    if not facts.short:
        found += _shifts(history, *spans)
    return found


def _event(history: History, day: int, window: int, seed: int, facts: _Facts) -> list[Found]:
    done = monitoring.compare(history.activity, history.tree, day, window=window, seed=seed)
    facts.before, facts.after = done.before, done.after
    earlier = done.placebos if facts.placebos is None else facts.placebos
    facts.placebos = min(earlier, done.placebos)
    facts.dropped += done.dropped
    found = [
        _found(
            *(history, c.node, c.kind, c, done.after[0], c.accounts, "event"),
            spans=(done.before, done.after),
            placebo=c.placebo,
        )
        for c in done.changes
    ]
    return found + _shifts(history, done.before, done.after)


def _shifts(history: History, before: tuple[int, int], after: tuple[int, int]) -> list[Found]:
    found = []
    for answers in history.answers:
        for c in monitoring.changed_answers(history.activity, history.tree, answers, before, after):
            up = "up" if c.after >= c.before else "down"
            kind = f"{c.name} {up}" if c.value is None else f"{c.name} shift"
            rows = history.activity
            if c.value is not None:
                index = answers.values.index(c.value)
                chosen, rest = answers.number == index, np.isfinite(answers.number)
                parts = [rows.take(chosen), rows.take(rest & ~chosen)]
            else:
                parts = [rows.take(np.isfinite(answers.number))]
            item = _found(
                *(history, c.node, kind, c, after[0], 0, "means"),
                spans=(before, after),
                value=c.value,
                parts=parts,
            )
            found.append(item)
    return found


def _found(
    history: History,
    node: int,
    kind: str,
    change: Any,
    since: int,
    accounts: int,
    method: str,
    *,
    few: bool = False,
    spans: tuple[tuple[int, int], tuple[int, int]] | None = None,
    placebo: float = float("nan"),
    value: str | None = None,
    parts: Sequence[Activity] = (),
) -> Found:
    before, after = spans or (change.before, change.recent)
    leaves = history.tree.leaves(node)
    own = [part.take(np.isin(part.leaf, leaves)) for part in (history.activity, *parts)]
    recent = own[0].within(*after)
    return Found(
        facet=history.facet,
        cluster_id=history.ids[node],
        level=history.levels[node],
        private_title=history.titles[node],
        kind=kind,
        value=value,
        since=since,
        ratio=change.ratio,
        low=change.low,
        high=change.high,
        q=change.q,
        accounts=accounts or len(np.unique(recent.account)),
        few=few,
        method=method,
        placebo=placebo,
        before=before,
        after=after,
        parts=tuple(own),
    )


def _restricted(rows: list[tuple[Found, Shown | None]], first: date) -> pa.Table:
    """Everything found, for the safety role: the contract's columns of alerts and more."""
    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("facet", "cluster_id", "kind")),
            ("since", pa.date32()),
            *((name, pa.float64()) for name in ("ratio", "ratio_low", "ratio_high", "q")),
            *((name, pa.string()) for name in ("title", "value", "method")),
            ("accounts", pa.int64()),
            ("few_accounts", pa.bool_()),
            ("placebo", pa.float64()),
            *((name, pa.int64()) for name in ("conversations_before", "conversations_after")),
            ("shown", pa.bool_()),
        ]
    )
    records = [
        {
            "facet": f.facet,
            "cluster_id": f.cluster_id,
            "kind": f.kind,
            "since": first + timedelta(days=f.since),
            "ratio": f.ratio,
            "ratio_low": f.low,
            "ratio_high": f.high,
            "q": f.q,
            "title": f.private_title,
            "value": f.value,
            "method": f.method,
            "accounts": f.accounts,
            "few_accounts": f.few,
            "placebo": None if np.isnan(f.placebo) else f.placebo,
            "conversations_before": len(f.parts[0].within(*f.before).day),
            "conversations_after": len(f.parts[0].within(*f.after).day),
            "shown": shown is not None,
        }
        for f, shown in rows
    ]
    records.sort(key=lambda r: (r["q"], r["facet"], r["cluster_id"], r["kind"]))
    return pa.Table.from_pylist(records, schema=schema)


def _notes(event: date | None, facts: _Facts, release: Release) -> list[str]:
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
