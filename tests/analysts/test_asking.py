from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from number_prompts import ScriptedProvider, number_answer, number_prompt

from clio.analysts.answers import RE_ASKS
from clio.analysts.asking import CACHE_FILE, ImmediateAsker, check_model, open_asker, spent_before
from clio.analysts.budget import Budget
from clio.analysts.limits import Limits
from clio.analysts.prices import Model, Price
from clio.analysts.providers.base import (
    Completion,
    FatalError,
    OverloadedError,
    Request,
    TransientError,
    UnanswerableError,
    UnreachedError,
    UnsupportedError,
    Usage,
)
from clio.conversation import Outcome
from clio.errors import BudgetError, ModelError, SettingsError
from clio.prompting import Reply

FAST = Limits(concurrency=8, backoff=0.0)
IMPATIENT = Limits(concurrency=8, backoff=0.0, timeout=0.02)
PRICE = Price(input=10.0, output=100.0, cached=1.0, written=10.0)


def asker(provider: ScriptedProvider, folder: Path, **options) -> ImmediateAsker:
    return ImmediateAsker(provider, folder / CACHE_FILE, **{"limits": FAST, **options})


def numbers(replies: list[Reply]) -> list[int | None]:
    return [reply.value for reply in replies]


def test_replies_come_in_order_whatever_the_order_of_the_answers(tmp_path):
    async def answer(request: Request) -> Completion:
        await asyncio.sleep(0.004 if int(request.user) % 3 else 0.001)
        return number_answer(request)

    with asker(ScriptedProvider(answer), tmp_path) as asking:
        assert numbers(asking.ask([number_prompt(n) for n in range(60)])) == list(range(60))


def test_equal_prompts_are_asked_once_and_a_second_run_asks_nothing(tmp_path):
    provider = ScriptedProvider()
    prompts = [number_prompt(n % 7) for n in range(30)]
    with asker(provider, tmp_path) as asking:
        first = asking.ask(prompts)
    assert len(provider.requests) == 7
    again = ScriptedProvider()
    with asker(again, tmp_path) as asking:
        assert asking.ask(prompts) == first
        account = asking.ledger.as_dict()
    assert again.requests == []
    assert (account["calls"], account["reused"]) == (7, 7)
    assert provider.closed


def test_threads_that_ask_the_same_at_once_ask_it_once(tmp_path):
    async def answer(request: Request) -> Completion:
        await asyncio.sleep(0.002)
        return number_answer(request)

    provider, found = ScriptedProvider(answer), {}
    with asker(provider, tmp_path) as asking:

        def ask(start: int) -> None:
            prompts = [number_prompt(n) for n in range(start, start + 40)]
            found[start] = numbers(asking.ask(prompts))

        threads = [threading.Thread(target=ask, args=(start,)) for start in (0, 10, 20, 30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {start: list(range(start, start + 40)) for start in (0, 10, 20, 30)}
    assert len(provider.requests) == 70
    assert provider.most <= FAST.concurrency


def test_an_answer_that_does_not_pass_is_asked_for_once_more_with_the_reason(tmp_path):
    def answer(request: Request) -> Completion:
        if request.retry_of is None:
            return Completion("I think it is three.", Usage(10, 6))
        return number_answer(request)

    provider = ScriptedProvider(answer)
    with asker(provider, tmp_path) as asking:
        assert numbers(asking.ask([number_prompt(3)])) == [3]
        attempts = asking.ledger.as_dict()["attempts"]
    assert attempts == {"answered": 1, "malformed": 1}
    assert provider.requests[1].retry_of == ("I think it is three.", "it is not one JSON object")
    assert provider.requests[0].key != provider.requests[1].key


def test_after_a_third_bad_answer_it_has_failed_and_is_not_asked_again(tmp_path):
    provider = ScriptedProvider(lambda _: Completion('{"number": "3"}', Usage(10, 6)))
    with asker(provider, tmp_path) as asking:
        replies = asking.ask([number_prompt(3)])
        assert asking.ask([number_prompt(3)]) == replies
    assert replies == [Reply(Outcome.FAILED, reason="number must be a whole number")]
    assert len(provider.requests) == 1 + RE_ASKS


def test_a_run_that_ended_between_two_tries_goes_on_with_the_second(tmp_path):
    def answer(request: Request) -> Completion | Exception:
        if request.retry_of is None:
            return Completion("no", Usage(10, 6))
        return FatalError("the key was withdrawn")

    with asker(ScriptedProvider(answer), tmp_path) as asking, pytest.raises(ModelError):
        asking.ask([number_prompt(3)])
    provider = ScriptedProvider()
    with asker(provider, tmp_path) as asking:
        assert numbers(asking.ask([number_prompt(3)])) == [3]
    assert [request.retry_of is not None for request in provider.requests] == [True]


@pytest.mark.parametrize(
    "text",
    [
        '{"number": 3}',
        '```json\n{"number": 3}\n```',
        'Here it is:\n```\n{"number": 3}\n```\nAnything else?',
        'The answer is {"number": 3}. ',
    ],
)
def test_one_object_is_found_in_fences_and_words(tmp_path, text):
    with asker(ScriptedProvider(lambda _: Completion(text, Usage())), tmp_path) as asking:
        assert numbers(asking.ask([number_prompt(3)])) == [3]


@pytest.mark.parametrize("text", ["", "3", "[3]", '{"number": 3} {"number": 4}', '{"number": 3'])
def test_anything_else_is_no_answer(tmp_path, text):
    with asker(ScriptedProvider(lambda _: Completion(text, Usage())), tmp_path) as asking:
        assert asking.ask([number_prompt(3)])[0].outcome is Outcome.FAILED


def test_a_refusal_is_an_outcome_and_a_cut_answer_is_none(tmp_path):
    def answer(request: Request) -> Completion:
        if request.user == "1":
            return Completion("", Usage(10, 1), refused=True)
        return Completion('{"number": 2}', Usage(10, 50), truncated=True)

    with asker(ScriptedProvider(answer), tmp_path) as asking:
        refused, cut = asking.ask([number_prompt(1), number_prompt(2)])
        attempts = asking.ledger.as_dict()["attempts"]
    assert refused.outcome is Outcome.REFUSED
    assert cut.outcome is Outcome.FAILED
    assert RE_ASKS == 2
    assert attempts == {"refused": 1, "truncated": 1 + RE_ASKS}


def test_one_that_is_never_answered_fails_alone(tmp_path):
    def answer(request: Request) -> Completion | Exception:
        if request.user == "1":
            return UnanswerableError("too long")
        if request.user == "2":
            return TransientError("a server error")
        return number_answer(request)

    with asker(ScriptedProvider(answer), tmp_path) as asking:
        replies = asking.ask([number_prompt(n) for n in range(4)])
    assert numbers(replies) == [0, None, None, 3]
    assert replies[1].reason == "too long"
    assert replies[2].reason == "no answer after 8 tries: a server error"


def test_a_server_that_answers_nothing_stops_the_run(tmp_path):
    provider = ScriptedProvider(lambda _: TransientError("not reached"))
    gone = pytest.raises(ModelError, match="gives no answers: not reached; run the same")
    with asker(provider, tmp_path) as asking, gone:
        asking.ask([number_prompt(n) for n in range(20)])


@pytest.mark.parametrize("left", [1, 2, 20])
def test_where_nothing_is_reached_no_row_fails_and_a_later_start_asks_again(tmp_path, left):
    prompts = [number_prompt(n) for n in range(left)]
    gone = ScriptedProvider(lambda _: UnreachedError("not reached"))
    with asker(gone, tmp_path) as asking, pytest.raises(ModelError, match="gives no answers"):
        asking.ask(prompts)
    with asker(ScriptedProvider(), tmp_path) as asking:
        assert numbers(asking.ask(prompts)) == list(range(left))


def test_a_server_that_goes_away_takes_no_row_with_it(tmp_path):
    answers = Counter()

    def answer(request: Request) -> Completion | Exception:
        answers["all"] += 1
        return number_answer(request) if answers["all"] <= 30 else TransientError("503")

    prompts = [number_prompt(n) for n in range(60)]
    with asker(ScriptedProvider(answer), tmp_path) as asking, pytest.raises(ModelError):
        asking.ask(prompts)
    again = ScriptedProvider()
    with asker(again, tmp_path) as asking:
        assert numbers(asking.ask(prompts)) == list(range(60))
    assert len(again.requests) == 30


@pytest.mark.parametrize("concurrency", [2, 20])
@pytest.mark.parametrize("error", [UnreachedError("no route"), TransientError("503")])
def test_a_server_that_is_killed_while_rows_wait_takes_no_row_with_it(tmp_path, concurrency, error):
    answers = Counter()

    async def answer(request: Request) -> Completion | Exception:
        await asyncio.sleep(0.002)
        answers["all"] += 1
        return number_answer(request) if answers["all"] <= 30 else error

    prompts = [number_prompt(n) for n in range(60)]
    limits = replace(FAST, concurrency=concurrency)
    gone = pytest.raises(ModelError, match="gives no answers")
    with asker(ScriptedProvider(answer), tmp_path, limits=limits) as asking, gone:
        asking.ask(prompts)
    again = ScriptedProvider()
    with asker(again, tmp_path) as asking:
        assert numbers(asking.ask(prompts)) == list(range(60))
    assert len(again.requests) == 30


def test_rows_that_a_living_server_cannot_bear_fail_for_good_and_stop_no_restart(tmp_path):
    bad = {"3", "40", "77", "98", "99"}

    def answer(request: Request) -> Completion | Exception:
        return TransientError("500") if request.user in bad else number_answer(request)

    prompts = [number_prompt(n) for n in range(100)]
    expected = [None if str(n) in bad else n for n in range(100)]
    with asker(ScriptedProvider(answer), tmp_path) as asking:
        assert numbers(asking.ask(prompts)) == expected
    again = ScriptedProvider(answer)
    with asker(again, tmp_path) as asking:
        replies = asking.ask(prompts)
    assert numbers(replies) == expected
    assert replies[3].reason == "no answer after 8 tries: 500"
    assert again.requests == []


@pytest.mark.parametrize(
    ("name", "address", "said"),
    [
        ("nobody:a", None, "no provider is called"),
        ("batch:nobody:a", None, "names nobody"),
        ("batch:openai", None, "names nobody"),
        ("openai:", None, "names no model"),
        ("anthropic:a", "http://example.com", "in the open"),
        ("batch:openai:a", "http://10.0.0.1/v1", "in the open"),
    ],
)
def test_what_cannot_be_asked_is_told_without_key_and_sdk(monkeypatch, name, address, said):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises((SettingsError, ModelError), match=said):
        check_model(name, address)
    check_model("openai:a", "http://127.0.0.1:1/v1")
    check_model("batch:anthropic:a")
    check_model("files:somewhere")


def test_a_fatal_error_stops_the_run_and_what_is_under_way_is_kept(tmp_path):
    async def answer(request: Request) -> Completion | Exception:
        if request.user == "0":
            return FatalError("no such model")
        await asyncio.sleep(0.01)
        return number_answer(request)

    provider = ScriptedProvider(answer)
    prompts = [number_prompt(n) for n in range(100)]
    with asker(provider, tmp_path) as asking:
        for _ in range(2):
            with pytest.raises(ModelError, match="no such model"):
                asking.ask(prompts)
    asked = len(provider.requests)
    assert asked <= FAST.concurrency
    again = ScriptedProvider()
    with asker(again, tmp_path) as asking:
        assert numbers(asking.ask(prompts)) == list(range(100))
    assert len(again.requests) == 100 - (asked - 1)


def test_a_provider_that_slips_is_tried_again_and_its_words_are_not_repeated(tmp_path):
    provider = ScriptedProvider(lambda request: KeyError(f"secret {request.user}"))
    with asker(provider, tmp_path) as asking:
        (reply,) = asking.ask([number_prompt(1)])
    assert reply.outcome is Outcome.FAILED
    assert "secret" not in (reply.reason or "")


def test_the_budget_stops_the_run_and_what_is_under_way_is_kept(tmp_path):
    async def answer(request: Request) -> Completion:
        await asyncio.sleep(0.002)
        return number_answer(request)

    provider, budget = ScriptedProvider(answer), Budget(None, 25, None)
    prompts = [number_prompt(n) for n in range(100)]
    with asker(provider, tmp_path, budget=budget) as asking, pytest.raises(BudgetError):
        asking.ask(prompts)
    assert len(provider.requests) == 25
    again = ScriptedProvider()
    with asker(again, tmp_path) as asking:
        assert numbers(asking.ask(prompts)) == list(range(100))
    assert len(again.requests) == 75


def test_money_is_spent_up_to_the_limit_and_never_over_it(tmp_path):
    provider = ScriptedProvider()
    limit = 0.05
    budget = Budget(limit, None, PRICE)
    with asker(provider, tmp_path, budget=budget, known=Model(PRICE)) as asking:
        with pytest.raises(BudgetError):
            asking.ask([number_prompt(n) for n in range(1000)])
        spent = asking.ledger.spent
    longest = PRICE.cost(Usage(20, 50))
    assert limit - 2 * longest <= spent <= limit
    assert spent_before(tmp_path, provider.name, PRICE) == (
        pytest.approx(spent),
        len(provider.requests),
    )


def test_what_a_stall_may_have_cost_is_listed(tmp_path):
    stalled = Counter()

    async def answer(request: Request) -> Completion:
        stalled[request.key] += 1
        if stalled[request.key] == 1:
            await asyncio.sleep(3600)
        return number_answer(request)

    provider = ScriptedProvider(answer)
    with asker(provider, tmp_path, known=Model(PRICE), limits=IMPATIENT) as asking:
        assert numbers(asking.ask([number_prompt(n) for n in range(5)])) == list(range(5))
        account = asking.ledger.as_dict()
    assert account["attempts"] == {"answered": 5, "timeout": 5}
    assert account["unanswered"]["tokens_at_most"]["output"] == 5 * 50
    assert account["unanswered"]["cost_at_most"] > 0


FAULTS = {
    "overloaded": lambda request: OverloadedError("429", retry_after=0.001),
    "transient": lambda request: TransientError("500"),
    "unsupported": lambda request: UnsupportedError("no schema"),
    "malformed": lambda request: Completion("{}", Usage(10, 3)),
    "truncated": lambda request: Completion("{", Usage(10, 50), truncated=True),
    "refused": lambda request: Completion("", Usage(10, 1), refused=True),
    "unanswerable": lambda request: UnanswerableError("400"),
}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(sorted(FAULTS)), max_size=6), min_size=1, max_size=20),
    st.integers(1, 12),
)
def test_whatever_happens_everything_is_accounted_for(tmp_path_factory, scripts, concurrency):
    served: Counter[str] = Counter()
    tokens: Counter[str] = Counter()
    left = {str(number): list(script) for number, script in enumerate(scripts)}

    def answer(request: Request) -> Completion | Exception:
        kind = left[request.user].pop(0) if left[request.user] else "answered"
        served[kind] += 1
        found = FAULTS[kind](request) if kind in FAULTS else number_answer(request)
        if isinstance(found, Completion):
            tokens["input"] += found.usage.input
            tokens["output"] += found.usage.output
        return found

    folder = tmp_path_factory.mktemp("run")
    limits = Limits(concurrency=concurrency, backoff=0.0)
    with asker(ScriptedProvider(answer), folder, limits=limits) as asking:
        replies = asking.ask([number_prompt(number) for number in range(len(scripts))])
        account = asking.ledger.as_dict()
    assert account["attempts"] == dict(served)
    assert {name: account["tokens"][name] for name in ("input", "output")} == {
        "input": tokens["input"],
        "output": tokens["output"],
    }
    for number, (script, reply) in enumerate(zip(scripts, replies, strict=True)):
        assert reply == expected(number, script)


def expected(number: int, script: list[str]) -> Reply:
    bad = 0
    for kind in script:
        if kind == "refused":
            return Reply(Outcome.REFUSED, reason="the model would not answer")
        if kind == "unanswerable":
            return Reply(Outcome.FAILED, reason="400")
        if kind in ("malformed", "truncated"):
            bad += 1
            if bad == 1 + RE_ASKS:
                cut = "the answer is longer than 50 tokens"
                wrong = "number must be a whole number"
                return Reply(Outcome.FAILED, reason=cut if kind == "truncated" else wrong)
    return Reply(Outcome.ASSIGNED, number)


def test_closing_ends_the_asking_of_other_threads_and_keeps_what_came(tmp_path):
    begun = threading.Event()

    async def answer(request: Request) -> Completion:
        begun.set()
        await asyncio.sleep(0.01)
        return number_answer(request)

    provider, errors = ScriptedProvider(answer), []
    asking = asker(provider, tmp_path)

    def ask() -> None:
        try:
            asking.ask([number_prompt(n) for n in range(200)])
        except ModelError as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert begun.wait(5)
    asking.close()
    asking.close()
    thread.join()
    assert "what is done is kept" in str(errors[0])
    again = ScriptedProvider()
    with asker(again, tmp_path) as asking:
        asking.ask([number_prompt(n) for n in range(200)])
    assert len(again.requests) == 200 - len(provider.requests)


def test_a_call_that_does_not_end_is_cut_when_its_time_is_over(tmp_path):
    begun = threading.Event()

    async def answer(request: Request) -> Completion:
        begun.set()
        await asyncio.sleep(3600)
        return number_answer(request)

    limits = Limits(timeout=3600, grace=0.02)
    asking = asker(ScriptedProvider(answer), tmp_path, limits=limits)
    stopped = threading.Event()

    def ask() -> None:
        with pytest.raises(ModelError):
            asking.ask([number_prompt(1)])
        stopped.set()

    thread = threading.Thread(target=ask)
    thread.start()
    assert begun.wait(5)
    asking.close()
    thread.join()
    assert stopped.is_set()
    assert asking.ledger.as_dict()["attempts"] == {"timeout": 1}


SCRIPT = """
import asyncio, os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from number_prompts import ScriptedProvider, number_answer, number_prompt
from clio.analysts.asking import ImmediateAsker
from clio.analysts.limits import Limits

log = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
quick = int(sys.argv[4])

async def answer(request):
    os.write(log, (request.key + "\\n").encode())
    await asyncio.sleep(0.005 if len(provider.requests) < quick else 0.5)
    return number_answer(request)

provider = ScriptedProvider(answer)
with ImmediateAsker(provider, Path(sys.argv[2]), limits=Limits(concurrency=8)) as asker:
    replies = asker.ask([number_prompt(n) for n in range(200)])
    assert [reply.value for reply in replies] == list(range(200))
"""


def start(folder: Path, quick: int = 200) -> subprocess.Popen[bytes]:
    """A process that asks; after so many quick calls they are slow, so that it is met alive."""
    here = str(Path(__file__).parent)
    arguments = [here, str(folder / CACHE_FILE), str(folder / "asked"), str(quick)]
    return subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments])


def asked(folder: Path) -> list[str]:
    log = folder / "asked"
    return log.read_text().split() if log.exists() else []


def until_asked(folder: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    while len(asked(folder)) < count and process.poll() is None:
        time.sleep(0.005)


def test_a_killed_process_repeats_no_more_than_was_under_way(tmp_path):
    for count in (20, 90):
        process = start(tmp_path, quick=60)
        until_asked(tmp_path, count, process)
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert start(tmp_path).wait() == 0
    counts = Counter(asked(tmp_path))
    assert len(counts) == 200
    assert sum(counts.values()) - 200 <= 8 * 2


def test_ctrl_c_lets_what_is_under_way_finish(tmp_path):
    process = start(tmp_path, quick=60)
    until_asked(tmp_path, 30, process)
    process.send_signal(signal.SIGINT)
    assert process.wait() == -signal.SIGINT
    before = len(asked(tmp_path))
    assert before < 200
    assert start(tmp_path).wait() == 0
    counts = Counter(asked(tmp_path))
    assert sum(counts.values()) == len(counts) == 200


def test_names_that_name_nobody_are_told_who_is_known(tmp_path):
    with pytest.raises(SettingsError, match="anthropic:MODEL, openai:MODEL"):
        open_asker("nobody:model", folder=tmp_path)
    with pytest.raises(SettingsError, match="PROVIDER:MODEL"):
        open_asker("anthropic", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
