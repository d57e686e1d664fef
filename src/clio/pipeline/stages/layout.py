"""Nodes get places on a map, and conversations are counted on a grid around their leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from clio.layout import density_cells, place, scatter
from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import (
    Context,
    Report,
    Stage,
    answered_facets,
    distinct_texts,
    facet_outputs,
    facets_report,
)
from clio.pipeline.stages.cluster import leaf_centroids_file, text_leaves_file
from clio.pipeline.stages.embed import vector_parts
from clio.pipeline.stages.hierarchy import built_parents, leaf_sizes


def places_file(directory: RunDirectory, facet: str) -> Path:
    """``level``, ``index``, ``x``, ``y`` of every node but the root."""
    return directory.work / facet / "places.parquet"


def text_cells_file(directory: RunDirectory, facet: str) -> Path:
    """``text`` (its number), ``cell_x``, ``cell_y``."""
    return directory.work / facet / "text_cells.parquet"


def _place(context: Context, facet: str) -> Report:
    directory = context.directory
    centroids = np.load(leaf_centroids_file(directory, facet))
    sizes = leaf_sizes(directory, facet, len(centroids))
    positions = place(centroids, built_parents(directory, facet), sizes, seed=context.settings.seed)
    files.write_table(
        places_file(directory, facet),
        pa.table(
            {
                "level": pa.array(
                    np.repeat(np.arange(len(positions)), [len(p) for p in positions]), pa.int32()
                ),
                "index": pa.array(
                    np.concatenate([np.arange(len(p)) for p in positions]), pa.int32()
                ),
                "x": pa.array(np.concatenate([p[:, 0] for p in positions]), pa.float32()),
                "y": pa.array(np.concatenate([p[:, 1] for p in positions]), pa.float32()),
            }
        ),
    )
    leaves = np.load(text_leaves_file(directory, facet))
    tables, start = [], 0
    for vectors in vector_parts(directory, facet):
        labels = leaves[start : start + len(vectors)]
        numbers = np.arange(start, start + len(vectors))
        start += len(vectors)
        cell_x, cell_y = density_cells(scatter(vectors, labels, centroids, positions[0]))
        tables.append(pa.table({"text": numbers, "cell_x": cell_x, "cell_y": cell_y}))
        context.progress.advanced(len(vectors))
    files.write_table(text_cells_file(directory, facet), pa.concat_tables(tables))
    return Report(rows_in=start, rows_out=start)


def _run(context: Context) -> Report:
    return facets_report({f.name: _place(context, f.name) for f in answered_facets(context)})


LAYOUT = Stage(
    name="layout",
    run=_run,
    outputs=lambda d: facet_outputs(d, "places.parquet", "text_cells.parquet"),
    depends=lambda c: {"seed": c.settings.seed},
    version=2,
    total=lambda c: (distinct_texts(c), "distinct texts"),
)
