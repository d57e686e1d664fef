"""How many accounts used the words that writers propose: evidence for the gate's wording rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.describing import families, free_phrases
from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.hierarchy import (
    group_at_level,
    leaf_targets,
    nodes_file,
    parent_arrays,
)
from clio.pipeline.stages.read import conversations_folder
from clio.pipeline.stages.samples import COUNTED_A_GROUP, sample_members
from clio.privacy.families import Family, family_occurrences, wanted_families
from clio.privacy.titles import Support
from clio.privacy.wording import (
    content_tokens,
    count_tokens,
    count_windows,
    token_occurrences,
    window_occurrences,
    windows,
)
from clio.settings import Thresholds


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


def token_support(directory: RunDirectory, facet: str, thresholds: Thresholds) -> pa.Table:
    """``cluster_id``, ``token``, ``accounts``: who used a node's words within the node.

    Of one facet's tree. Its answers are the words of an account, and where a model gave them its
    other answers in words too.
    """
    proposed = _proposed(directory, facet).to_pylist()
    parents = parent_arrays(directory, facet)
    targets = leaf_targets(directory, facet)
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
            group_at_level(parents, len(targets), level) if level else targets,
            thresholds=thresholds,
            per_group=COUNTED_A_GROUP,
        )
        occurrences = token_occurrences(
            sample.said(),
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


def reasons_against(
    directory: RunDirectory, facet: str, cluster_id: str, title: str, thresholds: Thresholds
) -> list[str]:
    """Why the wording gate would not let a title through for a cluster; empty where it would.

    Parameters
    ----------
    directory
        The run; its nodes stand.
    facet, cluster_id
        Which cluster, merged ones left out.
    title
        What somebody thinks of.
    thresholds
        Of the run.

    Returns
    -------
    list of str
        As `clio.privacy.wording.check` gives them; they quote nothing.
    """
    nodes = files.read_table(nodes_file(directory, facet), ["cluster_id", "level", "index"])
    at = nodes["cluster_id"].to_pylist().index(cluster_id)
    level, index = (nodes[name][at].as_py() for name in ("level", "index"))
    group = targets = leaf_targets(directory, facet)
    if level:
        group = group_at_level(parent_arrays(directory, facet), len(targets), level)
    broad = wanted_families([title], shipped_families())
    sample = sample_members(
        directory,
        facet,
        np.where(group == index, 0, 1).astype(np.int32),
        thresholds=thresholds,
        per_group=COUNTED_A_GROUP,
    )
    occurrences = token_occurrences(
        sample.said(),
        sample.group.astype(np.int64),
        sample.account.astype(np.int64),
        [set(content_tokens(title)).union(*broad.values()), set()],
        None if sample.origin is None else sample.origin.view(np.int64),
    )
    both = pa.concat_tables([occurrences, family_occurrences(occurrences, [broad, {}])])
    tokens = {row["token"]: row["accounts"] for row in count_tokens(both).to_pylist()}
    needed = set(windows(title))
    written = _written(directory, needed) if needed else {}
    shipped = free_phrases(everything=not thresholds.publishable)
    support = Support({cluster_id: tokens}, written, thresholds, shipped, shipped_families())
    return support.reasons(cluster_id, title)


def _written(directory: RunDirectory, wanted: Collection[str]) -> dict[str, int]:
    """Accounts by window, over all messages of all conversations."""
    found = [window_occurrences(texts, who, wanted) for texts, who in _messages(directory)]
    return count_windows(pa.concat_tables(found), wanted)


def window_support(directory: RunDirectory, facets: Iterable[str]) -> pa.Table:
    """``window``, ``accounts``: who wrote five words in a row of a title or summary, anywhere."""
    wanted = {
        window
        for facet in facets
        for row in _proposed(directory, facet).to_pylist()
        for text in _texts_of(row)
        for window in windows(text)
    }
    counts = _written(directory, wanted)
    return pa.table(
        {
            "window": pa.array(list(counts), pa.string()),
            "accounts": pa.array(list(counts.values()), pa.int64()),
        }
    )
