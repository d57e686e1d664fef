"""From a topic to a conversation, in the ways in which people write."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final, TypeVar

from clio.conversation import Message, Role
from clio.testing.slips import carelessly, slip
from clio.testing.taxonomy import Language, Taxonomy, Topic, Voice
from clio.testing.templates import Draw, Template

_CONTEXT: Final = 0.35
_MORE: Final = 0.08
"""Share of requests with a second one about the same topic."""
_CARELESS: Final = 0.18
_OPENED: Final = 0.18
_CLOSED: Final = 0.12
"""Share of requests with a closing word; concerning ones have none."""
_OWN_MANNER: Final = 0.7
"""Share of conversations that an account writes in its own manner."""
_REFUSED: Final = 0.85
"""Share of answers to concerning requests that refuse."""
_TURNS: Final = (0.50, 0.72, 0.85, 0.93, 0.98)
"""Probability of at most 1, 2, ... of the user's turns; six are the most."""

# An article before a vowel, where a slot's value brought the vowel.
_AN: Final = re.compile(r"\b([Aa]) (?=(?!uni|us|one|eu)[aeiouAEIO])")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of the conversations that are not a plain talk about one topic.

    Attributes
    ----------
    slips
        Share of the requester's turns with a slip of the keyboard, wherever the text has a place
        for one.
    second
        Share of the conversations that ask about a second topic too: half of them in the first
        message, half in a later one.
    pasted
        Share of the English conversations that are about pasted material, as far as topics allow.
    """

    slips: float = 0.06
    second: float = 0.03
    pasted: float = 0.02

    def __post_init__(self) -> None:
        for name in ("slips", "second", "pasted"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"the rate {name} must lie between 0 and 1")


class Writer:
    """Writes conversations.

    Parameters
    ----------
    taxonomy
        What there is to write about.
    rates
        How often what happens.
    """

    def __init__(self, taxonomy: Taxonomy, rates: Rates) -> None:
        self._rates = rates
        self._others: dict[str, tuple[list[str], list[float]]] = {}
        for language in taxonomy.languages:
            known = [
                topic
                for topic in taxonomy.topics
                if topic.kind == "regular" and topic.name in language.voices
            ]
            edges = list(accumulate(topic.share for topic in known))
            self._others[language.code] = [topic.name for topic in known], edges

    def talk(
        self, topic: Topic, language: Language, manner: float, draw: Draw
    ) -> tuple[list[Message], Mapping[str, Any]]:
        """A conversation about a topic: a request, a reply, and perhaps more of both.

        Parameters
        ----------
        topic, language
            What about, and the language, which must have a voice for it.
        manner
            How the account writes when it writes in its own manner, in [0, 1).
        draw
            Gives the next uniform number.

        Returns
        -------
        messages
            The user's and the assistant's in turn.
        notes
            What the conversation's labels do not tell: ``second`` with the name of the other
            topic, ``slips`` with their number.
        """
        voice = language.voices[topic.name]
        rates = self._rates
        notes: dict[str, Any] = {}
        bound: dict[str, str] = {}
        if draw() >= _OWN_MANNER:
            manner = draw()
        request = _request(voice, language, manner, bound, draw)
        turns = 1 + bisect(_TURNS, draw())
        second, later = "", False
        if draw() < rates.second:
            second = self._other(topic, language, draw)
            later = draw() < 0.5
        if second:
            notes["second"] = second
            if not later:
                request = f"{request}\n{_again(second, language, draw)}"
        messages = _dialogue(voice, request, turns, bound, draw)
        if second and later:
            other = language.voices[second]
            messages.append(Message(Role.USER, _again(second, language, draw)))
            messages.append(Message(Role.ASSISTANT, _one(other.replies, draw).render({}, draw)))
        self._with_slips(messages, language, notes, draw)
        return messages, notes

    def _other(self, topic: Topic, language: Language, draw: Draw) -> str:
        """The name of another regular topic, by popularity; empty where the same comes up."""
        names, edges = self._others[language.code]
        if not names:
            return ""
        name = names[min(bisect(edges, draw() * edges[-1]), len(names) - 1)]
        return "" if name == topic.name else name

    def _with_slips(
        self, messages: list[Message], language: Language, notes: dict[str, Any], draw: Draw
    ) -> None:
        share = self._rates.slips
        for at in range(0, len(messages), 2):
            if draw() < share:
                text = slip(messages[at].content, language.code, draw)
                if text != messages[at].content:
                    messages[at] = Message(Role.USER, text)
                    notes["slips"] = notes.get("slips", 0) + 1


def _one(options: tuple[_T, ...], draw: Draw) -> _T:
    return options[int(draw() * len(options))]


def _dialogue(
    voice: Voice, request: str, turns: int, bound: dict[str, str], draw: Draw
) -> list[Message]:
    messages = [Message(Role.USER, request)]
    answers = voice.refusals if voice.refusals and draw() < _REFUSED else voice.replies
    # Nobody says the same twice: both lists are gone through in turn, from a random place.
    followup, reply = (int(draw() * len(texts)) for texts in (voice.followups, answers))
    for turn in range(turns):
        if turn:
            text = voice.followups[(followup + turn) % len(voice.followups)].render(bound, draw)
            messages.append(Message(Role.USER, text))
        text = answers[(reply + turn) % len(answers)].render(bound, draw)
        messages.append(Message(Role.ASSISTANT, text))
    return messages


def _request(
    voice: Voice, language: Language, manner: float, bound: dict[str, str], draw: Draw
) -> str:
    """A first message, in one of the ways in which people write."""
    space = " " if language.spaced else ""
    frame = _one(voice.requests, draw)
    text = _rendered(frame, language, bound, draw)
    if draw() < _CONTEXT:
        context = _one(voice.contexts, draw)
        text = _joined(text, context.render(bound, draw), space)
    if draw() < _MORE:
        more = _one(voice.requests, draw)
        if more is not frame:
            again = _one(language.again, draw).render({}, draw)
            text = f"{text}\n{again}{space}{_rendered(more, language, bound, draw)}"
    if manner < _CARELESS:
        return carelessly(text, language.code)
    if manner < _CARELESS + _OPENED:
        text = f"{_one(language.openings, draw).render({}, draw)}{space}{text}"
    if draw() < _CLOSED and not voice.refusals:
        text = _joined(text, _one(language.closings, draw).render({}, draw), space)
    return text


def _joined(text: str, more: str, space: str) -> str:
    """Two sentences; on lines of their own where the first has no last mark."""
    return f"{text}\n{more}" if text[-1].isalnum() else f"{text}{space}{more}"


def _again(name: str, language: Language, draw: Draw) -> str:
    """A request about another topic, with the words that introduce it."""
    space = " " if language.spaced else ""
    frame = _one(language.voices[name].requests, draw)
    introduced = _one(language.again, draw).render({}, draw)
    return f"{introduced}{space}{_rendered(frame, language, {}, draw)}"


def _rendered(frame: Template, language: Language, bound: dict[str, str], draw: Draw) -> str:
    text = frame.render(bound, draw)
    return with_articles(text) if language.code == "en" else text


def with_articles(text: str) -> str:
    """The English text with *an* where *a* stands before a vowel."""
    return _AN.sub(r"\1n ", text)
