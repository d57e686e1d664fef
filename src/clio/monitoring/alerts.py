"""What changed lately: a look at the last week of a history, over the whole tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal

import numpy as np

from clio.monitoring import counts as counting
from clio.monitoring import detector
from clio.monitoring.activity import WEEK, Activity, Bools, Floats, Ints, Tree
from clio.monitoring.counts import BASELINE_DAYS, EARS_DAYS, GAP_DAYS
from clio.monitoring.descending import declared, named
from clio.monitoring.ratios import Ratio, rate_ratio

Kind = Literal["new", "rise", "fall"]
Method = Literal["week", "day", "drift"]

SHORTEST: Final = 1 + GAP_DAYS + EARS_DAYS
"""Days of history without which nothing can be said."""

DRIFT_DAYS: Final = 56
DRIFT_RATE: Final = 0.05
"""False alarms of slow drifts allowed in `DRIFT_DAYS`, over the whole tree: one in three years."""

LONGEST_REFERENCE: Final = 84
FEW: Final = 3
"""Accounts without which a change must still be seen, or few are said to carry it."""

_NEW: Final = 0.9
_STILL: Final = 0.01
_ROBUST: Final = 0.001
_CARRIED: Final = 0.05


@dataclass(frozen=True)
class Change:
    """One change, named once.

    Attributes
    ----------
    node
        Where in the tree.
    kind
        ``new``, ``rise`` or ``fall``.
    method
        What saw it: the week against four, the day against seven (histories under four weeks), or
        the detector of slow drifts.
    since
        The first day of it, by likelihood.
    recent, before
        Days that the ratio compares: first, and the one after the last. They adjoin each other, so
        that weeks are whole ones; the test leaves a gap of two days between them.
    ratio, low, high
        Rate ratio with its account-robust 95 % interval.
    q
        False discovery rate at which it is declared; of drifts, the expected number of false ones
        in the days looked at.
    accounts
        Distinct accounts in the recent days.
    few
        Whether few accounts carry it.
    """

    node: int
    kind: Kind
    method: Method
    since: int
    recent: tuple[int, int]
    before: tuple[int, int]
    ratio: float
    low: float
    high: float
    q: float
    accounts: int
    few: bool


@dataclass(frozen=True)
class Look:
    """What a look found.

    Attributes
    ----------
    changes
        Named once each, the surest first.
    detectable
        The ratio that a rise needs to be seen, shape ``(nodes,)``.
    method
        What looked at counts: ``week``, or ``day`` for histories under four weeks.
    """

    changes: list[Change]
    detectable: Floats
    method: Method


@dataclass(frozen=True)
class _Window:
    """Counts of two stretches of days; `activity` is capped."""

    uncapped: Activity
    activity: Activity
    tree: Tree
    accounts: int
    recent: tuple[int, int]
    before: tuple[int, int]
    daily: Floats
    totals: Floats

    def sums(self) -> tuple[Floats, Floats]:
        return (
            self.daily[slice(*self.recent)].sum(axis=0),
            self.daily[slice(*self.before)].sum(axis=0),
        )

    def exposures(self) -> tuple[float, float]:
        return (
            float(self.totals[slice(*self.recent)].sum()),
            float(self.totals[slice(*self.before)].sum()),
        )

    @cached_property
    def dispersion(self) -> Floats:
        """From day to day, and by what accounts repeat within a week, together."""
        start, stop = self.before
        span = slice(start, stop)
        daily = counting.daily_dispersion(self.daily[span], self.totals[span], start)
        weeks = [
            self.activity.within(day, min(day + WEEK, stop)).by_account(self.tree, self.accounts)
            for day in range(start, stop, WEEK)
        ]
        return daily + counting.clumping(weeks) - 1.0

    @property
    def adjacent(self) -> tuple[int, int]:
        """As many days as the baseline has, right before the recent ones."""
        start, stop = self.before
        return self.recent[0] - (stop - start), self.recent[0]

    @cached_property
    def wobble(self) -> Floats:
        """Variance of the logarithm of a ratio that days give it."""
        start, stop = self.before
        span, days = slice(start, stop), self.recent[1] - self.recent[0]
        return counting.daily_wobble(self.daily[span], self.totals[span], start, days, stop - start)

    def robust_p(self) -> Floats:
        """Of no change between accounts' capped counts."""
        sides = [self.activity.within(*days) for days in (self.adjacent, self.recent)]
        return rate_ratio(sides[0], sides[1], self.tree, self.wobble).p

    def ratio(self, nodes: Sequence[int]) -> Ratio:
        """Of all conversations, for some nodes in their order."""
        sides = [self.uncapped.within(*days) for days in (self.adjacent, self.recent)]
        return rate_ratio(sides[0], sides[1], self.tree.only(nodes), self.wobble[list(nodes)])


def look(activity: Activity, tree: Tree, *, baseline: int = BASELINE_DAYS) -> Look:
    """What changed in the last seven days of a history, and what drifted in the last eight weeks.

    Parameters
    ----------
    activity
        One row a conversation, up to the last day, which is looked at as a whole.
    tree
        Of its clusters.
    baseline
        Days of the history that the last week is compared with.

    Raises
    ------
    ValueError
        The history has fewer than `SHORTEST` days.
    """
    days = activity.days
    if days < SHORTEST:
        raise ValueError(f"a history of {days} days is too short: at least {SHORTEST}")
    capped = activity.capped()
    accounts = int(activity.account.max()) + 1
    long = days >= WEEK + GAP_DAYS + baseline
    length, before = (WEEK, baseline) if long else (1, EARS_DAYS)
    recent = (days - length, days)
    past = (days - length - GAP_DAYS - before, days - length - GAP_DAYS)
    daily, totals = capped.daily(tree), capped.totals()
    window = _Window(activity, capped, tree, accounts, recent, past, daily, totals)
    method: Method = "week" if long else "day"
    changes = _counts(window, method)
    taken = _related(tree, [change.node for change in changes])
    changes += [c for c in _drifts(window) if not taken[c.node]]
    exposure, exposure_before = window.exposures()
    detectable = counting.detectable_ratio(
        window.sums()[1], exposure, exposure_before, window.dispersion
    )
    return Look(sorted(changes, key=lambda c: (c.q, c.node)), detectable, method)


def _related(tree: Tree, nodes: Sequence[int]) -> Bools:
    """What is one of the nodes, above or below one of them."""
    leaves = np.asarray(tree.of_leaf[:, list(nodes)].sum(axis=1) > 0).ravel()
    return np.asarray(tree.of_leaf[leaves].sum(axis=0) > 0).ravel()


def _counts(window: _Window, method: Method) -> list[Change]:
    """Changes of counts, by the week or, in short histories, by the day."""
    tree, (y, y0), (e, e0) = window.tree, window.sums(), window.exposures()
    phi = window.dispersion
    if method == "day":
        high, low = counting.ears_t(window.daily, window.totals)
    else:
        high, low = counting.tails(y, y0, e, e0, phi)
    p = counting.two_sided(high, low)
    changed, q = declared(tree, p)
    direction = np.where(high <= low, 1, -1)
    start = window.before[1]
    mean = window.totals[start:, None] * (y0 / max(e0, 1e-12))
    onset = start + detector.onset(window.daily[start:], mean)
    return _named(window, changed, direction, q, onset, method)


def _named(
    window: _Window, changed: Bools, direction: Ints, q: Floats, onset: Ints, method: Method
) -> list[Change]:
    """Changes at the level that fits."""
    if not changed.any():
        return []
    (y, y0), (e, e0), phi = window.sums(), window.exposures(), window.dispersion

    def remains(node: int, without: Sequence[int]) -> bool:
        rest, rest0 = y[node] - y[list(without)].sum(), y0[node] - y0[list(without)].sum()
        tails = counting.tails(rest, rest0, e, e0, phi[node])
        return float(tails[0 if direction[node] > 0 else 1]) <= _STILL

    nodes = named(window.tree, changed, direction, y + y0, remains)
    ratio = window.ratio(nodes)
    found = []
    for at, node in enumerate(nodes):
        kind: Kind = "rise" if direction[node] > 0 else "fall"
        found.append(
            Change(
                node,
                "new" if kind == "rise" and _is_new(window, node) else kind,
                method,
                int(onset[node]),
                window.recent,
                window.adjacent,
                float(ratio.value[at]),
                float(ratio.low[at]),
                float(ratio.high[at]),
                float(q[node]),
                int(ratio.accounts_after[at]),
                _carried(window, node, int(direction[node]), float(phi[node])),
            )
        )
    return found


def _is_new(window: _Window, node: int) -> bool:
    """Whether nearly all there ever was of it is of the last four weeks, of eight at least."""
    lately = slice(max(len(window.daily) - BASELINE_DAYS, 0), None)
    if len(window.daily) < 2 * BASELINE_DAYS:
        return bool(window.daily[slice(*window.before), node].sum() == 0)
    return bool(window.daily[lately, node].sum() >= _NEW * window.daily[:, node].sum())


def _carried(window: _Window, node: int, direction: int, phi: float) -> bool:
    """Whether the change is no longer seen without the accounts that moved most."""
    own = window.activity.take(np.isin(window.activity.leaf, window.tree.leaves(node)))
    y, y0 = (
        np.bincount(side.account, weights=side.weight, minlength=window.accounts)
        for side in (own.within(*window.recent), own.within(*window.before))
    )
    e, e0 = window.exposures()
    moved = direction * (y - y0 * e / max(e0, 1e-12))
    kept = np.ones(len(y), dtype=bool)
    kept[np.argsort(-moved, kind="stable")[:FEW]] = False
    tails = counting.tails(y[kept].sum(), y0[kept].sum(), e, e0, phi)
    return float(tails[0 if direction > 0 else 1]) > _CARRIED


def _drifts(window: _Window) -> list[Change]:
    """Slow changes over up to eight weeks, against the weeks before them."""
    days, tree = len(window.daily), window.tree
    start = days - DRIFT_DAYS
    if start < BASELINE_DAYS:
        return []
    first = max(0, start - LONGEST_REFERENCE)
    reference = replace(window, recent=(start, days), before=(first, start))
    y0, e0, phi = reference.sums()[1], reference.exposures()[1], reference.dispersion
    span = slice(first, start)
    factors = counting.weekday_factors(window.daily[span], window.totals[span], first)
    weekday = np.arange(start, days) % WEEK
    share = (y0 + 0.5) / e0
    mean = np.maximum(window.totals[start:, None] * factors[weekday] * share, 1e-9)
    found = detector.drift(window.daily[start:], mean, np.sqrt(phi / (y0 + 0.5)), phi)
    # Two directions, and all nodes.
    bound = 2.0 * tree.nodes * DRIFT_DAYS / DRIFT_RATE
    direction: Ints = np.where(found.rise >= found.fall, 1, -1)
    best = np.maximum(found.rise, found.fall)
    # A share wanders as accounts come and go, which days cannot show; accounts can.
    changed = best >= bound
    if changed.any():
        changed &= reference.robust_p() <= _ROBUST
    q = np.minimum(2.0 * tree.nodes * DRIFT_DAYS / np.maximum(best, 1e-12), 1.0)
    onset = start + detector.onset(window.daily[start:], mean)
    return _named(reference, changed, direction, q, onset, "drift")
