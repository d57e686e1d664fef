"""all-MiniLM-L6-v2 (English, 384 dimensions) as an int8 ONNX graph that ships with the package.

The graph quantises activations with one scale a token, so that a vector is a function of its text
alone; ``models/minilm/PROVENANCE.md`` says how it was made and how it compares.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from clio.embedding.running import Runner, readable

_FOLDER = Path(__file__).parent / "models" / "minilm"

_MAX_TOKENS = 256
"""Word pieces read of a text, [CLS] and [SEP] among them: the published model's limit."""


class MiniLM:
    """The ``minilm`` embedder.

    Parameters
    ----------
    threads
        Batches computed at a time; default: the number of cores this process may use.
    model
        Another ONNX file with the same inputs and output; default: the one that ships.

    Raises
    ------
    ValueError
        ``threads`` is below 1.
    """

    name = "minilm"
    dimension = 384

    def __init__(self, threads: int | None = None, model: Path | None = None) -> None:
        graph = (model or _FOLDER / "model.onnx").read_bytes()
        vocabulary = (_FOLDER / "tokenizer.json").read_bytes()
        self.version = hashlib.sha256(graph + vocabulary).hexdigest()[:16]
        self._tokenizer = Tokenizer.from_buffer(vocabulary)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._runner = Runner(
            graph,
            lambda ids, mask: {"input_ids": ids, "attention_mask": mask},
            self.dimension,
            threads,
        )

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts; see `Embedder.embed`.

        A text is read up to 256 word pieces. An empty one has the vector of "[CLS] [SEP]".

        Returns
        -------
        (n, 384) float32, rows of unit length in the order of ``texts``.
        """
        encoded = self._tokenizer.encode_batch_fast([readable(text) for text in texts])
        return self._runner.run([encoding.ids for encoding in encoded])
