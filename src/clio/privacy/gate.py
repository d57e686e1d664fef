"""The privacy gate: the only way from private numbers and words into a release.

`apply` is a pure function over small aggregated tables. It decides which clusters and cells are
shown (`clio.privacy.thresholds`), rounds, checks every title and summary (`clio.privacy.wording`)
and returns the tables of a release with the columns of the contract. It fails closed: what it does
not understand or cannot prove large enough is not released, and rows that contradict each other
raise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.errors import TooSmallError
from clio.privacy import suggestions, tiers, wording
from clio.privacy.grids import COUNTS, Column, FacetTree, Grid, columns, facet_tree, grid
from clio.privacy.grids import resolve as resolve_grids
from clio.privacy.scrub import scrub
from clio.privacy.thresholds import (
    Bools,
    Counts,
    cell_rule,
    check_floors,
    cluster_rule,
    outward,
    remainder_rule,
    root_rule,
    round_counts,
    significant,
    visible_cells,
    within,
)
from clio.privacy.tiers import PrivateTable, Releasable
from clio.release.schema import TABLES
from clio.settings import Thresholds
from clio.statistics import mean_interval, share_interval

ACCOUNTS_STEP = 5
MAX_VALUES = 200
MAX_VALUE_CHARS = 100
_NODE_COLUMNS = (
    *("facet", "cluster_id", "level", "parent_id", "title", "summary", "fallback_titles"),
    *("x", "y", "stability", "sum_squares", "cross", *COUNTS),
)
STABILITY: Final = "stability"
WHOLE_ROW = 100
"""In rows of fewer conversations no cell is 0 % or 100 % of it: everybody there would be known."""


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
    granularity
        What a period of `trends` is.
    """

    nodes: PrivateTable
    cells: PrivateTable
    trends: PrivateTable
    numeric: PrivateTable
    map_cells: PrivateTable
    token_support: PrivateTable
    window_support: PrivateTable
    shipped: frozenset[str] = frozenset()
    granularity: Literal["day", "week", "month"] = "week"


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
        ``clusters``, ``numeric``, ``breakdowns``, ``trends``, ``map``, ``withheld`` with the
        columns of `clio.release.schema.TABLES`, rows sorted.
    totals
        One entry a facet, for ``release.json``.
    notes
        Advice for the owner at the terminal. Not for the release.
    """

    tables: Mapping[str, Releasable]
    totals: tuple[FacetTotals, ...]
    notes: tuple[str, ...]


_KEYS: Final = {
    "clusters": 2,
    "numeric": 3,
    "breakdowns": 4,
    "trends": 3,
    "map": 3,
    "withheld": 4,
}
"""The tables that the gate fills, and how many of their first columns tell rows apart."""


class _Rows:
    """Released rows by table."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _KEYS}

    def add(self, table: str, *row: Any) -> None:
        self._rows[table].append(row)

    def tables(self) -> dict[str, Releasable]:
        done = {}
        for name, key in _KEYS.items():
            schema = TABLES[name]
            rows = sorted(self._rows[name], key=lambda row: row[:key])
            arrays = [
                pa.array([row[i] for row in rows], type=field.type)
                for i, field in enumerate(schema)
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
        In no facet does the whole corpus clear the thresholds.
    SettingsError
        Publishable thresholds under the floors of the contract.
    ValueError
        The tables contradict each other or lack columns.
    """
    check_floors(thresholds)
    nodes = columns(data.nodes.table, _NODE_COLUMNS)
    facets = sorted({str(f) for f in nodes["facet"]})
    trees = []
    rows = _Rows()
    for facet in facets:
        tree = facet_tree(
            facet,
            nodes,
            cluster_rule(thresholds),
            remainder_rule(thresholds),
            thresholds.round_to,
        )
        if root_rule(thresholds).clears(tree.counts.take(slice(0, 1)))[0]:
            trees.append(tree)
    if not trees:
        raise TooSmallError(suggestions.advice(nodes, thresholds))
    support = wording.Support.of(
        data.token_support.table, data.window_support.table, thresholds, data.shipped
    )
    for tree in trees:
        _clusters(rows, tree, nodes, support)
        _stability(rows, tree, nodes)
    _breakdowns(rows, trees, data.cells.table, thresholds)
    _numeric(rows, trees, data.numeric.table, thresholds)
    _trends(rows, trees, data.trends.table, thresholds, data.granularity)
    _map(rows, trees, data.map_cells.table, thresholds)
    return Gated(
        rows.tables(), tuple(_totals(t) for t in trees), tuple(suggestions.notes(trees, thresholds))
    )


def _accounts(accounts: int) -> int:
    return int(accounts) // ACCOUNTS_STEP * ACCOUNTS_STEP


def _clusters(
    rows: _Rows, tree: FacetTree, nodes: Mapping[str, Column], support: wording.Support
) -> None:
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
            _accounts(tree.counts.accounts[node]),
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


def _stability(rows: _Rows, tree: FacetTree, nodes: Mapping[str, Column]) -> None:
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


def _select(table: pa.Table, extra: tuple[str, ...]) -> dict[str, Column]:
    return columns(table, ("facet", "cluster_id", *extra, *COUNTS))


def _grids(trees: Iterable[FacetTree], data: Mapping[str, Column], key: str, value: str) -> Any:
    """Grids by the value of column `key`, sorted, of all facets that have it."""
    for name in sorted({str(k) for k in data[key]}):
        found = []
        for tree in trees:
            rows = np.flatnonzero((data[key] == name) & (data["facet"] == tree.facet))
            if len(rows):
                found.append(grid(tree, data, rows, data[value][rows]))
        if found:
            yield name, found


def _printed(g: Grid, visible: Bools) -> Iterable[tuple[int, int, int, int]]:
    """Cluster, column, row of the table and cell of what is shown, in order."""
    for position, j in np.argwhere(visible & ~g.unprinted):
        yield int(g.tree.grid_nodes[position]), int(j), int(g.row_of[position, j]), int(position)


def _count_hidden(rows: _Rows, table: str, counted: dict[tuple[str, int], int]) -> None:
    for (facet, level), cells in sorted(counted.items()):
        rows.add("withheld", facet, table, level, "thresholds", cells, None)


def _hidden(g: Grid, visible: Bools, counted: dict[tuple[str, int], int]) -> None:
    hidden = (g.cells.conversations > 0) & ~visible & ~g.unprinted
    for position in np.flatnonzero(hidden.any(axis=1)):
        key = (g.tree.facet, int(g.tree.level[g.tree.grid_nodes[position]]))
        counted[key] = counted.get(key, 0) + int(hidden[position].sum())


def _rounded(counts: Counts, thresholds: Thresholds) -> NDArray[np.int64]:
    floor = cell_rule(thresholds).conversations
    return round_counts(counts.conversations, thresholds.round_to, floor)


def _released(g: Grid) -> NDArray[np.int64]:
    """Released conversations of the grid's clusters, 0 for remainders (never printed)."""
    return np.where(g.tree.grid_nodes < 0, 0, g.tree.conversations[g.tree.grid_nodes])


def _breakdowns(
    rows: _Rows, trees: list[FacetTree], table: pa.Table, thresholds: Thresholds
) -> None:
    data = _select(table, ("dimension", "value"))
    counted: dict[tuple[str, int], int] = {}
    for dimension, grids in _grids(trees, data, "dimension", "value"):
        if max(len(g.values) for g in grids) > MAX_VALUES:
            for g in grids:
                cells = len(g.values)
                rows.add("withheld", g.tree.facet, "breakdowns", -1, "too many values", cells, None)
            continue
        for g in grids:
            odd = [len(str(v)) > MAX_VALUE_CHARS or scrub(str(v)) != v for v in g.values]
            g.withheld[:, :-1] |= np.array(odd, dtype=bool)[None, :]
            if thresholds.publishable:
                count, whole = g.cells.conversations, g.totals.conversations[:, None]
                base = _released(g)[:, None]
                looks_whole = (base > 0) & (_rounded(g.cells, thresholds) >= base)
                g.withheld |= ((count == whole) | looks_whole) & (whole < WHOLE_ROW)
        for g, visible in zip(grids, resolve_grids(grids, cell_rule(thresholds)), strict=True):
            _hidden(g, visible, counted)
            rounded = _rounded(g.cells, thresholds)
            for cluster, j, _, position in _printed(g, visible):
                rows.add(
                    "breakdowns",
                    g.tree.facet,
                    g.tree.ids[cluster],
                    dimension,
                    g.values[j],
                    int(rounded[position, j]),
                    _accounts(g.cells.accounts[position, j]),
                    min(1.0, float(rounded[position, j] / g.tree.conversations[cluster])),
                )
    _count_hidden(rows, "breakdowns", counted)


def _numeric(rows: _Rows, trees: list[FacetTree], table: pa.Table, thresholds: Thresholds) -> None:
    data = _select(table, ("measure", "sum", "sum_x_squares", "cross_x", "sum_squares"))
    mean, low, high = mean_interval(
        data["sum"],
        data["conversations"],
        data["sum_x_squares"],
        data["cross_x"],
        data["sum_squares"],
        data["accounts"],
    )
    counted: dict[tuple[str, int], int] = {}
    for measure, grids in _grids(trees, data, "measure", "measure"):
        for g, visible in zip(grids, resolve_grids(grids, cell_rule(thresholds)), strict=True):
            _hidden(g, visible, counted)
            rounded = _rounded(g.cells, thresholds)
            for cluster, j, row, position in _printed(g, visible):
                value = significant(float(mean[row]))
                if not np.isfinite(value):
                    raise ValueError("a measure has no finite mean")
                rows.add(
                    "numeric",
                    g.tree.facet,
                    g.tree.ids[cluster],
                    measure,
                    value,
                    *outward(float(low[row]), value, float(high[row])),
                    int(rounded[position, j]),
                )
    _count_hidden(rows, "numeric", counted)


def _trends(
    rows: _Rows,
    trees: list[FacetTree],
    table: pa.Table,
    thresholds: Thresholds,
    granularity: str,
) -> None:
    data = _select(table, ("period", "sum_squares", "cross"))
    grids = []
    for tree in trees:
        found = np.flatnonzero(data["facet"] == tree.facet)
        if len(found):
            grids.append(grid(tree, data, found, data["period"][found]))
    if thresholds.publishable:
        for g in grids:
            count, whole = g.cells.conversations, g.cells.conversations[:1]
            # A cluster that is all of a small period; the root always is.
            g.withheld[1:] |= ((count == whole) & (whole < WHOLE_ROW))[1:]
    counted: dict[tuple[str, int], int] = {}
    for g, visible in zip(grids, resolve_grids(grids, cell_rule(thresholds)), strict=True):
        _hidden(g, visible, counted)
        rounded = _rounded(g.cells, thresholds)
        for cluster, j, row, position in _printed(g, visible):
            top = g.row_of[0, j]
            size, period = int(rounded[position, j]), int(rounded[0, j])
            share = min(1.0, size / period)
            low, high = share_interval(
                min(size, period),
                period,
                data["sum_squares"][row],
                data["cross"][row],
                data["sum_squares"][top],
                data["accounts"][top],
            )
            bounds = outward(float(low), share, float(high)) if cluster > 0 else (1.0, 1.0)
            rows.add(
                "trends",
                g.tree.facet,
                g.tree.ids[cluster],
                g.values[j],
                granularity,
                size,
                _accounts(g.cells.accounts[position, j]),
                share,
                *within(bounds),
            )
    _count_hidden(rows, "trends", counted)


def _map(rows: _Rows, trees: list[FacetTree], table: pa.Table, thresholds: Thresholds) -> None:
    data = columns(table, ("facet", "cell_x", "cell_y", *COUNTS))
    for tree in trees:
        found = np.flatnonzero(data["facet"] == tree.facet)
        if not len(found):
            continue
        places = [
            (int(x), int(y))
            for x, y in zip(data["cell_x"][found], data["cell_y"][found], strict=True)
        ]
        order = sorted(range(len(found)), key=places.__getitem__)
        if len(set(places)) != len(places):
            raise ValueError("a cell of the map stands twice")
        cells = Counts(*(data[name][found[order]][None, :] for name in COUNTS))
        totals = tree.counts.take(slice(0, 1))
        if int(cells.conversations.sum()) != int(totals.conversations[0]):
            raise ValueError("the cells of the map do not add up to the facet")
        nothing = np.zeros(cells.conversations.shape, dtype=bool)
        alone = np.array([-1], dtype=np.intp)
        visible = visible_cells(cells, totals, alone, nothing, cell_rule(thresholds), nothing)[0]
        rounded = _rounded(cells, thresholds)[0]
        for j in np.flatnonzero(visible):
            rows.add("map", tree.facet, *places[order[j]], int(rounded[j]))
        hidden = int(((cells.conversations[0] > 0) & ~visible).sum())
        if hidden:
            rows.add("withheld", tree.facet, "map", -1, "thresholds", hidden, None)


def _totals(tree: FacetTree) -> FacetTotals:
    levels = tree.level[tree.visible & (tree.level >= 0)]
    return FacetTotals(
        tree.facet,
        int(tree.conversations[0]),
        _accounts(tree.counts.accounts[0]),
        tuple(int(n) for n in np.bincount(levels)),
    )
