from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from number_prompts import ScriptedProvider, number_answer, number_prompt
from virtual_time import run

from clio.analysts.answers import first_request
from clio.analysts.cache import Cache
from clio.analysts.calling import Calls, StoppedError
from clio.analysts.ledger import Ledger
from clio.analysts.limits import Limits
from clio.analysts.prices import Model
from clio.analysts.providers.base import (
    OverloadedError,
    Request,
    TransientError,
    UnanswerableError,
    UnsupportedError,
)
from clio.errors import ModelError


def played(
    folder: Path,
    answer: Callable[[Request], Any],
    scene: Callable[[Calls, Callable[[int], Awaitable[Any]]], Awaitable[Any]],
    limits: Limits = Limits(),
) -> tuple[Any, list[float], Ledger]:
    """What a scene comes to, the seconds at which calls were made, and what was counted."""
    times: list[float] = []

    def timed(request: Request) -> Any:
        times.append(asyncio.get_running_loop().time())
        return answer(request)

    cache = Cache(folder / "answers.sqlite")
    ledger = Ledger(cache, "scripted:model")

    async def whole() -> Any:
        calls = Calls(ScriptedProvider(timed), cache, ledger, limits, None, Model())

        async def ask(number: int) -> Any:
            prompt = number_prompt(number)
            _, reading = await calls.read(prompt, first_request("scripted:model", prompt))
            return reading.reply.value

        return await scene(calls, ask)

    try:
        return run(whole()), times, ledger
    finally:
        cache.close()


def test_retry_after_is_obeyed_by_all(tmp_path):
    turned_away = []

    def answer(request: Request) -> Any:
        if not turned_away:
            turned_away.append(request)
            return OverloadedError("429", retry_after=30)
        return number_answer(request)

    async def scene(calls: Calls, ask: Callable[[int], Awaitable[Any]]) -> Any:
        first = asyncio.create_task(ask(0))
        await asyncio.sleep(1)
        return await asyncio.gather(first, *(ask(number) for number in range(1, 5)))

    values, times, _ = played(tmp_path, answer, scene)
    assert values == [0, 1, 2, 3, 4]
    assert times[0] == 0
    assert all(30 <= time < 31 for time in times[1:])


def test_tries_are_spaced_further_and_further_and_bounded(tmp_path):
    async def scene(calls: Calls, ask: Callable[[int], Awaitable[Any]]) -> None:
        with pytest.raises(UnanswerableError, match="no answer after 8 tries: 500"):
            await ask(0)

    _, times, ledger = played(tmp_path, lambda _: TransientError("500"), scene)
    gaps = [after - before for before, after in pairwise(times)]
    assert len(times) == 8
    for number, gap in enumerate(gaps):
        assert gap <= min(30.0, 0.5 * 2**number) + 1e-6
    assert sum(gaps) > 0.2
    assert ledger.as_dict()["attempts"] == {"transient": 8}


def test_a_server_that_is_overloaded_for_long_is_waited_for(tmp_path):
    def answer(request: Request) -> Any:
        busy = asyncio.get_running_loop().time() < 100
        return OverloadedError("529") if busy else number_answer(request)

    async def scene(calls: Calls, ask: Callable[[int], Awaitable[Any]]) -> Any:
        return await asyncio.gather(*(ask(number) for number in range(20)))

    values, times, _ = played(tmp_path, answer, scene)
    assert values == list(range(20))
    assert len(times) < 20 * 32


def test_a_stall_is_cut_and_tried_again(tmp_path):
    tries = []

    async def stalling(request: Request) -> Any:
        tries.append(request)
        if len(tries) == 1:
            await asyncio.sleep(10_000)
        return number_answer(request)

    async def scene(calls: Calls, ask: Callable[[int], Awaitable[Any]]) -> Any:
        return await ask(7)

    value, times, ledger = played(tmp_path, stalling, scene, Limits(timeout=120))
    assert value == 7
    assert 120 <= times[1] <= 121
    assert ledger.as_dict()["attempts"] == {"timeout": 1, "answered": 1}


def test_stopping_ends_the_waits_between_tries(tmp_path):
    async def scene(calls: Calls, ask: Callable[[int], Awaitable[Any]]) -> float:
        tasks = [asyncio.create_task(ask(number)) for number in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        calls.stop(ModelError("enough"))
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, StoppedError) for result in results)
        return asyncio.get_running_loop().time()

    limits = Limits(backoff=10_000, longest_backoff=10_000)
    seconds, times, _ = played(tmp_path, lambda _: TransientError("500"), scene, limits)
    assert len(times) == 3
    assert seconds < 1


def test_a_provider_that_never_settles_on_a_way_of_asking_is_given_up(tmp_path):
    async def scene(calls: Calls, ask: Callable[[int], Awaitable[Any]]) -> None:
        with pytest.raises(UnanswerableError):
            await ask(0)

    _, times, ledger = played(tmp_path, lambda _: UnsupportedError("400"), scene)
    assert ledger.as_dict()["attempts"] == {"unsupported": len(times)}
    assert len(times) <= 32


def test_requests_a_minute_are_kept_over_tries_too(tmp_path):
    tries: dict[str, int] = {}

    def answer(request: Request) -> Any:
        tries[request.key] = tries.get(request.key, 0) + 1
        return TransientError("500") if tries[request.key] == 1 else number_answer(request)

    async def scene(calls: Calls, ask: Callable[[int], Awaitable[Any]]) -> Any:
        return await asyncio.gather(*(ask(number) for number in range(60)))

    _, times, _ = played(tmp_path, answer, scene, Limits(requests_per_minute=30))
    assert len(times) == 120
    for begin in times:
        assert sum(begin <= time < begin + 59.999 for time in times) <= 30
