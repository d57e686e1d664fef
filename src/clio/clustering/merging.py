"""Clusters too small to be told merge into their nearest neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def merge_small(
    centroids: NDArray[np.float32],
    labels: NDArray[np.int32],
    accounts: NDArray[np.int32],
    *,
    min_accounts: int,
    min_conversations: int,
) -> NDArray[np.int32]:
    """Merge each cluster under a threshold into its nearest one, the smallest first.

    The size that decides is the share of the thresholds that a cluster reaches, the lower of the
    two; ties go to the cluster with fewer conversations, then to the lower index. After a merge the
    surviving centroid stands at the weighted mean. It ends when all clear the thresholds or one
    cluster is left.

    Parameters
    ----------
    centroids
        (k, d) float32 unit rows.
    labels
        (n,) int32, the cluster of each conversation.
    accounts
        (n,) int32, the account of each conversation; only equality matters.
    min_accounts, min_conversations
        Thresholds, at least 1 each.

    Returns
    -------
    (k,) int32, the surviving cluster of each old one, numbered from 0 in the order of the
    survivors' old indices.

    Raises
    ------
    ValueError
        `labels` and `accounts` differ in length.
    """
    if len(labels) != len(accounts):
        raise ValueError("labels and accounts differ in length")
    k = len(centroids)
    conversations = np.bincount(labels, minlength=k).astype(np.int64)
    members = _accounts_by_cluster(labels, accounts, k)
    distinct = np.array([len(m) for m in members], np.int64)
    position = centroids.astype(np.float64)
    alive = np.ones(k, bool)
    target = np.arange(k)
    while np.count_nonzero(alive) > 1:
        fill = np.minimum(distinct / min_accounts, conversations / min_conversations)
        small = np.flatnonzero(alive & (fill < 1.0))
        if len(small) == 0:
            break
        gone = small[np.lexsort((small, conversations[small], fill[small]))[0]]
        alive[gone] = False
        others = np.flatnonzero(alive)
        into = others[(position[others] @ position[gone]).argmax()]
        if conversations[gone] > 0:
            mean = conversations[into] * position[into] + conversations[gone] * position[gone]
            position[into] = mean / max(float(np.linalg.norm(mean)), 1e-12)
            members[into] = np.union1d(members[into], members[gone])
            distinct[into] = len(members[into])
            conversations[into] += conversations[gone]
        target[gone] = into
    for cluster in range(k):
        while target[cluster] != target[target[cluster]]:
            target[cluster] = target[target[cluster]]
    number = np.cumsum(alive) - 1
    return number[target].astype(np.int32)


def _accounts_by_cluster(
    labels: NDArray[np.int32], accounts: NDArray[np.int32], k: int
) -> list[NDArray[np.int32]]:
    """Distinct accounts of each cluster."""
    order = np.argsort(labels, kind="stable")
    edges = np.searchsorted(labels[order], np.arange(k + 1))
    return [np.unique(accounts[order[edges[c] : edges[c + 1]]]) for c in range(k)]
