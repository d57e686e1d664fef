"""Which changes over time may be shown, and how coarsely; alerts of a release are such changes.

A change compares two stretches of days. It is shown where its cluster stands in the release, under
the title that stands there, and where both sides clear the thresholds of a cell. Beside the trends
of the release a side could be subtracted: so what a side has in periods whose cell the release does
not print must be nothing or clear the thresholds by itself, and so must the rest of a printed
period that a side cuts through. No count is shown, ratios with two digits, bounds outwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from clio.privacy.cells import Rows, at_least
from clio.privacy.thresholds import Counts, cell_rule
from clio.release.schema import TABLES
from clio.settings import Thresholds

DIGITS: Final = 2
Days = tuple[int, int]

_WORDS: Final = {"new": "new", "rise": "more often", "fall": "less often"}


class Written(Protocol):
    """Conversations by account and day, one row each."""

    @property
    def account(self) -> NDArray[np.int64]:
        """Number of the account."""

    @property
    def day(self) -> NDArray[np.int64]:
        """Days since the first one."""

    def take(self, rows: Any, /) -> Written:
        """Some of the rows."""

    def within(self, start: int, stop: int, /) -> Written:
        """The rows of the days from `start` to before `stop`."""


@dataclass(frozen=True)
class Found:
    """A change as it was found: private.

    Attributes
    ----------
    facet, cluster_id, level, private_title
        Where; the title is not the release's.
    kind, value
        What changed, and for a closed facet which answer.
    since
        First day, as in the activity.
    ratio, low, high, q, accounts, few, method, placebo
        As `clio.monitoring` gives them.
    before, after
        Days that are compared: first, and the one after the last.
    parts
        Rows of the cluster, and those of each part of it that the change tells of.
    """

    facet: str
    cluster_id: str
    level: int
    private_title: str
    kind: str
    value: str | None
    since: int
    ratio: float
    low: float
    high: float
    q: float
    accounts: int
    few: bool
    method: str
    placebo: float
    before: Days
    after: Days
    parts: tuple[Written, ...]


@dataclass(frozen=True)
class Shown:
    """A change as it is shown.

    Attributes
    ----------
    facet, cluster_id, level, title
        Of the release.
    kind, value
        What changed, and for a closed facet which answer.
    since
        First day of it; of the release's period that it lies in.
    ratio, low, high
        With two digits, the bounds outwards; infinite where unknown.
    q
        Rounded up to one digit.
    accounts
        At least so many in the later days.
    few
        Whether few accounts carry it.
    placebo
        Share of other dates on which as much was seen; ``None`` where there are none.
    """

    facet: str
    cluster_id: str
    level: int
    title: str
    kind: str
    value: str | None
    since: date
    ratio: float
    low: float
    high: float
    q: float
    accounts: int
    few: bool
    placebo: float | None


class Showing:
    """Chooses what of the changes of a run may be shown.

    Parameters
    ----------
    clusters, trends
        Rows of the release's tables: its titles and periods are taken.
    granularity
        Of its trends.
    thresholds
        Of the run.
    first
        The date of day 0.
    """

    def __init__(
        self,
        clusters: Iterable[Mapping[str, Any]],
        trends: Iterable[Mapping[str, Any]],
        granularity: str | None,
        thresholds: Thresholds,
        first: date,
    ) -> None:
        self._first, self._rule = first, cell_rule(thresholds)
        self._protected = thresholds.publishable
        self._clusters = {(r["facet"], r["cluster_id"]): r for r in clusters}
        self._granularity = granularity
        self._printed: dict[tuple[str, str], list[Days]] = {}
        for r in trends:
            start = (r["period"] - first).days
            period = (start, start + self._length(r["period"]))
            self._printed.setdefault((r["facet"], r["cluster_id"]), []).append(period)

    def _length(self, period: date) -> int:
        if self._granularity == "month":
            return ((period.replace(day=1) + timedelta(days=32)).replace(day=1) - period).days
        return 7 if self._granularity == "week" else 1

    def shown(self, found: Found) -> Shown | None:
        """The change as it may be shown, or `None`."""
        cluster = self._clusters.get((found.facet, found.cluster_id))
        if cluster is None or not self._clears(found):
            return None
        ratio = _digits(found.ratio)
        return Shown(
            found.facet,
            found.cluster_id,
            cluster["level"],
            cluster["title"],
            found.kind,
            found.value,
            self._since(found.since),
            ratio,
            min(_digits(found.low, ROUND_FLOOR), ratio),
            max(_digits(found.high, ROUND_CEILING), ratio),
            _digits(max(found.q, 1e-6), ROUND_CEILING, 1),
            at_least(found.accounts),
            found.few,
            None if np.isnan(found.placebo) else _digits(found.placebo, ROUND_CEILING, 1),
        )

    def detectable(
        self, ratios: list[tuple[str, list[str], list[int], Any]]
    ) -> list[tuple[str, int, float]]:
        """Medians over shown clusters by facet and level, the highest level first."""
        medians = []
        for facet, ids, levels, values in ratios:
            of: dict[int, list[float]] = {}
            for cluster, level, value in zip(ids, levels, values, strict=True):
                if (facet, cluster) in self._clusters:
                    of.setdefault(level, []).append(float(value))
            for level in sorted(of, reverse=True):
                medians.append((facet, level, _digits(float(np.median(of[level])), ROUND_CEILING)))
        return medians

    def _since(self, day: int) -> date:
        found = self._first + timedelta(days=day)
        if self._granularity == "month":
            return found.replace(day=1)
        if self._granularity == "week":
            return found - timedelta(days=found.weekday())
        return found

    def _clears(self, found: Found) -> bool:
        sides = (found.before, found.after)
        if not all(self._enough(p.within(*side)) for p in found.parts for side in sides):
            return False
        if not self._protected:
            return True
        periods = self._printed.get((found.facet, found.cluster_id), [])
        return all(self._apart(part, side, periods) for part in found.parts[:1] for side in sides)

    def _apart(self, rows: Written, side: Days, periods: list[Days]) -> bool:
        """Whether nothing small is left between a side and the periods that are printed."""
        whole = np.zeros(len(rows.day), dtype=bool)
        for start, stop in periods:
            within = (rows.day >= start) & (rows.day < stop)
            if side[0] <= start and stop <= side[1]:
                whole |= within
            elif start < side[1] and side[0] < stop:
                outside = within & ((rows.day < side[0]) | (rows.day >= side[1]))
                if outside.any() and not self._enough(rows.take(outside)):
                    return False
        inside = (rows.day >= side[0]) & (rows.day < side[1])
        rest = inside & ~whole
        return not rest.any() or self._enough(rows.take(rest))

    def _enough(self, rows: Written) -> bool:
        each = np.sort(np.unique(rows.account, return_counts=True)[1])[::-1]
        if not len(each):
            return False
        counts = Counts(*(np.array([v]) for v in (each.sum(), len(each), each[0], each[:2].sum())))
        return bool(self._rule.clears(counts)[0])


@dataclass(frozen=True)
class Changes:
    """What changed lately in a run: private.

    Attributes
    ----------
    first
        The date of day 0.
    found
        The changes of all facets.
    """

    first: date
    found: Sequence[Found]


def alerts(
    rows: Rows, changes: Changes, thresholds: Thresholds, granularity: str
) -> list[Shown | None]:
    """Changes that may be shown as alerts of a release; how many may not is counted.

    Parameters
    ----------
    rows
        Of the release, with its clusters and trends; taken up here.
    changes
        What was found.
    thresholds, granularity
        Of the run and its trends.

    Returns
    -------
    list of Shown or None
        What is shown of each change, ``None`` where nothing is.
    """
    clusters, trends = (
        [dict(zip(TABLES[name].names, row, strict=True)) for row in rows.of.get(name, ())]
        for name in ("clusters", "trends")
    )
    showing = Showing(clusters, trends, granularity, thresholds, changes.first)
    every = [showing.shown(found) for found in changes.found]
    hidden: dict[str, int] = {}
    for found, shown in zip(changes.found, every, strict=True):
        if shown is None:
            hidden[found.facet] = hidden.get(found.facet, 0) + 1
        else:
            where = (shown.facet, shown.cluster_id, shown.kind, shown.since)
            sure = (shown.ratio, shown.low, shown.high, shown.q)
            rows.add("alerts", *where, *sure, in_words(shown))
    for facet, count in sorted(hidden.items()):
        rows.add("withheld", facet, "alerts", -1, "thresholds", count, None)
    return every


def in_words(shown: Shown) -> str:
    """What changed, in a few words: the cluster's title, and what it did."""
    if shown.value is None:
        what = _WORDS.get(shown.kind, shown.kind)
    else:
        more = "more" if shown.ratio >= 1 else "less"
        what = f"{shown.kind.removesuffix(' shift')}, {more} {shown.value}"
    few = ", carried by few accounts" if shown.few else ""
    return f"{shown.title}: {what}{few}"


def _digits(value: float, rounding: str | None = None, digits: int = DIGITS) -> float:
    """A number with few digits, rounded as told."""
    if not np.isfinite(value):
        return float(value)
    return float(Context(prec=digits, rounding=rounding).create_decimal_from_float(value))
