import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.clustering import merge_small


def circle(k):
    angle = np.linspace(0, np.pi, k)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


@st.composite
def populations(draw):
    k = draw(st.integers(1, 12))
    n = draw(st.integers(1, 120))
    seed = draw(st.integers(0, 2**31))
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, k, n).astype(np.int32)
    accounts = generator.integers(0, max(1, n // 2), n).astype(np.int32)
    return circle(k), labels, accounts


@settings(max_examples=60, deadline=None)
@given(populations(), st.integers(1, 8), st.integers(1, 15))
def test_every_survivor_clears_the_thresholds_or_is_alone(population, min_accounts, min_rows):
    centroids, labels, accounts = population
    mapping = merge_small(
        centroids, labels, accounts, min_accounts=min_accounts, min_conversations=min_rows
    )
    survivors = np.unique(mapping)
    assert mapping.dtype == np.int32
    assert mapping.shape == (len(centroids),)
    assert np.array_equal(survivors, np.arange(len(survivors)))
    if len(survivors) > 1:
        merged = mapping[labels]
        for cluster in survivors:
            assert np.count_nonzero(merged == cluster) >= min_rows
            assert len(np.unique(accounts[merged == cluster])) >= min_accounts


@settings(max_examples=30, deadline=None)
@given(populations(), st.integers(0, 2**31))
def test_only_equality_of_accounts_matters(population, seed):
    centroids, labels, accounts = population
    codes = np.random.default_rng(seed).permutation(10_000)[: accounts.max() + 1]
    first = merge_small(centroids, labels, accounts, min_accounts=3, min_conversations=5)
    renamed = codes[accounts].astype(np.int32)
    second = merge_small(centroids, labels, renamed, min_accounts=3, min_conversations=5)
    assert np.array_equal(first, second)


def test_large_clusters_stay_as_they_are():
    labels = np.repeat(np.arange(4), 10).astype(np.int32)
    accounts = np.arange(40, dtype=np.int32)
    mapping = merge_small(circle(4), labels, accounts, min_accounts=10, min_conversations=10)
    assert mapping.tolist() == [0, 1, 2, 3]


def test_a_small_cluster_joins_its_nearest():
    labels = np.array([0] * 10 + [1] * 2 + [2] * 10 + [3] * 10, np.int32)
    centroids = np.array([[1, 0], [0.1, 1], [0, 1], [-1, 0]], np.float32)
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    mapping = merge_small(
        centroids, labels, np.arange(32, dtype=np.int32), min_accounts=5, min_conversations=5
    )
    assert mapping.tolist() == [0, 1, 1, 2]


def test_many_conversations_of_one_account_do_not_make_a_cluster():
    labels = np.array([0] * 50 + [1] * 10 + [2] * 10, np.int32)
    accounts = np.array([0] * 50 + list(range(1, 21)), np.int32)
    mapping = merge_small(circle(3), labels, accounts, min_accounts=5, min_conversations=5)
    assert mapping[0] == mapping[1]
    assert mapping[1] != mapping[2]


def test_labels_without_accounts_are_refused():
    with pytest.raises(ValueError, match="differ in length"):
        merge_small(
            circle(2),
            np.zeros(3, np.int32),
            np.zeros(2, np.int32),
            min_accounts=1,
            min_conversations=1,
        )
