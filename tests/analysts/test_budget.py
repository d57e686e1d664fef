"""A budget holds for what is in flight too, whatever calls turn out to cost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.analysts.budget import INPUT_MARGIN, Budget, Reservation
from clio.analysts.prices import Price
from clio.analysts.providers.base import Usage
from clio.errors import BudgetError, SettingsError

PRICE = Price(input=1.0, output=5.0, cached=0.1, written=1.25)
FLAT = Price(input=1.0, output=5.0, cached=0.5, written=1.0)


def test_a_reservation_is_an_upper_bound_at_the_full_price():
    budget = Budget(None, None, FLAT)
    assert budget.reserve(1000, 200).cost == pytest.approx((1100 * 1.0 + 200 * 5.0) / 1e6)
    # All of a prompt may be put into the provider's cache, which costs more.
    assert budget.reserve(1000, 200, price=PRICE).cost == pytest.approx(
        (1100 * 1.25 + 200 * 5.0) / 1e6
    )


def test_calls_that_are_over_and_in_flight_count():
    budget = Budget(None, 3, None)
    first = budget.reserve(10, 10)
    budget.reserve(10, 10)
    budget.settle(first, Usage(10, 10))
    budget.reserve(10, 10)
    with pytest.raises(BudgetError, match=r"--max-calls 3 .* are kept"):
        budget.reserve(10, 10)
    assert (budget.calls, budget.in_flight) == (1, 2)


def test_what_a_call_did_not_use_is_given_back():
    budget = Budget(0.01, None, FLAT)
    taken = budget.reserve(1000, 1600)
    with pytest.raises(BudgetError, match=r"--max-cost 0\.01 .*\$0\.00 spent"):
        budget.reserve(1000, 1600)
    assert budget.in_flight == 1
    assert budget.settle(taken, Usage(1000, 100)) == pytest.approx(0.0015)
    assert budget.spent == pytest.approx(0.0015)
    budget.reserve(1000, 1400)


def test_a_call_that_nobody_knows_about_counts_in_full():
    budget = Budget(1.0, None, PRICE)
    taken = budget.reserve(1000, 1000)
    assert budget.settle(taken, None) == taken.cost == budget.spent


def test_earlier_starts_of_the_run_count():
    budget = Budget(1.0, 10, PRICE, spent=0.999, calls=4)
    with pytest.raises(BudgetError, match=r"\$0\.999.* spent in 4 calls"):
        budget.reserve(1000, 1000)
    with pytest.raises(BudgetError, match="10 calls made"):
        Budget(None, 10, None, calls=10).reserve(1, 1)


def test_a_limit_on_cost_needs_a_price():
    with pytest.raises(SettingsError, match="--prices"):
        Budget(1.0, None, None)
    free = Budget(None, None, None)
    assert free.settle(free.reserve(1000, 1000), Usage(1000, 1000)) == 0.0


CALLS = st.lists(
    st.tuples(
        st.integers(0, 5000), st.integers(0, 2000), st.floats(0, INPUT_MARGIN), st.booleans()
    ),
    max_size=60,
)


@given(CALLS, st.floats(0.0001, 0.05), st.one_of(st.none(), st.integers(1, 40)))
def test_neither_limit_is_ever_exceeded(calls, max_cost, max_calls):
    budget = Budget(max_cost, max_calls, PRICE)
    flying: list[tuple[Reservation, Usage | None]] = []
    made = 0
    for sent, longest, share, known in calls:
        try:
            reservation = budget.reserve(sent, longest)
        except BudgetError:
            # It might fit when calls in flight have ended, so that is tried.
            while flying:
                budget.settle(*flying.pop())
            continue
        made += 1
        used = int(sent * share)
        usage = Usage(used, int(longest * min(1.0, share)), 0, used)
        flying.append((reservation, usage if known else None))
        in_flight = sum(one.cost for one, _ in flying)
        assert budget.spent + in_flight <= max_cost + 1e-6
        assert max_calls is None or budget.calls + budget.in_flight <= max_calls
    for one in flying:
        budget.settle(*one)
    assert budget.spent <= max_cost + 1e-6
    assert (budget.calls, budget.in_flight) == (made, 0)


def test_threads_share_it():
    budget = Budget(0.1, 150, FLAT)
    start = threading.Barrier(8)

    def work(_: int) -> int:
        start.wait()
        done = 0
        while True:
            try:
                taken = budget.reserve(100, 100)
            except BudgetError:
                return done
            budget.settle(taken, Usage(100, 50))
            done += 1

    with ThreadPoolExecutor(8) as pool:
        done = sum(pool.map(work, range(8)))
    assert done == budget.calls == 150
    assert budget.spent == pytest.approx(150 * 350 / 1e6)
