"""Tables as files: CSV that a spreadsheet can open safely, and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fastapi import Response

from clio.release.read import Release
from clio.release.schema import TABLES
from clio.server.models import TableInfo, TableResponse, TablesResponse

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def tables_response(release: Release) -> TablesResponse:
    """All tables, with the meaning of their columns."""
    return TablesResponse(
        tables=[
            TableInfo(
                name=name,
                description=(schema.metadata or {}).get(b"doc", b"").decode(),
                rows=release.table(name).num_rows,
                columns={f.name: (f.metadata or {}).get(b"doc", b"").decode() for f in schema},
            )
            for name, schema in TABLES.items()
        ]
    )


def select(release: Release, name: str, facet: str | None) -> pa.Table:
    """A table of the release, of one facet where given.

    Raises
    ------
    ReleaseError
        There is no such table or facet.
    """
    table: pa.Table = release.table(name)
    if facet is None:
        return table
    release.cluster(facet=facet)
    return table.filter(pc.equal(table["facet"], facet))


def table_response(table: pa.Table, name: str, offset: int, limit: int) -> TableResponse:
    """One page of a table."""
    return TableResponse(
        name=name,
        total=table.num_rows,
        offset=offset,
        rows=table.slice(offset, limit).to_pylist(),
    )


def parquet(table: pa.Table, name: str) -> Response:
    """A table as a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return _file(sink.getvalue(), "application/vnd.apache.parquet", f"{name}.parquet")


def csv_file(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], name: str) -> Response:
    """Rows as a CSV file (RFC 4180, UTF-8).

    Titles and values are hostile text: one that a spreadsheet would take for a formula gets an
    apostrophe before it.
    """
    return _file(csv_text(columns, rows), "text/csv; charset=utf-8", f"{name}.csv")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The contents of such a file."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([plain(row[column]) for column in columns])
    return text.getvalue().encode()


def plain(value: Any) -> Any:
    """A value as a field of CSV: a text that looks like a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _file(content: bytes, kind: str, name: str) -> Response:
    disposition = f'attachment; filename="{name}"'
    return Response(content, media_type=kind, headers={"Content-Disposition": disposition})
