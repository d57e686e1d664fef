"""The nodes of one level as a model sees them, and their order by likeness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clio.agglomeration import cut, group_means, ward_merges

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Vectors = NDArray[np.float32]


class Named(Protocol):
    """What has a title and a summary."""

    @property
    def title(self) -> str:
        """At most ten words."""
        ...

    @property
    def summary(self) -> str:
        """One or two sentences."""
        ...


@dataclass(frozen=True, slots=True)
class Nodes:
    """One level's nodes.

    Attributes
    ----------
    titles
        (n,)
    lines
        (n,) title and summary.
    vectors
        (n, d) float32 unit rows, of `lines`.
    weights
        (n,) float64, positive: conversations of each.
    order
        (n,) int64, the nodes so that like ones are near each other.
    """

    titles: list[str]
    lines: list[str]
    vectors: Vectors
    weights: NDArray[np.float64]
    order: NDArray[np.int64]

    def some(self, rows: NDArray[np.int64]) -> Nodes:
        """A part of the nodes, in the order of `rows`."""
        return Nodes(
            [self.titles[row] for row in rows],
            [self.lines[row] for row in rows],
            self.vectors[rows],
            self.weights[rows],
            np.argsort(np.argsort(self.order)[rows]),
        )


def nodes_of(names: Sequence[Named], weights: NDArray[np.float64], embed: Embed) -> Nodes:
    """Embed title and summary of each node (Clio paper, G.7) and put the nodes in order."""
    lines = [f"{name.title}: {name.summary}" for name in names]
    vectors = unit_rows(embed([f"{name.title}. {name.summary}" for name in names]))
    return Nodes([name.title for name in names], lines, vectors, weights, tree_order(vectors))


def unit_rows(vectors: NDArray[np.floating]) -> Vectors:
    """Rows of length one; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    return np.asarray(scaled, dtype=np.float32)


def tree_order(vectors: Vectors) -> NDArray[np.int64]:
    """Rows in the order of the leaves of Ward's tree, (n,) int64.

    Any run of it is a neighbourhood, and runs are of the size that one wants: groups by k-means
    hold one row here and hundreds there.
    """
    n = len(vectors)
    pairs, _ = ward_merges(vectors, np.ones(n))
    root, last, following = np.arange(n), np.arange(n), np.full(n, -1)

    def find(node: int) -> int:
        while root[node] != node:
            root[node] = root[root[node]]
            node = int(root[node])
        return node

    for a, b in pairs:
        low, high = sorted((find(int(a)), find(int(b))))
        root[high] = low
        following[last[low]] = high
        last[low] = last[high]
    order: list[int] = []
    node = 0 if n else -1
    while node >= 0:
        order.append(node)
        node = int(following[node])
    return np.asarray(order, dtype=np.int64)


def central_of(vectors: Vectors, groups: int) -> list[int]:
    """Cut Ward's tree to so many groups; the row nearest to the mean of each, ascending."""
    n = len(vectors)
    pairs, _ = ward_merges(vectors, np.ones(n))
    group = cut(pairs, n, min(groups, n)).astype(np.int32)
    _, means = group_means(vectors, np.ones(n), group)
    nearness = np.einsum("ij,ij->i", vectors, unit_rows(means)[group])
    order = np.lexsort((-nearness, group))
    _, first = np.unique(group[order], return_index=True)
    return sorted(order[first].tolist())
