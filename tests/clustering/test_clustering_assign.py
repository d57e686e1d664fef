import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.clustering import assign


def unit(values):
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def random_units(n, d, seed):
    return unit(np.random.default_rng(seed).normal(size=(n, d)))


def test_assign_finds_the_nearest_centroid():
    vectors, centroids = random_units(500, 16, 1), random_units(40, 16, 2)
    labels, distances = assign(vectors, centroids)
    cosine = vectors.astype(float) @ centroids.astype(float).T
    assert labels.dtype == np.int32
    assert distances.dtype == np.float32
    assert np.array_equal(labels, cosine.argmax(axis=1))
    assert np.allclose(distances, 1 - cosine.max(axis=1), atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 60))
def test_a_row_does_not_depend_on_its_company(seed, k):
    generator = np.random.default_rng(seed)
    vectors, centroids = random_units(97, 24, seed), random_units(k, 24, seed + 1)
    labels, distances = assign(vectors, centroids)
    rows = generator.permutation(97)[: generator.integers(1, 97)]
    some_labels, some_distances = assign(vectors[rows], centroids)
    assert np.array_equal(some_labels, labels[rows])
    assert some_distances.tobytes() == distances[rows].tobytes()


def test_ties_go_to_the_lowest_index():
    centroids = np.repeat(random_units(1, 8, 3), 5, axis=0)
    labels, _ = assign(random_units(20, 8, 4), centroids)
    assert (labels == 0).all()


def test_distances_stay_between_zero_and_two():
    vectors = random_units(50, 8, 5)
    _, same = assign(vectors, vectors)
    _, opposite = assign(vectors[:1], -vectors[:1])
    assert (same >= 0).all()
    assert same.max() < 1e-6
    assert opposite[0] == pytest.approx(2, abs=1e-6)


def test_no_vectors_give_no_labels():
    labels, distances = assign(np.empty((0, 8), np.float32), random_units(3, 8, 6))
    assert len(labels) == len(distances) == 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at least one centroid"):
        assign(random_units(3, 8, 7), np.empty((0, 8), np.float32))
    with pytest.raises(ValueError, match="dimensions"):
        assign(random_units(3, 8, 7), random_units(3, 9, 7))
