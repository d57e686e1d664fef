"""Is a count higher or lower than its history leads one to expect?

All counts are shares in disguise: they are compared with an *exposure*, the count of everything in
the same days, so that growth of the whole is no rise of a part.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from clio.monitoring.activity import WEEK, Floats

BASELINE_DAYS: Final = 28
GAP_DAYS: Final = 2
"""Days between baseline and the days looked at, so that a beginning is in neither by half."""

EARS_DAYS: Final = 7
EARS_FLOOR: Final = 0.5
"""Least standard deviation of a week's daily counts: seven equal ones are luck, not certainty."""

PRIOR_DISPERSION: Final = 1.5
PRIOR_DAYS: Final = 10.0
PRIOR_UNITS: Final = 20.0
_EVEN: Final = 1.0 + 1e-6
_DETECTABLE: Final = 3.2


def weekday_factors(counts: Floats, totals: Floats, first: int) -> Floats:
    """How much a node's share differs by the day of the week, shrunk towards not at all.

    Parameters
    ----------
    counts, totals
        Counts by day and node ``(days, nodes)``, and of everything ``(days,)``.
    first
        Number of the first of the days, of which the weekday is the remainder by 7.

    Returns
    -------
    Floats
        Shape ``(7, nodes)``: by remainder; 1 without history.
    """
    weekday = (first + np.arange(len(counts))) % WEEK
    share = counts.sum(axis=0) / max(totals.sum(), 1.0)
    seen, expected = np.zeros((WEEK, counts.shape[1])), np.zeros((WEEK, counts.shape[1]))
    np.add.at(seen, weekday, counts)
    np.add.at(expected, weekday, totals[:, None] * share)
    return np.asarray((seen + PRIOR_UNITS) / (expected + PRIOR_UNITS))


def expected_counts(counts: Floats, totals: Floats, first: int) -> Floats:
    """Counts that a steady share and the rhythm of the week would give, ``(days, nodes)``.

    Parameters
    ----------
    counts, totals, first
        As for `weekday_factors`.
    """
    factors = weekday_factors(counts, totals, first)
    weekday = (first + np.arange(len(counts))) % WEEK
    shape = totals[:, None] * factors[weekday]
    return np.asarray(shape * (counts.sum(axis=0) / np.maximum(shape.sum(axis=0), 1e-12)))


def daily_dispersion(counts: Floats, totals: Floats, first: int) -> Floats:
    """Variance of the daily counts over their mean, at least 1, shrunk towards 1.5.

    Pearson's statistic over the degrees of freedom; the prior weighs as much as ten days.

    Parameters
    ----------
    counts, totals, first
        As for `weekday_factors`.

    Returns
    -------
    Floats
        Shape ``(nodes,)``.
    """
    expected = expected_counts(counts, totals, first)
    safe = np.maximum(expected, 1e-12)
    # The weekdays were fitted too, as far as they were not shrunk away.
    of_weekday = counts.sum(axis=0) / WEEK
    spent = 1.0 + (WEEK - 1) * of_weekday / (of_weekday + PRIOR_UNITS)
    freedom = np.maximum(len(counts) - spent, 1.0)
    pearson = np.where(expected > 0, (counts - expected) ** 2 / safe, 0.0).sum(axis=0) / freedom
    pearson = np.maximum(pearson, 1.0)
    return np.asarray((PRIOR_DAYS * PRIOR_DISPERSION + freedom * pearson) / (PRIOR_DAYS + freedom))


def daily_wobble(counts: Floats, totals: Floats, first: int, days: int, days_before: int) -> Floats:
    """Variance that days, on which all accounts move alike, give the logarithm of a ratio.

    The excess of the dispersion over 1, relative to the daily mean, is the variance of a day's
    rate; a mean over ``n`` days has an ``n``-th of it.

    Parameters
    ----------
    counts, totals, first
        As for `weekday_factors`.
    days, days_before
        How many days the two sides of the ratio have.

    Returns
    -------
    Floats
        Shape ``(nodes,)``.
    """
    excess = daily_dispersion(counts, totals, first) - 1.0
    mean = np.maximum(counts.mean(axis=0), 1.0 / max(len(counts), 1))
    return np.asarray(excess / mean * (1.0 / max(days, 1) + 1.0 / max(days_before, 1)))


def clumping(weeks: list[Any]) -> Floats:
    """How many units of a week come from the account of an average unit, at least 1.

    What an account does on one day of a week tells what it does on the others, which dispersion
    from day to day does not see. For arrivals of accounts, each with a clump of ``c`` units, the
    variance of the sum is ``Σ c² / Σ c`` times its mean (compound Poisson). Few units are shrunk
    towards what holds for all nodes together.

    Parameters
    ----------
    weeks
        For each week of the baseline the sparse counts ``(accounts, nodes)``.

    Returns
    -------
    Floats
        Shape ``(nodes,)``.
    """
    squares = np.sum([week.multiply(week).sum(axis=0) for week in weeks], axis=0)
    units = np.sum([week.sum(axis=0) for week in weeks], axis=0)
    pooled = max(float(squares.sum() / max(units.sum(), 1.0)), 1.0)
    shrunk = (squares + PRIOR_UNITS * pooled) / (units + PRIOR_UNITS)
    return np.asarray(np.maximum(shrunk, 1.0))


def tails(
    recent: ArrayLike,
    before: ArrayLike,
    exposure: ArrayLike,
    exposure_before: ArrayLike,
    dispersion: ArrayLike,
) -> tuple[Floats, Floats]:
    """Chance of so high and of so low a count, given an earlier one.

    The negative-binomial predictive distribution: with ``m = (y + 1/2) E₁ / E₀`` its variance is
    ``φ m (1 + E₁ / E₀)``, the second factor for what the baseline does not know. For ``φ = 1``
    this is exactly the posterior predictive of Poisson counts under Jeffreys' prior.

    Parameters
    ----------
    recent, before
        Counts in the days looked at and in the baseline.
    exposure, exposure_before
        Counts of everything in the same days.
    dispersion
        ``φ``, at least 1.

    Returns
    -------
    high, low : Floats
        ``P(X >= recent)`` and ``P(X <= recent)``, of the broadcast shape.
    """
    y, y0, e, e0, phi = np.broadcast_arrays(
        *(
            np.asarray(v, dtype=np.float64)
            for v in (recent, before, exposure, exposure_before, dispersion)
        )
    )
    ratio = e / np.maximum(e0, 1e-12)
    mean = np.maximum((y0 + 0.5) * ratio, 1e-12)
    excess = np.maximum(phi * (1.0 + ratio), _EVEN) - 1.0
    law = stats.nbinom(mean / excess, 1.0 / (1.0 + excess))
    return np.asarray(law.sf(y - 1.0)), np.asarray(law.cdf(y))


def two_sided(high: Floats, low: Floats) -> Floats:
    """One p value for both directions."""
    return np.minimum(2.0 * np.minimum(high, low), 1.0)


def ears_t(counts: Floats, totals: Floats) -> tuple[Floats, Floats]:
    """The last day against the seven that end two days before it, for histories under four weeks.

    EARS's C2 (Hutwagner et al., *Journal of Urban Health* 80, 2003) takes a standard deviation
    from seven points as if it were known and alarms 15 to 40 times as often as it says. Here
    the quantile is that of t with 6 degrees of freedom, the mean's own error counts, and the
    standard deviation is that of a Poisson count, or half a unit, at least.

    Parameters
    ----------
    counts, totals
        Counts by day and node ``(days, nodes)``, at least ten days, and of everything ``(days,)``.

    Returns
    -------
    high, low : Floats
        Chance of so high and of so low a count, shape ``(nodes,)``.
    """
    past = slice(-1 - GAP_DAYS - EARS_DAYS, -1 - GAP_DAYS)
    level = totals[-1] / np.maximum(totals[past], 1.0)
    scaled = counts[past] * level[:, None]
    mean = scaled.mean(axis=0)
    spread = np.maximum(scaled.std(axis=0, ddof=1), np.maximum(np.sqrt(mean), EARS_FLOOR))
    z = (counts[-1] - mean) / (spread * np.sqrt(1.0 + 1.0 / EARS_DAYS))
    return (
        np.asarray(stats.t.sf(z, EARS_DAYS - 1)),
        np.asarray(stats.t.cdf(z, EARS_DAYS - 1)),
    )


def detectable_ratio(
    before: Floats, exposure: float, exposure_before: float, dispersion: Floats
) -> Floats:
    """The rise that would be seen in four of five cases at a level of one in a hundred.

    ``1 + 3.2 √(φ (1 + E₁ / E₀) / m)``: a smaller one may be there and not be named.
    """
    ratio = exposure / max(exposure_before, 1e-12)
    mean = (before + 0.5) * ratio
    return np.asarray(
        1.0 + _DETECTABLE * np.sqrt(dispersion * (1.0 + ratio) / np.maximum(mean, 1e-12))
    )
