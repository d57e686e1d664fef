from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from clio.analysts.providers import PROVIDERS, load_provider
from clio.analysts.providers.base import (
    Completion,
    FatalError,
    OverloadedError,
    ProviderError,
    Request,
    TransientError,
    UnanswerableError,
    UnsupportedError,
    Usage,
)
from clio.errors import ModelError, SettingsError

SECRET = "what somebody wrote"
SCHEMA = {
    "type": "object",
    "properties": {"number": {"type": "integer"}},
    "required": ["number"],
    "additionalProperties": False,
}
REQUEST = Request("ab12", "Say the number.", SECRET, SCHEMA, 0.2, 50)
AGAIN = Request("cd34", "Say the number.", SECRET, SCHEMA, 0.2, 50, retry_of=("", "no object"))

OPENAI_ANSWER = {
    "id": "x",
    "object": "chat.completion",
    "created": 0,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": '{"number": 3}', "refusal": None},
        }
    ],
    "usage": {
        "prompt_tokens": 20,
        "completion_tokens": 6,
        "total_tokens": 26,
        "prompt_tokens_details": {"cached_tokens": 8},
    },
}
ANTHROPIC_ANSWER = {
    "id": "x",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": '{"number": 3}'}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 10,
        "output_tokens": 6,
        "cache_read_input_tokens": 8,
        "cache_creation_input_tokens": 2,
    },
}
ANSWERS = {"openai": OPENAI_ANSWER, "anthropic": ANTHROPIC_ANSWER}
Reaction = Callable[[dict[str, Any]], tuple[int, Any] | web.StreamResponse]


@pytest.fixture(autouse=True)
def _keys(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")


def talk(
    name: str, reaction: Reaction, scene: Callable[[Any], Awaitable[Any]]
) -> tuple[Any, list[dict[str, Any]]]:
    """What a scene with a provider comes to, and the bodies that its server got."""
    bodies: list[dict[str, Any]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        bodies.append({"path": request.path, "headers": _lower(request.headers), **body})
        reacted = reaction(body)
        if isinstance(reacted, web.StreamResponse):
            return reacted
        status, answer = reacted
        return web.json_response(answer, status=status)

    async def whole() -> Any:
        application = web.Application()
        application.router.add_post("/{path:.*}", handle)
        async with TestServer(application) as server:
            base = str(server.make_url("/v1" if name == "openai" else "/"))
            provider = load_provider(name, "m", base)
            try:
                return await scene(provider)
            finally:
                await provider.close()

    return asyncio.run(whole()), bodies


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def ask_once(name: str, reaction: Reaction, request: Request = REQUEST) -> Completion:
    async def scene(provider: Any) -> Completion:
        return await provider.generate(request)

    return talk(name, reaction, scene)[0]


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_an_answer_and_its_tokens_are_read(name):
    completion = ask_once(name, lambda _: (200, ANSWERS[name]))
    written = 2 if name == "anthropic" else 0
    assert completion == Completion('{"number": 3}', Usage(20, 6, cached=8, written=written))


def test_openai_gets_the_schema_the_stable_part_first_and_the_older_length_parameter():
    async def scene(provider: Any) -> None:
        await provider.generate(REQUEST)
        await provider.generate(AGAIN)

    _, (body, again) = talk("openai", lambda _: (200, OPENAI_ANSWER), scene)
    assert body["path"] == "/v1/chat/completions"
    assert body["headers"]["authorization"] == "Bearer sk-test"
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA
    assert body["response_format"]["json_schema"]["strict"] is True
    assert (body["max_tokens"], body["temperature"]) == (50, 0.2)
    assert "max_completion_tokens" not in body
    roles = [message["role"] for message in again["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert "no object" in again["messages"][-1]["content"]


def test_anthropic_gets_the_schema_and_a_mark_behind_the_stable_part():
    async def scene(provider: Any) -> None:
        await provider.generate(REQUEST)

    _, (body,) = talk("anthropic", lambda _: (200, ANTHROPIC_ANSWER), scene)
    assert body["path"] == "/v1/messages"
    headers = body["headers"]
    assert "sk-test" in headers.get("x-api-key", "") + headers.get("authorization", "")
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert body["output_config"]["format"] == {"type": "json_schema", "schema": SCHEMA}
    assert (body["max_tokens"], body["temperature"]) == (50, 0.2)


def refused(name: str) -> dict[str, Any]:
    if name == "anthropic":
        return {**ANTHROPIC_ANSWER, "content": [], "stop_reason": "refusal"}
    choice = {**OPENAI_ANSWER["choices"][0], "message": {"role": "assistant", "refusal": "No."}}
    return {**OPENAI_ANSWER, "choices": [choice]}


def cut(name: str) -> dict[str, Any]:
    if name == "anthropic":
        return {**ANTHROPIC_ANSWER, "stop_reason": "max_tokens"}
    choice = {**OPENAI_ANSWER["choices"][0], "finish_reason": "length"}
    return {**OPENAI_ANSWER, "choices": [choice]}


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_refusals_and_cuts_are_told_apart(name):
    no, short = (ask_once(name, lambda _, made=made: (200, made(name))) for made in (refused, cut))
    assert (no.refused, no.truncated) == (True, False)
    assert (short.refused, short.truncated) == (False, True)


@pytest.mark.parametrize("name", sorted(PROVIDERS))
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (307, FatalError),
        (400, UnanswerableError),
        (401, FatalError),
        (403, FatalError),
        (404, FatalError),
        (408, TransientError),
        (413, UnanswerableError),
        (422, UnanswerableError),
        (429, OverloadedError),
        (500, TransientError),
        (503, TransientError),
        (529, OverloadedError),
    ],
)
def test_statuses_become_errors_without_anybodys_words(name, status, kind):
    def reaction(_: dict[str, Any]) -> web.StreamResponse:
        error = {"type": "error", "error": {"type": "some_error", "message": SECRET}}
        headers = {"Retry-After": "7", "Location": "https://elsewhere.invalid/"}
        return web.json_response(error, status=status, headers=headers)

    with pytest.raises(ProviderError) as caught:
        ask_once(name, reaction)
    assert type(caught.value) is kind
    assert str(status) in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    if isinstance(caught.value, OverloadedError):
        assert caught.value.retry_after == 7


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        ("openai", 429, {"message": "pay", "code": "insufficient_quota", "type": "x"}),
        ("anthropic", 400, {"message": "Your credit balance is too low", "type": "x"}),
    ],
)
def test_no_credit_stops_the_run(name, status, error):
    with pytest.raises(FatalError):
        ask_once(name, lambda _: (status, {"type": "error", "error": error}))


@pytest.mark.parametrize("name", sorted(PROVIDERS))
@pytest.mark.parametrize(
    "answer",
    [
        web.Response,
        lambda: web.Response(text="<html>", content_type="text/html"),
        lambda: web.Response(text="{", content_type="application/json"),
        lambda: web.json_response({}),
        lambda: web.json_response([1]),
    ],
)
def test_what_is_no_answer_may_pass(name, answer):
    with pytest.raises(TransientError):
        ask_once(name, lambda _: answer())


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_a_server_that_is_not_there_may_come_back(name):
    async def scene() -> None:
        provider = load_provider(name, "m", "http://127.0.0.1:9/v1")
        try:
            await provider.generate(REQUEST)
        finally:
            await provider.close()

    with pytest.raises(TransientError, match="not reached"):
        asyncio.run(scene())


async def adapt(provider: Any) -> int:
    """Ask as long as the way of asking changes; how often it did."""
    for changes in range(10):
        try:
            await provider.generate(REQUEST)
        except UnsupportedError:
            continue
        await provider.generate(REQUEST)
        return changes
    raise AssertionError


@pytest.mark.parametrize(
    ("taken", "changes"),
    [("json_schema", 0), ("object by schema", 1), ("json_object", 2), ("nothing", 3)],
)
def test_openai_servers_get_the_strictest_form_that_they_take(taken, changes):
    def reaction(body: dict[str, Any]) -> tuple[int, Any]:
        given = body.get("response_format", {})
        form = "object by schema" if "schema" in given else given.get("type", "nothing")
        if form != taken:
            return 400, {"error": {"message": "response_format is not supported"}}
        return 200, OPENAI_ANSWER

    changed, bodies = talk("openai", reaction, adapt)
    assert changed == changes
    assert len(bodies) == changes + 2
    system = bodies[-1]["messages"][0]["content"]
    assert ("additionalProperties" in system) == (changes > 0)


@pytest.mark.parametrize(("taken", "changes"), [("output_config", 0), ("tools", 1), ("none", 2)])
def test_anthropic_models_get_the_strictest_form_that_they_take(taken, changes):
    def reaction(body: dict[str, Any]) -> tuple[int, Any]:
        form = next((form for form in ("output_config", "tools") if form in body), "none")
        if form != taken:
            error = {"type": "invalid_request_error", "message": "output_config, input_schema: no"}
            return 400, {"type": "error", "error": error}
        tool = {"type": "tool_use", "id": "t", "name": "answer", "input": {"number": 3}}
        content = [tool] if form == "tools" else ANTHROPIC_ANSWER["content"]
        return 200, {**ANTHROPIC_ANSWER, "content": content}

    async def scene(provider: Any) -> tuple[int, Completion]:
        return await adapt(provider), await provider.generate(REQUEST)

    (changed, completion), _ = talk("anthropic", reaction, scene)
    assert changed == changes
    assert completion.text.replace(" ", "") == '{"number":3}'


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_a_model_without_temperature_is_asked_without_it(name):
    def reaction(body: dict[str, Any]) -> tuple[int, Any]:
        if "temperature" in body:
            return 400, {"error": {"message": "temperature is not supported with this model"}}
        return 200, ANSWERS[name]

    changed, bodies = talk(name, reaction, adapt)
    assert changed == 1
    assert ["temperature" in body for body in bodies] == [True, False, False]


def test_a_server_may_know_the_newer_length_parameter_alone():
    def reaction(body: dict[str, Any]) -> tuple[int, Any]:
        if "max_tokens" in body:
            return 400, {"error": {"message": "use max_completion_tokens, not max_tokens"}}
        return 200, OPENAI_ANSWER

    assert talk("openai", reaction, adapt)[0] == 1


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_calls_under_way_together_adapt_once(name):
    def reaction(body: dict[str, Any]) -> tuple[int, Any]:
        if "temperature" in body:
            return 400, {"error": {"message": "temperature: no"}}
        return 200, ANSWERS[name]

    async def scene(provider: Any) -> list[Any]:
        first = await asyncio.gather(
            *(provider.generate(REQUEST) for _ in range(5)), return_exceptions=True
        )
        assert all(isinstance(error, UnsupportedError) for error in first)
        return [await provider.generate(REQUEST)]

    assert len(talk(name, reaction, scene)[0]) == 1


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_a_text_that_an_error_repeats_cannot_loosen_how_others_are_asked(name):
    def reaction(body: dict[str, Any]) -> tuple[int, Any]:
        if "poison" in str(body["messages"]):
            return 400, {"error": {"message": "bad: poison temperature response_format schema"}}
        return 200, ANSWERS[name]

    async def scene(provider: Any) -> None:
        await provider.generate(REQUEST)
        with pytest.raises(UnanswerableError):
            await provider.generate(Request("ef56", "Say the number.", "poison", SCHEMA, 0.2, 50))
        await provider.generate(REQUEST)

    _, (before, _, after) = talk(name, reaction, scene)
    for body in (before, after):
        del body["headers"]
    assert before == after


@pytest.mark.parametrize(("name", "variable"), [(n, f"{n.upper()}_API_KEY") for n in PROVIDERS])
def test_a_key_is_needed_beyond_this_machine_alone(monkeypatch, name, variable):
    monkeypatch.delenv(variable)
    for base_url in (None, "https://models.example.org/v1"):
        with pytest.raises(ModelError, match=variable):
            load_provider(name, "m", base_url)
    assert ask_once(name, lambda _: (200, ANSWERS[name])).text


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_texts_do_not_leave_this_machine_in_the_open(name):
    with pytest.raises(ModelError, match="in the open"):
        load_provider(name, "m", "http://models.example.org/v1")


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_the_host_is_shown_and_nothing_else_of_the_address(name):
    async def scene() -> str:
        provider = load_provider(name, "m", "https://user:word@models.example.org:8443/v1?key=k")
        await provider.close()
        return provider.host

    assert asyncio.run(scene()) == "https://models.example.org:8443"


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_nothing_of_a_text_is_logged_even_where_the_sdk_was_told_to(name, caplog):
    caplog.set_level(logging.DEBUG, logger=name)
    caplog.set_level(logging.DEBUG)
    ask_once(name, lambda _: (200, ANSWERS[name]))
    assert SECRET not in caplog.text


def test_a_missing_sdk_is_named_with_what_to_install(monkeypatch):
    monkeypatch.setitem(PROVIDERS, "openai", ("clio.analysts.providers.no_such_sdk", "Provider"))
    with pytest.raises(ModelError, match=r"pip install 'clio-insights\[openai\]'"):
        load_provider("openai", "m")


def test_other_packages_add_theirs_by_entry_point(tmp_path, monkeypatch):
    folder = tmp_path / "other-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[clio.analysts]\nother = other_models:Provider\nbroken = missing_module:Provider\n"
    )
    (tmp_path / "other_models.py").write_text(
        "class Provider:\n    def __init__(self, model, base_url):\n"
        "        self.name, self.host = f'other:{model}', 'https://other.invalid'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_provider("other", "m").name == "other:m"
    with pytest.raises(ModelError, match="'broken' cannot be loaded"):
        load_provider("broken", "m")
    with pytest.raises(SettingsError, match="known: anthropic:MODEL, broken:MODEL"):
        load_provider("nobody", "m")
