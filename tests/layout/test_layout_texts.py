import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import KDTree

from clio.layout import density_cells, scatter


def corpus(n=300, k=9, d=16, seed=0):
    generator = np.random.default_rng(seed)
    centroids = generator.normal(size=(k, d))
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    labels = generator.integers(0, k, n).astype(np.int32)
    vectors = centroids[labels] + 0.1 * generator.normal(size=(n, d))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    positions = generator.random((k, 2)).astype(np.float32)
    return vectors.astype(np.float32), labels, centroids.astype(np.float32), positions


def test_texts_lie_around_their_leaf():
    vectors, labels, centroids, positions = corpus()
    points = scatter(vectors, labels, centroids, positions)
    assert points.shape == (300, 2)
    assert points.dtype == np.float32
    assert (points >= 0).all()
    assert (points <= 1).all()
    assert (KDTree(positions).query(points)[1] == labels).mean() > 0.9
    assert len(np.unique(points, axis=0)) > 290


def test_a_text_lies_where_it_lies_whatever_its_company():
    vectors, labels, centroids, positions = corpus()
    points = scatter(vectors, labels, centroids, positions)
    rows = np.random.default_rng(1).permutation(300)[:37]
    some = scatter(vectors[rows], labels[rows], centroids, positions)
    assert some.tobytes() == points[rows].tobytes()


def test_a_text_at_its_centroid_lies_on_its_leaf():
    _, _, centroids, positions = corpus()
    points = scatter(centroids, np.arange(9, dtype=np.int32), centroids, positions)
    assert np.abs(points - positions).max() < 1e-3


def test_one_leaf_is_enough():
    vectors, _, centroids, _ = corpus()
    middle = np.full((1, 2), 0.5, np.float32)
    points = scatter(vectors, np.zeros(300, np.int32), centroids[:1], middle)
    assert np.isfinite(points).all()


def test_no_texts_give_no_places():
    vectors, labels, centroids, positions = corpus()
    assert scatter(vectors[:0], labels[:0], centroids, positions).shape == (0, 2)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=20), st.integers(1, 100))
def test_cells_cover_the_square(pairs, grid):
    points = np.array(pairs, np.float32).reshape(-1, 2)
    x, y = density_cells(points, grid=grid)
    assert x.dtype == y.dtype == np.int32
    for cell, value in ((x, points[:, 0]), (y, points[:, 1])):
        assert (cell >= 0).all()
        assert (cell < grid).all()
        assert (np.abs((cell + 0.5) / grid - value) <= 0.5001 / grid).all()


def test_a_grid_has_cells():
    with pytest.raises(ValueError, match="at least one cell"):
        density_cells(np.zeros((1, 2), np.float32), grid=0)
