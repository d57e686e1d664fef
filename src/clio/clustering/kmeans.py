"""Spherical k-means on unit vectors with weights, as blocked matrix products.

The objective is the weighted sum of cosine distances to the nearest centroid (Dhillon and Modha,
"Concept decompositions for large sparse text data using clustering", 2001). Seeds are drawn as in
k-means++ (Arthur and Vassilvitskii 2007), in rounds that grow with the number of seeds found, as
in k-means|| (Bahmani et al. 2012), so that thousands of seeds cost about one pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

_BLOCK_ELEMENTS = 1 << 21
"""Similarities held at once: 8 MiB, which stays in cache between the product and the maximum."""

_MOST_BLOCK_ROWS = 4096
"""Rows copied at once in float64."""

_NEAR_TIE = 1e-5
"""Similarities closer than this are compared again in float64, so that the blocks of a matrix
product cannot decide (its rounding error at some hundred dimensions is below 1e-6)."""

_SEEDS_PER_ROUND = 0.1
"""Seeds drawn in a round, as a share of those found before it."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Where one run of Lloyd's algorithm ended.

    Attributes
    ----------
    centroids
        (k, d) float32 unit rows.
    labels
        (n,) int32, the nearest centroid of each vector.
    inertia
        Weighted mean cosine distance of the vectors to their centroids.
    """

    centroids: NDArray[np.float32]
    labels: NDArray[np.int32]
    inertia: float


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to length one; a zero row stays zero."""
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    return np.asarray(vectors * scale[:, None], np.float32)


def nearest(
    vectors: NDArray[np.float32], centroids: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Nearest centroid and its similarity by float32 products, ties to the lowest index.

    The quick form for training: see `assign` for the exact one.
    """
    n, k = len(vectors), len(centroids)
    labels = np.empty(n, np.int32)
    best = np.empty(n, np.float32)
    step = max(1, _BLOCK_ELEMENTS // max(1, k))
    for start in range(0, n, step):
        similarity = vectors[start : start + step] @ centroids.T
        index = similarity.argmax(axis=1)
        labels[start : start + step] = index
        best[start : start + step] = similarity[np.arange(len(index)), index]
    return labels, best


def assign(
    vectors: NDArray[np.float32], centroids: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Nearest centroid of each vector and the cosine distance to it.

    Parameters
    ----------
    vectors
        (n, d) float32 unit rows.
    centroids
        (k, d) float32 unit rows, k at least 1.

    Returns
    -------
    labels
        (n,) int32; ties go to the lowest index.
    distances
        (n,) float32, 1 - cosine, in [0, 2].

    Notes
    -----
    A row's result depends on the row and the centroids alone, not on the rows it comes with:
    candidates within rounding error of the best are compared in float64, one row at a time.

    Raises
    ------
    ValueError
        There is no centroid, or the dimensions differ.
    """
    if len(centroids) == 0:
        raise ValueError("assign needs at least one centroid")
    if vectors.shape[1] != centroids.shape[1]:
        raise ValueError(
            f"vectors have {vectors.shape[1]} dimensions, centroids {centroids.shape[1]}"
        )
    n, k = len(vectors), len(centroids)
    labels = np.empty(n, np.int32)
    distances = np.empty(n, np.float32)
    step = max(1, min(_MOST_BLOCK_ROWS, _BLOCK_ELEMENTS // k))
    for start in range(0, n, step):
        block = vectors[start : start + step]
        similarity = block @ centroids.T
        index = similarity.argmax(axis=1)
        floor = similarity[np.arange(len(index)), index] - np.float32(_NEAR_TIE)
        close = similarity >= floor[:, None]
        for row in np.flatnonzero(np.count_nonzero(close, axis=1) > 1):
            candidates = np.flatnonzero(close[row])
            exact = _dots(
                np.broadcast_to(block[row], (len(candidates), block.shape[1])),
                centroids[candidates],
            )
            index[row] = candidates[exact.argmax()]
        labels[start : start + step] = index
        cosine = _dots(block, centroids[index])
        distances[start : start + step] = np.clip(1.0 - cosine, 0.0, 2.0)
    return labels, distances


def _dots(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float64]:
    """Dot products row by row, summed in float64."""
    products = np.multiply(left, right, dtype=np.float64)
    return np.asarray(products.sum(axis=1), dtype=np.float64)


def seeds(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float32],
    k: int,
    generator: np.random.Generator,
) -> NDArray[np.float32]:
    """Draw k seeds, each with probability proportional to weight times distance to those before.

    Returns
    -------
    (k, d) float32, rows of `vectors`. Where there are fewer distinct rows than k, rows repeat.
    """
    n = len(vectors)
    chosen = [int(generator.choice(n, p=_probabilities(weights.astype(np.float64))))]
    distance = _distance_to(vectors, vectors[chosen])
    while len(chosen) < k:
        wanted = min(k - len(chosen), max(1, int(len(chosen) * _SEEDS_PER_ROUND)))
        mass = weights * distance
        if not mass.sum() > 0:
            chosen.extend(int(i) for i in generator.choice(n, k - len(chosen)))
            break
        wanted = min(wanted, int(np.count_nonzero(mass)))
        drawn = generator.choice(n, wanted, replace=False, p=_probabilities(mass))
        chosen.extend(int(i) for i in drawn)
        np.minimum(distance, _distance_to(vectors, vectors[drawn]), out=distance)
    return vectors[chosen]


def _probabilities(mass: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(mass / mass.sum())


def _distance_to(vectors: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine distance to the nearest of `points`; rounding errors around zero are cut off."""
    distance = 1.0 - nearest(vectors, points)[1].astype(np.float64)
    distance[distance < _NEAR_TIE] = 0.0
    return distance


def lloyd(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float32],
    centroids: NDArray[np.float32],
    *,
    max_passes: int,
    tolerance: float = 1e-4,
) -> Solution:
    """Alternate assignment and means until the objective hardly falls any more.

    Parameters
    ----------
    vectors, weights
        (n, d) float32 unit rows and (n,) float32 positive weights.
    centroids
        (k, d) float32 unit rows to start from.
    max_passes
        Assignments at most.
    tolerance
        Stop when a pass lowers the objective by less than this share of it.
    """
    k = len(centroids)
    total = float(weights.sum(dtype=np.float64))
    previous = np.inf
    labels, similarity = nearest(vectors, centroids)
    for done in range(1, max_passes + 1):
        inertia = float(np.dot(weights, 1.0 - similarity)) / total
        if done == max_passes or previous - inertia <= tolerance * inertia:
            break
        previous = inertia
        centroids = _means(vectors, weights, labels, similarity, k)
        labels, similarity = nearest(vectors, centroids)
    return Solution(centroids, labels, max(0.0, inertia))


def group_sums(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float32],
    labels: NDArray[np.int32],
    k: int,
) -> NDArray[np.float32]:
    """Weighted sums of the rows of each label, (k, d) float32, not scaled to unit length."""
    member = csc_array((weights, labels, np.arange(len(labels) + 1)), shape=(k, len(labels)))
    return np.asarray(member @ vectors, dtype=np.float32)


def _means(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float32],
    labels: NDArray[np.int32],
    similarity: NDArray[np.float32],
    k: int,
) -> NDArray[np.float32]:
    """Unit mean of each cluster; an empty one starts anew at the worst-served vectors."""
    centroids = unit_rows(group_sums(vectors, weights, labels, k))
    empty = np.flatnonzero(np.bincount(labels, minlength=k) == 0)
    if len(empty):
        burden = weights * (1.0 - similarity)
        worst = np.argsort(-burden, kind="stable")[: len(empty)]
        centroids[empty[: len(worst)]] = vectors[worst]
    return centroids
