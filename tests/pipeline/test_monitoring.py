"""Monitoring of a finished run: what was planted is found, named once, and shown only if large."""

from __future__ import annotations

import shutil
import stat
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import clio
from clio.errors import RunError, SettingsError
from clio.monitoring import Activity
from clio.pipeline.changing import changes_lately
from clio.pipeline.facets import restored
from clio.pipeline.monitoring import Monitoring, monitor
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.read import conversations_folder
from clio.pipeline.stages.texts import members_file
from clio.privacy.changes import Found, Showing
from clio.testing import Emerging, Event, write_jsonl

TOPIC, THEME = "Debug a React component", "Keep bees"
MONDAY = date(2025, 3, 31)
SUNDAY = date(2025, 4, 6)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over fourteen weeks, in the last two of which a topic and a theme are asked more."""
    folder = tmp_path_factory.mktemp("monitoring")
    plants = [Event(TOPIC, 5, 84, 14), Emerging(THEME, 0.08, 84, 5)]
    write_jsonl(folder / "in.jsonl", 6000, seed=1, weeks=14, plants=plants)
    clio.run(folder / "in.jsonl", out=folder / "run")
    return folder


@pytest.fixture(scope="module")
def found(made: Path) -> Monitoring:
    """What a look at the end of the first of these weeks shows."""
    return monitor(made / "run", until=SUNDAY)


def leaf_of(made: Path, topic: str) -> str:
    """The leaf that holds most of a topic."""
    rows = map(orjson.loads, (made / "in.jsonl").read_bytes().splitlines())
    topics = {row["conversation_id"]: row["labels"]["topic"] for row in rows}
    table = pq.read_table(made / "run/private/assignments.parquet").to_pylist()
    leaves = Counter(r["cluster_id"] for r in table if topics[r["conversation_id"]] == topic)
    return leaves.most_common(1)[0][0]


def test_what_was_planted_is_named_once_at_its_leaf(made, found):
    release = clio.open_release(made / "run")
    for topic in (TOPIC, THEME):
        leaf = leaf_of(made, topic)
        line = {c.cluster_id for c in release.path(leaf)}
        named = [s for s in found.shown if s.cluster_id in line]
        assert [s.cluster_id for s in named] == [leaf]
        assert named[0].kind == "rise"
        assert named[0].low > 1
        assert named[0].since == MONDAY
        assert not named[0].few


def test_an_event_is_compared_and_ordinary_days_are_none(made):
    event = monitor(made / "run", event=MONDAY)
    assert event.before == (date(2025, 3, 17), date(2025, 3, 30))
    assert event.after == (MONDAY, date(2025, 4, 13))
    table = pq.read_table(event.restricted).to_pylist()
    assert leaf_of(made, THEME) in {row["cluster_id"] for row in table}
    assert len(table) == len(event.shown) + event.withheld
    for day in (date(2025, 2, 10), date(2025, 2, 24)):
        assert monitor(made / "run", event=day).shown == []


def test_shown_rows_are_large_rounded_and_titled_by_the_release(made, found):
    release = clio.open_release(made / "run")
    table = {r["cluster_id"]: r for r in pq.read_table(found.restricted).to_pylist()}
    assert found.shown
    for row in found.shown:
        assert row.title == release.cluster(row.cluster_id).title
        assert row.accounts % 5 == 0
        assert row.accounts >= 10
        assert row.low <= row.ratio <= row.high
        assert row.ratio == float(f"{row.ratio:.1e}")
        private = table[row.cluster_id]
        assert min(private["conversations_before"], private["conversations_after"]) >= 15
    assert len(table) == len(found.shown) + found.withheld


def test_what_was_found_lies_in_restricted_for_its_owner_alone(made, found):
    assert found.restricted == made / "run/restricted/alerts.parquet"
    assert stat.S_IMODE(found.restricted.stat().st_mode) == 0o600
    alerts = (made / "run/release").resolve() / "alerts.parquet"
    assert pq.read_table(alerts).column_names[:3] == ["facet", "cluster_id", "kind"]


def test_a_release_holds_the_alerts_that_may_be_shown(made, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(made / "run", run, symlinks=True)
    release = clio.open_release(run)
    looked = monitor(run)
    everything = pq.read_table(run / "restricted/alerts.parquet").to_pylist()
    alerts = release.table("alerts").to_pylist()
    assert alerts
    assert sorted((a["cluster_id"], a["kind"]) for a in alerts) == sorted(
        (row["cluster_id"], row["kind"]) for row in everything if row["shown"]
    )
    withheld = [row for row in release.withheld.to_pylist() if row["table"] == "alerts"]
    assert sum(row["cells"] for row in withheld) == len(everything) - len(alerts)
    for alert in alerts:
        cluster = release.cluster(alert["cluster_id"])
        assert alert["title"].startswith(f"{cluster.title}: ")
        assert alert["ratio_low"] <= alert["ratio"] <= alert["ratio_high"]
        assert alert["since"].weekday() == 0
    # What the command shows by default is what the release holds.
    shown = {(s.cluster_id, s.kind, s.ratio, s.q) for s in looked.shown}
    assert shown == {(a["cluster_id"], a["kind"], a["ratio"], a["q"]) for a in alerts}


def test_alerts_do_not_depend_on_the_key(made, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(made / "run", run, symlinks=True)
    directory = RunDirectory(run)
    directory.load()
    facets = restored(directory.state.facets)
    before = changes_lately(directory, facets, ["request"], "week")
    # Codes of accounts follow the pseudonyms: another key gives them in another order.
    path = members_file(directory, "request")
    members = pq.read_table(path)
    codes = np.random.default_rng(5).permutation(members["account"].to_numpy().max() + 1)
    place = members.column_names.index("account")
    other = codes[members["account"].to_numpy()]
    pq.write_table(members.set_column(place, "account", pa.array(other)), path)
    after = changes_lately(directory, facets, ["request"], "week")
    assert before is not None
    assert after is not None
    assert before.found
    for one, two in zip(before.found, after.found, strict=True):
        for name in ("cluster_id", "kind", "since", "ratio", "low", "high", "q", "few"):
            assert getattr(one, name) == getattr(two, name), name


def test_without_dates_or_days_there_is_no_table_of_alerts(made, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(made / "run", run, symlinks=True)
    directory = RunDirectory(run)
    directory.load()
    facets = restored(directory.state.facets)
    folder = conversations_folder(directory)
    for part in [folder] if folder.is_file() else sorted(folder.glob("part-*")):
        table = pq.read_table(part)
        place = table.column_names.index("created_at")
        nothing = pa.nulls(table.num_rows, table["created_at"].type)
        pq.write_table(table.set_column(place, "created_at", nothing), part)
    assert changes_lately(directory, facets, ["request"], "week") is None


def test_the_same_seed_gives_the_same_bytes(made, found):
    before = found.restricted.read_bytes()
    assert monitor(made / "run", until=SUNDAY, seed=3).shown == found.shown
    assert found.restricted.read_bytes() == before


def change(made: Path, conversations: int, accounts: int) -> tuple[Showing, Found]:
    """A rise in a released cluster with so many conversations and accounts a side."""
    release = clio.open_release(made / "run")
    cluster = release.children()[0]
    at = np.arange(conversations)
    rows = Activity.of(
        np.tile(at % accounts, 2), np.zeros(2 * conversations), np.repeat([3, 10], conversations)
    )
    found = Found(
        *(cluster.facet, cluster.cluster_id, cluster.level, "private", "rise", None, 10),
        *(2.345, 1.234, 4.567, 0.0123, accounts, False, "week", float("nan"), (0, 7), (7, 14)),
        (rows,),
    )
    return showing_of(release, date(1999, 1, 4)), found


def showing_of(release: clio.Release, first: date) -> Showing:
    tables = release.clusters.to_pylist(), release.trends.to_pylist()
    return Showing(*tables, release.info.granularity, clio.Settings().thresholds(), first)


@pytest.mark.parametrize(
    ("conversations", "accounts", "shown"),
    [(40, 20, True), (14, 14, False), (40, 9, False), (40, 1, False)],
)
def test_no_small_side_is_shown(made, conversations, accounts, shown):
    showing, found = change(made, conversations, accounts)
    assert (showing.shown(found) is not None) == shown
    assert showing.shown(replace(found, cluster_id="request-999999")) is None
    one_sided = replace(found, parts=(found.parts[0].within(7, 14),))
    assert showing.shown(one_sided) is None


def test_a_part_that_is_too_small_hides_the_row(made):
    showing, found = change(made, 40, 20)
    rows = found.parts[0]
    few = rows.take(rows.account < 3)
    assert showing.shown(replace(found, parts=(rows, few))) is None


def test_a_side_that_leaves_little_beside_a_released_period_is_not_shown(made):
    found = change(made, 40, 20)[1]
    release = clio.open_release(made / "run")
    period = release.rows("trends", found.cluster_id)[3]["period"]
    near = showing_of(release, period)
    whole = near.shown(found)
    assert whole is not None
    rows = found.parts[0]
    # All but one day of a printed week: the day left over would follow by subtraction.
    extra = Activity.of([*rows.account, 1, 2], [*rows.leaf, 0, 0], [*rows.day, 6, 6])
    assert near.shown(replace(found, before=(-1, 6), parts=(extra,))) is None


def test_what_cannot_be_monitored_is_said(made, tmp_path):
    run = made / "run"
    with pytest.raises(RunError, match="no run"):
        monitor(tmp_path)
    with pytest.raises(RunError, match="too short"):
        monitor(run, until=date(2025, 1, 9))
    for options in ({"event": date(2030, 1, 1)}, {"baseline": 10}, {"window": 0}):
        with pytest.raises(SettingsError):
            monitor(run, **options)
    with pytest.raises(SettingsError, match="begins"):
        monitor(run, until=date(2020, 1, 1))
