import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from clio.hierarchy import build, level_sizes


def leaves(k, groups, *, spread=0.05, d=16, seed=0):
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(groups, d))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    truth = np.arange(k) % groups
    centroids = centres[truth] + spread * generator.normal(size=(k, d))
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    return centroids.astype(np.float32), truth, generator.integers(50, 400, k).astype(float)


def top_of(parents, k):
    node = np.arange(k)
    for up in parents:
        node = up[node]
    return node


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 160), st.integers(1, 30), st.integers(1, 14), st.integers(0, 2**31))
def test_every_tree_is_a_tree(k, groups, n_top, seed):
    centroids, _, sizes = leaves(k, groups, spread=0.4, seed=seed)
    parents = build(centroids, sizes, n_top=n_top, seed=0).parents
    below = k
    for up in parents:
        assert up.dtype == np.int32
        assert len(up) == below
        children = np.bincount(up)
        assert (children >= 2).all()
        assert len(children) < below
        below = len(children)


@pytest.mark.parametrize(
    ("k", "levels"), [(1, 1), (12, 1), (13, 2), (60, 2), (61, 3), (300, 3), (2001, 4)]
)
def test_number_of_levels_follows_the_number_of_leaves(k, levels):
    assert len(level_sizes(k, 10)) == levels - 1


def test_level_sizes_fall_by_a_constant_ratio_to_the_top():
    assert level_sizes(1000, 10) == [100, 10]
    assert level_sizes(10_000, 10) == [1000, 100, 10]
    assert level_sizes(150, 10) == [39, 10]


def test_planted_groups_become_the_top():
    centroids, truth, sizes = leaves(150, 10)
    parents = build(centroids, sizes, seed=0).parents
    assert len(parents) == 2
    assert adjusted_rand_score(truth, top_of(parents, 150)) == 1.0


def test_the_top_has_about_the_wanted_number_of_parts_of_tolerable_size():
    centroids, _, sizes = leaves(200, 200, spread=0.5)
    top = top_of(build(centroids, sizes, seed=0).parents, 200)
    parts = np.bincount(top, sizes)
    assert 7 <= len(parts) <= 12
    assert parts.max() <= 0.4 * parts.sum()


def test_same_leaves_give_the_same_tree():
    centroids, _, sizes = leaves(90, 9)
    one, two = build(centroids, sizes, seed=0), build(centroids, sizes, seed=0)
    assert all(np.array_equal(a, b) for a, b in zip(one.parents, two.parents, strict=True))


def test_identical_leaves_and_empty_ones_have_a_place():
    centroids = np.repeat(leaves(1, 1)[0], 40, axis=0)
    parents = build(centroids, np.zeros(40), seed=0).parents
    assert all((np.bincount(up) >= 2).all() for up in parents)


def test_what_makes_no_sense_is_refused():
    centroids, _, sizes = leaves(20, 4)
    with pytest.raises(ValueError, match="differ in length"):
        build(centroids, sizes[:-1], seed=0)
    with pytest.raises(ValueError, match="n_top"):
        build(centroids, sizes, n_top=0, seed=0)
