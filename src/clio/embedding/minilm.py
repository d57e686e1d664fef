"""all-MiniLM-L6-v2 (English, 384 dimensions) as an int8 ONNX graph that ships with the package.

The graph quantises activations with one scale a token, so that a vector is a function of its text
alone; ``models/minilm/PROVENANCE.md`` says how it was made and how it compares.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

_FOLDER = Path(__file__).parent / "models" / "minilm"

_MAX_TOKENS = 256
"""Word pieces read of a text, [CLS] and [SEP] among them: the published model's limit."""

_MAX_CHARACTERS = 10_000
"""Characters read of a text. 256 word pieces of English are about 1,200; the bound only keeps
the tokenizer from reading megabytes to throw them away."""

_BATCH_TOKENS = 384
"""Tokens in a batch, padding included. Activations of this many stay in a core's L2 cache: twice
as many cost a tenth of the speed, five times as many a quarter."""


class MiniLM:
    """The ``minilm`` embedder.

    Batches run side by side, each on one thread: their composition, and so every byte of the
    result, is the same for any number of threads.

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
        if threads is not None and threads < 1:
            raise ValueError("threads must be at least 1")
        self._threads = threads or _available_cores()
        graph = (model or _FOLDER / "model.onnx").read_bytes()
        vocabulary = (_FOLDER / "tokenizer.json").read_bytes()
        self.version = hashlib.sha256(graph + vocabulary).hexdigest()[:16]
        self._tokenizer = Tokenizer.from_buffer(vocabulary)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._session = ort.InferenceSession(
            graph, _session_options(), providers=["CPUExecutionProvider"]
        )

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts; see `Embedder.embed`.

        A text is read up to 256 word pieces. An empty one has the vector of "[CLS] [SEP]".

        Returns
        -------
        (n, 384) float32, rows of unit length in the order of ``texts``.
        """
        encoded = self._tokenizer.encode_batch_fast([_clean(text) for text in texts])
        tokens = [encoding.ids for encoding in encoded]
        vectors = np.empty((len(tokens), self.dimension), dtype=np.float32)

        def run(batch: NDArray[np.intp]) -> None:
            vectors[batch] = self._forward([tokens[i] for i in batch])

        batches = list(_batches([len(ids) for ids in tokens]))
        if self._threads == 1 or len(batches) == 1:
            for batch in batches:
                run(batch)
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                for _ in pool.map(run, batches):
                    pass
        return vectors

    def _forward(self, tokens: list[list[int]]) -> NDArray[np.float32]:
        ids = np.zeros((len(tokens), max(map(len, tokens))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, text in enumerate(tokens):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        (vectors,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        result: NDArray[np.float32] = vectors
        return result


def _batches(lengths: list[int]) -> Iterator[NDArray[np.intp]]:
    """Indices of texts of like length, longest first, within the token budget of a batch."""
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    start = 0
    while start < len(order):
        size = max(1, _BATCH_TOKENS // lengths[order[start]])
        yield order[start : start + size]
        start += size


def _clean(text: str) -> str:
    """The part of a text that is read; lone surrogates, which UTF-8 has no form for, become ?."""
    text = text[:_MAX_CHARACTERS]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _session_options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.use_deterministic_compute = True
    return options


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
