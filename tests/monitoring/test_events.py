"""Before and after: planted changes are found, ordinary days are no events."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import LEAVES, stream, tree

from clio.monitoring import Activity, Answers, changed_answers, compare


def test_what_changed_on_a_day_is_named_with_a_ratio_that_holds_the_truth():
    activity = stream(1, weeks=16, factor=2.5, leaves=(4,), since=98)
    done = compare(activity, tree(), 98)
    (change,) = done.changes
    assert (change.node, change.kind) == (4, "rise")
    assert change.low < 2.5 / (1 + 1.5 * 0.04) < change.high
    assert (done.before, done.after) == ((84, 98), (98, 112))
    assert done.placebos > 19
    assert change.placebo <= 0.05


def test_ordinary_days_are_no_events():
    named = [
        bool(compare(stream(seed, weeks=16), tree(), day, seed=seed).changes)
        for seed in range(6)
        for day in (35, 63, 91)
    ]
    assert sum(named) <= 3


def test_what_is_on_one_side_only_appeared_or_vanished():
    activity = stream(2, weeks=16)
    appeared = activity.take((activity.leaf != 6) | (activity.day >= 70))
    assert (6, "appeared", np.inf) in [
        (c.node, c.kind, c.ratio) for c in compare(appeared, tree(), 70).changes
    ]
    vanished = activity.take((activity.leaf != 6) | (activity.day < 70))
    assert (6, "vanished", 0.0) in [
        (c.node, c.kind, c.ratio) for c in compare(vanished, tree(), 70).changes
    ]


def test_what_other_dates_show_too_is_left_out():
    activity = stream(3, weeks=30)
    # A leaf that is on for a fortnight and off for the next, all year.
    busy = activity.take((activity.leaf != 2) | (activity.day // 14 % 2 == 1))
    done = compare(busy, tree(), 98)
    assert 2 not in [c.node for c in done.changes]
    assert done.dropped >= 1


def test_one_account_is_no_event():
    activity = stream(4, weeks=16)
    days = np.arange(98, 112).repeat(40)
    burst = Activity.of(
        np.concatenate([activity.account, np.full(len(days), 900)]),
        np.concatenate([activity.leaf, np.full(len(days), 33)]),
        np.concatenate([activity.day, days]),
    )
    assert compare(burst, tree(), 98).changes == []


def test_the_same_seed_gives_the_same():
    activity = stream(5, weeks=40, factor=2.5, leaves=(4,), since=98)
    assert compare(activity, tree(), 98, seed=3) == compare(activity, tree(), 98, seed=3)


def test_a_day_outside_the_history_is_refused():
    with pytest.raises(ValueError, match="inside"):
        compare(stream(0, weeks=2), tree(), 14)


@pytest.mark.parametrize("shifted", [True, False])
def test_a_shift_of_an_answer_is_named_where_it_is(shifted):
    activity = stream(6, weeks=8)
    rng = np.random.default_rng(6)
    spanish = 0.1 + 0.4 * shifted * ((activity.leaf == 1) & (activity.day >= 49))
    language = (rng.random(len(spanish)) < spanish).astype(np.float64)
    answers = Answers("language", language, ("en", "es"))
    found = changed_answers(activity, tree(), answers, (21, 49), (49, 56))
    assert [c.node for c in found] == ([1] if shifted else [])
    for change in found:
        assert change.name == "language"
        assert change.value in ("en", "es")
        assert change.low < change.ratio < change.high


def test_a_shift_of_a_mean_is_found_and_missing_answers_are_none():
    activity = stream(7, weeks=8)
    rng = np.random.default_rng(7)
    concern = rng.integers(1, 4, len(activity.day)).astype(np.float64)
    concern[(activity.leaf == 2) & (activity.day >= 49)] += 1.0
    concern[rng.random(len(concern)) < 0.3] = np.nan
    (change,) = changed_answers(activity, tree(), Answers("concern", concern), (21, 49), (49, 56))
    assert (change.node, change.value) == (2, None)
    assert change.before == pytest.approx(2.0, abs=0.2)
    assert change.after == pytest.approx(3.0, abs=0.2)
    nothing = Answers("concern", np.full(len(concern), np.nan))
    assert changed_answers(activity, tree(), nothing, (21, 49), (49, 56)) == []
    assert tree().nodes > LEAVES
