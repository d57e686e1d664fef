"""Requests laid into a folder, and answers taken out of it when somebody has brought them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from clio.analysts.cache import Cache
from clio.analysts.gathering import Gathered
from clio.analysts.journal import Journal
from clio.analysts.ledger import Ledger, attempt_of
from clio.analysts.providers.base import (
    Completion,
    FatalError,
    ProviderError,
    Request,
    UnanswerableError,
)
from clio.analysts.providers.files import MOST_BYTES, MOST_REQUESTS, Folder, Line
from clio.errors import ModelError, WaitingError, from_machine
from clio.prompting import Purpose

_TRIES: Final = 3
"""How often a request is laid out before it is given up: its answers said overloaded, or failed."""

_CHUNK: Final = 1_000
"""Answers that are kept in one step."""

_NAME: Final = re.compile(r"([0-9a-f]{64})(?:-([2-9]))?")
"""A request's key, and which try it is where it is not the first."""


class Exchange:
    """What lies in a folder to be answered. Thread-safe.

    Parameters
    ----------
    path
        The folder.
    cache, journal, ledger
        Where answers go, and where they are counted.

    Raises
    ------
    ModelError
        Others can read the folder.
    DiskError
        It cannot be made.
    """

    def __init__(self, path: Path, *, cache: Cache, journal: Journal, ledger: Ledger) -> None:
        with _disk():
            self.folder = Folder(path)
        self.host = str(self.folder.path)
        self.on_wait: Callable[[int, int], None] | None = None
        self.state = threading.RLock()
        self._waiting = threading.Lock()
        self._cache = cache
        self._journal = journal
        self._ledger = ledger
        self._lying: set[str] | None = None
        self._queue: Gathered[tuple[Purpose, Request]] = Gathered(MOST_REQUESTS, MOST_BYTES)
        self._awaited: dict[str, Purpose] = {}
        self._missed: dict[str, int] = {}
        self._unknown = 0
        self._done = 0

    def hand_in(self, wanted: Sequence[tuple[Purpose, Request]]) -> None:
        """Take requests without an answer; those that lie there already are left out."""
        with self.state:
            lying = self._ids()
            for purpose, request in wanted:
                self._awaited[request.key] = purpose
                name = self._named(request.key)
                if name not in lying and name not in self._queue:
                    self._queue.add(name, (purpose, request), self.folder.size(name, request))

    def fill(self) -> None:
        """Write files that are full."""
        with self.state:
            while self._queue.full:
                self._write()

    def wait(self) -> None:
        """Take in answers; where there are no new ones, lay out what is to be answered.

        Raises
        ------
        WaitingError
            No new answers lie there.
        ModelError
            Answers say that the model cannot be asked at all.
        DiskError
            The folder cannot be read or written.
        """
        with self._waiting, _disk():
            if self._take_in():
                return
            with self.state:
                if not self._awaited:
                    return
                while self._queue:
                    self._write()
        if self.on_wait is not None:
            self.on_wait(self._done, self._done + len(self._awaited))
        raise WaitingError(self._what_is_awaited())

    def outstanding(self) -> list[str]:
        """Names the folder where texts lie in it."""
        folders = (self.folder.requests, self.folder.responses)
        with _disk():
            count = sum(1 for folder in folders for path in folder.iterdir() if path.is_file())
        return [f"{self.host}: {count:,} files of requests and answers"] if count else []

    def close(self) -> None:
        """Nothing is held open: what is laid out stays."""

    def _what_is_awaited(self) -> str:
        message = (
            f"{len(self._awaited):,} answers are awaited: requests lie in {self.folder.requests}, "
            f"answers go into {self.folder.responses}; run the same command again when they are "
            "there"
        )
        malformed, place = self.folder.malformed()
        if malformed:
            message += f" ({malformed:,} lines cannot be read, the first in {place})"
        if self._unknown:
            message += f" ({self._unknown:,} answers are to no request of this run)"
        return message

    def _take_in(self) -> bool:
        """Keep what is new in the folder; whether there was anything."""
        news = False
        fatal: dict[str, Line] = {}
        lines = self.folder.read()
        while chunk := list(islice(lines, _CHUNK)):
            with self.state, self._cache.transaction():
                news |= self._keep(chunk, fatal)
        with self.state:
            for key, line in fatal.items():
                if key in self._awaited:
                    raise ModelError(
                        f"{self.folder.responses / line.file}: {line.outcome}, which no other try "
                        "will change; remove the file, mend what answers, and let it answer again"
                    )
        return news

    def _keep(self, lines: Sequence[Line], fatal: dict[str, Line]) -> bool:
        answers: dict[str, Completion] = {}
        errors: dict[str, tuple[int, ProviderError]] = {}
        for line in lines:
            match = _NAME.fullmatch(line.custom_id)
            if match is None or not (match[1] in self._awaited or line.custom_id in self._ids()):
                self._unknown += 1
            elif isinstance(line.outcome, Completion):
                answers.setdefault(match[1], line.outcome)
            elif isinstance(line.outcome, FatalError):
                fatal[match[1]] = line
            else:
                errors[match[1]] = (int(match[2] or 1), line.outcome)
        known = self._cache.get([*answers, *errors])
        new = {key: answer for key, answer in answers.items() if key not in known}
        self._cache.put(list(new.items()))
        self._journal.answered(new)
        for key in answers:
            self._awaited.pop(key, None)
        self._done += len(new)
        without = {key: error for key, error in errors.items() if key not in (known | answers)}
        return bool(self._miss(without)) or bool(new)

    def _miss(self, errors: dict[str, tuple[int, ProviderError]]) -> int:
        """Note requests whose answer is an error; how many that is news of."""
        given_up = self._journal.failures(list(errors))
        failed: dict[str, str] = {}
        news = 0
        for key, (tries, error) in errors.items():
            if key in given_up or tries <= self._missed.get(key, 0):
                continue
            news += 1
            self._missed[key] = tries
            if tries >= _TRIES or isinstance(error, UnanswerableError):
                failed[key] = str(error)
                if purpose := self._awaited.pop(key, None):
                    self._ledger.count(purpose, attempt_of(error))
        self._journal.failed(failed.items())
        self._ledger.save()
        return news

    def _write(self) -> None:
        """Lay out one file."""
        chosen = self._queue.take()
        with _disk():
            self.folder.write([(name, request) for name, ((_, request), _) in chosen.items()])
        self._ids().update(chosen)
        for name, ((purpose, request), _) in chosen.items():
            if name != request.key:
                # Each further try stands for one that went wrong, and is written once.
                self._ledger.count(purpose, "transient")
        self._ledger.save()

    def _named(self, key: str) -> str:
        tries = self._missed.get(key, 0)
        return f"{key}-{tries + 1}" if tries else key

    def _ids(self) -> set[str]:
        if self._lying is None:
            with _disk():
                self._lying = set(self.folder.lying())
        return self._lying


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise from_machine(error) from None
