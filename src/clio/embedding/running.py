"""Batches of token ids through an ONNX graph: the same bytes with any number of threads.

Shared by the embedders that are transformers: each brings a tokenizer and a graph.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Feed = Callable[[Ids, Ids], dict[str, NDArray[np.generic]]]
"""From token ids and mask, (n, length) each, to the graph's inputs by name."""

MAX_CHARACTERS = 10_000
"""Characters read of a text. What fits an embedder is an eighth of this in English; the bound
only keeps the tokenizer from reading megabytes to throw them away."""

_BATCH_TOKENS = 384
"""Tokens in a batch, padding included. Activations of this many stay in a core's L2 cache: twice
as many cost a tenth of the speed, five times as many a quarter."""


def readable(text: str) -> str:
    """The part of a text that is read; lone surrogates, which UTF-8 has no form for, become ?."""
    text = text[:MAX_CHARACTERS]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


class Runner:
    """Runs a graph over texts of any number and length.

    Batches run side by side, each on one thread: their composition, and so every byte of the
    result, is the same for any number of threads.

    Parameters
    ----------
    graph
        A serialised ONNX model whose only output is (n, dimension) float32 unit rows.
    feed
        Makes the graph's inputs from ids and mask.
    dimension
        Length of a vector.
    threads
        Batches computed at a time; default: the number of cores this process may use.

    Raises
    ------
    ValueError
        ``threads`` is below 1.
    """

    def __init__(self, graph: bytes, feed: Feed, dimension: int, threads: int | None) -> None:
        if threads is not None and threads < 1:
            raise ValueError("threads must be at least 1")
        self._threads = threads or _available_cores()
        self._feed = feed
        self._dimension = dimension
        self._session = ort.InferenceSession(
            graph, _session_options(), providers=["CPUExecutionProvider"]
        )

    def run(self, tokens: list[list[int]]) -> NDArray[np.float32]:
        """Vectors of texts given as token ids, none of them empty: (n, dimension) float32."""
        vectors = np.empty((len(tokens), self._dimension), dtype=np.float32)

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
        (vectors,) = self._session.run(None, self._feed(ids, mask))
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
