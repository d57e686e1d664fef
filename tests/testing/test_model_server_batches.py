"""Both batch interfaces of the stand-in server, spoken to by the official clients."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anthropic
import openai
import orjson
import pytest

from clio.testing.model_server import BatchTiming, Faults, ModelServer, SchemaResponder

MESSAGE = {"model": "claude-small", "max_tokens": 200}


def with_anthropic(
    server: ModelServer, work: Callable[[anthropic.AsyncAnthropic], Awaitable[Any]]
) -> Any:
    async def run() -> Any:
        async with anthropic.AsyncAnthropic(
            api_key="k", base_url=server.url, max_retries=0
        ) as client:
            return await work(client)

    return asyncio.run(run())


def with_openai(server: ModelServer, work: Callable[[openai.AsyncOpenAI], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with openai.AsyncOpenAI(
            api_key="k", base_url=server.url + "/v1", max_retries=0
        ) as client:
            return await work(client)

    return asyncio.run(run())


def requests(names: Sequence[str]) -> Any:
    return [
        {
            "custom_id": name,
            "params": MESSAGE | {"messages": [{"role": "user", "content": f"Question {name}"}]},
        }
        for name in names
    ]


def lines(names: Sequence[str], **more: Any) -> bytes:
    rows = [
        {
            "custom_id": name,
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {
                "model": "gpt-small",
                "messages": [{"role": "user", "content": f"Question {name}"}],
            },
        }
        | more
        for name in names
    ]
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


async def submitted(client: openai.AsyncOpenAI, content: bytes, label: str = "run") -> Any:
    file = await client.files.create(file=("in.jsonl", content), purpose="batch")
    return await client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"label": label},
    )


async def read(client: openai.AsyncOpenAI, file: str | None) -> dict[str, Any]:
    if file is None:
        return {}
    content = await client.files.content(file)
    rows = [orjson.loads(line) for line in content.content.splitlines()]
    return {row["custom_id"]: row for row in rows}


def test_a_message_batch_ends_after_its_polls_and_gives_every_result() -> None:
    names = [f"item-{n}" for n in range(12)]

    async def work(client: anthropic.AsyncAnthropic) -> tuple[list[str], Any, list[Any], Any]:
        batch = await client.messages.batches.create(requests=requests(names))
        assert (batch.processing_status, batch.request_counts.processing) == ("in_progress", 12)
        with pytest.raises(anthropic.AnthropicError):
            await client.messages.batches.results(batch.id)
        statuses = []
        while batch.processing_status != "ended":
            batch = await client.messages.batches.retrieve(batch.id)
            statuses.append(batch.processing_status)
        results = [row async for row in await client.messages.batches.results(batch.id)]
        return statuses, batch, results, await client.messages.batches.delete(batch.id)

    with ModelServer(SchemaResponder(), batches=BatchTiming(polls=3)) as server:
        statuses, batch, results, deleted = with_anthropic(server, work)
        assert server.counts["answered"] == 12
        assert server.state["batches"] == []
    # The first look was that of the results that were not there yet.
    assert statuses == ["in_progress", "in_progress", "ended"]
    assert batch.request_counts.succeeded == 12
    assert batch.ended_at >= batch.created_at
    assert sorted(row.custom_id for row in results) == sorted(names)
    assert all(row.result.message.stop_reason == "end_turn" for row in results)
    assert deleted.type == "message_batch_deleted"


def test_message_batches_are_listed_by_page_newest_first() -> None:
    async def work(client: anthropic.AsyncAnthropic) -> tuple[list[str], list[str]]:
        made = [
            (await client.messages.batches.create(requests=requests(["a"]))).id for _ in range(5)
        ]
        return made, [batch.id async for batch in client.messages.batches.list(limit=2)]

    with ModelServer(SchemaResponder()) as server:
        made, listed = with_anthropic(server, work)
    assert listed == made[::-1]


def test_items_of_a_message_batch_end_each_in_its_own_way() -> None:
    names = [f"n{n}" for n in range(80)]
    faults = Faults(refusals=0.2, truncated=0.2)
    timing = BatchTiming(errored=0.2, expired=0.2)
    wrong = [{"custom_id": "wrong", "params": {"model": "x", "max_tokens": 1, "messages": []}}]

    async def work(client: anthropic.AsyncAnthropic) -> tuple[Any, list[Any]]:
        batch = await client.messages.batches.create(requests=requests(names) + wrong)
        batch = await client.messages.batches.retrieve(batch.id)
        return batch, [row async for row in await client.messages.batches.results(batch.id)]

    with ModelServer(SchemaResponder(), faults=faults, batches=timing) as server:
        batch, results = with_anthropic(server, work)
        counts = server.counts
    found = Counter(row.result.type for row in results)
    assert set(found) == {"succeeded", "errored", "expired"}
    assert {kind: getattr(batch.request_counts, kind) for kind in found} == found
    stops = Counter(
        row.result.message.stop_reason for row in results if row.result.type == "succeeded"
    )
    assert stops["refusal"] == counts["refused"] > 0
    assert stops["max_tokens"] == counts["truncated"] > 0
    assert found["expired"] == counts["expired"]
    kinds = Counter(row.result.error.error.type for row in results if row.result.type == "errored")
    assert kinds == {"api_error": counts["error"], "invalid_request_error": 1}


def test_a_canceled_message_batch_ends_without_answers() -> None:
    async def work(client: anthropic.AsyncAnthropic) -> tuple[Any, Any, list[Any]]:
        batch = await client.messages.batches.create(requests=requests(["a", "b"]))
        canceling = await client.messages.batches.cancel(batch.id)
        ended = await client.messages.batches.retrieve(batch.id)
        return canceling, ended, [r async for r in await client.messages.batches.results(batch.id)]

    with ModelServer(SchemaResponder(), batches=BatchTiming(polls=100)) as server:
        canceling, ended, results = with_anthropic(server, work)
    assert canceling.processing_status == "canceling"
    assert ended.processing_status == "ended"
    assert [row.result.type for row in results] == ["canceled", "canceled"]


@pytest.mark.parametrize("names", [[], ["same", "same"], ["not a name"], ["x" * 65]])
def test_a_message_batch_must_have_requests_with_distinct_names(names: list[str]) -> None:
    with ModelServer(SchemaResponder()) as server, pytest.raises(anthropic.BadRequestError):
        with_anthropic(server, lambda c: c.messages.batches.create(requests=requests(names)))


def test_a_creation_whose_answer_is_lost_made_a_batch() -> None:
    async def work(client: anthropic.AsyncAnthropic) -> list[str]:
        with pytest.raises(anthropic.APIConnectionError):
            await client.messages.batches.create(requests=requests(["a"]))
        return [batch.id async for batch in client.messages.batches.list()]

    with ModelServer(SchemaResponder(), batches=BatchTiming(lost=1)) as server:
        assert len(with_anthropic(server, work)) == 1


def test_a_file_batch_goes_round_and_its_files_can_be_deleted() -> None:
    names = [f"item-{n}" for n in range(12)]

    async def work(client: openai.AsyncOpenAI) -> tuple[list[str], Any, dict[str, Any]]:
        batch = await submitted(client, lines(names))
        statuses = [batch.status]
        while batch.status != "completed":
            batch = await client.batches.retrieve(batch.id)
            statuses.append(batch.status)
        rows = await read(client, batch.output_file_id)
        sent = await client.files.retrieve(batch.input_file_id)
        assert (sent.purpose, sent.bytes) == ("batch", len(lines(names)))
        for file in (batch.input_file_id, batch.output_file_id):
            assert (await client.files.delete(file)).deleted
        with pytest.raises(openai.NotFoundError):
            await client.files.content(batch.input_file_id)
        return statuses, batch, rows

    with ModelServer(SchemaResponder(), batches=BatchTiming(polls=2)) as server:
        statuses, batch, rows = with_openai(server, work)
        assert server.counts["answered"] == 12
        assert server.state["files"] == []
    assert statuses == ["validating", "in_progress", "in_progress", "completed"]
    assert batch.metadata == {"label": "run"}
    assert batch.error_file_id is None
    assert (batch.request_counts.total, batch.request_counts.completed) == (12, 12)
    assert sorted(rows) == sorted(names)
    for row in rows.values():
        assert row["response"]["status_code"] == 200
        assert row["error"] is None
        choice = row["response"]["body"]["choices"][0]
        assert isinstance(orjson.loads(choice["message"]["content"]), dict)


def test_file_batches_are_listed_by_page_with_their_metadata() -> None:
    async def work(client: openai.AsyncOpenAI) -> list[str]:
        for number in range(5):
            await submitted(client, lines(["a"]), label=str(number))
        return [batch.metadata["label"] async for batch in client.batches.list(limit=2)]

    with ModelServer(SchemaResponder()) as server:
        assert with_openai(server, work) == ["4", "3", "2", "1", "0"]


def test_what_fails_or_expires_in_a_file_batch_stands_in_the_error_file() -> None:
    names = [f"n{n}" for n in range(60)]
    broken = lines(["wrong"], body={"model": "gpt-small"})

    async def work(client: openai.AsyncOpenAI) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        batch = await submitted(client, lines(names) + broken)
        batch = await client.batches.retrieve(batch.id)
        good = await read(client, batch.output_file_id)
        return batch, good, await read(client, batch.error_file_id)

    timing = BatchTiming(errored=0.2, expired=0.2)
    with ModelServer(SchemaResponder(), batches=timing) as server:
        batch, good, bad = with_openai(server, work)
        counts = server.counts
    assert batch.status == "expired"
    assert {*good, *bad} == {*names, "wrong"}
    assert (batch.request_counts.completed, batch.request_counts.failed) == (len(good), len(bad))
    ends = Counter(
        row["error"]["code"] if row["error"] else row["response"]["status_code"]
        for row in bad.values()
    )
    assert ends == {"batch_expired": counts["expired"], 500: counts["error"], 400: 1}


def test_a_cancelled_file_batch_says_so() -> None:
    async def work(client: openai.AsyncOpenAI) -> tuple[Any, Any, dict[str, Any]]:
        batch = await submitted(client, lines(["a"]))
        cancelling = await client.batches.cancel(batch.id)
        cancelled = await client.batches.retrieve(batch.id)
        return cancelling, cancelled, await read(client, cancelled.error_file_id)

    with ModelServer(SchemaResponder(), batches=BatchTiming(polls=9)) as server:
        cancelling, cancelled, bad = with_openai(server, work)
    assert (cancelling.status, cancelled.status) == ("cancelling", "cancelled")
    assert bad["a"]["error"]["code"] == "batch_cancelled"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "invalid_json_line"),
        (lines(["a"], url="/v1/embeddings"), "mismatched_endpoint"),
        (lines(["a", "a"]), "duplicate_custom_id"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_fails_the_batch(content: bytes, code: str) -> None:
    with ModelServer(SchemaResponder()) as server:
        batch = with_openai(server, lambda client: submitted(client, content))
    assert batch.status == "failed"
    assert batch.errors.data[0].code == code


def test_a_file_batch_whose_creation_was_lost_is_found_by_its_label() -> None:
    async def work(client: openai.AsyncOpenAI) -> list[Any]:
        with pytest.raises(openai.APIConnectionError):
            await submitted(client, lines(["a"]), label="lost")
        return [batch.metadata async for batch in client.batches.list()]

    with ModelServer(SchemaResponder(), batches=BatchTiming(lost=1)) as server:
        assert with_openai(server, work) == [{"label": "lost"}]


def test_a_batch_does_not_end_before_its_time() -> None:
    async def work(client: openai.AsyncOpenAI) -> str:
        batch = await submitted(client, lines(["a"]))
        return str((await client.batches.retrieve(batch.id)).status)

    with ModelServer(SchemaResponder(), batches=BatchTiming(seconds=60)) as server:
        assert with_openai(server, work) == "in_progress"
