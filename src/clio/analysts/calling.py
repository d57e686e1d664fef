"""One request to a model until it is answered or given up: retries, time-outs, budget, ledger."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from clio.analysts.answers import Reading, count_request, read_answer
from clio.analysts.budget import Budget, Reservation
from clio.analysts.cache import Cache
from clio.analysts.gate import ClosedError, Gate, Pass
from clio.analysts.ledger import Ledger, attempt_of
from clio.analysts.limits import Limits
from clio.analysts.prices import Model
from clio.analysts.providers.base import (
    Completion,
    FatalError,
    OverloadedError,
    Provider,
    ProviderError,
    Request,
    StalledError,
    TransientError,
    UnanswerableError,
    UnreachedError,
    UnsupportedError,
    Usage,
)
from clio.errors import BudgetError, ClioError, ModelError
from clio.prompting import Prompt

_OVERLOADS: Final = 4
"""Being turned away is allowed so many times as often as failing."""

_GONE: Final = 3
"""A server that answers none of so many requests is taken to be gone: fewer may be requests that it
cannot bear."""

_AGAIN: Final = "run the same command again: what is done is kept"


class StoppedError(Exception):
    """No more calls are made; why, `Calls.cause` says."""


class Calls:
    """Makes calls to a provider, many at once. Belongs to one event loop.

    Parameters
    ----------
    provider
        Who answers.
    cache, ledger
        Where completions and counts are kept, together, before a call counts as ended.
    limits, budget, model
        What is allowed, and what is known of the model.
    """

    def __init__(
        self,
        provider: Provider,
        cache: Cache,
        ledger: Ledger,
        limits: Limits,
        budget: Budget | None,
        model: Model,
    ) -> None:
        self._provider = provider
        self._cache = cache
        self._ledger = ledger
        self._limits = limits
        self._budget = budget
        self._model = model
        self._loop = asyncio.get_running_loop()
        self._gate = Gate(limits)
        self._reserved = 0
        self._given_back = asyncio.Event()
        self._answers = 0
        self._reading = 0
        self._answered: tuple[Prompt, Request] | None = None
        self._doubtful: set[asyncio.Future[None]] = set()
        self._trying_out = False
        self._stopped = asyncio.Event()
        # Jitter alone: it moves calls in time and never reaches a result.
        self._random = random.Random()  # noqa: S311
        self.cause: ClioError | None = None

    async def read(self, prompt: Prompt, request: Request) -> tuple[Completion, Reading]:
        """The answer to a request and what it says; it is kept when this returns.

        Raises
        ------
        UnanswerableError
            There will be none.
        StoppedError
            No more calls are made.
        """
        self._reading += 1
        try:
            return await self._read(prompt, request)
        finally:
            self._reading -= 1
            if len(self._doubtful) == self._reading:
                self._resolve()

    async def _read(self, prompt: Prompt, request: Request) -> tuple[Completion, Reading]:
        failures = turned_away = 0
        answers = self._answers
        counted = self._gate.counts_tokens
        tokens = count_request(request, self._model) + request.max_tokens if counted else 0
        while True:
            leave = await self._enter(tokens, again=failures + turned_away > 0)
            answer = await self._attempt(prompt, request, leave)
            if isinstance(answer, tuple):
                return answer
            if isinstance(answer, UnanswerableError):
                raise answer
            if isinstance(answer, FatalError):
                self.stop(ModelError(f"{answer}; mend that and {_AGAIN}"))
                raise StoppedError
            if isinstance(answer, OverloadedError | UnsupportedError):
                turned_away += 1
            else:
                failures += 1
            tries = failures + turned_away
            if tries <= self._limits.attempts // 2:
                # What was answered while this one waited, or still was under way, says nothing of
                # a server that has gone since.
                answers = self._answers
            if max(failures, turned_away / _OVERLOADS) >= self._limits.attempts:
                if self._answers == answers:
                    await self._doubt(answer)
                raise UnanswerableError(f"no answer after {tries} tries: {answer}")
            if isinstance(answer, UnsupportedError):
                continue
            longest = min(self._limits.longest_backoff, self._limits.backoff * 2 ** (tries - 1))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._random.uniform(0.0, longest)):
                    await self._stopped.wait()

    def stop(self, cause: ClioError) -> None:
        """Make no more calls; those under way go on."""
        self.cause = self.cause or cause
        self._gate.close()
        self._stopped.set()
        self._given_back.set()
        self._resolve()

    def save(self, answers: Sequence[tuple[str, Completion]] = ()) -> None:
        """Keep completions, and what was counted. Nothing more is asked where that cannot be."""
        try:
            with self._cache.transaction():
                self._cache.put(answers)
                self._ledger.save()
        except ClioError as error:
            self.stop(error)
            raise StoppedError from None

    async def _attempt(
        self, prompt: Prompt, request: Request, leave: Pass, *, kept: bool = True
    ) -> tuple[Completion, Reading] | ProviderError:
        """One call, counted, settled and, if wanted, kept."""
        used: int | None = 0
        latency: float | None = None
        answer: Completion | ProviderError | None = None
        try:
            reservation = await self._reserve(request)
            begin = self._loop.time()
            try:
                answer = await self._call(request)
            except asyncio.CancelledError:
                self._failed(prompt, request, StalledError(), reservation)
                raise
            if not isinstance(answer, Completion):
                used = self._failed(prompt, request, answer, reservation)
                return answer
            latency = self._loop.time() - begin
            used = answer.usage.input + answer.usage.output
            self._answers += 1
            self._answered = prompt, request
            self._resolve()
            reading = read_answer(prompt, answer)
            self._settle(reservation, answer.usage)
            self._ledger.count(prompt.purpose, reading.ending, answer.usage)
            # Before the pass is handed back: a killed process repeats no more calls than may be
            # under way.
            self.save([(request.key, answer)] if kept else ())
            return answer, reading
        finally:
            turned_away = isinstance(answer, OverloadedError)
            if isinstance(answer, OverloadedError) and answer.retry_after is not None:
                self._gate.pause(answer.retry_after)
            self._gate.leave(leave, used=used, latency=latency, turned_away=turned_away)

    async def _enter(self, tokens: int, *, again: bool) -> Pass:
        try:
            return await self._gate.enter(tokens, again=again)
        except ClosedError:
            raise StoppedError from None

    async def _call(self, request: Request) -> Completion | ProviderError:
        try:
            async with asyncio.timeout(self._limits.timeout):
                return await self._provider.generate(request)
        except ProviderError as error:
            return error
        except TimeoutError:
            return StalledError(f"no answer within {self._limits.timeout:g} s")
        except Exception as error:
            # A provider's slip; its own text may hold what was sent.
            return TransientError(f"{self._provider.name} failed: {type(error).__name__}")

    async def _reserve(self, request: Request) -> Reservation | None:
        """Set aside what the call may cost, when calls under way have given enough back."""
        while self._budget is not None and self.cause is None:
            try:
                reservation = self._budget.reserve(
                    count_request(request, self._model),
                    request.max_tokens,
                    price=self._model.price,
                )
            except BudgetError as error:
                if not self._reserved:
                    self.stop(error)
                    break
                self._given_back.clear()
                await self._given_back.wait()
            else:
                self._reserved += 1
                return reservation
        if self.cause is not None:
            raise StoppedError
        return None

    def _settle(self, reservation: Reservation | None, usage: Usage | None) -> None:
        if self._budget is not None and reservation is not None:
            self._budget.settle(reservation, usage)
            self._reserved -= 1
            self._given_back.set()

    def _failed(
        self,
        prompt: Prompt,
        request: Request,
        error: ProviderError,
        reservation: Reservation | None,
    ) -> int | None:
        """Note a call without an answer; the tokens it used, ``None`` where nobody knows."""
        maybe_billed = isinstance(error, TransientError)
        self._settle(reservation, None if maybe_billed else Usage())
        at_most = Usage()
        if maybe_billed:
            at_most = Usage(count_request(request, self._model), request.max_tokens)
        self._ledger.count(prompt.purpose, attempt_of(error), at_most)
        self.save()
        return None if maybe_billed else 0

    async def _doubt(self, error: ProviderError) -> None:
        """Find out whose fault it is that a request used up its tries while no other was answered.

        It is the request's where another one is answered after all, be it one that was answered
        before and is put again, or where few are left and all have used up their tries.

        Raises
        ------
        StoppedError
            The server is gone.
        """
        doubt = self._loop.create_future()
        self._doubtful.add(doubt)
        try:
            gone = isinstance(error, UnreachedError) or len(self._doubtful) >= _GONE
            if gone and not self._trying_out and not await self._answers_again():
                self.stop(ModelError(f"{self._provider.host} gives no answers: {error}; {_AGAIN}"))
            if len(self._doubtful) == self._reading:
                self._resolve()
            await doubt
        finally:
            self._doubtful.discard(doubt)
        if self.cause is not None:
            raise StoppedError

    async def _answers_again(self) -> bool:
        """Whether the last request that was answered still is."""
        if self._answered is None:
            return False
        prompt, request = self._answered
        self._trying_out = True
        try:
            tokens = count_request(request, self._model) + request.max_tokens
            leave = await self._enter(tokens, again=True)
            # The first answer stands: what was read from it may be in tables.
            return isinstance(await self._attempt(prompt, request, leave, kept=False), tuple)
        finally:
            self._trying_out = False

    def _resolve(self) -> None:
        """Let requests in doubt go on to their end."""
        for doubt in self._doubtful:
            if not doubt.done():
                doubt.set_result(None)
