"""Small groups of requests, and an embedder that needs no model."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clio.describing import Members

DIMENSION = 4096


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Hashed words: texts with common words are close."""
    vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
    for row, text in enumerate(texts):
        for word in text.lower().split():
            if len(word) > 2:  # function words bring nothing together
                vectors[row, zlib.crc32(word.strip(".,?!").encode()) % DIMENSION] += 1.0
    vectors[:, 0] += 0.01
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def members(groups: Sequence[Sequence[str]], language: str = "en") -> Members:
    """Every text by an account of its own."""
    texts = [text for group in groups for text in group]
    codes = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return Members(
        texts,
        codes.astype(np.int32),
        np.arange(len(texts), dtype=np.int32),
        [language] * len(texts),
    )


def centroids(sample: Members, number: int) -> NDArray[np.float32]:
    """Mean vectors of the groups."""
    vectors = embed(sample.texts)
    rows = [vectors[sample.group == index].mean(axis=0) for index in range(number)]
    stacked = np.stack(rows)
    return (stacked / np.linalg.norm(stacked, axis=1, keepdims=True)).astype(np.float32)


_PLACES = [
    "paris",
    "rome",
    "tokyo",
    "lima",
    "oslo",
    "cairo",
    "delhi",
    "quito",
    "seoul",
    "accra",
    "hanoi",
    "perth",
]
_DAYS = [
    "tomorrow",
    "tonight",
    "soon",
    "today",
    "monday",
    "friday",
    "sunday",
    "now",
    "later",
    "please",
]


def flights(number: int = 40) -> list[str]:
    """Requests to book a flight."""
    frames = ["book a flight to {}", "can you book me a flight to {}",
              "i need to book a flight to {}", "please help me book a flight to {}"]  # fmt: skip
    return [
        f"{frames[i % 4].format(_PLACES[i % 12])} {_DAYS[(i // 7) % 10]}" for i in range(number)
    ]


def alarms(number: int = 40) -> list[str]:
    """Requests to set an alarm."""
    frames = ["set an alarm for {}", "could you set an alarm {}", "i want to set an alarm for {}"]
    return [
        f"{frames[i % 3].format(_DAYS[i % 10])} in {_PLACES[(i // 5) % 12]}" for i in range(number)
    ]


def rates(number: int = 40) -> list[str]:
    """Questions about an exchange rate."""
    frames = ["what is the exchange rate in {}", "what's the current exchange rate for {}",
              "tell me the exchange rate {}"]  # fmt: skip
    return [
        f"{frames[i % 3].format(_PLACES[i % 12])} {_DAYS[(i // 4) % 10]}" for i in range(number)
    ]
