"""What a run would read, counted without writing anything: never a text, never a label's value."""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import orjson

from clio.conversation import Conversation, Outcome, normalise_text
from clio.facets.language import LANGUAGE
from clio.facets.shape import TURNS, WORDS
from clio.pipeline.progress import NoProgress, Progress
from clio.pipeline.sifting import Sifter, condition, hash64
from clio.pipeline.watching import Watched
from clio.settings import Settings
from clio.sources import Inputs, Row, expand, read
from clio.sources.where import Condition

MAX_VALUES: Final = 200
"""Distinct values of a label that are told apart; a breakdown never has more."""

MAX_LABELS: Final = 200
"""Labels that are told apart; data with more put values where names should stand."""

PLACES: Final = 3
"""Rejected rows named for each reason."""

LANGUAGE_SAMPLE: Final = 5_000
"""Conversations at most whose language is looked at."""

_LONG_VALUE: Final = 32
_EXACT_UP_TO: Final = 1_000
_PERIODS: Final = 60

Basis = Literal["ids", "none", "mixed"]


@dataclass
class FileFacts:
    """One file of the input.

    Attributes
    ----------
    file
        Its path as the user gave it.
    container
        How it was taken apart: JSON Lines, Parquet and the like.
    formats
        Rows by the row format that took them; a row that could not be decoded has none.
    rows, conversations
        Rows read, and those of them that a run would take in.
    """

    file: str
    container: str
    formats: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    conversations: int = 0


@dataclass(frozen=True)
class Rejects:
    """Rows that cannot be read for one reason, and where the first of them stand."""

    reason: str
    rows: int
    first: list[str]


@dataclass(frozen=True)
class Accounts:
    """Accounts of the conversations that a run would take in.

    Attributes
    ----------
    basis
        Whether they come from ids, from distinct texts where none has an id, or from both.
    count
        How many there are.
    largest_share
        Share of the conversations that the largest holds.
    """

    basis: Basis
    count: int
    largest_share: float


@dataclass(frozen=True)
class Dates:
    """When the conversations began, in UTC.

    Attributes
    ----------
    first, last
        Days; ``None`` where no conversation has a date.
    without
        Conversations that have none.
    granularity, periods
        Conversations by day, week or month, empty ones included: first day and count.
    """

    first: date | None
    last: date | None
    without: int
    granularity: Literal["day", "week", "month"] | None
    periods: list[tuple[date, int]]


@dataclass(frozen=True)
class Languages:
    """Shares by language code, the largest first, and of how many conversations they are."""

    looked_at: int
    shares: dict[str, float]


@dataclass(frozen=True)
class Spread:
    """How a number is spread; beyond 1,000 it counts with three digits."""

    lowest: int
    median: int
    ninety_percent: int
    highest: int


@dataclass(frozen=True)
class LabelFacts:
    """One label, without its values.

    Attributes
    ----------
    name
        Its name.
    types
        The JSON types of its values, the most frequent first.
    distinct
        Distinct values; ``None`` where there are over 200.
    share
        Share of the conversations that have it.
    """

    name: str
    types: list[str]
    distinct: int | None
    share: float


@dataclass(frozen=True)
class Inspection:
    """What a run would read. All counts are exact but the shares of languages, from a sample.

    Attributes
    ----------
    files
        In the order in which they are read.
    passed_over
        Files that are left out, each with the reason.
    rows, outcomes
        Rows read, and those that end before the first stage, by outcome and reason.
    conversations
        Rows that a run would take in.
    rejects
        Reasons for which rows cannot be read, the most frequent first.
    accounts, dates, languages, turns, words, labels
        Of the conversations that a run would take in.
    more_labels
        Whether there are further labels, which were not counted.
    unknown_labels
        Labels that ``--where`` asks for and no row has.
    """

    files: list[FileFacts]
    passed_over: list[tuple[str, str]]
    rows: int
    outcomes: dict[str, dict[str, int]]
    conversations: int
    rejects: list[Rejects]
    accounts: Accounts
    dates: Dates
    languages: Languages
    turns: Spread
    words: Spread
    labels: list[LabelFacts]
    more_labels: bool
    unknown_labels: list[str]


def inspect(
    inputs: str | Path | Sequence[str | Path],
    *,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Inspection:
    """Look at conversations as `clio.run` would read them.

    Parameters
    ----------
    inputs
        Files, folders, patterns, ``-`` or addresses, as `clio.sources.expand` takes them.
    settings
        Of which `where` and `format` count here.
    progress
        Told of what happens.

    Raises
    ------
    ClioError
        With one line that says what to do; see `clio.errors`.

    Notes
    -----
    A conversation takes some 150 bytes of memory, for finding duplicates and counting accounts.
    """
    settings = settings or Settings()
    where = condition(settings)
    named = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    told = progress or NoProgress()
    found = expand(named, format=settings.format)
    counts = _Counts(where, found)
    watched = Watched(found, told)
    told.stage_started("inspect", watched.megabytes, "MB")
    started = time.monotonic()
    for row in read(watched, format=settings.format):
        counts.add(row)
    told.stage_finished("inspect", time.monotonic() - started, skipped=False)
    return counts.result()


class _Counts:
    """What is known of the rows so far."""

    def __init__(self, where: Condition | None, found: Inputs) -> None:
        self.sifter = Sifter(where)
        self.unknown_labels = set(where.labels if where is not None else ())
        self.rows = 0
        self.conversations = 0
        self.files = {item.name: FileFacts(item.name, item.container.name) for item in found}
        self.passed_over = list(found.passed_over)
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.places: dict[str, list[str]] = {}
        self.named = 0
        self.accounts = array("Q")
        self.days: Counter[int] = Counter()
        self.undated = 0
        self.languages = _LanguageSample()
        self.turns: Counter[int] = Counter()
        self.words: Counter[int] = Counter()
        self.labels = _Labels()

    def add(self, row: Row) -> None:
        self.rows += 1
        file = self.files[row.file]
        file.rows += 1
        if row.format is not None:
            file.formats[row.format] = file.formats.get(row.format, 0) + 1
        if self.unknown_labels and row.conversation is not None:
            self.unknown_labels.difference_update(row.conversation.labels)
        sifted = self.sifter.sift(row)
        if sifted.outcome is not None or row.conversation is None or sifted.id_hash is None:
            outcome, reason = sifted.outcome or Outcome.REJECTED, sifted.reason or ""
            self.outcomes[outcome.value, reason] += 1
            if outcome is Outcome.REJECTED:
                places = self.places.setdefault(reason, [])
                if len(places) < PLACES:
                    places.append(f"{row.file}:{row.line}")
            return
        file.conversations += 1
        self.take(row.conversation, sifted.id_hash)

    def take(self, conversation: Conversation, id_hash: int) -> None:
        self.conversations += 1
        self.named += conversation.user_id is not None
        self.accounts.append(_account(conversation))
        if conversation.created_at is None:
            self.undated += 1
        else:
            self.days[conversation.created_at.toordinal()] += 1
        self.languages.add(conversation, id_hash)
        self.turns[_coarse(TURNS.compute(conversation))] += 1
        self.words[_coarse(WORDS.compute(conversation))] += 1
        self.labels.add(conversation.labels)

    def result(self) -> Inspection:
        outcomes: dict[str, dict[str, int]] = {}
        for (outcome, reason), n in sorted(self.outcomes.items(), key=lambda p: (-p[1], p[0])):
            outcomes.setdefault(outcome, {})[reason] = n
        rejected = outcomes.get(Outcome.REJECTED.value, {})
        return Inspection(
            files=list(self.files.values()),
            passed_over=self.passed_over,
            rows=self.rows,
            outcomes=outcomes,
            conversations=self.conversations,
            rejects=[Rejects(reason, n, self.places[reason]) for reason, n in rejected.items()],
            accounts=self._accounts(),
            dates=_dates(self.days, self.undated),
            languages=self.languages.result(),
            turns=_spread(self.turns),
            words=_spread(self.words),
            labels=self.labels.result(self.conversations),
            more_labels=self.labels.more,
            unknown_labels=sorted(self.unknown_labels),
        )

    def _accounts(self) -> Accounts:
        _, sizes = np.unique(np.asarray(self.accounts), return_counts=True)
        basis: Basis = "mixed"
        if self.named in (0, self.conversations):
            basis = "ids" if self.named else "none"
        largest = int(sizes.max()) / self.conversations if len(sizes) else 0.0
        return Accounts(basis, len(sizes), largest)


def _account(conversation: Conversation) -> int:
    """64 bits that stand for the account, as the read stage tells accounts apart."""
    if conversation.user_id is not None:
        return hash64(f"id:{conversation.user_id}")
    return hash64(f"text:{normalise_text(chr(10).join(conversation.requester_turns()))}")


class _LanguageSample:
    """Languages of the conversations whose id's hash is small, so few that it stays quick.

    The bound halves whenever the sample is full, so the sample depends on the ids alone and not on
    the order of rows (Gibbons, Distinct sampling for highly-accurate answers to distinct values
    queries, VLDB 2001).
    """

    def __init__(self) -> None:
        self.below = 2**64
        self.found: dict[int, str] = {}

    def add(self, conversation: Conversation, id_hash: int) -> None:
        if id_hash >= self.below:
            return
        self.found[id_hash] = str(LANGUAGE.compute(conversation))
        while len(self.found) > LANGUAGE_SAMPLE:
            self.below //= 2
            self.found = {key: code for key, code in self.found.items() if key < self.below}

    def result(self) -> Languages:
        counts = sorted(Counter(self.found.values()).items(), key=lambda item: (-item[1], item[0]))
        return Languages(len(self.found), {code: n / len(self.found) for code, n in counts})


class _Label:
    def __init__(self) -> None:
        self.present = 0
        self.types: Counter[str] = Counter()
        self.values: set[bytes] | None = set()


class _Labels:
    """Names, types and numbers of distinct values of labels."""

    def __init__(self) -> None:
        self.known: dict[str, _Label] = {}
        self.more = False

    def add(self, labels: Mapping[str, Any]) -> None:
        for name, value in labels.items():
            if value is None:
                continue
            label = self.known.get(name)
            if label is None:
                if len(self.known) >= MAX_LABELS:
                    self.more = True
                    continue
                label = self.known[name] = _Label()
            label.present += 1
            label.types[_type_of(value)] += 1
            if label.values is not None:
                label.values.add(_key(value))
                if len(label.values) > MAX_VALUES:
                    label.values = None

    def result(self, conversations: int) -> list[LabelFacts]:
        return [
            LabelFacts(
                name,
                [kind for kind, _ in sorted(label.types.items(), key=lambda p: (-p[1], p[0]))],
                None if label.values is None else len(label.values),
                label.present / conversations,
            )
            for name, label in sorted(
                self.known.items(), key=lambda item: (-item[1].present, item[0])
            )
        ]


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "object" if isinstance(value, Mapping) else "list"


def _key(value: Any) -> bytes:
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return text if len(text) <= _LONG_VALUE else hash64(text.decode()).to_bytes(8, "big")


def _coarse(value: Any) -> int:
    """A count, with three digits beyond 1,000, so that few different ones are kept."""
    number = int(value)
    step = 1
    while number // step >= _EXACT_UP_TO:
        step *= 10
    return number // step * step


def _spread(counts: Mapping[int, int]) -> Spread:
    if not counts:
        return Spread(0, 0, 0, 0)
    values = np.array(sorted(counts))
    upto = np.cumsum([counts[int(value)] for value in values])
    middle, most = np.searchsorted(upto, [0.5 * upto[-1], 0.9 * upto[-1]])
    return Spread(int(values[0]), int(values[middle]), int(values[most]), int(values[-1]))


def _dates(days: Mapping[int, int], without: int) -> Dates:
    if not days:
        return Dates(None, None, without, None, [])
    first, last = date.fromordinal(min(days)), date.fromordinal(max(days))
    span = (last - first).days + 1
    granularity: Literal["day", "week", "month"] = (
        "day" if span <= _PERIODS else "week" if span <= 7 * _PERIODS else "month"
    )
    counts: Counter[date] = Counter()
    for ordinal, n in days.items():
        counts[_period(date.fromordinal(ordinal), granularity)] += n
    return Dates(
        first,
        last,
        without,
        granularity,
        [(start, counts[start]) for start in _starts(first, last, granularity)],
    )


def _period(day: date, granularity: str) -> date:
    if granularity == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if granularity == "week" else day


def _starts(first: date, last: date, granularity: str) -> Iterable[date]:
    at = _period(first, granularity)
    while at <= last:
        yield at
        if granularity == "month":
            at = (at + timedelta(days=32)).replace(day=1)
        else:
            at += timedelta(days=7 if granularity == "week" else 1)
