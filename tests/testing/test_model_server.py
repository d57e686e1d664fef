"""The stand-in server, spoken to by the official clients."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import anthropic
import httpx
import openai
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.testing.model_server import (
    Faults,
    ModelServer,
    RateLimits,
    SchemaResponder,
    ShownRequest,
)
from clio.testing.model_server.tokens import count_tokens, cut_tokens, family_of

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "request": {"type": "string"},
        "concern": {"type": "integer", "enum": [1, 2, 3, 4, 5]},
        "topics": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
        "coding": {"type": "boolean"},
    },
    "required": ["request", "concern", "topics", "coding"],
    "additionalProperties": False,
}
TOOL = {"name": "answer", "description": "The answer.", "input_schema": SCHEMA}
LONG = "Read what stands below and answer every question about it, in English. " * 120


def fits(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == set(SCHEMA["properties"])
        and isinstance(value["request"], str)
        and value["concern"] in range(1, 6)
        and set(value["topics"]) <= {"a", "b"}
        and isinstance(value["coding"], bool)
    )


def with_anthropic(
    server: ModelServer, work: Callable[[anthropic.AsyncAnthropic], Awaitable[Any]], key: str = "k"
) -> Any:
    async def run() -> Any:
        async with anthropic.AsyncAnthropic(
            api_key=key, base_url=server.url, max_retries=0
        ) as client:
            return await work(client)

    return asyncio.run(run())


def with_openai(
    server: ModelServer, work: Callable[[openai.AsyncOpenAI], Awaitable[Any]], key: str = "k"
) -> Any:
    async def run() -> Any:
        async with openai.AsyncOpenAI(
            api_key=key, base_url=server.url + "/v1", max_retries=0
        ) as client:
            return await work(client)

    return asyncio.run(run())


def message(user: str = "Hello", **more: Any) -> dict[str, Any]:
    return {
        "model": "claude-small",
        "max_tokens": 400,
        "messages": [{"role": "user", "content": user}],
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    } | more


def chat(user: str = "Hello", **more: Any) -> dict[str, Any]:
    return {
        "model": "gpt-small",
        "max_completion_tokens": 400,
        "messages": [
            {"role": "system", "content": "Answer in JSON."},
            {"role": "user", "content": user},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
        },
    } | more


def seen(respond: list[ShownRequest]) -> Callable[[ShownRequest], dict[str, Any]]:
    filler = SchemaResponder()

    def answer(request: ShownRequest) -> dict[str, Any]:
        respond.append(request)
        return dict(filler(request))

    return answer


def test_messages_are_answered_in_the_schema_with_usage_of_tokens() -> None:
    shown: list[ShownRequest] = []
    with ModelServer(seen(shown)) as server:
        reply = with_anthropic(
            server, lambda client: client.messages.create(**message("What?", system="Be brief."))
        )
        assert reply.stop_reason == "end_turn"
        assert fits(orjson.loads(reply.content[0].text))
        assert reply.usage.output_tokens == count_tokens(reply.content[0].text)
        assert server.counts == Counter(answered=1)
        assert server.usage.input == reply.usage.input_tokens
        assert server.usage.output == reply.usage.output_tokens
    assert shown[0].system == "Be brief."
    assert shown[0].user == "What?"
    assert shown[0].tries == 0
    assert shown[0].schema == SCHEMA


def test_a_forced_tool_gets_the_answer_as_its_input() -> None:
    body = message(tools=[TOOL], tool_choice={"type": "tool", "name": "answer"})
    del body["output_config"]
    with ModelServer(SchemaResponder()) as server:
        reply = with_anthropic(server, lambda client: client.messages.create(**body))
    assert reply.stop_reason == "tool_use"
    assert reply.content[0].name == "answer"
    assert fits(reply.content[0].input)


def test_a_marked_prefix_is_written_to_the_cache_once_and_read_from_it_then() -> None:
    system = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]

    async def twice(client: anthropic.AsyncAnthropic) -> list[Any]:
        return [
            await client.messages.create(**message(user, system=system)) for user in ("One", "Two")
        ]

    with ModelServer(SchemaResponder()) as server:
        first, second = (reply.usage for reply in with_anthropic(server, twice))
        total = server.usage
    assert first.cache_creation_input_tokens >= count_tokens(LONG)
    assert first.cache_read_input_tokens == 0
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    assert second.cache_creation_input_tokens == 0
    assert total.cached == total.written == first.cache_creation_input_tokens
    assert total.input == total.cached + total.written + first.input_tokens + second.input_tokens


def test_a_short_prefix_is_not_cached() -> None:
    system = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    with ModelServer(SchemaResponder()) as server:
        for _ in range(2):
            with_anthropic(server, lambda c: c.messages.create(**message(system=system)))
        assert server.usage.cached == server.usage.written == 0


def test_chat_completions_are_answered_in_the_schema_and_cached_in_blocks() -> None:
    body = chat()
    body["messages"][0]["content"] = LONG

    async def twice(client: openai.AsyncOpenAI) -> list[Any]:
        return [await client.chat.completions.create(**body) for _ in range(2)]

    with ModelServer(SchemaResponder()) as server:
        first, second = with_openai(server, twice)
        assert server.requests.most_common(1)[0][1] == 2
    assert fits(orjson.loads(first.choices[0].message.content))
    assert first.choices[0].finish_reason == "stop"
    assert first.choices[0].message.content == second.choices[0].message.content
    assert first.usage.prompt_tokens_details.cached_tokens == 0
    cached = second.usage.prompt_tokens_details.cached_tokens
    assert cached >= 1024
    assert cached % 128 == 0
    assert first.usage.prompt_tokens == second.usage.prompt_tokens > cached
    assert first.usage.total_tokens == first.usage.prompt_tokens + first.usage.completion_tokens


def test_any_json_object_and_plain_text_can_be_asked_for() -> None:
    def respond(request: ShownRequest) -> dict[str, Any]:
        return {"schema": request.schema}

    async def both(client: openai.AsyncOpenAI) -> list[Any]:
        kinds = ({"type": "json_object"}, {"type": "text"})
        replies = [
            await client.chat.completions.create(**chat(response_format=kind)) for kind in kinds
        ]
        return [orjson.loads(reply.choices[0].message.content) for reply in replies]

    with ModelServer(respond) as server:
        assert with_openai(server, both) == [{"schema": {"type": "object"}}, {"schema": None}]


def test_answers_end_at_the_most_tokens_asked_for() -> None:
    with ModelServer(SchemaResponder()) as server:
        one = with_anthropic(server, lambda c: c.messages.create(**message(max_tokens=5)))
        two = with_openai(
            server, lambda c: c.chat.completions.create(**chat(max_completion_tokens=5))
        )
        assert server.counts == Counter(truncated=2)
    assert one.stop_reason == "max_tokens"
    assert one.usage.output_tokens == 5
    assert count_tokens(one.content[0].text) == 5
    assert two.choices[0].finish_reason == "length"
    assert two.usage.completion_tokens == 5


def test_a_second_try_shows_the_first_and_counts_as_one() -> None:
    shown: list[ShownRequest] = []
    turns = [
        {"role": "user", "content": "Question"},
        {"role": "assistant", "content": "{}"},
        {"role": "user", "content": "A field is missing."},
    ]
    with ModelServer(seen(shown)) as server:
        with_anthropic(server, lambda c: c.messages.create(**message("Question")))
        with_anthropic(server, lambda c: c.messages.create(**message(messages=turns)))
    assert [request.tries for request in shown] == [0, 1]
    assert shown[0].question == shown[1].question
    assert shown[0].whole != shown[1].whole


def test_refusals_are_said_as_each_interface_says_them() -> None:
    with ModelServer(SchemaResponder(), faults=Faults(refusals=1)) as server:
        one = with_anthropic(server, lambda c: c.messages.create(**message()))

        async def many(client: openai.AsyncOpenAI) -> list[Any]:
            return [await client.chat.completions.create(**chat(str(n))) for n in range(20)]

        others = with_openai(server, many)
        assert server.counts == Counter(refused=21)
    assert (one.stop_reason, one.content) == ("refusal", [])
    for other in others:
        choice = other.choices[0]
        assert choice.message.content is None
        assert (choice.finish_reason == "content_filter") != bool(choice.message.refusal)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"max_tokens": 0}, 400),
        ({"messages": []}, 400),
        ({"extra_body": {"temperature": 1.5}}, 400),
        ({"messages": [{"role": "system", "content": "x"}]}, 400),
        ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "x"}, "output_config": {}}, 400),
        ({"model": "unknown"}, 404),
    ],
)
def test_anthropics_errors_have_status_and_kind(body: dict[str, Any], status: int) -> None:
    with (
        ModelServer(SchemaResponder(), models=["claude-small"]) as server,
        pytest.raises(anthropic.APIStatusError) as caught,
    ):
        with_anthropic(server, lambda client: client.messages.create(**message(**body)))
    error = caught.value
    assert error.status_code == status
    assert isinstance(error, {400: anthropic.BadRequestError, 404: anthropic.NotFoundError}[status])
    kind = {400: "invalid_request_error", 404: "not_found_error"}[status]
    assert error.body["error"]["type"] == kind  # type: ignore[index, call-overload]
    assert error.request_id is not None


@pytest.mark.parametrize(
    "part",
    [
        {"type": "integer", "minimum": 1},
        {"type": "string", "maxLength": 3},
        {"type": "array", "items": {"type": "string"}, "maxItems": 3},
        {"type": "object", "properties": {}},
    ],
)
def test_structured_outputs_take_no_schema_with_what_anthropic_does_not_support(
    part: dict[str, Any],
) -> None:
    schema = SCHEMA | {"properties": {"x": part}, "required": ["x"]}
    body = message(output_config={"format": {"type": "json_schema", "schema": schema}})
    with ModelServer(SchemaResponder()) as server, pytest.raises(anthropic.BadRequestError):
        with_anthropic(server, lambda client: client.messages.create(**body))


@pytest.mark.parametrize("change", [{"additionalProperties": True}, {"required": ["request"]}])
def test_strict_mode_takes_closed_schemas_alone(change: dict[str, Any]) -> None:
    body = chat()
    body["response_format"]["json_schema"]["schema"] = SCHEMA | change
    with ModelServer(SchemaResponder()) as server, pytest.raises(openai.BadRequestError):
        with_openai(server, lambda client: client.chat.completions.create(**body))


def test_a_wrong_key_a_wrong_model_and_a_body_too_long_are_told() -> None:
    with ModelServer(SchemaResponder(), key="right", models=["m"]) as server:
        with pytest.raises(anthropic.AuthenticationError):
            with_anthropic(server, lambda c: c.messages.create(**message()), key="wrong")
        with pytest.raises(openai.AuthenticationError) as caught:
            with_openai(server, lambda c: c.chat.completions.create(**chat()), key="wrong")
        assert caught.value.code == "invalid_api_key"
        with pytest.raises(openai.NotFoundError) as missing:
            with_openai(server, lambda c: c.chat.completions.create(**chat()), key="right")
        assert missing.value.code == "model_not_found"
        long = message("x" * (33 * 1024 * 1024))
        with pytest.raises(anthropic.RequestTooLargeError):
            with_anthropic(server, lambda c: c.messages.create(**long), key="right")
        expected = {"unauthorised": 2, "unknown_model": 1, "unanswerable": 1}
        assert server.counts == Counter(expected)


def test_overload_says_when_to_come_again_and_passes() -> None:
    faults = Faults(overloaded=0.5, retry_after=0.5)
    statuses: Counter[int] = Counter()
    waits: set[tuple[int, str | None]] = set()

    async def ask(client: anthropic.AsyncAnthropic) -> None:
        for number in range(60):
            try:
                await client.messages.create(**message(str(number % 20)))
            except anthropic.APIStatusError as error:
                statuses[error.status_code] += 1
                waits.add((error.status_code, error.response.headers.get("retry-after")))

    with ModelServer(SchemaResponder(), faults=faults, seed=3) as server:
        with_anthropic(server, ask)
        assert server.counts["overloaded"] == statuses.total()
        assert server.counts.total() == 60
        assert len(server.requests) == 20
    assert waits == {(429, "0.5"), (529, None)}


def test_errors_stalls_and_broken_connections_are_counted_as_such() -> None:
    async def fail(client: openai.AsyncOpenAI) -> None:
        await client.chat.completions.create(**chat())

    async def impatient(client: openai.AsyncOpenAI) -> None:
        await client.chat.completions.create(**chat(), timeout=0.1)

    with ModelServer(SchemaResponder(), faults=Faults(errors=1)) as server:
        with pytest.raises(openai.InternalServerError):
            with_openai(server, fail)
        assert server.counts == Counter(error=1)
    with ModelServer(SchemaResponder(), faults=Faults(disconnects=1)) as server:
        with pytest.raises(openai.APIConnectionError):
            with_openai(server, fail)
        assert server.counts == Counter(disconnect=1)
    with ModelServer(SchemaResponder(), faults=Faults(stalls=1)) as server:
        with pytest.raises(openai.APITimeoutError):
            with_openai(server, impatient)
        assert server.counts == Counter(stall=1)


def test_malformed_and_misshapen_answers_do_not_fit_the_schema() -> None:
    async def ask(client: anthropic.AsyncAnthropic) -> list[str]:
        replies = [await client.messages.create(**message(str(n))) for n in range(20)]
        return [reply.content[0].text for reply in replies]

    with ModelServer(SchemaResponder(), faults=Faults(malformed=1)) as server:
        for text in with_anthropic(server, ask):
            with pytest.raises(orjson.JSONDecodeError):
                orjson.loads(text)
        assert server.counts == Counter(malformed=20)
    with ModelServer(SchemaResponder(), faults=Faults(out_of_schema=1)) as server:
        texts = with_anthropic(server, ask)
        assert not any(fits(orjson.loads(text)) for text in texts)
        assert server.counts == Counter(out_of_schema=20)


def test_the_same_calls_meet_the_same_faults_whatever_their_order() -> None:
    faults = Faults(
        overloaded=0.1, errors=0.1, malformed=0.1, out_of_schema=0.1, truncated=0.1, refusals=0.1
    )

    def outcomes(numbers: list[int]) -> dict[int, list[str]]:
        async def ask(client: openai.AsyncOpenAI) -> dict[int, list[str]]:
            found: dict[int, list[str]] = {}
            for number in numbers:
                before = server.counts
                try:
                    reply = await client.chat.completions.create(**chat(str(number)))
                    said = reply.choices[0].message.content or ""
                except openai.APIStatusError as error:
                    said = str(error.status_code)
                found.setdefault(number, []).append(f"{server.counts - before} {said}")
            return found

        with ModelServer(SchemaResponder(), faults=faults, seed=5) as server:
            return with_openai(server, ask)

    numbers = [*range(40), *range(40)]
    assert outcomes(numbers) == outcomes(numbers[::-1])


def test_what_is_over_the_limits_is_told_to_wait() -> None:
    async def ask(client: anthropic.AsyncAnthropic) -> list[float]:
        waits = []
        for number in range(10):
            try:
                await client.messages.create(**message(str(number)))
            except anthropic.RateLimitError as error:
                waits.append(float(error.response.headers["retry-after"]))
        return waits

    limits = RateLimits(requests_per_minute=300)
    with ModelServer(SchemaResponder(), limits=limits) as server:
        waits = with_anthropic(server, ask)
        assert server.counts["overloaded"] == len(waits) > 2
        assert all(0 < wait < 0.5 for wait in waits)
    with ModelServer(SchemaResponder(), limits=RateLimits(tokens_per_minute=3000)) as server:
        assert with_anthropic(server, ask)


@given(st.text(), st.integers(0, 40), st.sampled_from(["gpt-5", "gpt-3.5", "claude-haiku-4-5"]))
def test_a_text_can_be_cut_at_any_number_of_tokens(text: str, most: int, model: str) -> None:
    cut = cut_tokens(text, most, family_of(model))
    assert text.startswith(cut)
    assert count_tokens(cut, family_of(model)) <= most


@pytest.mark.parametrize(
    ("text", "o200k", "cl100k", "claude"),
    [
        # Counted by the tokenizers themselves.
        ("The requests of this week are sorted by what people wanted to know.", 14, 14, 14),
        ("Как мне приготовить хлеб без дрожжей, если дома нет духовки?", 15, 30, 32),
    ],
)
def test_tokens_are_counted_about_as_the_models_tokenizers_do(
    text: str, o200k: int, cl100k: int, claude: int
) -> None:
    for model, real in (("gpt-5", o200k), ("llama", cl100k), ("claude-haiku-4-5", claude)):
        assert 0.7 < count_tokens(text, family_of(model)) / real < 1.3


def test_calls_take_the_latency_and_overlap() -> None:
    async def ask(client: openai.AsyncOpenAI) -> None:
        calls = (client.chat.completions.create(**chat(str(n))) for n in range(8))
        await asyncio.gather(*calls)

    with ModelServer(SchemaResponder(), latency=0.1, jitter=0.05) as server:
        with_openai(server, ask)
        assert server.peak == 8


def test_a_responders_mistake_is_raised_where_the_server_was_started() -> None:
    def respond(request: ShownRequest) -> dict[str, Any]:
        raise KeyError("not there")

    def run() -> None:
        with ModelServer(respond) as server, pytest.raises(anthropic.InternalServerError):
            with_anthropic(server, lambda c: c.messages.create(**message()))

    with pytest.raises(KeyError, match="not there"):
        run()


def test_counts_are_shown_over_http() -> None:
    with ModelServer(SchemaResponder()) as server:
        for _ in range(2):
            with_anthropic(server, lambda c: c.messages.create(**message()))
        state = httpx.get(f"{server.url}/_counts").json()
        assert state == server.state
        assert state["counts"] == {"answered": 2}
        assert (state["calls"], state["distinct"], state["repeated"]) == (2, 1, 1)
