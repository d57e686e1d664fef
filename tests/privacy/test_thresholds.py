from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.privacy.thresholds import (
    Counts,
    Rule,
    bounded,
    cell_rule,
    cluster_rule,
    round_counts,
    visible_cells,
    visible_nodes,
)
from clio.settings import PRESETS, Preset, Thresholds


def spread(*conversations: int) -> Counts:
    """Cells where every account has one conversation."""
    c = np.array(conversations, dtype=np.int64)
    return Counts(c, c.copy(), np.minimum(c, 1), np.minimum(c, 2))


RULE = Rule(accounts=10, conversations=10, top1_share=0.2, top2_share=0.35, p_percent=15)


@pytest.mark.parametrize(
    ("counts", "clears"),
    [
        ((50, 25, 10, 17), True),
        ((49, 25, 9, 17), False),
        ((50, 24, 10, 17), False),
        ((50, 25, 11, 17), False),
        ((50, 25, 10, 18), False),
        ((0, 0, 0, 0), False),
    ],
)
def test_clusters_need_accounts_conversations_and_no_dominance(
    counts: tuple[int, int, int, int], clears: bool
) -> None:
    rule = cluster_rule(Thresholds())
    assert rule.clears(Counts(*(np.array([v]) for v in counts)))[0] == clears


def test_personal_switches_dominance_off() -> None:
    alone = Counts(*(np.array([v]) for v in (3, 1, 3, 3)))
    assert cluster_rule(PRESETS[Preset.PERSONAL]).clears(alone)[0]
    assert not cell_rule(Thresholds()).clears(alone)[0]


def test_a_small_child_takes_company() -> None:
    # root; 60, 30, 12, 4: the hidden 4 alone would follow by subtraction.
    counts, parent = spread(106, 60, 30, 12, 4), np.array([-1, 0, 0, 0, 0])
    assert visible_nodes(counts, parent, RULE, RULE).tolist() == [True, True, True, False, False]
    # Of equal ones the first goes.
    counts = spread(28, 12, 12, 4)
    assert visible_nodes(counts, parent[:4], RULE, RULE).tolist() == [True, False, True, False]


def test_what_lies_under_a_hidden_cluster_is_hidden() -> None:
    counts = spread(100, 70, 30, 15, 15)
    counts.top1[[0, 2]] = 29
    counts.top2[[0, 2]] = 30
    parent = np.array([-1, 0, 0, 2, 2])
    assert visible_nodes(counts, parent, RULE, RULE).tolist() == [True, *[False] * 4]


def test_bounds_of_a_union_are_safe() -> None:
    whole = spread(100)
    union = bounded(*(np.array([v]) for v in (30, 3, 9, 12)), whole)
    assert (union.top1[0], union.top2[0], union.accounts[0]) == (1, 2, 30)


def test_single_hidden_cells_take_company_in_rows_and_columns() -> None:
    rows = [[60, 48, 30], [30, 24, 27], [30, 24, 3]]
    cells = spread(*np.ravel(rows))
    cells = Counts(*(a.reshape(3, 3) for a in vars(cells).values()))
    nothing = np.zeros((3, 3), dtype=bool)
    totals = spread(138, 81, 57)
    visible = visible_cells(cells, totals, np.array([-1, 0, 0]), nothing, RULE, nothing)
    assert visible.tolist() == [[True] * 3, [True, False, False], [True, False, False]]


@given(st.lists(st.integers(0, 40), min_size=12, max_size=12), st.sampled_from([1, 5, 10]))
def test_families_never_expose(values: list[int], size: int) -> None:
    """Two parents of two children each under a root, three values: sums over all families."""
    leaves = np.array(values, dtype=np.int64).reshape(4, 3)
    inner = np.array([leaves[:2].sum(axis=0), leaves[2:].sum(axis=0)])
    c = np.vstack([leaves.sum(axis=0), inner, leaves])
    parent = np.array([-1, 0, 0, 1, 1, 2, 2])
    cells = Counts(c, c.copy(), np.minimum(c, 1), np.minimum(c, 2))
    totals = spread(*c.sum(axis=1))
    rule = Rule(size, size, 1.0, 1.0, 0.0)
    nothing = np.zeros(c.shape, dtype=bool)
    visible = visible_cells(cells, totals, parent, nothing, rule, nothing)
    assert (c[visible] >= size).all()
    hidden = (c > 0) & ~visible
    for row in range(7):
        if visible[row].any() and hidden[row].any():
            assert hidden[row].sum() > 1
            assert c[row][hidden[row]].sum() >= size
        for value in range(3):
            children = np.flatnonzero(parent == row)
            concealed = hidden[children, value]
            if visible[row, value] and concealed.any():
                assert concealed.sum() > 1
                assert c[children, value][concealed].sum() >= size
            if not visible[row, value]:
                assert not visible[children, value].any()


@given(st.integers(0, 10**9), st.sampled_from([1, 2, 5, 10, 100]), st.integers(1, 200))
def test_rounding_keeps_thresholds(count: int, base: int, floor: int) -> None:
    rounded = int(round_counts(np.array([count]), base, floor)[0])
    assert rounded % base == 0
    assert (rounded == 0) == (count == 0)
    if count >= max(floor, base):
        assert rounded >= floor
        assert abs(rounded - count) < base
