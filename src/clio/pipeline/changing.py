"""Changes in the histories of a run: as found, as the safety role sees them, for the gate.

The statistics are `clio.monitoring`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from clio import monitoring
from clio.errors import RunError
from clio.monitoring import Activity
from clio.pipeline.facets import Facets
from clio.pipeline.histories import History, database, dated_span, read_history
from clio.pipeline.run_directory import RunDirectory
from clio.privacy.changes import Changes, Found, Shown

BASELINE_DAYS: Final = 28


def alerts_file(directory: RunDirectory) -> Path:
    """Everything that a look found, for the safety role."""
    return directory.restricted / "alerts.parquet"


def changes_lately(
    directory: RunDirectory, facets: Facets, names: Sequence[str], granularity: str
) -> Changes | None:
    """What changed in the last whole periods of a run's history.

    Parameters
    ----------
    directory
        The run.
    facets, names
        Its facets, and names of those that are clustered.
    granularity
        Of the release's trends.

    Returns
    -------
    Changes or None
        ``None`` where the conversations bear no dates, or too few days of them.
    """
    with database(directory) as sql:
        dated = dated_span(sql, directory)
        if dated is None:
            return None
        first, last = dated
        until = last_whole_day(last, granularity)
        if (until - first).days + 1 < monitoring.SHORTEST:
            return None
        monday = monday_before(first)
        found: list[Found] = []
        for name in names:
            history = read_history(sql, directory, facets, name, monday, until)
            if history is not None and long_enough(history):
                found += recent(history, BASELINE_DAYS, Facts())
    return Changes(monday, found)


def monday_before(first: date) -> date:
    """The date of day 0, so that weeks of the history are whole ones."""
    return first - timedelta(days=first.weekday())


def last_whole_day(last: date, granularity: str | None) -> date:
    """The last day that is looked at: a Sunday where the release's periods are weeks."""
    if granularity == "week":
        return last - timedelta(days=(last.weekday() + 1) % 7)
    return last


def long_enough(history: History) -> bool:
    """Whether the history has the days that a look needs."""
    activity = history.activity
    return activity.days - int(activity.day.min()) >= monitoring.SHORTEST


@dataclass
class Facts:
    """What is known beside the changes, gathered over facets."""

    detectable: list[tuple[str, list[str], list[int], Any]] = field(default_factory=list)
    before: tuple[int, int] | None = None
    after: tuple[int, int] | None = None
    placebos: int | None = None
    dropped: int = 0
    short: bool = False


def recent(history: History, baseline: int, facts: Facts) -> list[Found]:
    """What changed in the last week of one facet's history, or drifted before it.

    Raises
    ------
    RunError
        The history is too short.
    """
    activity, tree = history.activity, history.tree
    if not long_enough(history):
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


def around(history: History, day: int, window: int, seed: int, facts: Facts) -> list[Found]:
    """What an event changed in one facet's history: as many days before it as from it on."""
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


def restricted_table(rows: Sequence[tuple[Found, Shown | None]], first: date) -> pa.Table:
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
