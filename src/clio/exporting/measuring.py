"""The measurements of a differentially private export: all that is ever drawn from private rows.

`measure` sees the bounded rows of accounts, adds noise and returns noised counts; everything after
it is a function of those and of what is given, and costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.exporting import noise
from clio.exporting.accounting import Parts
from clio.exporting.consistency import counted, whole_parts
from clio.exporting.given import Given
from clio.pipeline.exporting import ROWS_OF_ACCOUNT
from clio.privacy.tiers import PrivateTable

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Measured:
    """Noised counts, as drawn.

    Attributes
    ----------
    nodes
        ``(nodes,)``; the root, which is not measured, has 0.
    variance
        ``(nodes,)`` of the noise; infinite for the root.
    bound
        ``(nodes,)``: a node may be named by its own count where that is over the bound.
    dimensions
        By name ``(tops, values + 1)``; the last column is of those with no value that is told
        apart. The trends are the dimension ``None``.
    deviations
        Standard deviation of the noise in each of `dimensions`.
    """

    nodes: Ints
    variance: NDArray[np.float64]
    bound: Ints
    dimensions: dict[str | None, Ints]
    deviations: dict[str | None, float]


def exact_counts(given: Given, rows: pa.Table) -> tuple[Ints, dict[str | None, Ints]]:
    """Counts of bounded rows before any noise: private.

    Parameters
    ----------
    given
        The taxonomy.
    rows
        As `clio.pipeline.exporting.PrivateRun.contributions` gives them.

    Returns
    -------
    nodes : NDArray[np.int64]
        ``(nodes,)``.
    dimensions : dict
        As `Measured.dimensions`.
    """
    place = rows["place"].to_numpy()
    nodes = np.bincount(place, minlength=len(given.nodes)).astype(np.int64)
    for node in range(len(given.nodes) - 1, 0, -1):
        nodes[given.parent[node]] += nodes[node]
    columns: dict[str | None, tuple[str, int]] = {
        name: (f"dimension {i}", len(values))
        for i, (name, values) in enumerate(given.dimensions.items())
    }
    if given.periods:
        columns[None] = ("period", len(given.periods))
    top, dimensions = given.top[place], {}
    for name, (column, size) in columns.items():
        code = rows[column].fill_null(size).to_numpy()
        cells = np.bincount(top * (size + 1) + code, minlength=len(given.tops) * (size + 1))
        dimensions[name] = cells.reshape(len(given.tops), size + 1).astype(np.int64)
    return nodes, dimensions


def measure(given: Given, table: PrivateTable, parts: Parts) -> Measured:
    """Draw the noise.

    Parameters
    ----------
    given
        The taxonomy.
    table
        Bounded rows, as `clio.pipeline.exporting.PrivateRun.contributions` gives them.
    parts
        What each measurement may spend.

    Returns
    -------
    Measured
        ``(parts.epsilon, parts.selection_delta)``-differentially private for the removal or
        addition of one account, given the taxonomy.
    """
    exact, cells = exact_counts(given, table.table)
    nodes = np.zeros(len(given.nodes), dtype=np.int64)
    variance = np.full(len(given.nodes), np.inf)
    bound = np.zeros(len(given.nodes), dtype=np.int64)
    # One row an account in each end, in at most three of them: a third for each.
    each, rare = parts.leaves / ROWS_OF_ACCOUNT, parts.selection_delta / ROWS_OF_ACCOUNT
    ends = given.ends
    nodes[ends], bound[ends] = noise.truncated_laplace(exact[ends], epsilon=each, delta=rare)
    variance[ends] = noise.deviation(1, each) ** 2
    for level, epsilon in zip(given.levels, parts.levels, strict=True):
        nodes[level] = noise.laplace(exact[level], sensitivity=ROWS_OF_ACCOUNT, epsilon=epsilon)
        variance[level] = noise.deviation(ROWS_OF_ACCOUNT, epsilon) ** 2
        # As for ends: with one account in it a node is named as rarely as that.
        bound[level] = ROWS_OF_ACCOUNT - 1 + noise.tail(ROWS_OF_ACCOUNT, epsilon, rare)
    spent: dict[str | None, float] = dict(zip(given.dimensions, parts.dimensions, strict=True))
    if given.periods:
        spent[None] = parts.trends
    return Measured(
        nodes,
        variance,
        bound,
        {
            name: noise.laplace(cells[name], sensitivity=ROWS_OF_ACCOUNT, epsilon=epsilon)
            for name, epsilon in spent.items()
        },
        {name: noise.deviation(ROWS_OF_ACCOUNT, epsilon) for name, epsilon in spent.items()},
    )


@dataclass(frozen=True)
class Agreed:
    """Noised counts made to agree: whole, non-negative, adding up.

    Attributes
    ----------
    nodes
        ``(nodes,)``: each is the sum of its children, rests included.
    shown
        ``(nodes,)``: which clusters are named; the root is, no rest is.
    dimensions
        By name ``(tops, values + 1)``: each row adds up to its node.
    """

    nodes: Ints
    shown: NDArray[np.bool_]
    dimensions: dict[str | None, Ints]


def agree(given: Given, measured: Measured) -> Agreed:
    """Make noised counts agree, and choose what is named.

    A cluster is named where its own noised count is over its bound, or that of a cluster below it.
    """
    nodes = counted(given.parent, measured.nodes.astype(np.float64), measured.variance)
    shown = (measured.nodes > measured.bound) & ~given.rest
    for node in range(len(shown) - 1, 0, -1):
        shown[given.parent[node]] |= shown[node]
    shown[0] = True
    same = {name: np.ones(cells.shape[1]) for name, cells in measured.dimensions.items()}
    return Agreed(
        nodes,
        shown,
        {
            name: np.stack(
                [
                    whole_parts(int(nodes[top]), row.astype(np.float64), same[name])
                    for top, row in zip(given.tops, cells, strict=True)
                ]
            )
            for name, cells in measured.dimensions.items()
        },
    )
