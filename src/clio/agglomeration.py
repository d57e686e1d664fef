"""Ward's agglomeration of weighted points, which base clusters and hierarchy both build on.

Nearest-neighbour chains (Murtagh, "A survey of recent advances in hierarchical clustering
algorithms", 1983) with the update of Lance and Williams; Müllner, "Modern hierarchical,
agglomerative clustering algorithms" (2011) shows that the tree is the greedy one. SciPy's linkage
knows no weights and holds the distances in float64.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def ward_merges(
    points: NDArray[np.float32], sizes: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Merge weighted points pair by pair, each time at the least growth of the weighted variance.

    Parameters
    ----------
    points
        (n, d) float32.
    sizes
        (n,) float64, positive weights.

    Returns
    -------
    pairs
        (n - 1, 2) int64: two points, one of each of the groups that merge; by rising cost.
    costs
        (n - 1,) float64: growth of the weighted sum of squares.

    Notes
    -----
    Holds one float32 matrix of n times n: 400 MB for 10,000 points, which take some seconds.
    """
    n = len(points)
    size = sizes.astype(np.float64).copy()
    cost = _pair_costs(points, size)
    active = np.ones(n, bool)
    pairs = np.empty((max(0, n - 1), 2), np.int64)
    costs = np.empty(max(0, n - 1), np.float64)
    chain: list[int] = []
    first_active = 0
    for step in range(n - 1):
        if not chain:
            while not active[first_active]:
                first_active += 1
            chain.append(first_active)
        while True:
            top = chain[-1]
            row = cost[top]
            best = int(row.argmin())
            if len(chain) > 1 and row[chain[-2]] <= row[best]:
                best = chain[-2]
                break
            chain.append(best)
        del chain[-2:]
        keep, gone = min(top, best), max(top, best)
        height = float(cost[keep, gone])
        pairs[step] = keep, gone
        costs[step] = height
        merged = size[keep] + size[gone]
        with np.errstate(invalid="ignore"):
            updated = (
                (size[keep] + size) * cost[keep] + (size[gone] + size) * cost[gone] - size * height
            ) / (merged + size)
        updated[~active] = np.inf
        updated[keep] = np.inf
        updated[gone] = np.inf
        cost[keep] = updated
        cost[:, keep] = updated
        cost[gone] = np.inf
        cost[:, gone] = np.inf
        active[gone] = False
        size[keep] = merged
    order = np.argsort(costs, kind="stable")
    return pairs[order], costs[order]


def _pair_costs(points: NDArray[np.float32], sizes: NDArray[np.float64]) -> NDArray[np.float32]:
    """Ward's cost of each pair, n_a n_b / (n_a + n_b) times the squared distance."""
    n = len(points)
    squares = np.einsum("ij,ij->i", points, points)
    cost = np.empty((n, n), np.float32)
    step = max(1, (1 << 22) // max(1, n))
    for start in range(0, n, step):
        rows = slice(start, start + step)
        distance = squares[rows, None] + squares[None, :] - 2.0 * (points[rows] @ points.T)
        a, b = sizes[rows, None], sizes[None, :]
        cost[rows] = np.maximum(distance, 0.0) * (a * b / (a + b))
    # The product of a block may round (i, j) and (j, i) apart; the chains need one value.
    for start in range(0, n, step):
        rows = slice(start, start + step)
        cost[rows] = np.minimum(cost[rows], cost[:, rows].T)
        cost[:, rows] = cost[rows].T
    np.fill_diagonal(cost, np.inf)
    return cost


def cut(pairs: NDArray[np.int64], n: int, groups: int) -> NDArray[np.int64]:
    """Groups left after the cheapest merges, numbered by their first member.

    Parameters
    ----------
    pairs
        Merges as `ward_merges` returns them.
    n
        Number of points.
    groups
        Number of groups wanted, between 1 and n.

    Returns
    -------
    (n,) int64 group of each point.
    """
    root = np.arange(n)

    def find(node: int) -> int:
        while root[node] != node:
            root[node] = root[root[node]]
            node = int(root[node])
        return node

    for a, b in pairs[: n - groups]:
        low, high = sorted((find(int(a)), find(int(b))))
        root[high] = low
    roots = np.array([find(i) for i in range(n)], np.int64)
    return np.unique(roots, return_inverse=True)[1].astype(np.int64)


def group_means(
    points: NDArray[np.floating], weights: NDArray[np.float64], group: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight and weighted mean of each group.

    Parameters
    ----------
    points
        (n, d) floats.
    weights
        (n,) float64; every group has some.
    group
        (n,) int32 group of each point; every number up to the largest occurs.

    Returns
    -------
    weight : NDArray[np.float64]
        (groups,)
    mean : NDArray[np.float64]
        (groups, d)
    """
    count = int(group.max()) + 1
    weight = np.bincount(group, weights, count).astype(np.float64)
    total = np.zeros((count, points.shape[1]))
    np.add.at(total, group, points * weights[:, None])
    return weight, total / weight[:, None]
