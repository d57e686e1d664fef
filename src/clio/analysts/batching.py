"""Requests gathered into batches, handed in once, and collected when they have ended.

Whatever is about to be handed in is journalled first. A batch of which it is not known whether the
provider has it is looked for before its requests may be handed in again.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import orjson

from clio.analysts.answers import count_request
from clio.analysts.budget import Budget, Reservation
from clio.analysts.cache import Cache
from clio.analysts.gathering import Gathered
from clio.analysts.journal import Batch, Item, Journal, State
from clio.analysts.ledger import Ledger, attempt_of
from clio.analysts.looping import BackgroundLoop
from clio.analysts.prices import Model
from clio.analysts.providers.base import (
    BatchProvider,
    Completion,
    FatalError,
    Intent,
    OverloadedError,
    ProviderError,
    Request,
    TransientError,
    UnanswerableError,
    UnclearError,
    UnsupportedError,
    Usage,
)
from clio.errors import BudgetError, ModelError
from clio.prompting import Purpose

_T = TypeVar("_T")

_LABEL: Final = 16
_NAME: Final = 64
"""Characters of a batch's label, and of a request's name: the most that both providers take."""

_ENVELOPE: Final = 1_000
"""Bytes that a request has at most beside its texts and its schema."""

_TRIES: Final = 3
"""How often a request is handed in before it is given up: expired, or failed at the provider."""

_FAILURES: Final = 20
"""Rounds in a row that the provider may fail to answer: over half an hour at the longest pause."""

_CHUNK: Final = 1_000
"""Answers that are kept in one step."""

_FEW: Final = 8
"""Where a batch of more requests brings not one answer, the fault is not the requests'."""

_AGAIN: Final = "run the same command again: what has been handed in is collected then"


@dataclass(frozen=True, slots=True)
class Pauses:
    """Between two looks at a provider.

    Attributes
    ----------
    first, longest
        Seconds; the first grows by half until the longest.
    settling
        Seconds that a batch may take to show in the provider's listing.
    """

    first: float = 5.0
    longest: float = 120.0
    settling: float = 30.0


@dataclass(frozen=True, slots=True)
class _Queued:
    request: Request
    item: Item


class Batches:
    """What is handed in to a provider's batch interface. Thread-safe.

    Parameters
    ----------
    provider
        Whose interface.
    cache, ledger, budget
        Where answers go, where they are counted, and what may be spent.
    model
        What is known of the model: its tokens, and its price outside a batch.
    pauses
        How often the provider is looked at.
    """

    def __init__(
        self,
        provider: BatchProvider,
        *,
        cache: Cache,
        journal: Journal,
        ledger: Ledger,
        budget: Budget | None,
        model: Model,
        pauses: Pauses = Pauses(),
    ) -> None:
        self.host = provider.host
        self.on_wait: Callable[[int, int], None] | None = None
        self._provider = provider
        self._cache = cache
        self._journal = journal
        self._ledger = ledger
        self._budget = budget
        self._model = model
        self._price = model.price.batched() if model.price is not None else None
        self._pauses = pauses
        self._queue: Gathered[_Queued] = Gathered(provider.max_requests, provider.max_bytes)
        self._reservations: dict[str, Reservation] = {}
        self._one_by_one = False
        self._news = 0
        self._asked = threading.local()
        # The network goes before the state: who holds the state never waits for the network.
        self._network = threading.Lock()
        self.state = threading.RLock()
        self._waiting = threading.Lock()
        self._stopped = threading.Event()
        self._loop = BackgroundLoop()
        for batch in journal.batches("submitted"):
            if not journal.items(batch.label):
                # A start that was killed had kept all of its answers.
                journal.collected(batch.label)
        for batch in (*journal.batches("intended"), *journal.batches("submitted")):
            for item in journal.items(batch.label):
                self._reserve(item)

    def hand_in(self, wanted: Sequence[tuple[Purpose, Request]]) -> None:
        """Take requests that are not answered; those that are handed in already are left out.

        Raises
        ------
        BudgetError
            One would exceed the budget, and nothing is under way that could make room.
        """
        with self.state:
            if not hasattr(self._asked, "news"):
                self._asked.news = self._news
            keys = [request.key for _, request in wanted]
            under_way = self._journal.under_way(keys)
            for purpose, request in wanted:
                if request.key in under_way or request.key in self._queue:
                    continue
                # Also without a budget: a later start may have one.
                tokens = count_request(request, self._model)
                item = Item(request.key, purpose, tokens, request.max_tokens)
                try:
                    self._reserve(item)
                except BudgetError:
                    if self._budget is not None and self._budget.in_flight:
                        return
                    raise
                self._queue.add(request.key, _Queued(request, item), _size(request))

    def fill(self) -> None:
        """Hand in what makes full batches."""
        with self.state:
            full = self._queue.full
        if full and not self._one_by_one:
            # What does not get through now, `wait` sees to.
            with self._network, suppress(TransientError, OverloadedError):
                self._check()
                self._run(self._submit_all(only_full=True))

    def wait(self) -> None:
        """Hand in what was gathered, then look until something new is collected.

        Raises
        ------
        ModelError
            The provider answers no request, cannot be reached, or it cannot be told whether a
            batch was handed in.
        """
        with self._waiting:
            # Since this thread first asked: another one may have waited meanwhile.
            before = self._asked.__dict__.pop("news", self._news)
            if self._news != before:
                return
            pause, failures = self._pauses.first, 0
            while True:
                after = None
                with self._network:
                    self._check()
                    try:
                        self._run(self._round())
                        failures = 0
                    except (TransientError, OverloadedError) as error:
                        failures += 1
                        after = getattr(error, "retry_after", None)
                        if failures >= _FAILURES:
                            raise ModelError(f"{error}; {_AGAIN}") from None
                    if self._news != before or not self._awaited():
                        return
                self._stopped.wait(max(pause, after or 0.0))
                pause = min(pause * 1.5, self._pauses.longest)

    def outstanding(self) -> list[str]:
        """Batches that the provider still keeps texts of, one line each."""
        states: dict[State, str] = {
            "intended": "not known whether it was handed in",
            "submitted": "answers are awaited",
            "collected": "to be deleted",
        }
        return [
            f"{batch.id or 'a batch'} at {self.host}: {words}"
            for state, words in states.items()
            for batch in self._journal.batches(state)
        ]

    def close(self) -> None:
        """Delete what is collected, as far as the provider lets us, and let go of it."""
        self._stopped.set()
        with self._network, self._loop:
            try:
                self._run(self._delete_collected())
            finally:
                self._run(self._provider.close())

    # What goes over the network: one coroutine at a time.

    async def _round(self) -> None:
        for batch in self._journal.batches("intended"):
            await self._settle_intent(batch)
        await self._submit_all(only_full=False)
        done = total = 0
        for batch in self._journal.batches("submitted"):
            status = await self._provider.poll(_id(batch))
            if status.refused is not None:
                self._turned_down(batch, status.refused)
            elif status.ended:
                await self._collect(batch)
            else:
                done, total = done + status.done, total + batch.total
        if self.on_wait is not None and total:
            self.on_wait(done, total)
        await self._delete_collected()

    async def _settle_intent(self, batch: Batch) -> None:
        """Learn whether a batch was handed in; where it was not, its requests are free again."""
        if datetime.now(UTC) < batch.since + timedelta(seconds=self._pauses.settling):
            return
        known = (*self._journal.batches("submitted"), *self._journal.batches("collected"))
        others = frozenset(_id(other) for other in known)
        try:
            found = await self._provider.find(Intent(batch.label, batch.total, batch.since, others))
        except UnclearError as error:
            raise ModelError(
                f"{self._provider.name}: a batch of {batch.total:,} requests was being handed in "
                f"at {batch.since:%Y-%m-%d %H:%M} UTC, and it cannot be told yet whether it is "
                f"{' or '.join(error.candidates)}; run the same command again when that has ended, "
                "or cancel it at the provider first"
            ) from None
        with self.state:
            if found is not None:
                self._journal.submitted(batch.label, found)
                return
            for item in self._journal.items(batch.label):
                self._release(item.key)
            self._journal.withdrawn(batch.label)
            self._news += 1

    async def _submit_all(self, *, only_full: bool) -> None:
        while True:
            with self.state:
                busy = self._one_by_one and self._under_way()
                if busy or not self._queue or (only_full and not self._queue.full):
                    return
                label = secrets.token_hex(_LABEL // 2)
                chosen = self._queue.take()
                self._journal.intend(label, [queued.item for queued, _ in chosen.values()])
            await self._submit(label, chosen)

    async def _submit(self, label: str, chosen: Mapping[str, tuple[_Queued, int]]) -> None:
        requests = [
            replace(queued.request, key=_name(label, key)) for key, (queued, _) in chosen.items()
        ]
        try:
            identity = await self._provider.submit(label, requests)
        except TransientError:
            # It may have arrived: the next rounds look for it.
            raise
        except ProviderError as error:
            with self.state:
                self._journal.withdrawn(label)
                for key, (queued, size) in chosen.items():
                    self._queue.add(key, queued, size)
            if isinstance(error, OverloadedError):
                raise
            raise ModelError(f"{error}; run the same command again when that is mended") from None
        self._journal.submitted(label, identity)

    async def _collect(self, batch: Batch) -> None:
        with self.state:
            items = {
                _name(batch.label, item.key): item for item in self._journal.items(batch.label)
            }
        outcomes: list[tuple[Item, Completion | ProviderError]] = []
        kinds: set[type] = set()
        fatal: FatalError | None = None
        async for name, outcome in self._provider.collect(_id(batch)):
            item = items.pop(name, None)
            if item is None:
                continue
            kinds.add(type(outcome))
            if isinstance(outcome, FatalError):
                fatal = outcome
                continue
            outcomes.append((item, outcome))
            # What was turned down is kept apart until it is known that it was not all.
            if len(outcomes) >= _CHUNK and Completion in kinds:
                self._keep(outcomes)
                outcomes = []
        if kinds == {UnanswerableError} and len(outcomes) > _FEW:
            fatal = FatalError(f"{outcomes[0][1]}, nor any other of {len(outcomes):,}")
            outcomes = []
        elif fatal is None:
            gone = TransientError(f"{self._provider.name} has no answer to the request")
            outcomes += [(item, gone) for item in items.values()]
        with self.state:
            self._keep(outcomes)
            for item in self._journal.items(batch.label):
                self._release(item.key)
            self._journal.collected(batch.label)
            self._news += 1
        if fatal is not None:
            raise ModelError(f"{fatal}; run the same command again when that is mended")

    def _turned_down(self, batch: Batch, error: ProviderError) -> None:
        """A batch was taken and then refused as a whole."""
        with self.state:
            for item in self._journal.items(batch.label):
                self._release(item.key)
            self._journal.collected(batch.label)
            self._news += 1
            # Too much was waiting there: less at once from now on, and one after the other.
            self._one_by_one = True
            self._queue.most = max(1, batch.total // 2)
        if isinstance(error, FatalError) or batch.total == 1:
            raise ModelError(f"{error}; run the same command again when that is mended")

    async def _delete_collected(self) -> None:
        for batch in self._journal.batches("collected"):
            try:
                await self._provider.delete(_id(batch))
            except ProviderError:
                continue  # `outstanding` names it
            self._journal.deleted(batch.label)

    # What is known here.

    def _keep(self, outcomes: Sequence[tuple[Item, Completion | ProviderError]]) -> None:
        """Keep answers, and note what has none; all of it or nothing."""
        with self.state, self._cache.transaction():
            answers = [(item, one) for item, one in outcomes if isinstance(one, Completion)]
            self._cache.put([(item.key, completion) for item, completion in answers])
            self._journal.answered(item.key for item, _ in answers)
            for item, completion in answers:
                self._release(item.key, completion.usage)
            missing = [(item, one) for item, one in outcomes if isinstance(one, ProviderError)]
            tries = self._journal.tries([item.key for item, _ in missing])
            failed, missed = [], []
            for item, error in missing:
                self._ledger.count(item.purpose, attempt_of(error))
                self._release(item.key)
                if isinstance(error, UnsupportedError):
                    continue  # the provider asks otherwise from now on: no try of the request's
                again = not isinstance(error, UnanswerableError)
                if again and tries.get(item.key, 0) + 1 < _TRIES:
                    missed.append(item.key)
                else:
                    failed.append((item.key, str(error)))
            self._journal.missed(missed)
            self._journal.failed(failed)
            self._ledger.save()

    def _under_way(self) -> bool:
        return bool(self._journal.batches("intended") or self._journal.batches("submitted"))

    def _awaited(self) -> bool:
        with self.state:
            return bool(self._queue) or self._under_way()

    def _reserve(self, item: Item) -> None:
        if self._budget is not None:
            self._reservations[item.key] = self._budget.reserve(
                item.input_tokens, item.max_output, price=self._price
            )

    def _release(self, key: str, usage: Usage = Usage()) -> None:
        """Settle what was set aside. A request of a batch that has no answer costs nothing."""
        reservation = self._reservations.pop(key, None)
        if reservation is not None and self._budget is not None:
            self._budget.settle(reservation, usage)

    def _check(self) -> None:
        if self._stopped.is_set():
            raise ModelError(f"waiting was stopped; {_AGAIN}")

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        try:
            return self._loop.run(work)
        except FatalError as error:
            raise ModelError(f"{error}; {_AGAIN}") from None


def _id(batch: Batch) -> str:
    if batch.id is None:
        raise AssertionError("a batch was submitted without an id")
    return batch.id


def _name(label: str, key: str) -> str:
    """What a request is called at the provider: the batch it belongs to, then its key."""
    return (label + key)[:_NAME]


def _size(request: Request) -> int:
    """Bytes of a request at most."""
    parts = (request.system, request.user, dict(request.schema), request.retry_of)
    return len(orjson.dumps(parts)) + _ENVELOPE
