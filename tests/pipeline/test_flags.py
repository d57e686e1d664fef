"""Flags of a whole run: what is found, what is written where, and what is not shown."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clio import access
from clio.errors import RunError, SettingsError
from clio.pipeline.comparing import FALSE_ALARM
from clio.pipeline.flags import Flags, find_flags
from clio.release.schema import ROOT_ID

FLAGGED = "__flagged"
SCORE = "__score"


def labelled(run: Path, leaf: str) -> None:
    """Give a run's conversations labels: one cluster is flagged far more often than all others."""
    assigned = pd.read_parquet(run / "private" / "assignments.parquet")
    cluster = dict(zip(assigned["conversation_id"], assigned["cluster_id"], strict=True))
    rng = np.random.default_rng(0)
    for path in sorted((run / "private" / "conversations.parquet").glob("part-*")):
        table = pq.read_table(path)
        ids = table["conversation_id"].to_pylist()
        labels = [json.loads(text) for text in table["labels"].to_pylist()]
        for conversation, own in zip(ids, labels, strict=True):
            high = cluster.get(conversation) == leaf
            own[SCORE] = float(np.clip(rng.normal(0.6 if high else 0.2, 0.15), 0, 1))
            own[FLAGGED] = own[SCORE] >= 0.5
        at = table.schema.get_field_index("labels")
        column = pa.array([json.dumps(own) for own in labels], table.schema.field(at).type)
        pq.write_table(table.set_column(at, table.schema.field(at), column), path)


@pytest.fixture(scope="module")
def target(demo_run: Path) -> str:
    """The largest leaf of the demo."""
    tree = pd.read_parquet(demo_run / "restricted" / "clusters.parquet")
    leaves = tree[tree["level"] == 0].sort_values("conversations")
    return str(leaves["cluster_id"].iloc[-1])


@pytest.fixture(scope="module")
def run(demo_run: Path, target: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flags") / "run"
    shutil.copytree(demo_run, path, symlinks=True)
    labelled(path, target)
    return path


@pytest.fixture(scope="module")
def found(run: Path) -> Flags:
    return find_flags(run, label=FLAGGED)


def flags(run: Path) -> pd.DataFrame:
    return pd.read_parquet(run / "restricted" / "flags.parquet").set_index("cluster_id")


def test_the_cluster_that_stands_out_is_the_lead(found: Flags, target: str) -> None:
    leads = {lead.cluster_id: lead for lead in found.leads}
    assert leads[target].kind == FALSE_ALARM
    assert leads[target].gap > 0.4
    assert {lead.cluster_id for lead in found.leads if lead.level == 0} == {target}
    assert found.clusters[0].q <= found.clusters[-1].q
    assert found.label_kind == "boolean"
    assert found.concern_by == "rules"


def test_the_table_holds_what_the_private_tables_say(run: Path, found: Flags) -> None:
    table = flags(run)
    labels = pd.read_parquet(run / "private" / "conversations.parquet")
    labels["flag"] = [json.loads(text)[FLAGGED] for text in labels["labels"]]
    rows = pd.read_parquet(run / "private" / "assignments.parquet").merge(labels)
    rows = rows.merge(pd.read_parquet(run / "private" / "facets.parquet"), on="conversation_id")
    assert found.conversations == found.judged == len(rows)
    leaves = rows.groupby("cluster_id")
    counted = table.loc[list(leaves.groups)]
    assert (counted["conversations"] == leaves.size()).all()
    assert (counted["accounts"] == leaves["account"].nunique()).all()
    assert (counted["flagged"] == leaves["flag"].sum()).all()
    assert counted["concern"].to_numpy() == pytest.approx(
        leaves["concern"].mean().astype(float).to_numpy(), abs=1e-5, nan_ok=True
    )
    root = table.loc[ROOT_ID]
    assert root["flagged"] == rows["flag"].sum()
    assert pd.isna(root["kind"])
    for name in ("share", "gap"):
        inside = table[f"{name}_low"].le(table[name]) & table[name].le(table[f"{name}_high"])
        assert inside.all()
    assert table["gap"].to_numpy() == pytest.approx(
        (table["share"] - table["expected"]).to_numpy(), abs=2e-6
    )


def test_tables_are_for_the_owner_alone_and_the_look_is_logged(run: Path, found: Flags) -> None:
    assert found.label == FLAGGED
    for name in ("flags", "combinations"):
        assert (run / "restricted" / f"{name}.parquet").stat().st_mode & 0o777 == 0o600
    assert {"look"} <= {line["action"] for line in access.looks(run / "restricted")}
    assert not any("flags" in path.name for path in (run / "releases").rglob("*"))


def test_what_is_shown_has_no_account_and_released_titles_alone(run: Path, found: Flags) -> None:
    said = repr(found)
    accounts = pd.read_parquet(run / "private" / "conversations.parquet")["account"]
    assert not any(account in said for account in accounts.unique())
    released = pd.read_parquet(run / "release" / "clusters.parquet")
    shown = {c.title for c in found.clusters} - {None, "All conversations"}
    assert shown <= set(released["title"])


def test_a_score_tells_what_other_thresholds_would_do(run: Path, found: Flags) -> None:
    score = find_flags(run, label=SCORE)
    assert score.threshold == 0.5
    assert score.leads == found.leads
    shares = [t.flagged for t in score.thresholds]
    assert shares == sorted(shares, reverse=True)
    at = next(t for t in score.thresholds if t.threshold == 0.5)
    assert at.false_alarms == sum(lead.kind == FALSE_ALARM for lead in score.leads)
    higher = find_flags(run, label=SCORE, threshold=0.99)
    assert higher.clusters[0].flagged < found.judged / 100


def test_a_category_needs_its_words(run: Path) -> None:
    with pytest.raises(SettingsError, match="--flagged"):
        find_flags(run, label="product")
    with pytest.raises(SettingsError, match="'no such'"):
        find_flags(run, label="product", flagged=["no such"])
    api = find_flags(run, label="product", flagged=["api"])
    assert api.label_kind == "category"
    assert api.flagged_values == ("api",)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"label": "nobody"}, "'nobody'"),
        ({"label": FLAGGED, "threshold": 0.5}, "--threshold"),
        ({"label": FLAGGED, "flagged": ["x"]}, "--flagged"),
    ],
)
def test_what_does_not_fit_the_label_is_refused(run: Path, options: dict, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        find_flags(run, **options)


def test_the_same_seed_gives_the_same_bytes(run: Path) -> None:
    paths = [run / "restricted" / f"{name}.parquet" for name in ("flags", "combinations")]
    find_flags(run, label=FLAGGED, seed=3)
    before = [path.read_bytes() for path in paths]
    find_flags(run, label=FLAGGED, seed=3)
    assert [path.read_bytes() for path in paths] == before


def test_a_policy_takes_the_place_of_concern(run: Path, target: str, tmp_path: Path) -> None:
    # Examples in the words of one cluster's own conversations.
    assigned = pd.read_parquet(run / "private" / "assignments.parquet")
    own = assigned[assigned["cluster_id"] == target]["conversation_id"]
    facets = pd.read_parquet(run / "private" / "facets.parquet").set_index("conversation_id")
    texts = facets.loc[own, "request"].drop_duplicates().head(20).tolist()
    rule = f"[rule.theirs]\nrule = 'Not this.'\nexamples = {json.dumps(texts)}\n"
    (tmp_path / "policy.toml").write_text(rule, encoding="utf-8")
    found = find_flags(run, label=FLAGGED, policy=tmp_path / "policy.toml")
    assert found.expected_by == "policy"
    assert found.policy_by == "closeness"
    assert found.rates["theirs"] > 3 * found.rates["no rule"]
    (count,) = found.rules
    assert len(texts) <= count.conversations < found.conversations / 2
    table = pd.read_parquet(run / "restricted" / "policy.parquet").set_index("cluster_id")
    assert table.loc[ROOT_ID, "conversations"] == count.conversations
    assert table[table["level"] == 0]["conversations"].sum() == count.conversations
    assert set(table["by"]) == {"closeness"}
    assert table.loc[target, "share"] == table[table["level"] == 0]["share"].max()


def test_the_restricted_tree_tells_concern_and_languages(demo_run: Path) -> None:
    tree = pd.read_parquet(demo_run / "restricted" / "clusters.parquet").set_index("cluster_id")
    facets = pd.read_parquet(demo_run / "private" / "facets.parquet")
    rows = pd.read_parquet(demo_run / "private" / "assignments.parquet").merge(facets)
    leaves = rows.groupby("cluster_id")
    grave = leaves["concern"].agg(lambda c: (c >= 4).mean())
    assert set(tree["concern_by"]) == {"rules"}
    assert tree["concern"].isna().all()
    assert tree["concerning"][grave.index].to_numpy() == pytest.approx(grave.to_numpy())
    assert (tree["concerning_low"] <= tree["concerning"]).all()
    assert (tree["concerning"] <= tree["concerning_high"]).all()
    for cluster, spoken in leaves["language"].value_counts().groupby(level=0):
        told = {v["language"]: v["conversations"] for v in tree["languages"][cluster]}
        assert told == spoken.droplevel(0).to_dict()
    assert (tree["accounts"].map(len) <= tree["conversations"]).all()


def test_what_was_purged_is_refused(run: Path, tmp_path: Path) -> None:
    copied = tmp_path / "run"
    shutil.copytree(run, copied, symlinks=True, ignore=lambda *_: {"conversations.parquet"})
    with pytest.raises(RunError, match="was removed"):
        find_flags(copied)
    with pytest.raises(RunError, match="is no run"):
        find_flags(tmp_path / "none")
