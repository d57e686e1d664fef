"""Sums that add up exactly, and shares that follow from them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import numpy as np

from clio.auditing.findings import Finding, Passed, row_of
from clio.auditing.subject import Cells, Row, Subject, cell_tables
from clio.release.schema import ROOT_ID, ROOT_LEVEL

NAME: Final = "sums"
_TINY: Final = 1e-9


def check(subject: Subject) -> Passed:
    """Add up clusters, cells and shares again."""
    tables = cell_tables(subject)
    return Passed(
        NAME,
        "children and the rest make up each cluster, cells fit in theirs, shares follow",
        [*_trees(subject), *_cells(subject, tables), *_shares(subject), *_intervals(subject)],
        {"clusters": len(subject.rows("clusters")), "tables of cells": len(tables)},
    )


def _trees(subject: Subject) -> Iterator[Finding]:
    level = {(r["facet"], r["cluster_id"]): r["level"] for r in subject.rows("clusters")}
    for facet, tree in subject.facets.items():
        for _ in tree.lost:
            yield Finding(NAME, "clusters", f"a cluster of {facet} hangs on nothing that is shown")
        for position, cluster_id in enumerate(tree.ids):
            below, own = tree.children[position], level[facet, cluster_id]
            rest, whole = tree.other[position], tree.conversations[position]
            place = f"clusters ({facet}, {position})"
            if rest < 0 or whole <= 0:
                yield Finding(NAME, place, "counts less than it can")
            if (own == 0 and (below or rest)) or (cluster_id == ROOT_ID) != (own == ROOT_LEVEL):
                yield Finding(NAME, place, "stands on the wrong level")
            elif own != 0 and whole != rest + sum(tree.conversations[c] for c in below):
                yield Finding(NAME, place, "is not its children and the rest together")
            if own > 0 and any(level[facet, tree.ids[c]] != own - 1 for c in below):
                yield Finding(NAME, place, "has children of another level")
            if (
                below
                and cluster_id == ROOT_ID
                and len({level[facet, tree.ids[c]] for c in below}) > 1
            ):
                yield Finding(NAME, place, "has children of several levels")


def _cells(subject: Subject, tables: list[Cells]) -> Iterator[Finding]:
    """No row and no column of cells holds more than what it is a part of."""
    for cells in tables:
        base = subject.base(cells.facet)
        known = np.maximum(cells.printed, 0)
        shown = cells.printed >= 0
        # Rounded numbers are off by less than the base each.
        slack = (base - 1) * shown.sum(axis=1)
        place = f"{cells.table} ({cells.facet}, table of {len(cells.values)} values)"
        if (known.sum(axis=1) > cells.totals + slack + (base - 1)).any():
            yield Finding(NAME, place, "the cells of a cluster are more than the cluster")
        parent = np.array(cells.parent)
        for row in range(len(parent)):
            children = np.flatnonzero(parent == row)
            if not len(children):
                continue
            above = cells.printed[row]
            sums = known[children].sum(axis=0)
            allowed = (base - 1) * (1 + shown[children].sum(axis=0))
            if ((above >= 0) & (sums > above + allowed)).any():
                yield Finding(NAME, place, "children have more in a cell than what is above them")
            complete = (above >= 0) & shown[children].all(axis=0)
            if (complete & (np.abs(sums - above) > allowed)).any():
                yield Finding(NAME, place, "the children's cells do not add up")


def _shares(subject: Subject) -> Iterator[Finding]:
    size = {(r["facet"], r["cluster_id"]): r["conversations"] for r in subject.rows("clusters")}
    period = {
        (r["facet"], r["period"]): r["conversations"]
        for r in subject.rows("trends")
        if r["cluster_id"] == ROOT_ID
    }
    for number, row in enumerate(subject.rows("clusters")):
        whole = size.get((row["facet"], ROOT_ID), 0)
        yield from _share("clusters", number, row, whole)
    for number, row in enumerate(subject.rows("breakdowns")):
        yield from _share("breakdowns", number, row, size.get((row["facet"], row["cluster_id"]), 0))
    for number, row in enumerate(subject.rows("trends")):
        whole = period.get((row["facet"], row["period"]), 0)
        if not whole:
            yield Finding(NAME, row_of("trends", number), "has no total of its period beside it")
        else:
            yield from _share("trends", number, row, whole)


def _share(table: str, number: int, row: Row, whole: int) -> Iterator[Finding]:
    expected = min(1.0, row["conversations"] / whole) if whole else 0.0
    if not abs(row["share"] - expected) <= _TINY:
        place = row_of(table, number, row["cluster_id"])
        yield Finding(NAME, place, "its share does not follow from its conversations")


def _intervals(subject: Subject) -> Iterator[Finding]:
    for table, low, value, high in (
        ("clusters", "share_low", "share", "share_high"),
        ("trends", "share_low", "share", "share_high"),
        ("numeric", "low", "mean", "high"),
        ("alerts", "ratio_low", "ratio", "ratio_high"),
    ):
        for number, row in enumerate(subject.rows(table)):
            bounds = (row[low], row[value], row[high])
            if any(bound is None or math.isnan(bound) for bound in bounds):
                continue
            if not row[low] - _TINY <= row[value] <= row[high] + _TINY:
                place = row_of(table, number, row["cluster_id"])
                yield Finding(NAME, place, "lies outside its own interval")
    counts: dict[tuple[str, str], int] = defaultdict(int)
    above = {}
    for row in subject.rows("clusters"):
        key = row["facet"], row["cluster_id"]
        counts[key] = row["conversations"]
        root = None if row["cluster_id"] == ROOT_ID else ROOT_ID
        above[key] = row["facet"], row["parent_id"] or root
    # A cluster's count is the sum of rounded ones below it, and what each part has not shown.
    rounded: dict[tuple[str, str | None], int] = defaultdict(lambda: 1)
    for key in counts:
        up: tuple[str, str | None] | None = above[key]
        while up is not None and up[1] is not None:
            rounded[up] += 2
            up = above.get(up)
    for number, row in enumerate(subject.rows("numeric")):
        key = row["facet"], row["cluster_id"]
        if row["conversations"] > counts[key] + (subject.base(row["facet"]) - 1) * rounded[key]:
            place = row_of("numeric", number, row["cluster_id"])
            yield Finding(NAME, place, "is the mean of more conversations than the cluster has")
