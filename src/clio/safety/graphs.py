"""Groups of nodes that are joined."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ids = NDArray[np.int64]


def components(one: Ids, other: Ids, count: int) -> Ids:
    """Connected component of each of `count` nodes."""
    graph = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def members(group: Ids, least: int) -> list[Ids]:
    """Nodes of each group of at least `least`, by first node."""
    sizes = np.bincount(group)
    order = np.argsort(group, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    found = [np.sort(order[starts[g] : starts[g + 1]]) for g in np.flatnonzero(sizes >= least)]
    return sorted(found, key=lambda group: int(group[0]))
