"""A tagged sentence and its noun chunks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from clio.describing.lexicon import Word, has_capitals, look_up
from clio.describing.phrases import Noun
from clio.describing.tagging import tag_all

_QUOTES: Final = frozenset("\"'“”„«»‘:")
_POSSESS: Final = frozenset(["my", "our"])


def _determiner(written: str, tag: str, quoted: bool) -> str:
    if tag == "S":
        if written in _POSSESS:
            return "my"
        return "your" if written == "your" and not quoted else "their"
    if written in ("a", "an", "another"):
        return "a"
    if written == "the":
        return "the"
    return (
        "some" if written in ("some", "any") else "this" if written in ("this", "that") else "other"
    )


class Sentence:
    """The tokens of one text with their readings and tags."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tokens
        self.words: list[Word | None] = [
            look_up(token) if token[0].isalnum() else None for token in tokens
        ]
        self.tags = tag_all(tokens, self.words)
        # who "your" is within a text that is quoted or handed over is not known
        marks = (i for i, token in enumerate(tokens) if token in _QUOTES)
        self.quoted = next(marks, len(tokens))

    def noun(self, i: int) -> tuple[Noun | None, int]:
        """The noun chunk that begins at ``i`` and where it ends."""
        tags, tokens, n = self.tags, self.tokens, len(self.tags)
        determiner = ""
        start = i
        while i < n and (tags[i] in "DS#" or (tags[i] == "R" and i > start)):
            if tags[i] in "DS":
                determiner = _determiner(tokens[i], tags[i], i > self.quoted)
            elif tags[i] == "#" and not determiner:
                determiner = "other"
            i += 1
        words: list[str] = []
        lemmas: list[str] = []
        plural = False
        last = ""
        while i < n and tags[i] in "NA#":
            if tags[i] != "#":
                token = tokens[i]
                word = self.words[i]
                base = token[:-2] if token.endswith("'s") else token
                word = look_up(base) if base != token and base else word
                words.append(token)
                lemmas.append(word.lemma if word is not None and word.lemma else base)
                last = tags[i]
                plural = word is not None and word.plural
            i += 1
        while len(words) > 1 and last == "A" and not has_capitals(words[-1]):
            words.pop()
            lemmas.pop()
            word = look_up(words[-1])
            plural, last = word.plural, "A" if word.adjective and not word.noun else "N"
        if not words:
            return None, start
        if last == "A" and (determiner or not has_capitals(words[-1])):
            return None, start
        return Noun(determiner, tuple(words), tuple(lemmas), plural), i

    def complement(self, i: int) -> tuple[str, Noun | None, int]:
        """Preposition and noun chunk at ``i``, where there are such."""
        if i < len(self.tags) and self.tags[i] == "I":
            noun, end = self.noun(i + 1)
            if noun is not None:
                return self.tokens[i], noun, end
        return "", None, i

    def says_you_are(self, i: int) -> bool:
        """Whether "you" at ``i`` stands beside a form of "be", outside a question for more."""
        tokens = self.tokens
        if tokens[i] != "you":
            return False
        if i + 1 < len(tokens) and tokens[i + 1] == "are":
            return True
        asked = ("what", "who", "where", "how", "when", "why", "old")
        return i > 0 and tokens[i - 1] in ("are", "were") and (i < 2 or tokens[i - 2] not in asked)
