from __future__ import annotations

import numpy as np

from clio.describing import Description, describe_groups, describe_parents

from .helpers import alarms, centroids, embed, flights, members, rates


def test_a_parent_is_named_for_what_its_children_share() -> None:
    accounts = [
        [f"{verb} my savings account {verbs[0]}{word}" for verb in verbs
         for word in ["abc", "bcd", "cde", "def", "efg", "fgh", "ghi"]]
        for verbs in (("open", "please open"), ("close", "help me close"), ("freeze", "freeze up"))
    ]  # fmt: skip
    sample = members(accounts)
    children = describe_groups(sample, centroids(sample, 3), embed=embed, min_accounts=5)
    together = members([[t for group in accounts for t in group], alarms()])
    children.append(Description("Set an alarm", "People ask the assistant to set an alarm."))
    parents = describe_parents(
        children,
        np.array([0, 0, 0, 1], dtype=np.int32),
        together,
        centroids(together, 2),
        child_sizes=np.array([14, 14, 14, 40]),
        embed=embed,
        min_accounts=5,
    )
    assert parents[0].title == "Savings accounts"
    assert parents[1].title == "Set an alarm"
    assert parents[1].summary == children[3].summary


def test_without_a_shared_phrase_the_largest_children_name_it() -> None:
    groups = [flights(), alarms(), rates()]
    sample = members(groups)
    children = describe_groups(sample, centroids(sample, 3), embed=embed)
    together = members([[text for group in groups for text in group]])
    parents = describe_parents(
        children,
        np.zeros(3, dtype=np.int32),
        together,
        centroids(together, 1),
        child_sizes=np.array([50, 40, 30]),
        embed=embed,
    )
    assert parents[0].title == "Flights, alarms and exchange rates"
    assert parents[0].summary == (
        "The main requests are: book a flight, set an alarm and ask about the exchange rate."
    )


def test_titles_of_parents_are_distinct() -> None:
    groups = [flights(), alarms()]
    sample = members(groups)
    children = describe_groups(sample, centroids(sample, 2), embed=embed) * 2
    twice = members([flights() + alarms(), flights() + alarms()])
    parents = describe_parents(
        children,
        np.array([0, 0, 1, 1], dtype=np.int32),
        twice,
        centroids(twice, 2),
        child_sizes=np.array([4, 3, 2, 1]),
        embed=embed,
    )
    assert parents[0].title != parents[1].title
