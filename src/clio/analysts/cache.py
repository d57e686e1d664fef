"""What models have answered, so that nothing is asked, or paid for, twice."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from clio.analysts.providers.base import Completion, Usage
from clio.errors import ClioError, DiskError, from_machine
from clio.filesystem import sync

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS completions (
    key BLOB PRIMARY KEY,
    text BLOB NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cached INTEGER NOT NULL,
    written INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    truncated INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS attempts (
    model TEXT NOT NULL,
    purpose TEXT NOT NULL,
    outcome TEXT NOT NULL,
    count INTEGER NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cached INTEGER NOT NULL,
    written INTEGER NOT NULL,
    PRIMARY KEY (model, purpose, outcome)
) STRICT, WITHOUT ROWID;
"""

_PRIVATE: Final = 0o600
"""Mode of the file, and of those that SQLite puts beside it: for its owner alone."""

_PATIENCE: Final = 60.0
"""Seconds to wait for another writer of the same file."""

_LOG_PAGES: Final = 4096
"""Pages (16 MB) that the log grows by before it is folded into the file, which waits for the
disk."""

_PART: Final = 500
"""Keys a query; SQLite takes at least 999 parameters."""


class Cache:
    """Completions by request, and the counts of the ledger, in one SQLite file. Thread-safe.

    A killed process loses nothing that was put: a commit is in the hands of the operating system
    when it returns. A machine that loses power may lose the last ones; the file stays sound.

    Parameters
    ----------
    path
        The file; made for its owner alone, in a folder that exists.

    Raises
    ------
    DiskError
        It cannot be written or read, or is no such file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # One connection for each direction: those who look things up don't wait for a commit.
        self._writing = threading.RLock()
        self._reading = threading.Lock()
        self._depth = 0
        with self._careful():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, _PRIVATE))
            path.chmod(_PRIVATE)
            self._writer = self._connect()
            self._writer.execute("PRAGMA journal_mode = WAL")
            self._writer.executescript(_SCHEMA)
            self._reader = self._connect()

    def get(self, keys: Sequence[str]) -> dict[str, Completion]:
        """The completions that are known, by key (hexadecimal)."""
        found: dict[str, Completion] = {}
        with self._careful(), self._reading:
            for start in range(0, len(keys), _PART):
                part = [bytes.fromhex(key) for key in keys[start : start + _PART]]
                marks = ",".join("?" * len(part))
                query = f"SELECT * FROM completions WHERE key IN ({marks})"
                for row in self._reader.execute(query, part):
                    key, text, *usage, refused, truncated = row
                    found[key.hex()] = Completion(
                        text.decode("utf-8", "surrogatepass"),
                        Usage(*usage),
                        bool(refused),
                        bool(truncated),
                    )
        return found

    def put(self, answers: Sequence[tuple[str, Completion]]) -> None:
        """Keep completions by key, all or none. The first that was kept under a key stays."""
        rows = [
            (
                bytes.fromhex(key),
                answer.text.encode("utf-8", "surrogatepass"),
                answer.usage.input,
                answer.usage.output,
                answer.usage.cached,
                answer.usage.written,
                answer.refused,
                answer.truncated,
            )
            for key, answer in answers
        ]
        with self.transaction() as database:
            database.executemany(
                "INSERT OR IGNORE INTO completions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows
            )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """What is written inside stands whole or not at all; may be nested."""
        with self._writing, self._careful():
            self._depth += 1
            try:
                if self._depth == 1:
                    self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                if self._depth == 1:
                    self._writer.execute("COMMIT")
            except BaseException:
                if self._depth == 1 and self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    def sync(self) -> None:
        """Make all that was written durable, so that no loss of power undoes it."""
        log = self._path.with_name(f"{self._path.name}-wal")
        with self._careful(), self._writing:
            for path in (log, self._path.parent):
                if path.exists():
                    sync(path)

    def clear(self) -> None:
        """Forget all completions, so that no byte of them is left in the file or beside it."""
        with self.transaction() as database:
            database.execute("DELETE FROM completions")
        with self._careful(), self._writing, self._reading:
            # Deleted pages were overwritten (secure_delete); this leaves no older copy either.
            for step in ("wal_checkpoint(TRUNCATE)", None, "wal_checkpoint(TRUNCATE)"):
                self._writer.execute("VACUUM" if step is None else f"PRAGMA {step}").fetchall()

    def close(self) -> None:
        """Let go of the file."""
        with self._reading:
            self._reader.close()
        with self._writing:
            self._writer.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        return connection

    @contextmanager
    def _careful(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explain(error) from None
        except OSError as error:
            raise from_machine(error) from None

    def _explain(self, error: sqlite3.Error) -> ClioError:
        # Its own text may name what was to be written.
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        return DiskError(
            f"{self._path}: cannot be written or read ({name}); check the disk, "
            "and run the same command again: what is done is kept"
        )
