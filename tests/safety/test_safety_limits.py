"""How high the null goes: by rank, whatever the law of its scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planting import LEAVES, background

from clio.errors import SettingsError
from clio.safety import DECLARED_RATE, LEAST_NULLS, find_groups
from clio.safety.finding import LEAST_SCORE, Limits
from clio.safety.pairs import SIZES

KINDS = len(SIZES) + 1


def peaks(rng: np.random.Generator, runs: int, law: str) -> np.ndarray:
    """Of runs without any ring: falling with size, most often nothing, or with a heavy tail."""
    score = {
        "light": lambda: 12 + rng.gumbel(size=(runs, KINDS)),
        "heavy": lambda: 8 + 3 * rng.pareto(1.5, (runs, KINDS)),
        "seldom": lambda: np.where(
            rng.random((runs, KINDS)) < 0.08, 5 + rng.exponential(4, (runs, KINDS)), -np.inf
        ),
    }[law]()
    score[:, -1] = 0.05 + 0.02 * rng.random(runs)
    return score


@pytest.mark.parametrize("law", ["light", "heavy", "seldom"])
@pytest.mark.parametrize("nulls", [LEAST_NULLS, 50])
def test_a_run_like_the_null_passes_at_the_declared_rate_at_most(law: str, nulls: int) -> None:
    rng = np.random.default_rng(0)
    repetitions, passed = 1000, 0
    for _ in range(repetitions):
        runs = peaks(rng, nulls + 1, law)
        limits = Limits.of(runs[1:], runs[0])
        over = bool((np.maximum(runs[0], 0.0) > limits.thresholds()).any())
        assert over == (limits.chance(runs[0]) <= DECLARED_RATE)
        passed += over
    error = np.sqrt(DECLARED_RATE * (1 - DECLARED_RATE) / repetitions)
    assert passed / repetitions <= DECLARED_RATE + 4 * error


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(LEAST_NULLS, 80))
def test_no_chance_is_smaller_than_one_run_among_all(seed: int, nulls: int) -> None:
    rng = np.random.default_rng(seed)
    runs = peaks(rng, nulls, "heavy")
    limits = Limits.of(runs, np.full(KINDS, 1e6))
    assert limits.chance(np.full(KINDS, 1e6)) == pytest.approx(1 / (nulls + 1))
    assert limits.chance(np.full(KINDS, -np.inf)) == 1.0


def test_nulls_that_hold_nothing_do_not_make_little_surprising() -> None:
    # Two of ten nulls once had a group; a fit of all ten took that for a law without any width.
    runs = np.full((LEAST_NULLS, KINDS), -np.inf)
    runs[:2, :3] = LEAST_SCORE + 3.0
    runs[:, -1] = 0.0
    seen = np.full(KINDS, -np.inf)
    seen[0] = LEAST_SCORE + 2.0
    seen[-1] = 0.0
    limits = Limits.of(runs, seen)
    assert not (seen > limits.thresholds()).any()
    assert limits.chance(seen) >= 3 / (LEAST_NULLS + 1)


def test_too_few_nulls_are_refused_with_what_would_do() -> None:
    rows = background(1, rows=200, accounts=50)
    with pytest.raises(SettingsError, match=str(LEAST_NULLS)):
        find_groups(rows, [np.zeros(LEAVES, np.int32)], nulls=LEAST_NULLS - 1)
