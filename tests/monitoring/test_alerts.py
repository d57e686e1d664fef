"""A look at the last week: quiet where nothing changes, one name at the right level else."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import GROUPS, LEAVES, stream, tree

from clio.monitoring import SHORTEST, Activity, look


def joined(activity: Activity, account: list[int], leaf: int, day: list[int]) -> Activity:
    """With further conversations in a leaf."""
    return Activity.of(
        np.concatenate([activity.account, account]),
        np.concatenate([activity.leaf, np.full(len(account), leaf)]),
        np.concatenate([activity.day, day]),
    )


def test_streams_without_a_change_alarm_no_more_often_than_declared():
    looks = [
        look(stream(seed, weeks=weeks), tree()).changes for seed in range(15) for weeks in (8, 18)
    ]
    # One false look in twenty is declared: four of thirty have a chance of one in fifteen.
    assert sum(bool(found) for found in looks) <= 4


def test_short_histories_alarm_no_more_often_than_declared():
    looks = [look(stream(seed, weeks=3), tree()) for seed in range(30)]
    assert {found.method for found in looks} == {"day"}
    assert sum(bool(found.changes) for found in looks) <= 4


@pytest.mark.parametrize("leaf", [1, 20])
def test_a_rise_is_named_once_at_its_leaf(leaf):
    activity = stream(7, weeks=10, factor=3, leaves=(leaf,), since=63)
    (change,) = look(activity, tree()).changes
    assert (change.node, change.kind, change.method, change.few) == (leaf, "rise", "week", False)
    assert 1.5 < change.low < change.ratio < change.high < 4
    assert abs(change.since - 63) <= 2
    assert change.q <= 0.05


def test_a_rise_of_a_whole_group_is_named_at_the_group():
    leaves = tuple(range(2, LEAVES, GROUPS))
    activity = stream(8, weeks=10, factor=3, leaves=leaves, since=63)
    rises = [c.node for c in look(activity, tree()).changes if c.kind == "rise"]
    assert rises == [LEAVES + 2]


def test_a_fall_and_something_new_have_their_kinds():
    gone = stream(9, weeks=10, factor=0.2, leaves=(0,), since=63)
    assert (0, "fall") in [(c.node, c.kind) for c in look(gone, tree()).changes]
    before = stream(10, weeks=10)
    known = before.take((before.leaf != 5) | (before.day >= 63))
    assert (5, "new") in [(c.node, c.kind) for c in look(known, tree()).changes]


def test_a_slow_drift_is_found():
    activity = stream(11, weeks=20, factor=1.8, leaves=(3,), since=98)
    found = {c.node: c.method for c in look(activity, tree()).changes}
    assert found == {3: "drift"}


def test_a_burst_of_few_accounts_is_marked():
    quiet = stream(12, weeks=10)
    leaf = 30
    accounts = [900 + i % 3 for i in range(3 * 7 * 20)]
    days = [63 + i % 7 for i in range(len(accounts))]
    burst = joined(quiet, accounts, leaf, days)
    found = [c for c in look(burst, tree()).changes if c.node in (leaf, LEAVES + leaf % GROUPS)]
    assert all(c.few for c in found)
    many = joined(quiet, list(range(900, 900 + 120)), leaf, [63 + i % 7 for i in range(120)])
    (change,) = look(many, tree()).changes
    assert (change.node, change.few) == (leaf, False)


def test_growth_of_everything_is_no_rise():
    activity = stream(13, weeks=10)
    late = activity.take(activity.day >= 63)
    doubled = Activity.of(
        np.concatenate([activity.account, late.account + 1000]),
        np.concatenate([activity.leaf, late.leaf]),
        np.concatenate([activity.day, late.day]),
    )
    assert look(doubled, tree()).changes == []


def test_the_order_of_rows_does_not_matter():
    activity = stream(7, weeks=10, factor=3, leaves=(1,), since=63)
    mixed = activity.take(np.random.default_rng(0).permutation(len(activity.day)))
    assert look(mixed, tree()).changes == look(activity, tree()).changes


def test_larger_clusters_show_smaller_rises():
    found = look(stream(1, weeks=10), tree())
    assert found.detectable[0] < found.detectable[LEAVES - 1]
    assert (found.detectable > 1).all()


def test_too_short_a_history_is_refused():
    with pytest.raises(ValueError, match=str(SHORTEST)):
        look(Activity.of([0, 1], [0, 0], [0, SHORTEST - 2]), tree())
