from __future__ import annotations

from dataclasses import replace
from math import lgamma, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planting import LEAVES, added, background, ring

from clio.safety import Rows, explain, find_groups
from clio.safety.explaining import EVENT, POPULAR, SOURCE, TASKS
from clio.safety.nulls import LABEL, MAX_AGAIN, TEXT, exchanged, layers, strata
from clio.safety.pairs import SIZES, Pairs, Traits, first_scores, groups_above, score_pairs

PARENTS = [np.arange(LEAVES, dtype=np.int32) // 6]
NULLS = 25


def leads(rows: Rows, seed: int = 0):
    return explain(rows, find_groups(rows, PARENTS, nulls=NULLS, seed=seed).groups)


def networks(rows: Rows) -> list[set[int]]:
    return [set(lead.group.accounts.tolist()) for lead in leads(rows) if lead.is_network]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 6)), max_size=50))
def test_scores_are_what_the_formula_says(held: list[tuple[int, int]]) -> None:
    has = {account: {t for a, t in held if a == account} for account in range(9)}
    degree = {t: sum(t in own for own in has.values()) for t in range(7)}
    rare = {t for t, count in degree.items() if count >= 2}
    account = np.array([a for a, _ in held], np.int64)
    trait = np.array([t for _, t in held], np.int64)
    pairs = score_pairs([Traits("x", account, trait)], 9)
    found = dict(
        zip(zip(pairs.one.tolist(), pairs.other.tolist(), strict=True), pairs.score, strict=True)
    )
    expected = {}
    for i in range(9):
        for j in range(i + 1, 9):
            shared = has[i] & has[j] & rare
            if len(shared) >= 2:
                k, d = len(shared), len(has[i] & rare) * len(has[j] & rare)
                score = sum(log(9 / degree[t]) for t in shared) - k * log(d) + lgamma(k + 1)
                expected[i, j] = score
    assert found == pytest.approx(expected, abs=1e-4)


def test_popular_traits_make_no_pairs() -> None:
    account = np.tile(np.arange(51), 2)
    popular = Traits("x", account, np.repeat([0, 1], 51))
    assert len(score_pairs([popular], 1000).score) == 0
    rarer = Traits("x", account[account < 50], np.repeat([0, 1], 50))
    assert len(score_pairs([rarer], 1000).score) == 50 * 49 // 2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_a_threshold_just_under_the_first_score_leaves_a_group_of_the_size(seed: int) -> None:
    rng = np.random.default_rng(seed)
    both = np.unique(np.sort(rng.integers(0, 25, (40, 2)), axis=1), axis=0)
    both = both[both[:, 0] < both[:, 1]]
    pairs = Pairs(both[:, 0], both[:, 1], rng.permutation(len(both)).astype(float))
    for at, (size, first) in enumerate(zip(SIZES, first_scores(pairs, 25), strict=True)):
        if np.isneginf(first):
            continue
        limits = np.full(len(SIZES), np.inf)
        limits[at] = first
        assert groups_above(pairs, 25, limits) == []
        limits[at] = first - 0.5
        assert max(len(group) for group in groups_above(pairs, 25, limits)) >= size


def test_the_null_keeps_volume_topics_and_popularity() -> None:
    rows = background(1)
    stratum = strata(rows, PARENTS)
    before, after = layers(rows), exchanged(rows, stratum, np.random.default_rng(0))
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(one.account, other.account)
    text = after[0].trait
    assert not np.array_equal(text, rows.text)
    for number in np.unique(stratum)[:20]:
        inside = stratum == number
        assert np.array_equal(np.sort(text[inside] // MAX_AGAIN), np.sort(rows.text[inside]))


def test_the_null_fits_data_without_rings() -> None:
    # So many that each cluster is a stratum of its own.
    found = find_groups(background(2, rows=15_000, accounts=3000), PARENTS, nulls=NULLS)
    assert found.groups == []
    assert 0.7 < found.inflation < 1.4
    assert found.null_fits


@pytest.mark.parametrize(("size", "each", "own"), [(20, 8, 0), (20, 8, 8), (8, 8, 0), (10, 10, 5)])
def test_a_ring_is_found_whole_and_alone(size: int, each: int, own: int) -> None:
    rows, ring_members = ring(background(3), size, each, seed=4, own=own)
    found = set().union(*networks(rows))
    right = len(found & set(ring_members.tolist()))
    assert right >= 0.9 * size
    assert right >= 0.95 * len(found)


def test_a_ring_of_more_accounts_than_pairs_allow_is_found() -> None:
    rows, ring_members = ring(background(5, rows=8000, accounts=2000), 120, 8, seed=6, texts=5)
    found = set().union(*networks(rows))
    assert len(found & set(ring_members.tolist())) >= 108
    assert len(found - set(ring_members.tolist())) <= 6


def test_permuted_accounts_give_no_network() -> None:
    rows, _ = ring(background(7), 20, 8, seed=8)
    for seed in range(4):
        mixed = replace(rows, account=np.random.default_rng(seed).permutation(rows.account))
        assert not any(lead.is_network for lead in leads(mixed, seed))


def class_of(rows: Rows, tasks: int) -> tuple[Rows, set[int]]:
    """Thirty ordinary, active accounts that send each of a few texts once, within three days."""
    active = np.flatnonzero(np.bincount(rows.account) >= 6)[:30]
    who = np.repeat(active, tasks)
    text = np.tile(90_000 + np.arange(tasks), 30)
    day = 20 + np.arange(len(who)) % 3
    return added(rows, who, day, 3, text), set(active.tolist())


@pytest.mark.parametrize("tasks", [2, 4, 6])
def test_a_class_is_no_network(tasks: int) -> None:
    rows, _ = class_of(background(9), tasks)
    assert networks(rows) == []


def test_a_class_that_is_found_is_set_apart_with_its_explanation() -> None:
    rows, pupils = class_of(background(9), 6)
    (lead,) = leads(rows)
    assert not lead.is_network
    assert lead.explanation == TASKS
    assert len(set(lead.group.accounts.tolist()) & pupils) >= 25


def test_a_shared_system_prompt_sets_a_group_apart() -> None:
    rows, ring_members = ring(background(10), 20, 8, seed=11)
    system = np.where(np.isin(rows.account, ring_members), 5, -1)
    (lead,) = leads(replace(rows, sources={"system prompt": system}))
    assert (lead.is_network, lead.explanation) == (False, SOURCE)
    assert lead.parts.marked == 1.0


def test_texts_that_others_use_as_well_are_popular() -> None:
    rows, _ = ring(background(12), 10, 8, seed=13)
    texts = np.unique(rows.text[rows.account >= 1200])
    others = np.random.default_rng(0).choice(1200, 30, replace=False)
    day = np.arange(30) % 50
    rows = added(rows, others, day, int(rows.leaf[-1]), texts[np.arange(30) % len(texts)])
    (lead,) = leads(rows)
    assert (lead.is_network, lead.explanation) == (False, POPULAR)


def test_one_cluster_on_the_same_days_is_evidence_without_common_texts() -> None:
    rows = background(14)
    members = rows.accounts + np.arange(12)
    who = np.repeat(members, 8)
    rng = np.random.default_rng(0)
    fresh = 80_000 + np.arange(len(who))
    rows = added(rows, who, 20 + rng.integers(0, 12, len(who)), LEAVES, fresh)
    found = find_groups(rows, [np.append(PARENTS[0], 0).astype(np.int32)], nulls=NULLS)
    (lead,) = explain(rows, found.groups)
    assert set(lead.group.accounts.tolist()) == set(members.tolist())
    assert TEXT not in lead.evidence
    assert lead.is_network
    assert lead.explanation != EVENT or lead.fit < 0.5


def test_rare_values_of_labels_are_evidence() -> None:
    rows = background(15)
    members = rows.accounts + np.arange(10)
    who = np.repeat(members, 6)
    fresh = 80_000 + np.arange(len(who))
    day = np.random.default_rng(1).integers(0, 50, len(who))
    rows = added(rows, who, day, 2, fresh)
    names = [np.arange(len(rows)) + 10, np.arange(len(rows)) + 10]
    for at, value in enumerate(names):
        value[rows.account >= 1200] = np.arange(len(who)) % 2 + 2 * at
    rows = replace(rows, labels={"card": names[0], "device": names[1]})
    (lead,) = leads(rows)
    assert set(lead.group.accounts.tolist()) == set(members.tolist())
    assert LABEL in lead.evidence


def test_rows_without_dates_do() -> None:
    rows, ring_members = ring(background(16), 20, 8, seed=17)
    unknown = np.full(len(rows), -1)
    found = leads(replace(rows, day=unknown, second=unknown))
    assert set(ring_members.tolist()) <= set().union(*[x.group.accounts.tolist() for x in found])


def test_the_same_seed_gives_the_same() -> None:
    rows, _ = ring(background(18), 10, 8, seed=19)
    one, other = (find_groups(rows, PARENTS, nulls=NULLS, seed=3) for _ in range(2))
    assert one.thresholds == other.thresholds
    assert [g.accounts.tolist() for g in one.groups] == [g.accounts.tolist() for g in other.groups]
