"""A limit on cost and calls that what is in flight never exceeds."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Final

from clio.analysts.prices import Price
from clio.analysts.providers.base import Usage
from clio.errors import BudgetError, SettingsError

INPUT_MARGIN: Final = 1.1
"""Tokens of a prompt at most, as a multiple of the estimate (see docs/cost.md for its error)."""

_SLACK: Final = 1e-9
"""US dollars; what sums of floats may be off by."""

_KEPT: Final = (
    "all answers so far are kept: raise the limit and run the same command again to go on"
)


@dataclass(frozen=True, slots=True)
class Reservation:
    """What one call may cost at most, in US dollars, and at what price."""

    cost: float
    price: Price | None


class Budget:
    """What may be spent, what was, and what is set aside for calls in flight. Thread-safe.

    A call is made only after its upper bound was reserved: its prompt's estimated tokens and a
    tenth more, written to the provider's cache where that costs more, and the longest answer that
    it allows. So what is spent and in flight together stays within the limits.

    Parameters
    ----------
    max_cost
        US dollars; ``None``: no limit.
    max_calls
        Attempts, the failed ones included; ``None``: no limit.
    price
        What a call costs where `reserve` is not told otherwise; `Price.batched` for a batch.
    spent, calls
        What earlier starts of the same run have used.

    Raises
    ------
    SettingsError
        There is a limit on cost and no price.
    """

    def __init__(
        self,
        max_cost: float | None,
        max_calls: int | None,
        price: Price | None,
        *,
        spent: float = 0.0,
        calls: int = 0,
    ) -> None:
        self.max_cost = max_cost
        self.max_calls = max_calls
        self._price = price
        self._spent = spent
        self._calls = calls
        self._reserved = 0.0
        self._in_flight = 0
        self._lock = threading.Lock()
        self._demand(price)

    @property
    def spent(self) -> float:
        """US dollars for the calls that have ended."""
        with self._lock:
            return self._spent

    @property
    def calls(self) -> int:
        """Calls that have ended."""
        with self._lock:
            return self._calls

    @property
    def in_flight(self) -> int:
        """Calls that are reserved and not settled. While there are some, a call that does not fit
        may fit later, since calls mostly cost less than what is set aside."""
        with self._lock:
            return self._in_flight

    def reserve(
        self, input_tokens: int, max_output: int, *, price: Price | None = None
    ) -> Reservation:
        """Set aside what a call may cost at most, before it is made.

        Parameters
        ----------
        input_tokens
            Of the prompt, as `clio.analysts.tokens` estimates them.
        max_output
            Tokens of the longest answer.
        price
            What this call costs, where models of several prices share the budget.

        Raises
        ------
        BudgetError
            The call could exceed a limit. Nothing is set aside.
        SettingsError
            There is a limit on cost and no price.
        """
        price = price or self._price
        self._demand(price)
        cost = _bound(price, input_tokens, max_output)
        with self._lock:
            if self.max_calls is not None and self._calls + self._in_flight >= self.max_calls:
                raise BudgetError(
                    f"--max-calls {self.max_calls} is reached ({self._calls:,} calls made, "
                    f"{_dollars(self._spent)} spent); {_KEPT}"
                )
            committed = self._spent + self._reserved
            if self.max_cost is not None and committed + cost > self.max_cost + _SLACK:
                raise BudgetError(
                    f"--max-cost {self.max_cost:g} is reached: {_dollars(self._spent)} spent in "
                    f"{self._calls:,} calls, and the next may cost {_dollars(cost)}; {_KEPT}"
                )
            self._reserved += cost
            self._in_flight += 1
        return Reservation(cost, price)

    def settle(self, reservation: Reservation, usage: Usage | None) -> float:
        """Replace a reservation by what the call did cost, and return that in US dollars.

        Parameters
        ----------
        reservation
            Of a call that has ended; each is settled once.
        usage
            Tokens as the provider counts them; ``None`` where the call failed and it is not known
            what it cost: then the whole reservation counts as spent.
        """
        cost = reservation.cost
        if usage is not None:
            cost = reservation.price.cost(usage) if reservation.price is not None else 0.0
        with self._lock:
            self._reserved -= reservation.cost
            self._in_flight -= 1
            self._spent += cost
            self._calls += 1
            if self._in_flight == 0:
                self._reserved = 0.0
        return cost

    def _demand(self, price: Price | None) -> None:
        if self.max_cost is not None and price is None:
            raise SettingsError(
                "--max-cost cannot be kept: the model's price is unknown; give it with --prices, "
                "or limit the run by --max-calls"
            )


def _bound(price: Price | None, input_tokens: int, max_output: int) -> float:
    """US dollars at most: all of the prompt put into the provider's cache, where that is dearer."""
    if price is None:
        return 0.0
    tokens = math.ceil(input_tokens * INPUT_MARGIN)
    written = tokens if price.written > price.input else 0
    return price.cost(Usage(input=tokens, output=max_output, written=written))


def _dollars(value: float) -> str:
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.4f}"
