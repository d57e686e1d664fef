"""Rebuild ``src/clio/embedding/models/static/table.npz`` from the MiniLM that ships.

    python scripts/build_static.py [--out FOLDER] [--sequences 120000]

A sum of word vectors is to come near to MiniLM's vector of a text. So MiniLM embeds each word piece
alone, and random sequences of 2 to 12 pieces, drawn by the root of Zipf's law over the vocabulary's
order: no corpus is needed, and none leaves its mark. The table is the ridge regression of the
sequences' vectors on their mean pieces that stays near the pieces' own vectors. It is
reduced to 256 principal components, a piece weighed by the root of the logarithm of its rank, and
rounded to int8 with a scale a row. Takes a few minutes on one core.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from clio.embedding.minilm import MiniLM
from clio.embedding.static import FOLDER, Static

_CLS, _SEP = 101, 102
_FIRST = 999
"""Pieces before this one are special or unused."""

_SPECIAL = 1e-3
"""What is left of special pieces."""

_RIDGE = 1.0
_TINY = 1e-12
"""Keeps a column without a residual from dividing by nothing."""

_STEPS = 15
"""Of conjugate gradients; enough for three digits."""


class Teacher(MiniLM):
    """MiniLM over word pieces instead of texts."""

    @property
    def pieces(self) -> int:
        """Size of the vocabulary."""
        return int(self._tokenizer.get_vocab_size())

    def vectors(self, pieces: list[list[int]]) -> NDArray[np.float32]:
        """(n, 384) vectors of sequences of pieces."""
        return self._runner.run([[_CLS, *of, _SEP] for of in pieces])


def fitted(
    own: NDArray[np.float32], means: sp.csr_matrix, targets: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Rows whose means come near to `targets`, near to `own` up to one scale.

    Conjugate gradients on the normal equations, all columns at once (Hestenes and Stiefel 1952).
    """
    guess = means @ own
    scaled = float((guess * targets).sum() / (guess * guess).sum()) * own
    residual = means.T @ (targets - means @ scaled)
    change, direction, square = np.zeros_like(own), residual.copy(), (residual**2).sum(axis=0)
    for _ in range(_STEPS):
        image = means.T @ (means @ direction) + _RIDGE * direction
        step = square / np.maximum((direction * image).sum(axis=0), _TINY)
        change += step * direction
        residual -= step * image
        before, square = square, (residual**2).sum(axis=0)
        direction = residual + square / np.maximum(before, _TINY) * direction
    return np.asarray(scaled + change, dtype=np.float32)


def main() -> None:
    """Build and write the table."""
    parser = argparse.ArgumentParser(description="Build the static embedder's table.")
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--sequences", type=int, default=120_000)
    arguments = parser.parse_args()
    teacher = Teacher()
    own = teacher.vectors([[piece] for piece in range(teacher.pieces)])

    random = np.random.default_rng(0)
    usable = np.arange(_FIRST, teacher.pieces)
    rank = np.maximum(np.arange(teacher.pieces) - _FIRST + 1, 1)
    share = 1 / np.sqrt(rank[_FIRST:])
    lengths = random.integers(2, 13, size=arguments.sequences)
    drawn = random.choice(usable, size=int(lengths.sum()), p=share / share.sum())
    ends = np.cumsum(lengths)
    targets = teacher.vectors([of.tolist() for of in np.split(drawn, ends[:-1])])
    means = sp.csr_matrix(
        (np.repeat((1 / lengths).astype(np.float32), lengths), drawn, np.concatenate([[0], ends])),
        shape=(arguments.sequences, teacher.pieces),
    )

    table = fitted(own - own.mean(axis=0), means, targets - targets.mean(axis=0))
    axes = np.linalg.svd(table[_FIRST:], full_matrices=False)[2][: Static.dimension]
    table = table @ axes.T * np.sqrt(np.log1p(rank))[:, None].astype(np.float32)
    # They stand in every text: next to nothing there, and all there is in an empty one.
    table[:_FIRST] *= _SPECIAL
    scales = (np.abs(table).max(axis=1) / 127).astype(np.float32)
    arguments.out.mkdir(parents=True, exist_ok=True)
    target = arguments.out / "table.npz"
    with target.open("wb") as file:
        np.savez(file, pieces=np.round(table / scales[:, None]).astype(np.int8), scales=scales)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    print(f"{digest}  {target.name}  {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
