"""A classifier's flags beside concern: where it flags less, or more, than it does elsewhere.

What is expected of a cluster is what the classifier does with conversations of the same concern in
all clusters (indirect standardisation; Breslow and Day, *Statistical Methods in Cancer Research*,
volume II, 1987, chapter 2). Clusters that stand out take no part in what is expected. How far
clusters differ by themselves is seen from the rest of them, and how alike one account's
conversations are from all accounts, so that neither many clusters nor a busy account makes a lead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.sparse import csr_array
from scipy.special import betainc
from scipy.stats import chi2, false_discovery_control

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEVEL: Final = 0.1
"""False discovery rate, over the clusters of all levels, at which a cluster is a lead."""

MARGIN: Final = 0.05
"""A gap that is surely no larger is nobody's lead: no classifier does the same everywhere."""

MIN_CONVERSATIONS: Final = 10
MIN_ACCOUNTS: Final = 5
"""Smaller clusters are not tested."""

UNKNOWN: Final = 0
"""Stratum of what has no answer."""

_OUTLIER: Final = 3.0
_ROUNDS: Final = 8
_MEDIAN: Final = float(chi2.ppf(0.5, 1))
_MAX_CORRELATION: Final = 0.9


@dataclass(frozen=True)
class Judged:
    """Conversations that a classifier has judged. All arrays are ``(n,)``.

    Attributes
    ----------
    account, leaf
        Numbers from 0, int64.
    flagged
        What the classifier said.
    stratum
        What it should go by: `UNKNOWN`, or a number from 1.
    half
        0 or 1: the earlier and the later half of the time; -1 where the date is not known.
    """

    account: Ids
    leaf: Ids
    flagged: Bools
    stratum: Ids
    half: Ids

    def __len__(self) -> int:
        return len(self.account)

    def take(self, rows: Any) -> Judged:
        """Some of the rows."""
        return Judged(
            self.account[rows],
            self.leaf[rows],
            self.flagged[rows],
            self.stratum[rows],
            self.half[rows],
        )


@dataclass(frozen=True)
class Gaps:
    """Flagged shares against what is expected, ``(nodes,)`` each; NaN where nothing is known.

    Attributes
    ----------
    conversations, accounts, flagged
        Counts.
    expected
        Share that would be flagged if the classifier did as it does elsewhere.
    q
        False discovery rate, over all nodes, at which the gap is no chance; 1 where not tested.
    """

    conversations: Ids
    accounts: Ids
    flagged: Ids
    expected: Floats
    q: Floats

    @property
    def gap(self) -> Floats:
        """Flagged share less the expected one: below 0 for likely misses."""
        share = self.flagged / np.maximum(self.conversations, 1)
        return np.where(self.conversations > 0, share - self.expected, np.nan)


@dataclass(frozen=True)
class Norm:
    """What a classifier does where nothing is out of the way.

    Attributes
    ----------
    rates, errors
        Flagged share by stratum and its standard error, float64.
    correlation
        Of two conversations of one account in a cluster, 0 to 1.
    spread
        Standard deviation of the flagged share between clusters, beside chance.
    """

    rates: Floats
    errors: Floats
    correlation: float
    spread: float


def norm_of(rows: Judged, leaves: int, *, ordered: bool) -> Norm:
    """What the classifier does in most clusters.

    Parameters
    ----------
    rows
        The conversations.
    leaves
        How many fine clusters there are.
    ordered
        Whether the strata from 1 on rise, as concern does: rates then never fall with them.
    """
    usual = np.ones(leaves, bool)
    # What stands out may hold all there is of a stratum.
    strata = int(rows.stratum.max(initial=0)) + 1
    for _ in range(_ROUNDS):
        kept = usual[rows.leaf]
        norm = _norm(rows.take(kept), leaves, strata, ordered)
        moments = _moments(rows, csr_array(np.eye(leaves)), norm)
        norm = replace(norm, spread=_spread(moments, usual))
        error = np.sqrt(moments.variance + norm.spread**2)
        inside = usual & (np.abs(moments.gap) <= _OUTLIER * error)
        # Where half of all is out of the way, nobody knows which half.
        if (inside == usual).all() or inside[rows.leaf].mean() < 0.5:
            break
        usual = inside
    return norm


def gaps(rows: Judged, of_leaf: Any, norm: Norm, *, tested: Bools | None = None) -> Gaps:
    """Flagged shares of all nodes against what is expected of them.

    Parameters
    ----------
    rows
        The conversations.
    of_leaf
        Sparse ``(leaves, nodes)``: 1 where a leaf is a node or lies under it.
    norm
        What is expected.
    tested
        Nodes that may be leads, if they are large enough; all where not given.
    """
    m = _moments(rows, of_leaf, norm)
    variance = m.variance + norm.spread**2
    large = (m.conversations >= MIN_CONVERSATIONS) & (m.accounts >= MIN_ACCOUNTS)
    tested = large if tested is None else large & tested
    q = np.ones(len(variance))
    if tested.any():
        p = _chance(m.share[tested], m.expected[tested], variance[tested])
        q[tested] = false_discovery_control(p)
    known = m.conversations > 0
    return Gaps(
        m.conversations.astype(np.int64),
        m.accounts.astype(np.int64),
        m.flagged.astype(np.int64),
        np.where(known, m.expected, np.nan),
        q,
    )


@dataclass(frozen=True)
class Drift:
    """How the gap changed from the earlier to the later half, ``(nodes,)`` each.

    Attributes
    ----------
    change, error
        In shares; NaN where a half is empty.
    q
        False discovery rate over all nodes; 1 where not tested.
    """

    change: Floats
    error: Floats
    q: Floats


def drift(rows: Judged, of_leaf: Any, norm: Norm) -> Drift:
    """Whether a gap opened or closed over time.

    Parameters
    ----------
    rows, of_leaf, norm
        As for `gaps`. Rows without a date take no part.

    Notes
    -----
    The halves count as independent, which is too careful where the same accounts are in both.
    """
    early, late = (_moments(rows.take(rows.half == half), of_leaf, norm) for half in (0, 1))
    known = (early.conversations > 0) & (late.conversations > 0)
    # Around the node's own gap: a cluster that is always out of the way does not drift by that.
    weight = early.conversations + late.conversations
    own = (early.flagged + late.flagged) / np.maximum(weight, 1)
    binomial = np.maximum(own * (1.0 - own), 1.0 / np.maximum(weight, 1))
    variance = sum(
        np.maximum(half.variance, binomial * half.clustering / np.maximum(half.conversations, 1))
        for half in (early, late)
    )
    error = np.sqrt(np.where(known, variance, np.nan))
    change = np.where(known, late.gap - early.gap, np.nan)
    tested = known & np.all(
        [
            (h.conversations >= MIN_CONVERSATIONS) & (h.accounts >= MIN_ACCOUNTS)
            for h in (early, late)
        ],
        axis=0,
    )
    q = np.ones(len(error))
    if tested.any():
        z2 = (change[tested] / error[tested]) ** 2
        q[tested] = false_discovery_control(chi2.sf(z2, 1))
    return Drift(change, error, q)


@dataclass(frozen=True)
class _Moments:
    conversations: Floats
    accounts: Floats
    flagged: Floats
    expected: Floats
    variance: Floats
    """Of the share, by chance and accounts alone."""
    clustering: Floats
    """How many times the variance is that of independent conversations."""

    @property
    def share(self) -> Floats:
        return np.asarray(self.flagged / np.maximum(self.conversations, 1))

    @property
    def gap(self) -> Floats:
        return self.share - self.expected


def _moments(rows: Judged, of_leaf: Any, norm: Norm) -> _Moments:
    rate = norm.rates[rows.stratum]
    binomial = rate * (1.0 - rate)
    accounts = int(rows.account.max(initial=-1)) + 1
    leaves = of_leaf.shape[0]

    def summed(values: Floats) -> Floats:
        by_leaf = np.bincount(rows.leaf, weights=values, minlength=leaves)
        return np.asarray(of_leaf.T @ by_leaf, np.float64)

    def of_accounts(values: Floats) -> Any:
        shape = (accounts, leaves)
        return csr_array((values, (rows.account, rows.leaf)), shape=shape) @ of_leaf

    held = of_accounts(np.sqrt(binomial))
    together = np.asarray(held.multiply(held).sum(axis=0), np.float64).ravel()
    alone = summed(binomial)
    n = summed(np.ones(len(rows)))
    variance = alone + norm.correlation * np.maximum(together - alone, 0.0)
    # What is expected is known from so many conversations and no more.
    unsure = sum(
        (summed((rows.stratum == at).astype(np.float64)) * error) ** 2
        for at, error in enumerate(norm.errors.tolist())
    )
    return _Moments(
        conversations=n,
        accounts=np.asarray((of_accounts(np.ones(len(rows))) > 0).sum(axis=0)).ravel(),
        flagged=summed(rows.flagged.astype(np.float64)),
        expected=summed(rate) / np.maximum(n, 1),
        variance=(variance + unsure) / np.maximum(n, 1) ** 2,
        clustering=variance / np.maximum(alone, 1e-12),
    )


def _norm(rows: Judged, leaves: int, strata: int, ordered: bool) -> Norm:
    """Half a conversation is added on each side of a rate, so that none is certain."""
    n = np.bincount(rows.stratum, minlength=strata).astype(np.float64)
    y = np.bincount(rows.stratum, weights=rows.flagged, minlength=strata)
    rates = np.asarray((y + 0.5) / (n + 1.0), np.float64)
    seen = 1 + np.flatnonzero(n[1:])
    if ordered and len(seen):
        rates[seen] = isotonic_regression(rates[seen], weights=n[seen]).x
    errors = np.sqrt(rates * (1.0 - rates) / (n + 1.0))
    if ordered and len(seen):
        # A stratum that only clusters out of the way have lies between its neighbours.
        for values in (rates, errors):
            values[1:] = np.interp(np.arange(1, strata), seen, values[seen])
    return Norm(rates, errors, _correlation(rows, rates, leaves), 0.0)


def _correlation(rows: Judged, rates: Floats, leaves: int) -> float:
    """Of two conversations of an account in a leaf, by the pairs of all accounts.

    Each account counts with its conversations, not with its pairs, or the busiest would decide.
    """
    rate = rates[rows.stratum]
    residual = (rows.flagged - rate) / np.sqrt(rate * (1.0 - rate))
    sizes = np.maximum(np.bincount(rows.leaf, minlength=leaves), 1)
    residual -= (np.bincount(rows.leaf, weights=residual, minlength=leaves) / sizes)[rows.leaf]
    key = np.unique(rows.account * leaves + rows.leaf, return_inverse=True)[1]
    n = np.bincount(key)
    total = np.bincount(key, weights=residual)
    squares = np.bincount(key, weights=residual**2)
    several = (n >= 2) & (squares > 0)
    if not several.any():
        return 0.0
    agreeing = (total[several] ** 2 - squares[several]) / (n[several] - 1)
    return float(np.clip(agreeing.sum() / squares[several].sum(), 0.0, _MAX_CORRELATION))


def _spread(moments: _Moments, usual: Bools) -> float:
    """Standard deviation between leaves that makes the median gap what chance gives.

    The median, since a few leaves that stand out move it little. What its own chance explains, one
    standard error above, is not taken for a spread.
    """
    chosen = usual & (moments.conversations >= MIN_CONVERSATIONS)
    if np.count_nonzero(chosen) < MIN_ACCOUNTS:
        return 0.0
    squares, variance = moments.gap[chosen] ** 2, moments.variance[chosen]
    density = float(chi2.pdf(_MEDIAN, 1))
    allowed = _MEDIAN + 0.5 / (density * np.sqrt(len(squares)))
    low, high = 0.0, float(squares.max()) / _MEDIAN
    if np.median(squares / variance) <= allowed:
        return 0.0
    for _ in range(60):
        middle = (low + high) / 2
        above = np.median(squares / (variance + middle)) > _MEDIAN
        low, high = (middle, high) if above else (low, middle)
    return float(np.sqrt(high))


def _chance(share: Floats, expected: Floats, variance: Floats) -> Floats:
    """Two-sided p of a share that is no further from the expected one than `MARGIN`."""
    above = _tail(share, np.minimum(expected + MARGIN, 1.0), variance)
    below = _tail(1.0 - share, np.minimum(1.0 - expected + MARGIN, 1.0), variance)
    return np.asarray(np.minimum(2.0 * np.minimum(above, below), 1.0))


def _tail(share: Floats, expected: Floats, variance: Floats) -> Floats:
    """Mid-p of at least a share, by the binomial law of as many conversations as they weigh."""
    n = np.maximum(expected * (1.0 - expected) / variance, 1.0)
    x = share * n
    # P(X >= x) is the incomplete beta function, which holds for broken numbers too.
    least = np.where(x > 0, betainc(np.maximum(x, 1e-9), n - x + 1.0, expected), 1.0)
    more = np.where(x < n, betainc(x + 1.0, np.maximum(n - x, 1e-9), expected), 0.0)
    return np.asarray((least + more) / 2.0)
