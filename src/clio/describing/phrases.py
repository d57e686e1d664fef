"""What is read from a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Noun(NamedTuple):
    """A noun chunk: its determiner, the words as written, their lemmas (the head is last)."""

    determiner: str
    words: tuple[str, ...]
    lemmas: tuple[str, ...]
    plural: bool


class VerbPhrase(NamedTuple):
    """Verb, particle, object and one prepositional phrase; ``frame`` is how it was asked."""

    frame: str  # do, how, can, state, report, other
    verb: str
    particle: str
    object: Noun | None
    preposition: str
    complement: Noun | None


class NounPhrase(NamedTuple):
    """A noun chunk with an optional prepositional phrase, and its place in the request."""

    place: str  # for, about, other
    noun: Noun
    preposition: str
    complement: Noun | None


class Question(NamedTuple):
    """An indirect question in words ready to be rendered, with its lemmas."""

    words: tuple[str, ...]
    lemmas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parsed:
    """All that was found in one text."""

    words: tuple[str, ...]
    bag: frozenset[str]
    verbs: tuple[VerbPhrase, ...]
    nouns: tuple[NounPhrase, ...]
    questions: tuple[Question, ...]
