"""A seeded generator of conversations whose true topics are known.

It plants what a run should find again: topics on two levels with Zipf-like popularity, accounts
with heavy-tailed activity and tastes of their own, weeks with their rhythm, two topics that grow
and one that appears half-way, a few requests in other languages, duplicates and empty ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import orjson

from clio.conversation import Conversation, Message, Role
from clio.testing.taxonomy import Foreign, Template, Topic, foreign, topics

START: Final = date(2025, 1, 6)
"""Default first day, a Monday."""

_BLOCK: Final = 2048
_DRAWS: Final = 96
"""Uniform numbers a conversation; a rare longer one begins again with the first."""

_DUPLICATE_EVERY: Final = 997
_EMPTY_EVERY: Final = 2500

_FAVOURITES: Final = 4
_FAVOURITE_SHARE: Final = 0.5
_FOREIGN_SHARE: Final = 0.12
_TURNS: Final = (0.50, 0.72, 0.85, 0.93, 0.98)
"""Probability of at most 1, 2, ... of the user's turns; six are the most."""

_WEEKDAYS: Final = (1.0, 1.05, 1.05, 1.0, 0.9, 0.6, 0.65)
_HOURS: Final = (
    *(1.2, 0.8, 0.5, 0.4, 0.4, 0.6, 1.2, 2.2, 3.6, 4.8, 5.4, 5.2),
    *(4.6, 5.0, 5.4, 5.4, 5.0, 4.4, 4.2, 4.6, 5.0, 4.8, 3.6, 2.2),
)
_COUNTRIES: Final = {
    "US": 0.30,
    "IN": 0.13,
    "GB": 0.11,
    "DE": 0.08,
    "BR": 0.06,
    "CA": 0.06,
    "FR": 0.06,
    "AU": 0.05,
    "ES": 0.04,
    "MX": 0.04,
    "JP": 0.04,
    "NG": 0.03,
}
_PRODUCTS: Final = {"web": 0.55, "mobile": 0.33, "api": 0.12}

_OPENINGS: Final = (
    *("Hi! ", "Hello! ", "Hey, quick question. ", "Hi there, I need some help. ", "Please help. "),
    *("Good morning! ", "I hope you can help me. ", "Another one: ", "Quick question: "),
)
_CLOSINGS: Final = (
    *("Thanks!", "Thank you in advance.", "Please keep it short.", "Step by step, please."),
    *("Any tips are welcome.", "I'm in a hurry.", "Be specific, please.", "Thanks a lot :)"),
)
_SYSTEM: Final = (
    "You are a helpful assistant.",
    "You are the assistant of a small company. Answer briefly and politely.",
    "Answer in plain text without Markdown.",
)

# An article before a vowel, where a slot's value brought the vowel.
_AN: Final = re.compile(r"\b([Aa]) (?=(?!uni|us|one|eu)[aeiouAEIO])")

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]
_T = TypeVar("_T")


def generate(
    n: int,
    *,
    seed: int = 0,
    accounts: int | None = None,
    weeks: int = 12,
    start: date = START,
) -> Iterator[Conversation]:
    """Conversations with planted truth, in order of time.

    Parameters
    ----------
    n
        How many rows, the repeated and the empty ones included.
    seed
        The same `seed`, `n` and other arguments give the same conversations.
    accounts
        How many accounts there are; a fifth of `n` by default. Not all need appear.
    weeks, start
        The period, in UTC.

    Yields
    ------
    Conversation
        Its labels hold the truth: ``topic`` and ``domain``; further ``product`` and ``country``.

    Raises
    ------
    ValueError
        `n` is negative, or `accounts` or `weeks` is less than one.
    """
    people = max(1, n // 5) if accounts is None else accounts
    if n < 0 or people < 1 or weeks < 1:
        raise ValueError("n must not be negative, and accounts and weeks at least one")
    return _conversations(n, seed, people, weeks, start)


def write_jsonl(
    path: str | Path,
    n: int,
    *,
    seed: int = 0,
    accounts: int | None = None,
    weeks: int = 12,
    start: date = START,
) -> None:
    """Write what `generate` yields as Clio's JSON Lines; the file is whole or not there."""
    path = Path(path)
    aside = path.with_name(f".tmp-{path.name}")
    with aside.open("wb") as file:
        for item in generate(n, seed=seed, accounts=accounts, weeks=weeks, start=start):
            file.write(orjson.dumps(as_record(item), option=orjson.OPT_APPEND_NEWLINE))
    aside.replace(path)


def as_record(conversation: Conversation) -> dict[str, Any]:
    """A conversation as the object that a line of input holds."""
    moment = conversation.created_at
    return {
        "conversation_id": conversation.conversation_id,
        "user_id": conversation.user_id,
        "created_at": None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "messages": [{"role": m.role.value, "content": m.content} for m in conversation.messages],
        "labels": dict(conversation.labels),
    }


def _conversations(
    n: int, seed: int, people: int, weeks: int, start: date
) -> Iterator[Conversation]:
    rng = np.random.default_rng([seed, n])
    known = topics()
    by_name = {topic.name: topic for topic in known}
    languages = {country: entry for entry in foreign() for country in entry.countries}
    countries = _pick(rng, _COUNTRIES, people)
    midnight = datetime.combine(start, time(), UTC)

    seconds = _moments(rng, n, weeks)
    account = rng.permutation(people)[_drawn(rng.random(n), _activity(people))]
    product = _pick(rng, _PRODUCTS, n)
    topic = _topics_of(rng, known, seconds // (7 * 86_400), account, people, weeks)
    abroad = rng.random(n) < _FOREIGN_SHARE

    last: Conversation | None = None
    for first in range(0, n, _BLOCK):
        numbers = rng.random((min(_BLOCK, n - first), _DRAWS)).tolist()
        for at, row in enumerate(numbers, first):
            if last is not None and at % _DUPLICATE_EVERY == _DUPLICATE_EVERY // 2:
                yield last
                continue
            draw = cycle(row).__next__
            country = countries[account[at]]
            language = languages.get(country) if abroad[at] else None
            subject = known[topic[at]]
            if at % _EMPTY_EVERY == _EMPTY_EVERY // 20:
                messages: list[Message] = [Message(Role.USER, " ")]
            elif language is None:
                messages = _talk(subject, draw)
            else:
                name, messages = _foreign_talk(language, draw)
                subject = by_name[name]
            if product[at] == "api" and draw() < 0.4:
                messages.insert(0, Message(Role.SYSTEM, _one(_SYSTEM, draw)))
            last = Conversation(
                conversation_id=f"demo-{at + 1:07d}",
                user_id=f"u-{account[at]:06d}",
                created_at=midnight + timedelta(seconds=int(seconds[at])),
                messages=tuple(messages),
                labels={
                    "topic": subject.name,
                    "domain": subject.domain,
                    "product": product[at],
                    "country": country,
                },
            )
            yield last


def _activity(people: int) -> _Floats:
    """Share of each account by rank: Zipf's law, flattened at its head.

    The shift keeps the most active account well under 2 % wherever there are some hundred.
    """
    ranks = np.arange(people) + 20 + 2000 / people
    weights = ranks**-0.8
    return np.asarray(weights / weights.sum())


def _moments(rng: np.random.Generator, n: int, weeks: int) -> _Ints:
    """Sorted seconds since the first midnight, with the rhythm of weeks and days."""
    days = np.tile(_WEEKDAYS, weeks) * np.linspace(1.0, 1.3, 7 * weeks)
    hours = np.asarray(_HOURS)
    day = _drawn(rng.random(n), days / days.sum())
    hour = _drawn(rng.random(n), hours / hours.sum())
    return np.sort(day * 86_400 + hour * 3_600 + rng.integers(0, 3_600, n))


def _topics_of(
    rng: np.random.Generator,
    known: tuple[Topic, ...],
    week: _Ints,
    account: _Ints,
    people: int,
    weeks: int,
) -> _Ints:
    """Topic of each conversation: one of the account's favourites, or what is popular that week."""
    share = np.array([topic.share for topic in known])
    steady = np.array([topic.trend == "steady" for topic in known])
    favourites = _drawn(
        rng.random((people, _FAVOURITES)), np.where(steady, share, 0) / share[steady].sum()
    )
    chosen = favourites[account, rng.integers(0, _FAVOURITES, len(account))]
    popular = np.empty_like(chosen)
    uniform = rng.random(len(account))
    for at in range(weeks):
        progress = at / max(1, weeks - 1)
        factor = {
            "steady": 1.0,
            "grow": 0.6 + 5 * progress,
            "new": 40 * max(0.0, progress - 0.5),
        }
        weights = share * [factor[topic.trend] for topic in known]
        rows = week == at
        popular[rows] = _drawn(uniform[rows], weights / weights.sum())
    return np.where(rng.random(len(account)) < _FAVOURITE_SHARE, chosen, popular)


def _drawn(uniform: _Floats, shares: _Floats) -> _Ints:
    """Indices with probabilities `shares`, by inversion."""
    edges = np.cumsum(shares)
    return np.minimum(np.searchsorted(edges, uniform, side="right"), len(shares) - 1)


def _pick(rng: np.random.Generator, shares: dict[str, float], size: int) -> list[str]:
    names = list(shares)
    weights = np.array(list(shares.values()))
    return [names[at] for at in _drawn(rng.random(size), weights / weights.sum())]


def _one(options: tuple[_T, ...], draw: Callable[[], float]) -> _T:
    return options[int(draw() * len(options))]


def _talk(topic: Topic, draw: Callable[[], float]) -> list[Message]:
    """A conversation about a topic: a request, a reply, and perhaps more of both."""
    bound: dict[str, str] = {}
    messages = [Message(Role.USER, _request(topic, bound, draw))]
    position = draw()
    turns = 1 + sum(position >= edge for edge in _TURNS)
    # Nobody says the same twice: both lists are gone through in turn, from a random place.
    followup, reply = (int(draw() * len(texts)) for texts in (topic.followups, topic.replies))
    for turn in range(turns):
        if turn:
            text = topic.followups[(followup + turn) % len(topic.followups)].render(bound, draw)
            messages.append(Message(Role.USER, text))
        text = topic.replies[(reply + turn) % len(topic.replies)].render(bound, draw)
        messages.append(Message(Role.ASSISTANT, text))
    return messages


def _request(topic: Topic, bound: dict[str, str], draw: Callable[[], float]) -> str:
    """A first message, in one of the ways in which people write."""
    frame = _one(topic.requests, draw)
    text = _english(frame, bound, draw)
    if draw() < 0.35:
        context = _one(topic.contexts, draw)
        text = f"{text} {context.render(bound, draw)}"
    if draw() < 0.08:
        text = _with_second(topic, frame, text, bound, draw)
    manner = draw()
    if manner < 0.18:
        return text.lower().rstrip(".?!")
    if manner < 0.36:
        text = _one(_OPENINGS, draw) + text
    if draw() < 0.12:
        text = f"{text} {_one(_CLOSINGS, draw)}"
    return text


def _with_second(
    topic: Topic, frame: Template, text: str, bound: dict[str, str], draw: Callable[[], float]
) -> str:
    second = _one(topic.requests, draw)
    if second is frame:
        return text
    return f"{text}\nAnd one more thing: {_english(second, bound, draw)}"


def _english(frame: Template, bound: dict[str, str], draw: Callable[[], float]) -> str:
    return _AN.sub(r"\1n ", frame.render(bound, draw))


def _foreign_talk(language: Foreign, draw: Callable[[], float]) -> tuple[str, list[Message]]:
    name, request = _one(language.requests, draw)
    reply = _one(language.replies, draw)
    return name, [
        Message(Role.USER, request.render({}, draw)),
        Message(Role.ASSISTANT, reply.render({}, draw)),
    ]
