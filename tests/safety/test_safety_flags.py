"""Flags beside concern: planted misses and false alarms, and what must not be taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from clio.safety.flags import LEVEL, Judged, drift, gaps, norm_of

LEAVES = 40
RATES = np.array([0.1, 0.02, 0.06, 0.25, 0.7, 0.9])
# Ten parents of four leaves each, after the leaves.
TREE = csr_array(np.hstack([np.eye(LEAVES), np.kron(np.eye(10), np.ones((4, 1)))]))


def judged(seed: int, *, rows: int = 4800, change: dict[int, float] | None = None) -> Judged:
    """Accounts of falling activity; leaves have a concern of their own; `change` sets rates."""
    rng = np.random.default_rng(seed)
    weight = (np.arange(rows // 4) + 10.0) ** -0.9
    account = rng.choice(rows // 4, rows, p=weight / weight.sum())
    leaf = np.arange(rows) % LEAVES
    concern = np.clip(np.rint((1 + leaf % 5) + rng.normal(0, 0.6, rows)), 1, 5).astype(np.int64)
    rate = RATES[concern]
    for place, value in (change or {}).items():
        rate = np.where(leaf == place, value, rate)
    return Judged(account, leaf, rng.random(rows) < rate, concern, rng.integers(0, 2, rows))


def leads(rows: Judged) -> dict[int, int]:
    """Sign of the gap of each lead."""
    found = gaps(rows, TREE, norm_of(rows, LEAVES, ordered=True))
    at = np.flatnonzero(found.q <= LEVEL)
    return dict(zip(at.tolist(), np.sign(found.gap[at]).astype(int).tolist(), strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_misses_and_false_alarms_are_found_and_told_apart(seed: int) -> None:
    # Leaves of concern 5 and 1: one of the first is not flagged, one of the second always is.
    found = leads(judged(seed, change={4: 0.1, 10: 0.8}))
    assert found[4] == -1
    assert found[10] == 1
    assert {node for node in found if node < LEAVES} == {4, 10}
    assert set(found) <= {4, 10, LEAVES + 1, LEAVES + 2}


def test_a_classifier_that_goes_by_concern_has_no_leads() -> None:
    assert sum(bool(leads(judged(seed))) for seed in range(10, 20)) <= 1


def test_a_gap_of_a_few_points_is_nobodys_lead() -> None:
    rows = judged(3, rows=40_000, change={10: 0.06, 11: 0.09})
    found = leads(rows)
    assert 10 not in found
    assert 11 not in found


def test_one_busy_account_makes_no_lead() -> None:
    rows = judged(5)
    mine = np.flatnonzero(rows.leaf == 10)
    account = rows.account.copy()
    account[mine[:80]] = 99_999
    flagged = rows.flagged.copy()
    flagged[mine[:80]] = True
    # Most accounts are of one mind with themselves, or nobody could know that this one is.
    mood = np.random.default_rng(0).random(100_000)[account]
    flagged = np.where(rows.leaf == 10, flagged, mood < RATES[rows.stratum])
    alone = Judged(account, rows.leaf, flagged, rows.stratum, rows.half)
    norm = norm_of(alone, LEAVES, ordered=True)
    assert norm.correlation > 0.3
    assert gaps(alone, TREE, norm).q[10] > LEVEL


def test_what_stands_out_may_hold_all_of_a_stratum() -> None:
    rows = judged(6)
    stratum = np.where(rows.leaf == 4, 5, np.minimum(rows.stratum, 4))
    flagged = rows.flagged & (rows.leaf != 4)
    found = leads(Judged(rows.account, rows.leaf, flagged, stratum, rows.half))
    # Grave as no other, and never flagged: what is less grave is flagged, so it should be.
    assert found[4] == -1


def test_a_miss_that_opened_lately_drifts_and_others_do_not() -> None:
    rows = judged(7, rows=9600)
    late = (rows.leaf == 4) & (rows.half == 1)
    flagged = rows.flagged & ~late
    moved = Judged(rows.account, rows.leaf, flagged, rows.stratum, rows.half)
    found = drift(moved, TREE, norm_of(moved, LEAVES, ordered=True))
    assert found.q[4] <= LEVEL
    assert found.change[4] < -0.5
    assert np.count_nonzero(found.q[:LEAVES] <= LEVEL) <= 2


def test_without_dates_nothing_drifts() -> None:
    rows = judged(8, rows=400)
    undated = Judged(rows.account, rows.leaf, rows.flagged, rows.stratum, np.full(400, -1))
    found = drift(undated, TREE, norm_of(undated, LEAVES, ordered=True))
    assert np.isnan(found.change).all()
    assert (found.q == 1).all()


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60), st.booleans())
def test_counts_add_up_along_the_tree_and_shares_stay_shares(
    seed: int, rows: int, ordered: bool
) -> None:
    rng = np.random.default_rng(seed)
    some = Judged(
        rng.integers(0, 9, rows),
        rng.integers(0, LEAVES, rows),
        rng.random(rows) < 0.3,
        rng.integers(0, 6, rows),
        rng.integers(-1, 2, rows),
    )
    found = gaps(some, TREE, norm_of(some, LEAVES, ordered=ordered))
    for counts in (found.conversations, found.flagged):
        assert np.array_equal(counts[LEAVES:], counts[:LEAVES].reshape(10, 4).sum(axis=1))
    assert found.conversations[:LEAVES].sum() == rows
    known = found.conversations > 0
    assert np.array_equal(np.isfinite(found.expected), known)
    share = found.flagged[known] / found.conversations[known]
    assert found.gap[known] == pytest.approx(share - found.expected[known])
    assert ((found.expected[known] >= 0) & (found.expected[known] <= 1)).all()
    assert ((found.q > 0) & (found.q <= 1)).all()


def test_rates_do_not_fall_as_concern_rises() -> None:
    norm = norm_of(judged(9), LEAVES, ordered=True)
    assert (np.diff(norm.rates[1:]) >= 0).all()
    assert norm.rates[1:] == pytest.approx(RATES[1:], abs=0.08)
