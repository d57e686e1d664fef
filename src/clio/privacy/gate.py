"""The privacy gate: the only way from private numbers and words into a release.

`apply` is a pure function over small aggregated tables. It decides which clusters and cells are
shown (`clio.privacy.thresholds`), rounds, checks every title and summary (`clio.privacy.titles`)
and returns the tables of a release with the columns of the contract. It fails closed: what it does
not understand or cannot prove large enough is not released, and rows that contradict each other
raise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import pyarrow as pa

from clio.errors import TooSmallError
from clio.privacy import cells, changes, suggestions, tiers, wording
from clio.privacy.cells import Rows, at_least
from clio.privacy.changes import Changes, Shown
from clio.privacy.families import Family
from clio.privacy.grids import COUNTS, Column, FacetTree, columns, facet_tree
from clio.privacy.thresholds import (
    check_floors,
    outward,
    root_rule,
    within,
)
from clio.privacy.tiers import PrivateTable, Releasable
from clio.privacy.titles import Support
from clio.release.schema import TABLES
from clio.settings import Thresholds
from clio.statistics import share_interval

_NODE_COLUMNS = (
    *("facet", "cluster_id", "level", "parent_id", "title", "summary", "fallback_titles"),
    *("x", "y", "stability", "sum_squares", "cross", *COUNTS),
)
STABILITY: Final = "stability"


SECONDARY_ROUNDING: Final = 5
"""Publishable counts of facets other than the primary one are multiples of this, or of more."""

_NO_ANSWERS: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("facet", "cluster_id", "dimension", "value")),
        ("holds", pa.bool_()),
        *((name, pa.int64()) for name in COUNTS),
    ]
).empty_table()


@dataclass(frozen=True)
class GateInput:
    """What the pipeline aggregates for the gate, before any threshold.

    Every table has ``facet``, and ``conversations``, ``accounts``, ``top1`` (conversations of the
    largest account), ``top2`` (of the two largest together) for each row. In sums over accounts
    ``c_a`` are the account's conversations in the row, ``n_a`` those in the whole facet (in trends:
    in the whole period).

    Attributes
    ----------
    nodes
        All clusters and for each facet the root: ``cluster_id``, ``level``, ``parent_id`` (null at
        the top and for the root ``__root__``), ``title``, ``summary``, ``fallback_titles`` (list of
        strings), ``x``, ``y``, ``stability`` (null but for leaves), ``sum_squares`` (``Σ c_a²``),
        ``cross`` (``Σ c_a n_a``).
    cells
        Breakdowns of all clusters and the root: ``cluster_id``, ``dimension``, ``value`` (string).
        Conversations without a value have no row.
    answers
        Breakdowns by dimensions of which a conversation may have several values: as `cells`, and
        ``holds`` (boolean), for each value the conversations that have it and those that do not.
        Every value is gated as a table of its own with these two columns, since values overlap and
        add up to nothing.
    trends
        All clusters and the root: ``cluster_id``, ``period`` (date), ``sum_squares``, ``cross``.
    numeric
        All clusters and the root: ``cluster_id``, ``measure``, ``sum`` (``Σ x``),
        ``sum_x_squares`` (``Σ x_a²``), ``cross_x`` (``Σ x_a n_a``), ``sum_squares`` (``Σ n_a²``),
        where ``n_a`` are the account's conversations in the cluster that have the measure. Released
        bounds are NaN where there is one account only.
    map_cells
        ``cell_x``, ``cell_y`` (integers).
    token_support
        ``cluster_id``, ``token``, ``accounts``: see `clio.privacy.wording.token_counts`.
    window_support
        ``window``, ``accounts``: see `clio.privacy.wording.window_counts`; a window that nobody
        wrote has a row with 0.
    shipped
        Phrases that Clio ships, the names of general subjects; see `clio.privacy.wording.check`.
    families
        Phrases that Clio ships and that enough accounts of a cluster support by any word of their
        family; see `clio.privacy.families`.
    granularity
        What a period of `trends` is.
    primary
        The facet whose tree is proven against subtraction; by default the first by name. A reader
        may subtract the counts of another facet, whose corpus lacks the conversations without an
        answer, so that those of others are released in multiples of `SECONDARY_ROUNDING` at least.
    hidden
        Ids of clusters that a person does not want shown, whatever their size.
    changes
        What changed lately; ``None`` where nobody could look, so that there is no table of alerts.
    """

    nodes: PrivateTable
    cells: PrivateTable
    trends: PrivateTable
    numeric: PrivateTable
    map_cells: PrivateTable
    token_support: PrivateTable
    window_support: PrivateTable
    shipped: frozenset[str] = frozenset()
    families: Mapping[str, Family] = field(default_factory=dict)
    granularity: Literal["day", "week", "month"] = "week"
    answers: PrivateTable = field(default_factory=lambda: PrivateTable(_NO_ANSWERS))
    primary: str | None = None
    hidden: frozenset[str] = frozenset()
    changes: Changes | None = None


@dataclass(frozen=True)
class FacetTotals:
    """Released totals of one facet; `clusters` counts the shown ones by level, from 0."""

    facet: str
    conversations: int
    accounts: int
    clusters: tuple[int, ...]


@dataclass(frozen=True)
class Gated:
    """What may be released.

    Attributes
    ----------
    tables
        ``clusters``, ``numeric``, ``breakdowns``, ``trends``, ``map``, ``withheld`` and, where
        somebody could look for changes, ``alerts``, with the columns of
        `clio.release.schema.TABLES`, rows sorted.
    totals
        One entry a facet, for ``release.json``.
    notes
        Advice for the owner at the terminal. Not for the release.
    alerts
        What is shown of each of the changes, ``None`` where nothing is; for the safety role.
    """

    tables: Mapping[str, Releasable]
    totals: tuple[FacetTotals, ...]
    notes: tuple[str, ...]
    alerts: tuple[Shown | None, ...] = ()


_KEYS: Final = {
    "clusters": 2,
    "numeric": 3,
    "breakdowns": 4,
    "trends": 3,
    "map": 3,
    "withheld": 4,
    "alerts": 9,
}
"""The tables that the gate fills, and how many of their first columns tell rows apart."""


def _tables(rows: Rows, *, without: Collection[str] = ()) -> dict[str, Releasable]:
    done = {}
    for name, key in _KEYS.items():
        if name in without:
            continue
        schema = TABLES[name]
        found = sorted(rows.of.get(name, ()), key=lambda row: row[:key])
        arrays = [
            pa.array([row[i] for row in found], type=field.type) for i, field in enumerate(schema)
        ]
        table = pa.Table.from_arrays(arrays, schema=schema)
        done[name] = Releasable(table, key=tiers._GATE_KEY)
    return done


def apply(data: GateInput, thresholds: Thresholds) -> Gated:
    """Gate all numbers and words of a run.

    Parameters
    ----------
    data
        Aggregates over all assigned conversations.
    thresholds
        Of the run's preset.

    Returns
    -------
    Gated
        The tables of a release. A pure function: nothing depends on the order of rows or on time.

    Raises
    ------
    TooSmallError
        The whole corpus of the primary facet does not clear the thresholds.
    SettingsError
        Publishable thresholds under the floors of the contract.
    ValueError
        The tables contradict each other or lack columns.
    """
    check_floors(thresholds)
    nodes = columns(data.nodes.table, _NODE_COLUMNS)
    facets = sorted({str(f) for f in nodes["facet"]})
    primary = data.primary if data.primary is not None else "".join(facets[:1])
    trees = []
    rows = Rows()
    for facet in facets:
        limits = thresholds if facet == primary else _coarser(thresholds)
        tree = facet_tree(facet, nodes, limits, data.hidden)
        if root_rule(limits).clears(tree.counts.take(slice(0, 1)))[0]:
            trees.append(tree)
    if primary not in {tree.facet for tree in trees}:
        raise TooSmallError(suggestions.advice(nodes, thresholds))
    support = Support.of(
        data.token_support.table,
        data.window_support.table,
        thresholds,
        data.shipped,
        data.families,
    )
    for tree in trees:
        _clusters(rows, tree, nodes, support)
        _stability(rows, tree, nodes)
    linked = cells.links(trees, data.cells.table, data.numeric.table, data.trends.table)
    cells.breakdowns(rows, trees, data.cells.table, data.answers.table, thresholds, linked)
    cells.numeric(rows, trees, data.numeric.table, linked)
    cells.trends(rows, trees, data.trends.table, thresholds, data.granularity, linked)
    cells.map_cells(rows, trees, data.map_cells.table)
    shown: list[Shown | None] = []
    if data.changes is not None:
        shown = changes.alerts(rows, data.changes, thresholds, data.granularity)
    return Gated(
        _tables(rows, without=() if data.changes is not None else ("alerts",)),
        tuple(_totals(t) for t in trees),
        tuple(suggestions.notes(trees, thresholds)),
        tuple(shown),
    )


def _coarser(thresholds: Thresholds) -> Thresholds:
    """Thresholds of a facet that is not the primary one."""
    if not thresholds.publishable:
        return thresholds
    return thresholds.model_copy(update={"round_to": max(thresholds.round_to, SECONDARY_ROUNDING)})


def _clusters(rows: Rows, tree: FacetTree, nodes: Mapping[str, Column], support: Support) -> None:
    total = int(tree.conversations[0])
    low, high = share_interval(
        tree.conversations,
        total,
        nodes["sum_squares"][tree.rows],
        nodes["cross"][tree.rows],
        nodes["sum_squares"][tree.rows[0]],
        tree.counts.accounts[0],
    )
    words = [(wording.ROOT_TITLE, wording.ROOT_SUMMARY)] + [("", "")] * (len(tree.ids) - 1)
    used: dict[int, set[str]] = {}
    reworded: dict[int, list[int]] = {}
    for node in np.flatnonzero(tree.visible):
        row, above = tree.rows[node], int(tree.parent[node])
        if node > 0:
            siblings = used.setdefault(above, set())
            title, summary, own = support.words(
                tree.ids[node],
                nodes["title"][row],
                nodes["summary"][row],
                nodes["fallback_titles"][row],
                words[above][0] if above > 0 else None,
                siblings,
            )
            siblings.add(title)
            words[node] = (title, summary)
            if not own:
                reworded.setdefault(int(tree.level[node]), []).append(int(node))
        share = float(tree.conversations[node] / total)
        bounds = outward(low[node], share, high[node]) if node > 0 else (1.0, 1.0)
        rows.add(
            "clusters",
            tree.facet,
            tree.ids[node],
            int(tree.level[node]),
            tree.ids[above] if above > 0 else None,
            *words[node],
            int(tree.conversations[node]),
            at_least(tree.counts.accounts[node]),
            share,
            *within(bounds),
            int(tree.other_conversations[node]),
            *(_place(nodes[axis][row]) for axis in ("x", "y")),
        )
    for level in sorted({int(v) for v in tree.level[1:]}):
        at = tree.level == level
        hidden = int((at & ~tree.visible).sum())
        if hidden:
            # What the released tree itself says; how it splits by cluster or reason stays unsaid.
            rest = total - int(tree.conversations[at & tree.visible].sum())
            rows.add("withheld", tree.facet, "clusters", level, "thresholds", hidden, rest)
    for level, found in sorted(reworded.items()):
        count = int(tree.conversations[found].sum())
        rows.add("withheld", tree.facet, "clusters", level, "wording", len(found), count)


def _stability(rows: Rows, tree: FacetTree, nodes: Mapping[str, Column]) -> None:
    """How firmly a leaf stands, in hundredths: a property of the clustering, of no conversation."""
    for node in np.flatnonzero(tree.visible):
        firm = nodes["stability"][tree.rows[node]]
        if firm is not None and np.isfinite(firm):
            value = round(float(firm), 2)
            count = int(tree.conversations[node])
            rows.add("numeric", tree.facet, tree.ids[node], STABILITY, value, value, value, count)


def _place(value: float | None) -> float | None:
    """A place on the map; fine places would give weighted means, and so exact counts, away."""
    return None if value is None or not np.isfinite(value) else round(float(value), 3)


def _totals(tree: FacetTree) -> FacetTotals:
    levels = tree.level[tree.visible & (tree.level >= 0)]
    return FacetTotals(
        tree.facet,
        int(tree.conversations[0]),
        at_least(tree.counts.accounts[0]),
        tuple(int(n) for n in np.bincount(levels)),
    )
