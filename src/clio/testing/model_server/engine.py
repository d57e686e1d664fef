"""What the stand-in server does with a call, whichever protocol it came in, and what it counts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from clio.analysts.providers.base import Usage
from clio.testing.model_server.faults import (
    ContentFault,
    Faults,
    Meter,
    RateLimits,
    draw,
)
from clio.testing.model_server.shown import Respond, ShownRequest
from clio.testing.model_server.tokens import Family, count_tokens, cut_tokens, family_of

Outcome = Literal["answered"] | ContentFault

_CACHE_BLOCK: Final = 128
_PROSE: Final = "I had a look at this and there are several things that could be said about it."


class CallError(Exception):
    """A call that gets a status other than 200.

    Parameters
    ----------
    status
        Of HTTP.
    reason
        What it is counted under.
    message
        For people; never repeats what was sent.
    retry_after
        Seconds, for the header of that name.
    """

    def __init__(
        self, status: int, reason: str, message: str, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after = retry_after


class BrokenConnectionError(Exception):
    """The connection is to be broken without an answer."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as a protocol reads it.

    Attributes
    ----------
    shown
        What the model sees.
    prefix
        The part that the provider may cache, or empty: tools, system and what is marked.
    rest
        What is billed beside it.
    tool
        Name of the tool that the answer must be given to, where one is forced.
    automatic
        The provider caches unasked, in whole blocks, and bills nothing for putting in.
    """

    shown: ShownRequest
    prefix: str
    rest: str
    tool: str | None = None
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote, and how it ended."""

    outcome: Outcome
    text: str
    usage: Usage


class Engine:
    """Answers calls, with faults, limits and latency, and counts what it did.

    Parameters
    ----------
    respond
        Where answers come from.
    latency, jitter
        Seconds that an answer takes, and what is added to it at most.
    faults, limits
        What goes wrong.
    seed
        Of faults and jitter.
    models
        The models that there are; ``None`` for any.
    cache_minimum
        The shortest prefix, in tokens, that is cached.
    """

    def __init__(
        self,
        respond: Respond,
        *,
        latency: float,
        jitter: float,
        faults: Faults,
        limits: RateLimits,
        seed: int,
        models: Collection[str] | None,
        cache_minimum: int,
    ) -> None:
        self._respond = respond
        self._latency = latency
        self._jitter = jitter
        self._seed = seed
        self._models = None if models is None else frozenset(models)
        self._cache_minimum = cache_minimum
        self._prefixes: dict[tuple[str, Family], int] = {}
        self._cached: set[str] = set()
        self._meter = Meter(limits)
        self._limited = limits.requests_per_minute is not None or (
            limits.tokens_per_minute is not None
        )
        self._now = 0
        self._number = 0
        self.broken: Exception | None = None
        self.faults = faults
        self.counts: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.usage = Usage()
        self.peak = 0

    async def call(self, call: Call, body: bytes) -> Written:
        """Answer a call whose body has the digest `body`.

        Raises
        ------
        CallError, BrokenConnectionError
            It is not answered.
        """
        self._now += 1
        self.peak = max(self.peak, self._now)
        try:
            return await self._call(call, body)
        finally:
            self._now -= 1

    async def _call(self, call: Call, body: bytes) -> Written:
        name = body.hex()
        attempt = self.requests[name]
        self.requests[name] += 1
        self._known(call.shown.model)
        if self._limited:
            wait = self._meter.admit(sum(self._tokens(call)))
            if wait:
                raise CallError(429, "overloaded", "You are over your rate limit.", wait)
        fault = self.faults.on_the_way(self._seed, body, attempt)
        if fault == "overloaded":
            busy = draw(self._seed, "busy", body, attempt) < 0.25
            raise CallError(
                529 if busy else 429,
                "overloaded",
                "Overloaded." if busy else "You are over your rate limit.",
                self.faults.retry_after,
            )
        if fault == "stall":
            self.counts["stall"] += 1
            await asyncio.sleep(self.faults.stall_seconds)
            raise BrokenConnectionError
        delay = self._latency
        if self._jitter:
            delay += self._jitter * draw(self._seed, "jitter", body, attempt)
        if delay:
            await asyncio.sleep(delay)
        if fault == "disconnect":
            self.counts["disconnect"] += 1
            raise BrokenConnectionError
        if fault == "error":
            unavailable = draw(self._seed, "status", body, attempt) < 0.5
            raise CallError(503 if unavailable else 500, "error", "Internal server error.")
        written = self._write(call)
        if self._limited:
            self._meter.take(0, written.usage.output)
        return written

    def item(self, call: Call, body: bytes) -> Written:
        """Answer an item of a batch: nothing happens to it on its way.

        Raises
        ------
        CallError
            It is not answered.
        """
        self.requests[body.hex()] += 1
        self._known(call.shown.model)
        return self._write(call)

    def number(self) -> int:
        """The next number that an id is made of."""
        self._number += 1
        return self._number

    def _known(self, model: str) -> None:
        if self._models is not None and model not in self._models:
            raise CallError(404, "unknown_model", "There is no such model.")

    def _write(self, call: Call) -> Written:
        """What the model writes, with the faults that lie in answers; counted."""
        shown = call.shown
        cached, new, rest = self._billed(call)
        fault = self.faults.in_the_answer(self._seed, shown.question, shown.whole)
        text = "" if fault == "refused" else self._text(shown, fault)
        most = shown.max_tokens
        family = family_of(shown.model)
        tokens = count_tokens(text, family)
        if fault == "truncated":
            most = min(most, max(tokens // 2, 1))
        if tokens > most:
            text, tokens = cut_tokens(text, most, family), most
            fault = "truncated"
        usage = Usage(cached + new + rest, tokens, cached, new)
        outcome: Outcome = fault or "answered"
        self.counts[outcome] += 1
        self.usage = Usage(
            self.usage.input + usage.input,
            self.usage.output + usage.output,
            self.usage.cached + usage.cached,
            self.usage.written + usage.written,
        )
        return Written(outcome, text, usage)

    def _text(self, shown: ShownRequest, fault: ContentFault | None) -> str:
        try:
            answer = self._respond(shown)
        except Exception as problem:
            # A mistake in the test, not of the server that is played: it is shown to whoever
            # started this one.
            self.broken = self.broken or problem
            raise CallError(500, "broken", "The responder failed.") from problem
        if fault == "out_of_schema" and not isinstance(answer, str):
            return orjson.dumps(_misshapen(answer, shown, self._seed)).decode()
        text = answer if isinstance(answer, str) else orjson.dumps(answer).decode()
        if fault == "malformed":
            prose = draw(self._seed, "prose", shown.whole) < 0.5
            return _PROSE if prose else text[: max(len(text) * 2 // 3, 1)]
        return text

    def _billed(self, call: Call) -> tuple[int, int, int]:
        """Tokens read from the cache, put into it, and billed as ever."""
        prefix, rest = self._tokens(call)
        if prefix < self._cache_minimum:
            return 0, 0, prefix + rest
        known = call.prefix in self._cached
        self._cached.add(call.prefix)
        if call.automatic:
            blocks = prefix // _CACHE_BLOCK * _CACHE_BLOCK if known else 0
            return blocks, 0, prefix - blocks + rest
        return (prefix, 0, rest) if known else (0, prefix, rest)

    def _tokens(self, call: Call) -> tuple[int, int]:
        """Tokens of the part that may be cached, and of the rest."""
        family = family_of(call.shown.model)
        prefix = self._prefixes.get((call.prefix, family))
        if prefix is None:
            prefix = count_tokens(call.prefix, family)
            self._prefixes[call.prefix, family] = prefix
        return prefix, count_tokens(call.rest, family)


def _misshapen(answer: Mapping[str, Any], shown: ShownRequest, seed: int) -> dict[str, Any]:
    """The answer with one field missing or of a type that no schema here has."""
    broken = dict(answer)
    if not broken:
        return {"answer": None}
    names = sorted(broken)
    name = names[int(draw(seed, "field", shown.whole) * len(names))]
    if draw(seed, "missing", shown.whole) < 0.5:
        del broken[name]
    else:
        broken[name] = {"value": broken[name]}
    return broken
