from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from clio.statistics import mean_interval, share_interval


def simulate(
    accounts: int, share: float, correlation: float, cap: int, times: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Conversations and those in the cluster by account, heavy-tailed, beta-binomial."""
    rng = np.random.default_rng(seed)
    n = np.minimum(np.floor(rng.pareto(1.2, (times, accounts)) + 1), cap)
    scale = (1 - correlation) / correlation
    p = rng.beta(share * scale, (1 - share) * scale, (times, accounts))
    return n, rng.binomial(n.astype(int), p).astype(float)


@pytest.mark.parametrize(
    ("accounts", "share", "correlation", "cap", "least"),
    [
        (2000, 0.05, 0.3, 200, 0.90),
        (500, 0.01, 0.3, 200, 0.93),
        (500, 0.05, 0.3, 20, 0.93),
        (500, 0.05, 0.3, 200, 0.93),
        (200, 0.5, 0.05, 200, 0.93),
        (100, 0.2, 0.6, 20, 0.92),
        (50, 0.3, 0.3, 200, 0.93),
    ],
)
def test_share_intervals_cover_where_wilson_does_not(
    accounts: int, share: float, correlation: float, cap: int, least: float
) -> None:
    times = 300 if accounts == 2000 else 600
    n, c = simulate(accounts, share, correlation, cap, times, seed=7)
    low, high = share_interval(
        c.sum(1), n.sum(1), (c * c).sum(1), (c * n).sum(1), (n * n).sum(1), accounts
    )
    coverage = ((low <= share) & (share <= high)).mean()
    assert coverage >= least
    p, total = c.sum(1) / n.sum(1), n.sum(1)
    z2 = 1.96**2
    centre = (p + z2 / 2 / total) / (1 + z2 / total)
    half = np.sqrt(z2 * (p * (1 - p) / total + z2 / 4 / total**2)) / (1 + z2 / total)
    assert coverage > (np.abs(centre - share) <= half).mean()


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=30),
    st.integers(-3, 3),
)
def test_share_lies_in_its_interval(rows: list[tuple[int, int]], shift: int) -> None:
    c = np.array([a for a, _ in rows], dtype=float)
    n = c + np.array([b for _, b in rows])
    total = n.sum()
    # Rounded counts do not fit the sums of squares exactly, and still work.
    inside = float(np.clip(c.sum() + shift, 0, total))
    low, high = share_interval(
        inside, total, (c**2).sum(), (c * n).sum(), (n**2).sum(), (n > 0).sum()
    )
    assert 0 <= low <= high <= 1
    if total:
        assert low <= inside / total <= high
    if (n > 0).sum() < 2:
        assert (low, high) == (0, 1)


def test_no_and_all_conversations_leave_doubt() -> None:
    low, high = share_interval([0, 100], 100, [0, 100], [0, 100], 100, 100)
    assert low[0] == 0
    assert 0.03 < high[0] < 0.2
    assert high[1] == 1
    assert 0.8 < low[1] < 0.97


def test_mean_interval_equals_the_t_interval_for_equal_accounts() -> None:
    x = np.random.default_rng(3).normal(5, 2, 40)
    mean, low, high = mean_interval(x.sum(), 40, (x * x).sum(), x.sum(), 40, 40)
    expected = stats.t.interval(0.95, 39, x.mean(), x.std(ddof=1) / np.sqrt(40))
    assert mean == pytest.approx(x.mean())
    assert (low, high) == pytest.approx(expected)


def test_mean_intervals_cover() -> None:
    rng = np.random.default_rng(5)
    n = np.minimum(np.floor(rng.pareto(1.5, (500, 200)) + 1), 50)
    x = n * rng.normal(3, 1, n.shape) + np.sqrt(n) * rng.normal(0, 1, n.shape)
    _, low, high = mean_interval(
        x.sum(1), n.sum(1), (x * x).sum(1), (x * n).sum(1), (n * n).sum(1), 200
    )
    assert 0.91 <= ((low <= 3) & (high >= 3)).mean() <= 0.98


def test_unknown_means_and_bounds() -> None:
    mean, low, high = mean_interval([0, 7], [0, 2], [0, 49], [0, 14], [0, 4], [0, 1])
    assert np.isnan(mean[0])
    assert mean[1] == 3.5
    assert np.isinf(low).all()
    assert np.isinf(high).all()


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_levels_out_of_bounds_raise(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        share_interval(1, 2, 1, 2, 4, 2, level)
    with pytest.raises(ValueError, match="level"):
        mean_interval(1, 2, 1, 2, 4, 2, level)
