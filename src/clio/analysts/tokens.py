"""How many tokens a text is, without a tokenizer: by scripts and kinds of characters.

Tokenizers are large, differ by model, and some are not public. What a text costs depends on them
little for English and much for other scripts, so each of three public ones has rates of its own in
``tokens.toml``: tokens a character and tokens a run of characters, by kind. They are fitted by
``benchmarks/models/tokens.py``; ``docs/cost.md`` says how far off the estimates are.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Tokenizer = Literal["o200k", "cl100k", "claude"]
"""OpenAI's since GPT-4o; OpenAI's before it, which open models' resemble; Claude 2's."""

DEFAULT_TOKENIZER: Final[Tokenizer] = "cl100k"
"""Of models of which nothing is known. It has more tokens than newer ones."""

KINDS: Final = (
    *("space", "break", "digit", "mark", "letter", "letter a", "letter k, z", "capital"),
    *("Latin with accent", "Cyrillic", "Cyrillic not Russian", "Greek", "Armenian", "Georgian"),
    *("Hebrew", "Arabic", "Devanagari", "Devanagari sign", "other Indic", "Thai", "Hangul"),
    *("Hiragana", "Katakana", "Han", "sign", "other"),
)
"""Kinds of characters. Half an emoji is an ``other``: characters are UTF-16 units here."""

FOREIGN: Final = ("foreign a", "foreign k, z")
"""Letters of texts in Latin script that are not English. These two tell languages whose words are
cut into many pieces from those whose words are cut into few."""

_SPANS: Final = (
    *((0x00, 0x7F, "mark"), (0x30, 0x39, "digit"), (0x41, 0x5A, "capital"), (0x61, 0x7A, "letter")),
    *((0x09, 0x0D, "break"), (0x20, 0x20, "space"), (0x61, 0x61, "letter a")),
    *((0x6B, 0x6B, "letter k, z"), (0x7A, 0x7A, "letter k, z"), (0x80, 0xBF, "sign")),
    *((0xC0, 0x24F, "Latin with accent"), (0x300, 0x36F, "Latin with accent")),
    *((0x370, 0x3FF, "Greek"), (0x400, 0x52F, "Cyrillic"), (0x530, 0x58F, "Armenian")),
    *((0x590, 0x5FF, "Hebrew"), (0x600, 0x77F, "Arabic"), (0x900, 0x97F, "Devanagari")),
    *((0x900, 0x903, "Devanagari sign"), (0x93A, 0x94F, "Devanagari sign")),
    *((0x962, 0x963, "Devanagari sign"), (0x980, 0xDFF, "other Indic"), (0xE00, 0xEFF, "Thai")),
    *((0x10A0, 0x10FF, "Georgian"), (0x1100, 0x11FF, "Hangul"), (0xAC00, 0xD7AF, "Hangul")),
    *((0x1E00, 0x1EFF, "Latin with accent"), (0x2000, 0x206F, "sign"), (0x3000, 0x303F, "sign")),
    *((0x3040, 0x309F, "Hiragana"), (0x30A0, 0x30FF, "Katakana"), (0x3400, 0x9FFF, "Han")),
    (0xFF00, 0xFFEF, "sign"),
)
_NOT_RUSSIAN: Final = "іїєґІЇЄҐўЎјљњћђџ"

_WORDS: Final = {
    **dict.fromkeys(("letter a", "letter k, z", "capital", "Latin with accent"), "letter"),
    "Cyrillic not Russian": "Cyrillic",
    "Devanagari sign": "Devanagari",
}
"""Kinds that stand in one run with others."""

_ENGLISH: Final = tuple(
    f" {word} "
    for word in (
        *("the", "and", "to", "of", "you", "that", "for", "what", "my", "how", "this", "your"),
        *("have", "with", "are", "i", "I", "a"),
    )
)
_ENGLISH_SHARE: Final = 0.2
"""Share of these words among the words of English texts."""

_ENGLISH_WITHIN: Final = 10_000
"""Characters at the beginning by which a text counts as English."""

_CHUNK: Final = 1 << 16
"""Characters looked at in one go, so that memory stays small."""


def count_tokens(text: str, tokenizer: Tokenizer = DEFAULT_TOKENIZER) -> int:
    """About how many tokens a text is; 0 for the empty one alone.

    Parameters
    ----------
    text
        Any text.
    tokenizer
        Whose tokens.
    """
    if not text:
        return 0
    return max(1, round(float(features(text) @ _rates(tokenizer))))


def features(text: str) -> NDArray[np.float64]:
    """What rates are multiplied with.

    Returns
    -------
    ndarray of shape (2 * len(KINDS) + len(FOREIGN),)
        Characters of each kind, runs of each kind (a word's under its first kind's name), letters
        of `FOREIGN`, as far as the text is not English.
    """
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    characters = np.zeros(len(KINDS))
    runs = np.zeros(len(KINDS))
    before = -1
    for start in range(0, len(units), _CHUNK):
        kinds = _kind_of()[units[start : start + _CHUNK]]
        characters += np.bincount(kinds, minlength=len(KINDS))
        words = _run_of()[kinds]
        runs += np.bincount(words[1:][words[1:] != words[:-1]], minlength=len(KINDS))
        runs[words[0]] += words[0] != before
        before = int(words[-1])
    foreign = 1.0 - _english(text, runs[KINDS.index("letter")])
    telling = characters[[KINDS.index("letter a"), KINDS.index("letter k, z")]]
    return np.concatenate([characters, runs, telling * foreign])


def _english(text: str, words: float) -> float:
    """How English a text in Latin script is: 0 to 1; a few words count as English."""
    head = text[:_ENGLISH_WITHIN]
    found = sum(head.count(word) for word in _ENGLISH)
    expected = words * len(head) / len(text) * _ENGLISH_SHARE
    return min(1.0, (found + 1) / (expected + 1))


@cache
def _kind_of() -> NDArray[np.uint8]:
    table = np.full(1 << 16, KINDS.index("other"), np.uint8)
    for first, last, kind in _SPANS:
        table[first : last + 1] = KINDS.index(kind)
    table[[ord(letter) for letter in _NOT_RUSSIAN]] = KINDS.index("Cyrillic not Russian")
    return table


@cache
def _run_of() -> NDArray[np.uint8]:
    return np.array([KINDS.index(_WORDS.get(kind, kind)) for kind in KINDS], np.uint8)


@cache
def _rates(tokenizer: Tokenizer) -> NDArray[np.float64]:
    text = files("clio.analysts").joinpath("tokens.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)[tokenizer]
    a_character = [table[kind][0] for kind in KINDS]
    a_run = [table[kind][1] for kind in KINDS]
    return np.array([*a_character, *a_run, *(table[kind] for kind in FOREIGN)], np.float64)
