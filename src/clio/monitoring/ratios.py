"""Ratios of rates, and shifts of means, that know conversations come in clusters: the accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy import stats

from clio.monitoring.activity import Activity, Bools, Floats, Tree

LEVEL: Final = 0.95

MARGIN: Final = 1.05
"""Shares of large clusters wander by so much as accounts come and go: no change to speak of."""

WOBBLE_FREEDOM: Final = 37.0
"""Degrees of freedom of the dispersion from day to day: 27 of four weeks, 10 of its prior."""


@dataclass(frozen=True)
class Ratio:
    """Rates after over rates before, shape ``(nodes,)`` each.

    Attributes
    ----------
    value, low, high
        The ratio and its 95 % interval; 0 or infinite where one side is empty, NaN where both are.
    p
        Of no change, two-sided.
    error, freedom
        Standard error of the logarithm, and degrees of freedom of its t law; NaN where a side is
        empty.
    accounts_before, accounts_after
        Distinct accounts.
    """

    value: Floats
    low: Floats
    high: Floats
    p: Floats
    error: Floats
    freedom: Floats
    accounts_before: Floats
    accounts_after: Floats


def _sum(matrix: Any) -> Floats:
    return np.asarray(matrix.sum(axis=0), dtype=np.float64).ravel()


def _scaled(matrix: Any, by: Floats) -> Any:
    return matrix.multiply(1.0 / np.maximum(by, 1e-12)[None, :]).tocsr()


def rate_ratio(before: Activity, after: Activity, tree: Tree, wobble: Floats) -> Ratio:
    """Account-robust ratio of two rates.

    With ``x_a``, ``n_a`` an account's count in the node and in all, the logarithm of
    ``(Σ x₁ / Σ n₁) / (Σ x₀ / Σ n₀)`` is linearised over accounts::

        I_a = x₁ₐ / Σ x₁ - x₀ₐ / Σ x₀ - (n₁ₐ / Σ n₁ - n₀ₐ / Σ n₀),    V = A / (A - 1) Σ I_a²

    so that accounts seen on both sides count as what they are. ``V`` is at least that of
    Poisson counts; to it comes what moves all accounts alike from day to day, which accounts
    cannot show. t has ``min(k₁, k₀) - 1`` degrees of freedom for the first part, ``k`` Kish's
    effective number of accounts, and 37 for the second. The p value is that of no change beyond
    `MARGIN`. Where a side is empty, the accounts of the other are compared by their number
    (Clopper and Pearson).

    Parameters
    ----------
    before, after
        Everything that was written on each side.
    tree
        The nodes, whose rates are shares of it.
    wobble
        Variance that days give the logarithm of the ratio, shape ``(nodes,)``; see
        `clio.monitoring.counts.daily_wobble`.
    """
    accounts = int(max(before.account.max(initial=0), after.account.max(initial=0))) + 1
    x0, x1 = before.by_account(tree, accounts), after.by_account(tree, accounts)
    all0, all1 = before.of_each(accounts), after.of_each(accounts)
    y0, y1 = _sum(x0), _sum(x1)
    n0, n1 = max(float(all0.sum()), 1e-12), max(float(all1.sum()), 1e-12)
    general = all1 / n1 - all0 / n0
    own = _scaled(x1, y1) - _scaled(x0, y0)
    spread = _sum(own.multiply(own)) - 2.0 * np.asarray(own.T @ general) + (general**2).sum()
    active = np.count_nonzero(all0 + all1)
    poisson = 1.0 / np.maximum(y0, 1.0) + 1.0 / np.maximum(y1, 1.0)
    variance = np.maximum(spread * active / max(active - 1, 1), poisson) + wobble
    kish0 = y0**2 / np.maximum(_sum(x0.multiply(x0)), 1e-12)
    kish1 = y1**2 / np.maximum(_sum(x1.multiply(x1)), 1e-12)
    carriers = np.maximum(np.minimum(kish0, kish1) - 1.0, 1.0)
    # Welch and Satterthwaite's, of a variance with two parts.
    by_accounts = variance - wobble
    freedom = variance**2 / (by_accounts**2 / carriers + wobble**2 / WOBBLE_FREEDOM)
    both = (y0 > 0) & (y1 > 0)
    error = np.sqrt(np.where(both, variance, 1.0))
    log_ratio = np.log(np.where(both, y1, 1.0) * n0 / (np.where(both, y0, 1.0) * n1))
    half = stats.t.ppf(0.5 + LEVEL / 2.0, freedom) * error
    beyond = np.maximum(np.abs(log_ratio) - np.log(MARGIN), 0.0)
    p = 2.0 * stats.t.sf(beyond / np.maximum(error, 1e-12), freedom)
    a0, a1 = _sum(x0 > 0), _sum(x1 > 0)
    empty_value, empty_low, empty_high, empty_p = _one_side(a0, a1, n1 / n0)
    return Ratio(
        np.where(both, np.exp(log_ratio), empty_value),
        np.where(both, np.exp(log_ratio - half), empty_low),
        np.where(both, np.exp(log_ratio + half), empty_high),
        np.where(both, p, empty_p),
        np.where(both, error, np.nan),
        np.where(both, freedom, np.nan),
        a0,
        a1,
    )


def _one_side(a0: Floats, a1: Floats, exposure: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Ratio, bounds and p value where accounts are on one side only."""
    usual = exposure / (1.0 + exposure)
    count = a0 + a1
    tail = (1.0 - LEVEL) / 2.0
    edge = tail ** (1.0 / np.maximum(count, 1.0))  # (1 - tail/2) bound of "all on one side"
    odds = edge / (1.0 - edge)
    rose = a1 > 0
    value = np.where(count == 0, np.nan, np.where(rose, np.inf, 0.0))
    low = np.where(count == 0, 0.0, np.where(rose, odds / exposure, 0.0))
    high = np.where(rose | (count == 0), np.inf, 1.0 / (odds * exposure))
    p = np.minimum(2.0 * np.where(rose, usual**count, (1.0 - usual) ** count), 1.0)
    return value, low, high, np.where(count == 0, 1.0, p)


@dataclass(frozen=True)
class Shift:
    """Means after against means before, shape ``(nodes,)`` each.

    Attributes
    ----------
    before, after
        The means.
    ratio, low, high
        Of the means, with its 95 % interval.
    p
        Of no change, two-sided; 1 where too few accounts answer to tell.
    """

    before: Floats
    after: Floats
    ratio: Floats
    low: Floats
    high: Floats
    p: Floats


@dataclass(frozen=True)
class Measured:
    """A measure of the conversations of one side.

    Attributes
    ----------
    sums, counts
        Sparse ``(accounts, nodes)``: the measure summed, and the conversations that have it.
    """

    sums: Any
    counts: Any


_WIDEST: Final = 50.0

LEAST_ACCOUNTS: Final = 10
"""Effective accounts a side under which a shift of a mean is not tested."""


def shift(before: Measured, after: Measured, *, share: bool) -> Shift:
    """Account-robust difference of two means.

    Each side's variance is linearised over accounts around the mean of both sides (Cochran,
    *Sampling Techniques*, 1977, §6.4), and t has as many degrees of freedom as the side with
    fewer effective accounts. Of a share, the variance is at least ``p (1 - p) / k``, and ``k`` the
    effective number of accounts that have it or, if fewer, lack it, both sides together.

    Parameters
    ----------
    before, after
        The two sides.
    share
        Whether the measure is 0 or 1.
    """
    parts = [_moments(side) for side in (before, after)]
    n0, n1 = parts[0].counts, parts[1].counts
    pooled = (parts[0].sums + parts[1].sums) / np.maximum(n0 + n1, 1e-12)
    means = [part.sums / np.maximum(part.counts, 1e-12) for part in parts]
    variance = np.zeros_like(pooled)
    for part in parts:
        spread = part.sum_squares - 2.0 * pooled * part.cross + pooled**2 * part.squares
        own = np.maximum(spread, 0.0) / np.maximum(part.counts**2, 1e-12)
        own *= part.accounts / np.maximum(part.accounts - 1.0, 1.0)
        if share:
            own = np.maximum(own, pooled * (1.0 - pooled) / np.maximum(part.effective, 1.0))
        variance += own
    carriers = np.minimum(parts[0].effective, parts[1].effective)
    freedom = np.maximum(carriers - 1.0, 1.0)
    usable: Bools = (carriers >= LEAST_ACCOUNTS) & (variance > 0) & (means[0] > 0) & (means[1] > 0)
    if share:
        usable = (carriers >= LEAST_ACCOUNTS) & (variance > 0)
        having = np.minimum(pooled, 1.0 - pooled) * (parts[0].effective + parts[1].effective)
        freedom = np.clip(having - 1.0, 1.0, freedom)
    error = np.sqrt(np.where(usable, variance, 1.0))
    t = (means[1] - means[0]) / error
    p = np.where(usable, 2.0 * stats.t.sf(np.abs(t), freedom), 1.0)
    ratio = means[1] / np.maximum(means[0], 1e-12)
    # The interval's width is that of the difference, carried to the ratio by its own p value.
    half = stats.t.ppf(0.5 + LEVEL / 2.0, freedom) * error / np.maximum(pooled, 1e-12)
    return Shift(
        means[0],
        means[1],
        np.where(usable, ratio, np.nan),
        np.where(usable, ratio * np.exp(-half), 0.0),
        np.where(usable & (half < _WIDEST), ratio * np.exp(np.minimum(half, _WIDEST)), np.inf),
        p,
    )


@dataclass(frozen=True)
class _Moments:
    sums: Floats
    counts: Floats
    sum_squares: Floats
    cross: Floats
    squares: Floats
    accounts: Floats
    effective: Floats


def _moments(side: Measured) -> _Moments:
    counts, squares = _sum(side.counts), _sum(side.counts.multiply(side.counts))
    return _Moments(
        _sum(side.sums),
        counts,
        _sum(side.sums.multiply(side.sums)),
        _sum(side.sums.multiply(side.counts)),
        squares,
        _sum(side.counts > 0),
        counts**2 / np.maximum(squares, 1e-12),
    )
