"""Leaves to levels: how many levels, how many nodes each, and who belongs to whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clio.agglomeration import cut, group_means, ward_merges

_LEVELS_UP_TO: tuple[tuple[int, int], ...] = ((12, 1), (60, 2), (2_000, 3))
"""Leaves at most for so many levels; beyond the last, `_MOST_LEVELS`."""

_MOST_LEVELS = 4

_CUTS = 6
"""Further cuts at most, to reach the number of groups wanted."""

SMALLEST_WEIGHT = 1e-6
"""An empty leaf still has a place in the tree."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Who belongs to whom.

    Attributes
    ----------
    parents
        ``parents[l][i]`` (int32) is the index, at level l + 1, of node i of level l. Level 0 are
        the leaves. Empty: the leaves are the top.
    """

    parents: list[NDArray[np.int32]]


def level_sizes(n_base: int, n_top: int) -> list[int]:
    """Nodes wanted at each level above the leaves, by a constant ratio (Clio paper, G.7).

    Parameters
    ----------
    n_base
        Number of leaves.
    n_top
        Nodes wanted at the top.

    Returns
    -------
    Strictly falling sizes, the last `n_top`; empty where the leaves are few enough to be the top.
    """
    levels = next((count for most, count in _LEVELS_UP_TO if n_base <= most), _MOST_LEVELS)
    if n_base <= n_top or levels == 1:
        return []
    ratio = (n_top / n_base) ** (1.0 / (levels - 1))
    sizes = [n_base]
    for level in range(1, levels):
        wanted = n_top if level == levels - 1 else round(n_base * ratio**level)
        if n_top <= wanted < sizes[-1]:
            sizes.append(wanted)
    return sizes[1:]


def build(
    centroids: NDArray[np.float32],
    sizes: NDArray[np.float64],
    *,
    n_top: int = 10,
    seed: int,
) -> Hierarchy:
    """Group leaves into levels up to about `n_top` parts.

    Each level is cut from Ward's tree over the nodes below it, a node standing at the mean of its
    leaves and weighing what they weigh. A group of one joins its nearest neighbour, so no node has
    a single child.

    Parameters
    ----------
    centroids
        (k, d) float32 unit rows, the leaves.
    sizes
        (k,) float64, conversations of each leaf.
    n_top
        Nodes wanted at the top.
    seed
        Not used by this method, which draws nothing.

    Raises
    ------
    ValueError
        `centroids` and `sizes` differ in length, or `n_top` is under 1.
    """
    del seed
    if len(centroids) != len(sizes):
        raise ValueError("centroids and sizes differ in length")
    if n_top < 1:
        raise ValueError("n_top must be at least 1")
    weights = np.maximum(sizes.astype(np.float64), SMALLEST_WEIGHT)
    points = centroids.astype(np.float32)
    parents: list[NDArray[np.int32]] = []
    for wanted in level_sizes(len(centroids), n_top):
        if wanted >= len(points):
            continue
        up = group_nodes(points, weights, wanted)
        parents.append(up)
        weights, means = group_means(points, weights, up)
        points = means.astype(np.float32)
    return Hierarchy(parents)


def group_nodes(
    points: NDArray[np.float32], weights: NDArray[np.float64], wanted: int
) -> NDArray[np.int32]:
    """About `wanted` groups of two or more.

    Cutting Ward's tree leaves singles, which other groups adopt; so it is cut a little lower until
    enough groups remain.
    """
    pairs, _ = ward_merges(points, weights)
    groups = wanted
    best = adopt_singles(points, weights, cut(pairs, len(points), groups))
    for _ in range(_CUTS):
        missing = wanted - 1 - int(best.max())
        groups += missing
        if missing == 0 or groups >= len(points):
            break
        up = adopt_singles(points, weights, cut(pairs, len(points), groups))
        if best.max() < up.max() < wanted:
            best = up
    return best


def adopt_singles(
    points: NDArray[np.float32], weights: NDArray[np.float64], groups: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Let groups of one join the group that Ward's criterion finds nearest, the lightest first.

    Groups come out numbered by their first member.
    """
    up = groups.astype(np.int32)
    members = np.bincount(up)
    total, means = group_means(points, weights, up)
    mean = means.astype(np.float32)
    single = np.flatnonzero(members == 1)
    for group in single[np.argsort(total[single], kind="stable")]:
        if members[group] != 1 or np.count_nonzero(members) == 1:
            continue
        squared = np.square(mean - mean[group]).sum(axis=1, dtype=np.float64)
        cost = squared * total * total[group] / (total + total[group])
        cost[group] = np.inf
        cost[members == 0] = np.inf
        into = int(cost.argmin())
        mean[into] = (mean[into] * total[into] + mean[group] * total[group]) / (
            total[into] + total[group]
        )
        total[into] += total[group]
        members[into] += 1
        members[group] = 0
        up[up == group] = into
    _, first, number = np.unique(up, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first), dtype=np.int32)
    return rank[number]
