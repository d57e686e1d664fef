"""Batches at the stand-in: when they end, and what becomes of their items."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from clio.testing.model_server.faults import draw

Fate = Literal["answered", "errored", "expired", "canceled"]


@dataclass(frozen=True, slots=True)
class BatchTiming:
    """When batches end, and how.

    Attributes
    ----------
    polls
        A batch ends at the look at it that comes after so many others.
    seconds
        And not before it is so old.
    errored
        Share of the items that end with an error of the server's.
    expired
        Share of the items that are not answered in time.
    lost
        So many of the first creations get no answer: the batch exists, but the connection breaks.
    page
        Most batches of one page of a listing.
    """

    polls: int = 0
    seconds: float = 0.0
    errored: float = 0.0
    expired: float = 0.0
    lost: int = 0
    page: int = 20


@dataclass(frozen=True, slots=True)
class Item:
    """One request of a batch: its own name, its body, and the digest of that."""

    custom_id: str
    body: Mapping[str, Any]
    digest: bytes


@dataclass
class Batch:
    """A batch and how far it is.

    Attributes
    ----------
    id
        By which it is asked for.
    items
        Its requests.
    about
        What the protocol keeps beside them.
    created, ended, canceled
        Seconds since the epoch; ``None`` where it has not come to that.
    results
        What the protocol made of each item, when it has ended.
    """

    id: str
    items: Sequence[Item]
    about: dict[str, Any]
    created: float
    looks: int = 0
    canceled: float | None = None
    ended: float | None = None
    results: dict[str, Any] = field(default_factory=dict)


class Batches:
    """All batches of one protocol, newest last.

    Parameters
    ----------
    prefix
        Of their ids.
    timing
        When they end.
    seed
        Of the items' fates.
    """

    def __init__(self, prefix: str, timing: BatchTiming, seed: int) -> None:
        self._prefix = prefix
        self._timing = timing
        self._seed = seed
        self._made = 0
        self.all: dict[str, Batch] = {}

    def create(self, items: Sequence[Item], about: dict[str, Any]) -> tuple[Batch, bool]:
        """Put a batch in; whether its creator is to be told."""
        self._made += 1
        name = f"{self._prefix}{self._made:024d}"
        batch = self.all[name] = Batch(name, items, about, time.time())
        return batch, self._made > self._timing.lost

    def look(self, name: str) -> Batch | None:
        """The batch of an id, and one more look at it: `due` may hold afterwards."""
        batch = self.all.get(name)
        if batch is not None:
            batch.looks += 1
        return batch

    def due(self, batch: Batch) -> bool:
        """Whether it is to end now: it has been looked at and is old enough, or was cancelled."""
        if batch.ended is not None:
            return False
        if batch.canceled is not None:
            return True
        old = time.time() - batch.created >= self._timing.seconds
        return old and batch.looks > self._timing.polls

    def fate(self, batch: Batch, item: Item) -> Fate:
        """What becomes of an item, when the batch ends."""
        if batch.canceled is not None:
            return "canceled"
        at = draw(self._seed, "fate", item.digest)
        if at < self._timing.errored:
            return "errored"
        if at < self._timing.errored + self._timing.expired:
            return "expired"
        return "answered"

    def page(self, after: str | None, limit: int | None) -> tuple[list[Batch], bool]:
        """Batches, newest first, behind the one named; and whether there are more."""
        names = list(reversed(self.all))
        first = names.index(after) + 1 if after in self.all else 0
        size = min(limit or self._timing.page, self._timing.page)
        chosen = names[first : first + size]
        return [self.all[name] for name in chosen], first + size < len(names)
