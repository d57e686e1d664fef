"""From the pipeline's aggregated rows to the arrays that `clio.privacy.thresholds` works on."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.facet import UNKNOWN
from clio.privacy.slack import provable
from clio.privacy.thresholds import (
    Bools,
    Counts,
    Ints,
    bounded,
    cell_rule,
    cluster_rule,
    remainder_rule,
    round_counts,
    visible_cells,
    visible_nodes,
)
from clio.release.schema import ROOT_ID
from clio.settings import Thresholds

Column = NDArray[Any]


def columns(table: pa.Table, names: Sequence[str]) -> dict[str, Column]:
    """Columns as arrays: counts as int64, the rest as they come.

    Raises
    ------
    ValueError
        A column is missing, or a count is null or negative.
    """
    found: dict[str, Column] = {}
    for name in names:
        if name not in table.column_names:
            raise ValueError(f"column {name!r} is missing")
        column = table.column(name)
        if name in ("conversations", "accounts", "top1", "top2"):
            values = np.asarray(column.cast(pa.int64()).to_numpy(zero_copy_only=False))
            if column.null_count or (values < 0).any():
                raise ValueError(f"column {name!r} holds a null or a negative count")
            found[name] = values
        elif name in ("sum", "sum_squares", "cross", "sum_x_squares", "cross_x"):
            found[name] = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
        else:
            found[name] = np.array([*column.to_pylist(), None], dtype=object)[:-1]
    return found


COUNTS = ("conversations", "accounts", "top1", "top2")


def _counts(data: Mapping[str, Column], order: Column) -> Counts:
    counts = Counts(*(data[name][order] for name in COUNTS))
    c, a, top1, top2 = counts.conversations, counts.accounts, counts.top1, counts.top2
    sane = (top1 <= top2) & (top2 <= c) & (a <= c) & (top2 <= 2 * top1) & ((c == 0) | (a > 0))
    if not sane.all():
        raise ValueError("counts of accounts contradict the conversations")
    return counts


@dataclass(frozen=True)
class FacetTree:
    """The clusters of one facet in breadth-first order, and which of them are shown.

    Attributes
    ----------
    limits
        Thresholds in force for the facet.
    ids
        Cluster ids; the root first, siblings in the order of their ids.
    rows
        Row of each cluster in the table of nodes.
    parent
        Index of each cluster's parent, non-decreasing; -1 for the root.
    counts
        Exact counts.
    visible
        Which clusters are shown; the root is.
    other
        Conversations of hidden children; all of them where no child of an inner cluster is shown.
    conversations, other_conversations
        Released counts: rounded at the leaves and remainders, summed above.
    grid_nodes, grid_parent
        The shown clusters and remainders as a tree of their own, breadth first: index of the
        cluster, or ``-1 - i`` for the remainder of cluster ``i``; position of the parent.
    """

    facet: str
    limits: Thresholds
    ids: list[str]
    rows: NDArray[np.intp]
    level: Ints
    parent: NDArray[np.intp]
    counts: Counts
    visible: Bools
    conversations: Ints
    other_conversations: Ints
    grid_nodes: NDArray[np.intp]
    grid_parent: NDArray[np.intp]

    def index(self) -> dict[str, int]:
        """Index by cluster id."""
        return {cluster: i for i, cluster in enumerate(self.ids)}


def facet_tree(
    facet: str, nodes: Mapping[str, Column], limits: Thresholds, hidden: Collection[str] = ()
) -> FacetTree:
    """Order, check and gate the clusters of one facet; those that are `hidden` are not shown.

    Raises
    ------
    ValueError
        The rows are not one tree whose conversations add up: nothing of it can be trusted.
    """
    cluster, remainder, base = cluster_rule(limits), remainder_rule(limits), limits.round_to
    rows = np.flatnonzero(nodes["facet"] == facet)
    ids: list[str] = [str(i) for i in nodes["cluster_id"][rows]]
    place = {cluster_id: i for i, cluster_id in enumerate(ids)}
    if len(place) != len(ids) or ROOT_ID not in place:
        raise ValueError("each cluster has one row, and the root has one")
    children: dict[str, list[str]] = {}
    for cluster_id, above in zip(ids, nodes["parent_id"][rows], strict=True):
        if cluster_id != ROOT_ID:
            children.setdefault(ROOT_ID if above is None else str(above), []).append(cluster_id)
    order, parent = [ROOT_ID], [-1]
    for position, cluster_id in enumerate(order):  # grows while it is read: breadth first
        below = sorted(children.get(cluster_id, ()))
        order += below
        parent += [position] * len(below)
    if len(order) != len(ids):
        raise ValueError("the clusters do not form one tree")
    rows = rows[[place[cluster_id] for cluster_id in order]]
    counts = _counts(nodes, rows)
    up = np.array(parent, dtype=np.intp)
    sums = np.zeros(len(order), dtype=np.int64)
    np.add.at(sums, up[1:], counts.conversations[1:])
    inner = np.isin(np.arange(len(order)), up)
    if (sums != counts.conversations)[inner].any():
        raise ValueError("the conversations of clusters do not add up")
    unwanted = np.array([cluster_id in hidden for cluster_id in order])
    visible = visible_nodes(counts, up, cluster, remainder, unwanted)
    shown = np.zeros(len(order), dtype=np.int64)
    np.add.at(shown, up[1:], np.where(visible, counts.conversations, 0)[1:])
    other = np.where(inner, counts.conversations - shown, 0)
    part = round_counts(other, base, remainder.conversations)
    released = np.where(
        inner, part, round_counts(counts.conversations, base, cluster.conversations)
    )
    released = np.where(visible, released, 0)
    for node in range(len(order) - 1, 0, -1):
        released[up[node]] += released[node] if visible[node] else 0
    grid_nodes, grid_parent = _grid(up, visible, other)
    return FacetTree(
        facet,
        limits,
        order,
        rows,
        np.asarray(nodes["level"][rows], dtype=np.int64),
        up,
        counts,
        visible,
        released,
        np.where(visible, part, 0),
        grid_nodes,
        grid_parent,
    )


def _grid(
    parent: NDArray[np.intp], visible: Bools, other: Ints
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    below: dict[int, list[int]] = {}
    for node in np.flatnonzero(visible)[1:]:
        below.setdefault(int(parent[node]), []).append(int(node))
    nodes, up = [0], [-1]
    for position, node in enumerate(nodes):
        members = below.get(node, []) if node >= 0 else []
        # Without a visible child the remainder is the cluster itself.
        if members and other[node] > 0:
            members = [*members, -1 - node]
        nodes += members
        up += [position] * len(members)
    return np.array(nodes, dtype=np.intp), np.array(up, dtype=np.intp)


@dataclass
class Grid:
    """Cells of one facet and dimension over the shown clusters and their remainders.

    The last column holds conversations without a value; it and the rows of remainders are not
    printed. `shared` are the cells without an answer: several tables may count the same ones.
    `implied` are those that are all of their cluster, as those above are: what hides them is a
    matter of form, and no secret.
    """

    tree: FacetTree
    values: list[Hashable]
    cells: Counts
    totals: Counts
    unprinted: Bools
    shared: Bools
    withheld: Bools
    implied: Bools
    row_of: NDArray[np.int64]  # row of the aggregated table, -1 where there is none


Linked = frozenset[tuple[str, str, str]]
"""Table, facet and dimension of which another table counts the same conversations as absent."""


def linked_dimensions(
    trees: Iterable[FacetTree],
    tables: Mapping[str, tuple[Mapping[str, Column], str | None, str | None]],
) -> Linked:
    """Dimensions that lack a value for the same conversations as another one.

    What one table shows of those is then known in the other. They are told by their numbers, which
    agree in every cluster: days of the week and trends lack the same undated conversations.

    Parameters
    ----------
    trees
        The facets that are shown.
    tables
        By name aggregated rows, the column that names their dimension and that of its values.
    """
    found: dict[tuple[str, bytes], set[tuple[str, str, str]]] = {}
    for tree in trees:
        place = tree.index()
        for table, (data, key, value) in tables.items():
            of_facet = data["facet"] == tree.facet
            names = [""] if key is None else sorted({str(k) for k in data[key][of_facet]})
            for name in names:
                rows = np.flatnonzero(of_facet if key is None else of_facet & (data[key] == name))
                if value is not None:
                    rows = rows[data[value][rows] != UNKNOWN]
                absent = tree.counts.conversations.copy()
                at = [place.get(str(c), 0) for c in data["cluster_id"][rows]]
                np.subtract.at(absent, at, data["conversations"][rows])
                if len(rows) and absent.any():
                    same = found.setdefault((tree.facet, absent.tobytes()), set())
                    same.add((table, tree.facet, name))
    return frozenset().union(*(same for same in found.values() if len(same) > 1))


def grid(
    tree: FacetTree,
    data: Mapping[str, Column],
    rows: Column,
    values: Column,
    *,
    linked: bool = False,
) -> Grid:
    """Arrange the rows of one facet and dimension as cells; see `linked_dimensions` for `linked`.

    Raises
    ------
    ValueError
        A cluster is unknown, a cell stands twice, or cells do not add up to their parent's.
    """
    index = tree.index()
    names: list[Hashable] = sorted(set(values.tolist()))
    column = {value: j for j, value in enumerate(names)}
    shape = (len(tree.ids), len(names))
    at = (
        np.array([index.get(str(c), -1) for c in data["cluster_id"][rows]], dtype=np.intp),
        np.array([column[v] for v in values.tolist()], dtype=np.intp),
    )
    if (at[0] < 0).any():
        raise ValueError("a cell belongs to no cluster")
    row_of = np.full(shape, -1, dtype=np.int64)
    row_of[at] = rows
    if (row_of >= 0).sum() != len(rows):
        raise ValueError("a cell stands twice")
    flat = _counts(data, rows)
    dense = [np.zeros(shape, dtype=np.int64) for _ in COUNTS]
    for target, source in zip(
        dense, (flat.conversations, flat.accounts, flat.top1, flat.top2), strict=True
    ):
        target[at] = source
    every = Counts(*dense)
    _check_sums(tree, every)
    cells, totals = _reduce(tree, every)
    missing = totals.conversations - cells.conversations.sum(axis=1)
    if (missing < 0).any():
        raise ValueError("the cells of a cluster exceed it")
    absent = bounded(missing, np.zeros_like(missing), totals.top1, totals.top2, totals)
    cells = Counts(
        np.column_stack([cells.conversations, absent.conversations]),
        np.column_stack([cells.accounts, absent.accounts]),
        np.column_stack([cells.top1, absent.top1]),
        np.column_stack([cells.top2, absent.top2]),
    )
    unprinted = np.zeros(cells.conversations.shape, dtype=bool)
    unprinted[:, -1] = True
    unprinted[tree.grid_nodes < 0] = True
    shared = np.zeros_like(unprinted)
    if linked:
        shared[:, [*(name == UNKNOWN for name in names), True]] = True
    rows_shown = np.where((tree.grid_nodes < 0)[:, None], -1, row_of[tree.grid_nodes])
    return Grid(
        tree,
        names,
        cells,
        totals,
        unprinted,
        shared,
        withheld=np.zeros_like(unprinted),
        implied=np.zeros_like(unprinted),
        row_of=rows_shown,
    )


def _check_sums(tree: FacetTree, cells: Counts) -> None:
    starts = np.flatnonzero(np.diff(tree.parent)) + 1
    if len(starts):
        sums = np.add.reduceat(cells.conversations, starts, axis=0)
        if (sums != cells.conversations[tree.parent[starts]]).any():
            raise ValueError("the cells of clusters do not add up to their parent's")


def _reduce(tree: FacetTree, every: Counts) -> tuple[Counts, Counts]:
    """Cells and totals of shown clusters and of remainders, these by safe bounds."""
    nodes = tree.grid_nodes
    cluster = np.where(nodes < 0, -1 - nodes, nodes)
    cells, totals = every.take(cluster), tree.counts.take(cluster)
    for position in np.flatnonzero(nodes < 0):
        hidden = np.flatnonzero((tree.parent == cluster[position]) & ~tree.visible)
        for source, target in ((every, cells), (tree.counts, totals)):
            part, whole = source.take(hidden), target.take((position,))
            union = bounded(
                part.conversations.sum(axis=0),
                part.accounts.max(axis=0),
                part.top1.sum(axis=0),
                part.top2.sum(axis=0),
                whole,
            )
            target.conversations[position] = union.conversations
            target.accounts[position] = union.accounts
            target.top1[position] = union.top1
            target.top2[position] = union.top2
    return cells, totals


def resolve(grids: Sequence[Grid]) -> list[Bools]:
    """Visible cells of one dimension in all facets.

    The root is nearly the same corpus in every facet, so that a value hidden there in one is hidden
    there in all.
    """
    while True:
        visible = [_visible(g) for g in grids]
        hidden = {
            value
            for g, shown in zip(grids, visible, strict=True)
            for j, value in enumerate(g.values)
            if g.cells.conversations[0, j] > 0 and not shown[0, j]
        }
        grown = False
        for g, shown in zip(grids, visible, strict=True):
            for j, value in enumerate(g.values):
                if value in hidden and shown[0, j]:
                    g.withheld[0, j] = grown = True
        if not grown:
            return visible


def _visible(g: Grid) -> Bools:
    """Cells that the rules of single families leave, and the proof over all families at once."""
    parent, rule = g.tree.grid_parent, cell_rule(g.tree.limits)

    def gate(withheld: Bools) -> Bools:
        return visible_cells(g.cells, g.totals, parent, g.unprinted, rule, withheld)

    if not g.tree.limits.publishable:
        return gate(g.withheld)
    return provable(g.cells, parent, g.unprinted, rule, g.withheld, gate, g.shared, g.implied)
