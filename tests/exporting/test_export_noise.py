"""Noise: where it is cut, how wide it is, and that nothing seeds it."""

from __future__ import annotations

import math
import random
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.errors import SettingsError
from clio.exporting.noise import bound_of, deviation, laplace, require, tail, truncated_laplace


@given(st.floats(0.01, 3.0), st.floats(1e-12, 1e-3))
def test_the_cut_is_the_least_that_costs_delta(epsilon: float, delta: float) -> None:
    def outermost(k: int) -> float:
        q = math.exp(-epsilon)
        return (1 - q) * q**k / (1 + q - 2 * q ** (k + 1))

    k = bound_of(epsilon, delta)
    assert outermost(k) <= delta * (1 + 1e-9)
    assert k == 0 or outermost(k - 1) > delta * (1 - 1e-9)


@pytest.mark.parametrize(
    ("epsilon", "delta", "half"), [(1 / 3, 1e-6 / 3, 40), (2 / 3, 1e-8 / 3, 28), (1.0, 1e-6, 14)]
)
def test_places_are_named_where_the_optimal_choice_names_half_of_them(
    epsilon: float, delta: float, half: int
) -> None:
    """The recurrence of Desfontaines et al. 2022, theorem 1, computed here step by step."""
    chance, n = 0.0, 0
    while chance < 0.5:
        chance = min(
            math.exp(epsilon) * chance + delta,
            1 - math.exp(-epsilon) * (1 - chance - delta),
            1.0,
        )
        n += 1
    k = bound_of(epsilon, delta)
    assert abs(n - k) <= 1
    assert abs(k - half) <= 1


def test_cut_noise_never_names_what_nobody_is_in() -> None:
    noised, bound = truncated_laplace(np.zeros(20_000, dtype=np.int64), epsilon=1.0, delta=0.01)
    assert noised.max() <= bound
    assert noised.min() >= -bound
    assert (noised != 0).any()


@pytest.mark.parametrize(("sensitivity", "epsilon"), [(1, 0.5), (3, 1.0)])
def test_noise_is_as_wide_as_it_says(sensitivity: int, epsilon: float) -> None:
    drawn = laplace(np.full(40_000, 7), sensitivity=sensitivity, epsilon=epsilon) - 7
    wide = deviation(sensitivity, epsilon)
    # Ten standard errors of each estimate: fails once in more than 10^20 times.
    assert abs(drawn.mean()) < 10 * wide / 200
    assert drawn.std() == pytest.approx(wide, rel=10 * math.sqrt(5 / 40_000) / 2)
    reached = tail(sensitivity, epsilon, 0.1)
    rate = (drawn >= reached).mean()
    assert rate < 0.1 + 10 * math.sqrt(0.09 / 40_000)


def test_no_seed_reaches_the_noise() -> None:
    drawn = []
    for _ in range(2):
        np.random.seed(0)
        random.seed(0)
        drawn.append(laplace(np.zeros(200, dtype=np.int64), sensitivity=3, epsilon=0.5).tolist())
    assert drawn[0] != drawn[1]  # equal once in more than 10^200 times


def test_without_the_library_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opendp", None)
    with pytest.raises(SettingsError, match=r"clio-insights\[privacy\]"):
        require()


def test_nothing_to_count_needs_no_noise() -> None:
    empty = np.zeros((0, 3), dtype=np.int64)
    assert laplace(empty, sensitivity=3, epsilon=1.0).shape == (0, 3)
