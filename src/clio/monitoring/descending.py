"""Many tests in a tree: what is declared changed, and where it is named.

Families are the children of one parent. Benjamini and Hochberg's step-up decides within a family;
its members' own children are looked at only where a parent is declared (Yekutieli, *JASA* 103,
2008: false discoveries over the whole tree are at most 2.88 times the family's level). A parent's
p value is Simes's of its own count and of its children's, so that opposite moves under it are not
lost (Bogomolov et al., *Biometrika* 108, 2021).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from scipy.stats import false_discovery_control

from clio.monitoring.activity import Bools, Floats, Ints, Tree

DECLARED_RATE: Final = 0.05
"""Share of false ones among the changes that are named, over the whole tree."""

FAMILY_RATE: Final = 0.017
"""Level within a family that keeps `DECLARED_RATE` over the tree."""

_MOST: Final = 2 / 3


def simes(p: Floats) -> float:
    """Simes's p value of several."""
    return float(np.min(false_discovery_control(p))) if len(p) else 1.0


def _from_the_leaves(tree: Tree, p: Floats) -> Floats:
    combined = p.copy()
    depth = np.zeros(tree.nodes, dtype=np.int64)
    at = tree.parent.copy()
    while (at >= 0).any():
        depth += at >= 0
        at = np.where(at >= 0, tree.parent[at], -1)
    inner = np.unique(tree.parent[tree.parent >= 0])
    for node in inner[np.argsort(-depth[inner], kind="stable")]:
        below = simes(combined[tree.children(int(node))])
        combined[node] = simes(np.array([p[node], below]))
    return combined


def declared(tree: Tree, p: Floats) -> tuple[Bools, Floats]:
    """Which nodes are declared changed, and how sure that is.

    Parameters
    ----------
    tree
        Of the nodes.
    p
        Of each node's own test, shape ``(nodes,)``.

    Returns
    -------
    changed : Bools
        Shape ``(nodes,)``; a node only where all above it are.
    q : Floats
        Shape ``(nodes,)``: on the scale of `DECLARED_RATE`; 1 for what was not looked at.
    """
    combined = _from_the_leaves(tree, p)
    changed, q = np.zeros(tree.nodes, dtype=bool), np.ones(tree.nodes)
    waiting = [(-1, 0.0)]
    while waiting:
        above, least = waiting.pop()
        family = tree.children(above)
        if not len(family):
            continue
        adjusted = false_discovery_control(np.clip(combined[family], 0.0, 1.0))
        q[family] = np.minimum(np.maximum(adjusted * (DECLARED_RATE / FAMILY_RATE), least), 1.0)
        found = family[adjusted <= FAMILY_RATE]
        changed[found] = True
        waiting += [(int(node), float(q[node])) for node in found]
    return changed, q


def named(
    tree: Tree,
    changed: Bools,
    direction: Ints,
    size: Floats,
    remains: Callable[[int, Sequence[int]], bool],
) -> list[int]:
    """Where changes are named: each once, at the level that fits.

    A node is named where none below it changed, where what it has besides its changed children
    moved the same way, or where two or more of them that moved the same way are most of it. Else
    its children are.

    Parameters
    ----------
    tree
        Of the nodes.
    changed
        Which ones did, shape ``(nodes,)``.
    direction
        1 for more and -1 for less, shape ``(nodes,)``.
    size
        How large each node is, shape ``(nodes,)``.
    remains
        Whether a node without some of its children still moves as the node does.
    """
    chosen: list[int] = []
    above = tree.parent
    waiting = [int(n) for n in np.flatnonzero(changed) if above[n] < 0 or not changed[above[n]]]
    while waiting:
        node = waiting.pop(0)
        below = [int(n) for n in tree.children(node) if changed[n]]
        same = [n for n in below if direction[n] == direction[node]]
        most = len(same) >= 2 and size[same].sum() > _MOST * size[node]
        if not below or (len(same) == len(below) and (most or remains(node, below))):
            chosen.append(node)
        else:
            waiting += below
    return sorted(chosen)
