"""The files of a release: those that belong, of the right schema, and that agree on its facts."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Iterator
from typing import Final

from clio.auditing.findings import Finding, Passed, row_of
from clio.auditing.subject import Subject
from clio.errors import SettingsError
from clio.privacy.thresholds import check_floors
from clio.release.schema import INFO_FILE, ROOT_ID, ROOT_LEVEL, SCHEMA_VERSION, TABLES
from clio.settings import PRESETS, Preset

NAME: Final = "structure"

_BESIDE: Final = {INFO_FILE, "DATACARD.md", "datacard.json"}
"""Files beside the tables: the facts, and the data card of an export."""

_KEYS: Final = {
    "clusters": ("facet", "cluster_id"),
    "numeric": ("facet", "cluster_id", "measure"),
    "breakdowns": ("facet", "cluster_id", "dimension", "value"),
    "trends": ("facet", "cluster_id", "period"),
    "map": ("facet", "cell_x", "cell_y"),
    "withheld": ("facet", "table", "level", "reason"),
}


def check(subject: Subject) -> Passed:
    """Look at files, keys, order and the facts of ``release.json``."""
    findings = [*_files(subject), *_order(subject), *_facts(subject), *_named(subject)]
    return Passed(
        NAME,
        "files, columns, order of rows, facts",
        findings,
        {name: table.num_rows for name, table in subject.tables.items()},
    )


def _files(subject: Subject) -> Iterator[Finding]:
    belongs = _BESIDE | {f"{name}{ending}" for name in TABLES for ending in (".parquet", ".csv")}
    for path in sorted(subject.directory.iterdir()):
        mode = path.lstat().st_mode
        if path.name not in belongs:
            yield Finding(NAME, "the folder", "holds a file or folder that does not belong")
        elif stat.S_ISLNK(mode):
            yield Finding(NAME, path.name, "is a symbolic link")
        elif not stat.S_ISREG(mode):
            yield Finding(NAME, path.name, "is no regular file")


def _order(subject: Subject) -> Iterator[Finding]:
    for table, key in _KEYS.items():
        rows = subject.rows(table)
        keys = [tuple("" if row[k] is None else row[k] for k in key) for row in rows]
        if len(set(keys)) < len(keys):
            yield Finding(NAME, table, "a row stands twice")
        if table != "withheld" and keys != sorted(keys):
            yield Finding(NAME, table, "rows are not in the order of their keys, which may tell")


def _facts(subject: Subject) -> Iterator[Finding]:
    info, limits = subject.info, subject.thresholds
    if info.schema_version != SCHEMA_VERSION:
        yield Finding(NAME, INFO_FILE, "is of another schema version")
    try:
        check_floors(limits)
    except SettingsError:
        yield Finding(NAME, INFO_FILE, "names thresholds under the floors")
    known = {preset.value: PRESETS[preset] for preset in Preset}
    if info.preset not in known:
        yield Finding(NAME, INFO_FILE, "names a preset that there is not")
    else:
        base = known[info.preset]
        # What options may change; the rest is the preset's.
        free = ("accounts", "conversations", "cell_accounts", "cell_conversations", "round_to")
        if base != limits.model_copy(update={name: getattr(base, name) for name in free}):
            yield Finding(NAME, INFO_FILE, "names thresholds that are not its preset's")
        if limits.round_to < base.round_to and info.preset == Preset.STRICT.value:
            yield Finding(NAME, INFO_FILE, "rounds less than its preset")
    if info.publishable != limits.publishable:
        yield Finding(NAME, INFO_FILE, "contradicts itself on whether it may be published")
    if sum(facet.primary for facet in info.facets) != 1:
        yield Finding(NAME, INFO_FILE, "does not name one primary facet")
    if any(count < 0 for count in info.outcomes.values()):
        yield Finding(NAME, INFO_FILE, "counts less than nothing")
    if {facet.name for facet in info.facets} != set(subject.facets):
        yield Finding(NAME, INFO_FILE, "names other facets than the clusters have")
    for facet in info.facets:
        tree = subject.facets.get(facet.name)
        if tree is None:
            continue
        rows = [row for row in subject.rows("clusters") if row["facet"] == facet.name]
        levels = Counter(row["level"] for row in rows if row["level"] != ROOT_LEVEL)
        if list(facet.clusters) != [levels[n] for n in range(max(levels, default=-1) + 1)]:
            yield Finding(NAME, INFO_FILE, "counts other clusters than there are")
        root = next(row for row in rows if row["cluster_id"] == ROOT_ID)
        if facet.primary and (
            info.totals.conversations != root["conversations"]
            or info.totals.accounts != root["accounts"]
        ):
            yield Finding(NAME, INFO_FILE, "has other totals than the clusters")
    days = [row["period"] for row in subject.rows("trends") if row["cluster_id"] == ROOT_ID]
    if (info.period is None) != (not days) or (
        info.period is not None and days and info.period.first != min(days)
    ):
        yield Finding(NAME, INFO_FILE, "has another period than the trends")
    if {row["granularity"] for row in subject.rows("trends")} - {info.granularity}:
        yield Finding(NAME, "trends", "has another granularity than release.json says")


def _named(subject: Subject) -> Iterator[Finding]:
    """Rows of clusters that are not there."""
    for table in ("numeric", "breakdowns", "trends", "alerts"):
        for number, row in enumerate(subject.rows(table)):
            tree = subject.facets.get(row["facet"])
            if tree is None or row["cluster_id"] not in tree.index:
                yield Finding(NAME, row_of(table, number), "is of a cluster that is not shown")
    for row in subject.rows("map"):
        if row["facet"] not in subject.facets:
            yield Finding(NAME, "map", "has a facet that is not shown")
            break
