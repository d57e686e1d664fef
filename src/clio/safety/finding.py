"""Groups of accounts that act together more than chance allows, calibrated on groups.

An edge between two accounts is not what is judged: among millions of pairs many are surprising.
What is judged is a group of m accounts, against the largest surprise at which the null holds any
group of m (max-T; Westfall and Young, *Resampling-Based Multiple Testing*, 1993), for several m.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from clio.errors import SettingsError
from clio.safety.graphs import components, members
from clio.safety.nulls import Rows, exchanged, layers, strata
from clio.safety.pairs import (
    SIZES,
    Pairs,
    Traits,
    first_scores,
    groups_above,
    score_pairs,
)

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]

DECLARED_RATE: Final = 0.05
"""Of the runs in which no accounts act together, so many at most have any group reported."""

LEAST_NULLS: Final = math.ceil(1 / DECLARED_RATE) - 1
"""With fewer draws no result is as rare as `DECLARED_RATE`: one run among n + 1 is the first."""

LEAST_SCORE: Final = 5.0
"""Nats that a pair needs, whatever the null says: it may hold no pair at all."""

MAX_INFLATION: Final = 1.2
"""Tied accounts outside the groups for one of the null; beyond this the null does not fit.

Accounts and not pairs are counted, or one class with two tasks would outweigh all others.
"""

_TIED: Final = 3.0
"""Nats of a tie that counts for the fit of the null: enough that many have one."""

_FEW_TIED: Final = 30
"""With fewer tied accounts in the null its fit is not known."""

LARGE: Final = (30, 5_000)
"""Accounts of the traits that large groups are found by; one of 60 hides its own from the pairs."""

LARGE_TRAITS: Final = 3
"""Traits that a large group has in common, and each of its members at least."""

_LEAST_OVERLAP: Final = 0.1

_FLOORS: Final = np.array([LEAST_SCORE] * len(SIZES) + [_LEAST_OVERLAP])
_LEAST_SPREADS: Final = np.array([1.0] * len(SIZES) + [0.05])
"""Nats, and overlap, that a spread is at least: most draws may have nothing over the floor."""

_UPPER: Final = 0.9


@dataclass(frozen=True, slots=True)
class Limits:
    """How high the null goes, by rank alone; no law of its tail is assumed.

    A run has one peak by kind: the highest score that leaves a group of each of `SIZES`, and the
    largest overlap. Peaks are put on one scale, that of the draws and the observed run together:
    were the observed run one more draw, it would be the highest of the n + 1 once in n + 1 times,
    whatever the law of the scores (Phipson and Smyth, "Permutation p-values should never be zero",
    2010). What lies under the floor counts as the floor, so that draws without any group are ranks
    too and no fit can take them for a narrow law.

    Attributes
    ----------
    middle, spread
        Of the peaks by kind, (6,) float64: median, and from there to the ninth decile.
    heights
        (nulls,) float64, sorted: of each draw the highest of its peaks, in spreads.
    """

    middle: Floats
    spread: Floats
    heights: Floats

    @classmethod
    def of(cls, nulls: Floats, observed: Floats) -> Limits:
        """From the peaks of each null, ``(nulls, 6)``, and of the observed run, ``(6,)``."""
        peaks = np.maximum(np.vstack([nulls, observed]), _FLOORS)
        middle = np.median(peaks, axis=0)
        spread = np.maximum(np.quantile(peaks, _UPPER, axis=0) - middle, _LEAST_SPREADS)
        heights = np.sort(((peaks - middle) / spread).max(axis=1)[:-1])
        return cls(middle, spread, np.asarray(heights, np.float64))

    def thresholds(self) -> Floats:
        """Peaks that fewer of the draws pass than are put up with, (6,) float64."""
        allowed = math.floor(DECLARED_RATE * (len(self.heights) + 1))
        return np.asarray(self.middle + self.spread * self.heights[-allowed], np.float64)

    def chance(self, peaks: Floats) -> float:
        """Share of the runs that reach any of the peaks, this one counted among the draws."""
        height = ((np.maximum(peaks, _FLOORS) - self.middle) / self.spread).max()
        return float((1 + np.count_nonzero(self.heights >= height)) / (len(self.heights) + 1))


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts that have more in common than chance allows.

    Attributes
    ----------
    accounts
        Sorted numbers.
    score
        Mean surprise of a member's strongest tie, in nats; of a large group the log of its size.
    chance
        Share of the runs that hold such a group where no accounts act together; never under one
        in the number of draws and one.
    """

    accounts: Ids
    score: float
    chance: float


@dataclass(frozen=True, slots=True)
class Found:
    """Groups, and how well the null fits.

    Attributes
    ----------
    groups
        By first account.
    thresholds
        Nats by size of group, `SIZES`.
    inflation
        Accounts outside the groups that are tied to any, for one of the null; NaN where there are
        too few.
    null_fits
        Whether the chances may be believed: the inflation is within `MAX_INFLATION`, or no more
        than some null has by itself.
    """

    groups: list[Group]
    thresholds: dict[int, float]
    inflation: float
    null_fits: bool


def find_groups(
    rows: Rows,
    parents: Sequence[NDArray[np.int32]],
    *,
    nulls: int = 50,
    seed: int = 0,
    advanced: Callable[[int], None] = lambda _: None,
) -> Found:
    """Groups of accounts that act together.

    Parameters
    ----------
    rows
        The conversations.
    parents
        The tree of clusters, level by level; see `clio.safety.nulls.strata`.
    nulls
        How often the null is drawn.
    seed
        Of the draws.
    advanced
        Told of each null that is done.

    Raises
    ------
    SettingsError
        There are fewer nulls than `LEAST_NULLS`.
    """
    if nulls < LEAST_NULLS:
        raise SettingsError(
            f"{nulls} draws of the null cannot hold false groups to {DECLARED_RATE:.0%} of runs; "
            f"take at least {LEAST_NULLS}"
        )
    accounts = rows.accounts
    stratum = strata(rows, parents)
    peaks = np.empty((nulls, len(_FLOORS)))
    expected, most = 0, 0
    for at in range(nulls):
        traits = exchanged(rows, stratum, np.random.default_rng([seed, at]))
        pairs = score_pairs(traits, accounts)
        peaks[at] = _peaks(traits, pairs, accounts)
        tied = len(_tied(pairs))
        expected, most = expected + tied, max(most, tied)
        advanced(1)
    observed = layers(rows)
    pairs = score_pairs(observed, accounts)
    limits = Limits.of(peaks, _peaks(observed, pairs, accounts))
    *thresholds, overlap = limits.thresholds().tolist()
    small = groups_above(pairs, accounts, np.array(thresholds))
    crowds, overlaps = _large_groups(observed, overlap)
    groups = _united(small, crowds, accounts)
    inside = np.zeros(accounts, bool)
    found = []
    for group in groups:
        inside[group] = True
        found.append(_judged(group, pairs, accounts, limits, overlaps))
    apart = ~(inside[pairs.one] | inside[pairs.other])
    outside = len(_tied(Pairs(pairs.one[apart], pairs.other[apart], pairs.score[apart])))
    known = expected >= _FEW_TIED * nulls
    inflation = outside / (expected / nulls) if known else float("nan")
    fits = not (inflation > MAX_INFLATION and outside > most)
    return Found(found, dict(zip(SIZES, thresholds, strict=True)), inflation, fits)


def _peaks(traits: Sequence[Traits], pairs: Pairs, accounts: int) -> Floats:
    """The highest score that leaves a group of each size, and the largest overlap: (6,)."""
    overlap = max(_overlaps(layer)[3].max(initial=0.0) for layer in traits)
    return np.append(first_scores(pairs, accounts), overlap)


def _tied(pairs: Pairs) -> Ids:
    strong = pairs.score > _TIED
    both = np.sort(np.concatenate([pairs.one[strong], pairs.other[strong]]))
    return np.asarray(both[np.diff(both, prepend=-1) != 0])


def _judged(
    group: Ids,
    pairs: Pairs,
    accounts: int,
    limits: Limits,
    overlaps: dict[int, float],
) -> Group:
    within = np.isin(pairs.one, group) & np.isin(pairs.other, group)
    own = Pairs(pairs.one[within], pairs.other[within], pairs.score[within])
    best = np.zeros(accounts)
    np.maximum.at(best, own.one, own.score)
    np.maximum.at(best, own.other, own.score)
    overlap = max((overlaps.get(int(account), 0.0) for account in group), default=0.0)
    chance = limits.chance(np.append(first_scores(own, accounts), overlap))
    return Group(group, float(best[group].mean()), chance)


def _united(small: list[Ids], large: list[Ids], accounts: int) -> list[Ids]:
    """Groups that share an account are one."""
    chains = [*small, *large]
    one = np.concatenate([c[:-1] for c in chains]) if chains else np.empty(0, np.int64)
    other = np.concatenate([c[1:] for c in chains]) if chains else np.empty(0, np.int64)
    return members(components(one, other, accounts), SIZES[0])


def _overlaps(traits: Traits) -> tuple[Ids, Ids, int, Floats]:
    """Jaccard of the accounts of two popular traits, for each pair of them that has common ones."""
    account, trait = traits.distinct
    degree = np.bincount(trait) if len(trait) else np.empty(0, np.int64)
    kept = ((degree >= LARGE[0]) & (degree <= LARGE[1]))[trait]
    account, trait = account[kept], trait[kept]
    if len(trait) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64), 0, np.empty(0)
    size = (int(account.max()) + 1, len(degree))
    has = csr_array((np.ones(len(trait), np.float32), (account, trait)), shape=size)
    common = (has.T @ has).tocoo()
    above = common.row < common.col
    one, other = common.row[above].astype(np.int64), common.col[above].astype(np.int64)
    jaccard = common.data[above] / (degree[one] + degree[other] - common.data[above])
    return one, other, len(degree), np.asarray(jaccard, np.float64)


def _large_groups(layers: Sequence[Traits], threshold: float) -> tuple[list[Ids], dict[int, float]]:
    """Groups whose popular traits have the same accounts, and the overlap that shows it."""
    found: list[Ids] = []
    strength: dict[int, float] = {}
    for traits in layers:
        one, other, count, jaccard = _overlaps(traits)
        strong = jaccard > threshold
        if not strong.any():
            continue
        group = components(one[strong], other[strong], count)
        account, trait = traits.distinct
        for together in members(group, LARGE_TRAITS):
            has = np.bincount(account[np.isin(trait, together)])
            crowd = np.flatnonzero(has >= LARGE_TRAITS).astype(np.int64)
            if len(crowd) < SIZES[0]:
                continue
            found.append(crowd)
            best = float(jaccard[strong & np.isin(one, together)].max())
            strength.update({int(a): max(best, strength.get(int(a), 0.0)) for a in crowd})
    return found, strength
