"""The two batch interfaces, through the official SDKs, against the stand-in server."""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import number_prompts as numbers
import pytest
from batch_support import PRICE, QUICK, ask_shards, shards

from clio.analysts.answers import first_request
from clio.analysts.batching import Pauses
from clio.analysts.cache import Cache
from clio.analysts.deferred import open_deferred
from clio.analysts.ledger import Ledger
from clio.analysts.prices import Model
from clio.analysts.providers.base import FatalError, Intent, TransientError, UnclearError
from clio.analysts.providers.batch_anthropic import AnthropicBatches
from clio.analysts.providers.batch_openai import OpenAIBatches
from clio.conversation import Outcome
from clio.errors import ModelError, SettingsError
from clio.prompting import PendingError
from clio.testing.model_server import BatchTiming, Faults, ModelServer
from clio.testing.model_server import anthropic as protocol_of_anthropic
from clio.testing.model_server import openai as protocol_of_openai

BOTH = pytest.mark.parametrize("protocol", ["anthropic", "openai"])
SUFFIX = {"anthropic": "", "openai": "/v1"}
KEY = "sk-not-a-real-key"


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def respond(shown):
    return {"number": int(shown.user)}


def opened(folder, server, protocol, pauses=QUICK):
    name = f"batch:{protocol}:model"
    cache = Cache(folder / "answers.sqlite")
    return open_deferred(
        name,
        base_url=server.url + SUFFIX[protocol],
        known=Model(PRICE),
        cache=cache,
        ledger=Ledger(cache, name, PRICE),
        pauses=pauses,
    )


def provider(server, protocol):
    kind = {"anthropic": AnthropicBatches, "openai": OpenAIBatches}[protocol]
    return kind("model", server.url + SUFFIX[protocol])


def end_batches(server, protocol):
    """Look at the server's batches, so that they end, as time would."""
    path = {"anthropic": "/v1/messages/batches/", "openai": "/v1/batches/"}[protocol]
    headers = {
        "x-api-key": KEY,
        "authorization": f"Bearer {KEY}",
        "anthropic-version": "2023-06-01",
    }
    for batch in server.state["batches"]:
        httpx.get(server.url + path + batch, headers=headers).raise_for_status()


@BOTH
def test_a_run_through_a_batch(tmp_path, protocol):
    with (
        ModelServer(respond, batches=BatchTiming(polls=2)) as server,
        opened(tmp_path, server, protocol) as asker,
    ):
        replies = ask_shards(asker, shards(5, 20))
        assert [reply.value for reply in replies] == list(range(100))
        assert asker.host == server.url
        account = asker.ledger.as_dict()
        assert account["attempts"] == dict(server.counts) == {"answered": 100}
        usage = server.usage
        assert account["tokens"] == {
            "input": usage.input,
            "output": usage.output,
            "cached": usage.cached,
            "written": usage.written,
        }
        assert account["cost"] == pytest.approx(PRICE.cost(usage, batch=True))
        # Nothing with text in it is left there.
        assert server.state["files"] == []
        assert asker.outstanding() == []
        if protocol == "anthropic":
            assert server.state["batches"] == []


@BOTH
def test_faults_are_told_apart_and_counted_as_the_server_counts(tmp_path, protocol):
    faults = Faults(malformed=0.2, out_of_schema=0.1, refusals=0.1, truncated=0.1)
    timing = BatchTiming(errored=0.1, expired=0.1)
    with (
        ModelServer(respond, faults=faults, batches=timing) as server,
        opened(tmp_path, server, protocol) as asker,
    ):
        replies = ask_shards(asker, shards(4, 25))
        account = asker.ledger.as_dict()
        counts = server.counts
        assert account["attempts"] == {
            "answered": counts["answered"],
            "malformed": counts["malformed"] + counts["out_of_schema"],
            "refused": counts["refused"],
            "truncated": counts["truncated"],
            "transient": counts["error"] + counts["expired"],
        }
        assert account["cost"] == pytest.approx(PRICE.cost(server.usage, batch=True))
    for number, reply in enumerate(replies):
        assert reply.value in (number, None)
        assert (reply.outcome is Outcome.ASSIGNED) == (reply.value is not None)
    found = Counter(reply.outcome for reply in replies)
    assert found.total() == 100
    assert found[Outcome.ASSIGNED] == counts["answered"]
    assert found[Outcome.REFUSED] == counts["refused"]


@BOTH
def test_an_unknown_model_stops_the_run(tmp_path, protocol):
    with (
        ModelServer(respond, models=["other"]) as server,
        opened(tmp_path, server, protocol) as asker,
        pytest.raises(ModelError, match="run the same command again when that is mended"),
    ):
        ask_shards(asker, shards(1, 10))


@BOTH
def test_a_wrong_key_stops_the_run_and_is_not_shown(tmp_path, protocol):
    with (
        ModelServer(respond, key="another") as server,
        opened(tmp_path, server, protocol) as asker,
    ):
        with pytest.raises(ModelError, match=r"answered 401 .*mended") as caught:
            ask_shards(asker, shards(1, 10))
        shown = "".join(traceback.format_exception(caught.value))
        assert KEY not in shown


@BOTH
def test_errors_hold_nothing_of_what_was_sent(tmp_path, protocol):
    """Neither in their texts nor in what they are chained to."""
    with ModelServer(respond, key="another") as server:

        async def fail():
            batches = provider(server, protocol)
            try:
                request = numbers.Request(
                    "0" * 64, "system", "Canary, my secret", numbers.SCHEMA, 0.2, 50
                )
                await batches.submit("0" * 16, [request])
            finally:
                await batches.close()

        with pytest.raises(FatalError) as caught:
            asyncio.run(fail())
    error = caught.value
    while error is not None:
        assert "Canary" not in str(error)
        assert not hasattr(error, "request")
        error = error.__context__


@BOTH
def test_a_server_that_is_not_there(tmp_path, protocol):
    with ModelServer(respond) as server:
        batches = provider(server, protocol)

    async def poll():
        try:
            await batches.poll("batch")
        finally:
            await batches.close()

    with pytest.raises(TransientError, match="is not reached"):
        asyncio.run(poll())


@BOTH
def test_a_batch_that_was_deleted_there_is_handed_in_again(tmp_path, protocol):
    with ModelServer(respond, batches=BatchTiming(polls=1)) as server:
        with opened(tmp_path, server, protocol) as asker:
            with pytest.raises(PendingError):
                asker.ask(shards(1, 10)[0])
            asker.on_wait = lambda done, total: delete_all(server, protocol)
            replies = ask_shards(asker, shards(1, 10))
            assert asker.ledger.as_dict()["attempts"] == {"answered": 10, "transient": 10}
        assert [reply.value for reply in replies] == list(range(10))


def delete_all(server, protocol):
    """Take away, once, what somebody could at the provider's console."""
    batches = server._service.message_batches.batches
    if protocol == "openai":
        batches = server._service.file_batches.batches
    if batches._made == 1:
        batches.all.clear()


@pytest.mark.parametrize("lost", [1, 2])
def test_a_creation_without_an_answer_is_found_by_its_label(tmp_path, lost):
    timing = BatchTiming(lost=lost, page=3)
    with (
        ModelServer(respond, batches=timing) as server,
        opened(tmp_path, server, "openai") as asker,
    ):
        for first in range(0, 50, 10):
            prompts = [[numbers.number_prompt(number) for number in range(first, first + 10)]]
            assert [reply.value for reply in ask_shards(asker, prompts)] == list(
                range(first, first + 10)
            )
        assert len(server.state["batches"]) == 5
        assert set(server.requests.values()) == {1}
        assert server.state["files"] == []


def test_a_creation_without_an_answer_stops_until_its_batch_has_ended(tmp_path):
    """Anthropic's batches carry no label: only their answers tell which they are."""
    timing = BatchTiming(lost=1)
    with ModelServer(respond, batches=timing) as server:
        for _ in range(2):
            with opened(tmp_path, server, "anthropic") as asker:
                with pytest.raises(ModelError) as caught:
                    ask_shards(asker, shards(1, 10))
                (batch,) = server.state["batches"]
                assert batch in str(caught.value)
                assert "run the same command again when that has ended" in str(caught.value)
        end_batches(server, "anthropic")
        with opened(tmp_path, server, "anthropic") as asker:
            replies = ask_shards(asker, shards(1, 10))
        assert [reply.value for reply in replies] == list(range(10))
        assert set(server.requests.values()) == {1}
        assert server.state["batches"] == []


def test_a_batch_that_is_surely_another_does_not_make_it_unclear(tmp_path):
    with ModelServer(respond, batches=BatchTiming(page=2)) as server:

        async def look():
            batches = provider(server, "anthropic")
            try:
                for number in range(5):
                    label = f"{number:016x}"
                    requests = [
                        numbers.Request(f"{label}{place:048x}", "s", "7", numbers.SCHEMA, 0.2, 50)
                        for place in range(3)
                    ]
                    last = await batches.submit(label, requests)
                now = datetime.now(UTC)
                known = frozenset(server.state["batches"])
                assert await batches.find(Intent("f" * 16, 3, now, known)) is None
                assert await batches.find(Intent("f" * 16, 4, now, frozenset())) is None
                later = now + timedelta(days=3)
                assert await batches.find(Intent("f" * 16, 3, later, frozenset())) is None
                with pytest.raises(UnclearError) as caught:
                    await batches.find(Intent("f" * 16, 3, now, known - {last}))
                assert caught.value.candidates == (last,)
                for batch in known:
                    await batches.poll(batch)
                assert await batches.find(Intent("f" * 16, 3, now, frozenset())) is None
                assert await batches.find(Intent(label, 3, now, frozenset())) == last
            finally:
                await batches.close()

        asyncio.run(look())


def test_what_was_only_half_handed_in_is_deleted(tmp_path):
    with ModelServer(respond) as server:

        async def half():
            batches = provider(server, "openai")
            try:
                client = batches._client
                await client.files.create(file=("clio-abc.jsonl", b"{}\n"), purpose="batch")
                await client.files.create(file=("theirs.jsonl", b"{}\n"), purpose="batch")
                intent = Intent("abc", 1, datetime.now(UTC), frozenset())
                assert await batches.find(intent) is None
            finally:
                await batches.close()

        asyncio.run(half())
        assert len(server.state["files"]) == 1


def test_a_creation_that_is_turned_down_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr("clio.testing.model_server.file_batches._ENDPOINT", "/elsewhere")
    with ModelServer(respond) as server:
        with opened(tmp_path, server, "openai") as asker, pytest.raises(ModelError, match="400"):
            ask_shards(asker, shards(1, 10))
        assert server.state["files"] == []


def test_text_with_line_breaks_of_all_kinds_survives(tmp_path):
    odd = "a\u2028b\u2029c\x85d\x0be\x1cf"

    def quote(shown):
        return {"text": odd}

    def check(answer):
        return answer["text"]

    schema = {
        "type": "object",
        "properties": {"text": {"type": "string"}},
        "required": ["text"],
        "additionalProperties": False,
    }
    prompt = numbers.Prompt("facets", "Quote.", odd, schema, check, 0.2, 50)
    for protocol in SUFFIX:
        folder = tmp_path / protocol
        folder.mkdir()
        with ModelServer(quote) as server, opened(folder, server, protocol) as asker:
            assert ask_shards(asker, [[prompt]])[0].value == odd


def test_a_batch_is_not_looked_for_before_it_may_show(tmp_path):
    pauses = Pauses(first=0.01, longest=0.01, settling=0.1)
    with (
        ModelServer(respond, batches=BatchTiming(lost=1)) as server,
        opened(tmp_path, server, "openai", pauses) as asker,
    ):
        begin = datetime.now(UTC)
        assert [reply.value for reply in ask_shards(asker, shards(1, 5))] == list(range(5))
        assert datetime.now(UTC) - begin > timedelta(seconds=0.1)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("batch:anthropic", SettingsError),
        ("batch:other:model", SettingsError),
        ("batch:openai:", SettingsError),
    ],
)
def test_names_that_name_nobody(tmp_path, name, error):
    cache = Cache(tmp_path / "answers.sqlite")
    with pytest.raises(error, match="names nobody"):
        open_deferred(name, cache=cache, ledger=Ledger(cache, name))
    cache.close()


@BOTH
def test_keys_and_addresses_are_checked(tmp_path, protocol, monkeypatch):
    cache = Cache(tmp_path / "answers.sqlite")
    name = f"batch:{protocol}:model"
    with pytest.raises(ModelError, match="in the open"):
        open_deferred(name, base_url="http://example.com", cache=cache, ledger=Ledger(cache, name))
    monkeypatch.delenv(f"{protocol.upper()}_API_KEY")
    with pytest.raises(ModelError, match=f"{protocol.upper()}_API_KEY"):
        open_deferred(name, cache=cache, ledger=Ledger(cache, name))
    cache.close()


@BOTH
@pytest.mark.parametrize(
    "absent", [["temperature"], ["temperature", "schema"], ["temperature", "schema", "length"]]
)
def test_what_a_model_does_not_take_is_left_out(tmp_path, protocol, absent, monkeypatch):
    """Turned down as a whole, which costs nothing, a batch is handed in again without."""
    module = {"anthropic": protocol_of_anthropic, "openai": protocol_of_openai}[protocol]
    read = module.read
    names = {"schema": ("output_config", "response_format"), "length": ("max_tokens",)}
    if protocol == "anthropic":
        absent = [name for name in absent if name != "length"]

    def picky(body):
        for name in absent:
            for parameter in names.get(name, (name,)):
                held = body.get(parameter)
                if held is not None and held != {"type": "json_object"}:
                    raise module.invalid(f"Unsupported parameter: '{parameter}'.")
        return read(body)

    monkeypatch.setattr(module, "read", picky)
    with (
        ModelServer(respond) as server,
        opened(tmp_path, server, protocol) as asker,
    ):
        replies = ask_shards(asker, shards(2, 10))
        account = asker.ledger.as_dict()
        assert account["attempts"] == {"answered": 20, "unsupported": server.counts["unanswerable"]}
        assert ask_shards(asker, [[numbers.number_prompt(100)]])[0].value == 100
        assert asker.ledger.as_dict()["attempts"]["answered"] == 21
    assert [reply.value for reply in replies] == list(range(20))


@BOTH
def test_a_request_that_is_turned_down_among_others_changes_nothing(
    tmp_path, protocol, monkeypatch
):
    module = {"anthropic": protocol_of_anthropic, "openai": protocol_of_openai}[protocol]
    read = module.read

    def picky(body):
        if body["messages"][-1]["content"] == "3":
            raise module.invalid("What you wrote: temperature, schema, max_tokens.")
        assert "temperature" in body
        return read(body)

    monkeypatch.setattr(module, "read", picky)
    with ModelServer(respond) as server, opened(tmp_path, server, protocol) as asker:
        replies = ask_shards(asker, shards(1, 10))
        assert asker.ledger.as_dict()["attempts"] == {"answered": 9, "unanswerable": 1}
        assert [place for place, reply in enumerate(replies) if reply.value is None] == [3]
        assert "What you wrote" not in replies[3].reason
        assert ask_shards(asker, [[numbers.number_prompt(100)]])[0].value == 100


@pytest.fixture
def elsewhere():
    """A server that sends everybody to another place of itself, and what was asked for."""
    asked = []

    class Sending(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(307)
            self.send_header("location", "/another/place")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Sending) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@BOTH
def test_texts_go_to_no_other_place_and_are_not_logged(protocol, elsewhere, caplog):
    url, asked = elsewhere
    for name in (protocol, "httpx", "aiohttp"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    kind = {"anthropic": AnthropicBatches, "openai": OpenAIBatches}[protocol]

    async def hand_in():
        batches = kind("model", url + SUFFIX[protocol])
        request = first_request("model", numbers.number_prompt(8_675_309))
        try:
            await batches.submit("label", [request])
        finally:
            await batches.close()

    with pytest.raises(FatalError, match="sends elsewhere"):
        asyncio.run(hand_in())
    assert len(asked) == 1
    assert "8675309" not in caplog.text
