"""Nodes get places on a map, and conversations are counted on a grid around their leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from clio.layout import density_cells, place, scatter
from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import Context, Report, Stage
from clio.pipeline.stages.cluster import leaf_centroids_file, text_leaves_file
from clio.pipeline.stages.embed import vector_parts
from clio.pipeline.stages.hierarchy import leaf_sizes, parent_arrays
from clio.pipeline.stages.texts import FACET


def places_file(directory: RunDirectory) -> Path:
    """``level``, ``index``, ``x``, ``y`` of every node but the root."""
    return directory.work / FACET.name / "places.parquet"


def text_cells_file(directory: RunDirectory) -> Path:
    """``text`` (its number), ``cell_x``, ``cell_y``."""
    return directory.work / FACET.name / "text_cells.parquet"


def _run(context: Context) -> Report:
    directory = context.directory
    centroids = np.load(leaf_centroids_file(directory))
    sizes = leaf_sizes(directory, len(centroids))
    positions = place(centroids, parent_arrays(directory), sizes, seed=context.settings.seed)
    files.write_table(
        places_file(directory),
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
    leaves = np.load(text_leaves_file(directory))
    tables, start = [], 0
    for vectors in vector_parts(directory):
        labels = leaves[start : start + len(vectors)]
        numbers = np.arange(start, start + len(vectors))
        start += len(vectors)
        cell_x, cell_y = density_cells(scatter(vectors, labels, centroids, positions[0]))
        tables.append(pa.table({"text": numbers, "cell_x": cell_x, "cell_y": cell_y}))
        context.progress.advanced(len(vectors))
    files.write_table(text_cells_file(directory), pa.concat_tables(tables))
    return Report(rows_in=start, rows_out=start)


LAYOUT = Stage(
    name="layout",
    run=_run,
    outputs=lambda d: [places_file(d), text_cells_file(d)],
    depends=lambda c: {"seed": c.settings.seed},
    total=lambda c: (
        c.directory.state.stages["texts"].details["distinct_texts"],
        "distinct texts",
    ),
)
