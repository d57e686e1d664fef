"""Shipped subject headings, in two levels: for groups that no phrase of their own names well.

The headings nearest to a group's centre name it. They are wording of this program, chosen from a
closed list, so no account needs to have used them. What touches special categories of personal
data, crime or violence is another matter: such a heading is shown only where enough accounts used
a word of its family, a closed list as well, and where a group is nearest to one that may not be
shown, it gets no other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clio.describing.description import Embed
from clio.describing.lexicon import look_up, word_set

Vectors = NDArray[np.float32]

# By letter: a title's lead, the lead of a sentence about it, and the verbs that ask for the act.
_ACTS: Final[dict[str, tuple[str, str, str]]] = {
    "a": ("Ask about", "People ask about", ""),
    "h": ("Get help with", "People ask for help with", ""),
    "g": ("Get ideas for", "People ask for ideas for", "ideas"),
    "w": ("Write", "People ask the assistant to write", "writing"),
    "e": ("Improve", "People ask the assistant to improve", "editing"),
    "f": ("Fix", "People ask the assistant to fix", "fixing"),
    "x": ("Explain", "People ask the assistant to explain", "explaining"),
    "p": ("Plan", "People ask the assistant to plan", "planning"),
    "c": ("Compare", "People ask the assistant to compare", "comparing"),
    "r": ("Recommend", "People ask the assistant to recommend", "recommending"),
    "v": ("Solve", "People ask the assistant to solve", "solving"),
    "l": ("Learn", "People ask for help to learn", "learning"),
    "k": ("Ask for", "People ask for", ""),
    "j": ("Make", "People make", ""),
}
_CLAUSES: Final = ("how ", "what ")


@dataclass(frozen=True, slots=True)
class Field:
    """A broad field: its title, its name among several, whether it needs support by accounts, and
    whether those that a sensitive word needs."""

    title: str
    short: str
    guarded: bool
    sensitive: bool


@dataclass(frozen=True, slots=True)
class Family:
    """Words of which any use speaks for a shipped phrase: "rifle" for "weapons".

    Attributes
    ----------
    words
        Lower case, in all forms that the rules of inflection do not reach.
    sensitive
        Whether it takes the accounts of a sensitive word.
    """

    words: frozenset[str]
    sensitive: bool

    @property
    def lemmas(self) -> frozenset[str]:
        """The words as they are pooled."""
        return _lemmas_of(self.words)


@lru_cache(maxsize=512)
def _lemmas_of(words: frozenset[str]) -> frozenset[str]:
    return frozenset(look_up(word).lemma or word for word in words)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a field.

    Attributes
    ----------
    nouns
        Noun phrases in order of preference; none where the heading is never shown.
    acts
        Letters of the ways of asking that make a title with it, the plain one first.
    probe
        What its vector is taken of.
    field
        Position of its field.
    guarded
        Whether it needs support by accounts.
    family
        Words whose use supports its first noun phrase; None where it has none.
    """

    nouns: tuple[str, ...]
    acts: str
    probe: str
    field: int
    guarded: bool
    family: Family | None

    def title(self, noun: str, act: str) -> str:
        """The title with one of the noun phrases."""
        lead = "Ask" if act == "a" and noun.startswith(_CLAUSES) else _ACTS[act][0]
        return f"{lead} {noun}"

    def sentence(self, noun: str, act: str) -> str:
        """The first sentence of a summary, without its stop."""
        lead = "People ask" if act == "a" and noun.startswith(_CLAUSES) else _ACTS[act][1]
        return f"{lead} {noun}"


@cache
def _load() -> tuple[tuple[Field, ...], tuple[Heading, ...]]:
    text = (files(__package__) / "words" / "headings.txt").read_text(encoding="utf-8")
    fields: list[Field] = []
    headings: list[Heading] = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("="):
            mark = line[1]
            title, short = (part.strip() for part in line.lstrip("=!~").split("|"))
            fields.append(Field(title, short, mark in "!~", mark == "!"))
            continue
        mark = line[0] if line[:2] in ("! ", "~ ") else ""
        noun, acts, probe, *of = (part.strip() for part in line.lstrip("!~ ").split("|"))
        nouns = () if noun == "-" else tuple(part.strip() for part in noun.split("/"))
        family = Family(frozenset(of[0].split()), mark != "~") if of else None
        guarded = bool(mark) or not nouns
        headings.append(Heading(nouns, acts, probe, len(fields) - 1, guarded, family))
    return tuple(fields), tuple(headings)


def fields() -> tuple[Field, ...]:
    """The broad fields."""
    return _load()[0]


def headings() -> tuple[Heading, ...]:
    """All headings, field by field."""
    return _load()[1]


def acts_by(lemmas: dict[str, int]) -> list[tuple[str, int]]:
    """Letters of the acts that texts name, with the bit set of the units that name each.

    Parameters
    ----------
    lemmas
        Lemma to a bit set over units.

    Returns
    -------
    list[tuple[str, int]]
        The commonest first.
    """
    found = []
    for letter, (_, _, name) in _ACTS.items():
        mask = 0
        for verb in word_set(name) if name else ():
            mask |= lemmas.get(verb, 0)
        if mask:
            found.append((letter, mask))
    return sorted(found, key=lambda item: (-item[1].bit_count(), item[0]))


@cache
def _by_title() -> dict[str, tuple[int, str]]:
    """Heading and noun phrase by title, lower case."""
    found: dict[str, tuple[int, str]] = {}
    for index, heading in enumerate(headings()):
        for noun in heading.nouns:
            for act in heading.acts:
                found.setdefault(heading.title(noun, act).lower(), (index, noun))
    return found


def heading_of(title: str) -> tuple[int, str] | None:
    """The heading and the noun phrase of which a title was made, if of any."""
    return _by_title().get(title.lower().split(": ")[0])


def listed(title: str) -> list[str]:
    """The items of a title that is a listing: "Cars, music and pets" has three."""
    items = [item for part in title.split(", ") for item in part.split(" and ")]
    return [item for item in items if item and item != OTHER_THINGS]


OTHER_THINGS: Final = "other things"
"""The last item of a listing that is not complete."""


@cache
def _by_field() -> dict[str, int]:
    return {name.lower(): i for i, f in enumerate(fields()) for name in (f.short, f.title)}


@cache
def _by_noun() -> dict[str, int]:
    found: dict[str, int] = {}
    for heading in headings():
        for noun in heading.nouns:
            found.setdefault(noun.lower(), heading.field)
            found.setdefault(short_noun(noun).lower().removeprefix("the "), heading.field)
    return found


def without_parts(names: Sequence[str]) -> list[str]:
    """Names without headings of a field that is named beside them, in order."""
    named = {_by_field()[name.lower()] for name in names if name.lower() in _by_field()}
    return [
        name
        for name in names
        if name.lower() in _by_field() or _by_noun().get(name.lower(), -1) not in named
    ]


def fields_named(title: str) -> list[int]:
    """The fields of which a title was made, if it was."""
    if title.lower() in _by_field():
        return [_by_field()[title.lower()]]
    found = [_by_field().get(item.lower(), -1) for item in listed(title)]
    return found if found and min(found) >= 0 else []


def heading_sentence(title: str) -> str:
    """The first sentence of a summary for a title made of a heading, without its stop."""
    found = heading_of(title)
    if found is None:
        raise ValueError("not the title of a heading")
    heading = headings()[found[0]]
    plain = title.lower().split(": ")[0]
    acts = (act for act in heading.acts if heading.title(found[1], act).lower() == plain)
    return heading.sentence(found[1], next(acts))


def short_noun(noun: str) -> str:
    """A noun phrase as one among several: the first of two; empty where it is a clause."""
    return "" if noun.startswith(_CLAUSES) else noun.split(" and ")[0]


@cache
def free_phrases(everything: bool = False) -> frozenset[str]:
    """All phrases, lower case, that may stand anywhere.

    Those of no sensitive heading or field, or `everything`, where the conversations are one's own.
    """
    open_ = [h for h in headings() if everything or not h.guarded]
    phrases = {noun.lower() for heading in open_ for noun in heading.nouns}
    broad = [f for f in fields() if everything or not f.guarded]
    phrases |= {name.lower() for f in broad for name in (f.title, f.short)}
    phrases |= {phrase.removeprefix("the ") for phrase in phrases}
    return frozenset(phrases | {short_noun(phrase) for phrase in phrases}) - {""}


@cache
def families() -> dict[str, Family]:
    """Phrases, lower case, that are shown where enough accounts used a word of their family."""
    found = {
        noun.lower(): h.family
        for h in headings()
        if h.family is not None
        for first in h.nouns[:1]
        for noun in (short_noun(first), first)
    }
    for index, broad in enumerate(fields()):
        own = [
            h.family for h in headings() if h.field == index and h.nouns and h.family is not None
        ]
        if broad.guarded:
            words = frozenset().union(*(one.words for one in own))
            family = Family(words, broad.sensitive)
            found |= dict.fromkeys((broad.title.lower(), broad.short.lower()), family)
    return found


@cache
def _any_family() -> re.Pattern[str]:
    ordered = sorted(families(), key=lambda phrase: (-len(phrase), phrase))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, ordered))})(?!\w)", re.IGNORECASE)


def families_in(text: str) -> list[tuple[int, int, Family]]:
    """Where phrases with a family stand in a text, and the family of each."""
    return [(*m.span(), families()[m[0].lower()]) for m in _any_family().finditer(text)]


@cache
def _any_phrase(everything: bool) -> re.Pattern[str]:
    ordered = sorted(free_phrases(everything), key=lambda phrase: (-len(phrase), phrase))
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, ordered))})\b", re.IGNORECASE)


def shipped_phrases(text: str, everything: bool = False) -> list[tuple[int, int]]:
    """Where shipped phrases that need no support stand in a text; see `free_phrases`."""
    return [match.span() for match in _any_phrase(everything).finditer(text)]


def heading_words() -> frozenset[str]:
    """All words of the phrases that may stand anywhere, lower case."""
    return frozenset(word for phrase in free_phrases() for word in re.findall(r"[\w']+", phrase))


@lru_cache(maxsize=1)
def _probes(embed: Embed) -> Vectors:
    """Vectors of the headings: the same for leaves and for each level above."""
    return embed(
        [
            f"{heading.nouns[0]}: {heading.probe}" if heading.nouns else heading.probe
            for heading in headings()
        ]
    )


class Nearness:
    """How near vectors are to the headings, in the space of one embedder.

    Cosines are taken of vectors less the headings' mean: what all short texts of an embedder's
    space have in common says nothing of what they are about.

    Parameters
    ----------
    embed
        From texts to unit vectors.
    further
        Texts to embed as well.
    """

    def __init__(self, embed: Embed, further: Sequence[str] = ()) -> None:
        vectors = _probes(embed)
        self._mean = vectors.mean(axis=0)
        self.headings = self.centred(vectors)
        self.further = self.centred(embed(further)) if further else self.headings[:0]

    def centred(self, vectors: Vectors) -> Vectors:
        """Unit vectors less the common direction, (n, d) float32."""
        less = vectors - self._mean
        norms = np.linalg.norm(less, axis=1, keepdims=True)
        return np.asarray(less / np.maximum(norms, 1e-9), dtype=np.float32)

    def of(self, vectors: Vectors) -> Vectors:
        """Closeness of unit vectors (n, d) to each heading, (n, h) float32."""
        return np.asarray(self.centred(vectors) @ self.headings.T, dtype=np.float32)
