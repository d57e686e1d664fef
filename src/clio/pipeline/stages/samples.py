"""Samples of members for the stages that read texts of a group; one member an account."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.cluster import text_leaves_file
from clio.pipeline.stages.texts import members_file, texts_file
from clio.settings import Thresholds

MEMBERS_A_GROUP = 200

MIN_USERS = 3
"""A phrase that fewer used describes them, not their cluster, whatever the thresholds allow."""


COUNTED_A_GROUP = 1000
"""Members whose words are counted: of a sample there can only be too few, which is the safe side.
"""


@dataclass(frozen=True)
class Sample:
    """Members drawn for each group, flattened; see `sample_members`."""

    texts: list[str]
    group: NDArray[np.int32]
    account: NDArray[np.int32]
    language: list[str]
    origin: NDArray[np.uint64] | None = None
    also: list[str] | None = None

    def said(self) -> list[str]:
        """What counts as an account's words: its text, and where a model wrote it all answers."""
        if self.also is None:
            return self.texts
        return [f"{text} / {also}" for text, also in zip(self.texts, self.also, strict=True)]


def sample_members(
    directory: RunDirectory,
    facet: str,
    group_of_leaf: NDArray[np.int32],
    *,
    thresholds: Thresholds,
    per_group: int = MEMBERS_A_GROUP,
) -> Sample:
    """Up to `per_group` members of each group, of distinct accounts.

    Where one account may make up a whole cluster (the ``personal`` preset), each conversation
    stands for itself instead.

    Members lie in an order that is random but fixed by the seed, so the first of each account,
    and the first accounts of each group, are a random sample.

    Parameters
    ----------
    directory
        The run.
    facet
        Whose answers are the texts.
    group_of_leaf
        ``(leaves,)`` group of each leaf.
    thresholds
        Of the run.
    per_group
        At most so many members a group.
    """
    members = files.read_table(
        members_file(directory, facet), columns=["account", "text", "language", "origin", "also"]
    )
    text = members["text"].to_numpy()
    account = members["account"].to_numpy().astype(np.int64)
    if thresholds.top1_share >= 1.0:
        account = np.arange(len(account))
    group = group_of_leaf[np.load(text_leaves_file(directory, facet))[text]].astype(np.int64)
    pair = group * (int(account.max()) + 1) + account
    _, first_of_account = np.unique(pair, return_index=True)
    chosen = np.sort(first_of_account)
    order = chosen[np.argsort(group[chosen], kind="stable")]
    ordered = group[order]
    starts = np.searchsorted(ordered, np.arange(int(ordered.max()) + 1))
    rank = np.arange(len(order)) - starts[ordered]
    order = order[rank < per_group]
    texts = files.read_table(texts_file(directory, facet), columns=["text"])["text"]
    row = pa.array(order)
    by_model = not members["origin"].null_count
    return Sample(
        texts=texts.take(pa.array(text[order])).to_pylist(),
        group=group[order].astype(np.int32),
        account=account[order].astype(np.int32),
        language=[value or "unknown" for value in members["language"].take(row).to_pylist()],
        origin=members["origin"].take(row).to_numpy() if by_model else None,
        also=members["also"].take(row).to_pylist() if by_model else None,
    )
