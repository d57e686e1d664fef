"""The gate over several facets, and over answers of which a conversation may have several."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from test_gate import SMALL, clears, clusters_of, corpus, counted, inputs, released, table

from clio.errors import TooSmallError
from clio.privacy import gate
from clio.privacy.tiers import PrivateTable
from clio.settings import PRESETS, Preset

CHOICES = ("code", "plan", "text", "table")


def with_answers(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rows with a set of answers each; some have none, some clusters prefer one."""
    rng = np.random.default_rng(seed)
    likely = {leaf: rng.dirichlet(np.full(len(CHOICES), 0.5)) for leaf in rows["leaf"].unique()}
    answers = [
        frozenset(c for c, p in zip(CHOICES, likely[leaf], strict=True) if rng.random() < p)
        for leaf in rows["leaf"]
    ]
    return rows.assign(answers=answers)


def answer_cells(rows: pd.DataFrame, facet: str = "t") -> PrivateTable:
    found = []
    for cid, part in clusters_of(rows).items():
        for value in CHOICES:
            held = part["answers"].map(lambda given, value=value: value in given)
            for holds, cell in part.groupby(held):
                head = {"facet": facet, "cluster_id": cid, "dimension": "kinds", "value": value}
                found.append(head | {"holds": bool(holds)} | counted(cell))
    return table(found, dimension=pa.string(), value=pa.string(), holds=pa.bool_())


def replaced(data: gate.GateInput, **tables: object) -> gate.GateInput:
    return gate.GateInput(**(vars(data) | tables))


@pytest.mark.parametrize("seed", range(6))
def test_of_each_answer_those_who_gave_it_and_those_who_did_not_are_many(seed: int) -> None:
    rows = with_answers(corpus(seed, accounts=200, rows=2500), seed)
    gated = gate.apply(replaced(inputs(rows), answers=answer_cells(rows)), SMALL)
    shown = released(gated, "breakdowns").query("dimension == 'kinds'")
    # Of a corpus that few accounts dominate nothing may be left, of no dimension.
    assert len(shown) > 0 or released(gated, "breakdowns").empty
    members = clusters_of(rows)
    for cell in shown.itertuples():
        part = members[cell.cluster_id]
        held = np.array([cell.value in given for given in part["answers"]])
        assert cell.conversations == held.sum()
        assert clears(part[held], SMALL.cell_accounts, SMALL.cell_conversations, 0.4, 0.7)
        others = part[~held]
        assert not len(others) or clears(
            others, SMALL.cell_accounts, SMALL.cell_conversations, 0.4, 0.7
        )


def test_no_answer_follows_from_those_of_the_parent_and_of_siblings() -> None:
    """A cell that is hidden under a parent whose cell is shown never hides alone."""
    rows = with_answers(corpus(3, accounts=200, rows=2500), 3)
    gated = gate.apply(replaced(inputs(rows), answers=answer_cells(rows)), SMALL)
    shown = released(gated, "breakdowns").query("dimension == 'kinds'")
    clusters = released(gated, "clusters")
    counts = {(c.cluster_id, c.value): c.conversations for c in shown.itertuples()}
    members = clusters_of(rows)
    below = clusters[clusters["cluster_id"] != "__root__"]
    for parent, children in below.groupby(below["parent_id"].fillna("__root__")):
        for value in CHOICES:
            if (parent, value) not in counts:
                assert not any((c, value) in counts for c in children["cluster_id"])
                continue
            left = counts[parent, value]
            left -= sum(counts.get((c, value), 0) for c in children["cluster_id"])
            hidden = [
                c
                for c in children["cluster_id"]
                if (c, value) not in counts
                and any(value in given for given in members[c]["answers"])
            ]
            assert left == 0 or left >= SMALL.cell_conversations
            assert len(hidden) != 1 or left > sum(
                value in given for given in members[hidden[0]]["answers"]
            )


def two_facets(first: pd.DataFrame, second: pd.DataFrame, **more: object) -> gate.GateInput:
    one, two = inputs(first, "a"), inputs(second, "b")
    joined = {
        name: PrivateTable(pa.concat_tables([getattr(d, name).table for d in (one, two)]))
        for name in ("nodes", "cells", "trends", "numeric", "map_cells")
    }
    return replaced(one, **joined, **more)


def test_facets_other_than_the_primary_one_are_rounded() -> None:
    rows = corpus(2, rows=3000, accounts=600)
    answered = rows[np.random.default_rng(1).random(len(rows)) < 0.7]
    gated = gate.apply(two_facets(rows, answered, primary="a"), SMALL)
    for name in ("clusters", "breakdowns", "trends", "numeric", "map"):
        shown = released(gated, name)
        counts = {facet: part["conversations"] for facet, part in shown.groupby("facet")}
        assert (counts["b"] % gate.SECONDARY_ROUNDING == 0).all()
        assert (counts["a"] % gate.SECONDARY_ROUNDING != 0).any()
    clusters = released(gated, "clusters").set_index(["facet", "cluster_id"])
    assert clusters.loc[("a", "__root__"), "conversations"] == len(rows)
    assert abs(clusters.loc[("b", "__root__"), "conversations"] - len(answered)) < 40
    inner = clusters.reset_index()
    for facet, part in inner.groupby("facet"):
        below = part[part["cluster_id"] != "__root__"]
        sums = below.groupby(below["parent_id"].fillna("__root__"))["conversations"].sum()
        above = part.set_index("cluster_id").loc[sums.index]
        assert (sums + above["other_conversations"] == above["conversations"]).all(), facet


def test_one_s_own_conversations_are_not_rounded() -> None:
    rows = corpus(2, rows=600)
    answered = rows.iloc[:-7]
    gated = gate.apply(two_facets(rows, answered, primary="a"), PRESETS[Preset.PERSONAL])
    roots = released(gated, "clusters").query("cluster_id == '__root__'").set_index("facet")
    assert roots["conversations"].to_dict() == {"a": 600, "b": 593}


def test_a_primary_facet_that_is_too_small_releases_nothing() -> None:
    rows = corpus(2, rows=900)
    with pytest.raises(TooSmallError):
        gate.apply(two_facets(rows.iloc[:15], rows, primary="a"), SMALL)
    assert gate.apply(two_facets(rows, rows.iloc[:15], primary="a"), SMALL).totals[0].facet == "a"
