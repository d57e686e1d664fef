"""The hierarchy by a language model, level by level (Clio paper, G.7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from clio.agglomeration import group_means
from clio.hierarchy.assigning import assign
from clio.hierarchy.levels import SMALLEST_WEIGHT, adopt_singles, group_nodes, level_sizes
from clio.hierarchy.nodes import Embed, Named, Nodes, nodes_of
from clio.hierarchy.proposing import Asking, bounds, deduplicate, propose
from clio.prompting import Asker

D = TypeVar("D", bound=Named)

Describe = Callable[[Sequence[D], Sequence[NDArray[np.int32]]], Sequence[D]]
"""From the descriptions of a level's nodes, and all parents up to and with theirs, to the
descriptions of these parents."""

LEAST_FOLLOWED: Final = 0.5
"""A level of which the model placed a smaller share is built offline instead."""


@dataclass(frozen=True, slots=True)
class ModelHierarchy(Generic[D]):
    """Who belongs to whom, what they are called, and what was not the model's doing.

    Attributes
    ----------
    parents
        As `clio.hierarchy.Hierarchy`.
    names
        ``names[l][j]`` describes node j of level l + 1.
    repairs
        Over all levels: ``levels`` that were built offline; ``proposals`` and
        ``deduplications``, calls that failed; ``placed``, nodes that the model gave no name from
        the list; ``adopted``, groups of one that joined another; ``split``, groups that were
        halved because there were too few.
    """

    parents: list[NDArray[np.int32]]
    names: list[list[D]]
    repairs: Mapping[str, int]


def build_by_model(
    descriptions: Sequence[D],
    centroids: NDArray[np.float32],
    sizes: NDArray[np.float64],
    *,
    asker: Asker,
    key: bytes,
    embed: Embed,
    describe: Describe[D],
    n_top: int = 10,
    seed: int = 0,
    language: str = "English",
    identifiers: Callable[[str], bool] | None = None,
) -> ModelHierarchy[D]:
    """Group leaves into levels up to about `n_top` parts that a model finds and names.

    Each level's groups are proposed by neighbourhood, made distinct in one call, and every node is
    given to exactly one of them; then `describe` names the groups by their actual members. The
    model is never trusted: what it leaves out or gets wrong is repaired, and counted
    (`docs/naming.md`).

    Parameters
    ----------
    descriptions
        One a leaf.
    centroids, sizes
        As `clio.hierarchy.build`, for levels at which the model fails.
    asker
        Answers the prompts.
    key
        The run's secret key, for the prompts' codes.
    embed
        From texts to vectors.
    describe
        Names the groups of a level; see `Describe`.
    n_top
        Nodes wanted at the top.
    seed
        Of the order in which names are shown.
    language
        Language of names, by its English name.
    identifiers
        Whether a text holds personal identifiers: then it is not accepted.

    Returns
    -------
    ModelHierarchy
        Each level holds half to one and a half times as many nodes as `level_sizes` says, as far
        as groups of two allow, and no node has a single child.

    Raises
    ------
    ValueError
        The lengths differ, `n_top` is under 1, or `describe` gives a wrong number of names.
    ClioError
        As `Asker.ask`.
    """
    if not len(descriptions) == len(centroids) == len(sizes):
        raise ValueError("descriptions, centroids and sizes differ in length")
    if n_top < 1:
        raise ValueError("n_top must be at least 1")
    asking = Asking(asker, key, language, identifiers, embed)
    repairs = dict.fromkeys(
        ("levels", "proposals", "deduplications", "placed", "adopted", "split"), 0
    )
    below, points = list(descriptions), centroids.astype(np.float32)
    weights = np.maximum(sizes.astype(np.float64), SMALLEST_WEIGHT)
    parents: list[NDArray[np.int32]] = []
    names: list[list[D]] = []
    for level, wanted in enumerate(level_sizes(len(centroids), n_top), start=1):
        if wanted >= len(below):
            continue
        nodes = nodes_of(below, weights, embed)
        found = _group(nodes, wanted, asking, repairs, seed=[seed, level])
        if found is None:
            repairs["levels"] += 1
            found = group_nodes(points, weights, wanted)
        up = _split(nodes, found, bounds(wanted)[0])
        repairs["split"] += int(up.max()) - int(found.max())
        parents.append(up)
        weights, means = group_means(points, weights, up)
        points = means.astype(np.float32)
        below = list(describe(below, parents))
        if len(below) != len(points):
            raise ValueError("describe gives a wrong number of names")
        names.append(below)
    return ModelHierarchy(parents, names, repairs)


def _group(
    nodes: Nodes, wanted: int, asking: Asking, repairs: dict[str, int], *, seed: list[int]
) -> NDArray[np.int32] | None:
    """The model's groups; nothing where it hardly did anything."""
    names, neighbourhoods, failed = propose(nodes, wanted, asking)
    repairs["proposals"] += failed
    if failed == neighbourhoods:
        return None
    if neighbourhoods > 1:
        names, failed = deduplicate(names, wanted, asking)
        repairs["deduplications"] += failed
    chosen, placed = assign(nodes, names, asking, seed=seed)
    repairs["placed"] += placed
    if len(chosen) - placed < LEAST_FOLLOWED * len(chosen):
        return None
    members = np.bincount(chosen, minlength=len(names))
    shared, alone = np.flatnonzero(members > 1), np.flatnonzero(members[chosen] == 1)
    if len(alone) and len(shared) >= bounds(wanted)[0]:
        # The model knows better than distances which of the other names is the next best.
        again, placed = assign(
            nodes.some(alone), [names[name] for name in shared], asking, seed=[*seed, 1]
        )
        chosen[alone] = shared[again]
        repairs["placed"] += placed
    _, groups = np.unique(chosen, return_inverse=True)
    up = adopt_singles(nodes.vectors, nodes.weights, groups.astype(np.int64))
    repairs["adopted"] += int(np.count_nonzero(members)) - 1 - int(up.max())
    return up


def _split(nodes: Nodes, up: NDArray[np.int32], fewest: int) -> NDArray[np.int32]:
    """Halve the groups of most nodes until there are enough, as far as groups of two allow."""
    up = up.copy()
    while 1 + int(up.max()) < fewest:
        members = np.bincount(up)
        largest = int(members.argmax())
        if members[largest] < 4:
            break
        own = np.flatnonzero(up == largest)
        halves = group_nodes(nodes.vectors[own], nodes.weights[own], 2)
        if halves.max() == 0:
            rank = np.argsort(np.argsort(nodes.order)[own])
            halves = (rank >= len(own) // 2).astype(np.int32)
        up[own[halves == 1]] = len(members)
    return up
