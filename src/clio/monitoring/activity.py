"""Who wrote in which cluster on which day, and the counts that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WEEK = 7


@dataclass(frozen=True)
class Tree:
    """A tree of clusters without its root.

    Attributes
    ----------
    parent
        Index of each node's parent, shape ``(nodes,)``; -1 right under the root.
    of_leaf
        Sparse ``(leaves, nodes)``: 1 where a leaf is a node or lies under it.
    """

    parent: Ints
    of_leaf: Any

    @classmethod
    def of(cls, parent: ArrayLike, leaves: ArrayLike) -> Tree:
        """A tree from its parents.

        Parameters
        ----------
        parent
            As the attribute.
        leaves
            Node of each leaf, shape ``(leaves,)``, in the order in which activity numbers them.
        """
        above = np.asarray(parent, dtype=np.int64)
        start = np.asarray(leaves, dtype=np.int64)
        rows, nodes, at = [], [], start
        of = np.arange(len(start))
        while len(of):
            rows.append(of)
            nodes.append(at)
            of, at = of[above[at] >= 0], above[at]
            at = at[at >= 0]
        row, node = np.concatenate(rows), np.concatenate(nodes)
        shape = (len(start), len(above))
        return cls(above, csr_array((np.ones(len(row)), (row, node)), shape=shape))

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.parent)

    def children(self, node: int) -> Ints:
        """Children of a node; of the root for -1."""
        return np.flatnonzero(self.parent == node)

    def only(self, nodes: ArrayLike) -> Tree:
        """Some of the nodes, each by itself, in the order given."""
        chosen = np.asarray(nodes, dtype=np.int64)
        return Tree(np.full(len(chosen), -1), self.of_leaf[:, chosen])

    def leaves(self, node: int) -> Ints:
        """Leaves that are a node or lie under it."""
        return np.asarray(self.of_leaf[:, [node]].nonzero()[0], dtype=np.int64)


@dataclass(frozen=True)
class Activity:
    """Conversations by account, leaf and day.

    Attributes
    ----------
    account, leaf, day
        Whole numbers from 0, shape ``(rows,)``; a day counts from the first one of the history.
    weight
        What a row counts, shape ``(rows,)``.
    """

    account: Ints
    leaf: Ints
    day: Ints
    weight: Floats

    @classmethod
    def of(cls, account: ArrayLike, leaf: ArrayLike, day: ArrayLike) -> Activity:
        """One row a conversation."""
        who, where, when = (np.asarray(v, dtype=np.int64) for v in (account, leaf, day))
        return cls(who, where, when, np.ones(len(who)))

    @property
    def days(self) -> int:
        """Days from the first to the last, both included."""
        return int(self.day.max(initial=-1)) + 1

    def capped(self) -> Activity:
        """An account counts once a day in a leaf, however much it writes there.

        Nobody can raise a leaf by more than 1 a day alone, and counts still add up along the tree.
        """
        leaves = int(self.leaf.max(initial=0)) + 1
        key = (self.account * self.days + self.day) * leaves + self.leaf
        first = np.unique(key, return_index=True)[1]
        return self.take(first)

    def take(self, rows: Any) -> Activity:
        """Some of the rows."""
        return Activity(self.account[rows], self.leaf[rows], self.day[rows], self.weight[rows])

    def within(self, start: int, stop: int) -> Activity:
        """The rows of the days from `start` to before `stop`."""
        return self.take((self.day >= start) & (self.day < stop))

    def daily(self, tree: Tree) -> Floats:
        """Counts by day and node, shape ``(days, nodes)``."""
        shape = (self.days, tree.of_leaf.shape[0])
        by_leaf = csr_array((self.weight, (self.day, self.leaf)), shape=shape)
        return np.asarray((by_leaf @ tree.of_leaf).todense(), dtype=np.float64)

    def totals(self) -> Floats:
        """Counts by day, shape ``(days,)``."""
        counted = np.bincount(self.day, weights=self.weight, minlength=self.days)
        return np.asarray(counted, dtype=np.float64)

    def of_each(self, accounts: int) -> Floats:
        """Each account's count in all, shape ``(accounts,)``."""
        counted = np.bincount(self.account, weights=self.weight, minlength=accounts)
        return np.asarray(counted, dtype=np.float64)

    def by_account(self, tree: Tree, accounts: int) -> Any:
        """Counts by account and node: sparse, shape ``(accounts, nodes)``."""
        shape = (accounts, tree.of_leaf.shape[0])
        return csr_array((self.weight, (self.account, self.leaf)), shape=shape) @ tree.of_leaf
