"""Places for the leaves of a hierarchy and for every level above them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.spatial import KDTree

from clio.agglomeration import group_means
from clio.layout.tsne import tsne

_EMBEDDED_AT_MOST = 500
"""Nodes that exact t-SNE places (quadratic: some seconds); more stand around their parents."""

_FEWEST_EMBEDDED = 6
"""Fewer points than this have no neighbourhoods to keep: their principal axes are the map."""

_PERPLEXITY = 20.0

_MARGIN = 0.04
_ELBOW_ROOM = 0.55
"""Leaves keep about this share of the mesh width they would have on a regular grid."""

_PUSHES = 40


def place(
    centroids: NDArray[np.float32],
    parents: list[NDArray[np.int32]],
    sizes: NDArray[np.float64],
    *,
    seed: int,
) -> list[NDArray[np.float32]]:
    """Places on the unit square for each level of a hierarchy.

    Up to some hundred leaves: exact t-SNE (van der Maaten and Hinton 2008) from a start by
    principal components (Kobak and Berens 2019), then leaves that overlap are pushed apart. More
    leaves: the lowest level that is small enough is placed so, and its descendants around it.
    Parents stand at the weighted mean of their children.

    Parameters
    ----------
    centroids
        (k, d) float32 unit rows, the leaves.
    parents
        As in ``Hierarchy.parents``: ``parents[l][i]`` is the node at level l + 1 above node i.
    sizes
        (k,) float64 positive, conversations of each leaf.
    seed
        Not used by this method, which draws nothing.

    Returns
    -------
    One (n_l, 2) float32 array in [0, 1] a level, leaves first.

    Raises
    ------
    ValueError
        The arrays' lengths do not fit one another.
    """
    del seed
    if len(sizes) != len(centroids) or (parents and len(parents[0]) != len(centroids)):
        raise ValueError("centroids, sizes and the first level of parents differ in length")
    points = [centroids.astype(np.float64)]
    weights = [sizes.astype(np.float64)]
    for up in parents:
        weight, mean = group_means(points[-1], weights[-1], up)
        points.append(mean)
        weights.append(weight)
    base = next(
        (level for level, nodes in enumerate(points) if len(nodes) <= _EMBEDDED_AT_MOST),
        len(points) - 1,
    )
    radii = _radii(parents, len(centroids))
    places = _apart(_embed(points[base]), radii[base])
    for level in range(base - 1, -1, -1):
        places = _around(points[level], parents[level], weights[level], places, radii[level + 1])
        places = _apart(places, radii[level])
    levels = [places.astype(np.float32)]
    for up, weight in zip(parents, weights, strict=False):
        places = group_means(places, weight, up)[1]
        levels.append(places.astype(np.float32))
    return levels


def _principal(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The two principal coordinates; signs fixed so that the largest entry is positive."""
    n, d = points.shape
    centred = points - points.mean(axis=0)
    if n <= d:
        value, vector = _leading(centred @ centred.T)
        flat = vector * np.sqrt(np.maximum(value, 0.0))
    else:
        flat = centred @ _leading(centred.T @ centred)[1]
    largest = np.abs(flat).argmax(axis=0)
    sign = np.where(flat[largest, [0, 1]] < 0, -1.0, 1.0)
    return np.asarray(flat * sign)


def _leading(gram: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The two largest eigenvalues, falling, and their vectors; zeros where there are fewer."""
    size = len(gram)
    value, vector = eigh(gram, subset_by_index=[max(0, size - 2), size - 1])
    missing = max(0, 2 - size)
    return (
        np.pad(value[::-1], (0, missing)),
        np.pad(vector[:, ::-1], ((0, 0), (0, missing))),
    )


def _embed(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places of a few hundred nodes on the unit square."""
    start = _principal(points)
    if not _FEWEST_EMBEDDED <= len(points) <= _EMBEDDED_AT_MOST:
        return _to_square(start)
    perplexity = min(_PERPLEXITY, (len(points) - 1) / 3.0)
    return _to_square(tsne(points, start, perplexity=perplexity))


def _to_square(flat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move and scale, both axes alike, into the unit square less a margin."""
    low, high = flat.min(axis=0), flat.max(axis=0)
    width = float((high - low).max())
    if width == 0.0:
        return np.full_like(flat, 0.5)
    return np.asarray(0.5 + (flat - (low + high) / 2) / width * (1.0 - 2.0 * _MARGIN))


def _radii(parents: list[NDArray[np.int32]], leaves: int) -> list[NDArray[np.float64]]:
    """Radius of each node's disc, level by level; its area is its share of the leaves."""
    below = np.ones(leaves)
    radii = [_radius(below)]
    for up in parents:
        below = np.bincount(up, below).astype(np.float64)
        radii.append(_radius(below))
    return radii


def _radius(below: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(_ELBOW_ROOM / 2.0 * np.sqrt(below / below.sum()))


def _around(
    points: NDArray[np.float64],
    up: NDArray[np.int32],
    weights: NDArray[np.float64],
    places: NDArray[np.float64],
    radii: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Places of children on the disc of their parent, seen along their own principal axes."""
    result = np.empty((len(points), 2))
    order = np.argsort(up, kind="stable")
    bounds = np.searchsorted(up[order], np.arange(len(places) + 1))
    for parent in range(len(places)):
        members = order[bounds[parent] : bounds[parent + 1]]
        if len(members) == 1:
            result[members] = places[parent]
            continue
        flat = _principal(points[members])
        reach = np.sqrt(np.einsum("ij,ij->i", flat, flat))
        # Ranks of the radius, square-rooted, fill a disc evenly.
        rank = np.argsort(np.argsort(reach, kind="stable"), kind="stable")
        radius = np.sqrt((rank + 0.5) / len(members)) * radii[parent]
        unit = np.divide(flat, reach[:, None], out=np.zeros_like(flat), where=reach[:, None] > 0)
        spot = radius[:, None] * unit
        share = weights[members] / weights[members].sum()
        result[members] = places[parent] + spot - share @ spot
    return np.clip(result, 0.0, 1.0)


def _apart(places: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """Push discs that overlap away from each other, a little at a time."""
    n = len(places)
    places = places.copy()
    for _ in range(_PUSHES):
        pairs = KDTree(places).query_pairs(2.0 * float(radii.max()), output_type="ndarray")
        pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
        left, right = pairs[:, 0], pairs[:, 1]
        gap = places[right] - places[left]
        distance = np.sqrt(np.einsum("ij,ij->i", gap, gap))
        overlap = radii[left] + radii[right] - distance
        if not (overlap > 0).any():
            break
        # Discs on one spot part in a direction that depends on their numbers alone.
        angle = 2.399963 * right
        fallback = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        away = np.where(distance[:, None] > 0, gap / np.maximum(distance, 1e-12)[:, None], fallback)
        push = away * (np.maximum(overlap, 0.0) / 2.0)[:, None]
        for axis in (0, 1):
            places[:, axis] += np.bincount(right, push[:, axis], n)
            places[:, axis] -= np.bincount(left, push[:, axis], n)
        np.clip(places, 0.0, 1.0, out=places)
    return places
