"""Cells of a release: breakdowns, measures, trends and the map of the clusters that are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.privacy.grids import (
    COUNTS,
    Column,
    FacetTree,
    Grid,
    Linked,
    columns,
    grid,
    linked_dimensions,
    resolve,
)
from clio.privacy.scrub import scrub
from clio.privacy.thresholds import (
    Bools,
    Counts,
    cell_rule,
    outward,
    round_counts,
    significant,
    visible_cells,
    within,
)
from clio.settings import Thresholds
from clio.statistics import mean_interval, share_interval

ACCOUNTS_STEP: Final = 5
MAX_VALUES: Final = 200
MAX_VALUE_CHARS: Final = 100
WHOLE_ROW: Final = 100
"""In rows of fewer conversations no cell is 0 % or 100 % of it: everybody there would be known."""


class Rows:
    """Released rows by table, gathered in any order."""

    def __init__(self) -> None:
        self.of: dict[str, list[tuple[Any, ...]]] = {}

    def add(self, table: str, *row: Any) -> None:
        """Add a row to a table."""
        self.of.setdefault(table, []).append(row)


def at_least(accounts: int) -> int:
    """A number of accounts as it is released."""
    return int(accounts) // ACCOUNTS_STEP * ACCOUNTS_STEP


def _select(table: pa.Table, extra: tuple[str, ...]) -> dict[str, Column]:
    return columns(table, ("facet", "cluster_id", *extra, *COUNTS))


def links(
    trees: Sequence[FacetTree], cells: pa.Table, numeric: pa.Table, trends: pa.Table
) -> Linked:
    """Dimensions of all tables that lack a value for the same conversations as another one."""
    return linked_dimensions(
        trees,
        {
            "breakdowns": (_select(cells, ("dimension", "value")), "dimension", "value"),
            "numeric": (_select(numeric, ("measure",)), "measure", None),
            "trends": (_select(trends, ()), None, None),
        },
    )


def _grids(
    trees: Iterable[FacetTree],
    data: Mapping[str, Column],
    key: str,
    value: str,
    linked: Linked = frozenset(),
    table: str = "",
) -> Iterator[tuple[str, list[Grid]]]:
    """Grids by the value of column `key`, sorted, of all facets that have it."""
    for name in sorted({str(k) for k in data[key]}):
        found = []
        for tree in trees:
            rows = np.flatnonzero((data[key] == name) & (data["facet"] == tree.facet))
            if len(rows):
                known = (table, tree.facet, name) in linked
                found.append(grid(tree, data, rows, data[value][rows], linked=known))
        if found:
            yield name, found


def _printed(g: Grid, visible: Bools) -> Iterable[tuple[int, int, int, int]]:
    """Cluster, column, row of the table and cell of what is shown, in order."""
    for position, j in np.argwhere(visible & ~g.unprinted):
        yield int(g.tree.grid_nodes[position]), int(j), int(g.row_of[position, j]), int(position)


def _count_hidden(rows: Rows, table: str, counted: dict[tuple[str, int], int]) -> None:
    for (facet, level), cells in sorted(counted.items()):
        rows.add("withheld", facet, table, level, "thresholds", cells, None)


def _hidden(g: Grid, visible: Bools, counted: dict[tuple[str, int], int]) -> None:
    """Count the cells that are missing, by level: what every reader can count, and no more.

    In rows that do not add up, all cells of shown values that are not shown, be they hidden or
    empty: how many of them are empty would tell that somebody is in the others.
    """
    printed = visible & ~g.unprinted
    open_rows = g.totals.conversations > np.where(printed, g.cells.conversations, 0).sum(axis=1)
    hidden = ~visible & ~g.unprinted & np.asarray(printed.any(axis=0))[None, :]
    missing = np.where(open_rows, hidden.sum(axis=1), 0)
    if not printed.any():
        missing = np.ones_like(missing)  # one a cluster: nothing of this dimension is shown
    for position in np.flatnonzero((missing > 0) & (g.tree.grid_nodes >= 0)):
        key = (g.tree.facet, int(g.tree.level[g.tree.grid_nodes[position]]))
        counted[key] = counted.get(key, 0) + int(missing[position])


def _rounded(counts: Counts, tree: FacetTree) -> NDArray[np.int64]:
    floor = cell_rule(tree.limits).conversations
    return round_counts(counts.conversations, tree.limits.round_to, floor)


def _released(g: Grid) -> NDArray[np.int64]:
    """Released conversations of the grid's clusters, 0 for remainders (never printed)."""
    return np.where(g.tree.grid_nodes < 0, 0, g.tree.conversations[g.tree.grid_nodes])


def breakdowns(
    rows: Rows,
    trees: list[FacetTree],
    cells: pa.Table,
    answers: pa.Table,
    thresholds: Thresholds,
    linked: Linked,
) -> None:
    """Clusters by the values of each dimension.

    Parameters
    ----------
    rows
        Taken up here.
    trees
        The facets that are shown.
    cells, answers
        As in `clio.privacy.gate.GateInput`.
    thresholds
        Of the run.
    linked
        As `links` found them.
    """
    counted: dict[tuple[str, int], int] = {}
    data = _select(cells, ("dimension", "value"))
    for dimension, grids in _grids(trees, data, "dimension", "value", linked, "breakdowns"):
        if max(len(g.values) for g in grids) > MAX_VALUES:
            for g in grids:
                _too_many(rows, g.tree.facet, len(g.values))
            continue
        for g in grids:
            g.withheld[:, :-1] |= np.array([_odd(v) for v in g.values], dtype=bool)[None, :]
            _withhold_whole(g, thresholds)
        _add_cells(rows, dimension, grids, counted)
    data = _select(answers, ("dimension", "value", "holds"))
    for dimension in sorted(set(data["dimension"].tolist())):
        found = data["dimension"] == dimension
        of_dimension = {name: column[found] for name, column in data.items()}
        values = len(set(of_dimension["value"].tolist()))
        if values > MAX_VALUES:
            for facet in sorted(set(of_dimension["facet"].tolist())):
                _too_many(rows, facet, values)
            continue
        for value, grids in _grids(trees, of_dimension, "value", "holds"):
            for g in grids:
                g.withheld[:, :-1] |= _odd(value)
                _withhold_whole(g, thresholds)
                if False in g.values:
                    # Not printed; that nobody gave one of many answers tells of no one.
                    others = g.values.index(False)
                    g.unprinted[:, others], g.withheld[:, others] = True, False
            _add_cells(rows, dimension, grids, counted, value)
    _count_hidden(rows, "breakdowns", counted)


def _too_many(rows: Rows, facet: str, values: int) -> None:
    rows.add("withheld", facet, "breakdowns", -1, "too many values", values, None)


def _odd(value: Any) -> bool:
    """Whether a value is no name of anything: too long, or with an identifier in it."""
    return len(str(value)) > MAX_VALUE_CHARS or scrub(str(value)) != value


def _withhold_whole(g: Grid, thresholds: Thresholds) -> None:
    """Hide what is all of a small row, or looks so when rounded."""
    if not thresholds.publishable:
        return
    count, whole = g.cells.conversations, g.totals.conversations[:, None]
    base = _released(g)[:, None]
    looks_whole = (base > 0) & (_rounded(g.cells, g.tree) >= base)
    g.withheld |= ((count == whole) | looks_whole) & (whole < WHOLE_ROW)
    g.implied |= _implied(g, count == whole)


def _implied(g: Grid, is_whole: Bools) -> Bools:
    """Cells that are all of their row or column because the one above is: the reader knows it."""
    implied = np.zeros_like(is_whole)
    large = g.totals.conversations >= WHOLE_ROW
    for row in range(1, len(implied)):
        above = g.tree.grid_parent[row]
        implied[row] = is_whole[row] & is_whole[above] & (large[above] | implied[above])
    return implied


def _add_cells(
    rows: Rows,
    dimension: str,
    grids: Sequence[Grid],
    counted: dict[tuple[str, int], int],
    value: str | None = None,
) -> None:
    """Add what may be shown; `value` where the columns only say whether it was given."""
    for g, visible in zip(grids, resolve(grids), strict=True):
        _hidden(g, visible, counted)
        rounded = _rounded(g.cells, g.tree)
        for cluster, j, _, position in _printed(g, visible):
            rows.add(
                "breakdowns",
                g.tree.facet,
                g.tree.ids[cluster],
                dimension,
                g.values[j] if value is None else value,
                int(rounded[position, j]),
                at_least(g.cells.accounts[position, j]),
                min(1.0, float(rounded[position, j] / g.tree.conversations[cluster])),
            )


def numeric(rows: Rows, trees: list[FacetTree], table: pa.Table, linked: Linked) -> None:
    """Means of measures by cluster; `table` as in `clio.privacy.gate.GateInput`."""
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
    for measure, grids in _grids(trees, data, "measure", "measure", linked, "numeric"):
        for g, visible in zip(grids, resolve(grids), strict=True):
            _hidden(g, visible, counted)
            rounded = _rounded(g.cells, g.tree)
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


def trends(
    rows: Rows,
    trees: list[FacetTree],
    table: pa.Table,
    thresholds: Thresholds,
    granularity: str,
    linked: Linked,
) -> None:
    """Clusters over time; `table` as in `clio.privacy.gate.GateInput`."""
    data = _select(table, ("period", "sum_squares", "cross"))
    grids = []
    for tree in trees:
        found = np.flatnonzero(data["facet"] == tree.facet)
        if len(found):
            known = ("trends", tree.facet, "") in linked
            grids.append(grid(tree, data, found, data["period"][found], linked=known))
    if thresholds.publishable:
        for g in grids:
            count, whole = g.cells.conversations, g.cells.conversations[:1]
            # A cluster that is all of a small period; the root always is.
            g.withheld[1:] |= ((count == whole) & (whole < WHOLE_ROW))[1:]
    counted: dict[tuple[str, int], int] = {}
    for g, visible in zip(grids, resolve(grids), strict=True):
        _hidden(g, visible, counted)
        rounded = _rounded(g.cells, g.tree)
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
                at_least(g.cells.accounts[position, j]),
                share,
                *within(bounds),
            )
    _count_hidden(rows, "trends", counted)


def map_cells(rows: Rows, trees: list[FacetTree], table: pa.Table) -> None:
    """Density of the map; `table` as in `clio.privacy.gate.GateInput`."""
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
        visible = visible_cells(cells, totals, alone, nothing, cell_rule(tree.limits), nothing)[0]
        rounded = _rounded(cells, tree)[0]
        for j in np.flatnonzero(visible):
            rows.add("map", tree.facet, *places[order[j]], int(rounded[j]))
        hidden = int(((cells.conversations[0] > 0) & ~visible).sum())
        if hidden:
            rows.add("withheld", tree.facet, "map", -1, "thresholds", hidden, None)
