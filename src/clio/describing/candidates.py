"""Phrases that could name a group, pooled over their forms and counted by account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from clio.describing.acts import EITHER_TITLE, NO_TITLE, YES_TITLE, act_of
from clio.describing.evidence import Evidence
from clio.describing.lexicon import has_capitals, look_up, word_set
from clio.describing.phrases import Noun, NounPhrase, Parsed, Question, VerbPhrase

# Objects and verbs that say nothing by themselves.
EMPTY: Final = word_set("empty")
Form = tuple[str, tuple[str, ...], str, tuple[str, ...]]
_PREPOSITIONS: Final = word_set("prepositions")
_MAKING: Final = word_set("making")
TIMES: Final = word_set("times")
UNITS: Final = word_set("units")
# Stand for objects and places of which every request names another.
ELIDED: Final = Noun("", ("something",), (), False)
PLACE: Final = Noun("", ("a place",), (), False)
LIGHT: Final = frozenset(("do", "have"))
# Verbs after which "into" leads to no place.
_INTO_THINGS: Final = frozenset(("log", "sign", "look", "turn", "change", "fit", "split", "talk"))


@dataclass(slots=True)
class Candidate:
    """A phrase with its counts, pooled over the forms that say the same.

    "Card application" and "application for a card" are one candidate: the verb and the set of
    content lemmas make its identity.

    Attributes
    ----------
    kind
        ``verb``, ``noun``, ``report``, ``question`` or ``act``.
    verb
        The verb's base form, or empty.
    lemmas
        All content lemmas.
    title
        An act's title.
    wordings
        A question's words, by use.
    key
        What its forms were pooled under; the same in all groups.
    units
        Accounts that used it in one of its forms.
    frames
        How it was asked for, by use.
    forms
        Particle, object, preposition and complement, by use.
    nouns
        The noun chunks as written, by their lemmas.
    """

    kind: str
    verb: str
    lemmas: frozenset[str]
    title: str = ""
    key: object = None
    units: set[int] = field(default_factory=set)
    frames: Counter[str] = field(default_factory=Counter)
    wordings: Counter[tuple[str, ...]] = field(default_factory=Counter)
    forms: Counter[Form] = field(default_factory=Counter)
    nouns: dict[tuple[str, ...], Counter[Noun]] = field(default_factory=dict)

    @property
    def asks_assistant(self) -> bool:
        """Whether it is a question about the assistant."""
        return any("the assistant" in words for words in self.wordings)

    @property
    def order(self) -> tuple[object, ...]:
        """A total order for ties."""
        return (self.kind, self.verb, sorted(self.lemmas), self.title, sorted(self.wordings))


def _ends(noun: Noun | None, known: frozenset[str]) -> Iterator[Noun]:
    """The chunk and its shorter ends: "new bank card", "bank card", "card"."""
    if noun is None:
        return
    n = len(noun.lemmas)
    if n > 1 and noun.lemmas[-1] not in known and noun.lemmas[-2] in known:
        # a name or a code behind the noun: "flight ab", "router xylo"
        head = look_up(noun.words[n - 2])
        if head.noun and not head.adjective:
            n -= 1
            determiner = "" if has_capitals(noun.words[n - 1]) else noun.determiner
            noun = Noun(determiner, noun.words[:n], noun.lemmas[:n], head.plural)
    for size in range(1, min(n, 4) + 1):
        lemmas = noun.lemmas[n - size :]
        if lemmas[0] not in known or len(lemmas[0]) < 2:
            return
        yield Noun(noun.determiner, noun.words[n - size :], lemmas, noun.plural)


class _Collector:
    """Pools the phrases of one group."""

    def __init__(self, known: frozenset[str]) -> None:
        self.known = known
        self.found: dict[object, Candidate] = {}

    def add(
        self,
        unit: int,
        kind: str,
        verb: str,
        frame: str,
        particle: str = "",
        obj: Noun | None = None,
        preposition: str = "",
        complement: Noun | None = None,
    ) -> None:
        head = obj.lemmas if obj is not None else ()
        tail = complement.lemmas if complement is not None else ()
        own = (verb,) if verb and verb not in LIGHT else ()
        lemmas = frozenset((*own, *head, *tail))
        key = (kind, verb, lemmas)
        candidate = self.found.get(key)
        if candidate is None:
            candidate = self.found[key] = Candidate(kind, verb, lemmas, key=key)
        candidate.units.add(unit)
        candidate.frames[frame] += 1
        slot = "*" if obj is ELIDED else ""
        candidate.forms[particle, head or ((slot,) if slot else ()), preposition, tail] += 1
        for noun in (obj, complement):
            if noun is not None and noun.lemmas:
                candidate.nouns.setdefault(noun.lemmas, Counter())[noun] += 1

    def verb_phrase(self, unit: int, phrase: VerbPhrase) -> None:
        verb, frame, particle = phrase.verb, phrase.frame, phrase.particle
        if verb not in self.known and verb not in LIGHT:
            return
        if verb in LIGHT and (phrase.object is None or phrase.object.lemmas[-1] in EMPTY):
            return
        kind = "report" if frame == "report" else "verb"
        preposition = phrase.preposition if phrase.preposition in _PREPOSITIONS else ""
        tails = list(_ends(phrase.complement, self.known)) if preposition else []
        if phrase.object is None:
            if verb in LIGHT or kind == "report" or (verb in EMPTY and frame != "how"):
                return
            if phrase.preposition == "to" and (phrase.complement is None or not tails):
                self.add(unit, kind, verb, frame, particle, None, "to", PLACE)
                return
            if phrase.preposition == "into" and verb not in _INTO_THINGS:
                self.add(unit, kind, verb, frame, particle, None, "into", PLACE)
                return
            self.add(unit, kind, verb, frame, particle)
            for tail in tails:
                self.add(unit, kind, verb, frame, particle, None, preposition, tail)
        elif kind == "verb" and verb not in LIGHT and (verb not in EMPTY or tails):
            # what is said of many different objects: "spell a word", "add something to a list"
            self.add(unit, kind, verb, frame, particle, ELIDED)
            for tail in tails:
                self.add(unit, kind, verb, frame, particle, ELIDED, preposition, tail)
        for obj in _ends(phrase.object, self.known):
            self.add(unit, kind, verb, frame, particle, obj)
            for tail in tails:
                if set(tail.lemmas).isdisjoint(obj.lemmas):
                    self.add(unit, kind, verb, frame, particle, obj, preposition, tail)

    def noun_phrase(self, unit: int, phrase: NounPhrase) -> None:
        preposition = phrase.preposition if phrase.preposition in _PREPOSITIONS else ""
        tails = list(_ends(phrase.complement, self.known)) if preposition else []
        for obj in _ends(phrase.noun, self.known):
            if obj.lemmas[-1] not in EMPTY or len(obj.lemmas) > 1:
                self.add(unit, "noun", "", phrase.place, "", obj)
            for tail in tails:
                if set(tail.lemmas).isdisjoint(obj.lemmas):
                    self.add(unit, "noun", "", phrase.place, "", obj, preposition, tail)

    def question(self, unit: int, question: Question) -> None:
        if any(lemma not in self.known for lemma in question.lemmas):
            return
        if not question.lemmas and "something" in question.words:
            return
        words = question.words
        lead = words[:2] if words[0] == "how" else words[:1]
        lemmas = frozenset(question.lemmas)
        if words[0] == "who" and words[-1] == "the assistant" and lemmas <= _MAKING:
            lemmas = _MAKING
        key = ("question", lead, "the assistant" in words, lemmas,
               words[-1] if not question.lemmas else "")  # fmt: skip
        candidate = self.found.get(key)
        if candidate is None:
            candidate = self.found[key] = Candidate(
                "question", "", frozenset(question.lemmas), key=key
            )
        candidate.units.add(unit)
        candidate.wordings[words] += 1

    def act(self, unit: int, title: str) -> None:
        if title in (YES_TITLE, NO_TITLE):
            self.act(unit, EITHER_TITLE)
        candidate = self.found.get(title)
        if candidate is None:
            candidate = self.found[title] = Candidate("act", "", frozenset(), title, title)
        candidate.units.add(unit)


def collect(
    parsed: Sequence[tuple[int, Parsed]], evidence: Evidence, least: int
) -> list[Candidate]:
    """All candidates of a group that at least ``least`` accounts used.

    Parameters
    ----------
    parsed
        The group's texts, with the unit of each.
    evidence
        The group's counts.
    least
        Accounts that must have used each content word.

    Returns
    -------
    list[Candidate]
        In the order of :attr:`Candidate.order`.
    """
    known = frozenset(lemma for lemma, mask in evidence.lemmas.items() if mask.bit_count() >= least)
    collector = _Collector(known)
    for unit, item in parsed:
        for verb in item.verbs:
            collector.verb_phrase(unit, verb)
        for noun in item.nouns:
            collector.noun_phrase(unit, noun)
        for question in item.questions:
            collector.question(unit, question)
        title = act_of(item.words)
        if title:
            collector.act(unit, title)
    kept = [
        c
        for c in collector.found.values()
        if (c.lemmas and evidence.coverage(c.lemmas) >= least)
        or (not c.lemmas and len(c.units) >= least)
    ]
    return sorted(kept, key=lambda c: c.order)
