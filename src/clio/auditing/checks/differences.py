"""What two releases tell together that neither tells alone.

Any count that changes by one to nine conversations has changed by as few accounts. The same holds
for what follows from printed counts: what a row of cells leaves open, and what children leave open
of the cell above.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from clio.auditing.findings import Finding, Passed
from clio.auditing.subject import Cells, Subject, cell_tables
from clio.release.schema import ROOT_ID

NAME: Final = "differences"

COMPANY: Final = 10
"""Accounts that a change must have, for it to tell of nobody (methods: the rule of `pending`)."""


def check(subject: Subject, previous: Subject) -> Passed:
    """Subtract an earlier release from a later one, in every cell that both have.

    Parameters
    ----------
    subject, previous
        The two releases. Clusters are the same where facet and id are; of two runs, which give
        their ids each for itself, only the whole corpus can be.
    """
    findings: list[Finding] = []
    figures = {"cells compared": 0, "cells that changed": 0}
    related = _related(subject, previous)
    earlier = {(c.table, c.facet, c.dimension, _one(c)): c for c in cell_tables(previous)}
    for facet, tree in subject.facets.items():
        old = previous.facets.get(facet)
        if old is None:
            continue
        for position, cluster_id in enumerate(tree.ids):
            at = old.index.get(cluster_id)
            if at is None or not (related or cluster_id == ROOT_ID):
                continue
            pairs = [(tree.conversations[position], old.conversations[at])]
            if {tree.ids[c] for c in tree.children[position]} == {
                old.ids[c] for c in old.children[at]
            } and related:
                pairs.append((tree.other[position], old.other[at]))
            for now, then in pairs:
                findings += _changed(f"clusters ({facet})", now - then, figures)
    for cells in cell_tables(subject):
        before = earlier.get((cells.table, cells.facet, cells.dimension, _one(cells)))
        if before is not None:
            findings += _tables(subject, previous, cells, before, figures, related)
    for outcome, count in sorted(subject.info.outcomes.items()):
        then = previous.info.outcomes.get(outcome, 0)
        if outcome == "assigned":
            findings += _changed("release.json (outcomes)", count - then, figures)
    return Passed(
        NAME,
        f"counts that differ by 1 to {COMPANY - 1} from release {previous.info.number}",
        findings,
        figures,
    )


def _one(cells: Cells) -> Any:
    return cells.values[0] if len(cells.values) == 1 else None


def _related(subject: Subject, previous: Subject) -> bool:
    """Whether ids mean the same clusters: of most that both have, the words agree."""
    now = {(r["facet"], r["cluster_id"]): r["title"] for r in subject.rows("clusters")}
    then = {(r["facet"], r["cluster_id"]): r["title"] for r in previous.rows("clusters")}
    both = [key for key in now if key in then and key[1] != ROOT_ID]
    agree = sum(1 for key in both if now[key] == then[key])
    return 2 * agree >= len(both)


def _changed(place: str, difference: int, figures: dict[str, int]) -> Iterator[Finding]:
    figures["cells compared"] += 1
    if difference:
        figures["cells that changed"] += 1
    if 0 < abs(difference) < COMPANY:
        yield Finding(NAME, place, "a count changed by so few that they may be known")


def _tables(
    subject: Subject,
    previous: Subject,
    now: Cells,
    then: Cells,
    figures: dict[str, int],
    related: bool,
) -> Iterator[Finding]:
    tree, old = subject.facets[now.facet], previous.facets[then.facet]
    place = f"{now.table} ({now.facet}, table of {len(now.values)} values)"
    columns = {value: j for j, value in enumerate(then.values)}
    shared = [(j, columns[value]) for j, value in enumerate(now.values) if value in columns]
    rows: list[tuple[int, int]] = []
    places = {cluster: i for i, cluster in enumerate(then.rows)}
    for i, cluster in enumerate(now.rows):
        if cluster < 0:
            continue
        cluster_id = tree.ids[cluster]
        at = old.index.get(cluster_id)
        if at in places and (related or cluster_id == ROOT_ID):
            rows.append((i, places[at]))
    match = dict(rows)
    for i, k in rows:
        printed = [
            (int(now.printed[i, j]), int(then.printed[k, m]))
            for j, m in shared
            if now.printed[i, j] >= 0 and then.printed[k, m] >= 0
        ]
        for a, b in printed:
            yield from _changed(place, a - b, figures)
        shown = {now.values[j] for j in np.flatnonzero(now.printed[i, :-1] >= 0).tolist()}
        if shown == {then.values[j] for j in np.flatnonzero(then.printed[k, :-1] >= 0).tolist()}:
            rest = int(now.totals[i]) - sum(a for a, _ in printed)
            before = int(then.totals[k]) - sum(b for _, b in printed)
            yield from _changed(place, rest - before, figures)
    below, older = _children(now), _children(then)
    for i, k in rows:
        for j, m in shared:
            if now.printed[i, j] < 0 or then.printed[k, m] < 0:
                continue
            visible = [c for c in below[i] if now.printed[c, j] >= 0]
            if not visible or {match.get(c) for c in visible} != {
                c for c in older[k] if then.printed[c, m] >= 0
            }:
                continue
            rest = int(now.printed[i, j]) - sum(int(now.printed[c, j]) for c in visible)
            before = int(then.printed[k, m]) - sum(int(then.printed[match[c], m]) for c in visible)
            yield from _changed(place, rest - before, figures)


def _children(cells: Cells) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in cells.rows]
    for row, above in enumerate(cells.parent):
        if above >= 0 and cells.rows[row] >= 0:
            found[above].append(row)
    return found
