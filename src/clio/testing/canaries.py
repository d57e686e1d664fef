"""Personal details planted in what requesters write, to be looked for in what a run gives away."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np

from clio.conversation import Conversation, Message, Role
from clio.prompting import Prompt, unmarked
from clio.testing.canary_values import KINDS, invented_words, values
from clio.testing.plants import Claim
from clio.testing.schedule import Ints, Schedule
from clio.testing.scripted import nonce_of
from clio.testing.taxonomy import LANGUAGES
from clio.testing.templates import Draw, Template, templates

_ENOUGH: Final = 100_000
"""Rows to look for company in."""


@dataclass(frozen=True, slots=True)
class Canaries:
    """Details of twelve kinds, in a sentence of the conversation's language.

    Attributes
    ----------
    share
        Share of the rows that have a detail of their own; kinds take turns.
    repeats
        For each number k here, and for each kind, one detail is planted k times: by k accounts
        in k conversations about one topic.
    kinds
        Some of `canary_values.KINDS`.
    """

    share: float = 0.0
    repeats: tuple[int, ...] = ()
    kinds: tuple[str, ...] = KINDS
    kind: str = "canary"

    def claim(self, schedule: Schedule, rng: np.random.Generator) -> Claim:
        """See `Plant`."""
        once = round(self.share * len(schedule))
        each = -(-once // len(self.kinds)) + len(self.repeats)
        details = {kind: iter(values(kind, each, rng)) for kind in self.kinds}
        rows: list[int] = []
        planted: list[tuple[str, str]] = []
        for times in self.repeats:
            for kind in self.kinds:
                rows += _together(schedule, times, rng)
                schedule.claim(np.array(rows[-times:]))
                planted += [(kind, next(details[kind]))] * times
        single = schedule.sample(schedule.free, once, rng)
        schedule.claim(single)
        for at, row in enumerate(single.tolist()):
            kind = self.kinds[at % len(self.kinds)]
            rows.append(row)
            planted.append((kind, next(details[kind])))

        def write(at: int, conversation: Conversation, draw: Draw) -> Conversation:
            return _with_detail(conversation, *planted[at], draw)

        return Claim(
            np.array(rows, dtype=np.int64),
            lambda at: {"kind": planted[at][0], "value": planted[at][1]},
            write,
        )


def _together(schedule: Schedule, times: int, rng: np.random.Generator) -> list[int]:
    """Free rows of one topic by different accounts."""
    free: Ints = rng.permutation(np.flatnonzero(schedule.free))[:_ENOUGH]
    _, first = np.unique(
        schedule.topic[free] * len(schedule.country) + schedule.account[free], return_index=True
    )
    rows = free[np.sort(first)]
    topics, counts = np.unique(schedule.topic[rows], return_counts=True)
    large = counts[np.searchsorted(topics, schedule.topic[rows])] >= times
    if not large.any():
        raise ValueError(f"no topic has {times} accounts")
    topic = schedule.topic[rows[np.argmax(large)]]
    found: list[int] = rows[schedule.topic[rows] == topic][:times].tolist()
    return found


@cache
def sentences() -> Mapping[str, Mapping[str, tuple[Template, ...]]]:
    """Sentences around a detail, by language and kind."""
    source = resources.files(__package__) / "texts" / "canaries.toml"
    table = tomllib.loads(source.read_text(encoding="utf-8"))
    return {
        code: {kind: templates(text, {"value": ()}) for kind, text in table[code].items()}
        for code in LANGUAGES
    }


def details(number: int, seed: int = 0) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Details to plant elsewhere: kind, value, what a requester says in English, and traces.

    Parameters
    ----------
    number
        How many; kinds take turns.
    seed
        Other seeds give other details.
    """
    rng = np.random.default_rng(seed)
    each = -(-number // len(KINDS))
    found = []
    for at, kind in enumerate(KINDS):
        for nth, value in enumerate(values(kind, each, rng)):
            options = sentences()["en"][kind]
            sentence = options[nth % len(options)].render({"value": value}, lambda: 0.0)
            found.append((nth, at, kind, value, sentence))
    return [(*each[2:], traces(each[3])) for each in sorted(found)[:number]]


def traces(value: str) -> tuple[str, ...]:
    """What gives a detail away: itself, and the invented words in it."""
    return (value, *invented_words(value))


def canary_judge(values: Iterable[str]) -> Callable[[Prompt], Mapping[str, Any]]:
    """Answers of a judge that knows what was planted, for `clio.testing.scripted.ScriptedAsker`.

    Parameters
    ----------
    values
        What gives somebody away: a text with one of them is rated 1, any other 5.
    """
    wanted = [_letters(value) for value in values]

    def respond(prompt: Prompt) -> Mapping[str, Any]:
        text = _letters(" ".join(unmarked(prompt.user)))
        private = any(value in text for value in wanted)
        return {"reason": "-", "rating": 1 if private else 5, "check": nonce_of(prompt)}

    return respond


def _letters(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _with_detail(conversation: Conversation, kind: str, value: str, draw: Draw) -> Conversation:
    """The conversation with a detail in one of the requester's turns, at its beginning or end."""
    code = conversation.labels["language"]
    options = sentences()[code][kind]
    sentence = options[int(draw() * len(options))].render({"value": value}, draw)
    turns = [at for at, said in enumerate(conversation.messages) if said.role is Role.USER]
    at = turns[int(draw() * len(turns))]
    space = "" if code in ("ja", "zh") else " "
    parts = [conversation.messages[at].content, sentence]
    if draw() < 0.2:
        parts.reverse()
    messages = list(conversation.messages)
    messages[at] = Message(Role.USER, space.join(parts))
    return replace(conversation, messages=tuple(messages))
