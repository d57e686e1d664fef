"""Distinct texts become unit vectors, in shards of fixed members and order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import (
    Context,
    Report,
    Stage,
    answered_facets,
    distinct_texts,
    facet_outputs,
)
from clio.pipeline.stages.texts import texts_file


def vectors_folder(directory: RunDirectory, facet: str) -> Path:
    """Unit vectors as ``float16``, one file a shard of texts."""
    return directory.work / facet / "vectors"


def vector_parts(directory: RunDirectory, facet: str) -> Iterator[NDArray[np.float32]]:
    """Unit vectors shard by shard, ``(m, dimension)``, rows of length one."""
    for part in files.parts(vectors_folder(directory, facet)):
        vectors = np.load(part, allow_pickle=False).astype(np.float32)
        yield vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def first_vectors(directory: RunDirectory, facet: str, count: int) -> NDArray[np.float32]:
    """The first `count` vectors: a random sample, since texts lie in random order."""
    taken: list[NDArray[np.float32]] = []
    missing = count
    for vectors in vector_parts(directory, facet):
        taken.append(vectors[:missing])
        missing -= len(taken[-1])
        if missing <= 0:
            break
    return np.concatenate(taken)


@dataclass(frozen=True)
class _Task:
    texts: list[str]
    target: Path


def _tasks(context: Context) -> Iterator[_Task]:
    directory = context.directory
    for facet in answered_facets(context):
        file = pq.ParquetFile(texts_file(directory, facet.name))
        batches = file.iter_batches(context.settings.shard_rows, columns=["text"])
        for index, batch in enumerate(batches):
            target = vectors_folder(directory, facet.name) / files.part_name(index, ".npy")
            yield _Task(batch.column(0).to_pylist(), target)


def _run(context: Context) -> Report:
    embedder = context.embedder

    def embed(task: _Task) -> int:
        if not task.target.is_file():
            vectors = embedder.embed(task.texts)
            files.write_array(task.target, vectors.astype(np.float16))
        return len(task.texts)

    for count in context.engine.map(embed, _tasks(context)):
        context.progress.advanced(count)
    total = distinct_texts(context)
    return Report(
        rows_in=total,
        rows_out=total,
        details={"embedder": embedder.name, "dimension": embedder.dimension},
    )


EMBED = Stage(
    name="embed",
    run=_run,
    outputs=lambda d: facet_outputs(d, "vectors"),
    depends=lambda c: {
        "embedder": [c.embedder.name, c.embedder.version],
        "shard_rows": c.settings.shard_rows,
    },
    total=lambda c: (distinct_texts(c), "distinct texts"),
)
