from __future__ import annotations

import asyncio

import pytest
from virtual_time import run

from clio.analysts.gate import ClosedError, Gate
from clio.analysts.limits import Limits


def test_no_more_calls_are_under_way_than_allowed():
    async def scene() -> int:
        gate, under_way, most = Gate(Limits(concurrency=8)), 0, 0

        async def call() -> None:
            nonlocal under_way, most
            leave = await gate.enter()
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(1)
            under_way -= 1
            gate.leave(leave, latency=1.0)

        await asyncio.gather(*(call() for _ in range(100)))
        return most

    assert run(scene()) == 8


def test_a_pause_holds_everybody_back():
    async def scene() -> list[float]:
        gate, loop = Gate(Limits()), asyncio.get_running_loop()
        gate.pause(30)
        gate.pause(10)
        times = []
        for _ in range(3):
            gate.leave(await gate.enter(), latency=1.0)
            times.append(loop.time())
        return times

    assert all(30 <= time < 30.1 for time in run(scene()))


def test_who_was_turned_away_goes_first():
    async def scene() -> list[str]:
        gate, order = Gate(Limits(concurrency=1)), []

        async def call(name: str, again: bool) -> None:
            leave = await gate.enter(again=again)
            order.append(name)
            gate.leave(leave, latency=1.0)

        first = await gate.enter()
        tasks = [asyncio.create_task(call(name, name == "again")) for name in ("a", "b", "again")]
        await asyncio.sleep(1)
        gate.leave(first, latency=1.0)
        await asyncio.gather(*tasks)
        return order

    assert run(scene()) == ["again", "a", "b"]


def test_requests_and_tokens_a_minute_are_kept():
    async def scene(limits: Limits, tokens: int) -> float:
        gate, loop = Gate(limits), asyncio.get_running_loop()
        for _ in range(120):
            gate.leave(await gate.enter(tokens), used=tokens, latency=0.1)
        return loop.time()

    assert 58 <= run(scene(Limits(requests_per_minute=120), 0)) <= 61
    assert 115 <= run(scene(Limits(tokens_per_minute=60_000), 1000)) <= 125


def test_tokens_that_were_not_used_are_given_back():
    async def scene() -> float:
        gate, loop = Gate(Limits(tokens_per_minute=60_000)), asyncio.get_running_loop()
        for _ in range(120):
            gate.leave(await gate.enter(1000), used=500, latency=0.1)
        return loop.time()

    assert 55 <= run(scene()) <= 65


def test_closing_ends_the_waiting_and_lets_nobody_in():
    async def scene() -> int:
        gate = Gate(Limits(concurrency=1))
        leave = await gate.enter()
        waiting = [asyncio.create_task(gate.enter()) for _ in range(5)]
        await asyncio.sleep(1)
        gate.close()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        gate.leave(leave, latency=1.0)
        with pytest.raises(ClosedError):
            await gate.enter()
        return sum(isinstance(result, ClosedError) for result in results)

    assert run(scene()) == 5


def test_one_that_is_cancelled_while_it_waits_takes_no_room():
    async def scene() -> bool:
        gate = Gate(Limits(concurrency=1))
        leave = await gate.enter()
        waiting = asyncio.create_task(gate.enter())
        await asyncio.sleep(1)
        # Both in one turn: it is let in and cancelled before it can notice.
        gate.leave(leave, latency=1.0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(5):
            gate.leave(await gate.enter(), latency=1.0)
        return True

    assert run(scene())
