"""Exact t-SNE (van der Maaten and Hinton 2008) as matrix products.

For the few hundred nodes of a map. scikit-learn's exact gradient loops over the points in Python,
its Barnes-Hut one adds in the order in which threads finish; this one is ten times as fast as
the former and gives the same bytes each time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_EXAGGERATION = 4.0
"""As in the original paper; with 12 small maps were thrown about and ended in worse minima."""

_SLOWEST_RATE = 5.0
_EXAGGERATED_STEPS = 150
_STEPS = 600
_EARLY_MOMENTUM = 0.5
_MOMENTUM = 0.8
_BISECTIONS = 50
_SMALLEST = 1e-12


def tsne(
    points: NDArray[np.float64], start: NDArray[np.float64], *, perplexity: float
) -> NDArray[np.float64]:
    """Coordinates in the plane that keep neighbourhoods.

    Parameters
    ----------
    points
        (n, d) float64.
    start
        (n, 2) float64, scaled here to a tiny spread. Nothing is left to chance, and a start by
        principal components keeps the coarse arrangement (Kobak and Berens 2019).
    perplexity
        Number of neighbours that count, under n.

    Returns
    -------
    (n, 2) float64.
    """
    n = len(points)
    affinity = _affinities(_squared_distances(points), perplexity)
    place = start / max(float(start.std()), _SMALLEST) * 1e-4
    # Belkina et al. 2019: a rate of n / exaggeration, a quarter of it as the gradient holds the 4.
    rate = max(n / _EXAGGERATION / 4.0, _SLOWEST_RATE)
    velocity = np.zeros_like(place)
    gain = np.ones_like(place)
    for step in range(_STEPS):
        early = step < _EXAGGERATED_STEPS
        kernel = 1.0 / (1.0 + _squared_distances(place))
        np.fill_diagonal(kernel, 0.0)
        pull = (affinity * _EXAGGERATION if early else affinity) - kernel / kernel.sum()
        pull *= kernel
        gradient = 4.0 * (pull.sum(axis=1)[:, None] * place - pull @ place)
        gain = np.where(gradient * velocity < 0.0, gain + 0.2, gain * 0.8)
        np.maximum(gain, 0.01, out=gain)
        velocity *= _EARLY_MOMENTUM if early else _MOMENTUM
        velocity -= rate * gain * gradient
        place = place + velocity
        place -= place.mean(axis=0)
    return place


def _squared_distances(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared Euclidean distances of all pairs, not under 0."""
    squares = np.einsum("ij,ij->i", points, points)
    distance = squares[:, None] + squares[None, :] - 2.0 * (points @ points.T)
    return np.asarray(np.maximum(distance, 0.0))


def _affinities(distance: NDArray[np.float64], perplexity: float) -> NDArray[np.float64]:
    """Symmetric probabilities whose rows had the given perplexity, by bisection of all rows."""
    n = len(distance)
    # Scale and shift leave the probabilities' family unchanged and keep the exponent in range.
    away = distance + np.where(np.eye(n, dtype=bool), np.inf, 0.0)
    away = away - away.min(axis=1, keepdims=True)
    away /= max(float(np.median(away[np.isfinite(away)])), _SMALLEST)
    low = np.full((n, 1), -20.0)
    high = np.full((n, 1), 20.0)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        share = np.exp(-away * np.exp(middle))
        share /= share.sum(axis=1, keepdims=True)
        entropy = -(share * np.log(np.maximum(share, _SMALLEST))).sum(axis=1, keepdims=True)
        broad = entropy > np.log(perplexity)
        low = np.where(broad, middle, low)
        high = np.where(broad, high, middle)
    joint = (share + share.T) / (2.0 * n)
    return np.asarray(np.maximum(joint, _SMALLEST) * (1.0 - np.eye(n)))
