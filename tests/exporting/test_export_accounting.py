"""What differential privacy costs, split and composed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from clio.exporting.accounting import Spend, composed, epsilon_of, split

EPSILONS = st.floats(0.01, 20.0)


@given(EPSILONS, st.integers(0, 4), st.integers(0, 20), st.booleans())
def test_the_parts_of_an_export_are_never_more_than_the_whole(
    epsilon: float, levels: int, dimensions: int, trends: bool
) -> None:
    parts = split(epsilon, 1e-8, levels=levels, dimensions=dimensions, trends=trends)
    assert parts.epsilon <= epsilon
    assert parts.epsilon == pytest.approx(epsilon)
    assert len(parts.levels) == levels
    assert len(parts.dimensions) == dimensions
    assert (parts.trends > 0) == trends
    assert all(e > 0 for e in (parts.leaves, *parts.levels, *parts.dimensions))
    assert 0 < parts.selection_delta < 1e-8
    # A pure mechanism is ½ε²-zCDP; parts that are drawn alone cost less than that.
    assert parts.rho <= epsilon**2 / 2


@given(st.floats(1e-6, 5.0), st.floats(1e-12, 1e-3))
def test_concentrated_privacy_as_epsilon_lies_between_the_exact_one_and_the_simple_bound(
    rho: float, delta: float
) -> None:
    found = epsilon_of(rho, delta)
    assert found <= rho + 2 * math.sqrt(rho * math.log(1 / delta)) + 1e-9
    # Gaussian noise of this ρ is known exactly (Balle and Wang 2018): no bound may be under it.
    a = math.sqrt(2 * rho)
    exact = norm.cdf(a / 2 - found / a) - math.exp(
        found + norm.logcdf(-a / 2 - found / a)
    )  # fmt: skip
    assert exact <= delta * (1 + 1e-6)


def _spend(epsilon: float) -> Spend:
    parts = split(epsilon, 1e-8, levels=2, dimensions=5, trends=True)
    return Spend(epsilon, 1e-8, parts.rho, parts.selection_delta)


@given(st.lists(EPSILONS, max_size=12))
def test_exports_together_cost_at_most_their_sum_and_at_least_the_dearest(
    epsilons: list[float],
) -> None:
    spends = [_spend(epsilon) for epsilon in epsilons]
    epsilon, delta = composed(spends)
    assert epsilon <= math.fsum(epsilons) + 1e-12
    assert delta == pytest.approx(1e-8 * len(spends))
    before = 0.0
    for number in range(1, len(spends) + 1):
        together, _ = composed(spends[:number])
        assert together >= before - 1e-9
        before = together


def test_many_small_exports_cost_less_than_their_sum() -> None:
    epsilon, delta = composed([_spend(0.1)] * 50)
    assert epsilon < 3.0
    assert delta == pytest.approx(5e-7)
    assert composed([]) == (0.0, 0.0)
