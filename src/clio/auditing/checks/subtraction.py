"""The attack by subtraction: what sums and differences of printed numbers give away.

From the release alone a cell is found out where a reader can be sure that somebody is in it, and
that these are fewer than a cell must have. Where the private tables are at hand the statement of
`clio.privacy.slack` is held against every hidden cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clio.auditing.bounding import Bounds, Claim, ContradictionError
from clio.auditing.findings import Finding, Passed
from clio.auditing.subject import Cells, Subject, cell_tables
from clio.privacy.cells import WHOLE_ROW
from clio.privacy.slack import Network

NAME: Final = "subtraction"
STATEMENT: Final = "statement"

Truth = Callable[[Cells], NDArray[np.int64] | None]
"""True conversations of a table's cells, shape as ``printed``; ``None`` where nobody knows."""


def check(subject: Subject) -> Passed:
    """Attack every table with nothing but the release."""
    findings: list[Finding] = []
    figures = {"tables": 0, "unknown cells": 0, "linear programmes": 0, "not settled": 0}
    threshold = _threshold(subject)
    if threshold > 1:
        for cells in cell_tables(subject):
            figures["tables"] += 1
            findings += _attack(cells, subject.base(cells.facet), threshold, figures)
    return Passed(
        NAME,
        "what follows by subtraction from clusters, rests, breakdowns, trends, means, the map",
        findings,
        figures,
    )


def _threshold(subject: Subject) -> int:
    limits = subject.thresholds
    return max(limits.cell_accounts, limits.cell_conversations)


def _place(cells: Cells, row: int) -> str:
    where = cells.rows[row]
    what = f"cluster {where}" if where >= 0 else f"the rest of cluster {-1 - where}"
    return f"{cells.table} ({cells.facet}, table of {len(cells.values)} values, {what} of the tree)"


def _attack(cells: Cells, base: int, threshold: int, figures: dict[str, int]) -> Iterator[Finding]:
    try:
        bounds = Bounds(cells, base, threshold)
    except ContradictionError:
        yield Finding(NAME, f"{cells.table} ({cells.facet})", "numbers contradict each other")
        return
    unknown = np.argwhere(bounds.unknown)
    figures["unknown cells"] += len(unknown)
    for row, value in unknown.tolist():
        safe = bounds.holds(row, value, Claim(low=1 - 1e-3)) or bounds.holds(
            row, value, Claim(high=threshold)
        )
        if safe is None:
            figures["not settled"] += 1
        elif not safe:
            yield Finding(NAME, _place(cells, row), "a small count that is not printed follows")
    figures["linear programmes"] += bounds.programmes


def check_statement(subject: Subject, truth: Truth) -> Passed:
    """Hold the gate's statement of safety against all hidden cells, whose counts are known here.

    Parameters
    ----------
    subject
        The release.
    truth
        What the private tables say of a table.
    """
    findings: list[Finding] = []
    figures = {"hidden cells": 0, "linear programmes": 0, "not settled": 0}
    threshold = _threshold(subject)
    for cells in cell_tables(subject) if threshold > 1 else ():
        counts = truth(cells)
        if counts is None:
            continue
        try:
            bounds = Bounds(cells, subject.base(cells.facet), threshold)
        except ContradictionError:
            continue  # the attack says so
        open_ = bounds.unknown & (counts > 0) & ~_implied(cells, counts)
        if bounds.large:
            parent = np.array(cells.parent, dtype=np.intp)
            swaps = Network(counts, parent, ~bounds.unknown).certified(threshold)
            figures["hidden cells"] += int((open_ & swaps).sum())
            open_ &= ~swaps
        for row, value in np.argwhere(open_).tolist():
            figures["hidden cells"] += 1
            if counts[row, value] < threshold:
                claim = Claim(1 - 1e-3, threshold)
            else:
                claim = Claim(width=threshold)
            if value == counts.shape[1] - 1:
                # Everything else is a union: it may be known, where it is no small one.
                claim = Claim(high=min(threshold, claim.high))
            holds = bounds.holds(row, value, claim)
            if holds is None:
                figures["not settled"] += 1
            elif not holds:
                place = _place(cells, row)
                findings.append(Finding(STATEMENT, place, "a hidden count can be bounded tightly"))
        figures["linear programmes"] += bounds.programmes
    return Passed(STATEMENT, "the statement of safety, on every hidden cell", findings, figures)


def _implied(cells: Cells, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Cells that are all of their cluster because those above, which are large, are."""
    whole = np.equal(counts, cells.totals[:, None])
    implied: NDArray[np.bool_] = np.zeros(counts.shape, dtype=np.bool_)
    for row in range(1, len(implied)):
        above = cells.parent[row]
        known = (cells.totals[above] >= WHOLE_ROW) | implied[above]
        implied[row] = whole[row] & whole[above] & known
    return implied
