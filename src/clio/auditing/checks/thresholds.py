"""Thresholds, rounding and shares of all or nothing, from the release alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from clio.auditing.findings import Finding, Passed, row_of
from clio.auditing.subject import Row, Subject
from clio.privacy.cells import ACCOUNTS_STEP, WHOLE_ROW
from clio.privacy.thresholds import DIGITS
from clio.release.schema import ROOT_ID

NAME: Final = "thresholds"
ROUNDING: Final = "rounding"

_PLACES: Final = 3
"""Decimals of places on the map."""


def check(subject: Subject) -> Passed:
    """Hold every released count against the thresholds that the release names."""
    limits = subject.thresholds
    findings = [*_clusters(subject), *_cells(subject)]
    return Passed(
        NAME,
        f"clusters of {limits.accounts} accounts and {limits.conversations} conversations, cells "
        f"of {limits.cell_accounts} and {limits.cell_conversations}",
        findings,
    )


def check_rounding(subject: Subject) -> Passed:
    """See that no number is finer than the rules let it be."""
    return Passed(
        ROUNDING,
        "multiples of counts, digits of bounds, shares of 0 % and 100 %",
        [*_multiples(subject), *_digits(subject), *_whole(subject)],
    )


def _floor(accounts: int) -> int:
    return accounts // ACCOUNTS_STEP * ACCOUNTS_STEP


def _clusters(subject: Subject) -> Iterator[Finding]:
    limits = subject.thresholds
    for number, row in enumerate(subject.rows("clusters")):
        place = row_of("clusters", number, row["cluster_id"])
        if row["conversations"] < limits.conversations:
            yield Finding(NAME, place, "has fewer conversations than a cluster must have")
        if row["accounts"] < _floor(limits.accounts):
            yield Finding(NAME, place, "has fewer accounts than a cluster must have")
        if row["accounts"] > row["conversations"] + subject.base(row["facet"]) - 1:
            yield Finding(NAME, place, "has more accounts than conversations")
        if 0 < row["other_conversations"] < limits.conversations:
            yield Finding(NAME, place, "what it holds beside its children is too small")
    step = ACCOUNTS_STEP - 1
    for facet, tree in subject.facets.items():
        accounts = {
            row["cluster_id"]: row["accounts"]
            for row in subject.rows("clusters")
            if row["facet"] == facet
        }
        for position, below in enumerate(tree.children):
            if not below:
                continue
            own = accounts[tree.ids[position]]
            parts = [accounts[tree.ids[child]] for child in below]
            most = sum(parts) + step * len(parts) + tree.other[position] + subject.base(facet) - 1
            if not max(parts) <= own <= most:
                yield Finding(NAME, f"clusters ({facet})", "accounts contradict those of children")


def _cells(subject: Subject) -> Iterator[Finding]:
    limits = subject.thresholds
    for table in ("breakdowns", "trends", "numeric", "map"):
        for number, row in enumerate(subject.rows(table)):
            place = row_of(table, number, row.get("cluster_id"))
            if row["conversations"] < limits.cell_conversations:
                yield Finding(NAME, place, "has fewer conversations than a cell must have")
            accounts = row.get("accounts")
            if accounts is None:
                continue
            if accounts < _floor(limits.cell_accounts):
                yield Finding(NAME, place, "has fewer accounts than a cell must have")
            if accounts > row["conversations"] + subject.base(row["facet"]) - 1:
                yield Finding(NAME, place, "has more accounts than conversations")


def _multiples(subject: Subject) -> Iterator[Finding]:
    for table in ("clusters", "breakdowns", "trends", "numeric", "map"):
        for number, row in enumerate(subject.rows(table)):
            place = row_of(table, number, row.get("cluster_id"))
            base = subject.base(row["facet"])
            counts = (row["conversations"], row.get("other_conversations", 0))
            if any(count % base for count in counts):
                yield Finding(ROUNDING, place, "its conversations are not rounded")
            if row.get("accounts", 0) % ACCOUNTS_STEP:
                yield Finding(ROUNDING, place, "its accounts are not rounded")
    if subject.info.totals.accounts % ACCOUNTS_STEP:
        yield Finding(ROUNDING, "release.json", "its accounts are not rounded")


def _fine(value: float | None, digits: int = DIGITS) -> bool:
    if value is None or not math.isfinite(value) or value in (0.0, 1.0):
        return False
    return float(f"{value:.{digits - 1}e}") != value


def _digits(subject: Subject) -> Iterator[Finding]:
    for table, columns in (
        ("clusters", ("share_low", "share_high")),
        ("trends", ("share_low", "share_high")),
        ("numeric", ("mean", "low", "high")),
    ):
        for number, row in enumerate(subject.rows(table)):
            if any(_fine(row[column]) for column in columns):
                place = row_of(table, number, row["cluster_id"])
                yield Finding(ROUNDING, place, "has bounds or means of too many digits")
    for number, row in enumerate(subject.rows("clusters")):
        if any(
            row[axis] is not None and row[axis] != round(row[axis], _PLACES) for axis in ("x", "y")
        ):
            place = row_of("clusters", number, row["cluster_id"])
            yield Finding(ROUNDING, place, "its place on the map is too exact")


def _whole(subject: Subject) -> Iterator[Finding]:
    if not subject.thresholds.publishable:
        return
    size = {(r["facet"], r["cluster_id"]): r["conversations"] for r in subject.rows("clusters")}
    periods = {
        (r["facet"], r["period"]): r["conversations"]
        for r in subject.rows("trends")
        if r["cluster_id"] == ROOT_ID
    }

    def found(table: str, number: int, row: Row, whole: int) -> Iterator[Finding]:
        # Rounded parts may make a smaller whole than there is.
        small = WHOLE_ROW if subject.base(row["facet"]) == 1 else WHOLE_ROW // 2
        if whole < small and not 0.0 < row["share"] < 1.0:
            place = row_of(table, number, row["cluster_id"])
            yield Finding(ROUNDING, place, "is all or nothing of a small whole")

    for number, row in enumerate(subject.rows("breakdowns")):
        whole = size.get((row["facet"], row["cluster_id"]), 0)
        yield from found("breakdowns", number, row, whole)
    for number, row in enumerate(subject.rows("trends")):
        if row["cluster_id"] != ROOT_ID:
            whole = periods.get((row["facet"], row["period"]), 0)
            yield from found("trends", number, row, whole)
