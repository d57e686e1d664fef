"""Every number of a release, computed again from the private tables with plain pandas.

Nothing of Clio's own counting, suppression or statistics is used here.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

ROOT = "__root__"
ACCOUNTS, CONVERSATIONS = 25, 50
CELL_ACCOUNTS, CELL_CONVERSATIONS = 10, 15


def parts(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path)


@pytest.fixture(scope="module")
def released(demo_run: Path) -> dict[str, pd.DataFrame]:
    folder = demo_run / "release"
    return {p.stem: pd.read_parquet(p) for p in folder.glob("*.parquet")}


@pytest.fixture(scope="module")
def info(demo_run: Path) -> dict:
    return json.loads((demo_run / "release" / "release.json").read_text())


@pytest.fixture(scope="module")
def rows(demo_run: Path) -> pd.DataFrame:
    """One row an assigned conversation and node of its path, the root included."""
    private = demo_run / "private"
    assigned = parts(private / "assignments.parquet")
    conversations = parts(private / "conversations.parquet")
    table = assigned.merge(conversations, on="conversation_id", validate="one_to_one")
    table = table.merge(
        parts(private / "facets.parquet"), on="conversation_id", validate="one_to_one"
    )
    table["product"] = table["labels"].map(json.loads).map(lambda v: v.get("product", "unknown"))
    tree = pd.read_parquet(demo_run / "restricted" / "clusters.parquet")
    parent = dict(zip(tree["cluster_id"], tree["parent_id"], strict=True))

    def path(leaf: str) -> list[str]:
        nodes, node = [], leaf
        while isinstance(node, str):
            nodes.append(node)
            node = parent[node]
        return [*nodes, ROOT]

    table["leaf"] = table["cluster_id"]
    table["cluster_id"] = table["leaf"].map(path)
    return table.explode("cluster_id")


def top(counts: pd.Series, n: int) -> float:
    return counts.nlargest(n).sum() / counts.sum()


def interval(c: pd.Series, n: pd.Series) -> tuple[float, float]:
    """Wilson's interval at the effective size that accounts leave, as `share_interval` says."""
    accounts = len(n)
    c = c.reindex(n.index, fill_value=0).astype(float)
    total = n.sum()
    p = c.sum() / total
    if p == 1:
        carriers = size = total**2 / (n**2).sum()
    else:
        variance = accounts / (accounts - 1) * ((c - p * n) ** 2).sum() / total**2
        outside = n - c
        carriers = min(
            c.sum() ** 2 / (c**2).sum(), outside.sum() ** 2 / (outside**2).sum(), accounts
        )
        prior = p * (1 - p) * (total + 0.4 * ((n**2).sum() - total)) / total**2
        variance = (carriers * variance + 6 * prior) / (carriers + 6)
        size = min(max(p * (1 - p) / variance, 1), total)
    t = stats.t.ppf(0.975, max(min(accounts - 1, carriers), 1))
    centre = (p + t**2 / (2 * size)) / (1 + t**2 / size)
    half = t / (1 + t**2 / size) * np.sqrt(p * (1 - p) / size + t**2 / (4 * size**2))
    return centre - half, centre + half


def test_clusters_are_what_the_private_tables_say(released, rows):
    clusters = released["clusters"].set_index("cluster_id")
    per_account = rows.groupby(["cluster_id", "account"]).size()
    n = per_account[ROOT]
    total = n.sum()
    assert len(clusters) > 10
    for cluster_id, row in clusters.iterrows():
        c = per_account[cluster_id]
        assert row["conversations"] == c.sum()
        assert row["accounts"] == len(c) // 5 * 5
        assert row["share"] == pytest.approx(c.sum() / total)
        assert row["share_low"] <= row["share"] <= row["share_high"]
        if cluster_id != ROOT:
            low, high = interval(c, n)
            assert row["share_low"] == pytest.approx(low, rel=0.011, abs=1e-9)
            assert row["share_high"] == pytest.approx(high, rel=0.011, abs=1e-9)


def test_clusters_clear_thresholds_and_dominance(released, rows):
    per_account = rows.groupby(["cluster_id", "account"]).size()
    for cluster_id in released["clusters"]["cluster_id"]:
        c = per_account[cluster_id]
        assert len(c) >= ACCOUNTS
        assert c.sum() >= CONVERSATIONS
        assert top(c, 1) <= 0.20
        assert top(c, 2) <= 0.35


def test_conversations_add_up_at_every_level(released, rows):
    clusters = released["clusters"]
    by_id = clusters.set_index("cluster_id")
    below = clusters[clusters["cluster_id"] != ROOT].copy()
    below["parent_id"] = below["parent_id"].fillna(ROOT)
    sums = below.groupby("parent_id")["conversations"].sum()
    for cluster_id, row in by_id.iterrows():
        if row["level"] == 0:
            assert cluster_id not in sums
            assert row["other_conversations"] == 0
        else:
            assert row["conversations"] == sums.get(cluster_id, 0) + row["other_conversations"]
    for parent_id, group in below.groupby("parent_id"):
        levels = set(group["level"])
        assert len(levels) == 1
        if parent_id != ROOT:
            assert levels == {by_id.loc[parent_id, "level"] - 1}


def test_what_is_hidden_in_other_clears_the_thresholds_together(released, rows):
    clusters = released["clusters"]
    visible = set(clusters["cluster_id"])
    leaf_path = rows.groupby(["conversation_id", "account"])["cluster_id"].apply(list)
    for _, row in clusters[clusters["other_conversations"] > 0].iterrows():
        children = set(
            clusters.loc[clusters["parent_id"].fillna(ROOT) == row["cluster_id"], "cluster_id"]
        )
        hidden = [
            account
            for (_, account), path in leaf_path.items()
            if row["cluster_id"] in path and not children & set(path)
        ]
        assert len(hidden) == row["other_conversations"]
        assert len(set(hidden)) >= ACCOUNTS
        assert len(hidden) >= CONVERSATIONS
    assert visible


def test_hierarchy_is_that_of_the_private_tree(released, demo_run):
    tree = pd.read_parquet(demo_run / "restricted" / "clusters.parquet").set_index("cluster_id")
    tree["parent_id"] = tree["parent_id"].fillna(ROOT)
    clusters = released["clusters"]
    for _, row in clusters.assign(parent_id=clusters["parent_id"].fillna(ROOT)).iterrows():
        if row["cluster_id"] != ROOT:
            private = tree.loc[row["cluster_id"]]
            assert row["level"] == private["level"]
            assert row["parent_id"] == private["parent_id"]


TURN_BINS = [(10, "10+"), (5, "5-9"), (2, "2-4"), (1, "1")]
WORD_BINS = [(300, "300+"), (100, "100-299"), (30, "30-99"), (10, "10-29"), (1, "1-9")]


def binned(number: int, bins: list[tuple[int, str]]) -> str:
    return next(label for low, label in bins if number >= low)


def dimension_values(rows: pd.DataFrame, dimension: str) -> pd.Series:
    if dimension == "turns":
        return rows["turns"].map(lambda n: binned(n, TURN_BINS))
    if dimension == "words":
        return rows["words"].map(lambda n: binned(n, WORD_BINS))
    if dimension == "code":
        return rows["code"].map({True: "yes", False: "no"})
    return rows[dimension].fillna("unknown")


def test_breakdowns_are_what_the_private_tables_say(released, rows):
    breakdowns = released["breakdowns"]
    clusters = released["clusters"].set_index("cluster_id")["conversations"]
    expected = {"task", "language", "turns", "words", "code", "weekday", "time_of_day", "product"}
    # Those with two values of which one is small may be withheld whole.
    assert expected - {"code"} <= set(breakdowns["dimension"]) <= expected
    for dimension, cells in breakdowns.groupby("dimension"):
        table = rows.assign(value=dimension_values(rows, dimension))
        counted = table.groupby(["cluster_id", "value"])["account"].agg(["size", "nunique"])
        for _, cell in cells.iterrows():
            size, accounts = counted.loc[(cell["cluster_id"], cell["value"])]
            assert cell["conversations"] == size >= CELL_CONVERSATIONS
            assert accounts >= CELL_ACCOUNTS
            assert cell["accounts"] == accounts // 5 * 5
            assert cell["share"] == pytest.approx(size / clusters[cell["cluster_id"]])
        families = cells.groupby("cluster_id")["conversations"].sum()
        for cluster_id, shown in families.items():
            hidden = clusters[cluster_id] - shown
            assert hidden == 0 or hidden >= CELL_CONVERSATIONS


def test_trends_are_what_the_private_tables_say(released, rows):
    trends = released["trends"]
    assert trends["granularity"].nunique() == 1
    frequency = {"day": "D", "week": "W-SUN", "month": "M"}[trends["granularity"].iloc[0]]
    dated = rows.dropna(subset=["created_at"]).copy()
    began = dated["created_at"].dt.tz_localize(None)
    dated["period"] = began.dt.to_period(frequency).dt.start_time.dt.date
    per_account = dated.groupby(["cluster_id", "period", "account"]).size()
    for _, cell in trends.iterrows():
        c = per_account[cell["cluster_id"], cell["period"]]
        n = per_account[ROOT, cell["period"]]
        assert cell["conversations"] == c.sum() >= CELL_CONVERSATIONS
        assert len(c) >= CELL_ACCOUNTS
        assert cell["accounts"] == len(c) // 5 * 5
        assert cell["share"] == pytest.approx(c.sum() / n.sum())
        if cell["cluster_id"] != ROOT:
            low, high = interval(c, n)
            assert cell["share_low"] == pytest.approx(low, rel=0.011, abs=1e-9)
            assert cell["share_high"] == pytest.approx(high, rel=0.011, abs=1e-9)


def test_means_are_what_the_private_tables_say(released, rows):
    numeric = released["numeric"]
    stability = numeric[numeric["measure"] == "stability"]
    assert stability["mean"].between(0, 1).all()
    leaves = released["clusters"].query("level == 0")
    assert set(stability["cluster_id"]) == set(leaves["cluster_id"])
    numeric = numeric[numeric["measure"] != "stability"]
    assert set(numeric["measure"]) == {"turns", "words"}
    for _, row in numeric.iterrows():
        values = rows.loc[rows["cluster_id"] == row["cluster_id"], row["measure"]].dropna()
        assert row["conversations"] == len(values) >= CELL_CONVERSATIONS
        assert row["mean"] == pytest.approx(values.mean(), rel=0.01)
        assert row["low"] <= row["mean"] <= row["high"]


def test_map_is_what_the_private_tables_say(released, rows, demo_run):
    work = demo_run / "private" / "work" / "request"
    texts = pd.read_parquet(work / "members.parquet")[["conversation_id", "text"]]
    leaves = rows[rows["cluster_id"] == rows["leaf"]]
    placed = leaves.merge(texts, on="conversation_id").merge(
        pd.read_parquet(work / "text_cells.parquet"), on="text"
    )
    counted = placed.groupby(["cell_x", "cell_y"])["account"].agg(["size", "nunique"])
    assert counted["size"].sum() == leaves["conversation_id"].nunique()
    cells = released["map"].set_index(["cell_x", "cell_y"])["conversations"]
    assert len(cells) > 5
    assert cells.index.is_unique
    for place, conversations in cells.items():
        size, accounts = counted.loc[place]
        assert conversations == size >= CELL_CONVERSATIONS
        assert accounts >= CELL_ACCOUNTS


def test_totals_and_outcomes(info, released, rows, demo_run):
    root = released["clusters"].set_index("cluster_id").loc[ROOT]
    assert info["totals"]["conversations"] == root["conversations"]
    assert info["totals"]["accounts"] == rows["account"].nunique() // 5 * 5
    run = json.loads((demo_run / "run.json").read_text())
    assert info["outcomes"] == run["outcomes"]
    assert sum(info["outcomes"].values()) == run["stages"]["read"]["rows_in"]
    assert info["outcomes"]["assigned"] == rows["conversation_id"].nunique()
