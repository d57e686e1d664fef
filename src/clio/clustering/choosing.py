"""How many base clusters: from the number of conversations first, then from the data."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_CONVERSATIONS_A_CLUSTER = 100
_LINEAR_UP_TO = 100_000
_MOST_CLUSTERS = 10_000

_VECTORS_A_CENTROID = 50
_FEWEST_TRAINING_VECTORS = 25_000

_WIDEST = 1.25
"""Clusters at most, as a multiple of the number that the size of the corpus suggests."""

_NARROWEST = 0.2
"""Clusters at least, likewise. The silhouette may peak at a handful of broad groups (languages,
say), and such a number would tell a reader little."""

_HEADROOM = 1.3
"""Sizes are skewed: the median cluster is smaller than the mean one by about this factor."""

_STEP = 1.08
"""Ratio of the numbers of clusters that are tried one after the other."""

_PULL = 0.015
"""Silhouette that a number loses per factor e between it and the one that the size suggests. It
decides where texts form no clear groups and the silhouette hardly depends on the number."""

_TOLERANCE = 0.015
"""Relative shortfall from the best score at which a number's say falls to exp(-1/2)."""


def initial_k(n_conversations: int) -> int:
    """Base clusters that the size of a corpus suggests, before its content is known.

    One cluster a hundred conversations up to 100,000 conversations (the Clio paper costs with a
    hundred), then growing with the square root, 10,000 at most.
    """
    linear = min(n_conversations, _LINEAR_UP_TO) / _CONVERSATIONS_A_CLUSTER
    growth = math.sqrt(max(1.0, n_conversations / _LINEAR_UP_TO))
    return max(1, min(_MOST_CLUSTERS, round(linear * growth)))


def training_size(k: int) -> int:
    """Vectors that are enough to train k centroids on: fifty each, and 25,000 in any case."""
    return max(_FEWEST_TRAINING_VECTORS, _VECTORS_A_CENTROID * k)


def bounds(
    n_conversations: int, n_vectors: int, *, min_accounts: int, min_conversations: int
) -> tuple[int, int]:
    """Fewest and most base clusters to consider.

    The most is such that the median cluster clears the thresholds. Small corpora may have up to
    about the square root of their size, where the thresholds let them.

    Returns
    -------
    lowest, highest
        With ``1 <= lowest <= highest``.
    """
    suggested = initial_k(n_conversations)
    smallest_mean = _HEADROOM * max(min_accounts, min_conversations, 1)
    root = math.sqrt(min(n_conversations, _LINEAR_UP_TO))
    highest = min(
        _WIDEST * max(suggested, root),
        n_conversations / smallest_mean,
        n_vectors / 2,
        _MOST_CLUSTERS,
    )
    top = max(1, int(highest))
    return min(top, max(2, math.ceil(_NARROWEST * suggested))), top


def likely_k(n_conversations: int, highest: int) -> int:
    """Number of clusters that counts as likely before the data are seen.

    Where the thresholds let a small corpus have as many as the square root of its size, that many:
    one person's few hundred conversations are about more than three or four things.
    """
    root = round(math.sqrt(n_conversations))
    suggested = initial_k(n_conversations)
    return max(suggested, root) if root <= highest else suggested


def ladder(lowest: int, highest: int) -> list[int]:
    """Numbers from `lowest` to `highest`, about eight per cent apart, both ends included."""
    steps = max(1, math.ceil(math.log(highest / lowest) / math.log(_STEP)))
    ratio = (highest / lowest) ** (1.0 / steps)
    return sorted({round(lowest * ratio**step) for step in range(steps + 1)})


def choose_k(candidates: list[int], silhouette: Callable[[int], float], *, suggested: int) -> int:
    """Number of clusters with the best silhouette, or the middle of those that are nearly as good.

    Parameters
    ----------
    candidates
        Rising numbers of clusters.
    silhouette
        Silhouette at a number of clusters, in [-1, 1].
    suggested
        Number that counts as likely before the data are seen.

    Returns
    -------
    The geometric mean of the candidates, each weighted by how near its score comes to the best. A
    sharp peak is met exactly, and on a plateau the result moves less with the sample and the seed
    than the maximum does.
    """
    logs = np.log(candidates)
    scores = np.array([silhouette(k) for k in candidates]) - _PULL * np.abs(
        logs - math.log(suggested)
    )
    best = float(scores.max())
    shortfall = (best - scores) / max(abs(best), 1e-9)
    say = np.exp(-0.5 * (shortfall / _TOLERANCE) ** 2)
    return round(math.exp(float(np.average(logs, weights=say))))


def simplified_silhouette(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float32],
    centroids: NDArray[np.float32],
) -> float:
    """Weighted mean of (b - a) / max(a, b), a and b the distances to the two nearest centroids.

    The silhouette with centroids in the members' place (Hruschka, de Castro and Campello 2004;
    Vendramin, Campello and Hruschka 2010 find it as good a guide at a fraction of the cost). 0 for
    a single centroid.
    """
    if len(centroids) < 2:
        return 0.0
    similarity = vectors @ centroids.T
    two = np.partition(similarity, len(centroids) - 2, axis=1)[:, -2:]
    near, next_near = 1.0 - two[:, 1], 1.0 - two[:, 0]
    score = np.divide(next_near - near, next_near, out=np.zeros_like(near), where=next_near > 0)
    return float(np.average(score, weights=weights))
