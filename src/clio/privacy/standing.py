"""A release whose numbers stand while some of its words change.

What a forgotten account had added to a number cannot be taken out again without showing it: who
holds the earlier release would only have to subtract. So the numbers are repeated to the last
digit, from tables that passed the gate, and words alone are replaced, by words that pass now.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from clio.privacy import tiers
from clio.privacy.tiers import Releasable
from clio.privacy.titles import Support, is_inherited
from clio.release.schema import ROOT_ID, TABLES

Key = tuple[str, str]
"""Facet and id of a cluster."""

_WORDING: Final = "wording"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What writers propose for a cluster."""

    title: str
    summary: str
    fallbacks: Sequence[str]


def restate(
    tables: Mapping[str, pa.Table],
    support: Support,
    proposals: Mapping[Key, Proposal],
    touched: Collection[Key],
) -> dict[str, Releasable] | None:
    """The tables of a release again, with other words where those of a cluster pass no more.

    Parameters
    ----------
    tables
        Of the standing release, by name.
    support
        Of the words of what is left.
    proposals
        Of all clusters.
    touched
        Clusters that lost conversations. The words of all others stay, but for titles made of a
        parent's that changes.

    Returns
    -------
    dict[str, Releasable] | None
        The same numbers under the words that pass; ``None`` where all words stand.
    """
    rows = tables["clusters"].to_pylist()
    old = {(row["facet"], row["cluster_id"]): (row["title"], row["summary"]) for row in rows}
    new = dict(old)
    lost: list[dict[str, Any]] = []
    below: dict[tuple[str, str | None], list[Key]] = {}
    for row in rows:
        below.setdefault((row["facet"], row["parent_id"]), []).append(
            (row["facet"], row["cluster_id"])
        )
    for row in sorted(rows, key=lambda row: (row["facet"], -row["level"], row["cluster_id"])):
        key = (row["facet"], row["cluster_id"])
        if row["cluster_id"] == ROOT_ID:
            continue
        above = (row["facet"], row["parent_id"])
        siblings = {new[other][0] for other in below[above] if other != key}
        before, parent = old.get(above, (None,))[0], new.get(above, (None,))[0]
        if is_inherited(row["title"], before):
            if parent != before:
                new[key] = support.words(key[1], None, None, None, parent, siblings)[:2]
        elif key in touched and not support.stands(key[1], *old[key]):
            of = proposals[key]
            title, summary, own = support.words(
                key[1], of.title, of.summary, of.fallbacks, parent, siblings
            )
            new[key] = (title, summary)
            if not own and row["title"] == of.title:
                lost.append(row)
    if new == old:
        return None
    found = dict(tables)
    keys = [(row["facet"], row["cluster_id"]) for row in rows]
    for number, name in enumerate(("title", "summary")):
        found["clusters"] = _set(found["clusters"], name, [new[key][number] for key in keys])
    if "alerts" in tables:
        found["alerts"] = retitled(
            tables["alerts"], {key: (old[key][0], new[key][0]) for key in keys}
        )
    found["withheld"] = _more_withheld(tables["withheld"].to_pylist(), lost)
    return {
        name: Releasable(table.cast(TABLES[name]), key=tiers._GATE_KEY)
        for name, table in found.items()
    }


def retitled(table: pa.Table, titles: Mapping[Key, tuple[str, str]]) -> pa.Table:
    """A table by cluster whose titles are, or begin with, the cluster's: with another for each.

    Parameters
    ----------
    table
        Has ``facet``, ``cluster_id``, ``title``.
    titles
        The title before and after, by cluster.
    """
    values = []
    for row in table.select(["facet", "cluster_id", "title"]).to_pylist():
        before, after = titles.get((row["facet"], row["cluster_id"]), ("", ""))
        title = row["title"]
        values.append(after + title[len(before) :] if title and title.startswith(before) else title)
    return _set(table, "title", values)


def _set(table: pa.Table, name: str, values: Sequence[str | None]) -> pa.Table:
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), pa.array(values, pa.string()))


def _more_withheld(rows: list[dict[str, Any]], lost: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The table of what was withheld, with the clusters whose own words are withheld now."""
    for cluster in lost:
        place = {"facet": cluster["facet"], "table": "clusters", "level": cluster["level"]}
        known = [r for r in rows if {**r, **place, "reason": _WORDING} == r]
        if not known:
            known = [{**place, "reason": _WORDING, "cells": 0, "conversations": 0}]
            rows += known
        known[0]["cells"] += 1
        known[0]["conversations"] += cluster["conversations"]
    rows.sort(key=lambda r: (r["facet"], r["table"], r["level"] or 0, r["reason"]))
    return pa.Table.from_pylist(rows, schema=TABLES["withheld"])
