"""Base clusters from vectors: many small clusters, Ward's merges, and a last polish.

k-means from random seeds puts two centroids into one topic and one between two others, each time
elsewhere. So the vectors are first divided into several times too many small clusters, those are
merged by Ward's criterion, weighted, and Lloyd's algorithm starts from the result. The number of
clusters is read off the same tree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from clio.agglomeration import cut, ward_merges
from clio.clustering.choosing import bounds, choose_k, ladder, likely_k, simplified_silhouette
from clio.clustering.kmeans import group_sums, lloyd, seeds, unit_rows

_VECTORS_A_SMALL_CLUSTER = 25
_SMALL_CLUSTERS_A_CLUSTER = 2
_MOST_SMALL_CLUSTERS = 8_192
"""Ward's merges hold a matrix of this number squared: 256 MB of float32."""

_SMALL_PASSES = 4
_FINAL_PASSES = 20
_FINAL_TOLERANCE = 5e-4

_SILHOUETTE_SAMPLE = 8_192
_STABILITY_SAMPLE = 8_192
_STABILITY_VECTORS_A_CLUSTER = 20


@dataclass(frozen=True, slots=True)
class BaseClusters:
    """What `fit` found.

    Attributes
    ----------
    centroids
        (k, d) float32 unit rows, the heaviest cluster first.
    quality
        Measures for the record: `k`; `k_lowest` and `k_highest`, the bounds it was chosen between;
        `vectors`, trained on; `inertia`, the weighted mean cosine distance to the centroid;
        `silhouette`, simplified, on a sample; `stability`, the adjusted Rand index between the
        clusters and those found anew from a random half of the vectors (a sample of large ones).
    """

    centroids: NDArray[np.float32]
    quality: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Tree:
    """Small clusters and the order in which they merge."""

    sums: NDArray[np.float32]
    pairs: NDArray[np.int64]

    def centroids(self, k: int) -> NDArray[np.float32]:
        groups = cut(self.pairs, len(self.sums), k).astype(np.int32)
        ones = np.ones(len(groups), np.float32)
        return unit_rows(group_sums(self.sums, ones, groups, k))


def fit(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float32],
    *,
    n_conversations: int,
    k: int | None,
    min_accounts: int,
    min_conversations: int,
    seed: int,
) -> BaseClusters:
    """Find base clusters.

    Parameters
    ----------
    vectors
        (n, d) float32 unit rows of distinct texts, or a sample of them (see `training_size`).
    weights
        (n,) float32 positive, conversations of each text.
    n_conversations
        Conversations in the corpus, of which `vectors` may be a sample.
    k
        Number of clusters, or None: chosen from the data.
    min_accounts, min_conversations
        Thresholds that the median cluster has to clear, where k is chosen.
    seed
        Starts all random draws.

    Notes
    -----
    Ward's method is weighted (agglomeration.py). k has the best simplified silhouette along Ward's
    tree, or lies in the middle of those nearly as good, between bounds from the size of the corpus
    and the thresholds (choosing.py). Where a k is given that is too large for the tree, seeds are
    drawn directly. The result depends on the arguments alone, the order of rows included.

    Raises
    ------
    ValueError
        There is no vector, the lengths differ, a weight is not positive, or k is under 1.
    """
    if len(vectors) == 0 or len(vectors) != len(weights):
        raise ValueError("fit needs at least one vector, and a weight for each")
    if not (weights > 0).all():
        raise ValueError("weights must be positive")
    if k is not None and k < 1:
        raise ValueError("k must be at least 1")
    n = len(vectors)
    if k is None:
        lowest, highest = bounds(
            n_conversations, n, min_accounts=min_accounts, min_conversations=min_conversations
        )
        highest = min(highest, _MOST_SMALL_CLUSTERS)
        lowest = min(lowest, highest)
    else:
        lowest = highest = min(k, n)
    generator = np.random.default_rng(seed)
    sample = sample_rows(n, _SILHOUETTE_SAMPLE, generator)
    tree = _grow(vectors, weights, highest, generator)
    found = highest
    if tree is not None and lowest < highest:
        most = min(highest, len(tree.sums))
        found = choose_k(
            ladder(min(lowest, most), most),
            lambda k: simplified_silhouette(vectors[sample], weights[sample], tree.centroids(k)),
            suggested=likely_k(n_conversations, highest),
        )
    centroids, labels, inertia = _polish(vectors, weights, tree, found, generator)
    quality = {
        "k": float(len(centroids)),
        "k_lowest": float(lowest),
        "k_highest": float(highest),
        "vectors": float(n),
        "inertia": inertia,
        "silhouette": simplified_silhouette(vectors[sample], weights[sample], centroids),
        "stability": _stability(vectors, weights, labels, len(centroids), generator),
    }
    return BaseClusters(centroids, quality)


def refit(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float32],
    k: int,
    generator: np.random.Generator,
) -> NDArray[np.int32]:
    """Find k clusters, or fewer, by the same method: the cluster of each vector."""
    tree = _grow(vectors, weights, k, generator)
    return _polish(vectors, weights, tree, k, generator)[1]


def sample_rows(n: int, size: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Rising row numbers of a random sample without replacement."""
    return np.sort(generator.choice(n, min(n, size), replace=False))


def _grow(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float32],
    k: int,
    generator: np.random.Generator,
) -> _Tree | None:
    """Ward's tree over small clusters, to be cut at k or fewer; None where k is too large."""
    wanted = max(len(vectors) // _VECTORS_A_SMALL_CLUSTER, _SMALL_CLUSTERS_A_CLUSTER * k)
    small = min(wanted, _MOST_SMALL_CLUSTERS, len(vectors))
    if small < k:
        return None
    start = seeds(vectors, weights, small, generator)
    solution = lloyd(vectors, weights, start, max_passes=_SMALL_PASSES)
    mass = np.bincount(solution.labels, weights, small).astype(np.float64)
    sums = group_sums(vectors, weights, solution.labels, small)
    filled = mass > 0
    sums, mass = sums[filled], mass[filled]
    pairs, _ = ward_merges((sums / mass[:, None]).astype(np.float32), mass)
    return _Tree(sums, pairs)


def _polish(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float32],
    tree: _Tree | None,
    k: int,
    generator: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.int32], float]:
    """Lloyd's algorithm from the tree cut at k; clusters by falling weight, none of them empty."""
    if tree is None:
        start = seeds(vectors, weights, k, generator)
    else:
        start = tree.centroids(min(k, len(tree.sums)))
    solution = lloyd(vectors, weights, start, max_passes=_FINAL_PASSES, tolerance=_FINAL_TOLERANCE)
    mass = np.bincount(solution.labels, weights, len(start))
    order = np.argsort(-mass, kind="stable")[: np.count_nonzero(mass)]
    rank = np.full(len(start), -1, np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return solution.centroids[order], rank[solution.labels], solution.inertia


def _stability(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float32],
    labels: NDArray[np.int32],
    k: int,
    generator: np.random.Generator,
) -> float:
    """Agreement with the clusters found from a random half, as an adjusted Rand index."""
    half = len(vectors) // 2
    size = min(half, max(_STABILITY_SAMPLE, _STABILITY_VECTORS_A_CLUSTER * k))
    if k == 1 or size <= k:
        return 1.0
    rows = sample_rows(len(vectors), size, generator)
    again = refit(vectors[rows], weights[rows], k, generator)
    return float(adjusted_rand_score(labels[rows], again))
