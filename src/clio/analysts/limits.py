"""How many calls may be under way at once, and how many may start in a minute.

Plain state machines: they are told the time and never wait themselves (`clio.analysts.gate` does).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_START: Final = 16
"""Calls at once at the beginning, or a quarter of the most where that is more."""

_STEP: Final = 0.02
"""Rise a round once the server has turned calls away; at least one call."""

_DOUBLE: Final = 2.0
"""Rise a round at the beginning."""

_PROBE: Final = 1.25
"""Rise a round after one that did not pay. Less would drown in noise."""

_GAIN: Final = 0.2
"""A rise pays where throughput rose by at least this share of the rise in concurrency."""

_HOLD: Final = 8
"""Rounds without a rise after one that did not pay."""

_MINUTE: Final = 60.0

_SLACK: Final = 1e-6
"""Of a bucket: less is a rounding error, which no waiting would make good."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run allows itself towards a provider.

    Attributes
    ----------
    concurrency
        Calls under way at once, at most.
    requests_per_minute, tokens_per_minute
        Calls, and tokens sent and received, that start in any minute; ``None``: no limit.
    timeout
        Seconds for one call; one that takes longer is cut and repeated.
    attempts
        Calls for one request that may fail before it is given up. Being turned away for overload
        is allowed four times as often, since it says nothing about the request.
    backoff, longest_backoff
        Seconds to wait at most after the first failure, doubled with each further one.
    grace
        Seconds that calls under way have to finish when a run is stopped.
    """

    concurrency: int = 64
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    timeout: float = 120.0
    attempts: int = 8
    backoff: float = 0.5
    longest_backoff: float = 30.0
    grace: float = 30.0


class Concurrency:
    """How many calls may be under way, from how the last ones went.

    It doubles with each round trip until the server turns a call away (slow start), and then rises
    by a step. At the end of a round trip it falls by half the share of its calls that were turned
    away: once a round trip at most, and by little where few were. After a rise that brought latency
    instead of throughput it holds for a while, then tries a smaller one, which is taken back where
    it does not pay either. It rises only where calls are waiting for it.

    Parameters
    ----------
    maximum
        Never more.

    Notes
    -----
    The proportional cut is DCTCP's (Alizadeh et al., Data Center TCP, SIGCOMM 2010, section 3.3).
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._level = float(min(maximum, max(_START, maximum // 4)))
        self._growth: float | None = _DOUBLE
        self._hold = 0
        self._doubted = False
        self._rung: tuple[float, float] | None = None
        self._round = -1
        self._begin_round()

    @property
    def level(self) -> int:
        """Calls that may be under way now."""
        return int(self._level)

    @property
    def round(self) -> int:
        """The number of this round trip: what a call is stamped with when it leaves."""
        return self._round

    def ended(
        self, round_: int, *, latency: float | None, turned_away: bool, waiting: bool
    ) -> None:
        """Note how a call ended.

        Parameters
        ----------
        round_
            Its stamp. One that left before the last decision says nothing about that.
        latency
            Seconds to its answer; ``None`` where there was none.
        turned_away
            For overload.
        waiting
            Whether other calls wait for room.
        """
        if round_ != self._round:
            return
        self._ended += 1
        self._turned_away += turned_away
        self._waiting |= waiting
        if latency is not None:
            self._answered += 1
            self._latency += latency
        if self._ended >= self._size:
            self._decide()
            self._begin_round()

    def _begin_round(self) -> None:
        self._round += 1
        # While it doubles half of the calls under way have left before the round began.
        self._size = max(1, self.level // 2) if self._growth == _DOUBLE else self.level
        self._ended = self._turned_away = self._answered = 0
        self._latency = 0.0
        self._waiting = False

    def _decide(self) -> None:
        if self._turned_away:
            self._growth = self._rung = None
            self._hold = 0
            self._doubted = False
            self._level = max(1.0, self._level * (1 - self._turned_away / self._ended / 2))
        elif self._answered and self._latency > 0:
            self._compare()
        if self._hold:
            self._hold -= 1
        elif self._waiting:
            step = max(1.0, _STEP * self._level)
            risen = self._level + step if self._growth is None else self._level * self._growth
            self._level = min(float(self._maximum), risen)

    def _compare(self) -> None:
        """Stop the rise, or take it back, where it did not pay."""
        # Little's law: calls under way over mean latency.
        throughput = self.level * self._answered / self._latency
        below, before = self._rung or (self._level, throughput)
        rise = self._level / below
        if throughput / before - 1 >= _GAIN * (rise - 1) or rise <= 1:
            self._rung = (self._level, throughput)
            self._doubted = False
        elif not self._doubted:
            # One slow round may be chance: it is looked at once more.
            self._doubted, self._hold = True, 1
        elif self._growth == _DOUBLE:
            self._rung = (self._level, throughput)
            self._growth, self._hold = _PROBE, _HOLD
        elif rise >= _PROBE:
            self._level, self._hold = below, _HOLD


class Bucket:
    """A token bucket: no window of a minute gets more than its limit.

    Parameters
    ----------
    per_minute
        The limit.
    now
        Seconds on a clock that never goes back.

    Notes
    -----
    It holds a second's worth, and is filled so that a full bucket and a minute's filling together
    are the limit. Something larger than the bucket may leave when it is full, and is paid off
    afterwards.
    """

    def __init__(self, per_minute: int, now: float) -> None:
        self._capacity = max(1.0, per_minute / _MINUTE)
        self._rate = (per_minute + 1 - self._capacity) / _MINUTE
        self._level = self._capacity
        self._filled = now

    def delay(self, amount: float, now: float) -> float:
        """Seconds until so much may leave; 0 where it may leave now."""
        self._fill(now)
        missing = min(amount, self._capacity) - self._level
        return missing / self._rate if missing > _SLACK else 0.0

    def take(self, amount: float, now: float) -> None:
        """So much leaves; a negative amount is given back."""
        self._fill(now)
        self._level = min(self._capacity, self._level - amount)

    def _fill(self, now: float) -> None:
        grown = self._level + (now - self._filled) * self._rate
        self._level = min(self._capacity, grown)
        self._filled = now
