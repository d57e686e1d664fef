import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score

from clio.agglomeration import cut, ward_merges


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 50), st.integers(0, 2**31))
def test_unweighted_merges_are_scipys(n, seed):
    points = np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32)
    pairs, costs = ward_merges(points, np.ones(n))
    tree = linkage(points.astype(float), "ward")
    assert np.allclose(np.sqrt(2 * costs), tree[:, 2], rtol=1e-3)
    for groups in {1, 2, max(1, n // 3), n}:
        ours = cut(pairs, n, groups)
        theirs = fcluster(tree, groups, "maxclust")
        assert len(np.unique(ours)) == groups
        assert adjusted_rand_score(ours, theirs) == 1.0


def test_a_weight_counts_as_so_many_points():
    generator = np.random.default_rng(1)
    points = generator.normal(size=(12, 3)).astype(np.float32)
    weights = generator.integers(1, 6, 12)
    pairs, costs = ward_merges(points, weights.astype(float))
    repeated = np.repeat(points, weights, axis=0)
    _, all_costs = ward_merges(repeated, np.ones(len(repeated)))
    assert np.allclose(costs, all_costs[-11:], rtol=1e-3)
    assert np.array_equal(np.unique(cut(pairs, 12, 4)), np.arange(4))


def test_groups_are_numbered_by_their_first_member():
    points = np.array([[0.0], [10.0], [0.1], [10.1], [5.0]], np.float32)
    pairs, _ = ward_merges(points, np.ones(5))
    assert cut(pairs, 5, 3).tolist() == [0, 1, 0, 1, 2]
    assert cut(pairs, 5, 5).tolist() == [0, 1, 2, 3, 4]


def test_one_point_needs_no_merge():
    pairs, costs = ward_merges(np.zeros((1, 3), np.float32), np.ones(1))
    assert len(pairs) == len(costs) == 0
    assert cut(pairs, 1, 1).tolist() == [0]
