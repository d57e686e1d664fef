"""Every released number counted again from the private tables, with the rules it must clear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.auditing.findings import Finding, Passed, row_of
from clio.auditing.subject import Cells, Row, Subject
from clio.privacy.cells import ACCOUNTS_STEP
from clio.privacy.gate import STABILITY
from clio.privacy.thresholds import Counts, Rule, cell_rule, cluster_rule, root_rule
from clio.release.schema import ROOT_ID

NAME: Final = "recount"

Count = tuple[int, int, int, int]
"""Conversations, accounts, conversations of the largest account, of the two largest."""


@dataclass(frozen=True)
class Recounted:
    """What the private tables say, by the keys of the release's tables.

    Attributes
    ----------
    clusters, cells, periods, measures, places
        By (facet, cluster), (facet, cluster, dimension, value), (facet, cluster, period),
        (facet, cluster, measure), (facet, x, y).
    parent
        The cluster above by (facet, cluster), in the whole private tree.
    forgotten
        Accounts that were forgotten since: released numbers may still hold what they added.
    """

    clusters: Mapping[tuple[Any, ...], Count]
    cells: Mapping[tuple[Any, ...], Count]
    periods: Mapping[tuple[Any, ...], Count]
    measures: Mapping[tuple[Any, ...], Count]
    places: Mapping[tuple[Any, ...], Count]
    parent: Mapping[tuple[str, str], str]
    forgotten: int = 0

    def truth(self, cells: Cells, subject: Subject) -> NDArray[np.int64] | None:
        """True conversations of a table's cells, shape as ``printed``; ``None`` if unknown."""
        if cells.table == "numeric" and cells.dimension == STABILITY:
            return None  # of the clustering, not of an answer: it counts the leaves again
        tree = subject.facets[cells.facet]
        counts = np.zeros(cells.printed.shape, dtype=np.int64)
        for row, cluster in enumerate(cells.rows):
            members = (
                [tree.ids[cluster]] if cluster >= 0 else self._hidden(cells.facet, tree, cluster)
            )
            for column, value in enumerate(cells.values):
                counts[row, column] = sum(self._count(cells, member, value) for member in members)
        counts[:, -1] = cells.totals - counts[:, :-1].sum(axis=1)
        if self.forgotten or (counts < 0).any():
            return None
        return counts

    def _hidden(self, facet: str, tree: Any, cluster: int) -> list[str]:
        above = tree.ids[-1 - cluster]
        return [
            name
            for (of, name), parent in self.parent.items()
            if of == facet and parent == above and name not in tree.index
        ]

    def _count(self, cells: Cells, cluster: str, value: Any) -> int:
        of, key = {
            "breakdowns": (self.cells, (cells.facet, cluster, cells.dimension, value)),
            "trends": (self.periods, (cells.facet, cluster, value)),
            "numeric": (self.measures, (cells.facet, cluster, value)),
            "map": (self.places, (cells.facet, *(value if cells.table == "map" else ()))),
        }[cells.table]
        return of[key][0] if key in of else 0


def counts_by(table: pa.Table, *key: str) -> dict[tuple[Any, ...], Count]:
    """Rows of an aggregated table by key."""
    names = (*key, "conversations", "accounts", "top1", "top2")
    columns = [table[name].to_pylist() for name in names]
    width = len(key)
    return {row[:width]: row[width:] for row in zip(*columns, strict=True)}


def check(subject: Subject, found: Recounted) -> Passed:
    """Compare each row of the release with what is counted again."""
    limits = subject.thresholds
    cluster, cell, root = cluster_rule(limits), cell_rule(limits), root_rule(limits)
    findings: list[Finding] = []
    looked = 0
    for table, of, key in (
        ("clusters", found.clusters, ("facet", "cluster_id")),
        ("breakdowns", found.cells, ("facet", "cluster_id", "dimension", "value")),
        ("trends", found.periods, ("facet", "cluster_id", "period")),
        ("numeric", found.measures, ("facet", "cluster_id", "measure")),
        ("map", found.places, ("facet", "cell_x", "cell_y")),
    ):
        for number, row in enumerate(subject.rows(table)):
            looked += 1
            place = row_of(table, number, row.get("cluster_id"))
            count = of.get(tuple(row[name] for name in key))
            if count is None:
                findings.append(Finding(NAME, place, "nothing in the private tables is behind it"))
                continue
            rule = cell
            if table == "clusters":
                rule = root if row["cluster_id"] == ROOT_ID else cluster
            findings += _row(place, row, count, rule, subject.base(row["facet"]), found.forgotten)
    return Passed(
        NAME,
        "every released count, by the private tables: value, thresholds, dominance",
        findings,
        {"rows": looked},
    )


def _row(
    place: str, row: Row, count: Count, rule: Rule, base: int, forgotten: int
) -> Iterator[Finding]:
    conversations, accounts = count[:2]
    if not forgotten:
        if not rule.clears(Counts(*(np.array([n]) for n in count)))[0]:
            yield Finding(NAME, place, "is under the thresholds, or an account dominates it")
        # Sums of rounded parts are off by more than the base.
        if base == 1 and row["conversations"] != conversations:
            yield Finding(NAME, place, "counts other conversations than there are")
        if row.get("accounts", accounts // ACCOUNTS_STEP * ACCOUNTS_STEP) != (
            accounts // ACCOUNTS_STEP * ACCOUNTS_STEP
        ):
            yield Finding(NAME, place, "counts other accounts than there are")
        return
    if accounts + forgotten < rule.accounts or row["conversations"] < conversations - base:
        yield Finding(NAME, place, "cannot be what forgotten accounts have left")
