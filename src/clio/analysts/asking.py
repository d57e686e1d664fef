"""Asking a model from any thread: what is known comes from the cache, the rest from a provider."""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from clio.analysts.answers import (
    RE_ASKS,
    Reading,
    first_request,
    further_request,
    read_answer,
)
from clio.analysts.budget import Budget
from clio.analysts.cache import Cache
from clio.analysts.calling import Calls, StoppedError
from clio.analysts.journal import Journal
from clio.analysts.ledger import Ledger
from clio.analysts.limits import Limits
from clio.analysts.prices import Model, Price
from clio.analysts.providers import check_provider, load_provider
from clio.analysts.providers.base import Completion, Provider, Request, UnanswerableError
from clio.analysts.providers.endpoints import endpoint
from clio.conversation import Outcome
from clio.errors import ModelError, SettingsError
from clio.prompting import Asker, Prompt, Reply

CACHE_FILE: Final = "answers.sqlite"
"""In the private folder of a run."""

_DEFERRED: Final = ("batch", "files")
"""First words of names whose answers come later."""

_PART: Final = 256
"""Prompts handed in at once: the first calls leave while the rest is still looked up."""

_STOPPED: Final = "asking was stopped; run the same command again: what is done is kept"


class ModelAsker(Asker, Protocol):
    """An asker that can be let go of and gives an account.

    Attributes
    ----------
    host
        Where texts are sent to; shown before the first byte leaves.
    ledger
        What was asked, how it ended and what it cost.
    """

    host: str
    ledger: Ledger

    def close(self) -> None:
        """Let what is under way finish, keep it, and let go of everything."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def open_asker(
    name: str,
    *,
    folder: Path,
    base_url: str | None = None,
    limits: Limits = Limits(),
    budget: Budget | None = None,
    known: Model = Model(),
) -> ModelAsker:
    """An asker of a model.

    Parameters
    ----------
    name
        As in ``--analyst``: ``anthropic:MODEL``, ``openai:MODEL``, ``batch:anthropic:MODEL``,
        ``batch:openai:MODEL``, ``files:DIR``, or another package's ``NAME:MODEL``.
    folder
        The private folder of the run, where answers are kept.
    base_url
        Of a server other than the provider's own.
    limits, budget, known
        What is allowed, and what is known of the model.

    Raises
    ------
    SettingsError
        The name names nobody.
    ModelError
        The provider cannot be used: no SDK, no key, or texts would go out in the open.
    DiskError
        Answers cannot be kept.
    """
    provider_name, _, model = name.partition(":")
    if not model:
        raise SettingsError(f"'{name}' names no model; write PROVIDER:MODEL, or files:DIR")
    if provider_name in _DEFERRED:
        from clio.analysts.deferred import open_deferred

        cache = Cache(folder / CACHE_FILE)
        try:
            return open_deferred(
                name,
                base_url=base_url,
                budget=budget,
                known=known,
                cache=cache,
                ledger=Ledger(cache, name, known.price),
            )
        except BaseException:
            cache.close()
            raise
    provider = load_provider(provider_name, model, base_url)
    return ImmediateAsker(provider, folder / CACHE_FILE, limits=limits, budget=budget, known=known)


def check_model(name: str, base_url: str | None = None) -> None:
    """See that a name names somebody and that texts would not go out in the open.

    Needs neither key nor SDK.

    Parameters
    ----------
    name, base_url
        As for `open_asker`.

    Raises
    ------
    SettingsError
        The name names nobody.
    ModelError
        The address is none, or in the open.
    """
    kind, _, rest = name.partition(":")
    if kind == "batch":
        from clio.analysts.deferred import batch_names

        batch_names(name)
    elif kind != "files":
        check_provider(kind)
    if not rest:
        raise SettingsError(f"'{name}' names no model; write PROVIDER:MODEL, or files:DIR")
    if base_url is not None:
        endpoint(base_url)


class ImmediateAsker:
    """Asks a provider that answers at once. Any thread may ask, several at the same time.

    All calls are made on one event loop in a thread of its own, so that they share connections,
    limits and budget. A prompt that several ask at the same time is asked once.

    Parameters
    ----------
    provider
        Who answers.
    path
        The file that answers are kept in.
    limits, budget, known
        What is allowed, and what is known of the model.
    """

    def __init__(
        self,
        provider: Provider,
        path: Path,
        *,
        limits: Limits = Limits(),
        budget: Budget | None = None,
        known: Model = Model(),
    ) -> None:
        self.host = provider.host
        self._provider = provider
        self._limits = limits
        self._cache = Cache(path)
        self._journal = Journal(self._cache, provider.name)
        self.ledger = Ledger(self._cache, provider.name, known.price)
        self._asked: dict[str, Future[Reply]] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="clio-asker", daemon=True)
        self._thread.start()
        self._calls = asyncio.run_coroutine_threadsafe(
            self._start(budget, known), self._loop
        ).result()

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order; as `Asker.ask`.

        Raises
        ------
        ModelError
            No request will be answered, the server is gone, or asking was stopped.
        BudgetError
            The budget is used up. What was under way is kept, here and above.
        DiskError
            Answers cannot be kept.
        """
        futures: list[Future[Reply]] = []
        for start in range(0, len(prompts), _PART):
            futures += self._hand_in(prompts[start : start + _PART])
        try:
            wait(futures)
        except BaseException:
            # Ctrl-C: what is under way finishes first. A second one ends that at once.
            self._loop.call_soon_threadsafe(self._calls.stop, ModelError(_STOPPED))
            wait(futures, timeout=self._limits.grace)
            raise
        try:
            return [future.result() for future in futures]
        except StoppedError:
            # A copy: every thread that raises an error writes its own trace into it.
            raise copy.copy(self._calls.cause or ModelError(_STOPPED)) from None

    def wait(self) -> None:
        """Return at once: `ask` leaves nothing awaited."""

    def close(self) -> None:
        """Let what is under way finish for a while, keep it, and let go of everything."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        asyncio.run_coroutine_threadsafe(self._finish(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        # What was handed over too late to be begun.
        for key in list(self._asked):
            self._settle(key, StoppedError())
        self._cache.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _hand_in(self, prompts: Sequence[Prompt]) -> list[Future[Reply]]:
        """Where the reply to each prompt will be found."""
        requests = [first_request(self._provider.name, prompt) for prompt in prompts]
        futures = []
        mine: dict[str, tuple[Prompt, Request]] = {}
        with self._lock:
            if self._closed:
                raise ModelError(_STOPPED)
            for prompt, request in zip(prompts, requests, strict=True):
                # Named before it is looked up, and let go after it is kept: so never asked twice.
                if request.key not in self._asked:
                    self._asked[request.key] = Future()
                    mine[request.key] = (prompt, request)
                futures.append(self._asked[request.key])
        self._look_up(mine)
        return futures

    def _look_up(self, mine: Mapping[str, tuple[Prompt, Request]]) -> None:
        """Settle what is known already and have the rest asked."""
        jobs: list[_Job] = []
        open_ = [_Job(key, prompt, request) for key, (prompt, request) in mine.items()]
        try:
            while open_:
                keys = [job.request.key for job in open_]
                known, failed = self._cache.get(keys), self._journal.failures(keys)
                further: list[_Job] = []
                for job in open_:
                    completion = known.get(job.request.key)
                    if completion is None and job.request.key in failed:
                        self._settle(job.key, _failed(failed[job.request.key]))
                        continue
                    if completion is None:
                        jobs.append(job)
                        continue
                    reading = self._reuse(job.prompt, completion)
                    if reading.again and job.again < RE_ASKS:
                        further.append(job.further(completion, reading))
                    else:
                        self._settle(job.key, reading.reply)
                open_ = further
            if jobs:
                self._loop.call_soon_threadsafe(self._begin, jobs)
        except BaseException as error:
            for key in mine:
                self._settle(key, error)
            raise

    def _reuse(self, prompt: Prompt, completion: Completion) -> Reading:
        self.ledger.reuse(prompt.purpose, completion.usage)
        return read_answer(prompt, completion)

    def _settle(self, key: str, outcome: Reply | BaseException) -> None:
        with self._lock:
            future = self._asked.pop(key, None)
        if future is None:
            return
        if isinstance(outcome, Reply):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    async def _start(self, budget: Budget | None, known: Model) -> Calls:
        return Calls(self._provider, self._cache, self.ledger, self._limits, budget, known)

    def _begin(self, jobs: Iterable[_Job]) -> None:
        for job in jobs:
            task = self._loop.create_task(self._answer(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, job: _Job) -> None:
        outcome: Reply | BaseException
        try:
            outcome = await self._read(job)
        except asyncio.CancelledError:
            outcome = StoppedError()
        except Exception as error:
            outcome = error
        self._settle(job.key, outcome)

    async def _read(self, job: _Job) -> Reply:
        try:
            completion, reading = await self._calls.read(job.prompt, job.request)
            while reading.again and job.again < RE_ASKS:
                job = job.further(completion, reading)
                completion, reading = await self._calls.read(job.prompt, job.request)
        except UnanswerableError as error:
            # Kept: where such requests alone are left, a later start could not tell whose fault
            # it is.
            self._journal.failed([(job.request.key, str(error))])
            return _failed(str(error))
        return reading.reply

    async def _finish(self) -> None:
        self._calls.stop(ModelError(_STOPPED))
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._limits.grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late)
        with suppress(StoppedError):
            self._calls.save()
        await self._provider.close()


@dataclass(frozen=True, slots=True)
class _Job:
    """A prompt under way: under what key it is awaited, and what is to be sent for it."""

    key: str
    prompt: Prompt
    request: Request
    again: int = 0

    def further(self, completion: Completion, reading: Reading) -> _Job:
        """The same with what is sent where an answer did not pass."""
        reason = reading.reply.reason or ""
        request = further_request(self.prompt, self.request, completion, reason)
        return replace(self, request=request, again=self.again + 1)


def _failed(reason: str) -> Reply:
    return Reply(Outcome.FAILED, reason=reason)


def kept_ledger(folder: Path, name: str, price: Price | None = None) -> Ledger | None:
    """What was asked of a model in earlier starts of a run; ``None`` where nothing was.

    Parameters
    ----------
    folder, name, price
        As for `open_asker`.
    """
    if not (folder / CACHE_FILE).is_file():
        return None
    cache = Cache(folder / CACHE_FILE)
    try:
        return Ledger(cache, name, price)
    finally:
        cache.close()


def spent_before(folder: Path, name: str, price: Price | None = None) -> tuple[float, int]:
    """US dollars at most, and calls, that a model has used in earlier starts of a run.

    Parameters
    ----------
    folder, name, price
        As for `open_asker`.
    """
    ledger = kept_ledger(folder, name, price)
    return (0.0, 0) if ledger is None else (ledger.at_most, ledger.calls)
