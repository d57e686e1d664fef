"""Slow drifts, and a look every day: a detector whose false alarms are bounded without a schedule.

Shiryaev-Roberts e-detector (Shin, Ramdas and Rinaldo, *New England Journal of Statistics in Data
Science* 1, 2023): for each ratio ``r`` the statistic ``M ← L_r (M + 1)`` sums the likelihood ratios
of a change at every past day. Without a change its mean after ``n`` days is at most ``n``, so a
mixture that alarms at ``1 / a`` does so on average not before ``1 / a`` days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from clio.monitoring.activity import Floats, Ints

RATIOS: Final = (1.5, 2.0, 4.0)
STANDARD_ERRORS: Final = 2.0
"""The mean is taken so many standard errors towards the change, or its own error would alarm."""

_EVEN: Final = 0.01


@dataclass(frozen=True)
class Drift:
    """What the detector says of each node, shape ``(nodes,)``.

    Attributes
    ----------
    rise, fall
        The highest mixture over the days.
    """

    rise: Floats
    fall: Floats


def log_likelihood_ratio(counts: Floats, mean: Floats, ratio: float, dispersion: Floats) -> Floats:
    """How much better a mean `ratio` times as high explains counts: negative binomial, in logs.

    Parameters
    ----------
    counts, mean
        Shape ``(nodes,)``.
    ratio
        Of the means.
    dispersion
        Variance over the mean at `mean`; near 1 the law is Poisson's.
    """
    poisson = counts * np.log(ratio) - mean * (ratio - 1.0)
    size = mean / np.maximum(dispersion - 1.0, _EVEN)
    shrink = np.log((size + mean) / (size + ratio * mean))
    negative = counts * (np.log(ratio) + shrink) + size * shrink
    return np.asarray(np.where(dispersion > 1.0 + _EVEN, negative, poisson))


def drift(counts: Floats, mean: Floats, error: Floats, dispersion: Floats) -> Drift:
    """Run the detector over days, in both directions.

    Parameters
    ----------
    counts, mean
        Observed and expected counts, shape ``(days, nodes)``; none of `mean` is zero.
    error
        Relative standard error of the expectation, shape ``(nodes,)``.
    dispersion
        Variance over the mean, shape ``(nodes,)``.
    """
    return Drift(
        _highest(counts, mean * (1.0 + STANDARD_ERRORS * error), dispersion, RATIOS),
        _highest(
            counts,
            mean * np.maximum(1.0 - STANDARD_ERRORS * error, 0.01),
            dispersion,
            tuple(1.0 / r for r in RATIOS),
        ),
    )


def _highest(counts: Floats, mean: Floats, dispersion: Floats, ratios: tuple[float, ...]) -> Floats:
    logs = np.full((len(ratios), counts.shape[1]), -np.inf)
    best = np.full(counts.shape[1], -np.inf)
    for seen, usual in zip(counts, mean, strict=True):
        for at, ratio in enumerate(ratios):
            step = log_likelihood_ratio(seen, usual, ratio, dispersion)
            logs[at] = step + np.logaddexp(logs[at], 0.0)
        mixture = np.logaddexp.reduce(logs, axis=0) - np.log(len(ratios))
        best = np.maximum(best, mixture)
    return np.asarray(np.exp(np.minimum(best, 700.0)))


def onset(counts: Floats, mean: Floats) -> Ints:
    """The day since when counts differ most from their expectation, by likelihood.

    Parameters
    ----------
    counts, mean
        Shape ``(days, nodes)``.

    Returns
    -------
    Ints
        Shape ``(nodes,)``: the row from which on a changed share explains the counts best.
    """
    since = counts[::-1].cumsum(axis=0)[::-1]
    usual = np.maximum(mean[::-1].cumsum(axis=0)[::-1], 1e-12)
    gain = np.where(since > 0, since * np.log(np.maximum(since, 1e-12) / usual), 0.0)
    return np.asarray((gain - (since - usual)).argmax(axis=0), dtype=np.int64)
