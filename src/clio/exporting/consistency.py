"""Noised counts made to agree: sums up the tree, whole numbers, none below zero.

All of it works on what is noised already, so it costs no privacy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Indices = NDArray[np.intp]


def fitted(parent: Indices, measured: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Least squares over a tree whose nodes are the sums of their children.

    The two passes of Hay, Rastogi, Miklau and Suciu (*Boosting the accuracy of differentially
    private histograms through consistency*, PVLDB 2010, §4), for trees of any shape and noise of
    any size: from the leaves up each node's own measurement is averaged with the sum of its
    children's, by inverse variance; from the root down each family is made to add up, the less
    certain children giving more.

    Parameters
    ----------
    parent
        ``(nodes,)`` index of each node's parent, below its own in order; -1 for the root.
    measured
        ``(nodes,)`` noised counts; ignored where the variance is infinite.
    variance
        ``(nodes,)`` of the noise, positive; infinite for a node that was not measured. Nodes
        without children are measured.

    Returns
    -------
    counts : NDArray[np.float64]
        ``(nodes,)`` unbiased counts that add up.
    spread : NDArray[np.float64]
        ``(nodes,)`` variance of each as it and what is below it were measured.
    """
    nodes = len(parent)
    value, spread = measured.astype(np.float64), variance.astype(np.float64)
    below, below_spread = np.zeros(nodes), np.zeros(nodes)
    for node in range(nodes - 1, -1, -1):
        if below_spread[node] > 0.0:
            own = 1.0 / spread[node]  # zero where it was not measured
            sums = 1.0 / below_spread[node]
            known = value[node] * own if own > 0.0 else 0.0
            value[node] = (known + below[node] * sums) / (own + sums)
            spread[node] = 1.0 / (own + sums)
        if node:
            below[parent[node]] += value[node]
            below_spread[parent[node]] += spread[node]
    for node in range(1, nodes):
        above = parent[node]
        value[node] += (value[above] - below[above]) * spread[node] / below_spread[above]
    return value, spread


def whole_parts(total: int, parts: Floats, variance: Floats) -> Ints:
    """Non-negative whole numbers that add up to `total` and are near `parts`.

    First the nearest non-negative reals by least squares, weighted by inverse variance; then the
    largest remainders are rounded up.

    Parameters
    ----------
    total
        Not negative.
    parts, variance
        ``(parts,)``, at least one; variances positive.
    """
    # At the optimum a part is max(0, part + λ · variance), so those with the least -part/variance
    # stay above zero, and as many as λ reaches.
    order = np.argsort(-parts / variance, kind="stable")
    rate = (total - np.cumsum(parts[order])) / np.cumsum(variance[order])
    reached = np.flatnonzero(rate > (-parts / variance)[order])
    shift = rate[reached[-1]] if len(reached) else -np.inf
    real = np.maximum(0.0, parts + shift * variance) if total else np.zeros(len(parts))
    whole = np.floor(real).astype(np.int64)
    short = total - int(whole.sum())
    # Sums of floats can be off by a hair: then it is a few more, or a few less, than remainders.
    nearest = np.lexsort((np.arange(len(parts)), whole - real))
    while short > 0:
        raised = nearest[:short]
        whole[raised] += 1
        short -= len(raised)
    while short < 0:
        lowered = nearest[::-1][whole[nearest[::-1]] > 0][:-short]
        whole[lowered] -= 1
        short += len(lowered)
    return whole


def counted(parent: Indices, measured: Floats, variance: Floats) -> Ints:
    """Whole, non-negative counts of a tree that add up: `fitted`, then `whole_parts` downwards.

    Parameters
    ----------
    parent, measured, variance
        As of `fitted`.
    """
    real, spread = fitted(parent, measured, variance)
    counts = np.zeros(len(parent), dtype=np.int64)
    counts[0] = max(0, round(float(real[0])))
    order = np.argsort(parent, kind="stable")
    edges = np.searchsorted(parent[order], np.arange(len(parent) + 1))
    for node in range(len(parent)):
        children = order[edges[node] : edges[node + 1]]
        if len(children):
            counts[children] = whole_parts(int(counts[node]), real[children], spread[children])
    return counts
