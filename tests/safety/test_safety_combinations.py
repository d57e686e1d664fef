from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import fisher_exact

from clio.safety.combinations import (
    ANSWERED_CONCERNING,
    LANGUAGE_CONCERN,
    REFUSED_HARMLESS,
    RISING_CONCERN,
    Asked,
    combinations,
)

LEAVES = 12
# The leaves, three parents, and the root.
TREE = csr_array(
    np.hstack([np.eye(LEAVES), np.kron(np.eye(3), np.ones((4, 1))), np.ones((LEAVES, 1))])
)
LEVELS = np.array([0] * LEAVES + [1] * 3 + [-1])


def asked(seed: int, rows: int = 6000) -> Asked:
    rng = np.random.default_rng(seed)
    concern = np.where(rng.random(rows) < 0.1, 4 + rng.integers(0, 2, rows), 1)
    refused = (rng.random(rows) < np.where(concern >= 4, 0.7, 0.05)).astype(np.int64)
    return Asked(
        account=rng.integers(0, rows // 2, rows),
        leaf=rng.integers(0, LEAVES, rows),
        concern=concern,
        language=rng.integers(0, 3, rows),
        refused=refused,
        day=rng.integers(0, 60, rows),
    )


def test_ordinary_conversations_hold_no_surprise() -> None:
    assert sum(bool(combinations(asked(seed), TREE, LEVELS)) for seed in range(10)) <= 2


def test_each_kind_is_found_where_it_was_planted() -> None:
    rows, rng = asked(1), np.random.default_rng(2)
    concern, refused, day = (x.copy() for x in (rows.concern, rows.refused, rows.day))
    spoken = (rows.leaf == 0) & (rows.language == 2)
    concern[spoken] = np.where(rng.random(spoken.sum()) < 0.6, 5, 1)
    harmless = (rows.leaf == 4) & (concern <= 2)
    refused[harmless] = rng.random(harmless.sum()) < 0.4
    grave = (rows.leaf == 8) & (concern >= 4)
    refused[grave] = 0
    late = (rows.leaf == 9) & (concern >= 4)
    day[late] = 59 - rng.integers(0, 7, late.sum())
    found = combinations(replace(rows, concern=concern, refused=refused, day=day), TREE, LEVELS)
    planted = {(c.kind, c.node, c.value) for c in found if c.node < LEAVES}
    assert {
        (LANGUAGE_CONCERN, 0, 2),
        (REFUSED_HARMLESS, 4, -1),
        (ANSWERED_CONCERNING, 8, -1),
        (RISING_CONCERN, 9, -1),
    } <= planted
    assert all(c.low <= c.ratio <= c.high and c.ratio > 1 for c in found)
    assert [c.surprise for c in found] == sorted((c.surprise for c in found), reverse=True)
    assert all(LEVELS[c.node] >= 0 or c.kind == LANGUAGE_CONCERN for c in found)


def test_the_surprise_is_fishers() -> None:
    rows = asked(3, 600)
    # Everyone writes once, so that no row is left out.
    rows = replace(rows, account=np.arange(600), refused=np.full(600, -1), day=np.full(600, -1))
    concern = np.where((rows.leaf == 0) & (rows.language == 0), 5, rows.concern)
    (found,) = (
        c
        for c in combinations(replace(rows, concern=concern), TREE, LEVELS)
        if (c.node, c.value) == (0, 0)
    )
    own, spoken, grave = rows.leaf == 0, rows.language == 0, concern >= 4
    table = [
        [np.count_nonzero(own & (spoken == s) & (grave == g)) for g in (True, False)]
        for s in (True, False)
    ]
    assert found.surprise == pytest.approx(-np.log(fisher_exact(table, "greater").pvalue))
    assert (found.accounts, found.of) == (table[0][0], sum(table[0]))


def test_an_account_counts_once() -> None:
    rows = asked(4)
    own = rows.leaf == 4
    account = np.where(own & (np.cumsum(own) <= 200), 99_999, rows.account)
    refused = np.where(account == 99_999, 1, rows.refused)
    found = combinations(replace(rows, account=account, refused=refused), TREE, LEVELS)
    assert not [c for c in found if c.kind == REFUSED_HARMLESS]


def test_nothing_known_gives_nothing() -> None:
    rows = asked(5, 50)
    none = np.full(50, -1)
    empty = replace(rows, concern=none, language=none, refused=none, day=none)
    assert combinations(empty, TREE, LEVELS) == []
