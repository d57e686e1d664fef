"""How firmly each cluster stands: whether it is found again from a part of the vectors."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clio.clustering.fitting import refit, sample_rows

_HALVES: Final = 5
_SAMPLE: Final = 16_384
_VECTORS_A_CLUSTER: Final = 20


def stability(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float32],
    labels: NDArray[np.int32],
    *,
    seed: int,
) -> NDArray[np.float64]:
    """Stability of each cluster, in [0, 1].

    Clusters are found anew from random halves of the vectors. A cluster's stability is the mean
    over five halves of the Jaccard index between its members in the half and those of the new
    cluster that fits them best (Hennig, "Cluster-wise assessment of cluster stability", 2007).

    Parameters
    ----------
    vectors
        (n, d) float32 unit rows, or a sample of them; of large ones a part is taken.
    weights
        (n,) float32 positive.
    labels
        (n,) cluster of each, from 0.
    seed
        Starts all random draws.

    Returns
    -------
    (k,) float64, for clusters 0 to ``labels.max()``; NaN for one that had no member in any half.
    """
    k = int(labels.max()) + 1
    if k == 1:
        return np.ones(1)
    generator = np.random.default_rng(seed)
    size = min(len(vectors) // 2, max(_SAMPLE, _VECTORS_A_CLUSTER * k))
    if size <= k:
        return np.full(k, np.nan)
    total, seen = np.zeros(k), np.zeros(k)
    for _ in range(_HALVES):
        rows = sample_rows(len(vectors), size, generator)
        again = refit(vectors[rows], weights[rows], k, generator)
        both = np.zeros((k, int(again.max()) + 1))
        np.add.at(both, (labels[rows], again), weights[rows])
        before, after = both.sum(axis=1, keepdims=True), both.sum(axis=0, keepdims=True)
        there = before[:, 0] > 0
        total[there] += (both / np.maximum(before + after - both, 1e-9)).max(axis=1)[there]
        seen += there
    firm: NDArray[np.float64] = np.full(k, np.nan)
    np.divide(total, seen, out=firm, where=seen > 0)
    return firm
