"""Noised content: what adds up, what is named, and that nothing exact goes in."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from taxonomies import INFO, taxonomy, trees

from clio.exporting.accounting import Spend, split
from clio.exporting.content import Content
from clio.exporting.given import Given
from clio.exporting.measuring import Agreed, Measured, agree, exact_counts, measure
from clio.exporting.noising import noised_content
from clio.pipeline.exporting import ROWS_OF_ACCOUNT
from clio.privacy.tiers import PrivateTable
from clio.release.schema import ROOT_ID, TABLES, Totals

COST = Spend(1.0, 1e-8, 0.1, 5e-9)


def rows(tree: Given, seed: int, size: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    ends = np.flatnonzero(tree.ends)

    def codes(values: int) -> pa.Array:
        found = rng.integers(0, values + 1, size)
        return pa.array(found, pa.int32(), mask=found == values)

    return pa.table(
        {
            "place": pa.array(ends[rng.integers(0, len(ends), size)], pa.int32()),
            "dimension 0": codes(2),
            "period": codes(len(tree.periods)),
        }
    )


def exported(
    tree: Given, table: pa.Table, epsilon: float, delta: float = 1e-6
) -> tuple[Measured, Agreed, Content]:
    size = {"levels": len(tree.levels), "dimensions": 1}
    parts = split(epsilon, delta, **size, trends=bool(tree.periods))
    measured = measure(tree, PrivateTable(table), parts)
    agreed = agree(tree, measured)
    return measured, agreed, noised_content(tree, measured, agreed, INFO, COST, 2)


WORLDS = st.tuples(
    trees(),
    st.integers(0, 2**32 - 1),
    st.integers(0, 4000),
    st.floats(0.1, 30.0),
    st.integers(0, 3),
)


@settings(max_examples=60, deadline=None)
@given(WORLDS)
def test_published_counts_agree(world: tuple[list[list[int]], int, int, float, int]) -> None:
    shape, seed, size, epsilon, periods = world
    tree = taxonomy(shape, periods=periods)
    _, agreed, content = exported(tree, rows(tree, seed, size), epsilon)
    for name, table in content.tables.items():
        assert table.schema.equals(TABLES[name])
    clusters = {row["cluster_id"]: row for row in content.tables["clusters"].to_pylist()}
    assert len(clusters) == content.tables["clusters"].num_rows
    root = clusters[ROOT_ID]
    assert root["conversations"] == content.info.totals.conversations == agreed.nodes[0]
    for cluster_id, row in clusters.items():
        children = [
            c for c in clusters.values()
            if c is not root and (c["parent_id"] or ROOT_ID) == cluster_id
        ]  # fmt: skip
        below = sum(c["conversations"] for c in children)
        assert min(row["conversations"], row["other_conversations"], row["accounts"]) >= 0
        if row["level"] == 0:
            assert row["other_conversations"] == 0
            assert not children
        else:
            assert row["conversations"] == below + row["other_conversations"]
        assert row["accounts"] % 5 == 0
        assert row["accounts"] <= row["conversations"]
        assert 0 <= row["share_low"] <= row["share"] <= row["share_high"] <= 1
        if root["conversations"]:
            assert row["share"] == row["conversations"] / root["conversations"]
    for name, key in (("breakdowns", "value"), ("trends", "period")):
        sums: dict[str, int] = {}
        for row in content.tables[name].to_pylist():
            sums[row["cluster_id"]] = sums.get(row["cluster_id"], 0) + row["conversations"]
            assert row["conversations"] > 0
            assert 0 <= row["accounts"] <= row["conversations"]
            assert 0 <= row["share"] <= 1
            assert row[key] is not None
        assert all(total <= clusters[c]["conversations"] for c, total in sums.items())


def without_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise that is none, to see where numbers come from."""
    from clio.exporting import noise

    monkeypatch.setattr(noise, "laplace", lambda counts, **_: counts.astype(np.int64))
    monkeypatch.setattr(
        noise, "truncated_laplace", lambda counts, **_: (counts.astype(np.int64), 4)
    )


SHAPE = [[4], [3], [0], [1]]


def test_without_noise_the_counts_are_the_bounded_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    without_noise(monkeypatch)
    tree = taxonomy(SHAPE)
    table = rows(tree, 1, 3000)
    measured, agreed, content = exported(tree, table, 100.0)
    exact, cells = exact_counts(tree, table)
    assert agreed.nodes.tolist() == exact.tolist()
    assert measured.nodes[1:].tolist() == exact[1:].tolist()
    for name, values in cells.items():
        assert agreed.dimensions[name].tolist() == values.tolist()
        assert int(values.sum()) == 3000
    trend = {
        (row["cluster_id"], row["period"]): row["conversations"]
        for row in content.tables["trends"].to_pylist()
    }
    period = table["period"].to_pylist()
    assert trend[ROOT_ID, tree.periods[0]] == period.count(0)


def test_no_number_and_no_identifier_of_the_release_reaches_an_export(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same names with quite other numbers give the same export, to the byte."""
    without_noise(monkeypatch)
    table = rows(taxonomy(SHAPE), 1, 3000)
    low, high = (exported(taxonomy(SHAPE, numbers=n), table, 100.0)[2] for n in (11, 77_777))
    for name in low.tables:
        shown = low.tables[name]
        if name == "clusters":
            # Places of leaves are given; those of others are means by noised counts.
            leaf = pa.compute.equal(shown["level"], 0)
            assert shown.filter(leaf).num_rows
            columns = [c for c in shown.column_names if c not in ("x", "y")]
            assert shown.select(columns).equals(high.tables[name].select(columns))
        else:
            assert shown.equals(high.tables[name])
    assert low.info == high.info
    info = low.info
    assert info.outcomes == {}
    assert info.totals != INFO.totals
    assert low.digest is None
    assert set(low.tables) == {"clusters", "breakdowns", "trends"}
    ids = set(low.tables["clusters"]["cluster_id"].to_pylist()) - {ROOT_ID}
    names = {node.cluster.cluster_id for node in taxonomy(SHAPE).nodes if node.cluster}
    assert not ids & names
    assert all(int(name.rpartition("-")[2]) > 2_000_000 for name in ids)
    assert "A note of the release." not in info.notes


def test_identifiers_follow_what_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    without_noise(monkeypatch)
    _, _, content = exported(taxonomy(SHAPE), rows(taxonomy(SHAPE), 1, 3000), 100.0)
    found = [r for r in content.tables["clusters"].to_pylist() if r["cluster_id"] != ROOT_ID]
    found.sort(key=lambda row: int(row["cluster_id"].rpartition("-")[2]))
    order = [(-row["level"], -row["conversations"], row["title"]) for row in found]
    assert order == sorted(order)


def test_a_leaf_of_few_is_never_named() -> None:
    """One account in a leaf is named once in 1/δ draws: here in 10^12 and more."""
    tree = taxonomy([[6]])
    ends = [i for i in np.flatnonzero(tree.ends) if not tree.rest[i]]
    table = pa.table(
        {
            "place": pa.array([int(ends[0])] * 3000 + [int(end) for end in ends[1:]], pa.int32()),
            "dimension 0": pa.nulls(3005, pa.int32()),
            "period": pa.nulls(3005, pa.int32()),
        }
    )
    for _ in range(20):
        _, agreed, _ = exported(tree, table, 8.0, 1e-12)
        assert agreed.shown[ends[0]]
        assert not agreed.shown[ends[1:]].any()


def test_what_an_account_adds_is_covered_by_what_is_spent() -> None:
    """The mechanism's sensitivity, by hand: the worst three rows against each measurement."""
    tree = taxonomy([[4]])
    parts = split(2.0, 1e-8, levels=len(tree.levels), dimensions=1, trends=True)
    ends = [int(i) for i in np.flatnonzero(tree.ends)]
    none = pa.table(
        {
            "place": pa.array([ends[0]], pa.int32()),
            "dimension 0": pa.array([0], pa.int32()),
            "period": pa.array([0], pa.int32()),
        }
    )
    rate = np.zeros(len(tree.nodes))
    rate[tree.ends] = parts.leaves / ROWS_OF_ACCOUNT
    for level, epsilon in zip(tree.levels, parts.levels, strict=True):
        rate[level] = epsilon / ROWS_OF_ACCOUNT
    worst = 0.0
    for chosen in ([0, 1, 2], [1, 2, 3], [0, 1, 4], [2]):
        more = pa.concat_tables(
            [none, *(none.set_column(0, "place", pa.array([ends[c]], pa.int32())) for c in chosen)]
        )
        before, cells_before = exact_counts(tree, none)
        after, cells_after = exact_counts(tree, more)
        lost = float((abs(after - before) * rate).sum())
        for name, epsilon in (("language", parts.dimensions[0]), (None, parts.trends)):
            gap = abs(cells_after[name] - cells_before[name]).sum()
            lost += float(gap) * epsilon / ROWS_OF_ACCOUNT
        worst = max(worst, lost)
    assert worst <= 2.0
    assert math.isclose(worst, 2.0, rel_tol=1e-9)


def test_an_export_of_nothing_is_one_of_nothing() -> None:
    tree = taxonomy([])
    content = exported(tree, rows(tree, 0, 0), 5.0)[2]
    assert content.tables["clusters"].num_rows == 1
    assert isinstance(content.info.totals, Totals)
