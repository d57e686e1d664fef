"""What is particular to the ``static`` embedder: a text is the sum of its pieces."""

from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest

from clio.embedding import static
from clio.embedding.minilm import MiniLM


@pytest.fixture(scope="module")
def embedder() -> static.Static:
    return static.Static()


def test_the_order_of_words_does_not_matter(embedder: static.Static) -> None:
    one, other = embedder.embed(["book a flight to rome", "rome to flight a book"])
    assert one @ other >= 0.99999


def test_company_changes_no_byte(embedder: static.Static) -> None:
    texts = [f"text number {number} about flights" for number in range(300)]
    alone = np.concatenate([embedder.embed([text]) for text in texts[:20]])
    assert np.array_equal(alone, embedder.embed(texts)[:20])


def test_texts_lie_as_with_minilm(embedder: static.Static) -> None:
    texts = [
        *("how do i reset my password", "my laptop is slow", "write a poem about autumn"),
        *("cheap flights to lisbon", "hotels near the airport", "explain photosynthesis"),
        *("fix this python error", "what is a mortgage", "pay my credit card bill"),
        *("recipe for lentil soup", "bake sourdough bread", "plan a week of dinners"),
    ]
    fast, slow = (e.embed(texts) for e in (embedder, MiniLM()))
    upper = np.triu_indices(len(texts), 1)
    assert np.corrcoef((fast @ fast.T)[upper], (slow @ slow.T)[upper])[0, 1] > 0.6


def test_threads_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="threads"):
        static.Static(threads=0)


def test_provenance_names_the_table_that_ships() -> None:
    told = set(re.findall(r"[0-9a-f]{64}", (static.FOLDER / "PROVENANCE.md").read_text("utf-8")))
    assert hashlib.sha256((static.FOLDER / "table.npz").read_bytes()).hexdigest() in told
