"""What is audited, read without Clio's own reader, which trusts what was written."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import ValidationError

from clio.auditing.findings import Finding
from clio.release.schema import INFO_FILE, ROOT_ID, TABLES, ReleaseInfo
from clio.settings import Thresholds

Row = Mapping[str, Any]

SECONDARY_ROUNDING: Final = 5
"""Counts of facets other than the primary one are multiples of this at least (contract)."""

_CHECK: Final = "structure"
_METADATA: Final = {b"ARROW:schema", b"doc"}


@dataclass(frozen=True)
class Subject:
    """A release as it lies there.

    Attributes
    ----------
    directory
        Its folder.
    info
        What ``release.json`` says.
    tables
        Those that could be read, by name.
    """

    directory: Path
    info: ReleaseInfo
    tables: Mapping[str, pa.Table]

    @cached_property
    def thresholds(self) -> Thresholds:
        """The thresholds that the release names."""
        return Thresholds.model_validate(self.info.thresholds)

    def rows(self, table: str) -> Sequence[Row]:
        """Rows of a table; none where it is missing."""
        return self._rows.get(table, [])

    @cached_property
    def _rows(self) -> Mapping[str, Sequence[Row]]:
        return {name: table.to_pylist() for name, table in self.tables.items()}

    @cached_property
    def facets(self) -> Mapping[str, FacetRows]:
        """The clusters of each facet that has a root."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows("clusters"):
            found[row["facet"]].append(row)
        return {
            facet: FacetRows(facet, rows)
            for facet, rows in sorted(found.items())
            if any(row["cluster_id"] == ROOT_ID for row in rows)
        }

    def base(self, facet: str) -> int:
        """What the counts of a facet are multiples of."""
        primary = {f.name for f in self.info.facets if f.primary}
        limits = self.thresholds
        if facet in primary or not limits.publishable:
            return limits.round_to
        return max(limits.round_to, SECONDARY_ROUNDING)

    def shares_values(self, dimension: str) -> bool:
        """Whether a conversation may have several values of a dimension, as the notes say."""
        return any("several values of" in note and dimension in note for note in self.info.notes)


class FacetRows:
    """The clusters of one facet, root first, parents before children.

    Attributes
    ----------
    ids, parent
        Cluster ids, and the position of each one's parent; -1 for the root.
    conversations, other
        Released counts.
    lost
        Clusters that hang on nothing.
    """

    def __init__(self, facet: str, rows: Sequence[Row]) -> None:
        self.facet = facet
        by_id = {row["cluster_id"]: row for row in rows}
        below: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            if row["cluster_id"] != ROOT_ID:
                below[row["parent_id"] or ROOT_ID].append(row["cluster_id"])
        self.ids, self.parent = [ROOT_ID], [-1]
        for position, cluster_id in enumerate(self.ids):  # grows while it is read
            for child in sorted(below.get(cluster_id, ())):
                if child not in self.ids[:1]:
                    self.ids.append(child)
                    self.parent.append(position)
            if len(self.ids) > len(rows):
                break
        self.index = {cluster_id: i for i, cluster_id in enumerate(self.ids)}
        self.lost = sorted(set(by_id) - set(self.ids))
        self.conversations = [int(by_id[i]["conversations"]) for i in self.ids]
        self.other = [int(by_id[i]["other_conversations"]) for i in self.ids]
        self.children: list[list[int]] = [[] for _ in self.ids]
        for position, above in enumerate(self.parent):
            if above >= 0:
                self.children[above].append(position)


@dataclass(frozen=True)
class Cells:
    """One table of clusters × values as a reader sees it.

    Attributes
    ----------
    rows
        Position of the cluster in `FacetRows`, or ``-1 - position`` for what is in none of its
        shown children.
    parent
        Position of the row above, in `rows`; -1 for the root.
    totals
        Conversations of the rows; -1 where a table does not say.
    values
        Names of the columns; the last column is everything else.
    printed
        Conversations, shape ``(rows, columns)``; -1 where nothing is printed.
    """

    table: str
    facet: str
    dimension: str
    rows: Sequence[int]
    parent: Sequence[int]
    totals: NDArray[np.int64]
    values: Sequence[Any]
    printed: NDArray[np.int64]


def cell_tables(subject: Subject) -> list[Cells]:
    """All tables of clusters × values of a release: breakdowns, trends, measures, the map."""
    found: list[Cells] = []
    for facet, tree in subject.facets.items():
        places, parent, totals = _rows_of(tree)
        row_at = {place: i for i, place in enumerate(places)}
        for table, dimension, value in (
            ("breakdowns", "dimension", "value"),
            ("trends", None, "period"),
            ("numeric", "measure", "measure"),
        ):
            of: dict[str, list[Row]] = defaultdict(list)
            for row in subject.rows(table):
                if row["facet"] == facet:
                    of["" if dimension is None else row[dimension]].append(row)
            for name, rows in sorted(of.items()):
                if subject.shares_values(name) and table == "breakdowns":
                    parts = [
                        (v, [r for r in rows if r["value"] == v]) for v in _values(rows, value)
                    ]
                else:
                    parts = [(name, rows)]
                for _, part in parts:
                    values = _values(part, value)
                    printed = np.full((len(places), len(values) + 1), -1, dtype=np.int64)
                    at = {v: j for j, v in enumerate(values)}
                    for row in part:
                        if (i := tree.index.get(row["cluster_id"])) is not None:
                            printed[row_at[i], at[row[value]]] = row["conversations"]
                    found.append(Cells(table, facet, name, places, parent, totals, values, printed))
        cells = [row for row in subject.rows("map") if row["facet"] == facet]
        if cells:
            line = np.array([[*(row["conversations"] for row in cells), -1]], dtype=np.int64)
            names = [(row["cell_x"], row["cell_y"]) for row in cells]
            found.append(Cells("map", facet, "", [0], [-1], totals[:1], names, line))
    return found


def _values(rows: Sequence[Row], value: str) -> list[Any]:
    return sorted({row[value] for row in rows})


def _rows_of(tree: FacetRows) -> tuple[list[int], list[int], NDArray[np.int64]]:
    places, parent = [0], [-1]
    totals = [tree.conversations[0]]
    for position, place in enumerate(places):  # grows while it is read
        below = tree.children[place] if place >= 0 else []
        if not below:
            continue
        for child in below:
            places.append(child)
            parent.append(position)
            totals.append(tree.conversations[child])
        if tree.other[place] > 0:
            places.append(-1 - place)
            parent.append(position)
            totals.append(tree.other[place])
    return places, parent, np.array(totals, dtype=np.int64)


def read_subject(directory: Path) -> tuple[Subject | None, list[Finding]]:
    """A release or an export of one, as Parquet or CSV, and what is wrong with its files.

    Returns
    -------
    subject : Subject or None
        ``None`` where ``release.json`` or the clusters cannot be read.
    findings : list of Finding
        Of the check ``structure``.
    """
    findings: list[Finding] = []

    def found(where: str, message: str) -> None:
        findings.append(Finding(_CHECK, where, message))

    info = None
    try:
        text = (directory / INFO_FILE).read_bytes()
        info = ReleaseInfo.model_validate(orjson.loads(text))
        Thresholds.model_validate(info.thresholds)
    except ValidationError as error:
        names = {".".join(map(str, e["loc"])) for e in error.errors(include_input=False)}
        known = names & {*ReleaseInfo.model_fields, *Thresholds.model_fields}
        found(INFO_FILE, f"fields that do not belong or are wrong: {', '.join(known) or 'unknown'}")
        info = None
    except (OSError, ValueError):
        found(INFO_FILE, "cannot be read")
    tables: dict[str, pa.Table] = {}
    for name, schema in TABLES.items():
        parquet, text_file = directory / f"{name}.parquet", directory / f"{name}.csv"
        try:
            if parquet.exists():
                metadata = pq.read_metadata(parquet).metadata or {}
                if not set(metadata) <= _METADATA:
                    found(parquet.name, "its metadata holds more than the schema")
                table = pq.read_table(parquet, partitioning=None)
                if not table.schema.equals(schema):
                    found(parquet.name, "is not of the release's schema")
                    table = table.select(schema.names).cast(schema)
                tables[name] = table
            elif text_file.exists():
                tables[name] = _from_csv(text_file, schema)
        except (pa.ArrowException, OSError, ValueError, KeyError):
            found(f"{name}", "cannot be read as a table of a release")
    if "clusters" not in tables:
        found("clusters", "is missing")
    if info is None or "clusters" not in tables:
        return None, findings
    return Subject(directory, info, tables), findings


def _from_csv(path: Path, schema: pa.Schema) -> pa.Table:
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    arrays = []
    for column in schema:
        words = [line[column.name] for line in lines]
        if pa.types.is_string(column.type) and not column.nullable:
            # An apostrophe keeps spreadsheets from taking a text for a formula.
            values: Any = [w[1:] if w[:1] == "'" and w[1:2] in "=+-@\t\r" else w for w in words]
            arrays.append(pa.array(values, pa.string()))
        else:
            empty = [w if w != "" else None for w in words]
            arrays.append(pa.array(empty, pa.string()).cast(column.type))
    return pa.Table.from_arrays(arrays, schema=schema)
