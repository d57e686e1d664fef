"""Where calls wait until they may leave."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from clio.analysts.limits import Bucket, Concurrency, Limits


class ClosedError(Exception):
    """Nothing more is let through."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to make one call, until it is handed back.

    Attributes
    ----------
    round
        The round trip it belongs to.
    tokens
        What was set aside of the tokens a minute.
    """

    round: int
    tokens: int


@dataclass(slots=True)
class _Waiting:
    future: asyncio.Future[Pass]
    tokens: int


class Gate:
    """Lets calls through one by one, as concurrency, rates and the server's wishes allow.

    Belongs to one event loop. Who was turned away goes before who never was.

    Parameters
    ----------
    limits
        What is allowed.
    """

    def __init__(self, limits: Limits) -> None:
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._concurrency = Concurrency(limits.concurrency)
        self._requests = _bucket(limits.requests_per_minute, now)
        self._tokens = _bucket(limits.tokens_per_minute, now)
        self._first: deque[_Waiting] = deque()
        self._later: deque[_Waiting] = deque()
        self._paused_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._under_way = 0
        self._closed = False

    @property
    def counts_tokens(self) -> bool:
        """Whether it matters how many tokens a call has."""
        return self._tokens is not None

    async def enter(self, tokens: int = 0, *, again: bool = False) -> Pass:
        """Wait for leave to make a call.

        Parameters
        ----------
        tokens
            What it uses at most.
        again
            The call was made before.

        Raises
        ------
        ClosedError
            The gate is closed.
        """
        if self._closed:
            raise ClosedError
        waiting = _Waiting(self._loop.create_future(), tokens)
        (self._first if again else self._later).append(waiting)
        self._admit()
        try:
            return await waiting.future
        except asyncio.CancelledError:
            future = waiting.future
            if future.done() and not future.cancelled() and future.exception() is None:
                self.leave(future.result(), used=0)
            raise

    def leave(
        self,
        leave: Pass,
        *,
        used: int | None = None,
        latency: float | None = None,
        turned_away: bool = False,
    ) -> None:
        """Hand a pass back.

        Parameters
        ----------
        leave
            The pass.
        used
            Tokens that the call did use; ``None`` where it is not known.
        latency
            Seconds to the answer; ``None`` where there was none.
        turned_away
            The server was overloaded.
        """
        self._under_way -= 1
        self._concurrency.ended(
            leave.round,
            latency=latency,
            turned_away=turned_away,
            waiting=bool(self._first or self._later),
        )
        if self._tokens is not None and used is not None:
            self._tokens.take(used - leave.tokens, self._loop.time())
        self._admit()

    def pause(self, seconds: float) -> None:
        """Let nothing through for so long."""
        self._paused_until = max(self._paused_until, self._loop.time() + seconds)

    def close(self) -> None:
        """Let nothing through any more, nor let anybody wait."""
        self._closed = True
        for queue in (self._first, self._later):
            for waiting in queue:
                if not waiting.future.done():
                    waiting.future.set_exception(ClosedError())
            queue.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _admit(self) -> None:
        while queue := self._first or self._later:
            if queue[0].future.done():  # cancelled while it waited
                queue.popleft()
                continue
            if self._under_way >= self._concurrency.level:
                return
            delay = self._delay(queue[0].tokens)
            if delay > 0:
                self._admit_in(delay)
                return
            waiting = queue.popleft()
            now = self._loop.time()
            if self._requests is not None:
                self._requests.take(1, now)
            if self._tokens is not None:
                self._tokens.take(waiting.tokens, now)
            self._under_way += 1
            waiting.future.set_result(Pass(self._concurrency.round, waiting.tokens))

    def _delay(self, tokens: int) -> float:
        now = self._loop.time()
        return max(
            self._paused_until - now,
            self._requests.delay(1, now) if self._requests is not None else 0.0,
            self._tokens.delay(tokens, now) if self._tokens is not None else 0.0,
        )

    def _admit_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._admit)


def _bucket(per_minute: int | None, now: float) -> Bucket | None:
    return Bucket(per_minute, now) if per_minute is not None else None
