"""The texts nearest to each leaf that are not in it, which its name has to be told apart from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.cluster import leaf_centroids_file, text_leaves_file
from clio.pipeline.stages.embed import vector_parts
from clio.pipeline.stages.samples import Sample
from clio.pipeline.stages.texts import members_file, texts_file
from clio.settings import Thresholds

OUTSIDERS = 50
"""Shown beside as many members (Clio paper, G.5)."""

NEAR_LEAVES = 10
"""A leaf's outsiders are looked for among the texts of so many leaves around it."""

_SPARE = 4
"""Texts kept for each one wanted, because accounts repeat."""

_PAIRS = 1 << 14
"""Similarities computed at once: 25 MB of gathered rows at 384 dimensions."""

_HELD = 1 << 21
"""Candidates held before the best are picked out."""


def sample_outsiders(
    directory: RunDirectory, facet: str, *, thresholds: Thresholds, per_leaf: int = OUTSIDERS
) -> Sample:
    """Up to `per_leaf` texts outside each leaf, the nearest first, of distinct accounts.

    Where one account may make up a whole cluster, each conversation stands for itself, as in
    `clio.pipeline.stages.samples.sample_members`.
    """
    members = files.read_table(
        members_file(directory, facet), columns=["account", "text", "language"]
    )
    _, row = np.unique(members["text"].to_numpy(), return_index=True)
    account = members["account"].to_numpy()[row] if thresholds.top1_share < 1.0 else row
    leaf, text = nearest_outsiders(
        vector_parts(directory, facet),
        np.load(text_leaves_file(directory, facet)),
        np.load(leaf_centroids_file(directory, facet)),
        account,
        per_leaf=per_leaf,
    )
    texts = files.read_table(texts_file(directory, facet), columns=["text"])["text"]
    languages = members["language"].take(pa.array(row[text])).to_pylist()
    return Sample(
        texts=texts.take(pa.array(text)).to_pylist(),
        group=leaf,
        account=account[text].astype(np.int32),
        language=[value or "unknown" for value in languages],
    )


def nearest_outsiders(
    parts: Iterable[NDArray[np.float32]],
    leaf_of_text: NDArray[np.int32],
    centroids: NDArray[np.float32],
    account_of_text: NDArray[np.integer],
    *,
    per_leaf: int = OUTSIDERS,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The texts nearest to each leaf's centroid that belong to one of the leaves around it.

    Every text is compared with the `NEAR_LEAVES` leaves that have its own leaf among the nearest,
    part by part: time grows with the texts alone, and what is held with the leaves.

    Parameters
    ----------
    parts
        Unit vectors of all texts in order, (m, d) float32 each.
    leaf_of_text
        (n,) int32.
    centroids
        (k, d) float32 unit rows, the leaves.
    account_of_text
        (n,) integers: an account that wrote the text; only equality matters.
    per_leaf
        Texts wanted for each leaf.

    Returns
    -------
    leaf
        (m,) int32, ascending.
    text
        (m,) int64, within a leaf the nearest first; no account twice in a leaf.
    """
    starts, hosts = _hosts(centroids)
    keep = _SPARE * per_leaf
    floor = np.full(len(centroids), -np.inf, dtype=np.float32)
    held: list[tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]] = []
    first = waiting = 0
    for vectors in parts:
        own = leaf_of_text[first : first + len(vectors)]
        counts = starts[own + 1] - starts[own]
        ends = np.cumsum(counts)
        cuts = np.searchsorted(ends, np.arange(_PAIRS, ends[-1], _PAIRS))
        for rows in np.split(np.arange(len(vectors)), cuts):
            row = np.repeat(rows, counts[rows])
            within = np.arange(len(row)) - np.repeat(
                np.cumsum(counts[rows]) - counts[rows], counts[rows]
            )
            host = hosts[starts[own[row]] + within]
            near = np.einsum("ij,ij->i", vectors[row], centroids[host])
            better = near > floor[host]
            held.append((host[better], first + row[better], near[better]))
            waiting += int(np.count_nonzero(better))
            if waiting > _HELD:
                held = [_best(held, keep, floor)]
                waiting = len(held[0][0])
        first += len(vectors)
    leaf, text, _ = _best(held, keep, floor)
    return _distinct(leaf, text, account_of_text[text], per_leaf)


def _hosts(
    centroids: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """For each leaf those that have it among their nearest, as rows of a sparse matrix.

    Returns
    -------
    starts
        (k + 1,) int64, where each leaf's hosts begin.
    hosts
        (h,) int32.
    """
    k = len(centroids)
    count = min(NEAR_LEAVES, k - 1)
    near = np.empty((k, count), dtype=np.int32)
    for start in range(0, k, 512):
        block = centroids[start : start + 512] @ centroids.T
        block[np.arange(len(block)), np.arange(start, start + len(block))] = -np.inf
        near[start : start + 512] = np.argsort(-block, axis=1, kind="stable")[:, :count]
    host = np.repeat(np.arange(k, dtype=np.int32), count)
    guest = near.ravel()
    starts = np.concatenate([[0], np.cumsum(np.bincount(guest, minlength=k))])
    return starts, host[np.argsort(guest, kind="stable")]


def _best(
    held: list[tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]],
    keep: int,
    floor: NDArray[np.float32],
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]:
    """The `keep` nearest texts of each leaf, in order; raises the floor that others must pass."""
    if not held:
        return np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.float32)
    leaf, text, near = (np.concatenate(column) for column in zip(*held, strict=True))
    order = np.lexsort((text, -near, leaf))
    rank = _rank(leaf[order])
    order = order[rank < keep]
    rank = rank[rank < keep]
    full = order[rank == keep - 1]
    floor[leaf[full]] = near[full]
    return leaf[order], text[order], near[order]


def _rank(group: NDArray[np.integer]) -> NDArray[np.int64]:
    """Place of each row within its group, of rows sorted by group."""
    return np.arange(len(group)) - np.searchsorted(group, group)


def _distinct(
    leaf: NDArray[np.int32],
    text: NDArray[np.int64],
    account: NDArray[np.integer],
    per_leaf: int,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The first text of each account in each leaf, and of these the first `per_leaf`."""
    order = np.lexsort((np.arange(len(leaf)), account, leaf))
    again = np.zeros(len(leaf), dtype=bool)
    again[1:] = (leaf[order][1:] == leaf[order][:-1]) & (account[order][1:] == account[order][:-1])
    first = np.sort(order[~again])
    first = first[_rank(leaf[first]) < per_leaf]
    return leaf[first], text[first]
