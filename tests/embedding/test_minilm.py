"""What is particular to the ``minilm`` embedder: it is the published model.

``minilm_reference.npz`` holds texts and their vectors, computed in float64 NumPy from the
published weights (layer by layer, no ONNX) and rounded to float32.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from clio.embedding import minilm

HERE = Path(__file__).parent
CLINC = HERE.parents[1] / "../shared/data/clinc150.jsonl.gz"
MODEL = Path(minilm.__file__).parent / "models" / "minilm"


@pytest.fixture(scope="module")
def embedder() -> minilm.MiniLM:
    return minilm.MiniLM()


def test_vectors_agree_with_the_published_weights(embedder: minilm.MiniLM) -> None:
    with np.load(HERE / "minilm_reference.npz") as reference:
        texts, expected = reference["texts"].tolist(), reference["vectors"]
    cosines = np.sum(embedder.embed(texts) * expected, axis=1)
    assert cosines.mean() >= 0.99
    # A lone emoji among these has .977; the lowest of 22,500 requests of CLINC150 had .956.
    assert cosines.min() >= 0.95


def test_a_text_is_read_up_to_256_word_pieces(embedder: minilm.MiniLM) -> None:
    start = "word " * 254
    vectors = embedder.embed([start, start + "password " * 300, "word " * 250 + "password " * 4])
    assert vectors[0] @ vectors[1] >= 0.9995
    assert vectors[0] @ vectors[2] < 0.999


def test_case_does_not_matter(embedder: minilm.MiniLM) -> None:
    upper, lower = embedder.embed(["BOOK A FLIGHT", "book a flight"])
    assert np.array_equal(upper, lower)


def test_the_version_is_that_of_the_files(embedder: minilm.MiniLM) -> None:
    files = (MODEL / "model.onnx").read_bytes() + (MODEL / "tokenizer.json").read_bytes()
    assert hashlib.sha256(files).hexdigest().startswith(embedder.version)


def test_provenance_names_the_files_that_ship() -> None:
    told = set(re.findall(r"[0-9a-f]{64}", (MODEL / "PROVENANCE.md").read_text("utf-8")))
    for name in ("model.onnx", "tokenizer.json"):
        assert hashlib.sha256((MODEL / name).read_bytes()).hexdigest() in told


def test_threads_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="threads"):
        minilm.MiniLM(threads=0)


def test_real_requests_of_one_intent_lie_together(embedder: minilm.MiniLM) -> None:
    if not CLINC.is_file():
        pytest.skip("the folder shared/data beside the checkout is absent")
    with gzip.open(CLINC, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for _, line in zip(range(22_500), lines, strict=False)][::30]
    vectors = embedder.embed([row["messages"][0]["content"] for row in rows])
    intents = np.array([row["labels"]["intent"] for row in rows])
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -1)
    assert np.mean(intents[similarity.argmax(axis=1)] == intents) > 0.7
