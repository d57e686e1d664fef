"""Search by meaning: titles and the query as vectors of one embedder."""

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

_APART: Final = 2.0
"""So many standard deviations nearer than clusters are in the mean; embedders differ in scale."""


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
    def _titles(self) -> tuple[list[Cluster], NDArray[np.float32]]:
        clusters = [
            cluster
            for facet in self._release.facets
            for cluster in self._release.walk(facet=facet)
            if not cluster.is_root
        ]
        return clusters, self._embed([cluster.title for cluster in clusters])

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
            clusters, vectors = self._titles
        if not clusters:
            return []
        near = vectors @ self._embed([words])[0]
        line = near.mean() + _APART * near.std()
        order = np.argsort(-near, kind="stable")
        found = [clusters[i] for i in order.tolist() if near[i] > line]
        return [c for c in found if facet is None or c.facet == facet][:MOST]
