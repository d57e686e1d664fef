from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.analysts.limits import Bucket, Concurrency


def round_trip(
    concurrency: Concurrency, latency: float = 1.0, turned_away: float = 0.0, waiting: bool = True
) -> int:
    """One round of as many calls as may be under way; the level after it."""
    level, number = concurrency.level, concurrency.round
    for call in range(level):
        away = call < turned_away * level
        concurrency.ended(
            number,
            latency=None if away else latency,
            turned_away=away,
            waiting=waiting,
        )
    return concurrency.level


@pytest.mark.parametrize("maximum", [1, 3, 16, 64, 200, 1000])
def test_it_reaches_the_maximum_within_three_healthy_round_trips(maximum):
    concurrency = Concurrency(maximum)
    assert 1 <= concurrency.level <= maximum
    for _ in range(3):
        round_trip(concurrency)
    assert concurrency.level == maximum


def test_it_does_not_rise_while_nothing_waits():
    concurrency = Concurrency(64)
    before = concurrency.level
    assert round_trip(concurrency, waiting=False) == before


def test_calls_that_left_before_a_cut_do_not_cut_again():
    concurrency = Concurrency(64)
    for _ in range(3):
        round_trip(concurrency)
    number = concurrency.round
    after = round_trip(concurrency, turned_away=1.0)
    assert 30 <= after <= 34
    for _ in range(64):
        concurrency.ended(number, latency=None, turned_away=True, waiting=True)
    assert concurrency.level == after


def test_it_settles_near_what_the_server_bears():
    concurrency, capacity = Concurrency(200), 20
    for _ in range(60):
        excess = max(0.0, 1 - capacity / concurrency.level)
        round_trip(concurrency, turned_away=excess)
    assert 0.7 * capacity <= concurrency.level <= 1.5 * capacity


def test_being_turned_away_at_random_does_not_starve_it():
    concurrency = Concurrency(64)
    for _ in range(200):
        round_trip(concurrency, turned_away=0.1)
    assert concurrency.level >= 10


def test_after_a_cut_it_rises_by_steps():
    concurrency = Concurrency(64)
    round_trip(concurrency, turned_away=1.0)
    before = concurrency.level
    assert before < round_trip(concurrency) <= before + 2


def test_latency_without_throughput_stops_the_rise():
    concurrency, capacity = Concurrency(1000), 250
    for _ in range(40):
        # A server that queues: above its capacity only latency grows.
        round_trip(concurrency, latency=max(1.0, concurrency.level / capacity))
    assert concurrency.level <= 2.5 * capacity


def test_latency_with_throughput_does_not_stop_it():
    concurrency = Concurrency(256)
    for _ in range(4):
        # A server that batches: four times the calls, twice the latency.
        round_trip(concurrency, latency=concurrency.level**0.5)
    assert concurrency.level == 256


def test_a_stopped_rise_is_tried_again_and_taken_back_where_it_does_not_pay():
    concurrency = Concurrency(256)
    round_trip(concurrency, latency=1.0)
    held = round_trip(concurrency, latency=4.0)
    assert held < 256
    levels = {round_trip(concurrency, latency=4.0 * concurrency.level / held) for _ in range(60)}
    assert levels == {held, int(1.25 * held)}
    for _ in range(20):
        round_trip(concurrency, latency=4.0)
    assert concurrency.level == 256


@given(
    st.integers(1, 300),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0.001, 100), st.booleans()), max_size=40),
)
def test_it_stays_between_one_and_the_maximum(maximum, rounds):
    concurrency = Concurrency(maximum)
    for turned_away, latency, waiting in rounds:
        assert 1 <= round_trip(concurrency, latency, turned_away, waiting) <= maximum


@given(
    st.integers(1, 20_000),
    st.lists(st.floats(0, 90, allow_subnormal=False), min_size=1, max_size=400),
)
def test_no_minute_gets_more_requests_than_its_limit(per_minute, gaps):
    bucket = Bucket(per_minute, 0.0)
    now, sent = 0.0, []
    for gap in gaps:
        # Whoever comes waits until it may leave.
        now += gap if gap > 45 else 0.0
        while (delay := bucket.delay(1, now)) > 0:
            now += max(delay, 1e-6)
        bucket.take(1, now)
        sent.append(now)
    for index, begin in enumerate(sent):
        assert sum(1 for time in sent[index:] if time < begin + 59.999) <= per_minute


def test_a_bucket_lets_nearly_all_of_its_limit_through():
    bucket, now, sent = Bucket(600, 0.0), 0.0, 0
    while now < 60:
        delay = bucket.delay(1, now)
        if delay:
            now += delay
        else:
            bucket.take(1, now)
            sent += 1
    assert 590 <= sent <= 600


def test_something_larger_than_the_bucket_leaves_and_is_paid_off():
    bucket = Bucket(6000, 0.0)
    assert bucket.delay(3000, 0.0) == 0
    bucket.take(3000, 0.0)
    assert 28 <= bucket.delay(100, 0.0) <= 32
    bucket.take(-2000, 0.0)
    assert 8 <= bucket.delay(100, 0.0) <= 12
