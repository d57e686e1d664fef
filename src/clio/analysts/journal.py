"""What has been handed in and is not answered yet: written down before it is done.

A batch is paid for when it is handed in, so a run that is killed in between must know afterwards
what it was about to do. The journal names requests by their keys; no text stands in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from clio.analysts.cache import Cache
from clio.prompting import Purpose

State = Literal["intended", "submitted", "collected"]

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS batches (
        label TEXT PRIMARY KEY,
        model TEXT NOT NULL,
        state TEXT NOT NULL,
        since REAL NOT NULL,
        total INTEGER NOT NULL,
        id TEXT
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS items (
        key TEXT PRIMARY KEY,
        label TEXT,
        tries INTEGER NOT NULL,
        purpose TEXT NOT NULL,
        input_tokens INTEGER NOT NULL,
        max_output INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX IF NOT EXISTS items_by_label ON items (label)",
    "CREATE TABLE IF NOT EXISTS failures (key TEXT PRIMARY KEY, reason TEXT NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS fresh (key TEXT PRIMARY KEY) STRICT",
)

_PART: Final = 500
"""Keys a query; SQLite takes at least 999 parameters."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch as the journal knows it.

    Attributes
    ----------
    label
        Ours, sent along where the provider keeps one.
    since
        When the intent was written down, UTC.
    total
        Requests in it.
    id
        The provider's, where it is known.
    """

    label: str
    since: datetime
    total: int
    id: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """A request under way: its key, what it is for, and what it may use at most, in tokens."""

    key: str
    purpose: Purpose
    input_tokens: int
    max_output: int


class Journal:
    """Batches of one model, and what became of their requests. Thread-safe.

    A batch is ``intended`` until it is known that the provider has it, ``submitted`` until its
    answers are kept, and ``collected`` until the provider has deleted it.

    Parameters
    ----------
    cache
        In whose file it stands, so that an answer and the note of it stand or fall together.
    model
        As in ``--analyst``; each model has its own batches.
    """

    def __init__(self, cache: Cache, model: str) -> None:
        self._cache = cache
        self._model = model
        with cache.transaction() as database:
            for table in _TABLES:
                database.execute(table)

    def intend(self, label: str, items: Sequence[Item]) -> None:
        """Write down that a batch is about to be handed in. On the disk when this returns."""
        with self._cache.transaction() as database:
            database.execute(
                "INSERT INTO batches VALUES (?, ?, 'intended', ?, ?, NULL)",
                (label, self._model, datetime.now(UTC).timestamp(), len(items)),
            )
            database.executemany(
                "INSERT INTO items VALUES (?, ?, 0, ?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET label = excluded.label",
                [
                    (item.key, label, item.purpose, item.input_tokens, item.max_output)
                    for item in items
                ],
            )
        self._cache.sync()

    def submitted(self, label: str, identity: str) -> None:
        """The provider has the batch, under this id."""
        with self._cache.transaction() as database:
            database.execute(
                "UPDATE batches SET state = 'submitted', id = ? WHERE label = ?", (identity, label)
            )
        self._cache.sync()

    def withdrawn(self, label: str) -> None:
        """The provider has no such batch: its requests may be handed in again."""
        with self._cache.transaction() as database:
            database.execute("UPDATE items SET label = NULL WHERE label = ?", (label,))
            database.execute("DELETE FROM batches WHERE label = ?", (label,))

    def answered(self, keys: Iterable[str]) -> None:
        """Answers are kept; they count as fresh until `seen`."""
        rows = [(key,) for key in keys]
        with self._cache.transaction() as database:
            database.executemany("INSERT OR IGNORE INTO fresh VALUES (?)", rows)
            database.executemany("DELETE FROM items WHERE key = ?", rows)

    def failed(self, reasons: Iterable[tuple[str, str]]) -> None:
        """Requests are given up; why, by key."""
        rows = list(reasons)
        with self._cache.transaction() as database:
            database.executemany("INSERT OR REPLACE INTO failures VALUES (?, ?)", rows)
            database.executemany("DELETE FROM items WHERE key = ?", [(key,) for key, _ in rows])

    def missed(self, keys: Iterable[str]) -> None:
        """Requests ended without an answer and may be handed in again: one more try of theirs."""
        with self._cache.transaction() as database:
            database.executemany(
                "UPDATE items SET tries = tries + 1, label = NULL WHERE key = ?",
                [(key,) for key in keys],
            )

    def collected(self, label: str) -> None:
        """Of a batch all is kept. On the disk when this returns, so that it may be deleted."""
        with self._cache.transaction() as database:
            database.execute("UPDATE items SET label = NULL WHERE label = ?", (label,))
            database.execute("UPDATE batches SET state = 'collected' WHERE label = ?", (label,))
        self._cache.sync()

    def given_up(self) -> None:
        """No answer is wanted any more: what the provider has may be deleted there."""
        with self._cache.transaction() as database:
            of_model = "label IN (SELECT label FROM batches WHERE model = ?)"
            database.execute(f"UPDATE items SET label = NULL WHERE {of_model}", (self._model,))
            database.execute(
                "UPDATE batches SET state = 'collected' WHERE model = ? AND state = 'submitted'",
                (self._model,),
            )
        self._cache.sync()

    def deleted(self, label: str) -> None:
        """The provider keeps nothing of the batch any more."""
        with self._cache.transaction() as database:
            database.execute("DELETE FROM batches WHERE label = ?", (label,))

    def seen(self, keys: Iterable[str]) -> None:
        """The answers have been looked at and counted."""
        with self._cache.transaction() as database:
            database.executemany("DELETE FROM fresh WHERE key = ?", [(key,) for key in keys])

    def batches(self, state: State) -> list[Batch]:
        """Batches in a state, the oldest first."""
        rows = self._all(
            "SELECT label, since, total, id FROM batches WHERE model = ? AND state = ? "
            "ORDER BY since, label",
            (self._model, state),
        )
        return [
            Batch(label, datetime.fromtimestamp(since, UTC), total, identity)
            for label, since, total, identity in rows
        ]

    def items(self, label: str) -> list[Item]:
        """Requests of a batch that are under way."""
        query = "SELECT key, purpose, input_tokens, max_output FROM items WHERE label = ?"
        return [Item(*row) for row in self._all(query, (label,))]

    def tries(self, keys: Sequence[str]) -> dict[str, int]:
        """How often requests ended without an answer; those that never did are left out."""
        return dict(self._of(keys, "SELECT key, tries FROM items WHERE tries > 0 AND key IN"))

    def under_way(self, keys: Sequence[str]) -> set[str]:
        """Those of the keys that are in a batch."""
        rows = self._of(keys, "SELECT key FROM items WHERE label IS NOT NULL AND key IN")
        return {key for (key,) in rows}

    def failures(self, keys: Sequence[str]) -> dict[str, str]:
        """Those of the keys that were given up, and why."""
        return dict(self._of(keys, "SELECT key, reason FROM failures WHERE key IN"))

    def fresh(self, keys: Sequence[str]) -> set[str]:
        """Those of the keys whose answers nobody has looked at yet."""
        return {key for (key,) in self._of(keys, "SELECT key FROM fresh WHERE key IN")}

    def _of(self, keys: Sequence[str], query: str) -> list[Any]:
        rows: list[Any] = []
        for start in range(0, len(keys), _PART):
            part = keys[start : start + _PART]
            rows += self._all(f"{query} ({','.join('?' * len(part))})", part)
        return rows

    def _all(self, query: str, values: Sequence[object]) -> list[Any]:
        with self._cache.transaction() as database:
            return database.execute(query, values).fetchall()
