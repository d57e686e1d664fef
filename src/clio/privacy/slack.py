"""Proof that hidden cells of a table cannot be bounded tightly, over all of its sums at once.

A table of clusters × values has two kinds of sums: the values of a cluster add up to the cluster,
the children's cells of a value to their parent's. Since an inner row's sum follows from those of
its children, every cell stands in exactly two sums that count, with opposite signs: the table is a
network. Conversations flow from the rows of leaves, through the cells of each column up the tree,
to one sink. Whoever reads a release knows the flow on the printed cells; on all others it may be
anything from 0 on. How far a hidden cell may rise or fall is then a maximum flow around it, exact
and whole-numbered (Ahuja, Magnanti, Orlin, *Network Flows*, 1993, ch. 6; for cell suppression
Kelly, Golden, Assad, *Networks* 22, 1992, and Castro, *EJOR* 171, 2006).

The statement that is proven, with `T` the least count that a cell may have: a hidden cell of fewer
conversations may be 0 for all a reader knows, and may be `T`; a hidden cell of more (it keeps
others company, or an account dominates it) has an interval at least `T` wide. Empty cells are not
printed either, so that the reader does not know which cells are hidden and which are empty.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow

from clio.privacy.thresholds import Bools, Counts, Ints, Rule, children_of

MAX_FLOWS: Final = 20_000
MAX_WORK: Final = 400_000_000
"""Flows for one table, and flows times cells; a table that takes more is not shown at all. By
count, not by the clock, so that the same data give the same release."""

_UNLIMITED: Final = 2**30

_Cell = tuple[int, int]


def provable(
    cells: Counts,
    parent: NDArray[np.intp],
    unprinted: Bools,
    rule: Rule,
    withheld: Bools,
    gate: Callable[[Bools], Bools],
    shared: Bools,
    implied: Bools,
) -> Bools:
    """Visible cells of a table, so few that the statement above holds for all that are hidden.

    Where a cell is exposed, the visible cells that cost least on a way around it (a shortest path
    in the network) are hidden too, until no cell is.

    Parameters
    ----------
    cells, parent, unprinted, rule, withheld
        As for `clio.privacy.thresholds.visible_cells`.
    gate
        The rules of single families: visible cells, given the withheld ones.
    shared
        Cells that another table may show, so that they are no slack for others.
    implied
        Cells that need no proof, since what is shown above says as much.

    Returns
    -------
    NDArray[np.bool_]
        Visible cells; none where the proof takes more flows than allowed.
    """
    if len(parent) == 1:
        # A root without children: as if it had one, which it equals.
        twice = Counts(*(np.vstack([part, part]) for part in vars(cells).values()))
        visible = provable(
            twice,
            np.array([-1, 0], dtype=np.intp),
            np.vstack([unprinted, unprinted]),
            rule,
            np.vstack([withheld, withheld]),
            lambda more: np.vstack([gate(more[:1] | more[1:])] * 2),
            np.vstack([shared, shared]),
            np.vstack([implied, implied]),
        )
        return visible[:1]
    threshold = max(rule.accounts, rule.conversations)
    withheld, proven = withheld.copy(), (cells.conversations == 0) | implied
    flows, most = 0, min(MAX_FLOWS, MAX_WORK // cells.conversations.size)
    while True:
        visible = gate(withheld)
        if not visible.any():
            return visible
        # What was hidden once stays hidden: proofs rest on it, and other company would do as well.
        withheld |= ~visible
        before = withheld.copy()
        for part, fixed in ((~shared, visible | shared), (shared, visible)):
            hidden = part & ~visible & ~proven
            if not hidden.any():
                continue
            network = Network(cells.conversations, parent, fixed)
            proven |= hidden & network.certified(threshold)
            for row, column in np.argwhere(hidden & ~proven).tolist():
                flows += 1
                if flows > most:
                    return np.zeros_like(visible)
                need = network.need((row, column), threshold)
                if need is None:
                    proven[row, column] = True
                    continue
                hideable = ~withheld & fixed & ~(shared & ~part)
                amount, *directions = need
                ways = (
                    network.way_around((row, column), rising, amount, hideable, unprinted)
                    for rising in directions
                )
                more = next(filter(None, ways), None)
                if more is None:
                    return np.zeros_like(visible)
                for cell in more:
                    withheld[cell] = True
                network.free(more)
        if (withheld == before).all():
            return visible


class Network:
    """The sums of one table as a network, with what a reader does not know as free arcs.

    Node 0 is the sink; then follow a node for each leaf row, and one for each inner row and column.
    An arc leads from `tail` to `head` and carries the cell's conversations.

    Parameters
    ----------
    flow
        True conversations, shape ``(rows, columns)``.
    parent
        Index of each row's parent; -1 for the root, row 0.
    fixed
        Cells whose number a reader knows.
    """

    def __init__(self, flow: Ints, parent: NDArray[np.intp], fixed: Bools) -> None:
        self._flow, self._parent, self._free = flow, parent, ~fixed
        rows, columns = flow.shape
        self._inner = np.isin(np.arange(rows), parent)
        sizes = np.where(self._inner, columns, 1)
        base = 1 + np.cumsum(sizes) - sizes
        self._tail = base[:, None] + np.where(self._inner[:, None], np.arange(columns), 0)
        self._head = np.zeros_like(self._tail)
        self._head[1:] = self._tail[parent[1:]]
        self._nodes = 1 + int(sizes.sum())
        self._row = np.concatenate([[-1], np.repeat(np.arange(rows), sizes)])
        self._base = base
        self._children = [members.tolist() for members in children_of(parent)]
        self._graph: csr_matrix | None = None

    def free(self, cells: Iterable[_Cell]) -> None:
        """Cells that a reader does not know any more."""
        for cell in cells:
            self._free[cell] = True
        self._graph = None

    def _residual(self) -> csr_matrix:
        tail, head = self._tail[self._free], self._head[self._free]
        back = np.minimum(self._flow[self._free], _UNLIMITED)
        data = np.concatenate([np.full(len(tail), _UNLIMITED), back]).astype(np.int32)
        ends = (np.concatenate([tail, head]), np.concatenate([head, tail]))
        graph = csr_matrix((data, ends), shape=(self._nodes, self._nodes))
        graph.sort_indices()
        return graph

    def certified(self, threshold: int) -> Bools:
        """Cells of leaf rows that swaps with siblings prove: sufficient, and cheap.

        In the four cells of two siblings and two columns, all free, conversations move around
        without changing a sum. Swaps through one column, and through one sibling, are added up.
        """
        done = np.zeros_like(self._free)
        for head in np.flatnonzero(self._inner):
            rows = np.array([c for c in self._children[head] if not self._inner[c]], dtype=np.intp)
            if len(rows) < 2:
                continue
            free = self._free[rows].astype(np.int64)
            flow = self._flow[rows] * free
            room = free.T @ flow  # [b, a]: what these rows hold in a where b is free too
            held = flow @ free.T  # [i, k]: what row i holds where row k is free too
            for j in range(free.shape[1]):
                own = flow[:, [j]]
                # Through column b the row gives up b, and its siblings give up j.
                rise = np.minimum(flow, (room[:, j] - free * own)) * free
                # Through column b the siblings give up b.
                fall = np.minimum(own, (room[j] - flow)) * free
                rise[:, j] = fall[:, j] = 0
                # Through sibling k it gives up j and takes what the row gives up, or the reverse.
                others = free[:, j] * (1 - np.eye(len(rows), dtype=np.int64))
                lifted = np.minimum(own.T, held - own * free[:, j]) * others
                lowered = np.minimum(own, held.T - own.T) * others
                up = np.maximum(rise.max(axis=1), lifted.max(axis=1))
                down, count = np.maximum(fall.max(axis=1), lowered.max(axis=1)), own[:, 0]
                done[rows, j] = (free[:, j] > 0) & np.where(
                    count < threshold,
                    (up >= threshold - count) & (down >= count),
                    np.maximum(up, down) >= threshold,
                )
        return done

    def need(self, cell: _Cell, threshold: int) -> tuple[int, *tuple[bool, ...]] | None:
        """By how much a cell must rise (true) or fall, as either helps; None where it is safe."""
        if self._graph is None:
            self._graph = self._residual()
        graph, tail, head = self._graph, int(self._tail[cell]), int(self._head[cell])
        places = [_place(graph, tail, head), _place(graph, head, tail)]
        kept = graph.data[places]
        graph.data[places] = 0  # around it, not through it
        rise = int(maximum_flow(graph, head, tail).flow_value)
        fall = int(maximum_flow(graph, tail, head).flow_value)
        graph.data[places] = kept
        count = int(self._flow[cell])
        fall = min(fall, count)
        if count < threshold:
            if fall < count:
                return count, False
            return None if rise >= threshold - count else (threshold - count, True)
        return None if rise + fall >= threshold else (threshold, True, False)

    def way_around(
        self, cell: _Cell, rising: bool, amount: int, visible: Bools, cheap: Bools
    ) -> list[_Cell]:
        """Visible cells whose hiding lets a cell rise or fall, the least costly found.

        On the shortest path that carries `amount`, or a half, a quarter, ... of it where none does;
        or, where what is hidden carries that much already, the shortest that carries more.
        """
        cost = self._costs(visible, cheap)
        ends = int(self._head[cell]), int(self._tail[cell])
        start, goal = ends if rising else ends[::-1]
        rooms = np.full_like(self._flow, _UNLIMITED), self._flow
        while amount >= 1:
            found = self._shortest(start, goal, cell, amount, cost, rooms)
            if any(visible[at] for at in found):
                return [at for at in found if visible[at]]
            amount //= 2
        found = self._shortest(start, goal, cell, 1, cost, self._left(start, goal, cell))
        return [at for at in found if visible[at]]

    def _left(self, start: int, goal: int, around: _Cell) -> tuple[Ints, Ints]:
        """What each cell may rise and fall when hidden cells carry all that they can."""
        graph = self._residual()
        ends = int(self._tail[around]), int(self._head[around])
        graph.data[[_place(graph, *ends), _place(graph, *ends[::-1])]] = 0
        flow = maximum_flow(graph, start, goal).flow
        up, down = np.full_like(self._flow, _UNLIMITED), self._flow.copy()
        tail, head = self._tail[self._free], self._head[self._free]
        up[self._free] -= np.asarray(flow[tail, head]).ravel()
        down[self._free] -= np.asarray(flow[head, tail]).ravel()
        return up, down

    def _costs(self, visible: Bools, cheap: Bools) -> NDArray[np.float64]:
        """What hiding a cell costs, with all that would be hidden under it; infinite if fixed."""
        cost = np.where(visible, np.where(cheap, 0.0, self._flow + 1.0), 0.0)
        for row in range(len(cost) - 1, 0, -1):
            above = self._parent[row]
            cost[above] += np.where(visible[above], cost[row], 0.0)
        return np.where(self._free | visible, cost, np.inf)

    def _shortest(
        self,
        start: int,
        goal: int,
        around: _Cell,
        amount: int,
        cost: NDArray[np.float64],
        rooms: tuple[Ints, Ints],
    ) -> list[_Cell]:
        """Cells on the path of least cost that may rise, or fall, by `amount`, without one cell."""
        best = {start: 0.0}
        came: dict[int, tuple[int, _Cell]] = {}
        queue = [(0.0, start)]
        while queue:
            far, node = heapq.heappop(queue)
            if node == goal:
                break
            if far > best[node]:
                continue
            for cell, other in self._arcs(node, amount, *rooms):
                length = far + cost[cell] + 1e-6  # of equal ones the path of fewest cells
                if cell != around and length < best.get(other, np.inf):
                    best[other] = length
                    came[other] = (node, cell)
                    heapq.heappush(queue, (length, other))
        path = []
        while goal != start and goal in came:
            goal, cell = came[goal]
            path.append(cell)
        return path

    def _arcs(self, node: int, amount: int, up: Ints, down: Ints) -> Iterator[tuple[_Cell, int]]:
        """Cells that lead on from a node, upwards and downwards, with room for `amount`."""
        row = int(self._row[node])
        columns: Iterable[int] = range(self._flow.shape[1])
        if row >= 0 and self._inner[row]:
            columns = (node - int(self._base[row]),)
        if row >= 0:
            for column in columns:
                if up[row, column] >= amount:
                    yield (row, column), int(self._head[row, column])
        below = [0] if row < 0 else self._children[row]
        for child in below:
            for column in columns:
                if down[child, column] >= amount:
                    yield (child, column), int(self._tail[child, column])


def _place(graph: csr_matrix, source: int, sink: int) -> int:
    """Where the capacity of an arc stands."""
    start, stop = graph.indptr[source : source + 2]
    return int(start + np.searchsorted(graph.indices[start:stop], sink))
