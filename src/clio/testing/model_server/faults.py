"""What the stand-in server does wrong on purpose, and how fast it may be asked."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, fields
from typing import Literal

TransportFault = Literal["overloaded", "error", "disconnect", "stall"]
ContentFault = Literal["refused", "malformed", "out_of_schema", "truncated"]

_SHARES = (
    *("overloaded", "errors", "disconnects", "stalls"),
    *("malformed", "out_of_schema", "truncated", "refusals"),
)


def draw(seed: int, purpose: str, digest: bytes, number: int = 0) -> float:
    """A number in [0, 1) that depends on nothing but the arguments."""
    key = b"%d %s %d " % (seed, purpose.encode(), number) + digest
    return int.from_bytes(hashlib.blake2b(key, digest_size=7).digest()) / 2**56


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares of the calls that go wrong, by kind.

    The first four strike a call on its way: whether one does depends on the body and on how often
    that body has come, so that a second attempt may pass. The others lie in the answer: whether
    one does depends on what is shown to the model alone, so that an interrupted run that asks
    again gets the same answer. A refusal holds for later tries too.

    Attributes
    ----------
    overloaded
        Status 429 with ``Retry-After``; of Anthropic's, one in four is 529 without it.
    errors
        Status 500, or 503.
    disconnects
        The connection breaks instead of an answer.
    stalls
        Nothing comes for `stall_seconds`, then the connection breaks.
    malformed
        No JSON object: cut in the middle, or only prose.
    out_of_schema
        A JSON object that is not of the schema: a field is missing or of another type.
    truncated
        The answer ends in its middle, as if ``max_tokens`` had been reached.
    refusals
        The model will not answer.
    retry_after, stall_seconds
        Seconds.
    """

    overloaded: float = 0.0
    errors: float = 0.0
    disconnects: float = 0.0
    stalls: float = 0.0
    malformed: float = 0.0
    out_of_schema: float = 0.0
    truncated: float = 0.0
    refusals: float = 0.0
    retry_after: float = 0.1
    stall_seconds: float = 60.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 0 or (field.name in _SHARES and value > 1):
                raise ValueError(f"the fault {field.name} cannot be {value}")

    def on_the_way(self, seed: int, body: bytes, attempt: int) -> TransportFault | None:
        """What strikes an attempt to send a body."""
        kinds: tuple[tuple[TransportFault, float], ...] = (
            ("overloaded", self.overloaded),
            ("error", self.errors),
            ("disconnect", self.disconnects),
            ("stall", self.stalls),
        )
        at = draw(seed, "way", body, attempt)
        for kind, share in kinds:
            if at < share:
                return kind
            at -= share
        return None

    def in_the_answer(self, seed: int, question: bytes, whole: bytes) -> ContentFault | None:
        """What is wrong with the answer to a question, shown with all later turns as `whole`."""
        if draw(seed, "refusal", question) < self.refusals:
            return "refused"
        kinds: tuple[tuple[ContentFault, float], ...] = (
            ("malformed", self.malformed),
            ("out_of_schema", self.out_of_schema),
            ("truncated", self.truncated),
        )
        at = draw(seed, "answer", whole)
        for kind, share in kinds:
            if at < share:
                return kind
            at -= share
        return None


@dataclass(frozen=True, slots=True)
class RateLimits:
    """How much is taken before 429.

    Attributes
    ----------
    requests_per_minute, tokens_per_minute
        ``None`` for any number. Tokens are those of prompts and answers together.
    burst
        Seconds' worth of both that can be saved up.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    burst: float = 1.0


class Meter:
    """What is left of the limits: two buckets that fill with time.

    Parameters
    ----------
    limits
        How fast they fill and how much they hold.
    """

    def __init__(self, limits: RateLimits) -> None:
        self._rates = [
            None if limit is None else limit / 60
            for limit in (limits.requests_per_minute, limits.tokens_per_minute)
        ]
        self._burst = limits.burst
        self._levels = [0.0 if rate is None else rate * limits.burst for rate in self._rates]
        self._then = time.monotonic()

    def admit(self, tokens: int) -> float:
        """Take a request of so many tokens: 0 where it fits, else seconds until it might."""
        now = time.monotonic()
        wait = 0.0
        for at, rate in enumerate(self._rates):
            if rate is not None:
                full = rate * self._burst
                self._levels[at] = min(self._levels[at] + (now - self._then) * rate, full)
                wanted = min(1 if at == 0 else tokens, full)
                wait = max(wait, (wanted - self._levels[at]) / rate)
        self._then = now
        if wait <= 0:
            self.take(1, tokens)
        return max(wait, 0.0)

    def take(self, requests: int, tokens: int) -> None:
        """Take what is known afterwards only; a bucket may be owed something then."""
        for at, amount in enumerate((requests, tokens)):
            self._levels[at] -= amount
