"""The attack by subtraction, on a release and on random tables that the gate let through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from attacker import Outcome, attack, attack_table
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from clio.privacy.slack import provable
from clio.privacy.thresholds import Counts, Rule, visible_cells

LIMIT = 8
RULE = Rule(LIMIT, LIMIT, 1.0, 1.0, 0.0)


def test_a_release_gives_nothing_away(demo_run: Path) -> None:
    outcome = attack(demo_run)
    assert outcome.shown > 300
    assert outcome.hidden > 50
    assert outcome.hits == 0


def gated(
    leaves: np.ndarray, *, proven: bool, told: bool
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """True and printed cells of two parents with three leaves each, under a root.

    Where `told`, another table prints who has no value, which is the last column.
    """
    inner = np.array([leaves[:3].sum(axis=0), leaves[3:].sum(axis=0)])
    true = np.vstack([leaves.sum(axis=0), inner, leaves])
    parent = np.array([-1, 0, 0, 1, 1, 1, 2, 2, 2])
    # The last column is not printed: conversations without a value.
    unprinted = np.zeros(true.shape, dtype=bool)
    unprinted[:, -1] = True
    cells = Counts(true, true.copy(), np.minimum(true, 1), np.minimum(true, 2))
    sums = true.sum(axis=1)
    totals = Counts(sums, sums.copy(), np.minimum(sums, 1), np.minimum(sums, 2))
    nothing = np.zeros_like(unprinted)

    def gate(withheld: np.ndarray) -> np.ndarray:
        return visible_cells(cells, totals, parent, unprinted, RULE, withheld)

    visible = gate(nothing)
    if proven:
        shared = unprinted if told else nothing
        visible = provable(cells, parent, unprinted, RULE, nothing, gate, shared, nothing)
    return true, np.where(told & unprinted | visible & ~unprinted, true, -1), parent.tolist()


def attacked(leaves: np.ndarray, *, proven: bool, told: bool = False) -> Outcome:
    true, printed, parent = gated(leaves, proven=proven, told=told)
    outcome = Outcome()
    attack_table(printed, true, parent, true.sum(axis=1).tolist(), LIMIT, outcome)
    return outcome


@settings(max_examples=50, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.lists(st.integers(0, 25), min_size=24, max_size=24), st.booleans())
def test_no_cell_of_a_random_table_can_be_bounded(values: list[int], told: bool) -> None:
    leaves = np.array(values, dtype=np.int64).reshape(6, 4)
    leaves[:, 0] += LIMIT  # a cluster that is shown is no small one
    if told:  # the other table prints no small ones
        leaves[leaves[:, -1] < LIMIT, -1] = 0
    assert attacked(leaves, proven=True, told=told).hits == 0


def test_the_attack_can_see() -> None:
    """Rules of single families alone leave cells that follow from several sums together."""
    rng = np.random.default_rng(3)
    hits = [
        attacked(rng.integers(0, 25, (6, 4)) + np.array([LIMIT, 0, 0, 0]), proven=False).hits
        for _ in range(12)
    ]
    assert sum(hits) > 0
