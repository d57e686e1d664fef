"""Counts by cluster, cell and account, by SQL over the private tables.

Every number is a sum of integers, so that it is the same in any order of rows and on any number
of threads. What comes out has not passed the gate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import duckdb
import pyarrow as pa

from clio.errors import SettingsError
from clio.facet import UNKNOWN, Facet
from clio.pipeline import files
from clio.pipeline.facets import Facets
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.cluster import assignments_folder
from clio.pipeline.stages.facets import facets_folder
from clio.pipeline.stages.hierarchy import register_paths
from clio.pipeline.stages.layout import places_file, text_cells_file
from clio.pipeline.stages.read import conversations_folder
from clio.pipeline.stages.texts import members_file
from clio.privacy.scrub import scrub
from clio.release.schema import ROOT_ID, ROOT_LEVEL

Granularity = Literal["day", "week", "month"]

MAX_PERIODS = 120
CELLS_A_PERIOD = 10
"""A period should hold so many times what a cell needs, or trends have too many gaps."""

_FACTS = """
CREATE TEMP TABLE facts AS
SELECT m.conversation_id, m.account, a.cluster_id AS leaf,
       make_timestamp(epoch_us(c.created_at)) AS created_at, c.labels, t.cell_x, t.cell_y,
       struct_pack({answers}) AS answers
FROM members m
JOIN assignments a USING (conversation_id)
JOIN facets f USING (conversation_id)
JOIN conversations c USING (conversation_id)
JOIN text_cells t ON t.text = m.text
WHERE a.facet = '{facet}'
"""
# `list_sum(max(c, 2))` is what the two largest accounts have together.
_SIZES = """
sum(c)::BIGINT AS conversations, count(*)::BIGINT AS accounts, max(c)::BIGINT AS top1,
list_sum(max(c, 2))::BIGINT AS top2
"""
_NODES = """
WITH per AS (
    SELECT p.cluster_id, f.account, count(*) AS c
    FROM facts f JOIN all_paths p USING (leaf) GROUP BY ALL
), counted AS (
    SELECT cluster_id, {sizes}, sum(c * c)::BIGINT AS sum_squares, sum(c * n)::BIGINT AS "cross"
    FROM per JOIN totals USING (account) GROUP BY cluster_id
)
SELECT '{facet}' AS facet, d.cluster_id, d.level, d.parent_id, d.title, d.summary,
       d.fallback_titles, d.x, d.y, d.stability, c.* EXCLUDE (cluster_id)
FROM described d JOIN counted c USING (cluster_id) ORDER BY d.level, d."index"
"""
_CELLS = """
WITH per AS (
    SELECT p.cluster_id, {value} AS value, f.account, count(*) AS c
    FROM facts f JOIN all_paths p USING (leaf) GROUP BY ALL
)
SELECT '{facet}' AS facet, cluster_id, '{dimension}' AS dimension, value, {sizes}
FROM per GROUP BY cluster_id, value ORDER BY cluster_id, value
"""
_ANSWERS = """
WITH chosen AS (SELECT DISTINCT unnest(answers."{dimension}") AS value FROM facts
), per AS (
    SELECT p.cluster_id, v.value, f.account,
           coalesce(list_contains(f.answers."{dimension}", v.value), false) AS holds, count(*) AS c
    FROM facts f JOIN all_paths p USING (leaf) CROSS JOIN chosen v GROUP BY ALL
)
SELECT '{facet}' AS facet, cluster_id, '{dimension}' AS dimension, value, holds, {sizes}
FROM per GROUP BY cluster_id, value, holds ORDER BY cluster_id, value, holds
"""
_TRENDS = """
WITH dated AS (
    SELECT leaf, account, date_trunc('{granularity}', created_at)::DATE AS period
    FROM facts WHERE created_at IS NOT NULL
), every AS (SELECT period, account, count(*) AS n FROM dated GROUP BY ALL
), totals_of AS (
    SELECT period, sum(n)::BIGINT AS total_conversations, count(*)::BIGINT AS total_accounts,
           sum(n * n)::BIGINT AS total_squares
    FROM every GROUP BY period
), per AS (
    SELECT p.cluster_id, d.period, d.account, count(*) AS c
    FROM dated d JOIN all_paths p USING (leaf) GROUP BY ALL
)
SELECT '{facet}' AS facet, cluster_id, period, '{granularity}' AS granularity, {sizes},
       sum(c * c)::BIGINT AS sum_squares, sum(c * n)::BIGINT AS "cross",
       any_value(total_conversations) AS total_conversations,
       any_value(total_accounts) AS total_accounts, any_value(total_squares) AS total_squares
FROM per JOIN every USING (period, account) JOIN totals_of USING (period)
GROUP BY cluster_id, period ORDER BY cluster_id, period
"""
_NUMERIC = """
WITH per AS (
    SELECT p.cluster_id, f.account, count(*) AS c, sum(f.answers."{measure}")::BIGINT AS x
    FROM facts f JOIN all_paths p USING (leaf) WHERE f.answers."{measure}" IS NOT NULL GROUP BY ALL
)
SELECT '{facet}' AS facet, cluster_id, '{measure}' AS measure, {sizes},
       sum(x)::BIGINT AS "sum", sum(x * x)::BIGINT AS sum_x_squares,
       sum(x * c)::BIGINT AS cross_x, sum(c * c)::BIGINT AS sum_squares
FROM per GROUP BY cluster_id ORDER BY cluster_id
"""
_MAP = """
WITH per AS (SELECT cell_x, cell_y, account, count(*) AS c FROM facts GROUP BY ALL)
SELECT '{facet}' AS facet, cell_x, cell_y, {sizes} FROM per
GROUP BY cell_x, cell_y ORDER BY cell_x, cell_y
"""


@dataclass(frozen=True)
class Aggregates:
    """Numbers by cluster and cell, as `clio.privacy.gate.GateInput` wants them."""

    nodes: pa.Table
    cells: pa.Table
    answers: pa.Table
    trends: pa.Table
    numeric: pa.Table
    map_cells: pa.Table
    granularity: Granularity


def _binned(facet: Facet) -> str:
    cases = "".join(
        f" WHEN f.answers.\"{facet.name}\" >= {low} THEN '{_quoted(label)}'"
        for low, label in reversed(list(zip(facet.bins, facet.bin_labels(), strict=True)))
    )
    return f"CASE{cases} ELSE '{UNKNOWN}' END"


def value_of(facet: Facet) -> str:
    """SQL for the value of a facet's breakdown, in rows ``f`` of ``facts``; not for categories."""
    answer = f'f.answers."{facet.name}"'
    if facet.kind == "number":
        return _binned(facet)
    if facet.kind == "boolean":
        return f"CASE WHEN {answer} THEN 'yes' WHEN NOT {answer} THEN 'no' ELSE '{UNKNOWN}' END"
    return f"coalesce({answer}::VARCHAR, '{UNKNOWN}')"


def _quoted(text: str) -> str:
    return text.replace("'", "''")


_NO_ANSWERS = pa.schema(
    [
        *((name, pa.string()) for name in ("facet", "cluster_id", "dimension", "value")),
        ("holds", pa.bool_()),
        *((name, pa.int64()) for name in ("conversations", "accounts", "top1", "top2")),
    ]
).empty_table()


class Aggregator:
    """Aggregates of one facet's tree over the private tables of a run.

    Parameters
    ----------
    sql
        A database connection to work in.
    directory
        The run.
    facets
        The facets of the run.
    facet
        Whose tree it is.
    """

    def __init__(
        self, sql: duckdb.DuckDBPyConnection, directory: RunDirectory, facets: Facets, facet: str
    ) -> None:
        self.sql, self.facets, self.facet = sql, facets, facet
        register_paths(sql, directory, facet)
        for name, path in (
            ("members", members_file(directory, facet)),
            ("assignments", assignments_folder(directory)),
            ("facets", facets_folder(directory)),
            ("conversations", conversations_folder(directory)),
            ("text_cells", text_cells_file(directory, facet)),
            ("places", places_file(directory, facet)),
        ):
            files.register(sql, name, path)
        # In a struct, so that no facet's name can be that of another column.
        used = dict.fromkeys(f.name for f in (*facets.closed, *facets.measures))
        answers = ", ".join(f'"{name}" := f."{name}"' for name in used)
        sql.execute(_FACTS.format(facet=facet, answers=answers))
        sql.execute(
            "CREATE TEMP TABLE all_paths AS SELECT * FROM paths "
            f"UNION ALL SELECT cluster_id, '{ROOT_ID}' FROM nodes WHERE level = 0"
        )
        sql.execute(
            "CREATE TEMP TABLE totals AS SELECT account, count(*) AS n FROM facts GROUP BY account"
        )
        sql.execute(
            "CREATE TEMP TABLE described AS SELECT n.*, p.x, p.y FROM nodes n "
            'JOIN places p USING (level, "index")'
        )
        sql.execute(
            f'INSERT INTO described BY NAME SELECT {ROOT_LEVEL} AS level, 0 AS "index", '
            f"'{ROOT_ID}' AS cluster_id, '' AS title, '' AS summary, "
            "[]::VARCHAR[] AS fallback_titles"
        )

    def aggregate(self, *, labels: Iterable[str], granularity: Granularity) -> Aggregates:
        """All tables of the facet.

        Parameters
        ----------
        labels
            Names of labels to break down by, beside the facets.
        granularity
            Of the trends.

        Raises
        ------
        SettingsError
            No row has one of the labels, or its name is that of a facet.
        """
        asked = [f for f in self.facets.closed if self._answered(f)]
        return Aggregates(
            nodes=self._table(_NODES),
            cells=pa.concat_tables(
                [
                    *(
                        self._table(_CELLS, dimension=f.name, value=value_of(f))
                        for f in asked
                        if f.kind != "categories"
                    ),
                    *(self._label(name) for name in dict.fromkeys(labels)),
                ]
            ),
            answers=pa.concat_tables(
                [
                    _NO_ANSWERS,
                    *(
                        self._table(_ANSWERS, dimension=f.name)
                        for f in asked
                        if f.kind == "categories"
                    ),
                ]
            ),
            trends=self._table(_TRENDS, granularity=granularity),
            numeric=pa.concat_tables(
                self._table(_NUMERIC, measure=f.name) for f in self.facets.measures
            ),
            map_cells=self._table(_MAP),
            granularity=granularity,
        )

    def granularity(self, cell_conversations: int) -> Granularity:
        """The finest of day, week and month whose periods are few and full enough."""
        finer: tuple[Granularity, ...] = ("day", "week")
        for name in finer:
            periods, conversations = self._one(
                f"SELECT count(DISTINCT date_trunc('{name}', created_at)), count(created_at) "
                "FROM facts"
            )
            enough = periods * CELLS_A_PERIOD * cell_conversations
            if periods and periods <= MAX_PERIODS and conversations >= enough:
                return name
        return "month"

    def _answered(self, facet: Facet) -> bool:
        return bool(self._one(f'SELECT count(answers."{facet.name}") FROM facts')[0])

    def _label(self, name: str) -> pa.Table:
        if name in {f.name for f in self.facets.closed}:
            raise SettingsError(
                f"--breakdown {name}: every release is broken down by Clio's own {name} already; "
                "leave it out, or give the label another name"
            )
        if not name:
            raise SettingsError("--breakdown: a label has no empty name")
        path = '$."' + name.replace('"', '\\"') + '"'
        self.sql.execute(
            "CREATE OR REPLACE TEMP TABLE label_values AS SELECT DISTINCT "
            "labels ->> ? AS value FROM facts",
            [path],
        )
        values = [v for (v,) in self.sql.execute("SELECT value FROM label_values").fetchall()]
        primary = self.facet == self.facets.primary.name
        if primary and not any(v is not None for v in values):
            raise SettingsError(f"--breakdown {name}: no conversation has a label of that name")
        mapping = pa.table(
            {
                "raw": pa.array(values, pa.string()),
                "value": pa.array([UNKNOWN if v is None else scrub(v) for v in values]),
            }
        )
        self.sql.register("label_mapping", mapping)
        return self._table(
            _CELLS,
            dimension=_quoted(name),
            value="(SELECT value FROM label_mapping WHERE raw IS NOT DISTINCT FROM "
            f"(f.labels ->> '{_quoted(path)}'))",
        )

    def _table(self, query: str, **values: str) -> pa.Table:
        return self.sql.sql(query.format(facet=self.facet, sizes=_SIZES, **values)).to_arrow_table()

    def _one(self, query: str) -> tuple[int, ...]:
        return tuple(self.sql.execute(query).fetchall()[0])
