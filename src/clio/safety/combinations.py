"""Combinations worth a look: what stands together more often than its margins allow.

Four are looked for in every cluster: requests that were refused though harmless, requests that were
answered though concerning, a language in which concern is more frequent than in the cluster's
others, and concern that came in the last days. Each is a table of two by two, and its surprise is
Fisher's exact test. An account counts once in a cluster, by whichever of its conversations comes
first in an order drawn beforehand, so that the counts are independent as the test needs them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, false_discovery_control, hypergeom

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

REFUSED_HARMLESS: Final = "refused though harmless"
ANSWERED_CONCERNING: Final = "answered though concerning"
LANGUAGE_CONCERN: Final = "concern in one language"
RISING_CONCERN: Final = "concern lately"

CONCERNING: Final = 4
"""Concern from which on it counts as such: probable harm, or an explicit threat."""

HARMLESS: Final = 2
"""Concern up to which nobody would refuse."""

RECENT_DAYS: Final = 7

COMBINED_LEVEL: Final = 0.1
"""False discovery rate over all combinations of all clusters."""

_LEAST_ACCOUNTS: Final = 3
_LEAST_GROUP: Final = 5
_COVERED: Final = 0.95


@dataclass(frozen=True)
class Asked:
    """Conversations with what was said of them. All arrays are (n,) int64, -1 where not known.

    Attributes
    ----------
    account, leaf
        Numbers from 0.
    concern
        1 to 5.
    language
        A number a language.
    refused
        0 or 1.
    day
        Days since the first one.
    """

    account: Ids
    leaf: Ids
    concern: Ids
    language: Ids
    refused: Ids
    day: Ids


@dataclass(frozen=True, slots=True)
class Combination:
    """Two things that stand together in a cluster more often than their margins allow.

    Attributes
    ----------
    node
        Where in the tree.
    kind, value
        Which combination; the number of the language where it is about one, else -1.
    accounts, of
        Accounts that have both, and of how many.
    expected
        How many would by the margins.
    ratio, low, high
        Observed for one expected, with a 95 % interval (Clopper and Pearson's).
    surprise
        Natural logarithm of one over the chance of as many, in nats.
    q
        False discovery rate over all that was tested.
    """

    node: int
    kind: str
    value: int
    accounts: int
    of: int
    expected: float
    ratio: float
    low: float
    high: float
    surprise: float
    q: float


@dataclass(frozen=True)
class _Tables:
    """Tables of two by two: `both` of `group`, where `event` of `total` have it."""

    kind: str
    node: Ids
    value: Ids
    both: Ids
    group: Ids
    event: Ids
    total: Ids


def combinations(rows: Asked, of_leaf: Any, levels: Ids) -> list[Combination]:
    """What is surely more frequent than its margins allow, by falling surprise.

    Parameters
    ----------
    rows
        The conversations, in an order drawn at random.
    of_leaf
        Sparse ``(leaves, nodes)``: 1 where a leaf is a node or lies under it.
    levels
        Of the nodes, ``(nodes,)``: those of one level hold each conversation once.
    """
    row, node = _expanded(rows.leaf, of_leaf)
    nodes = of_leaf.shape[1]
    known = rows.concern > 0
    concerning, harmless = rows.concern >= CONCERNING, known & (rows.concern <= HARMLESS)
    told = rows.refused >= 0
    dated = rows.day >= 0
    lately = rows.day > rows.day.max(initial=0) - RECENT_DAYS
    tables = [
        _by_node(kind, stratum, event, rows.account, row, node, levels)
        for kind, stratum, event in (
            (REFUSED_HARMLESS, harmless & told, rows.refused == 1),
            (ANSWERED_CONCERNING, concerning & told, rows.refused == 0),
            (RISING_CONCERN, concerning & dated, lately),
        )
    ]
    spoken = known & (rows.language >= 0)
    tables.append(_by_language(spoken, concerning, rows, row, node, nodes))
    return _tested(tables)


def _expanded(leaf: Ids, of_leaf: Any) -> tuple[Ids, Ids]:
    """Each row once for each node that it lies in, in the order of rows."""
    of_leaf = of_leaf.tocsr()
    lengths = np.diff(of_leaf.indptr)[leaf]
    row = np.repeat(np.arange(len(leaf)), lengths)
    starts = np.cumsum(lengths) - lengths
    within = np.arange(len(row)) - starts[row]
    node = of_leaf.indices[of_leaf.indptr[leaf[row]] + within]
    return row, node.astype(np.int64)


def _first(account: Ids, node: Ids, nodes: int) -> Ids:
    """Places of the first row of each account in each node."""
    return np.sort(np.unique(account * nodes + node, return_index=True)[1])


def _by_node(
    kind: str,
    stratum: Bools,
    event: Bools,
    account: Ids,
    row: Ids,
    node: Ids,
    levels: Ids,
) -> _Tables:
    """A cluster against all others of its level, within a stratum."""
    kept = stratum[row]
    row, node = row[kept], node[kept]
    first = _first(account[row], node, len(levels))
    row, node = row[first], node[first]
    group = np.bincount(node, minlength=len(levels))
    both = np.bincount(node[event[row]], minlength=len(levels))
    number = np.unique(levels, return_inverse=True)[1]
    total = np.bincount(number, weights=group).astype(np.int64)[number]
    events = np.bincount(number, weights=both).astype(np.int64)[number]
    # What holds all of its level has nothing to be compared with.
    at = np.flatnonzero((group >= _LEAST_GROUP) & (group < total))
    return _Tables(kind, at, np.full(len(at), -1), both[at], group[at], events[at], total[at])


def _by_language(
    stratum: Bools, event: Bools, rows: Asked, row: Ids, node: Ids, nodes: int
) -> _Tables:
    """A language against the others of the cluster."""
    kept = stratum[row]
    row, node = row[kept], node[kept]
    first = _first(rows.account[row], node, nodes)
    row, node = row[first], node[first]
    total = np.bincount(node, minlength=nodes)
    events = np.bincount(node[event[row]], minlength=nodes)
    width = int(rows.language.max(initial=0)) + 1
    pair, back = np.unique(node * width + rows.language[row], return_inverse=True)
    group = np.bincount(back, minlength=len(pair))
    both = np.bincount(back[event[row]], minlength=len(pair))
    of = pair // width
    at = np.flatnonzero((group >= _LEAST_GROUP) & (group < total[of]))
    of = of[at]
    return _Tables(
        LANGUAGE_CONCERN, of, pair[at] % width, both[at], group[at], events[of], total[of]
    )


def _tested(tables: list[_Tables]) -> list[Combination]:
    both, group, event, total = (
        np.concatenate([getattr(t, name) for t in tables])
        for name in ("both", "group", "event", "total")
    )
    if not len(both):
        return []
    # A table is tested whether or not anything stands in its corner: what is left out by what is
    # seen would make the rest look rarer than it is.
    p = np.clip(hypergeom.sf(both - 1, total, event, group), 1e-300, 1.0)
    q = false_discovery_control(p)
    base = event / total
    share = np.clip(base, 1e-12, None)
    tail = (1 - _COVERED) / 2
    low = np.where(both > 0, beta.ppf(tail, np.maximum(both, 1), group - both + 1), 0.0)
    high = np.where(both < group, beta.ppf(1 - tail, both + 1, np.maximum(group - both, 1)), 1.0)
    kinds = np.repeat([t.kind for t in tables], [len(t.node) for t in tables])
    node = np.concatenate([t.node for t in tables])
    value = np.concatenate([t.value for t in tables])
    found = [
        Combination(
            node=int(node[i]),
            kind=str(kinds[i]),
            value=int(value[i]),
            accounts=int(both[i]),
            of=int(group[i]),
            expected=float(group[i] * base[i]),
            ratio=float(both[i] / group[i] / share[i]),
            low=float(low[i] / share[i]),
            high=float(high[i] / share[i]),
            surprise=float(-np.log(p[i])),
            q=float(q[i]),
        )
        for i in np.flatnonzero((q <= COMBINED_LEVEL) & (both >= _LEAST_ACCOUNTS)).tolist()
    ]
    return sorted(found, key=lambda c: (-c.surprise, c.node, c.kind, c.value))
