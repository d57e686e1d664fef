"""What an event changed: days before against days after, and against other dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.sparse import csr_array

from clio.monitoring.activity import Activity, Floats, Ints, Tree
from clio.monitoring.counts import BASELINE_DAYS, daily_wobble
from clio.monitoring.descending import DECLARED_RATE, declared, named
from clio.monitoring.ratios import rate_ratio

EventKind = Literal["appeared", "vanished", "rise", "fall"]

PLACEBO_DATES: Final = 200
FEWEST_PLACEBOS: Final = 19
"""Fewer other dates cannot tell one in twenty, and are not asked."""

_STILL: Final = 0.01


@dataclass(frozen=True)
class EventChange:
    """A change of a cluster's share of everything, named once.

    Attributes
    ----------
    node, kind
        Where, and what.
    ratio, low, high
        Rate ratio with its account-robust 95 % interval.
    q
        False discovery rate at which it is declared.
    accounts
        Distinct accounts on the side that has more.
    placebo
        Share of other dates on which this cluster moved as much; NaN without such dates.
    """

    node: int
    kind: EventKind
    ratio: float
    low: float
    high: float
    q: float
    accounts: int
    placebo: float


@dataclass(frozen=True)
class Comparison:
    """Before and after a day.

    Attributes
    ----------
    before, after
        Days: first, and the one after the last.
    changes
        Named once each, the surest first.
    placebos
        How many other dates the changes were held against; 0 where the history has too few.
    dropped
        How many changes were seen that other dates show as often, and that are no event's.
    """

    before: tuple[int, int]
    after: tuple[int, int]
    changes: list[EventChange]
    placebos: int
    dropped: int


def compare(
    activity: Activity, tree: Tree, day: int, *, window: int = 14, seed: int = 0
) -> Comparison:
    """What changed on a day: `window` days before it against as many from it on.

    A change is named where its account-robust p value is declared down the tree and, where the
    history has at least `FEWEST_PLACEBOS` other dates whose windows do not touch the event's, no
    more than one in twenty of those saw the cluster move as far. Windows of placebo dates
    overlap one another, so that they are worth fewer than they are many.

    Parameters
    ----------
    activity
        One row a conversation.
    tree
        Of its clusters.
    day
        The event's first day, as in `activity`.
    window
        Days on each side, cut where the history ends.
    seed
        Of the choice of placebo dates.

    Raises
    ------
    ValueError
        The history has no day before the event, or none from it on.
    """
    if not 0 < day < activity.days:
        raise ValueError("an event lies inside the history")
    capped = activity.capped()
    before, after = (max(0, day - window), day), (day, min(activity.days, day + window))
    sides = [capped.within(*span) for span in (before, after)]
    daily, totals = capped.daily(tree), capped.totals()
    wobble = _wobble(daily, totals, before, after)
    ratio = rate_ratio(sides[0], sides[1], tree, wobble)
    changed, q = declared(tree, ratio.p)
    y0, y1 = daily[slice(*before)].sum(axis=0), daily[slice(*after)].sum(axis=0)
    expected = totals[slice(*after)].sum() / max(totals[slice(*before)].sum(), 1e-12)
    direction = np.where(y1 >= y0 * expected, 1, -1)

    def remains(node: int, without: Sequence[int]) -> bool:
        rest = np.setdiff1d(tree.leaves(node), np.concatenate([tree.leaves(n) for n in without]))
        part = np.zeros((tree.of_leaf.shape[0], 1))
        part[rest] = 1.0
        alone = Tree(np.array([-1]), csr_array(part))
        left = rate_ratio(sides[0], sides[1], alone, wobble[[node]])
        rose = 1 if left.value[0] >= 1 else -1
        return bool(left.p[0] <= _STILL and rose == direction[node])

    nodes = named(tree, changed, direction, y0 + y1, remains)
    dates = _other_dates(activity.days, before, after, window, seed)
    placebo = _placebo(daily, totals, dates, window, _score(y0, y1, expected), nodes)
    full = [activity.within(*span) for span in (before, after)]
    all_of = rate_ratio(full[0], full[1], tree.only(nodes), wobble[nodes])
    changes = [
        EventChange(
            node,
            _kind(y0[node], y1[node], int(direction[node])),
            float(all_of.value[at]),
            float(all_of.low[at]),
            float(all_of.high[at]),
            float(q[node]),
            int(max(all_of.accounts_before[at], all_of.accounts_after[at])),
            placebo[node],
        )
        for at, node in enumerate(nodes)
    ]
    kept = [c for c in changes if not c.placebo > DECLARED_RATE]
    kept.sort(key=lambda c: (c.q, c.node))
    return Comparison(before, after, kept, len(dates), len(changes) - len(kept))


def _wobble(
    daily: Floats, totals: Floats, before: tuple[int, int], after: tuple[int, int]
) -> Floats:
    """From four weeks before the event, or as many days as there are."""
    start = max(0, min(before[0], before[1] - BASELINE_DAYS))
    span = slice(start, before[1])
    return daily_wobble(
        daily[span], totals[span], start, after[1] - after[0], before[1] - before[0]
    )


def _kind(before: float, after: float, direction: int) -> EventKind:
    if before == 0:
        return "appeared"
    if after == 0:
        return "vanished"
    return "rise" if direction > 0 else "fall"


def _score(before: Floats, after: Floats, expected: Floats | float) -> Floats:
    """How far a node moved: the logarithm of the ratio over its error by counts alone."""
    ratio = np.log((after + 0.5) / ((before + 0.5) * expected))
    return np.asarray(np.abs(ratio) / np.sqrt(1.0 / (after + 0.5) + 1.0 / (before + 0.5)))


def _other_dates(
    days: int, before: tuple[int, int], after: tuple[int, int], window: int, seed: int
) -> Ints:
    """Days whose windows lie in the history and do not touch the event's; up to 200 of them."""
    all_days = np.arange(window, days - window + 1)
    clear = (all_days + window <= before[0]) | (all_days - window >= after[1])
    found = all_days[clear]
    if len(found) < FEWEST_PLACEBOS:
        return np.zeros(0, dtype=np.int64)
    if len(found) > PLACEBO_DATES:
        chosen = np.random.default_rng([seed, days]).choice(found, PLACEBO_DATES, replace=False)
        found = np.sort(chosen)
    return found


def _placebo(
    daily: Floats, totals: Floats, dates: Ints, window: int, seen: Floats, nodes: Sequence[int]
) -> dict[int, float]:
    """For each node the share of dates, itself included, on which it moved at least as far."""
    if not len(dates) or not nodes:
        return dict.fromkeys(nodes, float("nan"))
    own = np.concatenate([np.zeros((1, len(nodes))), daily[:, list(nodes)].cumsum(axis=0)])
    whole = np.concatenate([[0.0], totals.cumsum()])
    y0, y1 = own[dates] - own[dates - window], own[dates + window] - own[dates]
    e0, e1 = whole[dates] - whole[dates - window], whole[dates + window] - whole[dates]
    moved = _score(y0, y1, (e1 / np.maximum(e0, 1e-12))[:, None])
    as_far = (moved >= seen[list(nodes)][None, :]).sum(axis=0)
    share = (1.0 + as_far) / (len(dates) + 1.0)
    return {node: float(share[i]) for i, node in enumerate(nodes)}
