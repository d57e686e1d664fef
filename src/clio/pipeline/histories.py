"""The private tables of a run as histories: who wrote in which cluster on which day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.monitoring import Activity, Answers, Tree
from clio.pipeline import files
from clio.pipeline.facets import Facets
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import SQL_MEMORY
from clio.pipeline.stages.cluster import assignments_folder
from clio.pipeline.stages.facets import facets_folder
from clio.pipeline.stages.hierarchy import CONCERN, nodes_file
from clio.pipeline.stages.read import conversations_folder
from clio.pipeline.stages.texts import members_file

_SHIFTING: Final = ("language", "interaction")
"""Closed facets of which a shift is news, where they are answered."""

_DAY: Final = "make_timestamp(epoch_us(c.created_at))::DATE"
_FACTS: Final = """
SELECT m.account, t."index" AS leaf, date_diff('day', ?::DATE, {day}) AS day, {answers}
FROM members m
JOIN assignments a USING (conversation_id)
JOIN facets f USING (conversation_id)
JOIN conversations c USING (conversation_id)
JOIN nodes n ON n.cluster_id = a.cluster_id AND n.level = 0
JOIN nodes t ON t.cluster_id = coalesce(n."into", n.cluster_id)
WHERE a.facet = ? AND c.created_at IS NOT NULL AND {day} <= ?
ORDER BY day, leaf, c.conversation_id
"""


@dataclass(frozen=True)
class History:
    """One facet's tree and what was written in it: private.

    Attributes
    ----------
    facet
        Its name.
    tree
        Of its clusters.
    ids, levels, titles
        Of the tree's nodes; titles have not passed the gate.
    activity
        One row a conversation that bears a date.
    answers
        To the questions that may shift, beside the rows.
    """

    facet: str
    tree: Tree
    ids: list[str]
    levels: list[int]
    titles: list[str]
    activity: Activity
    answers: list[Answers]


@contextmanager
def database(directory: RunDirectory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A fresh in-memory database that spills to the run's private folder."""
    files.make_private(directory.temporary)
    config = {"temp_directory": str(directory.temporary), "memory_limit": SQL_MEMORY}
    with duckdb.connect(":memory:", config=config) as sql:
        yield sql


def dated_span(sql: duckdb.DuckDBPyConnection, directory: RunDirectory) -> tuple[date, date] | None:
    """First and last day, UTC, of the conversations that bear a date; ``None`` if none does."""
    files.register(sql, "conversations", conversations_folder(directory))
    found = sql.execute(f"SELECT min({_DAY}), max({_DAY}) FROM conversations c").fetchall()[0]
    return None if found[0] is None else cast(tuple[date, date], found)


def read_history(
    sql: duckdb.DuckDBPyConnection,
    directory: RunDirectory,
    facets: Facets,
    facet: str,
    first: date,
    until: date,
) -> History | None:
    """One facet's history; ``None`` where no conversation bears a date in the days asked for.

    Parameters
    ----------
    sql
        A database connection to work in.
    directory
        The run.
    facets
        Its facets.
    facet
        Whose tree it is.
    first, until
        The date of day 0, and the last one taken in.
    """
    for name, place in (
        ("members", members_file(directory, facet)),
        ("assignments", assignments_folder(directory)),
        ("facets", facets_folder(directory)),
        ("nodes", nodes_file(directory, facet)),
    ):
        files.register(sql, name, place)
    known = {f.name: f for f in facets.closed}
    closed = [name for name in _SHIFTING if name in known]
    measures = [f.name for f in facets.measures if f.name == CONCERN]
    columns = ", ".join(f'f."{name}" AS "answer {name}"' for name in (*closed, *measures))
    query = _FACTS.format(day=_DAY, answers=columns or "NULL")
    table = sql.sql(query, params=[first, facet, until]).to_arrow_table()
    if not table.num_rows:
        return None
    nodes = files.read_table(nodes_file(directory, facet)).to_pydict()
    ids = [str(v) for v in nodes["cluster_id"]]
    at = {cluster: i for i, cluster in enumerate(ids)}
    parent = [-1 if p is None else at[p] for p in nodes["parent_id"]]
    leaves = [i for i, level in enumerate(nodes["level"]) if level == 0]
    leaves.sort(key=lambda i: nodes["index"][i])
    leaf, day = (table[name].to_numpy() for name in ("leaf", "day"))
    activity = Activity.of(_by_appearance(table["account"].to_numpy()), leaf, day)
    return History(
        facet,
        Tree.of(parent, leaves),
        ids,
        list(nodes["level"]),
        list(nodes["title"]),
        activity,
        [
            *(_closed(name, table[f"answer {name}"]) for name in closed),
            *(Answers(name, _numbers(table[f"answer {name}"])) for name in measures),
        ],
    )


def _by_appearance(accounts: NDArray[Any]) -> NDArray[np.int64]:
    """Numbers of accounts in the order in which they first appear.

    Their codes follow the pseudonyms, whose order is the key's: sums would be rounded by it.
    """
    _, first, code = np.unique(accounts, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[code])


def _numbers(column: pa.ChunkedArray) -> Any:
    return column.cast(pa.float64()).to_numpy(zero_copy_only=False)


def _closed(name: str, column: pa.ChunkedArray) -> Answers:
    given = column.to_pylist()
    values = tuple(sorted({str(v) for v in given if v is not None}))
    at = {value: float(i) for i, value in enumerate(values)}
    number = np.array([at.get(str(v), np.nan) if v is not None else np.nan for v in given])
    return Answers(name, number, values)
