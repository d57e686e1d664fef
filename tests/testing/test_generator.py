"""The generator plants what a run should find, the same each time."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from clio.conversation import Conversation, Role
from clio.sources import read
from clio.testing import generate, write_jsonl
from clio.testing.taxonomy import Template, foreign, topics


@pytest.fixture(scope="module")
def many() -> list[Conversation]:
    return list(generate(10_000))


def test_the_same_arguments_give_the_same_conversations() -> None:
    assert list(generate(300, seed=4)) == list(generate(300, seed=4))
    assert list(generate(300, seed=4)) != list(generate(300, seed=5))


@pytest.mark.parametrize("n", [0, 1, 2, 700])
def test_it_gives_as_many_as_asked(n: int) -> None:
    assert len(list(generate(n))) == n
    assert len(list(generate(n, accounts=1, weeks=1))) == n


@pytest.mark.parametrize("arguments", [{"n": -1}, {"n": 1, "accounts": 0}, {"n": 1, "weeks": 0}])
def test_impossible_arguments_are_refused_at_once(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        generate(**arguments)


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "demo.jsonl"
    write_jsonl(path, 500, seed=3)
    assert [row.conversation for row in read([path])] == list(generate(500, seed=3))


def test_the_truth_is_planted_on_two_levels(many: list[Conversation]) -> None:
    domain_of = {topic.name: topic.domain for topic in topics()}
    assert len(set(domain_of.values())) >= 12
    assert len(domain_of) >= 100
    seen = Counter(item.labels["topic"] for item in many)
    assert set(seen) == set(domain_of)
    assert max(seen.values()) > 5 * min(seen.values())
    for item in many:
        assert item.labels["domain"] == domain_of[item.labels["topic"]]
        assert item.labels.keys() == {"topic", "domain", "product", "country"}


def test_texts_are_varied_and_fully_filled_in(many: list[Conversation]) -> None:
    requests = [turns[0] for item in many if (turns := item.requester_turns())]
    assert len(set(requests)) > 0.85 * len(requests)
    lengths = [len(text.split()) for text in requests]
    assert min(lengths) >= 2
    assert max(lengths) > 45
    assert not [text for text in requests if "{" in text or " | " in text or "¶" in text]
    assert not [text for text in requests if re.search(r"\b(my|our|a) an? ", text.lower())]


def test_turns_alternate(many: list[Conversation]) -> None:
    counts = set()
    for item in many:
        roles = [message.role for message in item.messages if message.role is not Role.SYSTEM]
        counts.add(roles.count(Role.USER))
        if item.requester_turns():
            assert roles == [Role.USER, Role.ASSISTANT] * (len(roles) // 2)
    assert counts == {1, 2, 3, 4, 5, 6}


def test_accounts_are_many_uneven_and_none_dominates(many: list[Conversation]) -> None:
    rows = Counter(item.user_id for item in many)
    assert len(rows) > 1_000
    assert 10 * sorted(rows.values())[len(rows) // 2] < max(rows.values()) < 0.01 * len(many)


def test_time_runs_forward_within_the_period() -> None:
    first = date(2024, 2, 26)
    times = [item.created_at for item in generate(2_000, weeks=3, start=first)]
    begin = datetime(2024, 2, 26, tzinfo=UTC)
    assert times == sorted(t for t in times if t is not None)
    assert begin <= times[0] < begin + timedelta(days=1)
    assert begin + timedelta(days=20) <= times[-1] < begin + timedelta(days=21)


def test_topics_grow_and_one_appears_half_way(many: list[Conversation]) -> None:
    middle = datetime(2025, 1, 6, tzinfo=UTC) + timedelta(weeks=6)
    early = Counter(i.labels["topic"] for i in many if i.created_at and i.created_at < middle)
    late = Counter(i.labels["topic"] for i in many if i.created_at and i.created_at >= middle)
    trends = {trend: [t.name for t in topics() if t.trend == trend] for trend in ("grow", "new")}
    assert trends["grow"]
    for name in trends["grow"]:
        assert late[name] > 1.4 * early[name]
    for name in trends["new"]:
        assert early[name] == 0 or late[name] > 20 * early[name]
        assert late[name] >= 50


def test_some_rows_are_repeated_and_some_empty(many: list[Conversation]) -> None:
    ids = Counter(item.conversation_id for item in many)
    repeated = [name for name, count in ids.items() if count > 1]
    assert 5 <= len(repeated) <= 20
    for name in repeated:
        assert len({str(item) for item in many if item.conversation_id == name}) == 1
    assert 1 <= sum(not item.requester_turns() for item in many) <= 10


def test_other_languages_are_few_and_belong_to_topics(many: list[Conversation]) -> None:
    names = {topic.name for topic in topics()}
    assert {name for entry in foreign() for name, _ in entry.requests} <= names
    german = sum(item.messages[-1].content.startswith(("Gern, hier", "Das komm")) for item in many)
    assert 0.002 * len(many) < german < 0.02 * len(many)


def test_a_slot_keeps_its_value_through_a_conversation() -> None:
    slots = {"thing": ("one a", "one b", "an oak")}
    bound: dict[str, str] = {}
    numbers = iter([0.5, 0.9, 0.0])
    text = Template("[x|y] {thing}, {thing!} [1|2] [literal]", slots).render(
        bound, numbers.__next__
    )
    assert text == "y an oak, oak 1 [literal]"
    assert bound == {"thing": "an oak"}
