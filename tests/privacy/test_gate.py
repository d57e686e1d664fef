"""The gate against brute force: raw rows, everything recomputed with pandas."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clio.errors import SettingsError, TooSmallError
from clio.privacy import gate
from clio.privacy.tiers import PrivateTable, Releasable
from clio.release.schema import TABLES
from clio.settings import PRESETS, Preset, Thresholds

COUNTS = ["conversations", "accounts", "top1", "top2"]
SMALL = Thresholds(
    accounts=10, conversations=20, cell_accounts=5, cell_conversations=8, window_accounts=25
)


def corpus(seed: int, *, accounts: int = 120, rows: int = 900, branches: int = 3) -> pd.DataFrame:
    """Raw rows: account, leaf, middle, language, week, words; heavy-tailed accounts and leaves."""
    rng = np.random.default_rng(seed)
    weights = rng.pareto(1.1, accounts) + 1
    leaves = branches * 4
    leaf = rng.choice(leaves, rows, p=rng.dirichlet(np.full(leaves, 0.6)))
    account = rng.choice(accounts, rows, p=weights / weights.sum())
    # Some leaves belong to few accounts.
    narrow = rng.random(leaves) < 0.2
    account = np.where(narrow[leaf], account % 7, account)
    return pd.DataFrame(
        {
            "account": account,
            "leaf": [f"t-{i}" for i in leaf],
            "middle": [f"t-{100 + i // 4}" for i in leaf],
            "language": rng.choice(["en", "de", "fr", "ja"], rows, p=[0.7, 0.15, 0.1, 0.05]),
            "period": [
                date(2024, 1, 1) + timedelta(weeks=int(w)) for w in rng.integers(0, 5, rows)
            ],
            "words": rng.poisson(20, rows) + 1,
            "labelled": rng.random(rows) < 0.98,
        }
    )


def clusters_of(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    found = {"__root__": rows}
    for column in ("middle", "leaf"):
        found |= {str(k): v for k, v in rows.groupby(column)}
    return found


def counted(rows: pd.DataFrame) -> dict[str, int]:
    sizes = rows.groupby("account").size().sort_values(ascending=False)
    return {
        "conversations": len(rows),
        "accounts": len(sizes),
        "top1": int(sizes.iloc[:1].sum()),
        "top2": int(sizes.iloc[:2].sum()),
    }


def squares(rows: pd.DataFrame, of: pd.DataFrame) -> dict[str, float]:
    c, n = rows.groupby("account").size(), of.groupby("account").size()
    return {"sum_squares": float((c**2).sum()), "cross": float((c * n.reindex(c.index)).sum())}


def table(records: list[dict], **kinds: pa.DataType) -> PrivateTable:
    base = {"facet": pa.string(), "cluster_id": pa.string()} | dict.fromkeys(COUNTS, pa.int64())
    schema = pa.schema(list((base | kinds).items()))
    return PrivateTable(pa.Table.from_pylist(records, schema=schema))


def inputs(rows: pd.DataFrame, facet: str = "t", **words: object) -> gate.GateInput:
    nodes, cells, trends, numeric = [], [], [], []
    for cid, part in clusters_of(rows).items():
        head = {"facet": facet, "cluster_id": cid}
        level = -1 if cid == "__root__" else int(int(cid[2:]) >= 100)
        middle = part["middle"].iloc[0] if level == 0 else None
        text = {"title": f"Secret {cid}", "summary": "Secret.", "fallback_titles": []}
        nodes.append(
            head
            | {"level": level, "parent_id": middle, "x": 0.12345, "y": 0.5}
            | {"stability": 0.8765 if level == 0 else None}
            | text
            | words
            | counted(part)
            | squares(part, rows)
        )
        for value, cell in part[part["labelled"]].groupby("language"):
            cells.append(head | {"dimension": "language", "value": value} | counted(cell))
        for period, cell in part.groupby("period"):
            period_rows = rows[rows["period"] == period]
            trends.append(head | {"period": period} | counted(cell) | squares(cell, period_rows))
        x, n = part.groupby("account")["words"].sum(), part.groupby("account").size()
        numeric.append(
            head
            | {"measure": "words", "sum": float(x.sum()), "sum_x_squares": float((x**2).sum())}
            | {"cross_x": float((x * n).sum()), "sum_squares": float((n**2).sum())}
            | counted(part)
        )
    places = rows.assign(cell_x=rows["words"] % 9, cell_y=rows["words"] % 7)
    map_cells = [
        {"facet": facet, "cell_x": x, "cell_y": y} | counted(part)
        for (x, y), part in places.groupby(["cell_x", "cell_y"])
    ]
    number = pa.float64()
    return gate.GateInput(
        nodes=table(
            nodes,
            level=pa.int32(),
            parent_id=pa.string(),
            title=pa.string(),
            summary=pa.string(),
            fallback_titles=pa.list_(pa.string()),
            x=number,
            y=number,
            stability=number,
            sum_squares=number,
            cross=number,
        ),
        cells=table(cells, dimension=pa.string(), value=pa.string()),
        trends=table(trends, period=pa.date32(), sum_squares=number, cross=number),
        numeric=table(
            numeric,
            measure=pa.string(),
            sum=number,
            sum_x_squares=number,
            cross_x=number,
            sum_squares=number,
        ),
        map_cells=table(map_cells, cell_x=pa.int32(), cell_y=pa.int32()),
        token_support=table([], token=pa.string()),
        window_support=table([], window=pa.string()),
    )


def released(gated: gate.Gated, name: str) -> pd.DataFrame:
    return gated.tables[name].table.to_pandas()


def clears(rows: pd.DataFrame, accounts: int, conversations: int, top1: float, top2: float) -> bool:
    c = counted(rows)
    n = c["conversations"]
    return bool(
        c["accounts"] >= accounts
        and n >= conversations
        and c["top1"] <= top1 * n + 1e-9
        and c["top2"] <= top2 * n + 1e-9
        and n - c["top2"] >= 0.15 * c["top1"] - 1e-9
    )


def check_tree(rows: pd.DataFrame, clusters: pd.DataFrame, limits: Thresholds) -> None:
    members = clusters_of(rows)
    by_id = clusters.set_index("cluster_id")
    base = limits.round_to
    for cid, row in by_id.iterrows():
        part = members[cid]
        if cid != "__root__":
            assert clears(part, limits.accounts, limits.conversations, 0.2, 0.35)
        if row["level"] == 0:
            children = by_id.iloc[:0]
            assert row["other_conversations"] == 0
            assert abs(row["conversations"] - len(part)) <= max(base - 1, 0)
        else:
            above = None if cid == "__root__" else cid
            children = by_id[
                (by_id["parent_id"].isna() if above is None else by_id["parent_id"] == above)
                & (by_id.index != "__root__")
            ]
            total = children["conversations"].sum() + row["other_conversations"]
            assert total == row["conversations"]
            rest = part[~part["leaf"].isin(children.index) & ~part["middle"].isin(children.index)]
            if len(children) and len(rest):
                assert clears(rest, limits.accounts, limits.conversations, 0.4, 0.7)
            assert (row["other_conversations"] == 0) == (len(rest) == 0)
        assert row["conversations"] % base == 0
        assert row["accounts"] == len(part["account"].unique()) // 5 * 5
        assert row["share_low"] <= row["share"] <= row["share_high"]
        assert row["share"] == row["conversations"] / by_id.loc["__root__", "conversations"]


def check_cells(
    rows: pd.DataFrame, clusters: pd.DataFrame, cells: pd.DataFrame, column: str, limits: Thresholds
) -> None:
    """No visible cell is small, and no family gives a hidden one away by subtraction."""
    members = clusters_of(rows)
    shown_clusters = set(clusters["cluster_id"])
    shown = {(r.cluster_id, r.value) for r in cells.itertuples()}
    assert {c for c, _ in shown} <= shown_clusters

    def fine(part: pd.DataFrame) -> bool:
        return clears(part, limits.cell_accounts, limits.cell_conversations, 0.4, 0.7)

    def protected(hidden: list[pd.DataFrame]) -> bool:
        """Hidden parts whose sum a reader can work out."""
        hidden = [part for part in hidden if len(part)]
        return not hidden or (len(hidden) > 1 and fine(pd.concat(hidden)))

    for row in cells.itertuples():
        part = members[row.cluster_id]
        cell = part[part[column] == row.value]
        assert fine(cell)
        assert row.accounts == cell["account"].nunique() // 5 * 5
        assert abs(row.conversations - len(cell)) <= max(limits.round_to - 1, 0)
        if column == "language" and len(part) < 100:
            assert len(cell) < len(part)
    for cid in shown_clusters:
        part = members[cid]
        values = {v: part[part[column] == v] for v in part[column].unique() if v is not None}
        hidden = [p for v, p in values.items() if (cid, v) not in shown]
        missing = part[part[column].isna()]
        if len(hidden) < len(values):
            # Missing values alone may show where they are large enough themselves.
            assert protected([*hidden, missing]) or (not hidden and fine(missing))
        if cid != "__root__" and cid in set(rows["leaf"]):
            continue
        top = clusters["parent_id"].isna() & (clusters["cluster_id"] != "__root__")
        below = top if cid == "__root__" else clusters["parent_id"] == cid
        children = clusters[below]["cluster_id"].tolist()
        if not children:
            continue
        for value, cell in values.items():
            if (cid, value) not in shown:
                assert not any((child, value) in shown for child in children)
                continue
            inside = cell["leaf"].isin(children) | cell["middle"].isin(children)
            rest = cell[~inside]
            parts = [members[c][members[c][column] == value] for c in children]
            hidden = [p for c, p in zip(children, parts, strict=True) if (c, value) not in shown]
            assert protected([*hidden, rest]) or (not any(len(p) for p in hidden) and fine(rest))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([250, 600, 1200]),
    accounts=st.sampled_from([40, 120, 500]),
    base=st.sampled_from([1, 5]),
)
def test_nothing_small_is_shown_or_follows(seed: int, rows: int, accounts: int, base: int) -> None:
    raw = corpus(seed, accounts=accounts, rows=rows)
    limits = SMALL.model_copy(update={"round_to": base})
    try:
        gated = gate.apply(inputs(raw), limits)
    except TooSmallError:
        assert not clears(raw, limits.accounts, limits.conversations, 1, 1)
        return
    clusters = released(gated, "clusters")
    check_tree(raw, clusters, limits)
    labelled = raw.assign(language=raw["language"].where(raw["labelled"], None))
    cells = released(gated, "breakdowns")
    check_cells(labelled, clusters, cells, "language", limits)
    trends = released(gated, "trends").rename(columns={"period": "value"})
    check_cells(raw, clusters, trends, "period", limits)
    assert (
        (trends["share_low"] <= trends["share"]) & (trends["share"] <= trends["share_high"])
    ).all()
    numeric = released(gated, "numeric")
    firm = numeric[numeric["measure"] == "stability"]
    assert set(firm["cluster_id"]) == set(clusters.query("level == 0")["cluster_id"])
    assert (firm["mean"] == 0.88).all()
    numeric = numeric[numeric["measure"] != "stability"]
    everything = raw.assign(all="words")
    check_cells(
        everything,
        clusters,
        numeric.rename(columns={"measure": "value"}).assign(
            accounts=[clusters_of(raw)[c]["account"].nunique() // 5 * 5 for c in numeric.cluster_id]
        ),
        "all",
        limits,
    )
    for row in numeric.itertuples():
        assert row.mean == pytest.approx(clusters_of(raw)[row.cluster_id]["words"].mean(), rel=0.01)
        assert row.low <= row.mean <= row.high
    assert not clusters["title"].str.contains("Secret").any()
    assert not clusters["summary"].str.contains("Secret").any()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_map_cells_clear_and_do_not_expose_the_rest(seed: int) -> None:
    raw = corpus(seed)
    try:
        cells = released(gate.apply(inputs(raw), SMALL), "map")
    except TooSmallError:
        return
    places = raw.assign(cell_x=raw["words"] % 9, cell_y=raw["words"] % 7)
    hidden = []
    shown = set(zip(cells["cell_x"], cells["cell_y"], strict=True))
    for place, part in places.groupby(["cell_x", "cell_y"]):
        if place in shown:
            assert clears(part, 5, 8, 0.4, 0.7)
        else:
            hidden.append(part)
    assert (
        not shown or not hidden or (len(hidden) > 1 and clears(pd.concat(hidden), 5, 8, 0.4, 0.7))
    )


def test_the_order_of_rows_does_not_matter() -> None:
    data = inputs(corpus(5))
    rng = np.random.default_rng(0)

    def shuffled(private: PrivateTable) -> PrivateTable:
        order = rng.permutation(private.table.num_rows)
        return PrivateTable(private.table.take(pa.array(order)))

    names = ("nodes", "cells", "trends", "numeric", "map_cells")
    mixed = gate.GateInput(
        **{name: shuffled(getattr(data, name)) for name in names},
        token_support=data.token_support,
        window_support=data.window_support,
    )
    first, second = gate.apply(data, SMALL), gate.apply(mixed, SMALL)
    for name, releasable in first.tables.items():
        assert releasable.table.equals(second.tables[name].table)
        assert releasable.table.schema.equals(TABLES[name])


def test_personal_shows_everything_of_three_conversations() -> None:
    raw = corpus(3, accounts=1)
    gated = gate.apply(inputs(raw), PRESETS[Preset.PERSONAL])
    members = clusters_of(raw)
    large = {c for c, part in members.items() if len(part) >= 3}
    shown = set(released(gated, "clusters")["cluster_id"])
    assert shown <= large
    assert len(shown) > 5
    assert (released(gated, "clusters")["accounts"] == 0).all()
    languages = released(gated, "breakdowns")
    assert len(languages[languages["cluster_id"] == "__root__"]) == 4
    assert gated.notes == ()


def test_too_small_says_what_would_help() -> None:
    few = corpus(1, accounts=20, rows=60)
    few["account"] = np.arange(60) % 20
    with pytest.raises(TooSmallError, match="--min-accounts 10 --min-conversations 20"):
        gate.apply(inputs(few), Thresholds())
    with pytest.raises(TooSmallError, match="--privacy personal"):
        gate.apply(inputs(corpus(1, accounts=1, rows=500)), Thresholds())


def test_one_account_with_more_than_half_gets_advice() -> None:
    raw = corpus(1, accounts=200, rows=1000)
    raw.loc[raw.index[:550], "account"] = 0
    gated = gate.apply(inputs(raw), SMALL)
    assert any("more than half" in n and "--privacy personal" in n for n in gated.notes)
    check_tree(raw, released(gated, "clusters"), SMALL)


@pytest.mark.parametrize(
    "change",
    [
        {"accounts": 9},
        {"cell_accounts": 4},
        {"top1_share": 0.3},
        {"top2_share": 0.5},
        {"p_percent": 0.0},
        {"word_accounts": 1},
        {"sensitive_word_accounts": 5},
        {"window_accounts": 5},
    ],
)
def test_publishable_thresholds_have_floors(change: dict) -> None:
    with pytest.raises(SettingsError):
        gate.apply(inputs(corpus(1)), SMALL.model_copy(update=change))


def test_contradicting_rows_raise() -> None:
    data = inputs(corpus(1))
    nodes = data.nodes.table.to_pylist()
    nodes[-1]["conversations"] += 1
    broken = PrivateTable(pa.Table.from_pylist(nodes, schema=data.nodes.table.schema))
    with pytest.raises(ValueError, match="add up"):
        gate.apply(gate.GateInput(**(vars(data) | {"nodes": broken})), SMALL)
    cells = data.cells.table.slice(1)
    with pytest.raises(ValueError, match=r"add up|exceed"):
        gate.apply(gate.GateInput(**(vars(data) | {"cells": PrivateTable(cells)})), SMALL)


def test_a_dimension_of_many_values_or_of_identifiers_is_not_shown() -> None:
    raw = corpus(2, rows=3000, accounts=600)
    data = inputs(raw)
    many, odd = [], []
    for cid, part in clusters_of(raw).items():
        head = {"facet": "t", "cluster_id": cid}
        codes = part.assign(code=part.index % 300).groupby("code")
        many += [head | {"dimension": "many", "value": f"v{v}"} | counted(p) for v, p in codes]
        names = part.assign(odd=np.where(part.index % 2, "ann@example.org", "fine")).groupby("odd")
        odd += [head | {"dimension": "odd", "value": v} | counted(p) for v, p in names]
    cells = table(many + odd, dimension=pa.string(), value=pa.string())
    gated = gate.apply(gate.GateInput(**(vars(data) | {"cells": cells})), SMALL)
    assert released(gated, "breakdowns").empty
    reasons = released(gated, "withheld").query("table == 'breakdowns'")["reason"]
    assert set(reasons) == {"too many values", "thresholds"}


def test_words_pass_fall_back_or_become_generic() -> None:
    raw = corpus(2, rows=3000, accounts=600)
    fallback = ["Plant roses", "Ask a question"]
    data = inputs(raw, title="Ask about Smith", summary="Help.", fallback_titles=fallback)
    clusters = released(gate.apply(data, SMALL), "clusters").set_index("cluster_id")
    assert clusters.loc["__root__", "title"] == "All conversations"
    titles = clusters.drop("__root__")["title"]
    assert not titles.str.contains("Smith|roses").any()
    assert titles.str.contains("Ask a question").any()
    for _, siblings in clusters.drop("__root__").groupby(clusters["parent_id"].fillna("")):
        assert siblings["title"].is_unique
    support = [{"cluster_id": c, "token": "smith", "accounts": 10} for c in titles.index]
    tokens = table(support, token=pa.string())
    data = gate.GateInput(**(vars(data) | {"token_support": tokens}))
    gated = gate.apply(data, SMALL)
    own = released(gated, "clusters").set_index("cluster_id").drop("__root__")
    assert (own["title"] == "Ask about Smith").all()
    assert "wording" not in set(released(gated, "withheld")["reason"])


def test_one_hidden_value_of_the_corpus_is_hidden_in_every_facet() -> None:
    raw = corpus(2, rows=3000, accounts=600)
    coarser = raw["leaf"].str[2:].astype(int) // 2 * 2
    one, two = inputs(raw, "a"), inputs(raw.assign(leaf="t-" + coarser.astype(str)), "b")
    joined = {
        name: PrivateTable(pa.concat_tables([getattr(d, name).table for d in (one, two)]))
        for name in ("nodes", "cells", "trends", "numeric", "map_cells")
    }
    data = gate.GateInput(
        **joined, token_support=one.token_support, window_support=one.window_support
    )
    gated = gate.apply(data, SMALL)
    cells = released(gated, "breakdowns").query("cluster_id == '__root__'")
    assert set(cells[cells.facet == "a"]["value"]) == set(cells[cells.facet == "b"]["value"])
    assert [t.facet for t in gated.totals] == ["a", "b"]


def test_only_the_gate_makes_something_releasable() -> None:
    with pytest.raises(TypeError):
        Releasable(pa.table({"a": [1]}), key=object())
    source = Path(gate.__file__).parents[1]
    users = {
        path.name
        for path in source.rglob("*.py")
        if re.search(r"_GATE_KEY", path.read_text(encoding="utf-8"))
    }
    # What stands is restated from a release that the gate made, with words that pass again.
    assert users == {"tiers.py", "gate.py", "standing.py"}
