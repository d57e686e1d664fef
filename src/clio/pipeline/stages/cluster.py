"""Vectors become base clusters; every conversation is assigned to one leaf."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_array

from clio.clustering import assign, fit, initial_k, merge_small, stability, training_size
from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import (
    Context,
    Report,
    Stage,
    answered_facets,
    distinct_texts,
    facet_details,
    facet_outputs,
    facets_report,
)
from clio.pipeline.stages.embed import first_vectors, vector_parts
from clio.pipeline.stages.texts import members_file, texts_file


def base_centroids_file(directory: RunDirectory, facet: str) -> Path:
    """Centroids of the base clusters, ``(k, dimension)``: what new vectors are compared with."""
    return directory.work / facet / "base_centroids.npy"


def leaf_of_base_file(directory: RunDirectory, facet: str) -> Path:
    """Leaf of each base cluster, ``(k,)``: small ones were merged into others."""
    return directory.work / facet / "leaf_of_base.npy"


def leaf_centroids_file(directory: RunDirectory, facet: str) -> Path:
    """Unit mean of each leaf's members, ``(leaves, dimension)``."""
    return directory.work / facet / "leaf_centroids.npy"


def leaf_stability_file(directory: RunDirectory, facet: str) -> Path:
    """Stability of each leaf, ``(leaves,)``."""
    return directory.work / facet / "leaf_stability.npy"


def text_leaves_file(directory: RunDirectory, facet: str) -> Path:
    """Leaf of each distinct text, ``(texts,)``."""
    return directory.work / facet / "text_leaves.npy"


def assignments_folder(directory: RunDirectory) -> Path:
    """The contract's table: one row an assigned conversation and clustered facet."""
    return directory.private / "assignments.parquet"


def leaf_id(context: Context, facet: str, leaf: int) -> str:
    """Public id of a leaf; numbers go on where the run's last ones ended."""
    first = int(facet_details(context.directory, "cluster", facet)["first_number"])
    return context.cluster_id(facet, first + leaf)


def _by_size(leaves: NDArray[np.int32], of_conversation: NDArray[np.int32]) -> NDArray[np.int32]:
    """Renumber leaves so that the largest comes first, ties in the old order."""
    sizes = np.bincount(leaves[of_conversation], minlength=int(leaves.max()) + 1)
    rank = np.empty(len(sizes), dtype=np.int32)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes), dtype=np.int32)
    return rank[leaves]


def _leaf_centroids(
    directory: RunDirectory,
    facet: str,
    leaves: NDArray[np.int32],
    weights: NDArray[np.float32],
) -> NDArray[np.float32]:
    count, start = int(leaves.max()) + 1, 0
    sums: NDArray[np.float64] = np.zeros((count, 1))
    for vectors in vector_parts(directory, facet):
        rows = np.arange(len(vectors))
        part = slice(start, start + len(vectors))
        summing = csr_array((weights[part], (leaves[part], rows)), shape=(count, len(vectors)))
        sums = sums + summing @ vectors
        start += len(vectors)
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), dtype=np.float32)


def _cluster(context: Context, facet: str, first_number: int) -> tuple[Report, pa.Table]:
    """Group the answers to one facet; its rows of the table of assignments."""
    directory, settings = context.directory, context.settings
    thresholds = settings.thresholds()
    weights = (
        files.read_table(texts_file(directory, facet), columns=["weight"])["weight"]
        .to_numpy()
        .astype(np.float32)
    )
    members = files.read_table(
        members_file(directory, facet), columns=["conversation_id", "account", "text"]
    )
    accounts = members["account"].to_numpy().astype(np.int32)
    text_of = members["text"].to_numpy()
    conversations = len(text_of)

    wanted = settings.base_clusters or initial_k(conversations)
    sample = first_vectors(directory, facet, training_size(wanted))
    base = fit(
        sample,
        weights[: len(sample)],
        n_conversations=conversations,
        k=settings.base_clusters,
        min_accounts=thresholds.accounts,
        min_conversations=thresholds.conversations,
        seed=settings.seed,
    )
    labels, distances = [], []
    for vectors in vector_parts(directory, facet):
        nearest, distance = assign(vectors, base.centroids)
        labels.append(nearest)
        distances.append(distance)
        context.progress.advanced(len(vectors))
    base_of_text = np.concatenate(labels)
    leaf_of_base = merge_small(
        base.centroids,
        base_of_text[text_of],
        accounts,
        min_accounts=thresholds.accounts,
        min_conversations=thresholds.conversations,
    )
    leaf_of_base = _by_size(leaf_of_base, base_of_text[text_of])
    leaves = leaf_of_base[base_of_text]

    ids = pa.array(
        [context.cluster_id(facet, first_number + i) for i in range(int(leaves.max()) + 1)]
    )
    assignments = pa.table(
        {
            "conversation_id": members["conversation_id"],
            "facet": pa.repeat(facet, conversations),
            "cluster_id": ids.take(pa.array(leaves[text_of])),
            "distance": pa.array(np.concatenate(distances)[text_of], type=pa.float32()),
        }
    )
    files.write_array(base_centroids_file(directory, facet), base.centroids)
    files.write_array(leaf_of_base_file(directory, facet), leaf_of_base)
    files.write_array(text_leaves_file(directory, facet), leaves.astype(np.int32))
    files.write_array(
        leaf_centroids_file(directory, facet), _leaf_centroids(directory, facet, leaves, weights)
    )
    firm = stability(sample, weights[: len(sample)], leaves[: len(sample)], seed=settings.seed)
    files.write_array(
        leaf_stability_file(directory, facet),
        np.concatenate([firm, np.full(int(leaves.max()) + 1 - len(firm), np.nan)]),
    )
    sizes = np.bincount(leaves[text_of])
    report = Report(
        rows_in=conversations,
        rows_out=conversations,
        details={
            "base_clusters": len(base.centroids),
            "leaves": len(sizes),
            "leaf_sizes": {
                "smallest": int(sizes.min()),
                "median": float(np.median(sizes)),
                "largest": int(sizes.max()),
            },
            "first_number": first_number,
            **{name: round(value, 6) for name, value in base.quality.items()},
        },
    )
    return report, assignments


def _run(context: Context) -> Report:
    reports, tables, given = {}, [], 0
    for facet in answered_facets(context):
        first = context.directory.state.next_cluster_number + given
        reports[facet.name], assignments = _cluster(context, facet.name, first)
        given += reports[facet.name].details["leaves"]
        tables.append(assignments)
    files.write_table(assignments_folder(context.directory), pa.concat_tables(tables))
    return facets_report(reports, cluster_numbers=given)


CLUSTER = Stage(
    name="cluster",
    run=_run,
    outputs=lambda d: [
        *facet_outputs(
            d,
            "base_centroids.npy",
            "leaf_of_base.npy",
            "text_leaves.npy",
            "leaf_centroids.npy",
            "leaf_stability.npy",
        ),
        assignments_folder(d),
    ],
    depends=lambda c: {
        "seed": c.settings.seed,
        "base_clusters": c.settings.base_clusters,
        "accounts": c.settings.thresholds().accounts,
        "conversations": c.settings.thresholds().conversations,
    },
    version=3,
    total=lambda c: (distinct_texts(c), "distinct texts"),
)
