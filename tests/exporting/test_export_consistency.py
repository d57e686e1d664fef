"""Noised counts made to agree."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clio.exporting.consistency import counted, fitted, whole_parts

NOISED = st.floats(-1e4, 1e4)
VARIANCE = st.floats(0.1, 1e3)


@st.composite
def noised_trees(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    size = draw(st.integers(2, 14))
    parent = [-1] + [draw(st.integers(0, i - 1)) for i in range(1, size)]
    value = [draw(NOISED) for _ in range(size)]
    variance = [draw(VARIANCE) for _ in range(size)]
    ends = set(range(size)) - set(parent)
    # What is no end may be left unmeasured.
    hidden = [i not in ends and draw(st.booleans()) for i in range(size)]
    return (
        np.array(parent),
        np.array(value),
        np.array([np.inf if h else v for h, v in zip(hidden, variance, strict=True)]),
    )


@given(noised_trees())
def test_the_two_passes_are_weighted_least_squares(tree: tuple[np.ndarray, ...]) -> None:
    parent, value, variance = tree
    ends = sorted(set(range(len(parent))) - set(parent.tolist()))
    design = np.zeros((len(parent), len(ends)))
    for column, end in enumerate(ends):
        node = end
        while node >= 0:
            design[node, column] = 1.0
            node = parent[node]
    weight = np.sqrt(1.0 / variance)
    best, *_ = np.linalg.lstsq(design * weight[:, None], value * weight, rcond=None)
    found, spread = fitted(parent, value, variance)
    np.testing.assert_allclose(found, design @ best, rtol=1e-6, atol=1e-4)
    assert (spread > 0).all()
    assert (spread <= variance + 1e-9).all()


@given(noised_trees())
def test_counts_are_whole_not_negative_and_add_up(tree: tuple[np.ndarray, ...]) -> None:
    parent, value, variance = tree
    counts = counted(parent, value, variance)
    assert counts.dtype == np.int64
    assert (counts >= 0).all()
    for node in set(parent.tolist()) - {-1}:
        assert counts[node] == counts[parent == node].sum()
    root, _ = fitted(parent, value, variance)
    assert counts[0] == max(0, round(root[0]))


@given(st.integers(0, 10**6), st.lists(st.tuples(NOISED, VARIANCE), min_size=1, max_size=20))
def test_parts_of_a_whole_add_up_and_stay_near(
    total: int, pairs: list[tuple[float, float]]
) -> None:
    parts, variance = (np.array(column) for column in zip(*pairs, strict=True))
    whole = whole_parts(total, parts, variance)
    assert int(whole.sum()) == total
    assert (whole >= 0).all()
    if total > 0:
        # Where all can be moved by their variance alone and stay positive, that is the optimum.
        moved = parts + (total - parts.sum()) * variance / variance.sum()
        if (moved > 1).all():
            assert np.abs(whole - moved).max() <= 1.0 + 1e-6


def test_true_counts_come_through_unchanged() -> None:
    parent = np.array([-1, 0, 0, 1, 1, 2])
    true = np.array([60, 40, 20, 30, 10, 20])
    assert counted(parent, true.astype(float), np.ones(6)).tolist() == true.tolist()
