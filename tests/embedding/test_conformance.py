"""What every embedder promises, checked for all that are registered."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.embedding import EMBEDDERS, Embedder, load_embedder
from clio.errors import SettingsError

SAME = 0.9995

TEXTS = [
    "",
    " ",
    "hi",
    "reset my bank password please",
    "How do I reset the password of my online banking account?",
    "Ich möchte meinen Flug nach Berlin umbuchen.",
    "請用三句話介紹台北。",
    "สวัสดีครับ ช่วยแปลประโยคนี้หน่อย",
    "🙂👍🏽 thanks!!",
    "1234567890 " * 7,
    "def merge(a, b):\n\treturn sorted(a + b)",
    "WHY IS MY ORDER LATE??? " * 5,
    "Please keep it in British English, avoid quotations and end with a clear thesis. " * 9,
    "The committee met to review the budget, the staffing plan and the repairs. " * 60,
]

CORPUS = [f"{text} {number}" for number in range(12) for text in TEXTS]


@cache
def loaded(name: str) -> Embedder:
    return load_embedder(name)


@cache
def alone(name: str) -> np.ndarray:
    return np.concatenate([loaded(name).embed([text]) for text in TEXTS])


@pytest.fixture(params=list(EMBEDDERS))
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return loaded(request.param)


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sum(a.astype(np.float64) * b, axis=1)


def test_name_version_and_dimension_describe_it(embedder: Embedder) -> None:
    assert EMBEDDERS[embedder.name]
    assert re.fullmatch(r"\S+", embedder.version)
    assert embedder.embed(["a"]).shape == (1, embedder.dimension)


def test_rows_are_float32_of_unit_length(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    vectors = embedder.embed([])
    assert vectors.dtype == np.float32
    assert vectors.shape == (0, embedder.dimension)


def test_the_same_call_gives_the_same_bytes(embedder: Embedder) -> None:
    first = embedder.embed(CORPUS)
    assert np.array_equal(first, embedder.embed(CORPUS))
    assert np.array_equal(first, load_embedder(embedder.name).embed(CORPUS))


def test_threads_do_not_change_a_byte(embedder: Embedder) -> None:
    one, three = (load_embedder(embedder.name, threads=n).embed(CORPUS) for n in (1, 3))
    assert np.array_equal(one, three)


def test_a_text_alone_has_the_vector_it_has_in_company(embedder: Embedder) -> None:
    together = embedder.embed([*TEXTS, *CORPUS])[: len(TEXTS)]
    assert cosines(alone(embedder.name), together).min() >= SAME


@pytest.mark.parametrize("name", list(EMBEDDERS))
@settings(max_examples=15, deadline=None, derandomize=True)
@given(members=st.lists(st.integers(0, len(TEXTS) - 1), min_size=1, max_size=12))
def test_any_batch_in_any_order_gives_each_text_its_vector(name: str, members: list[int]) -> None:
    vectors = loaded(name).embed([TEXTS[i] for i in members])
    assert cosines(alone(name)[members], vectors).min() >= SAME


@pytest.mark.parametrize("name", list(EMBEDDERS))
@settings(max_examples=40, deadline=None, derandomize=True)
@given(text=st.text(st.characters(codec=None), max_size=300))
def test_any_string_has_a_unit_vector(name: str, text: str) -> None:
    vectors = loaded(name).embed([text])
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("text", ["\x00", "a\ud800b", "\n" * 50, "x" * 100_000, "ab " * 700_000])
def test_odd_texts_have_a_unit_vector(embedder: Embedder, text: str) -> None:
    vectors = embedder.embed(["before", text, "after"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert cosines(vectors[:1], embedder.embed(["before"])).min() >= SAME


def test_like_texts_lie_nearer_than_unlike_ones(embedder: Embedder) -> None:
    password, same, flight = embedder.embed(
        ["I forgot my password", "how can I reset my password", "book a flight to Rome"]
    )
    assert password @ same > password @ flight + 0.2


def test_nothing_is_printed() -> None:
    code = (
        "from clio.embedding import EMBEDDERS, load_embedder\n"
        "for name in EMBEDDERS: load_embedder(name).embed(['', 'a', 'b c'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="minilm"):
        load_embedder("word2vec")
