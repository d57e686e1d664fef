"""Leaves become a tree of a few levels, each node described from its members."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.describing import Description, describe_parents
from clio.hierarchy import build
from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import Context, Report, Stage
from clio.pipeline.stages.cluster import (
    assignments_folder,
    leaf_centroids_file,
    leaf_id,
    leaf_stability_file,
    text_leaves_file,
)
from clio.pipeline.stages.describe import (
    as_members,
    description_columns,
    leaf_descriptions_file,
    sensitive_words,
)
from clio.pipeline.stages.read import conversations_folder
from clio.pipeline.stages.samples import MIN_USERS, sample_members
from clio.pipeline.stages.texts import FACET, members_file

Vectors = NDArray[np.float32]


def nodes_file(directory: RunDirectory) -> Path:
    """Every node but the root: ``level``, ``index`` within it, ids, title, summary, fallbacks."""
    return directory.work / FACET.name / "nodes.parquet"


def restricted_clusters_file(directory: RunDirectory) -> Path:
    """The contract's table for the safety role: the whole tree, without thresholds."""
    return directory.restricted / "clusters.parquet"


def parent_arrays(directory: RunDirectory) -> list[NDArray[np.int32]]:
    """Parent's index of each node, level by level, as `clio.hierarchy.build` gave them."""
    nodes = files.read_table(nodes_file(directory), columns=["level", "parent"]).to_pydict()
    levels = np.asarray(nodes["level"])
    parents = np.asarray([-1 if p is None else p for p in nodes["parent"]], dtype=np.int32)
    return [parents[levels == level] for level in range(int(levels.max()))]


def group_at_level(parents: list[NDArray[np.int32]], leaves: int, level: int) -> NDArray[np.int32]:
    """``(leaves,)`` index of each leaf's ancestor at `level`."""
    group = np.arange(leaves, dtype=np.int32)
    for parent in parents[:level]:
        group = parent[group]
    return group


def leaf_sizes(directory: RunDirectory, leaves: int) -> NDArray[np.float64]:
    """Conversations of each leaf."""
    text = files.read_table(members_file(directory), columns=["text"])["text"].to_numpy()
    leaf = np.load(text_leaves_file(directory))[text]
    return np.bincount(leaf, minlength=leaves).astype(np.float64)


def centroids_at_level(
    centroids: Vectors, group: NDArray[np.int32], sizes: NDArray[np.float64]
) -> Vectors:
    """Unit means of the leaves of each group, weighted by size."""
    sums = np.zeros((int(group.max()) + 1, centroids.shape[1]))
    np.add.at(sums, group, centroids * sizes[:, None])
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), dtype=np.float32)


def _leaf_descriptions(directory: RunDirectory) -> list[Description]:
    return [
        Description(row["title"], row["summary"], tuple(row["fallback_titles"]))
        for row in files.read_table(leaf_descriptions_file(directory)).to_pylist()
    ]


def _run(context: Context) -> Report:
    directory, settings = context.directory, context.settings
    centroids: Vectors = np.load(leaf_centroids_file(directory))
    leaves = len(centroids)
    sizes = leaf_sizes(directory, leaves)
    parents = build(centroids, sizes, seed=settings.seed).parents

    descriptions = [_leaf_descriptions(directory)]
    for level, parent in enumerate(parents, start=1):
        group = group_at_level(parents, leaves, level)
        below = group_at_level(parents, leaves, level - 1)
        descriptions.append(
            describe_parents(
                descriptions[-1],
                parent,
                as_members(sample_members(directory, group, thresholds=settings.thresholds())),
                centroids_at_level(centroids, group, sizes),
                child_sizes=np.bincount(below, weights=sizes),
                embed=context.embedder.embed,
                min_accounts=max(MIN_USERS, settings.thresholds().word_accounts),
                sensitive=sensitive_words(context.settings.thresholds()),
            )
        )
        context.progress.advanced(len(parent))

    ids = [[leaf_id(context, i) for i in range(leaves)]]
    first = context.directory.state.next_cluster_number
    for written in descriptions[1:]:
        ids.append([context.cluster_id(FACET.name, first + i) for i in range(len(written))])
        first += len(written)
    tables = []
    firm = np.load(leaf_stability_file(directory))
    for level, written in enumerate(descriptions):
        above = parents[level].tolist() if level < len(parents) else [None] * len(written)
        parent_ids = [None if p is None else ids[level + 1][p] for p in above]
        tables.append(
            pa.table(
                {
                    "level": pa.array([level] * len(written), pa.int32()),
                    "index": pa.array(range(len(written)), pa.int32()),
                    "parent": pa.array(above, pa.int32()),
                    "cluster_id": pa.array(ids[level], pa.string()),
                    "parent_id": pa.array(parent_ids, pa.string()),
                    "stability": (
                        pa.array(firm, from_pandas=True)
                        if level == 0
                        else pa.nulls(len(written), pa.float64())
                    ),
                    **description_columns(written),
                }
            )
        )
    nodes = pa.concat_tables(tables)
    files.write_table(nodes_file(directory), nodes)
    _write_restricted(context)
    return Report(
        rows_in=leaves,
        rows_out=nodes.num_rows,
        details={
            "nodes_by_level": [len(level) for level in descriptions],
            "cluster_numbers": nodes.num_rows - leaves,
        },
    )


_PATHS = """
CREATE TEMP VIEW paths AS
WITH RECURSIVE up AS (
    SELECT cluster_id AS leaf, cluster_id, parent_id FROM nodes WHERE level = 0
    UNION ALL
    SELECT up.leaf, nodes.cluster_id, nodes.parent_id
    FROM up JOIN nodes ON nodes.cluster_id = up.parent_id
)
SELECT leaf, cluster_id FROM up
"""
_RESTRICTED = """
SELECT '{facet}' AS facet, n.cluster_id, n.level, n.parent_id, n.title, n.summary,
       m.conversations, CAST(NULL AS DOUBLE) AS concern, m.accounts
FROM nodes n JOIN (
    SELECT p.cluster_id, count(*) AS conversations, list_sort(list_distinct(list(c.account)))
           AS accounts
    FROM assignments a JOIN conversations c USING (conversation_id)
    JOIN paths p ON p.leaf = a.cluster_id
    GROUP BY p.cluster_id
) m USING (cluster_id) ORDER BY n.level, n."index"
"""


def register_paths(sql: Any, directory: RunDirectory) -> None:
    """Make the views ``nodes`` and ``paths`` (leaf to itself and each ancestor)."""
    files.register(sql, "nodes", nodes_file(directory))
    sql.execute(_PATHS)


def _write_restricted(context: Context) -> None:
    directory = context.directory
    with context.sql() as sql:
        register_paths(sql, directory)
        files.register(sql, "assignments", assignments_folder(directory))
        files.register(sql, "conversations", conversations_folder(directory))
        table = sql.sql(_RESTRICTED.format(facet=FACET.name)).to_arrow_table()
    files.write_table(restricted_clusters_file(directory), table)


HIERARCHY = Stage(
    name="hierarchy",
    run=_run,
    outputs=lambda d: [nodes_file(d), restricted_clusters_file(d)],
    depends=lambda c: {
        "seed": c.settings.seed,
        "word_accounts": c.settings.thresholds().word_accounts,
    },
    version=2,
    total=lambda _: (None, "clusters"),
)
