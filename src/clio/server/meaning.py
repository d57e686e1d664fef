"""Search by meaning: titles and the query as vectors of one embedder.

What all titles have in common is taken off first: embedders differ in how near unrelated texts are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clio.release.read import Cluster, Release

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""From texts to unit vectors, one a row."""

MOST: Final = 12
"""At most so many are near in meaning."""

_NEAR: Final = 0.3
"""Cosine from which on a title is near. With MiniLM on clusters of CLINC150 words without meaning
stay under 0.27, and what a person would take for an answer lies above 0.39."""


class Meaning:
    """Finds clusters whose titles mean something like a query.

    Titles are embedded when somebody first searches.

    Parameters
    ----------
    release
        Whose clusters.
    embed
        The embedder.
    """

    def __init__(self, release: Release, embed: Embed) -> None:
        self._release = release
        self._embed = embed
        self._lock = Lock()

    @cached_property
    def _titles(self) -> tuple[list[Cluster], NDArray[np.float32], NDArray[np.float32]]:
        """Clusters, the mean of their vectors, and what distinguishes each from it."""
        clusters = [
            cluster
            for facet in self._release.facets
            for cluster in self._release.walk(facet=facet)
            if not cluster.is_root
        ]
        vectors = self._embed([cluster.title for cluster in clusters])
        middle = vectors.mean(axis=0, keepdims=True) if len(vectors) else vectors
        return clusters, middle, _unit(vectors - middle)

    def search(self, words: str, facet: str | None) -> list[Cluster]:
        """The nearest clusters, the nearest first.

        Parameters
        ----------
        words
            What is searched for, in words of any kind.
        facet
            Search this facet only; by default all.
        """
        if not words.strip() or not self._release.facets:
            return []
        with self._lock:
            clusters, middle, vectors = self._titles
        if not clusters:
            return []
        near = vectors @ _unit(self._embed([words]) - middle)[0]
        order = np.argsort(-near, kind="stable")
        found = [clusters[i] for i in order.tolist() if near[i] >= _NEAR]
        return [c for c in found if facet is None or c.facet == facet][:MOST]


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = vectors / np.maximum(norms, 1e-9)
    return scaled
