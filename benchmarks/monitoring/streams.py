"""Streams of conversations by account, cluster and day, for what is measured of monitoring.

No text: an account's activity falls with its rank to the power of -.8, it lives for some months,
half of what it writes is about four favourite clusters; weekends are quiet; the whole grows; every
cluster's share wobbles from day to day by a gamma law.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clio.monitoring import Activity, Tree

WEEKDAYS = np.array([1.0, 1.05, 1.05, 1.0, 0.9, 0.6, 0.65])
FAVOURITES = 4
HIGHEST = 2.5


@dataclass(frozen=True)
class World:
    """How a stream is made.

    Attributes
    ----------
    clusters, weekly, weeks, accounts
        Leaves, conversations a week, length, and how many accounts there are at a time.
    wobble
        Standard deviation of a leaf's daily share, relative to it.
    lifetime
        Mean of an account's life in weeks.
    growth
        Of the whole over a year.
    """

    clusters: int = 2000
    weekly: int = 20_000
    weeks: int = 104
    accounts: int = 5_000
    wobble: float = 0.2
    lifetime: float = 26.0
    growth: float = 0.3


@dataclass(frozen=True)
class Planted:
    """More of one leaf, or of all leaves of a node, from a day on.

    Attributes
    ----------
    leaves, factor, day, ramp
        Which leaves, how many times as much, since when, and over how many days it grows.
    """

    leaves: np.ndarray
    factor: float
    day: int
    ramp: int = 0


def tree_of(clusters: int, rng: np.random.Generator) -> Tree:
    """Three levels: leaves in groups of about twelve, and those in groups of about ten."""
    middle, top = max(2, clusters // 12), max(2, clusters // 120)
    of_leaf = np.concatenate([np.arange(middle), rng.integers(0, middle, clusters - middle)])
    of_middle = np.concatenate([np.arange(top), rng.integers(0, top, middle - top)])
    parent = np.concatenate([clusters + of_leaf, clusters + middle + of_middle, np.full(top, -1)])
    return Tree.of(parent, np.arange(clusters))


def shares_of(clusters: int, rng: np.random.Generator, fixed: dict[int, float] | None = None):
    """Zipf's law with power .7, in random order; some leaves may be given a share."""
    share = np.arange(1, clusters + 1) ** -0.7
    share = rng.permutation(share / share.sum())
    given = fixed or {}
    rest = 1.0 - sum(given.values())
    for leaf in given:
        share[leaf] = 0.0
    share *= rest / share.sum()
    for leaf, value in given.items():
        share[leaf] = value
    return share


def stream(
    world: World, share: np.ndarray, rng: np.random.Generator, planted: Planted | None = None
) -> Activity:
    """One row a conversation, in order of days."""
    days = world.weeks * 7
    slots = world.accounts
    weight = np.cumsum(np.arange(1, slots + 1) ** -0.8)
    rate = world.weekly / WEEKDAYS.sum() * WEEKDAYS[np.arange(days) % 7]
    rate = rate * (1.0 + world.growth * np.arange(days) / 365.0)
    # Rows are thinned by the wobble, so that favourites wobble too.
    count = rng.poisson(rate * HIGHEST)
    day = np.repeat(np.arange(days), count)
    slot = np.searchsorted(weight, rng.random(len(day)) * weight[-1])
    # A slot is taken by one account after another: exponential lives, drawn as a Poisson process.
    turns = rng.random((slots,)) * world.lifetime * 7
    life = np.maximum(rng.exponential(world.lifetime * 7, (slots, 12)), 14.0)
    ends = np.cumsum(life, axis=1) - turns[:, None]
    turn = np.zeros(len(day), dtype=np.int64)
    for step in range(ends.shape[1] - 1):
        turn += day >= ends[slot, step]
    account = slot * ends.shape[1] + turn
    likely = np.cumsum(share)
    favourites = np.searchsorted(likely, rng.random((slots * ends.shape[1], FAVOURITES)))
    own = rng.random(len(day)) < 0.5
    leaf = np.searchsorted(likely, rng.random(len(day)) * likely[-1])
    pick = rng.integers(0, FAVOURITES, len(day))
    leaf = np.minimum(np.where(own, favourites[account, pick], leaf), len(share) - 1)
    shape = 1.0 / world.wobble**2
    wobble = np.minimum(rng.gamma(shape, 1 / shape, (days, len(share))).astype(np.float32), HIGHEST)
    kept = rng.random(len(day), dtype=np.float32) < wobble[day, leaf] / HIGHEST
    day, account, leaf = day[kept], account[kept], leaf[kept]
    if planted is not None:
        of = np.isin(leaf, planted.leaves)
        grown = np.clip((day - planted.day + 1) / max(planted.ramp, 1), 0.0, 1.0)
        more = rng.poisson(np.where(of, (planted.factor - 1.0) * grown, 0.0))
        # Others come to it too: who they are is drawn from all who are active that day.
        at = np.repeat(np.arange(len(day)), more)
        starts = np.searchsorted(day, np.arange(days + 1))
        who = starts[day[at]] + (
            rng.random(len(at)) * (starts[day[at] + 1] - starts[day[at]])
        ).astype(np.int64)
        day = np.concatenate([day, day[at]])
        account = np.concatenate([account, account[who]])
        leaf = np.concatenate([leaf, leaf[at]])
        order = np.argsort(day, kind="stable")
        day, account, leaf = day[order], account[order], leaf[order]
    account = np.unique(account, return_inverse=True)[1]
    return Activity.of(account, leaf, day)


def history(activity: Activity, until: int, longest: int = 140) -> Activity:
    """What a look at the end of a day sees; the first day keeps its day of the week."""
    start = max(0, (until - longest) // 7 * 7)
    low, high = np.searchsorted(activity.day, (start, until))
    part = activity.take(slice(low, high))
    account = np.unique(part.account, return_inverse=True)[1]
    return Activity(account, part.leaf, part.day - start, part.weight)
