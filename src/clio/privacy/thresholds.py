"""Which numbers may be shown, so that none is too small and none follows by subtraction.

Two structures, both without text, ids or files:

`visible_nodes`
    the tree of clusters. What is hidden under a visible cluster counts in its remainder, and the
    remainder is published too, so it must itself be large enough or empty.
`visible_cells`
    a table of clusters × values (a breakdown, a trend). Every row sums to its cluster and every
    column to the parent's cell: these sums are its *families*. Within each family what is hidden
    must be large enough together, and no single cell may be alone in hiding.

Both only ever hide, so they end. The rules are those of statistical disclosure control (Hundepool
et al., *Statistical Disclosure Control*, 2012, ch. 4): a minimum frequency counted in accounts, the
(n, k) dominance rules for n = 1 and 2, the p % rule, secondary suppression.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clio.errors import SettingsError
from clio.settings import MIN_CLUSTER_ACCOUNTS, Thresholds

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

UNNAMED_DOMINANCE = 2.0
"""Cells and remainders may be dominated twice as far as clusters (40 % and 70 % by default).

A cluster has a title, which tells what the dominating account does; a cell or a remainder is a mere
number. Official rules for numbers start at 85 % for two contributors (sdcTable, sdcLog; ACRO 90 %).
"""

DIGITS = 3
"""Significant digits of means and bounds; exact ones would give rounded counts away."""

MIN_CELL_ACCOUNTS = 5

_NEVER = np.iinfo(np.int64).max


def check_floors(thresholds: Thresholds) -> None:
    """See that publishable thresholds are not under the floors of the contract.

    Raises
    ------
    SettingsError
        They are.
    """
    if thresholds.publishable and (
        thresholds.accounts < MIN_CLUSTER_ACCOUNTS
        or thresholds.cell_accounts < MIN_CELL_ACCOUNTS
        or thresholds.top1_share > 0.20
        or thresholds.top2_share > 0.35
        or thresholds.p_percent < 10.0
        or thresholds.word_accounts < MIN_CLUSTER_ACCOUNTS
        or thresholds.sensitive_word_accounts < thresholds.word_accounts
        or thresholds.window_accounts < thresholds.word_accounts
    ):
        raise SettingsError(
            "thresholds are under the floors for a release that others may see; "
            "for your own conversations use --privacy personal"
        )


@dataclass(frozen=True)
class Counts:
    """Counts of a set of cells, as arrays of one shape.

    Attributes
    ----------
    conversations
        Conversations in the cell, exact.
    accounts
        Distinct accounts, or a lower bound.
    top1, top2
        Conversations of the largest account, and of the two largest together, or upper bounds.
    """

    conversations: Ints
    accounts: Ints
    top1: Ints
    top2: Ints

    def take(self, index: Any) -> Counts:
        """Counts of some cells, indexed as each of the arrays."""
        return Counts(
            self.conversations[index], self.accounts[index], self.top1[index], self.top2[index]
        )


def bounded(conversations: Ints, accounts: Ints, top1: Ints, top2: Ints, whole: Counts) -> Counts:
    """Safe bounds for parts of a whole: what a union of cells is known to hold at worst.

    Parameters
    ----------
    conversations
        Exact conversations of the parts together.
    accounts
        The most accounts any one part is known to have.
    top1, top2
        Sums over the parts.
    whole
        What the parts belong to: nobody has more in a part than in the whole.
    """
    top1 = np.minimum(np.minimum(top1, whole.top1), conversations)
    top2 = np.minimum(np.minimum(top2, whole.top2), conversations)
    # Nobody has more than top1, so there are at least so many.
    needed = -(-conversations // np.maximum(top1, 1))
    return Counts(conversations, np.maximum(accounts, needed), top1, np.maximum(top1, top2))


@dataclass(frozen=True)
class Rule:
    """What a number must be backed by; see `clio.settings.Thresholds` for the parts."""

    accounts: int
    conversations: int
    top1_share: float
    top2_share: float
    p_percent: float

    def clears(self, counts: Counts) -> Bools:
        """Which cells may be shown; never an empty one."""
        c, top1, top2 = counts.conversations, counts.top1, counts.top2
        tiny = 1e-9  # 0.2 * 50 must not fail by rounding
        return np.asarray(
            (c > 0)
            & (counts.accounts >= self.accounts)
            & (c >= self.conversations)
            & (top1 <= self.top1_share * c + tiny)
            & (top2 <= self.top2_share * c + tiny)
            & (c - top2 >= self.p_percent / 100.0 * top1 - tiny)
        )


def cluster_rule(thresholds: Thresholds) -> Rule:
    """What a cluster with a title must clear."""
    return Rule(
        thresholds.accounts,
        max(thresholds.conversations, thresholds.round_to),
        thresholds.top1_share,
        thresholds.top2_share,
        thresholds.p_percent,
    )


def remainder_rule(thresholds: Thresholds) -> Rule:
    """What the hidden part of a cluster must clear together."""
    return _unnamed(thresholds, thresholds.accounts, thresholds.conversations)


def cell_rule(thresholds: Thresholds) -> Rule:
    """What a cell of a breakdown, a trend, a measure or the map must clear."""
    return _unnamed(thresholds, thresholds.cell_accounts, thresholds.cell_conversations)


def root_rule(thresholds: Thresholds) -> Rule:
    """What the whole corpus must clear; shares of dominance hold for its parts."""
    return Rule(
        thresholds.accounts,
        max(thresholds.conversations, thresholds.round_to),
        1.0,
        1.0,
        thresholds.p_percent,
    )


def _unnamed(thresholds: Thresholds, accounts: int, conversations: int) -> Rule:
    # A count under the rounding base would be rounded away or blown up: it does not pass.
    return Rule(
        accounts,
        max(conversations, thresholds.round_to),
        min(1.0, UNNAMED_DOMINANCE * thresholds.top1_share),
        min(1.0, UNNAMED_DOMINANCE * thresholds.top2_share),
        thresholds.p_percent,
    )


def visible_nodes(
    counts: Counts,
    parent: NDArray[np.intp],
    cluster: Rule,
    remainder: Rule,
    unwanted: Bools | None = None,
) -> Bools:
    """Which clusters of a tree are shown.

    A cluster that fails is hidden with everything under it. Where the hidden children of a visible
    cluster would not clear `remainder` together, its smallest visible child joins them, until they
    do or none is visible. A visible leaf or remainder is then large enough by itself, and every
    other number that sums and differences of the tree can give is a sum of those.

    Parameters
    ----------
    counts
        Exact counts of the clusters, shape ``(nodes,)``; node 0 is the root.
    parent
        Index of each node's parent, below the node's own; -1 for the root.
    cluster, remainder
        What clusters, and hidden remainders, must clear. The root is taken as visible.
    unwanted
        Clusters that are hidden whatever their size, shape ``(nodes,)``.

    Returns
    -------
    visible : NDArray[np.bool_]
        Shape ``(nodes,)``.
    """
    visible = cluster.clears(counts)
    if unwanted is not None:
        visible &= ~unwanted
    visible[0] = True
    children = children_of(parent)
    for node, members in enumerate(children):
        if not len(members):
            continue
        if not visible[node]:
            visible[members] = False
            continue
        while True:
            shown = members[visible[members]]
            hidden = members[~visible[members]]
            if not len(shown) or not len(hidden):
                break
            if remainder.clears(_union(counts, node, hidden, shown))[()]:
                break
            visible[shown[np.lexsort((shown, counts.conversations[shown]))[0]]] = False
    return visible


def children_of(parent: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Indices of each node's children, in order; `parent` is -1 for the root."""
    order = np.argsort(parent, kind="stable")
    edges = np.searchsorted(parent[order], np.arange(len(parent) + 1))
    return [order[a:b] for a, b in pairwise(edges)]


def _union(counts: Counts, node: int, hidden: NDArray[np.intp], shown: NDArray[np.intp]) -> Counts:
    """Safe bounds for the hidden children of a node; all counts are exact here."""
    part = counts.take(hidden)
    # Whoever is in the node but in no visible child is in a hidden one.
    rest = counts.accounts[node] - counts.accounts[shown].sum()
    return bounded(
        np.asarray(part.conversations.sum()),
        np.asarray(np.maximum(part.accounts.max(), rest)),
        np.asarray(part.top1.sum()),
        np.asarray(part.top2.sum()),
        counts.take((node,)),
    )


def visible_cells(
    cells: Counts,
    totals: Counts,
    parent: NDArray[np.intp],
    unprinted: Bools,
    rule: Rule,
    withheld: Bools,
) -> Bools:
    """Which cells of a table of nodes × values are shown.

    A cell is hidden where it fails `rule`, is `withheld`, or its parent's cell is hidden. Then in
    every family (the values of one node, which sum to the node; the children's cells of one value,
    which sum to the parent's) hidden cells must be none, or at least two that clear `rule`
    together: the smallest visible one joins them until that holds. Where none is left and a single
    hidden cell would equal its parent's, the parent's is hidden too.

    Parameters
    ----------
    cells
        Counts, shape ``(nodes, values)``; zero where there is no conversation. Rows sum to
        `totals` and children's rows to their parent's.
    totals
        Counts of the nodes, shape ``(nodes,)``, all known to the reader.
    parent
        Index of each node's parent, non-decreasing; -1 for the root, which is node 0.
    unprinted
        Shape ``(nodes, values)``: cells that no table prints (remainders, missing values) but that
        a reader could work out: they are hidden first, as that costs nothing.
    rule
        What a cell must clear.
    withheld
        Shape ``(nodes, values)``: hidden whatever their size.

    Returns
    -------
    visible : NDArray[np.bool_]
        Shape ``(nodes, values)``; false for empty cells.
    """
    n_nodes, n_values = cells.conversations.shape
    present = cells.conversations > 0
    visible = present & rule.clears(cells) & ~withheld
    # Of equal cells the first in order goes; unprinted ones before all others.
    size = np.where(unprinted, 0, cells.conversations)
    by_value = size * n_values + np.arange(n_values)[None, :]
    by_node = size * n_nodes + np.arange(n_nodes)[:, None]
    starts = np.flatnonzero(np.diff(parent)) + 1  # first child of each parent; row 0 is the root
    heads = parent[starts]
    levels = _levels(parent)
    while True:
        before = int(visible.sum())
        for nodes in levels:
            visible[nodes] &= visible[parent[nodes]]
        hidden = present & ~visible
        number = hidden.sum(axis=1)
        together = bounded(
            np.where(hidden, cells.conversations, 0).sum(axis=1),
            np.where(hidden, cells.accounts, 0).max(axis=1, initial=0),
            np.where(hidden, cells.top1, 0).sum(axis=1),
            np.where(hidden, cells.top2, 0).sum(axis=1),
            totals,
        )
        exposed = (number == 1) | ((number > 0) & ~rule.clears(together))
        rows = np.flatnonzero(exposed & visible.any(axis=1))
        if len(rows):
            keys = np.where(visible[rows], by_value[rows], _NEVER)
            visible[rows, keys.argmin(axis=1)] = False
            continue
        if len(starts):
            _protect_columns(cells, present, visible, by_node, starts, heads, rule)
        if int(visible.sum()) == before:
            return visible


def _levels(parent: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Nodes under the root by depth, nearest first."""
    depth = np.zeros(len(parent), dtype=np.intp)
    for node in range(1, len(parent)):
        depth[node] = depth[parent[node]] + 1
    return [np.flatnonzero(depth == d) for d in range(1, int(depth.max(initial=0)) + 1)]


def _protect_columns(
    cells: Counts,
    present: Bools,
    visible: Bools,
    by_node: Ints,
    starts: NDArray[np.intp],
    heads: NDArray[np.intp],
    rule: Rule,
) -> None:
    """One pass over the families of children; hides in place."""

    def add(values: Ints) -> Ints:
        return np.asarray(np.add.reduceat(values, starts, axis=0))

    def most(values: Ints) -> Ints:
        return np.asarray(np.maximum.reduceat(values, starts, axis=0))

    hidden = present & ~visible
    whole = cells.take(heads)
    number = add(hidden.astype(np.int64))
    together = bounded(
        add(np.where(hidden, cells.conversations, 0)),
        most(np.where(hidden, cells.accounts, 0)),
        add(np.where(hidden, cells.top1, 0)),
        add(np.where(hidden, cells.top2, 0)),
        whole,
    )
    exposed = visible[heads] & (number > 0) & ((number == 1) | ~rule.clears(together))
    keys = np.where(visible, by_node, _NEVER)
    smallest = np.minimum.reduceat(keys, starts, axis=0)
    company = exposed & (smallest != _NEVER)
    family, value = np.nonzero(company)
    visible[smallest[family, value] % visible.shape[0], value] = False
    # Nobody left to hide: one hidden cell alone equals the parent's.
    family, value = np.nonzero(exposed & ~company & (number == 1))
    visible[heads[family], value] = False


def round_counts(counts: Ints, base: int, floor: int) -> Ints:
    """Multiples of `base`, halves up, none but zero under `floor`.

    A count that clears the threshold `floor` stays at or above it: rounded up where it must be.
    """
    rounded = (2 * counts + base) // (2 * base) * base
    least = -(-floor // base) * base
    return np.where(counts > 0, np.maximum(rounded, least), 0)


def outward(low: float, value: float, high: float) -> tuple[float, float]:
    """Bounds rounded away from the value; NaN for unknown ones."""
    return _coarse(min(low, value), ROUND_FLOOR), _coarse(max(high, value), ROUND_CEILING)


def _coarse(bound: float, rounding: str) -> float:
    if not np.isfinite(bound):
        return float("nan")
    return float(Context(prec=DIGITS, rounding=rounding).create_decimal_from_float(bound))


def within(bounds: tuple[float, float]) -> tuple[float, float]:
    """Bounds of a share, cut to 0 and 1."""
    return max(0.0, bounds[0]), min(1.0, bounds[1])


def significant(value: float) -> float:
    """A mean at the digits that are released."""
    return float(f"{value:.{DIGITS - 1}e}")
