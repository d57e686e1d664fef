"""What was asked of a model, how it ended and what it cost, added up over all starts of a run."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from clio.analysts.answers import Ending
from clio.analysts.cache import Cache
from clio.analysts.prices import Price
from clio.analysts.providers.base import (
    FatalError,
    OverloadedError,
    ProviderError,
    StalledError,
    UnanswerableError,
    UnsupportedError,
    Usage,
)
from clio.prompting import Purpose

Attempt = Literal[
    Ending, "overloaded", "transient", "timeout", "unsupported", "unanswerable", "fatal"
]

ANSWERED: Final = ("answered", "malformed", "refused", "truncated")
"""Attempts that came back with an answer, and so with tokens as the provider counts them."""

UNANSWERED: Final = ("transient", "timeout")
"""Attempts that may have cost something though no answer came."""

TURNED_AWAY: Final = ("overloaded", "unsupported", "unanswerable", "fatal")
"""Attempts that the provider did not take up."""

_ATTEMPTS: Final = (*ANSWERED, *UNANSWERED, *TURNED_AWAY)

_REUSED: Final = "reused"

_OUTCOMES: Final[tuple[tuple[type[ProviderError], Attempt], ...]] = (
    (OverloadedError, "overloaded"),
    (UnsupportedError, "unsupported"),
    (UnanswerableError, "unanswerable"),
    (FatalError, "fatal"),
    (StalledError, "timeout"),
    (ProviderError, "transient"),
)
"""How an attempt without an answer is counted: the first kind that fits."""

_Row = tuple[int, int, int, int, int]


def attempt_of(error: ProviderError) -> Attempt:
    """How an attempt without an answer is counted."""
    return next(name for kind, name in _OUTCOMES if isinstance(error, kind))


def public_name(model: str) -> str:
    """A model's name as others may see it: without the folder behind ``files:``."""
    return "files" if model.startswith("files:") else model


class Ledger:
    """Attempts by purpose and outcome, with their tokens. Thread-safe.

    Parameters
    ----------
    cache
        Whose file it is kept in. `save` inside a transaction of the cache's makes counts and
        completions stand or fall together.
    model
        As in ``--analyst``; each model has its own counts, under its public name.
    price
        For costs; ``None`` where nobody knows it or nothing is paid.

    Notes
    -----
    Costs are made of the summed tokens at today's price, so they are exact whatever the order.
    """

    def __init__(self, cache: Cache, model: str, price: Price | None = None) -> None:
        self._cache = cache
        self._model = public_name(model)
        self._price = price
        self._batch = self._model.startswith("batch:")
        self._lock = threading.Lock()
        self._fresh = _empty()
        self._total = _empty()
        with cache.transaction() as database:
            rows = database.execute(
                "SELECT purpose, outcome, count, input, output, cached, written "
                "FROM attempts WHERE model = ?",
                (self._model,),
            ).fetchall()
        for purpose, outcome, *row in rows:
            self._total[purpose, outcome] = tuple(row)

    def count(self, purpose: Purpose, outcome: Attempt, usage: Usage = Usage()) -> None:
        """Note an attempt.

        Parameters
        ----------
        purpose
            Of its prompt.
        outcome
            How it ended.
        usage
            Tokens as the provider counts them; where no answer came, what it used at most.
        """
        self._add(purpose, outcome, usage)

    def reuse(self, purpose: Purpose, usage: Usage = Usage()) -> None:
        """Note an answer that was known already; it costs nothing now."""
        self._add(purpose, _REUSED, usage)

    def save(self) -> None:
        """Keep what was noted."""
        with self._cache.transaction() as database:
            with self._lock:
                fresh, self._fresh = self._fresh, _empty()
            database.executemany(
                "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET count = count + excluded.count, "
                "input = input + excluded.input, output = output + excluded.output, "
                "cached = cached + excluded.cached, written = written + excluded.written",
                [(self._model, *names, *row) for names, row in fresh.items()],
            )

    @property
    def calls(self) -> int:
        """Attempts of all kinds."""
        return sum(row[0] for row in self._rows(_ATTEMPTS))

    @property
    def spent(self) -> float:
        """US dollars for what was answered; 0 where there is no price."""
        return self._cost(self._rows(ANSWERED)) or 0.0

    @property
    def at_most(self) -> float:
        """US dollars that were spent at most, with what unanswered attempts may have cost."""
        return self._cost(self._rows((*ANSWERED, *UNANSWERED))) or 0.0

    def as_dict(self) -> dict[str, Any]:
        """For ``run.json``: calls, attempts by outcome, tokens and cost, in all and by purpose."""
        with self._lock:
            purposes = sorted({purpose for purpose, _ in self._total})
        return {
            "model": self._model,
            **self._summary(None),
            "purposes": {purpose: self._summary(purpose) for purpose in purposes},
        }

    def _add(self, purpose: str, outcome: str, usage: Usage) -> None:
        new = (1, usage.input, usage.output, usage.cached, usage.written)
        with self._lock:
            for rows in (self._fresh, self._total):
                rows[purpose, outcome] = _sum((rows[purpose, outcome], new))

    def _rows(self, outcomes: Iterable[str], purpose: str | None = None) -> list[_Row]:
        wanted = set(outcomes)
        with self._lock:
            return [
                row
                for (its, outcome), row in self._total.items()
                if outcome in wanted and purpose in (None, its)
            ]

    def _summary(self, purpose: str | None) -> dict[str, Any]:
        attempts = {name: _sum(self._rows((name,), purpose))[0] for name in _ATTEMPTS}
        answered = self._rows(ANSWERED, purpose)
        unanswered = self._rows(UNANSWERED, purpose)
        return {
            "calls": sum(attempts.values()),
            "attempts": {name: count for name, count in attempts.items() if count},
            "tokens": _tokens(_sum(answered)),
            "cost": self._cost(answered),
            "unanswered": {
                "calls": _sum(unanswered)[0],
                "tokens_at_most": _tokens(_sum(unanswered)),
                "cost_at_most": self._cost(unanswered),
            },
            "reused": _sum(self._rows((_REUSED,), purpose))[0],
        }

    def _cost(self, rows: Iterable[_Row]) -> float | None:
        if self._price is None:
            return None
        _, *usage = _sum(rows)
        return self._price.cost(Usage(*usage), batch=self._batch)


def _empty() -> defaultdict[tuple[str, str], _Row]:
    return defaultdict(lambda: (0, 0, 0, 0, 0))


def _sum(rows: Iterable[_Row]) -> _Row:
    count = sent = received = cached = written = 0
    for row in rows:
        count += row[0]
        sent += row[1]
        received += row[2]
        cached += row[3]
        written += row[4]
    return count, sent, received, cached, written


def _tokens(row: _Row) -> Mapping[str, int]:
    return dict(zip(("input", "output", "cached", "written"), row[1:], strict=True))
