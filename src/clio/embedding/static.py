"""A vector for each word piece, added up: for a first look at very many texts.

No transformer runs. The table (256 dimensions, int8) was fitted once so that sums of its rows
come near to MiniLM's vectors; ``models/static/PROVENANCE.md`` says how and what is lost. It knows
English alone, and neither the order of words nor what a word means beside another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from clio.embedding.running import readable

FOLDER = Path(__file__).parent / "models" / "static"
_TOKENIZER = FOLDER.with_name("minilm") / "tokenizer.json"

_MAX_TOKENS = 256
"""As many as ``minilm`` reads."""

_ROWS = 4096
"""Texts added up at a time; bounds memory."""


class Static:
    """The ``static`` embedder.

    Parameters
    ----------
    threads
        Taken as all embedders take it; sums need no threads of their own.

    Raises
    ------
    ValueError
        ``threads`` is below 1.
    """

    name = "static"
    dimension = 256

    def __init__(self, threads: int | None = None) -> None:
        if threads is not None and threads < 1:
            raise ValueError("threads must be at least 1")
        with np.load(FOLDER / "table.npz") as table:
            self._table = table["pieces"] * table["scales"][:, None]
        vocabulary = _TOKENIZER.read_bytes()
        self.version = hashlib.sha256(self._table.tobytes() + vocabulary).hexdigest()[:16]
        self._tokenizer = Tokenizer.from_buffer(vocabulary)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MAX_TOKENS)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts; see `Embedder.embed`.

        A text is read up to 256 word pieces. An empty one has the vector of "[CLS] [SEP]".

        Returns
        -------
        (n, 256) float32, rows of unit length in the order of ``texts``.
        """
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), _ROWS):
            batch = [readable(text) for text in texts[start : start + _ROWS]]
            pieces = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(batch)]
            first = np.cumsum([0, *map(len, pieces[:-1])])
            rows = self._table[np.concatenate(pieces)]
            # Rows of one text are added in order, whatever stands beside it.
            vectors[start : start + len(batch)] = np.add.reduceat(rows, first, axis=0)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors
