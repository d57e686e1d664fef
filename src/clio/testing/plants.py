"""What is put into generated conversations on purpose: a small interface, and who implements it.

A plant claims rows of the schedule before any text is written. It may give them another topic or
account, and may alter or replace what was written in them. It records what it did as truth beside
the conversations, never in their labels. Rows that no plant claims are the same to the byte as
without plants, but for those that repeat a claimed one; plants are asked in order, and what one
has claimed another cannot.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Protocol

import numpy as np

from clio.conversation import Conversation, Message, Role
from clio.testing.schedule import DAY, Ints, Schedule
from clio.testing.taxonomy import Block
from clio.testing.templates import Draw, Template, templates
from clio.testing.writing import with_articles

Write = Callable[[int, Conversation, Draw], Conversation]
"""Alters a conversation; the number is the row's position among those claimed."""

Detail = Callable[[int], Mapping[str, Any]]
"""What the truth says of a row, by its position among those claimed: JSON values by name."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of one conversation, and kept apart from it.

    Attributes
    ----------
    conversation_id, user_id
        As in the conversation.
    kind
        The plant's kind, or ``"writing"``.
    detail
        JSON values by name.
    """

    conversation_id: str
    user_id: str | None
    kind: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """Rows that a plant took.

    Attributes
    ----------
    rows
        int64: sorted or not, each once.
    detail
        What the truth says of them.
    write
        How they are altered once written; where there is none, they are as any row.
    replaces
        Whether nothing of the requester's words is left.
    """

    rows: Ints
    detail: Detail
    write: Write | None = None
    replaces: bool = False


class Plant(Protocol):
    """Something planted."""

    @property
    def kind(self) -> str:
        """What the truth calls it."""

    def claim(self, schedule: Schedule, rng: np.random.Generator) -> Claim:
        """Choose rows among those free, claim them, and change the schedule where wanted.

        Parameters
        ----------
        schedule
            The rows as planned so far.
        rng
            Chance of this plant's own: it depends on the seed, the plant's kind and how many of
            this kind came before, and on no other plant.

        Raises
        ------
        ValueError
            It does not fit into the schedule.
        """


@dataclass(frozen=True, slots=True)
class Pasted:
    """Pasted material after a request about it, in English.

    `generate` plants it before all others, at the rate that `Rates` states.

    Attributes
    ----------
    share
        Share of the English rows, as far as there are so many about topics that have material.
    """

    share: float
    kind: str = "pasted"

    def claim(self, schedule: Schedule, rng: np.random.Generator) -> Claim:
        """See `Plant`."""
        blocks: dict[int, list[Block]] = {}
        for block in schedule.taxonomy.blocks:
            blocks.setdefault(schedule.topic_at(block.topic), []).append(block)
        english = schedule.free & (schedule.language == 0)
        fitting = english & np.isin(schedule.topic, list(blocks))
        count = min(round(self.share * int(english.sum())), int(fitting.sum()))
        rows = schedule.sample(fitting, count, rng)
        schedule.claim(rows)
        chosen = [
            blocks[topic][int(uniform * len(blocks[topic]))]
            for topic, uniform in zip(schedule.topic[rows].tolist(), rng.random(count), strict=True)
        ]

        def write(at: int, conversation: Conversation, draw: Draw) -> Conversation:
            block, bound = chosen[at], dict[str, str]()
            ask = with_articles(block.asks[int(draw() * len(block.asks))].render(bound, draw))
            colon = ":" if ask[-1].isalnum() else ""
            return _saying(conversation, f"{ask}{colon}\n\n{block.text.render(bound, draw)}")

        return Claim(rows, lambda at: {"material": chosen[at].kind}, write, replaces=True)


@dataclass(frozen=True, slots=True)
class Rare:
    """Rare themes, each with the same small share of all rows.

    Attributes
    ----------
    share
        Of each theme; the number of rows is rounded.
    themes
        Their names; all by default.
    """

    share: float
    themes: tuple[str, ...] = ()
    kind: str = "rare"

    def claim(self, schedule: Schedule, rng: np.random.Generator) -> Claim:
        """See `Plant`."""
        known = tuple(t.name for t in schedule.taxonomy.topics if t.kind == "rare")
        themes = self.themes or known
        count = round(self.share * len(schedule))
        rows = rng.permutation(schedule.sample(schedule.free, count * len(themes), rng))
        schedule.claim(rows)
        for at, name in enumerate(themes):
            schedule.set_topic(rows[at * count : (at + 1) * count], schedule.topic_at(name))
        return Claim(rows, lambda at: {"topic": themes[at // count]})


@dataclass(frozen=True, slots=True)
class Emerging:
    """A rare theme that nobody speaks of at first and more and more do later.

    Attributes
    ----------
    topic
        The name of a rare theme.
    share
        Share of the rows once it has grown.
    first_day, ramp_days
        When it begins, and over how many days it grows, in a straight line.
    """

    topic: str
    share: float
    first_day: float
    ramp_days: float = 14
    kind: str = "emerging"

    def claim(self, schedule: Schedule, rng: np.random.Generator) -> Claim:
        """See `Plant`."""
        at = schedule.topic_at(self.topic)
        if schedule.taxonomy.topics[at].kind != "rare":
            raise ValueError(f"{self.topic!r} is not a rare theme, so it is spoken of already")
        since = schedule.seconds / DAY - self.first_day
        share = self.share * np.clip(since / max(self.ramp_days, 1e-9), 0, 1)
        rows = np.flatnonzero(schedule.free & (rng.random(len(schedule)) < share))
        schedule.claim(rows)
        schedule.set_topic(rows, at)
        return Claim(rows, lambda _: {"topic": self.topic, "first_day": self.first_day})


@dataclass(frozen=True, slots=True)
class Event:
    """For a while, a topic is asked for several times as often.

    Attributes
    ----------
    topic
        Its name.
    factor
        By how much its rows are multiplied, at least 1. The number of all rows stays.
    first_day, days
        When it begins, and how long it lasts.
    """

    topic: str
    factor: float
    first_day: float
    days: float
    kind: str = "event"

    def claim(self, schedule: Schedule, rng: np.random.Generator) -> Claim:
        """See `Plant`."""
        if self.factor < 1:
            raise ValueError("an event's factor is at least 1")
        at = schedule.topic_at(self.topic)
        window = schedule.within(self.first_day, self.days)
        usual = np.count_nonzero(window & (schedule.topic == at))
        more = round((self.factor - 1) * usual)
        rows = schedule.sample(window & (schedule.topic != at), more, rng)
        schedule.claim(rows)
        schedule.set_topic(rows, at)
        return Claim(rows, lambda _: {"topic": self.topic, "factor": self.factor})


@dataclass(frozen=True, slots=True)
class Campaign:
    """Accounts that do nothing but send variants of one text.

    Attributes
    ----------
    accounts, each
        How many accounts, and how many conversations of each.
    first_day, days
        When.
    template
        The name of a text in ``texts/plants.toml``, which fits one topic of the taxonomy.
    """

    accounts: int
    each: int
    first_day: float
    days: float
    template: str = "reviews"
    kind: str = "campaign"

    def claim(self, schedule: Schedule, rng: np.random.Generator) -> Claim:
        """See `Plant`."""
        entry = _entry("campaigns", self.template)
        text = templates(entry["text"], {})[0]
        window = schedule.within(self.first_day, self.days)
        rows = rng.permutation(schedule.sample(window, self.accounts * self.each, rng))
        schedule.claim(rows)
        schedule.account[rows] = np.repeat(schedule.add_accounts(self.accounts, rng), self.each)
        schedule.set_topic(rows, schedule.topic_at(entry["topic"]))
        schedule.language[rows] = 0
        return Claim(
            rows,
            lambda _: {"template": self.template},
            lambda _, conversation, draw: _saying(conversation, text.render({}, draw)),
            replaces=True,
        )


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A class that was set two tasks: accounts that share texts and are no campaign.

    The accounts are ordinary ones, with conversations of their own besides.

    Attributes
    ----------
    accounts
        How many.
    first_day, days
        When.
    task
        The name of a pair of texts in ``texts/plants.toml``.
    """

    accounts: int = 40
    first_day: float = 0
    days: float = 7
    task: str = "river"
    kind: str = "look-alike"

    def claim(self, schedule: Schedule, rng: np.random.Generator) -> Claim:
        """See `Plant`."""
        entry = _entry("tasks", self.task)
        texts: list[str] = entry["texts"]
        around = Template(entry["around"], {"task": ()})
        window = schedule.within(self.first_day, self.days)
        rows = rng.permutation(schedule.sample(window, self.accounts * len(texts), rng))
        schedule.claim(rows)
        others = schedule.account[schedule.free]
        active, counts = np.unique(others, return_counts=True)
        active = active[counts >= 3]
        if len(active) < self.accounts:
            raise ValueError(f"only {len(active)} accounts are active enough for a class")
        pupils = rng.choice(active, self.accounts, replace=False)
        schedule.account[rows] = np.repeat(pupils, len(texts))
        schedule.set_topic(rows, schedule.topic_at(entry["topic"]))
        schedule.language[rows] = 0

        def write(at: int, conversation: Conversation, draw: Draw) -> Conversation:
            text = around.render({"task": texts[at % len(texts)]}, draw)
            return _saying(conversation, text)

        return Claim(rows, lambda _: {"task": self.task}, write, replaces=True)


@cache
def _entry(table: str, name: str) -> Mapping[str, Any]:
    source = resources.files(__package__) / "texts" / "plants.toml"
    entries = tomllib.loads(source.read_text(encoding="utf-8"))[table]
    for entry in entries:
        if entry["name"] == name:
            return {**entry}
    raise ValueError(f"{table} are {', '.join(entry['name'] for entry in entries)}; not {name!r}")


def _saying(conversation: Conversation, text: str) -> Conversation:
    """The conversation with another request, and its first answer."""
    messages = conversation.messages
    first = next(at for at, message in enumerate(messages) if message.role is Role.USER)
    said = (*messages[:first], Message(Role.USER, text), *messages[first + 1 : first + 2])
    return replace(conversation, messages=said)
