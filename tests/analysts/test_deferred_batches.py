"""Batches: gathered, handed in once, collected, counted; against an interface in memory."""

from __future__ import annotations

import random
import stat
import threading
from collections import Counter

import number_prompts as numbers
import pytest
from batch_support import MODEL, PRICE, QUICK, MemoryBatches, ask_shards, opened, shards
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clio.analysts import batching
from clio.analysts.batching import Pauses
from clio.analysts.budget import Budget
from clio.analysts.cache import Cache
from clio.analysts.journal import Journal
from clio.analysts.providers.base import (
    Completion,
    FatalError,
    OverloadedError,
    TransientError,
    UnanswerableError,
    UnclearError,
    Usage,
)
from clio.conversation import Outcome
from clio.errors import BudgetError, ModelError
from clio.prompting import PendingError

BAD = Completion('{"number": "none"}', Usage(10, 5))


def requested(provider):
    """How often each question was handed in, first and second tries apart."""
    return Counter(
        (request.user, request.retry_of is not None)
        for _, requests in provider.submitted
        for request in requests
    )


def outcomes(asker):
    return {name: count for name, count in asker.ledger.as_dict()["attempts"].items() if count}


def test_shards_are_gathered_into_one_batch(tmp_path):
    provider = MemoryBatches(polls=2)
    with opened(tmp_path, provider) as asker:
        replies = ask_shards(asker, shards(25, 8))
        assert [reply.value for reply in replies] == list(range(200))
        assert [len(requests) for _, requests in provider.submitted] == [200]
        assert outcomes(asker) == {"answered": 200}
        assert asker.outstanding() == []
    assert provider.kept == set()


@pytest.mark.parametrize(
    ("limits", "sizes"), [({"max_requests": 90}, [90, 90, 20]), ({"max_bytes": 120_000}, None)]
)
def test_batches_keep_to_the_limits(tmp_path, limits, sizes):
    provider = MemoryBatches(**limits)
    with opened(tmp_path, provider) as asker:
        replies = ask_shards(asker, shards(10, 20))
    assert [reply.value for reply in replies] == list(range(200))
    found = [len(requests) for _, requests in provider.submitted]
    assert found == (sizes or found)
    assert 1 < len(found) < 10
    assert set(requested(provider).values()) == {1}


def test_a_full_batch_does_not_wait_for_more(tmp_path):
    provider = MemoryBatches(max_requests=10)
    with opened(tmp_path, provider) as asker:
        with pytest.raises(PendingError):
            asker.ask(shards(1, 25)[0])
        assert [len(requests) for _, requests in provider.submitted] == [10, 10]


def test_an_answer_that_does_not_pass_is_asked_for_once_more(tmp_path):
    def answer(request):
        number = int(request.user)
        if number % 3 and (request.retry_of is None or number % 3 == 2):
            return BAD
        return numbers.number_answer(request)

    provider = MemoryBatches(answer)
    with opened(tmp_path, provider) as asker:
        replies = ask_shards(asker, shards(3, 10))
        assert outcomes(asker) == {"answered": 20, "malformed": 40}
    for number, reply in enumerate(replies):
        if number % 3 == 2:
            assert (reply.outcome, reply.value) == (Outcome.FAILED, None)
            assert reply.reason == "number must be a whole number"
        else:
            assert reply.value == number
    assert [len(requests) for _, requests in provider.submitted] == [30, 20, 10]


def test_equal_prompts_are_handed_in_once(tmp_path):
    provider = MemoryBatches()
    with opened(tmp_path, provider) as asker:
        replies = ask_shards(asker, [[numbers.number_prompt(7)] * 5, [numbers.number_prompt(7)]])
        assert [reply.value for reply in replies] == [7] * 6
        assert outcomes(asker) == {"answered": 1}
    assert set(requested(provider).values()) == {1}


def test_what_is_known_is_not_asked_again_by_a_later_start(tmp_path):
    with opened(tmp_path, MemoryBatches()) as asker:
        first = ask_shards(asker, shards(2, 10))
    provider = MemoryBatches()
    with opened(tmp_path, provider) as asker:
        assert ask_shards(asker, shards(2, 10)) == first
        account = asker.ledger.as_dict()
    assert provider.submitted == []
    assert (account["calls"], account["reused"]) == (20, 20)


def test_a_request_that_keeps_expiring_is_given_up(tmp_path):
    def answer(request):
        if request.user == "3":
            return TransientError("it has expired")
        return None if request.user == "4" else numbers.number_answer(request)

    provider = MemoryBatches(answer)
    with opened(tmp_path, provider) as asker:
        replies = ask_shards(asker, shards(1, 6))
        assert outcomes(asker) == {"answered": 4, "transient": 6}
    assert [reply.value for reply in replies] == [0, 1, 2, None, None, 5]
    assert replies[3].reason == "it has expired"
    assert replies[4].outcome is Outcome.FAILED
    assert requested(provider)["3", False] == 3
    with opened(tmp_path, MemoryBatches()) as asker:
        assert asker.ask(shards(1, 6)[0]) == replies


def test_a_request_that_the_provider_does_not_take_is_given_up_at_once(tmp_path):
    def answer(request):
        bad = request.user == "3"
        return UnanswerableError("too long") if bad else numbers.number_answer(request)

    provider = MemoryBatches(answer)
    with opened(tmp_path, provider) as asker:
        replies = ask_shards(asker, shards(1, 6))
        assert outcomes(asker) == {"answered": 5, "unanswerable": 1}
    assert (replies[3].outcome, replies[3].reason) == (Outcome.FAILED, "too long")
    assert len(provider.submitted) == 1


def test_a_provider_that_takes_no_request_at_all_stops_the_run(tmp_path):
    provider = MemoryBatches(lambda request: UnanswerableError("not so"))
    with opened(tmp_path, provider) as asker:
        with pytest.raises(ModelError, match="nor any other of 30"):
            ask_shards(asker, shards(3, 10))
        provider.answer = numbers.number_answer
        assert [reply.value for reply in ask_shards(asker, shards(3, 10))] == list(range(30))


def test_a_fatal_error_stops_the_run_and_loses_nothing(tmp_path):
    def answer(request):
        bad = int(request.user) >= 5
        return FatalError("no credit") if bad else numbers.number_answer(request)

    with (
        opened(tmp_path, MemoryBatches(answer)) as asker,
        pytest.raises(ModelError, match="credit"),
    ):
        ask_shards(asker, shards(1, 10))
    provider = MemoryBatches()
    with opened(tmp_path, provider) as asker:
        assert [reply.value for reply in ask_shards(asker, shards(1, 10))] == list(range(10))
    assert sorted(int(user) for user, _ in requested(provider)) == [5, 6, 7, 8, 9]


def test_a_provider_that_is_overloaded_is_asked_later(tmp_path):
    provider = MemoryBatches()
    errors = [OverloadedError("slow down", 0.01), None, TransientError("broken"), None]
    provider.on_submit = lambda: errors.pop(0) if errors else None
    provider.on_poll = provider.on_submit
    with opened(tmp_path, provider) as asker:
        assert [reply.value for reply in ask_shards(asker, shards(1, 10))] == list(range(10))
    assert errors == []
    assert set(requested(provider).values()) == {1}


def test_a_submission_without_an_answer_is_looked_for_before_another(tmp_path):
    provider = MemoryBatches()
    errors = [TransientError("the connection broke")]
    provider.lose = lambda: errors.pop() if errors else None
    with opened(tmp_path, provider) as asker:
        assert [reply.value for reply in ask_shards(asker, shards(1, 10))] == list(range(10))
    assert len(provider.submitted) == 1


def test_a_submission_that_never_arrived_is_made_again(tmp_path):
    provider = MemoryBatches()
    errors = [TransientError("the connection broke")]
    provider.on_submit = lambda: errors.pop() if errors else None
    with opened(tmp_path, provider) as asker:
        assert [reply.value for reply in ask_shards(asker, shards(1, 10))] == list(range(10))
    assert len(provider.submitted) == 1


def test_where_a_submission_is_unclear_the_run_stops_and_says_so(tmp_path):
    class Silent(MemoryBatches):
        async def find(self, intent):
            raise UnclearError("it does not tell", ["batch-0"])

    provider = Silent()
    provider.lose = lambda: TransientError("the connection broke")
    with opened(tmp_path, provider) as asker:
        with pytest.raises(ModelError, match=r"10 requests .* told yet whether it is batch-0; run"):
            ask_shards(asker, shards(1, 10))
        assert "not known whether it was handed in" in asker.outstanding()[0]
    with opened(tmp_path, provider) as asker, pytest.raises(ModelError, match="batch-0"):
        ask_shards(asker, shards(1, 10))
    assert len(provider.submitted) == 1
    provider = MemoryBatches()
    with opened(tmp_path, provider) as asker:
        assert [reply.value for reply in ask_shards(asker, shards(1, 10))] == list(range(10))


def test_a_provider_that_is_gone_stops_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(batching, "_FAILURES", 3)
    provider = MemoryBatches()
    provider.on_poll = lambda: TransientError("it is not reached")
    with opened(tmp_path, provider) as asker:
        with pytest.raises(ModelError, match="not reached; run the same command again"):
            ask_shards(asker, shards(1, 10))
        provider.on_poll = lambda: None
        assert [reply.value for reply in ask_shards(asker, shards(1, 10))] == list(range(10))
    assert len(provider.submitted) == 1


def test_collecting_that_breaks_off_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(batching, "_CHUNK", 4)
    provider = MemoryBatches()
    breaks = iter([5, 9, 2])
    after = next(breaks)

    def on_collect(place):
        nonlocal after
        if place == after:
            after = next(breaks, None)
            return TransientError("the connection broke")
        return None

    provider.on_collect = on_collect
    with opened(tmp_path, provider) as asker:
        assert [reply.value for reply in ask_shards(asker, shards(1, 20))] == list(range(20))
        assert outcomes(asker) == {"answered": 20}
    assert len(provider.submitted) == 1


def test_a_batch_that_is_too_much_for_now_is_cut_down(tmp_path):
    provider = MemoryBatches()
    provider.refuse = lambda requests: (
        OverloadedError("too much waiting") if len(requests) > 30 else None
    )
    with opened(tmp_path, provider) as asker:
        replies = ask_shards(asker, shards(5, 20))
        assert outcomes(asker) == {"answered": 100}
    assert [reply.value for reply in replies] == list(range(100))
    assert [len(requests) for _, requests in provider.submitted] == [100, 50, 25, 25, 25, 25]
    assert provider.kept == set()


def test_a_batch_that_is_refused_for_good_stops_the_run(tmp_path):
    provider = MemoryBatches()
    provider.refuse = lambda requests: FatalError("no such model")
    with opened(tmp_path, provider) as asker, pytest.raises(ModelError, match="no such model"):
        ask_shards(asker, shards(1, 10))


def test_what_cannot_be_deleted_is_named_and_deleted_later(tmp_path):
    provider = MemoryBatches()
    provider.on_delete = lambda: TransientError("not now")
    with opened(tmp_path, provider) as asker:
        ask_shards(asker, shards(1, 10))
    assert asker.outstanding() == ["batch-0 at https://memory.invalid: to be deleted"]
    provider.on_delete = lambda: None
    with opened(tmp_path, provider) as asker:
        assert len(asker.outstanding()) == 1
    assert provider.kept == set()


def test_waiting_is_reported(tmp_path):
    provider = MemoryBatches(polls=3)
    with opened(tmp_path, provider) as asker:
        looks = []
        asker.on_wait = lambda done, total: looks.append((done, total))
        ask_shards(asker, shards(1, 10))
    assert looks == [(0, 10)] * 3


def test_threads_that_wait_together_share_the_looks(tmp_path):
    provider = MemoryBatches(polls=3)
    replies = {}
    with opened(tmp_path, provider) as asker:

        def work(place):
            replies[place] = ask_shards(asker, [shards(4, 10)[place]])

        threads = [threading.Thread(target=work, args=(place,)) for place in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert outcomes(asker) == {"answered": 40}
    assert [reply.value for place in range(4) for reply in replies[place]] == list(range(40))
    assert set(requested(provider).values()) == {1}


def test_closing_ends_the_waiting(tmp_path):
    provider = MemoryBatches(polls=10_000)
    told = []
    with opened(tmp_path, provider) as asker:
        asker._carrier._pauses = Pauses(first=60.0, longest=60.0)
        looking = threading.Event()
        asker.on_wait = lambda done, total: looking.set()

        def work():
            with pytest.raises(ModelError) as caught:
                ask_shards(asker, shards(1, 10))
            told.append(str(caught.value))

        thread = threading.Thread(target=work)
        thread.start()
        assert looking.wait(10)
    thread.join(10)
    assert "waiting was stopped; run the same command again" in told[0]
    with pytest.raises(ModelError, match="asking was stopped"):
        asker.ask(shards(1, 10)[0])


def test_nothing_is_handed_in_beyond_the_budget(tmp_path):
    provider = MemoryBatches()
    budget = Budget(None, 12, PRICE.batched())
    with opened(tmp_path, provider, budget) as asker:
        with pytest.raises(BudgetError, match="--max-calls 12"):
            ask_shards(asker, shards(1, 20))
        assert budget.calls == 12
        assert outcomes(asker) == {"answered": 12}
    with opened(tmp_path, provider) as asker:
        assert [reply.value for reply in ask_shards(asker, shards(1, 20))] == list(range(20))
    assert set(requested(provider).values()) == {1}


def test_costs_are_those_of_batches(tmp_path):
    budget = Budget(10.0, None, PRICE)
    with opened(tmp_path, MemoryBatches(), budget) as asker:
        ask_shards(asker, shards(1, 10))
        account = asker.ledger.as_dict()
    tokens = account["tokens"]
    dollars = (tokens["input"] * PRICE.input + tokens["output"] * PRICE.output) / 2e6
    assert account["cost"] == pytest.approx(dollars)
    assert budget.spent == pytest.approx(dollars)
    assert budget.in_flight == 0


def test_what_is_under_way_counts_against_the_budget_of_the_next_start(tmp_path):
    provider = MemoryBatches(polls=10_000, max_requests=10)
    with opened(tmp_path, provider) as asker, pytest.raises(PendingError):
        asker.ask(shards(1, 10)[0])
    budget = Budget(None, 100, PRICE)
    with opened(tmp_path, provider, budget):
        assert budget.in_flight == 10
    with pytest.raises(BudgetError), opened(tmp_path, provider, Budget(None, 5, PRICE)):
        pass


def test_the_journal_holds_no_text_and_is_for_its_owner(tmp_path):
    prompts = [[numbers.number_prompt(8_675_309)]]
    provider = MemoryBatches(polls=10_000)
    with opened(tmp_path, provider) as asker:
        with pytest.raises(PendingError):
            asker.ask(prompts[0])
        asker._carrier._pauses = QUICK
        provider.on_poll = lambda: FatalError("enough")
        with pytest.raises(ModelError):
            asker.wait()
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"8675309" not in path.read_bytes()


def test_models_do_not_share_batches(tmp_path):
    with opened(tmp_path, MemoryBatches(max_requests=10)) as asker, pytest.raises(PendingError):
        asker.ask(shards(1, 10)[0])
    cache = Cache(tmp_path / "answers.sqlite")
    assert len(Journal(cache, MODEL).batches("submitted")) == 1
    assert Journal(cache, "batch:memory:other").batches("submitted") == []
    cache.close()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_goes_wrong_every_prompt_ends_once_and_counts_add_up(tmp_path_factory, data):
    """Random outcomes, breaks and restarts: counts are the provider's, nothing is asked in vain."""
    folder = tmp_path_factory.mktemp("run")
    kinds = st.sampled_from(
        ["good", "good", "good", "bad", "refused", "expired", "gone", "invalid"]
    )
    fates = data.draw(st.lists(st.lists(kinds, min_size=8, max_size=8), min_size=12, max_size=12))
    tries = Counter()
    seen = Counter()

    def answer(request):
        number = int(request.user)
        kind = fates[number][min(7, tries[number])]
        tries[number] += 1
        seen[{"expired": "transient", "gone": "transient"}.get(kind, kind)] += 1
        if kind == "gone":
            return None
        if kind == "expired":
            return TransientError("expired")
        if kind == "invalid":
            return UnanswerableError("too long")
        if kind == "bad":
            return BAD
        if kind == "refused":
            return Completion("", Usage(10, 1), refused=True)
        return numbers.number_answer(request)

    provider = MemoryBatches(answer, max_requests=data.draw(st.integers(1, 12)))
    trouble = [None, None, None, TransientError("broken"), OverloadedError("busy")]
    # Drawn here alone: the provider is called in a thread of its own.
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    provider.on_submit = lambda: chance.choice(trouble)
    provider.lose = lambda: chance.choice([None, None, TransientError("lost")])
    provider.on_delete = lambda: chance.choice(trouble)
    for _ in range(20):
        with opened(folder, provider) as asker:
            try:
                replies = ask_shards(asker, shards(3, 4))
            except ModelError:  # all requests of a batch were turned down
                continue
            account = asker.ledger.as_dict()["attempts"]
            break
    else:
        return
    assert [reply.value for reply in replies if reply.outcome is Outcome.ASSIGNED] == [
        number for number, reply in enumerate(replies) if reply.outcome is Outcome.ASSIGNED
    ]
    for reply in replies:
        assert reply.outcome in (Outcome.ASSIGNED, Outcome.REFUSED, Outcome.FAILED)
        assert (reply.reason is None) == (reply.outcome is Outcome.ASSIGNED)
    names = {"good": "answered", "bad": "malformed", "invalid": "unanswerable"}
    assert account == {names.get(kind, kind): count for kind, count in seen.items()}
    assert sum(tries.values()) == sum(len(requests) for _, requests in provider.submitted)
