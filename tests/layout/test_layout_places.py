import numpy as np
import pytest
from scipy.spatial import KDTree

from clio.layout import place


def leaves(k, groups, *, d=24, seed=0):
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(groups, d))
    truth = (np.arange(k) % groups).astype(np.int32)
    centroids = centres[truth] + 0.6 * generator.normal(size=(k, d))
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    return centroids.astype(np.float32), truth, generator.integers(50, 400, k).astype(float)


@pytest.mark.parametrize("k", [1, 2, 3, 5, 6, 30, 160, 700])
def test_places_lie_on_the_unit_square(k):
    centroids, truth, sizes = leaves(k, max(1, k // 8))
    levels = place(centroids, [truth], sizes, seed=0)
    assert [len(level) for level in levels] == [k, truth.max() + 1]
    for level in levels:
        assert level.dtype == np.float32
        assert level.shape[1] == 2
        assert np.isfinite(level).all()
        assert (level >= 0).all()
        assert (level <= 1).all()


@pytest.mark.parametrize("k", [40, 160, 700])
def test_leaves_do_not_lie_on_one_another(k):
    centroids, truth, sizes = leaves(k, k // 8)
    spots = place(centroids, [truth], sizes, seed=0)[0]
    nearest = KDTree(spots).query(spots, k=2)[0][:, 1]
    assert nearest.min() > 0.15 / np.sqrt(k)
    assert np.median(nearest) > 0.4 / np.sqrt(k)


@pytest.mark.parametrize(("k", "groups"), [(80, 8), (700, 60)])
def test_similar_leaves_lie_near_each_other(k, groups):
    centroids, truth, sizes = leaves(k, groups)
    spots = place(centroids, [truth], sizes, seed=0)[0]
    neighbours = KDTree(spots).query(spots, k=4)[1][:, 1:]
    assert (truth[neighbours] == truth[:, None]).mean() > 0.8


def test_parents_stand_at_the_weighted_mean_of_their_children():
    centroids, truth, sizes = leaves(60, 6)
    up = np.array([0, 0, 0, 1, 1, 1], np.int32)
    spots, middle, top = place(centroids, [truth, up], sizes, seed=0)
    for parent in range(6):
        mean = np.average(spots[truth == parent], axis=0, weights=sizes[truth == parent])
        assert np.allclose(middle[parent], mean, atol=1e-5)
    for parent in range(2):
        mask = up[truth] == parent
        assert np.allclose(
            top[parent], np.average(spots[mask], axis=0, weights=sizes[mask]), atol=1e-5
        )


def test_places_are_the_same_each_time_and_for_each_seed():
    centroids, truth, sizes = leaves(120, 12)
    first = place(centroids, [truth], sizes, seed=0)
    second = place(centroids, [truth], sizes, seed=1)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(first, second, strict=True))


def test_leaves_alone_can_be_placed():
    centroids, _, sizes = leaves(9, 3)
    (spots,) = place(centroids, [], sizes, seed=0)
    assert len(np.unique(spots, axis=0)) == 9


def test_identical_leaves_are_pushed_apart():
    centroids = np.repeat(leaves(1, 1)[0], 10, axis=0)
    (spots,) = place(centroids, [], np.ones(10), seed=0)
    assert len(np.unique(spots, axis=0)) == 10


def test_lengths_that_differ_are_refused():
    centroids, truth, sizes = leaves(10, 2)
    with pytest.raises(ValueError, match="differ in length"):
        place(centroids, [truth[:-1]], sizes, seed=0)
