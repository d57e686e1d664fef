"""The generator plants what a run should find, the same each time."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.conversation import Conversation, Role
from clio.sources import read
from clio.testing import Rates, Truth, generate, write_jsonl
from clio.testing.taxonomy import LANGUAGES, taxonomy

LABELS = {"topic", "domain", "kind", "language", "product", "country"}


@pytest.fixture(scope="module")
def known() -> list[Truth]:
    return []


@pytest.fixture(scope="module")
def many(known: list[Truth]) -> list[Conversation]:
    return list(generate(10_000, truth=known.append))


@pytest.fixture(scope="module")
def even() -> list[Conversation]:
    return list(generate(9_000, languages="even", concerning=0.5, seed=2))


def within(count: int, n: int, share: float) -> bool:
    """Whether a binomial count is nearer to its mean than five standard deviations."""
    return abs(count - n * share) < 5 * math.sqrt(n * share * (1 - share)) + 1


def test_the_same_arguments_give_the_same_conversations() -> None:
    assert list(generate(300, seed=4)) == list(generate(300, seed=4))
    assert list(generate(300, seed=4)) != list(generate(300, seed=5))


@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(0, 120),
    seed=st.integers(0, 2**31),
    accounts=st.integers(1, 60),
    weeks=st.integers(1, 5),
    concerning=st.sampled_from([0.0, 0.2, 1.0]),
    languages=st.sampled_from(["natural", "even", ("en",), ("uk", "en")]),
    grammar=st.sampled_from(["open", "holdout"]),
)
def test_any_arguments_give_as_many_rows_as_asked_twice_the_same(
    n: int, seed: int, accounts: int, **others: Any
) -> None:
    items = list(generate(n, seed=seed, accounts=accounts, **others))
    assert len(items) == n
    assert items == list(generate(n, seed=seed, accounts=accounts, **others))
    assert len({item.user_id for item in items}) <= accounts
    for item in items:
        assert item.labels.keys() == LABELS
        assert (item.labels["kind"] == "concerning") <= (others["concerning"] > 0)
        assert (item.labels["kind"] == "regular") <= (others["concerning"] < 1)


@pytest.mark.parametrize(
    "arguments",
    [
        {"n": -1},
        {"n": 1, "accounts": 0},
        {"n": 1, "weeks": 0},
        {"n": 1, "concerning": 1.1},
        {"n": 1, "languages": ("en", "tlh")},
        {"n": 1, "languages": ()},
        {"n": 1, "grammar": "closed"},
    ],
)
def test_impossible_arguments_are_refused_at_once(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|languages are|grammar is"):
        generate(**arguments)
    with pytest.raises(ValueError, match="between 0 and 1"):
        Rates(pasted=-0.1)


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    path, truth = tmp_path / "demo.jsonl", tmp_path / "truth.jsonl"
    rates = Rates(slips=0.5)
    write_jsonl(path, 500, seed=3, rates=rates, truth=truth)
    facts: list[Truth] = []
    expected = list(generate(500, seed=3, rates=rates, truth=facts.append))
    assert [row.conversation for row in read([path])] == expected
    written = [json.loads(line) for line in truth.read_text().splitlines()]
    assert [item["conversation_id"] for item in written] == [f.conversation_id for f in facts]
    assert sorted(path.parent.iterdir()) == [path, truth]


def test_the_truth_is_planted_on_two_levels(many: list[Conversation]) -> None:
    domain_of = {t.name: t.domain for t in taxonomy().topics if t.kind != "rare"}
    seen = Counter(item.labels["topic"] for item in many if item.labels["kind"] == "regular")
    assert set(seen) == {t.name for t in taxonomy().topics if t.kind == "regular"}
    assert max(seen.values()) > 5 * min(seen.values())
    for item in many:
        assert item.labels["domain"] == domain_of[item.labels["topic"]]
        assert item.labels.keys() == LABELS


def test_concerning_topics_have_their_share(many: list[Conversation]) -> None:
    # Accounts keep to their favourites, so that rows are not independent.
    count = sum(item.labels["kind"] == "concerning" for item in many)
    assert 0.02 * len(many) < count < 0.04 * len(many)
    voices = taxonomy().languages[0].voices
    answers = [
        (item.labels["topic"], item.messages[-1].content)
        for item in generate(500, concerning=1, languages=("en",))
        if item.requester_turns()
    ]
    refused = [text in {t.source for t in voices[name].refusals} for name, text in answers]
    assert 0.7 * len(answers) < sum(refused) < 0.95 * len(answers)


def test_languages_and_topics_are_even_where_asked(even: list[Conversation]) -> None:
    languages = Counter(item.labels["language"] for item in even)
    topics = Counter(item.labels["topic"] for item in even)
    shared = [t for t in taxonomy().topics if all(t.name in v for v in _voices())]
    assert set(languages) == set(LANGUAGES)
    assert set(topics) == {topic.name for topic in shared}
    for count in languages.values():
        assert within(count, len(even), 1 / len(LANGUAGES))
    kinds = Counter(topic.kind for topic in shared)
    for topic in shared:
        assert within(topics[topic.name], len(even), 0.5 / kinds[topic.kind])
    writes = {(item.user_id, item.labels["language"]) for item in even}
    assert len({user for user, _ in writes}) == len(writes)


def _voices() -> Sequence[Any]:
    return [language.voices for language in taxonomy().languages]


def test_natural_languages_follow_countries(many: list[Conversation]) -> None:
    languages = Counter(item.labels["language"] for item in many)
    assert set(languages) == set(LANGUAGES)
    assert 0.88 * len(many) < languages["en"] < 0.98 * len(many)
    at_home = {i.labels["country"] for i in many if i.labels["language"] == "ja"}
    assert at_home == {"JP"}


def test_texts_are_varied(many: list[Conversation]) -> None:
    requests = [turns[0] for item in many if (turns := item.requester_turns())]
    assert len(set(requests)) > 0.95 * len(requests)
    lengths = [len(text.split()) for text in requests]
    assert min(lengths) >= 1
    assert max(lengths) > 60
    assert not [text for text in requests if re.search(r"\b(my|our|a) an? ", text)]


def test_texts_happen_at_their_rates(many: list[Conversation], known: list[Truth]) -> None:
    said = [item for item in many if item.requester_turns()]
    english = sum(item.labels["language"] == "en" for item in said)
    pasted = sum(fact.kind == "pasted" for fact in known)
    assert abs(pasted - Rates().pasted * english) < 5
    # Now and then the second topic is the first once more, which is none.
    second = sum("second" in fact.detail for fact in known)
    assert within(second, len(said), 0.97 * Rates().second)
    turns = sum(len(item.requester_turns()) for item in said)
    slips = sum(fact.detail.get("slips", 0) for fact in known)
    assert 0.75 * Rates().slips * turns < slips < 1.1 * Rates().slips * turns
    rates = Rates(slips=0, pasted=0, second=0)
    facts: list[Truth] = []
    assert len(list(generate(500, rates=rates, truth=facts.append))) == 500
    assert facts == []


def test_pasted_material_stands_after_the_request(
    many: list[Conversation], known: list[Truth]
) -> None:
    pasted = {fact.conversation_id for fact in known if fact.kind == "pasted"}
    texts = [item.requester_turns()[0] for item in many if item.conversation_id in pasted]
    assert len({fact.detail["material"] for fact in known if fact.kind == "pasted"}) >= 6
    assert all(len(text.partition("\n\n")[2].split()) > 10 for text in texts)


def test_turns_alternate(many: list[Conversation]) -> None:
    counts = set()
    for item in many:
        roles = [message.role for message in item.messages if message.role is not Role.SYSTEM]
        counts.add(roles.count(Role.USER))
        if item.requester_turns():
            assert roles == [Role.USER, Role.ASSISTANT] * (len(roles) // 2)
    assert counts >= {1, 2, 3, 4, 5, 6}
    assert max(counts) <= 7


def test_accounts_are_many_uneven_and_none_dominates(many: list[Conversation]) -> None:
    rows = Counter(item.user_id for item in many)
    assert len(rows) > 1_000
    assert 10 * sorted(rows.values())[len(rows) // 2] < max(rows.values()) < 0.01 * len(many)


def test_accounts_have_favourites_and_one_country(many: list[Conversation]) -> None:
    of_account: dict[str | None, list[Conversation]] = {}
    for item in many:
        of_account.setdefault(item.user_id, []).append(item)
    busy = [items for items in of_account.values() if len(items) >= 20]
    assert busy
    favourite = [max(Counter(i.labels["topic"] for i in items).values()) for items in busy]
    assert sum(favourite) > 0.1 * sum(map(len, busy))
    assert all(len({i.labels["country"] for i in items}) == 1 for items in busy)


def test_time_runs_forward_within_the_period() -> None:
    first = date(2024, 2, 26)
    times = [item.created_at for item in generate(2_000, weeks=3, start=first)]
    begin = datetime(2024, 2, 26, tzinfo=UTC)
    assert times == sorted(t for t in times if t is not None)
    assert begin <= times[0] < begin + timedelta(days=1)
    assert begin + timedelta(days=20) <= times[-1] < begin + timedelta(days=21)


def test_weekends_are_quiet(many: list[Conversation]) -> None:
    days = Counter(item.created_at.weekday() for item in many if item.created_at)
    assert max(days[5], days[6]) < 0.85 * min(days[at] for at in range(5))


def test_hours_follow_the_country(many: list[Conversation]) -> None:
    def afternoon(country: str) -> float:
        """Share of a country's rows between 14 and 18 UTC."""
        hours = [i.created_at.hour for i in many if i.created_at and country in i.labels.values()]
        return sum(14 <= hour < 18 for hour in hours) / len(hours)

    assert afternoon("GB") > 2 * afternoon("AU")


def test_topics_grow_and_one_appears_half_way(many: list[Conversation]) -> None:
    middle = datetime(2025, 1, 6, tzinfo=UTC) + timedelta(weeks=6)
    early = Counter(i.labels["topic"] for i in many if i.created_at and i.created_at < middle)
    late = Counter(i.labels["topic"] for i in many if i.created_at and i.created_at >= middle)
    trends = {
        trend: [t.name for t in taxonomy().topics if t.trend == trend] for trend in ("grow", "new")
    }
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


def test_the_halves_of_the_grammars_share_hardly_a_text() -> None:
    arguments: dict[str, Any] = {"languages": "even", "concerning": 0.5}
    halves = [
        [turns[0] for item in items if (turns := item.requester_turns())]
        for items in (
            generate(4_000, grammar="open", **arguments),
            generate(4_000, grammar="holdout", seed=1, **arguments),
        )
    ]
    common = set(halves[0]) & set(halves[1])
    assert sum(text in common for text in halves[1]) < 0.01 * len(halves[1])
