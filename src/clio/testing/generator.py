"""A seeded generator of conversations whose true topics are known.

It plants what a run should find again: topics on two levels with Zipf-like popularity, accounts
with heavy-tailed activity and habits of their own, weeks with their rhythm, two topics that grow
and one that appears half-way, fifteen languages, duplicates and empty rows; and whatever plants
are given.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import orjson

from clio.conversation import Conversation, Message, Role
from clio.testing.plants import Claim, Pasted, Plant, Truth
from clio.testing.schedule import Languages, Schedule, schedule
from clio.testing.taxonomy import Grammar, taxonomy
from clio.testing.writing import Rates, Writer

START: Final = date(2025, 1, 6)
"""Default first day, a Monday."""

_BLOCK: Final = 2048
_DRAWS: Final = 96
"""Uniform numbers a conversation; a rare longer one begins again with the first."""

_PRODUCTS: Final = (("web", 0.55), ("mobile", 0.88), ("api", 1.0))
"""Products with their cumulative shares."""

_Claimed = tuple[str, Claim, int]
"""The plant's kind, what it claimed, and a row's position in that."""


def generate(
    n: int,
    *,
    seed: int = 0,
    accounts: int | None = None,
    weeks: int = 12,
    start: date = START,
    concerning: float = 0.03,
    languages: Languages = "natural",
    grammar: Grammar = "open",
    rates: Rates = Rates(),
    plants: Sequence[Plant] = (),
    truth: Callable[[Truth], object] | None = None,
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
    concerning
        Share of the rows whose topic is a concerning one: 0 for none, 1 for nothing else.
    languages
        ``"natural"``: English for the most part, others by the account's country, topics by
        popularity. ``"even"``: all fifteen alike, or those named alike, with the topics that all
        of them share alike, as the synthetic data in the Clio paper, Appendix C.
    grammar
        Which half of the frames: ``"open"``, or ``"holdout"``, which is for validation alone.
    rates
        How often texts have slips, pasted material and second topics.
    plants
        What else is planted, in this order.
    truth
        Is called with what labels do not tell of a conversation, before the conversation is
        yielded.

    Yields
    ------
    Conversation
        Its labels hold the truth: ``topic``, ``domain``, ``kind`` and ``language``; further
        ``product`` and ``country``.

    Raises
    ------
    ValueError
        A number is out of range, a language unknown, or a plant does not fit.
    """
    people = max(1, n // 5) if accounts is None else accounts
    if n < 0 or people < 1 or weeks < 1:
        raise ValueError("n must not be negative, and accounts and weeks at least one")
    if not 0 <= concerning <= 1:
        raise ValueError("the share of concerning topics must lie between 0 and 1")
    rng = np.random.default_rng([seed, n])
    rows = schedule(
        taxonomy(grammar),
        rng,
        n,
        accounts=people,
        weeks=weeks,
        concerning=concerning,
        languages=languages,
    )
    claims = _claims(rows, (Pasted(rates.pasted), *plants), seed)
    return _conversations(rows, rng, datetime.combine(start, time(), UTC), rates, claims, truth)


def write_jsonl(
    path: str | Path, n: int, *, truth: str | Path | None = None, **arguments: Any
) -> None:
    """Write what `generate` yields as Clio's JSON Lines; the file is whole or not there.

    Parameters
    ----------
    path
        The file.
    n
        How many rows.
    truth
        A second file, for what labels do not tell: objects with ``conversation_id``, ``user_id``,
        ``kind`` and ``detail``.
    **arguments
        Those of `generate`.
    """
    with ExitStack() as files:
        conversations = files.enter_context(_whole(Path(path)))
        known = None if truth is None else files.enter_context(_whole(Path(truth)))

        def sink(fact: Truth) -> None:
            if known is not None:
                known.write(orjson.dumps(fact, option=orjson.OPT_APPEND_NEWLINE))

        for item in generate(n, truth=sink, **arguments):
            line = orjson.dumps(as_record(item), option=orjson.OPT_APPEND_NEWLINE)
            conversations.write(line)


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


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name when all is written."""
    aside = path.with_name(f".tmp-{path.name}")
    with aside.open("wb") as file:
        yield file
    aside.replace(path)


def _claims(rows: Schedule, plants: Sequence[Plant], seed: int) -> dict[int, _Claimed]:
    """What was claimed, by row."""
    claimed: dict[int, _Claimed] = {}
    before: Counter[str] = Counter()
    for plant in plants:
        chance = [seed, len(rows), zlib.crc32(plant.kind.encode()), before[plant.kind]]
        before[plant.kind] += 1
        claim = plant.claim(rows, np.random.default_rng(chance))
        for position, row in enumerate(claim.rows.tolist()):
            claimed[row] = (plant.kind, claim, position)
    return claimed


def _conversations(
    rows: Schedule,
    rng: np.random.Generator,
    midnight: datetime,
    rates: Rates,
    claims: dict[int, _Claimed],
    truth: Callable[[Truth], object] | None,
) -> Iterator[Conversation]:
    topics, languages = rows.taxonomy.topics, rows.taxonomy.languages
    writer = Writer(rows.taxonomy, rates)
    manners = rows.manner.tolist()
    prompts = rows.taxonomy.prompts
    last: Conversation | None = None
    for first in range(0, len(rows), _BLOCK):
        block = slice(first, first + _BLOCK)
        at_once = zip(
            rng.random((min(_BLOCK, len(rows) - first), _DRAWS)).tolist(),
            rows.seconds[block].tolist(),
            rows.account[block].tolist(),
            rows.topic[block].tolist(),
            rows.language[block].tolist(),
            rows.repeats[block].tolist(),
            rows.empty[block].tolist(),
            strict=True,
        )
        for at, row in enumerate(at_once, first):
            numbers, seconds, account, about, spoken, repeats, empty = row
            if last is not None and repeats:
                yield last
                continue
            draw = cycle(numbers).__next__
            topic, language = topics[about], languages[spoken]
            product = _product(draw())
            messages, notes = writer.talk(topic, language, manners[account], draw)
            if empty:
                messages, notes = [Message(Role.USER, " ")], {}
            if product == "api" and draw() < 0.4:
                prompt = prompts[int(draw() * len(prompts))].render({}, draw)
                messages.insert(0, Message(Role.SYSTEM, prompt))
            last = Conversation(
                conversation_id=f"demo-{at + 1:07d}",
                user_id=f"u-{account:06d}",
                created_at=midnight + timedelta(seconds=seconds),
                messages=tuple(messages),
                labels={
                    "topic": topic.name,
                    "domain": topic.domain,
                    "kind": topic.kind,
                    "language": language.code,
                    "product": product,
                    "country": rows.country[account],
                },
            )
            if at in claims:
                kind, claim, position = claims[at]
                if claim.write is not None:
                    last = claim.write(position, last, draw)
                if claim.replaces:
                    notes = {}
                if truth is not None:
                    detail = claim.detail(position)
                    truth(Truth(last.conversation_id, last.user_id, kind, detail))
            if notes and truth is not None:
                truth(Truth(last.conversation_id, last.user_id, "writing", notes))
            yield last


def _product(position: float) -> str:
    return next(name for name, edge in _PRODUCTS if position < edge)
