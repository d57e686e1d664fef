"""Groups of accounts that act together more than chance allows, calibrated on groups.

An edge between two accounts is not what is judged: among millions of pairs many are surprising.
What is judged is a group of m accounts, against the largest surprise at which the null holds any
group of m (max-T; Westfall and Young, *Resampling-Based Multiple Testing*, 1993), for several m.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

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

EXPECTED_GROUPS: Final = 0.02
"""Groups of the null, of each size, that are put up with."""

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
_EULER: Final = 0.5772156649


@dataclass(frozen=True, slots=True)
class Limits:
    """What the highest scores of the null come to: Gumbel's law by the method of moments."""

    middle: Floats
    scale: Floats
    highest: Floats

    @classmethod
    def of(cls, scores: Floats, floor: float) -> Limits:
        """From the highest scores of each null, ``(nulls, kinds)``."""
        seen = np.maximum(scores, floor)
        scale = np.maximum(seen.std(axis=0) * np.sqrt(6) / np.pi, 1e-3)
        return cls(seen.mean(axis=0) - _EULER * scale, scale, seen.max(axis=0))

    def thresholds(self) -> Floats:
        """Scores that the null passes at the expected rate, and no null has passed."""
        gumbel = self.middle - self.scale * np.log(-np.log1p(-EXPECTED_GROUPS))
        return np.asarray(np.maximum(gumbel, self.highest), np.float64)

    def chance(self, scores: Floats) -> float:
        """How often the null reaches any of the scores, at most."""
        # Far below the middle the exponent is clipped: the tail is 1 there anyhow.
        depth = np.minimum(-(scores - self.middle) / self.scale, 50.0)
        tail = -np.expm1(-np.exp(depth))
        return float(np.clip(tail.min() * len(tail), 1e-6, 1.0))


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
        Of a null that holds any such group.
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
    """
    accounts = rows.accounts
    stratum = strata(rows, parents)
    highest = np.full((nulls, len(SIZES)), -np.inf)
    overlaps = np.zeros((nulls, 1))
    expected, most = 0, 0
    for at in range(nulls):
        traits = exchanged(rows, stratum, np.random.default_rng([seed, at]))
        pairs = score_pairs(traits, accounts)
        highest[at] = first_scores(pairs, accounts)
        overlaps[at, 0] = max(_overlaps(layer)[3].max(initial=0.0) for layer in traits)
        tied = len(_tied(pairs))
        expected, most = expected + tied, max(most, tied)
        advanced(1)
    limits = Limits.of(highest, LEAST_SCORE)
    large = Limits.of(overlaps, _LEAST_OVERLAP)
    thresholds = limits.thresholds()

    observed = layers(rows)
    pairs = score_pairs(observed, accounts)
    small = groups_above(pairs, accounts, thresholds)
    crowds, least = _large_groups(observed, float(large.thresholds()[0]))
    groups = _united(small, crowds, accounts)
    inside = np.zeros(accounts, bool)
    found = []
    for group in groups:
        inside[group] = True
        found.append(_judged(group, pairs, accounts, limits, large, least))
    apart = ~(inside[pairs.one] | inside[pairs.other])
    outside = len(_tied(Pairs(pairs.one[apart], pairs.other[apart], pairs.score[apart])))
    known = expected >= _FEW_TIED * nulls
    inflation = outside / (expected / nulls) if known else float("nan")
    fits = not (inflation > MAX_INFLATION and outside > most)
    return Found(found, dict(zip(SIZES, thresholds.tolist(), strict=True)), inflation, fits)


def _tied(pairs: Pairs) -> Ids:
    strong = pairs.score > _TIED
    both = np.sort(np.concatenate([pairs.one[strong], pairs.other[strong]]))
    return np.asarray(both[np.diff(both, prepend=-1) != 0])


def _judged(
    group: Ids,
    pairs: Pairs,
    accounts: int,
    limits: Limits,
    large: Limits,
    overlaps: dict[int, float],
) -> Group:
    within = np.isin(pairs.one, group) & np.isin(pairs.other, group)
    own = Pairs(pairs.one[within], pairs.other[within], pairs.score[within])
    best = np.zeros(accounts)
    np.maximum.at(best, own.one, own.score)
    np.maximum.at(best, own.other, own.score)
    chance = limits.chance(np.maximum(first_scores(own, accounts), 0.0))
    overlap = max((overlaps.get(int(account), 0.0) for account in group), default=0.0)
    if overlap > 0:
        chance = min(chance, large.chance(np.array([overlap])))
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
