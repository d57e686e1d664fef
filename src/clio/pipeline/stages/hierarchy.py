"""Leaves become a tree of a few levels, each node described from its members."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.describing import Description, describe_parents, describe_parents_by_model
from clio.facet import Facet
from clio.hierarchy import build, build_by_model
from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import (
    Context,
    Report,
    Stage,
    answered_facets,
    facet_outputs,
    facets_report,
)
from clio.pipeline.stages.cluster import (
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
    stood_in,
    writer,
)
from clio.pipeline.stages.keywords import describe_from_keywords
from clio.pipeline.stages.samples import MIN_USERS, sample_members
from clio.pipeline.stages.texts import members_file
from clio.privacy.scrub import finds
from clio.settings import KEYWORDS

Vectors = NDArray[np.float32]

CONCERN = "concern"
"""The measure that the safety role sees beside each cluster, where it is answered."""


def built_file(directory: RunDirectory, facet: str) -> Path:
    """Every node but the root: ``level``, ``index`` within it, ids, title, summary, fallbacks."""
    return directory.work / facet / "built.parquet"


def nodes_file(directory: RunDirectory, facet: str) -> Path:
    """The same after a person's edits; see `clio.pipeline.editing.Edited` for what is added."""
    return directory.work / facet / "nodes.parquet"


def restricted_clusters_file(directory: RunDirectory) -> Path:
    """The contract's table for the safety role: the whole tree, without thresholds."""
    return directory.restricted / "clusters.parquet"


def built_parents(directory: RunDirectory, facet: str) -> list[NDArray[np.int32]]:
    """Parent's index of each node, level by level, as `clio.hierarchy.build` gave them."""
    return _parents(built_file(directory, facet))


def parent_arrays(directory: RunDirectory, facet: str) -> list[NDArray[np.int32]]:
    """Parent's index of each node, level by level, after a person's edits."""
    return _parents(nodes_file(directory, facet))


def leaf_targets(directory: RunDirectory, facet: str) -> NDArray[np.int32]:
    """``(leaves,)`` index of the leaf that each became a part of by a merge; else its own."""
    nodes = files.read_table(
        nodes_file(directory, facet), columns=["level", "index", "cluster_id", "into"]
    ).to_pylist()
    leaves = sorted((n for n in nodes if n["level"] == 0), key=lambda node: node["index"])
    at = {node["cluster_id"]: node["index"] for node in leaves}
    return np.array([at[n["into"] or n["cluster_id"]] for n in leaves], dtype=np.int32)


def _parents(path: Path) -> list[NDArray[np.int32]]:
    nodes = files.read_table(path, columns=["level", "parent"]).to_pydict()
    levels = np.asarray(nodes["level"])
    parents = np.asarray([-1 if p is None else p for p in nodes["parent"]], dtype=np.int32)
    return [parents[levels == level] for level in range(int(levels.max()))]


def group_at_level(parents: list[NDArray[np.int32]], leaves: int, level: int) -> NDArray[np.int32]:
    """``(leaves,)`` index of each leaf's ancestor at `level`."""
    group = np.arange(leaves, dtype=np.int32)
    for parent in parents[:level]:
        group = parent[group]
    return group


def leaf_sizes(directory: RunDirectory, facet: str, leaves: int) -> NDArray[np.float64]:
    """Conversations of each leaf."""
    text = files.read_table(members_file(directory, facet), columns=["text"])["text"].to_numpy()
    leaf = np.load(text_leaves_file(directory, facet))[text]
    return np.bincount(leaf, minlength=leaves).astype(np.float64)


def centroids_at_level(
    centroids: Vectors, group: NDArray[np.int32], sizes: NDArray[np.float64]
) -> Vectors:
    """Unit means of the leaves of each group, weighted by size."""
    sums = np.zeros((int(group.max()) + 1, centroids.shape[1]))
    np.add.at(sums, group, centroids * sizes[:, None])
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), dtype=np.float32)


def _leaf_descriptions(directory: RunDirectory, facet: str) -> list[Description]:
    return [
        Description(row["title"], row["summary"], tuple(row["fallback_titles"]))
        for row in files.read_table(leaf_descriptions_file(directory, facet)).to_pylist()
    ]


class _Parents:
    """Describes the parents of a level of one facet's tree.

    Parameters
    ----------
    context
        Of the run.
    facet
        Whose tree it is.
    centroids, sizes
        Of the leaves: ``(leaves, dimension)`` unit rows, and conversations.
    """

    def __init__(
        self, context: Context, facet: Facet, centroids: Vectors, sizes: NDArray[np.float64]
    ) -> None:
        self._context, self._facet = context, facet
        self._centroids, self._sizes = centroids, sizes
        self.reasons: list[str] = []
        """Why the offline writer stands in for a model, one a parent."""

    def __call__(
        self, children: Sequence[Description], parents: Sequence[NDArray[np.int32]]
    ) -> list[Description]:
        """Describe the last level of `parents`, whose children are described."""
        context, settings = self._context, self._context.settings
        thresholds, leaves = settings.thresholds(), len(self._centroids)
        if settings.describe == KEYWORDS:
            group = group_at_level(list(parents), leaves, len(parents))
            descriptions, reasons = describe_from_keywords(context, self._facet, group)
            self.reasons += reasons
            context.progress.advanced(len(descriptions))
            return descriptions
        above, below = (group_at_level(list(parents), leaves, len(parents) - i) for i in (0, 1))
        child_sizes = np.bincount(below, weights=self._sizes)
        members = as_members(
            sample_members(context.directory, self._facet.name, above, thresholds=thresholds)
        )
        min_accounts = max(MIN_USERS, thresholds.word_accounts)
        descriptions = describe_parents(
            children,
            parents[-1],
            members,
            centroids_at_level(self._centroids, above, self._sizes),
            child_sizes=child_sizes,
            embed=context.embedder.embed,
            min_accounts=min_accounts,
            sensitive=sensitive_words(thresholds),
        )
        if settings.model_for_titles is not None:
            written = describe_parents_by_model(
                children,
                parents[-1],
                members,
                centroids_at_level(self._centroids, below, self._sizes),
                child_sizes=child_sizes.astype(np.int64),
                asker=context.models.asker(settings.model_for_titles),
                key=context.models.key(),
                stand_ins=descriptions,
                facet=self._facet,
                min_accounts=min_accounts,
                sensitive=sensitive_words(thresholds),
                language=settings.language,
                identifiers=finds,
            )
            descriptions = written.descriptions
            self.reasons += written.stood_in.values()
        context.progress.advanced(len(descriptions))
        return descriptions


def _tree(
    context: Context, facet: Facet, centroids: Vectors, sizes: NDArray[np.float64]
) -> tuple[list[NDArray[np.int32]], list[list[Description]], dict[str, Any]]:
    """Parents by level, descriptions by level from the leaves up, and what was repaired."""
    settings, leaves = context.settings, _leaf_descriptions(context.directory, facet.name)
    describe = _Parents(context, facet, centroids, sizes)
    if settings.model_for_titles is None:
        parents = build(centroids, sizes, seed=settings.seed).parents
        descriptions = [leaves]
        for level in range(1, len(parents) + 1):
            descriptions.append(describe(descriptions[-1], parents[:level]))
        return parents, descriptions, {}
    found = build_by_model(
        leaves,
        centroids,
        sizes,
        asker=context.models.asker(settings.model_for_titles),
        key=context.models.key(),
        embed=context.embedder.embed,
        describe=describe,
        seed=settings.seed,
        language=settings.language,
        identifiers=finds,
    )
    details = {"repairs": dict(found.repairs), **stood_in(describe.reasons)}
    return found.parents, [leaves, *found.names], details


def _build(context: Context, facet: Facet, first: int) -> Report:
    """Make and describe the tree of one facet; ids of inner nodes begin with number `first`."""
    directory, name = context.directory, facet.name
    centroids: Vectors = np.load(leaf_centroids_file(directory, name))
    leaves = len(centroids)
    parents, descriptions, details = _tree(
        context, facet, centroids, leaf_sizes(directory, name, leaves)
    )

    ids = [[leaf_id(context, name, i) for i in range(leaves)]]
    for written in descriptions[1:]:
        ids.append([context.cluster_id(name, first + i) for i in range(len(written))])
        first += len(written)
    tables = []
    firm = np.load(leaf_stability_file(directory, name))
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
    files.write_table(built_file(directory, name), nodes)
    return Report(
        rows_in=leaves,
        rows_out=nodes.num_rows,
        details={"nodes_by_level": [len(level) for level in descriptions], **details},
    )


def _run(context: Context) -> Report:
    reports, given = {}, 0
    for facet in answered_facets(context):
        first = context.directory.state.next_cluster_number + given
        report = reports[facet.name] = _build(context, facet, first)
        given += report.rows_out - report.rows_in
    return facets_report(reports, cluster_numbers=given)


_PATHS = """
CREATE TEMP VIEW paths AS
WITH RECURSIVE up AS (
    SELECT cluster_id AS leaf, coalesce("into", cluster_id) AS cluster_id, parent_id
    FROM nodes WHERE level = 0
    UNION ALL
    SELECT up.leaf, nodes.cluster_id, nodes.parent_id
    FROM up JOIN nodes ON nodes.cluster_id = up.parent_id
)
SELECT leaf, cluster_id FROM up
"""


def register_paths(sql: Any, directory: RunDirectory, facet: str) -> None:
    """Make the views ``nodes`` and ``paths`` of a facet.

    ``paths`` leads from a leaf to itself, or to the one it was merged into, and to each ancestor.
    """
    files.register(sql, "nodes", nodes_file(directory, facet))
    sql.execute(_PATHS)


HIERARCHY = Stage(
    name="hierarchy",
    run=_run,
    outputs=lambda d: facet_outputs(d, "built.parquet"),
    depends=lambda c: {
        "seed": c.settings.seed,
        "writer": writer(c),
        "word_accounts": c.settings.thresholds().word_accounts,
    },
    version=5,
    total=lambda _: (None, "clusters"),
)
