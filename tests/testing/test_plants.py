"""What is planted is there, is told apart, and leaves the other rows alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.conversation import Conversation, Message, Role
from clio.testing import (
    Campaign,
    Canaries,
    Claim,
    Emerging,
    Event,
    LookAlike,
    Plant,
    Rare,
    Rates,
    Truth,
    generate,
)
from clio.testing.canary_values import KINDS, is_valid, values
from clio.testing.schedule import Schedule
from clio.testing.taxonomy import taxonomy

N = 4_000
START = datetime(2025, 1, 6, tzinfo=UTC)
PLAIN = Rates(slips=0, pasted=0, second=0)


def planted(
    *plants: Plant, n: int = N, seed: int = 0, rates: Rates = PLAIN
) -> tuple[dict[str, Conversation], list[Truth]]:
    facts: list[Truth] = []
    items = generate(n, seed=seed, plants=plants, rates=rates, truth=facts.append)
    return {item.conversation_id: item for item in items}, facts


def day(item: Conversation) -> float:
    assert item.created_at is not None
    return (item.created_at - START) / timedelta(days=1)


def themes() -> Sequence[str]:
    return [topic.name for topic in taxonomy().topics if topic.kind == "rare"]


@pytest.mark.parametrize(
    "plants",
    [
        [Rare(0.002)],
        [Canaries(0.02, repeats=(1, 2, 5))],
        [Campaign(6, 4, 14, 7)],
        [LookAlike(20)],
        [Event("Physics problems", 4, 20, 10)],
        [Rare(0.001), Event("Sleep better", 2, 7, 30), Canaries(0.01), Campaign(3, 3, 7, 7)],
    ],
)
def test_rows_that_are_not_claimed_stay_the_same(plants: list[Plant]) -> None:
    without, _ = planted()
    items, facts = planted(*plants)
    again, same = planted(*plants)
    assert (items, facts) == (again, same)
    claimed = {fact.conversation_id for fact in facts}
    assert claimed
    assert len(claimed) == len(facts)
    for name, item in items.items():
        if name not in claimed:
            assert item == without[name]
        else:
            assert item != without[name]
            assert item.created_at == without[name].created_at
        assert not {"canary", "campaign", "value"} & item.labels.keys()


@settings(max_examples=15, deadline=None)
@given(
    plants=st.lists(
        st.sampled_from(
            [
                Canaries(0.03),
                Canaries(repeats=(2, 3)),
                Campaign(3, 2, 0, 84, "letters"),
                Campaign(2, 3, 0, 84, "messages"),
                LookAlike(5, 0, 84, "mill"),
                Event("Do taxes", 2, 0, 84),
            ]
        ),
        max_size=4,
    ),
    seed=st.integers(0, 1000),
)
def test_plants_compose_and_counts_add_up(plants: list[Plant], seed: int) -> None:
    items, facts = planted(*plants, n=600, seed=seed)
    # One conversation has one plant at most, and every fact a conversation.
    assert len({fact.conversation_id for fact in facts}) == len(facts)
    for fact in facts:
        assert items[fact.conversation_id].user_id == fact.user_id
    counts = Counter(fact.kind for fact in facts)
    assert counts["campaign"] == 6 * sum(isinstance(plant, Campaign) for plant in plants)
    assert counts["look-alike"] == 10 * sum(isinstance(plant, LookAlike) for plant in plants)
    canaries = sum(18 if plant.share else 5 * 12 for plant in plants if isinstance(plant, Canaries))
    assert counts["canary"] == canaries


def test_rare_themes_have_their_shares() -> None:
    items, facts = planted(Rare(0.005))
    assert Counter(fact.detail["topic"] for fact in facts) == dict.fromkeys(themes(), 20)
    for fact in facts:
        labels = items[fact.conversation_id].labels
        assert (labels["kind"], labels["language"]) == ("rare", "en")
        assert labels["topic"] == fact.detail["topic"]
    assert sum(item.labels["kind"] == "rare" for item in items.values()) == 20 * len(themes())


def test_a_theme_emerges_on_its_day_and_grows() -> None:
    name = themes()[0]
    items, facts = planted(Emerging(name, 0.1, first_day=40, ramp_days=20))
    days = [day(items[fact.conversation_id]) for fact in facts]
    assert {i.labels["topic"] for i in items.values() if i.labels["kind"] == "rare"} == {name}
    assert min(days) > 40
    after = [item for item in items.values() if day(item) >= 60]
    assert 0.06 * len(after) < sum(at >= 60 for at in days) < 0.14 * len(after)
    assert sum(at < 50 for at in days) < sum(60 <= at < 70 for at in days) / 2


def test_what_is_spoken_of_already_cannot_emerge() -> None:
    with pytest.raises(ValueError, match="not a rare theme"):
        generate(N, plants=[Emerging("Physics problems", 0.1, 10)])
    with pytest.raises(ValueError, match="no topic is named"):
        generate(N, plants=[Emerging("Nothing", 0.1, 10)])


def test_an_event_multiplies_its_topic_for_a_while() -> None:
    name = "Write an Excel formula"
    without, _ = planted()
    items, facts = planted(Event(name, 5, 30, 14))
    assert all(30 <= day(items[fact.conversation_id]) < 44 for fact in facts)
    for inside, factor in ((True, 5), (False, 1)):
        before, after = (
            sum(
                item.labels["topic"] == name and (30 <= day(item) < 44) is inside
                for item in some.values()
                if item.requester_turns()
            )
            for some in (without, items)
        )
        assert abs(after - factor * before) <= factor
    with pytest.raises(ValueError, match="at least 1"):
        generate(N, plants=[Event(name, 0.5, 30, 14)])


def test_a_campaign_is_its_accounts_and_variants_of_one_text() -> None:
    without, _ = planted()
    items, facts = planted(Campaign(8, 5, 28, 7))
    accounts = Counter(fact.user_id for fact in facts)
    assert sorted(accounts.values()) == [5] * 8
    assert not accounts.keys() & {item.user_id for item in without.values()}
    texts = [items[fact.conversation_id].requester_turns() for fact in facts]
    assert all(len(turns) == 1 and "Lumora" in turns[0] for turns in texts)
    assert len({turns[0] for turns in texts}) > 30
    assert all(28 <= day(items[fact.conversation_id]) < 35 for fact in facts)
    with pytest.raises(ValueError, match="campaigns are"):
        generate(N, plants=[Campaign(1, 1, 0, 7, "none")])
    with pytest.raises(ValueError, match="are free"):
        generate(100, plants=[Campaign(60, 2, 0, 90)])


def test_a_class_shares_two_texts_and_has_a_life_besides() -> None:
    items, facts = planted(LookAlike(40, first_day=21, days=4))
    ours = Counter(fact.user_id for fact in facts)
    assert sorted(ours.values()) == [2] * 40
    claimed = {fact.conversation_id for fact in facts}
    others = Counter(item.user_id for name, item in items.items() if name not in claimed)
    assert all(others[user] >= 2 for user in ours)
    texts = Counter(
        "boat crosses" in items[fact.conversation_id].requester_turns()[0] for fact in facts
    )
    assert texts == {True: 40, False: 40}
    with pytest.raises(ValueError, match="active enough"):
        generate(200, plants=[LookAlike(40, 0, 80)])


def test_canaries_are_unique_valid_and_in_a_requester_s_turn() -> None:
    items, facts = planted(Canaries(0.06), rates=Rates(slips=1))
    canaries = [fact for fact in facts if fact.kind == "canary"]
    assert Counter(fact.detail["kind"] for fact in canaries) == dict.fromkeys(KINDS, 20)
    assert len({fact.detail["value"] for fact in canaries}) == len(canaries)
    whole = "\n".join(m.content for item in items.values() for m in item.messages)
    for fact in canaries:
        assert is_valid(fact.detail["kind"], fact.detail["value"])
        turns = items[fact.conversation_id].requester_turns()
        assert sum(fact.detail["value"] in turn for turn in turns) == 1
        assert fact.detail["value"] not in str(items[fact.conversation_id].labels)
        if fact.detail["kind"] not in ("full name", "vehicle plate"):
            assert whole.count(fact.detail["value"]) == 1


def test_repeated_canaries_come_from_as_many_accounts_about_one_topic() -> None:
    items, facts = planted(Canaries(repeats=(1, 2, 5, 9, 10)))
    by_value: dict[str, list[Truth]] = {}
    for fact in facts:
        by_value.setdefault(fact.detail["value"], []).append(fact)
    assert Counter(map(len, by_value.values())) == dict.fromkeys((1, 2, 5, 9, 10), len(KINDS))
    for same in by_value.values():
        assert len({fact.user_id for fact in same}) == len(same)
        assert len({items[fact.conversation_id].labels["topic"] for fact in same}) == 1
    with pytest.raises(ValueError, match="no topic has 500 accounts"):
        generate(N, plants=[Canaries(repeats=(500,))])


@settings(max_examples=30, deadline=None)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 2**32 - 1))
def test_values_of_a_kind_differ_and_are_valid(kind: str, seed: int) -> None:
    found = values(kind, 500, np.random.default_rng(seed))
    assert len(set(found)) == 500
    assert all(is_valid(kind, value) for value in found)


@pytest.mark.parametrize("kind", ["credit card", "iban"])
def test_check_digits_are_checked(kind: str) -> None:
    for value in values(kind, 50, np.random.default_rng(1)):
        wrong = value[:-1] + str((int(value[-1]) + 1) % 10)
        assert not is_valid(kind, wrong)


def test_values_end() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="no more than"):
        values("date of birth", 100_000, rng)
    with pytest.raises(ValueError, match="kind of canary"):
        values("shoe size", 1, rng)


@dataclass(frozen=True)
class Shouting:
    """A plant as a later test may write it."""

    kind: str = "shouting"

    def claim(self, schedule: Schedule, rng: np.random.Generator) -> Claim:
        rows = schedule.sample(schedule.within(7, 7), 10, rng)
        schedule.claim(rows)

        def write(_: int, conversation: Conversation, __: object) -> Conversation:
            said = tuple(
                Message(m.role, m.content.upper() if m.role is Role.USER else m.content)
                for m in conversation.messages
            )
            return replace(conversation, messages=said)

        return Claim(rows, lambda at: {"place": at}, write)


def test_a_plant_of_one_s_own() -> None:
    items, facts = planted(Shouting())
    assert [fact.detail["place"] for fact in facts] == list(range(10))
    for fact in facts:
        assert fact.kind == "shouting"
        for turn in items[fact.conversation_id].requester_turns():
            assert turn == turn.upper()
