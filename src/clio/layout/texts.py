"""Texts around their leaf, and the cells of the density map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

_REACH = 0.75
"""Texts at a right angle to their centroid lie so many spacings away from it."""

_WIDEST = 2.0
"""A lonely leaf's spacing is at most so many times the median one."""


def scatter(
    vectors: NDArray[np.float32],
    labels: NDArray[np.int32],
    centroids: NDArray[np.float32],
    positions: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Place each text around its leaf.

    The distance from the leaf grows with the cosine distance from the centroid and is scaled to
    the space around the leaf; the direction is that of the text's residual, seen through the
    linear map that best carries centroids to their places. So a text leans towards the leaves it
    resembles.

    Parameters
    ----------
    vectors
        (n, d) float32 unit rows.
    labels
        (n,) int32, the leaf of each text.
    centroids
        (k, d) float32 unit rows.
    positions
        (k, 2) float32 in [0, 1], the leaves' places.

    Returns
    -------
    (n, 2) float32 in [0, 1]. A text's place depends on its own row and on the leaves alone.
    """
    axes = _axes(centroids, positions)
    spacing = _spacing(positions)
    own = centroids[labels]
    cosine = np.einsum("ij,ij->i", vectors, own)
    # Column by column: a product with the whole block might round a row by the block it is in.
    residual = vectors - cosine[:, None] * own
    direction = np.stack([np.einsum("ij,j->i", residual, axis) for axis in axes], axis=1)
    length = np.sqrt(np.einsum("ij,ij->i", direction, direction))
    unit = np.divide(
        direction, length[:, None], out=np.zeros_like(direction), where=length[:, None] > 0
    )
    radius = _REACH * spacing[labels] * np.sqrt(np.clip(1.0 - cosine, 0.0, 1.0))
    places = np.clip(positions[labels] + radius[:, None] * unit, 0.0, 1.0)
    return np.asarray(places, np.float32)


def _axes(
    centroids: NDArray[np.float32], positions: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """Two directions of the vectors' space that mean "right" and "up" on the map.

    They are the columns of the ridge regression of places on centroids, each of length one.
    """
    d = centroids.shape[1]
    x = centroids.astype(np.float64) - centroids.mean(axis=0, dtype=np.float64)
    y = positions.astype(np.float64) - positions.mean(axis=0, dtype=np.float64)
    gram = x.T @ x
    ridge = max(float(np.trace(gram)) / d, 1e-12)
    solution = np.linalg.solve(gram + ridge * np.eye(d), x.T @ y)
    axes = []
    for column in range(2):
        axis = solution[:, column]
        norm = float(np.linalg.norm(axis))
        if norm == 0.0:
            axis = np.eye(1, d, column % d)[0]
            norm = 1.0
        axes.append((axis / norm).astype(np.float32))
    return axes


def _spacing(positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distance from each leaf to its nearest other leaf, bounded by the median."""
    if len(positions) == 1:
        return np.full(1, 0.5, np.float32)
    distance = KDTree(positions).query(positions, k=2)[0][:, 1]
    return np.asarray(np.minimum(distance, _WIDEST * np.median(distance)), np.float32)


def density_cells(
    points: NDArray[np.float32], *, grid: int = 64
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Cell of a square grid that each point lies in.

    Parameters
    ----------
    points
        (n, 2) in [0, 1]; points outside count to the cell at the border.
    grid
        Cells a side.

    Returns
    -------
    cell_x, cell_y
        (n,) int32 from 0 to ``grid - 1``.

    Raises
    ------
    ValueError
        `grid` is under 1.
    """
    if grid < 1:
        raise ValueError("a grid has at least one cell a side")
    cells = np.clip(np.floor(points * grid), 0, grid - 1).astype(np.int32)
    return cells[:, 0], cells[:, 1]
