"""What a differentially private export takes as given: the names of a release, and no number.

Clusters, their words and places in the tree, the places of leaves on the map, dimensions and their
values, and the calendar are those of the gated release. Every count is taken anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clio.pipeline.exporting import Wanted
from clio.release.read import Cluster, Release

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Node:
    """A released cluster, or the rest of one: what is in none of its released children.

    Attributes
    ----------
    cluster
        The cluster, of which nothing but words and place is used; ``None`` for a rest.
    parent
        Index of the node above; -1 for the root.
    depth
        Steps from the root.
    """

    cluster: Cluster | None
    parent: int
    depth: int


@dataclass(frozen=True)
class Given:
    """A taxonomy to count in.

    Attributes
    ----------
    facet
        Whose clusters.
    nodes
        The root first, each before its children. Every cluster with released children, and the
        root, has a rest below it, so that every conversation is in exactly one end.
    dimensions
        Values that are told apart, by dimension.
    periods, granularity
        First days of the periods, and what a period is.
    """

    facet: str
    nodes: tuple[Node, ...]
    dimensions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    periods: tuple[date, ...] = ()
    granularity: Literal["day", "week", "month"] = "week"

    @cached_property
    def parent(self) -> Indices:
        """Index of each node's parent; -1 for the root."""
        return np.array([node.parent for node in self.nodes], dtype=np.intp)

    @cached_property
    def depth(self) -> Indices:
        """Steps of each node from the root."""
        return np.array([node.depth for node in self.nodes], dtype=np.intp)

    @cached_property
    def rest(self) -> NDArray[np.bool_]:
        """Which nodes are rests."""
        return np.array([node.cluster is None for node in self.nodes])

    @cached_property
    def ends(self) -> NDArray[np.bool_]:
        """Which nodes have none below them."""
        ends = np.ones(len(self.nodes), dtype=bool)
        ends[self.parent[1:]] = False
        return ends

    @cached_property
    def top(self) -> Indices:
        """Position among `tops` of each node's ancestor right under the root; of the root 0."""
        at = np.zeros(len(self.nodes), dtype=np.intp)
        at[self.tops] = np.arange(len(self.tops))
        for node in np.flatnonzero(self.depth > 1):
            at[node] = at[self.parent[node]]
        return at

    @cached_property
    def tops(self) -> Indices:
        """Nodes right under the root."""
        return np.flatnonzero(self.depth == 1)

    @cached_property
    def levels(self) -> list[Indices]:
        """Nodes that are no ends, by depth from 1 on."""
        inner = ~self.ends
        depths = range(1, int(self.depth[inner].max(initial=0)) + 1)
        return [np.flatnonzero(inner & (self.depth == depth)) for depth in depths]

    def wanted(self) -> Wanted:
        """What the private tables are asked for."""
        places = {}
        rests = {int(self.parent[i]): int(i) for i in np.flatnonzero(self.rest)}
        for i, node in enumerate(self.nodes):
            if node.cluster is not None:
                places[node.cluster.cluster_id] = (node.depth, rests.get(i, i))
        return Wanted(self.facet, places, self.dimensions, self.periods, self.granularity)


def given_by(release: Release, dimensions: Sequence[str]) -> Given:
    """The taxonomy of a release's primary facet.

    Parameters
    ----------
    release
        The release.
    dimensions
        Dimensions of breakdowns to count, as far as the release has them.
    """
    facet = release.facets[0]
    nodes: list[Node] = []
    at: dict[str, int] = {}
    for cluster in release.walk(facet=facet):
        parent = -1 if cluster.parent_id is None else at[cluster.parent_id]
        depth = 0 if parent < 0 else nodes[parent].depth + 1
        at[cluster.cluster_id] = len(nodes)
        nodes.append(Node(cluster, parent, depth))
    inner = {node.parent for node in nodes[1:]} | {0}
    nodes += [Node(None, i, nodes[i].depth + 1) for i in sorted(inner)]
    return Given(
        facet,
        tuple(nodes),
        _values(release, facet, dimensions),
        _periods(release),
        release.info.granularity or "week",
    )


def _values(release: Release, facet: str, dimensions: Sequence[str]) -> dict[str, tuple[str, ...]]:
    table = release.breakdowns.select(["facet", "dimension", "value"]).to_pydict()
    found: dict[str, set[str]] = {name: set() for name in dimensions}
    for of, name, value in zip(*table.values(), strict=True):
        if of == facet and name in found:
            found[name].add(value)
    return {name: tuple(sorted(values)) for name, values in sorted(found.items()) if values}


def _periods(release: Release) -> tuple[date, ...]:
    """All periods from the first to the last one that the release shows."""
    period, granularity = release.info.period, release.info.granularity
    if period is None or granularity is None:
        return ()
    days, found = period.first, []
    while days <= period.last:
        found.append(days)
        days = following(days, granularity)
    return tuple(found)


def following(period: date, granularity: str) -> date:
    """First day of the period after the one that begins on `period`."""
    if granularity == "month":
        return (period.replace(day=1) + timedelta(days=32)).replace(day=1)
    return period + timedelta(days=7 if granularity == "week" else 1)
