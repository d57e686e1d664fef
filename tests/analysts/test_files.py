"""`files:DIR`: requests are laid out, somebody answers, the run goes on."""

from __future__ import annotations

import gzip
import os
import stat
from collections import Counter

import number_prompts as numbers
import openai
import orjson
import pytest
from batch_support import ask_shards, shards
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clio.analysts import exchange as exchange_module
from clio.analysts.cache import Cache
from clio.analysts.deferred import open_deferred
from clio.analysts.ledger import Ledger
from clio.analysts.providers import files as files_module
from clio.conversation import Outcome
from clio.errors import ModelError, WaitingError
from clio.prompting import PendingError
from clio.testing.model_server import ModelServer


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "exchange"


def opened(tmp_path, folder):
    cache = Cache(tmp_path / "answers.sqlite")
    name = f"files:{folder}"
    return open_deferred(name, cache=cache, ledger=Ledger(cache, name))


def lay_out(tmp_path, folder, prompts):
    """Ask until somebody else has to answer; what was said then."""
    with opened(tmp_path, folder) as asker, pytest.raises(WaitingError) as caught:
        ask_shards(asker, prompts)
    return str(caught.value)


def collected(tmp_path, folder, prompts):
    with opened(tmp_path, folder) as asker:
        return ask_shards(asker, prompts), asker.ledger.as_dict()["attempts"]


def requests(folder):
    """All requests that lie there."""
    return [
        orjson.loads(line)
        for path in sorted((folder / "requests").iterdir())
        for line in path.read_bytes().splitlines()
    ]


def completion(request, text=None):
    number = request["body"]["messages"][1]["content"]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "some",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": f'{{"number": {number}}}' if text is None else text,
                },
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


def answered(request, text=None):
    body = completion(request, text)
    response = {"status_code": 200, "request_id": "1", "body": body}
    return {"id": "1", "custom_id": request["custom_id"], "response": response, "error": None}


def failed(request, status):
    error = {"message": "Canary: quotes what was sent", "type": "error", "code": "some_code"}
    response = {"status_code": status, "request_id": "1", "body": {"error": error}}
    return {"id": "1", "custom_id": request["custom_id"], "response": response, "error": None}


def lines(records):
    return b"".join(orjson.dumps(record) + b"\n" for record in records)


def put(folder, name, data):
    (folder / "responses" / name).write_bytes(data)


def test_a_run_goes_round(tmp_path, folder):
    said = lay_out(tmp_path, folder, shards(5, 8))
    assert "40 answers are awaited" in said
    assert str(folder / "requests") in said
    assert str(folder / "responses") in said
    put(folder, "answers.jsonl", lines(map(answered, requests(folder))))
    replies, attempts = collected(tmp_path, folder, shards(5, 8))
    assert [reply.value for reply in replies] == list(range(40))
    assert attempts == {"answered": 40}


def test_requests_are_those_of_the_batch_interface(tmp_path, folder):
    lay_out(tmp_path, folder, shards(1, 1))
    (request,) = requests(folder)
    assert request == {
        "custom_id": request["custom_id"],
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": "model",
            "messages": [
                {"role": "system", "content": "Say the number."},
                {"role": "user", "content": "0"},
            ],
            "temperature": 0.2,
            "max_completion_tokens": 50,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": numbers.SCHEMA},
            },
        },
    }
    assert len(request["custom_id"]) == 64


def test_a_batch_interface_takes_the_file_and_its_output_is_taken(tmp_path, folder):
    lay_out(tmp_path, folder, shards(2, 5))
    (path,) = (folder / "requests").iterdir()
    with ModelServer(lambda shown: {"number": int(shown.user)}) as server:
        client = openai.OpenAI(api_key="key", base_url=f"{server.url}/v1")
        file = client.files.create(file=path, purpose="batch")
        batch = client.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
        batch = client.batches.retrieve(batch.id)
        output = client.files.content(batch.output_file_id).content
        client.close()
    put(folder, path.name, output)
    replies, _ = collected(tmp_path, folder, shards(2, 5))
    assert [reply.value for reply in replies] == list(range(10))


def test_folders_and_files_are_for_the_owner_alone(tmp_path, folder):
    before = os.umask(0)
    try:
        lay_out(tmp_path, folder, shards(1, 3))
    finally:
        os.umask(before)
    for path in (folder, folder / "requests", folder / "responses"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in (folder / "requests").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o710, 0o777])
def test_a_folder_that_others_can_read_is_refused(tmp_path, folder, mode):
    folder.mkdir()
    folder.chmod(mode)
    cache = Cache(tmp_path / "answers.sqlite")
    with pytest.raises(ModelError, match="others can read"):
        open_deferred(f"files:{folder}", cache=cache, ledger=Ledger(cache, "files"))
    cache.close()
    assert list(folder.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_refused(tmp_path, folder):
    folder.touch(mode=0o600)
    cache = Cache(tmp_path / "answers.sqlite")
    with pytest.raises(ModelError, match="is no folder"):
        open_deferred(f"files:{folder}", cache=cache, ledger=Ledger(cache, "files"))
    cache.close()


def test_a_repeated_run_writes_nothing_again(tmp_path, folder):
    lay_out(tmp_path, folder, shards(3, 5))
    before = {path.name: path.stat().st_ino for path in (folder / "requests").iterdir()}
    lay_out(tmp_path, folder, shards(3, 5))
    assert {path.name: path.stat().st_ino for path in (folder / "requests").iterdir()} == before
    lay_out(tmp_path, folder, shards(4, 5))
    assert len(requests(folder)) == 20


def test_the_same_requests_make_the_same_files(tmp_path, folder):
    lay_out(tmp_path, folder, shards(3, 5))
    elsewhere = tmp_path / "elsewhere"
    other = tmp_path / "other"
    other.mkdir()
    lay_out(other, elsewhere, list(reversed(shards(3, 5))))
    assert read_all(folder / "requests") == read_all(elsewhere / "requests")


def read_all(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_are_of_bounded_size(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(exchange_module, "MOST_REQUESTS", 4)
    lay_out(tmp_path, folder, shards(2, 5))
    sizes = [len(path.read_bytes().splitlines()) for path in (folder / "requests").iterdir()]
    assert sorted(sizes) == [2, 4, 4]
    line = max(map(len, lines(requests(folder)).splitlines()))
    monkeypatch.setattr(exchange_module, "MOST_REQUESTS", 100)
    monkeypatch.setattr(exchange_module, "MOST_BYTES", 2 * line + 10)
    lay_out(tmp_path, tmp_path / "second", shards(2, 5))
    for path in (tmp_path / "second" / "requests").iterdir():
        assert path.stat().st_size <= 2 * line + 10


def test_full_files_are_written_before_anybody_waits(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(exchange_module, "MOST_REQUESTS", 4)
    with opened(tmp_path, folder) as asker, pytest.raises(PendingError):
        asker.ask(shards(1, 9)[0])
    assert len(requests(folder)) == 8


def test_some_answers_are_taken_and_the_others_awaited(tmp_path, folder):
    lay_out(tmp_path, folder, shards(1, 6))
    first, second = requests(folder)[:2], requests(folder)[2:]
    put(folder, "first.jsonl", lines(map(answered, first)))
    assert "4 answers are awaited" in lay_out(tmp_path, folder, shards(1, 6))
    with gzip.open(folder / "responses" / "second.jsonl.gz", "wb") as file:
        file.write(lines(map(answered, second)))
    replies, _ = collected(tmp_path, folder, shards(1, 6))
    assert [reply.value for reply in replies] == list(range(6))
    assert len(requests(folder)) == 6


@pytest.mark.parametrize("name", ["answers.jsonl", "answers.jsonl.gz"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9])
def test_a_line_that_is_still_being_written_is_left_for_later(tmp_path, folder, name, share):
    lay_out(tmp_path, folder, shards(1, 6))
    whole = lines(map(answered, requests(folder)))
    put(folder, ".hidden.jsonl", whole)
    data = gzip.compress(whole) if name.endswith(".gz") else whole
    put(folder, name, data[: int(share * len(data))])
    said = lay_out(tmp_path, folder, shards(1, 6))
    assert "answers are awaited" in said
    assert "cannot be read" not in said
    put(folder, name, data)
    replies, attempts = collected(tmp_path, folder, shards(1, 6))
    assert [reply.value for reply in replies] == list(range(6))
    assert attempts == {"answered": 6}


def test_the_last_line_needs_no_end(tmp_path, folder):
    lay_out(tmp_path, folder, shards(1, 6))
    put(folder, "answers.jsonl", lines(map(answered, requests(folder)))[:-1])
    assert len(collected(tmp_path, folder, shards(1, 6))[0]) == 6


def test_lines_that_cannot_be_read_and_unknown_answers_are_counted_and_said(
    tmp_path, folder, monkeypatch
):
    monkeypatch.setattr(files_module, "LONGEST_LINE", 2_000)
    lay_out(tmp_path, folder, shards(1, 6))
    asked = requests(folder)
    stranger = answered(asked[0]) | {"custom_id": "f" * 64}
    bad = b'{"custom_id": 3}\n[]\nCanary\n\n' + b"x" * 5_000 + b"\n"
    put(folder, "a.jsonl", lines([answered(asked[0]), stranger]) + bad)
    put(folder, "b.jsonl.gz", b"no archive at all")
    put(folder, "c.jsonl", lines([answered(asked[1]), {"custom_id": "theirs"}]))
    said = lay_out(tmp_path, folder, shards(1, 6))
    assert "4 answers are awaited" in said
    assert "(5 lines cannot be read, the first in a.jsonl, line 3)" in said
    assert "(2 answers are to no request of this run)" in said
    assert "Canary" not in said


def test_of_several_answers_the_first_stays(tmp_path, folder):
    lay_out(tmp_path, folder, shards(1, 1))
    (request,) = requests(folder)
    records = [answered(request, f'{{"number": {number}}}') for number in (5, 6)]
    put(folder, "a.jsonl", lines(records))
    put(folder, "b.jsonl", lines([answered(request, '{"number": 7}')]))
    replies, attempts = collected(tmp_path, folder, shards(1, 1))
    assert [reply.value for reply in replies] == [5]
    assert attempts == {"answered": 1}


def test_an_answer_that_does_not_pass_is_laid_out_once_more(tmp_path, folder):
    lay_out(tmp_path, folder, shards(1, 4))
    first = requests(folder)
    put(folder, "a.jsonl", lines(answered(request, '{"number": "none"}') for request in first))
    assert "4 answers are awaited" in lay_out(tmp_path, folder, shards(1, 4))
    second = [request for request in requests(folder) if len(request["body"]["messages"]) == 4]
    assert len(second) == 4
    assert len(list((folder / "requests").iterdir())) == 2
    put(folder, "b.jsonl", lines(map(answered, second)))
    replies, attempts = collected(tmp_path, folder, shards(1, 4))
    assert [reply.value for reply in replies] == list(range(4))
    assert attempts == {"answered": 4, "malformed": 4}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_was_overloaded_is_laid_out_again_and_given_up_at_the_third_time(
    tmp_path, folder, status
):
    lay_out(tmp_path, folder, shards(1, 2))
    for number in (1, 2, 3):
        last = [name for name in requests(folder) if is_try(name, number)]
        assert len(last) == 2
        records = [failed(request, status) for request in last]
        put(folder, f"{number}.jsonl", lines(records))
        if number < 3:
            for _ in range(2):  # however often it is looked at
                assert "2 answers are awaited" in lay_out(tmp_path, folder, shards(1, 2))
    for _ in range(2):
        replies, attempts = collected(tmp_path, folder, shards(1, 2))
        assert [reply.outcome for reply in replies] == [Outcome.FAILED] * 2
        assert replies[0].reason == f"files answered {status} (some_code)"
        assert sum(attempts.values()) == 6
    assert len(requests(folder)) == 6


def is_try(request, number):
    name = request["custom_id"]
    return name.endswith(f"-{number}") if number > 1 else "-" not in name


def test_a_further_try_may_be_answered(tmp_path, folder):
    lay_out(tmp_path, folder, shards(1, 1))
    put(folder, "1.jsonl", lines([failed(requests(folder)[0], 503)]))
    lay_out(tmp_path, folder, shards(1, 1))
    (again,) = [request for request in requests(folder) if is_try(request, 2)]
    put(folder, "2.jsonl", lines([answered(again)]))
    replies, attempts = collected(tmp_path, folder, shards(1, 1))
    assert [reply.value for reply in replies] == [0]
    assert attempts == {"answered": 1, "transient": 1}


def test_a_request_that_is_not_taken_is_given_up(tmp_path, folder):
    lay_out(tmp_path, folder, shards(1, 3))
    one, two, three = requests(folder)
    vllm = {"message": "Canary", "type": "BadRequestError", "param": None, "code": 400}
    without_body = {
        "custom_id": two["custom_id"],
        "response": {"status_code": 400, "request_id": "1", "body": None},
        "error": {"error": vllm},
    }
    put(folder, "a.jsonl", lines([failed(one, 422), without_body, answered(three)]))
    replies, attempts = collected(tmp_path, folder, shards(1, 3))
    assert attempts == {"answered": 1, "unanswerable": 2}
    reasons = sorted(reply.reason for reply in replies if reply.outcome is Outcome.FAILED)
    assert reasons == ["files answered 400", "files answered 422 (some_code)"]


def test_answers_that_say_there_is_no_such_model_stop_the_run(tmp_path, folder):
    lay_out(tmp_path, folder, shards(1, 3))
    put(folder, "a.jsonl", lines(failed(request, 404) for request in requests(folder)))
    with opened(tmp_path, folder) as asker, pytest.raises(ModelError, match=r"a\.jsonl: .*404"):
        ask_shards(asker, shards(1, 3))
    put(folder, "b.jsonl", lines(map(answered, requests(folder))))
    replies, _ = collected(tmp_path, folder, shards(1, 3))
    assert [reply.value for reply in replies] == [0, 1, 2]


def test_the_folder_may_move(tmp_path, folder):
    lay_out(tmp_path, folder, shards(1, 3))
    moved = folder.rename(tmp_path / "moved")
    put(moved, "a.jsonl", lines(map(answered, requests(moved))))
    replies, _ = collected(tmp_path, moved, shards(1, 3))
    assert [reply.value for reply in replies] == [0, 1, 2]


def test_what_lies_there_is_named_and_can_be_cleared(tmp_path, folder):
    lay_out(tmp_path, folder, shards(1, 3))
    put(folder, "a.jsonl", lines(map(answered, requests(folder))))
    with opened(tmp_path, folder) as asker:
        ask_shards(asker, shards(1, 3))
        assert asker.outstanding() == [f"{folder}: 2 files of requests and answers"]
        files_module.Folder(folder).clear()
        assert asker.outstanding() == []
    replies, _ = collected(tmp_path, folder, shards(1, 3))
    assert [reply.value for reply in replies] == [0, 1, 2]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_however_answers_come_every_prompt_ends_once(tmp_path_factory, data):
    """In pieces, twice, out of order, cut off, with errors: counts add up, nothing is lost."""
    tmp_path = tmp_path_factory.mktemp("run")
    folder = tmp_path / "exchange"
    size = data.draw(st.integers(1, 6))
    prompts = shards(1, size)
    for number in range(20):
        with opened(tmp_path, folder) as asker:
            try:
                replies = ask_shards(asker, prompts)
            except WaitingError:
                replies = None
            account = asker.ledger.as_dict()["attempts"]
        if replies is not None:
            break
        pick = st.lists(st.sampled_from(requests(folder)), min_size=1, max_size=8)
        fate = st.sampled_from(["answer", "answer", "bad", 400, 429, 500])
        if number > 8:
            chosen, fate = requests(folder), st.just("answer")
        else:
            chosen = data.draw(pick)
        records = []
        for request in chosen:
            kind = data.draw(fate)
            if isinstance(kind, int):
                records.append(failed(request, kind))
            else:
                records.append(answered(request, None if kind == "answer" else "{}"))
        written = lines(records)
        cut = data.draw(st.integers(0, len(written))) if number <= 8 else len(written)
        put(folder, f"{number}.jsonl", written[:cut])
    for number, reply in enumerate(replies):
        assert reply.value == (number if reply.outcome is Outcome.ASSIGNED else None)
        assert reply.outcome in (Outcome.ASSIGNED, Outcome.FAILED)
    assert account.get("answered", 0) == sum(reply.value is not None for reply in replies)
    names = Counter(request["custom_id"] for request in requests(folder))
    assert set(names.values()) == {1}
