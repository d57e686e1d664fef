"""The contract's table of clusters for the safety role: the whole tree, without thresholds."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import Context, answered_facets
from clio.pipeline.stages.cluster import assignments_folder
from clio.pipeline.stages.facets import facets_folder
from clio.pipeline.stages.hierarchy import CONCERN, register_paths, restricted_clusters_file
from clio.pipeline.stages.read import conversations_folder
from clio.statistics import mean_interval, share_interval

CONCERNING: Final = 4
"""Concern from which on it counts as such: probable harm, or an explicit threat."""

LOWEST: Final = 1
HIGHEST: Final = 5

MODEL: Final = "model"
RULES: Final = "rules"

# Sums of whole numbers, so that they are the same in any order of rows.
_CLUSTERS: Final = """
WITH each AS (
    SELECT p.cluster_id, c.account, f.language, count(*) AS rows,
           count({concern}) AS n, coalesce(sum({concern}), 0)::BIGINT AS x,
           count(*) FILTER ({concern} >= {least}) AS h
    FROM assignments a JOIN conversations c USING (conversation_id)
    JOIN facets f USING (conversation_id) JOIN paths p ON p.leaf = a.cluster_id
    GROUP BY ALL
), per AS (
    SELECT cluster_id, account, sum(rows)::BIGINT AS rows, sum({counted})::BIGINT AS n,
           sum(x)::BIGINT AS x, sum(h)::BIGINT AS h
    FROM each GROUP BY cluster_id, account
), summed AS (
    SELECT cluster_id, sum(rows)::BIGINT AS conversations,
           list_sort(list(account)) AS accounts, sum(n)::BIGINT AS n, sum(x)::BIGINT AS x,
           sum(h)::BIGINT AS h, sum(n * n)::BIGINT AS nn, sum(x * x)::BIGINT AS xx,
           sum(x * n)::BIGINT AS xn, sum(h * h)::BIGINT AS hh, sum(h * n)::BIGINT AS hn,
           count(*) FILTER (n > 0) AS known
    FROM per GROUP BY cluster_id
), spoken AS (
    SELECT cluster_id, language, sum(rows)::BIGINT AS conversations FROM each GROUP BY ALL
), languages AS (
    SELECT cluster_id, list(struct_pack(language, conversations)
                            ORDER BY conversations DESC, language) AS languages
    FROM spoken GROUP BY cluster_id
)
SELECT '{facet}' AS facet, t.cluster_id, t.level, t.parent_id, t.title, t.summary,
       s.* EXCLUDE (cluster_id), l.languages
FROM nodes t JOIN summed s USING (cluster_id) JOIN languages l USING (cluster_id)
ORDER BY t.level, t."index"
"""
_SUMS: Final = ("n", "x", "h", "nn", "xx", "xn", "hh", "hn", "known")


def write_restricted(context: Context) -> None:
    """Write the table: accounts as pseudonyms, languages, and concern with intervals by account.

    Where a model answered, ``concern`` is the mean, and ``concerning`` the share at 4 and 5 of what
    has an answer. Rules answer few, and those not at random: there ``concern`` is null, and
    ``concerning`` is the share of all that they call grave, which is the least that it can be.
    ``concern_by`` says which.
    """
    directory = context.directory
    asked = {facet.name for facet in context.facets.all}
    measured = {facet.name for facet in context.facets.measures}
    by = None if CONCERN not in asked else MODEL if CONCERN in measured else RULES
    tables = [_of(context, facet.name, by) for facet in answered_facets(context)]
    files.write_table(restricted_clusters_file(directory), pa.concat_tables(tables))


def _of(context: Context, facet: str, by: str | None) -> pa.Table:
    directory: RunDirectory = context.directory
    with context.sql() as sql:
        register_paths(sql, directory, facet)
        files.register(sql, "assignments", assignments_folder(directory))
        files.register(sql, "conversations", conversations_folder(directory))
        files.register(sql, "facets", facets_folder(directory))
        query = _CLUSTERS.format(
            facet=facet,
            concern="NULL::BIGINT" if by is None else f'f."{CONCERN}"',
            least=CONCERNING,
            counted="rows" if by == RULES else "n",
        )
        table = sql.sql(query).to_arrow_table()
    s = {name: table[name].to_numpy().astype(np.float64) for name in _SUMS}
    mean = mean_interval(s["x"], s["n"], s["xx"], s["xn"], s["nn"], s["known"])
    low, high = share_interval(s["h"], s["n"], s["hh"], s["hn"], s["nn"], s["known"])
    share = np.divide(s["h"], s["n"], out=np.full(len(s["n"]), np.nan), where=s["n"] > 0)
    known = (s["n"] > 0) & (by is not None)
    told = known & (by == MODEL)
    names = ("facet", "cluster_id", "level", "parent_id", "title", "summary", "conversations")
    added = {
        "concern": _filled(mean[0], told),
        "concern_low": _filled(np.maximum(mean[1], LOWEST), told & np.isfinite(mean[1])),
        "concern_high": _filled(np.minimum(mean[2], HIGHEST), told & np.isfinite(mean[2])),
        "concerning": _filled(share, known),
        "concerning_low": _filled(low, known),
        "concerning_high": _filled(high, known),
        "concern_by": pa.array([by] * table.num_rows, pa.string()),
    }
    out = table.select([*names, "accounts", "languages"])
    for name, values in added.items():
        out = out.append_column(name, values)
    return out


def _filled(values: Any, known: Any) -> pa.Array:
    return pa.array(values, pa.float64(), mask=~known)
