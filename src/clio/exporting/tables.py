"""The release's tables as files: Parquet, exactly; CSV, for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from clio.exporting.content import Content
from clio.release.schema import INFO_FILE
from clio.server.tables import plain

_BATCH: Final = 16_384


def write_parquet(content: Content, to: Path) -> None:
    """Each table as Parquet, and ``release.json``: a folder that Clio opens as a release.

    Parameters
    ----------
    content
        What to write.
    to
        An empty folder.
    """
    for name, table in content.tables.items():
        pq.write_table(table, to / f"{name}.parquet", compression="zstd")
    _write_info(content, to)


def write_csv(content: Content, to: Path) -> None:
    """Each table as CSV (RFC 4180, UTF-8), and ``release.json``.

    Numbers have all digits that tell them apart, dates are ISO 8601, null is an empty field. A
    text that a spreadsheet would take for a formula gets an apostrophe before it: titles and values
    are hostile text.

    Parameters
    ----------
    content
        What to write.
    to
        An empty folder.
    """
    for name, table in content.tables.items():
        write_rows(to / f"{name}.csv", table.column_names, _rows(table))
    _write_info(content, to)


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows as a CSV file with a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([plain(value) for value in row] for row in rows)


def _rows(table: pa.Table) -> Iterable[tuple[Any, ...]]:
    for batch in table.to_batches(max_chunksize=_BATCH):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _write_info(content: Content, to: Path) -> None:
    text = orjson.dumps(
        content.info.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    )
    (to / INFO_FILE).write_bytes(text + b"\n")
