"""How surprising it is that two accounts share traits, and which groups of accounts that makes.

A trait is anything that few accounts have in common: a text, a text on a day, a fine cluster on a
day, the value of a label. The surprise of a pair is near the negative logarithm of the chance of so
many common rare traits among accounts that have ``d_i`` and ``d_j`` of them (a sparse form of the
test of Tumminello et al., "Statistically validated networks in bipartite complex systems", 2011)::

    sum ln(A / deg_t) - k ln(d_i d_j) + ln k!
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.special import gammaln

from clio.safety.graphs import components, members

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]

MAX_ACCOUNTS: Final = 50
"""Traits of more accounts are popular: they say little, and their pairs would not fit."""

MAX_PAIRS: Final = 100_000_000
"""Half the sum of squared degrees is held under this, by leaving out the most popular traits."""

MIN_SHARED: Final = 2
"""A single common trait is never evidence of acting together."""

SIZES: Final = (3, 4, 5, 7, 10)
"""Sizes of groups with a threshold each: a weaker tie will do where more accounts share it."""


@dataclass(frozen=True)
class Traits:
    """Who has which traits of one kind.

    Attributes
    ----------
    kind
        What the traits are.
    account, trait
        (n,) int64: pairs, in any order, repeated or not; a trait below 0 is none.
    """

    kind: str
    account: Ids
    trait: Ids

    @cached_property
    def distinct(self) -> tuple[Ids, Ids]:
        """Each pair of account and trait once, by trait; traits are numbered from 0 in order."""
        known = self.trait >= 0
        account, trait = self.account[known], self.trait[known]
        if len(trait) == 0:
            return account, trait
        width = int(account.max()) + 1
        # By sorting: NumPy's `unique` hashes, which takes five times as long.
        both = np.sort(trait * width + account)
        both = both[np.diff(both, prepend=-1) != 0]
        trait = both // width
        return both % width, np.cumsum(np.diff(trait, prepend=trait[0]) != 0)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of accounts with a surprise each, in nats.

    Attributes
    ----------
    one, other
        (n,) int64, ``one < other``, each pair once.
    score
        (n,) float64.
    """

    one: Ids
    other: Ids
    score: Floats


def score_pairs(layers: Sequence[Traits], accounts: int) -> Pairs:
    """Pairs of accounts with at least two common rare traits of a kind; surprises are summed.

    Parameters
    ----------
    layers
        Traits by kind. What is common to two kinds counts twice here as it does in a null made in
        the same way, which is what the sum must be judged by.
    accounts
        How many accounts there are.
    """
    keys, scores = [np.empty(0, np.int64)], [np.empty(0)]
    for traits in layers:
        key, score = _of_one_kind(traits, accounts)
        keys.append(key)
        scores.append(score)
    distinct, at = np.unique(np.concatenate(keys), return_inverse=True)
    summed = np.bincount(at, np.concatenate(scores), len(distinct)).astype(np.float64)
    return Pairs(distinct // accounts, distinct % accounts, summed)


def _of_one_kind(traits: Traits, accounts: int) -> tuple[Ids, Floats]:
    account, trait = traits.distinct
    degree = np.bincount(trait) if len(trait) else np.empty(0, np.int64)
    kept = (degree >= 2) & (degree <= _cap(degree))
    rows = kept[trait]
    account, trait = account[rows], trait[rows]
    if len(trait) == 0:
        return np.empty(0, np.int64), np.empty(0)
    present, place = np.unique(account, return_inverse=True)
    size = (len(present), len(degree))
    has = csr_array((np.ones(len(trait), np.float32), (place, trait)), shape=size)
    weight = np.log(accounts / np.maximum(degree, 1)) + 1e-9
    weighted = csr_array((weight[trait], (place, trait)), shape=size)
    shared = _upper(has @ has.T)
    surprise = _upper(weighted @ has.T)
    many = shared.data >= MIN_SHARED - 0.5
    one, other, k = shared.row[many], shared.col[many], shared.data[many].astype(np.float64)
    own = np.bincount(place).astype(np.float64)
    score = surprise.data[many] - k * np.log(own[one] * own[other]) + gammaln(k + 1)
    return present[one] * accounts + present[other], score


def _upper(product: csr_array) -> coo_array:
    """Entries above the diagonal, in the order of rows and columns."""
    product.sort_indices()
    entries = product.tocoo()
    above = entries.row < entries.col
    return coo_array(
        (entries.data[above], (entries.row[above].astype(np.int64), entries.col[above])),
        shape=product.shape,
    )


def _cap(degree: Ids) -> int:
    """The most accounts that a trait may have for all pairs to fit."""
    cap = MAX_ACCOUNTS
    while cap > 2 and np.sum(degree[degree <= cap] ** 2.0) / 2 > MAX_PAIRS:
        cap -= 1
    return cap


def first_scores(pairs: Pairs, accounts: int) -> Floats:
    """For each of `SIZES`, the highest threshold that leaves a group of this size.

    Parameters
    ----------
    pairs
        Of the accounts.
    accounts
        How many accounts there are.

    Returns
    -------
    (5,) float64; minus infinity where no threshold does.
    """
    found = np.full(len(SIZES), -np.inf)
    root = np.arange(accounts)
    size = np.ones(accounts, np.int64)
    reached = 1
    # The strongest first, a part of them at a time: a group of ten comes early.
    for at in np.argsort(-pairs.score, kind="stable").tolist():
        one, other = _root(root, int(pairs.one[at])), _root(root, int(pairs.other[at]))
        if one == other:
            continue
        if size[one] < size[other]:
            one, other = other, one
        root[other] = one
        size[one] += size[other]
        if size[one] > reached:
            reached = int(size[one])
            hit = (np.asarray(SIZES) <= reached) & np.isneginf(found)
            found[hit] = pairs.score[at]
            if reached >= SIZES[-1]:
                break
    return found


def _root(root: Ids, node: int) -> int:
    while root[node] != node:
        root[node] = root[root[node]]
        node = int(root[node])
    return node


def groups_above(pairs: Pairs, accounts: int, thresholds: Floats) -> list[Ids]:
    """Groups of at least each size whose members are joined by pairs above its threshold.

    Parameters
    ----------
    pairs
        Of the accounts.
    accounts
        How many accounts there are.
    thresholds
        (5,) in the order of `SIZES`.

    Returns
    -------
    Sorted accounts of each group; groups that touch are one.
    """
    joined_one, joined_other = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for size, threshold in zip(SIZES, thresholds.tolist(), strict=True):
        strong = pairs.score > threshold
        one, other = pairs.one[strong], pairs.other[strong]
        group = components(one, other, accounts)
        large = np.bincount(group, minlength=accounts)[group[one]] >= size
        joined_one.append(one[large])
        joined_other.append(other[large])
    one, other = np.concatenate(joined_one), np.concatenate(joined_other)
    return members(components(one, other, accounts), SIZES[0])
