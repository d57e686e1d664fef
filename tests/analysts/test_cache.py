from __future__ import annotations

import hashlib
import sqlite3
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.analysts.cache import Cache
from clio.analysts.ledger import Ledger
from clio.analysts.prices import Price
from clio.analysts.providers.base import Completion, Usage
from clio.errors import DiskError

counts = st.integers(0, 2**40)
completions = st.builds(
    Completion,
    # What a model writes may hold anything, lone surrogates too.
    st.text(st.characters(exclude_categories=()), max_size=40),
    st.builds(Usage, counts, counts, counts, counts),
    st.booleans(),
    st.booleans(),
)


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


@settings(max_examples=25)
@given(st.lists(completions, max_size=5))
def test_what_is_put_is_got_after_reopening(tmp_path_factory, answers):
    path = tmp_path_factory.mktemp("cache") / "answers.sqlite"
    pairs = [(key(number), answer) for number, answer in enumerate(answers)]
    cache = Cache(path)
    cache.put(pairs)
    cache.close()
    cache = Cache(path)
    assert cache.get([name for name, _ in pairs] + [key(-1)]) == dict(pairs)
    cache.close()


def test_many_keys_are_got_at_once(tmp_path):
    cache = Cache(tmp_path / "answers.sqlite")
    pairs = [(key(number), Completion(str(number), Usage())) for number in range(2000)]
    cache.put(pairs)
    assert cache.get([name for name, _ in pairs]) == dict(pairs)
    cache.close()


def test_the_first_answer_stays(tmp_path):
    cache = Cache(tmp_path / "answers.sqlite")
    cache.put([(key(1), Completion("first", Usage()))])
    cache.put([(key(1), Completion("second", Usage()))])
    assert cache.get([key(1)])[key(1)].text == "first"
    cache.close()


def test_its_files_are_for_the_owner_alone(tmp_path):
    cache = Cache(tmp_path / "answers.sqlite")
    cache.put([(key(1), Completion("a", Usage()))])
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert "answers.sqlite-wal" in modes
    assert set(modes.values()) == {0o600}
    cache.close()


def test_a_transaction_stands_whole_or_not_at_all(tmp_path):
    cache = Cache(tmp_path / "answers.sqlite")
    ledger = Ledger(cache, "scripted:model")
    ledger.count("facets", "answered")

    def interrupted() -> None:
        with cache.transaction():
            cache.put([(key(1), Completion("a", Usage()))])
            ledger.save()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert cache.get([key(1)]) == {}
    assert Ledger(cache, "scripted:model").calls == 0
    cache.close()


def test_threads_may_put_and_get_at_once(tmp_path):
    cache = Cache(tmp_path / "answers.sqlite")

    def put(start: int) -> None:
        for number in range(start, start + 50):
            cache.put([(key(number), Completion(str(number), Usage()))])
            assert key(number) in cache.get([key(number)])

    threads = [threading.Thread(target=put, args=(start,)) for start in (0, 50, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache.get([key(number) for number in range(150)])) == 150
    cache.close()


def test_a_file_that_is_none_of_ours_is_named_in_the_error(tmp_path):
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"no database at all, but long enough to look like one" * 20)
    with pytest.raises(DiskError, match=r"answers\.sqlite"):
        Cache(path)


def test_a_missing_folder_is_named_in_the_error(tmp_path):
    with pytest.raises(DiskError, match="nowhere"):
        Cache(tmp_path / "nowhere" / "answers.sqlite")


def test_deleted_answers_are_overwritten(tmp_path):
    cache = Cache(tmp_path / "answers.sqlite")
    with cache.transaction() as database:
        assert database.execute("PRAGMA secure_delete").fetchone() == (1,)
    cache.close()


def test_the_ledger_adds_up_over_starts_and_by_purpose(tmp_path):
    price = Price(input=10.0, output=100.0, cached=1.0, written=20.0)
    for _ in range(2):
        cache = Cache(tmp_path / "answers.sqlite")
        ledger = Ledger(cache, "scripted:model", price)
        ledger.count("facets", "answered", Usage(1000, 100, cached=400, written=100))
        ledger.count("facets", "timeout", Usage(1000, 200))
        ledger.count("describe", "overloaded")
        ledger.reuse("facets", Usage(7, 7))
        ledger.save()
        cache.close()
    cache = Cache(tmp_path / "answers.sqlite")
    account = Ledger(cache, "scripted:model", price).as_dict()
    assert Ledger(cache, "another:model", price).as_dict()["calls"] == 0
    cache.close()
    assert account["calls"] == 6
    assert account["attempts"] == {"answered": 2, "timeout": 2, "overloaded": 2}
    assert account["tokens"] == {"input": 2000, "output": 200, "cached": 800, "written": 200}
    assert account["cost"] == pytest.approx(2 * (500 * 10 + 400 + 100 * 20 + 100 * 100) / 1e6)
    assert account["unanswered"]["calls"] == 2
    assert account["unanswered"]["cost_at_most"] == pytest.approx(2 * 30_000 / 1e6)
    assert account["reused"] == 2
    assert account["purposes"]["describe"]["attempts"] == {"overloaded": 2}
    assert account["purposes"]["facets"]["calls"] == 4


def test_a_batch_costs_its_share(tmp_path):
    price = Price(input=10.0, output=100.0, cached=1.0, written=20.0, batch_factor=0.5)
    cache = Cache(tmp_path / "answers.sqlite")
    costs = []
    for model in ("scripted:model", "batch:scripted:model"):
        ledger = Ledger(cache, model, price)
        ledger.count("facets", "answered", Usage(1000, 100))
        costs.append(ledger.spent)
    cache.close()
    assert costs[1] == pytest.approx(costs[0] / 2)


def test_the_file_is_plain_sqlite(tmp_path):
    cache = Cache(tmp_path / "answers.sqlite")
    cache.close()
    database = sqlite3.connect(tmp_path / "answers.sqlite")
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()
