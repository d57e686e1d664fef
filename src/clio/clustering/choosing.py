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

_WINDOW = 2
"""Scores are averaged over so many numbers to either side."""

_PLATEAU = 0.02
"""Numbers whose score is this close (relatively) to the best count as equally good."""


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


def ladder(lowest: int, highest: int) -> list[int]:
    """Numbers from `lowest` to `highest`, about eight per cent apart, both ends included."""
    steps = max(1, math.ceil(math.log(highest / lowest) / math.log(_STEP)))
    ratio = (highest / lowest) ** (1.0 / steps)
    return sorted({round(lowest * ratio**step) for step in range(steps + 1)})


def choose_k(candidates: list[int], silhouette: Callable[[int], float], *, suggested: int) -> int:
    """The middle of the plateau of numbers of clusters whose silhouette is near the best.

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
    The geometric mean of the plateau's ends, which moves less with the sample and the seed than
    the maximum does.
    """
    scores = _smooth([silhouette(k) - _PULL * abs(math.log(k / suggested)) for k in candidates])
    best = int(np.argmax(scores))
    floor = scores[best] - _PLATEAU * abs(scores[best])
    first = last = best
    while first > 0 and scores[first - 1] >= floor:
        first -= 1
    while last < len(scores) - 1 and scores[last + 1] >= floor:
        last += 1
    return round(math.sqrt(candidates[first] * candidates[last]))


def _smooth(values: list[float]) -> list[float]:
    """Centred moving average; the window narrows towards the ends, so that it stays centred."""
    last = len(values) - 1
    reach = [min(_WINDOW, i, last - i) for i in range(len(values))]
    return [float(np.mean(values[i - r : i + r + 1])) for i, r in enumerate(reach)]


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
