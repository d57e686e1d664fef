import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from clio.clustering import assign, fit, initial_k, training_size
from clio.clustering.choosing import likely_k


def topics(count, rows, *, spread=0.12, d=32, seed=0):
    """Unit vectors around random centres, and the centre of each."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(count, d))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    truth = np.repeat(np.arange(count), rows)
    vectors = centres[truth] + spread * generator.normal(size=(len(truth), d))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    order = generator.permutation(len(truth))
    return vectors[order].astype(np.float32), truth[order]


def fit_plainly(vectors, *, weights=None, k=None, n=None, seed=0, accounts=25, conversations=50):
    return fit(
        vectors,
        np.ones(len(vectors), np.float32) if weights is None else weights,
        n_conversations=n or len(vectors),
        k=k,
        min_accounts=accounts,
        min_conversations=conversations,
        seed=seed,
    )


@pytest.mark.parametrize(("count", "rows"), [(12, 250), (40, 100), (25, 160)])
def test_planted_topics_are_found_without_being_told_their_number(count, rows):
    vectors, truth = topics(count, rows)
    base = fit_plainly(vectors)
    labels, _ = assign(vectors, base.centroids)
    assert adjusted_rand_score(truth, labels) > 0.95
    assert abs(len(base.centroids) - count) <= 0.15 * count


def test_topics_of_unequal_size_are_found():
    sizes = [40, 60, 90, 130, 200, 300, 450, 700]
    parts = [topics(1, size, seed=i)[0] for i, size in enumerate(sizes)]
    vectors, truth = np.concatenate(parts), np.repeat(np.arange(len(sizes)), sizes)
    labels, _ = assign(vectors, fit_plainly(vectors).centroids)
    assert adjusted_rand_score(truth, labels) > 0.9


def test_same_arguments_give_the_same_bytes():
    vectors, _ = topics(20, 80)
    first, second = fit_plainly(vectors, seed=3), fit_plainly(vectors, seed=3)
    assert first.centroids.tobytes() == second.centroids.tobytes()
    assert first.quality == second.quality


def test_two_seeds_agree():
    vectors, _ = topics(30, 80, spread=0.2)
    one, two = (assign(vectors, fit_plainly(vectors, seed=s).centroids)[0] for s in (1, 2))
    assert adjusted_rand_score(one, two) > 0.85


def test_centroids_are_unit_rows_and_measures_are_plain_numbers():
    vectors, _ = topics(20, 80)
    base = fit_plainly(vectors)
    assert base.centroids.dtype == np.float32
    assert np.allclose(np.linalg.norm(base.centroids, axis=1), 1, atol=1e-5)
    assert all(type(value) is float for value in base.quality.values())
    assert base.quality["k"] == len(base.centroids)
    assert 0 <= base.quality["inertia"] < 1
    assert -1 <= base.quality["silhouette"] <= 1
    assert base.quality["stability"] <= 1


def test_the_heaviest_cluster_comes_first():
    vectors, _ = topics(8, 100)
    weights = np.random.default_rng(0).integers(1, 9, len(vectors)).astype(np.float32)
    base = fit_plainly(vectors, weights=weights, k=8)
    labels, _ = assign(vectors, base.centroids)
    mass = np.bincount(labels, weights, len(base.centroids))
    assert (np.diff(mass) <= 0).all()


@pytest.mark.parametrize("k", [1, 2, 7, 50])
def test_a_given_number_of_clusters_is_kept(k):
    vectors, _ = topics(10, 60)
    assert len(fit_plainly(vectors, k=k).centroids) == k


def test_no_more_clusters_than_distinct_vectors():
    vectors = np.repeat(topics(3, 1)[0], 40, axis=0)
    base = fit_plainly(vectors, k=10)
    labels, distances = assign(vectors, base.centroids)
    assert len(np.unique(labels)) == 3
    assert distances.max() < 1e-5


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_tiny_corpora_make_one_cluster(n):
    vectors, _ = topics(n, 1)
    base = fit_plainly(vectors)
    assert len(base.centroids) == 1
    assert base.quality["stability"] == 1.0


def test_weights_count_as_repeated_vectors():
    vectors, _ = topics(2, 50)
    weights = np.linspace(1, 20, len(vectors)).astype(np.float32)
    centroid = fit_plainly(vectors, weights=weights, k=1).centroids[0]
    mean = weights @ vectors
    assert np.allclose(centroid, mean / np.linalg.norm(mean), atol=1e-5)


def test_thresholds_bound_the_number_of_clusters():
    vectors, _ = topics(60, 30)
    base = fit_plainly(vectors, accounts=100, conversations=200)
    assert len(base.centroids) <= len(vectors) / 200


def test_what_makes_no_sense_is_refused():
    vectors, _ = topics(2, 5)
    with pytest.raises(ValueError, match="at least one vector"):
        fit_plainly(vectors[:0])
    with pytest.raises(ValueError, match="positive"):
        fit_plainly(vectors, weights=np.zeros(len(vectors), np.float32))
    with pytest.raises(ValueError, match="k must be"):
        fit_plainly(vectors, k=0)


def test_number_of_clusters_grows_with_the_corpus():
    sizes = [initial_k(n) for n in (1, 50, 10_000, 100_000, 400_000, 10**6, 10**9)]
    assert sizes == [1, 1, 100, 1_000, 2_000, 3_162, 10_000]
    assert training_size(1) == training_size(100)
    assert training_size(4_000) == 200_000


def test_a_small_corpus_is_likely_to_have_the_root_of_its_size_where_thresholds_let_it() -> None:
    assert likely_k(300, highest=21) == 17
    assert likely_k(300, highest=5) == 3
    assert likely_k(22_500, highest=300) == 225
    assert likely_k(22_500, highest=140) == 225
