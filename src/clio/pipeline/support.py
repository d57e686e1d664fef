"""How many accounts used the words that writers propose: evidence for the gate's wording rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.describing import families
from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.cluster import leaf_centroids_file
from clio.pipeline.stages.hierarchy import group_at_level, nodes_file, parent_arrays
from clio.pipeline.stages.read import conversations_folder
from clio.pipeline.stages.samples import Sample, sample_members
from clio.privacy.families import Family, family_occurrences, wanted_families
from clio.privacy.wording import (
    content_tokens,
    count_tokens,
    count_windows,
    token_occurrences,
    window_occurrences,
    windows,
)
from clio.settings import Thresholds

MEMBERS_A_GROUP = 1000
"""Counting a sample can only count too few, which errs on the safe side."""


@cache
def shipped_families() -> dict[str, Family]:
    """Phrases of the writers that families of words support, for the gate."""
    return {phrase: Family(family.words, family.sensitive) for phrase, family in families().items()}


def _proposed(directory: RunDirectory, facet: str) -> pa.Table:
    return files.read_table(
        nodes_file(directory, facet),
        columns=["level", "cluster_id", "title", "summary", "fallback_titles"],
    )


def _texts_of(row: dict[str, Any]) -> list[str]:
    return [row["title"], row["summary"], *row["fallback_titles"]]


def _said(sample: Sample) -> list[str]:
    """What counts as an account's words: its text, and where a model wrote it all its answers."""
    if sample.also is None:
        return sample.texts
    return [f"{text} / {also}" for text, also in zip(sample.texts, sample.also, strict=True)]


def token_support(directory: RunDirectory, facet: str, thresholds: Thresholds) -> pa.Table:
    """``cluster_id``, ``token``, ``accounts``: who used a node's words within the node.

    Of one facet's tree. Its answers are the words of an account, and where a model gave them its
    other answers in words too.
    """
    proposed = _proposed(directory, facet).to_pylist()
    parents = parent_arrays(directory, facet)
    leaves = len(np.load(leaf_centroids_file(directory, facet), mmap_mode="r"))
    tables = []
    for level in range(len(parents) + 1):
        nodes = [row for row in proposed if row["level"] == level]
        broad = [wanted_families(_texts_of(row), shipped_families()) for row in nodes]
        wanted = [
            {t for text in _texts_of(row) for t in content_tokens(text)}.union(*of.values())
            for row, of in zip(nodes, broad, strict=True)
        ]
        sample = sample_members(
            directory,
            facet,
            group_at_level(parents, leaves, level),
            thresholds=thresholds,
            per_group=MEMBERS_A_GROUP,
        )
        occurrences = token_occurrences(
            _said(sample),
            sample.group.astype(np.int64),
            sample.account.astype(np.int64),
            wanted,
            None if sample.origin is None else sample.origin.view(np.int64),
        )
        counted = count_tokens(
            pa.concat_tables([occurrences, family_occurrences(occurrences, broad)])
        )
        ids = pa.array([row["cluster_id"] for row in nodes], pa.string())
        tables.append(
            pa.table(
                {
                    "cluster_id": ids.take(counted["cluster"]),
                    "token": counted["token"],
                    "accounts": counted["accounts"],
                }
            )
        )
    return pa.concat_tables(tables)


def _messages(directory: RunDirectory) -> Iterator[tuple[list[str], NDArray[np.int64]]]:
    """Every message of every conversation, with a code of the account, shard by shard."""
    folder = conversations_folder(directory)
    names = files.read_table(folder, columns=["account"])["account"].unique()
    for part in files.parts(folder):
        table = files.read_table(part, columns=["account", "messages"])
        codes = pa.compute.index_in(table["account"], value_set=names).to_numpy()
        messages = table["messages"].combine_chunks()
        contents = messages.flatten().field("content").to_pylist()
        yield contents, np.repeat(codes, messages.value_lengths().to_numpy()).astype(np.int64)


def window_support(directory: RunDirectory, facets: Iterable[str]) -> pa.Table:
    """``window``, ``accounts``: who wrote five words in a row of a title or summary, anywhere."""
    wanted = {
        window
        for facet in facets
        for row in _proposed(directory, facet).to_pylist()
        for text in _texts_of(row)
        for window in windows(text)
    }
    found = [window_occurrences(texts, who, wanted) for texts, who in _messages(directory)]
    counts = count_windows(pa.concat_tables(found), wanted)
    return pa.table(
        {
            "window": pa.array(list(counts), pa.string()),
            "accounts": pa.array(list(counts.values()), pa.int64()),
        }
    )
