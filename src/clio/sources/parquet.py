"""Parquet with the columns of a conversation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from clio.sources.blobs import Blob, ErrorKeeper, spooled
from clio.sources.compression import Head, chunks
from clio.sources.json_text import decode
from clio.sources.rows import MAX_ROW_BYTES, Container, Reason, Record, RejectedError

_MAGIC: Final = b"PAR1"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BATCH_ROWS: Final = 1024
_BATCH_BYTES: Final = 2 * MAX_ROW_BYTES
_DECODING_ERRORS: Final = (pa.ArrowException, ValueError, OverflowError, ImportError)


class _Batch:
    """A record batch and the number of its first row."""

    def __init__(self, batch: pa.RecordBatch, first: int) -> None:
        self._batch = batch
        self._first = first

    def __len__(self) -> int:
        return int(self._batch.num_rows)

    def records(self, start: int) -> Iterator[Record]:
        first = self._first + start
        batch = _times_as_numbers(self._batch.slice(start))
        moments = [f.name for f in batch.schema if f.name in self._moments()]
        documents = [f.name for f in batch.schema if f.name == "labels" and _is_text(f.type)]
        maps = [f.name for f in batch.schema if pa.types.is_map(f.type)]
        for number, record, reason in _decoded(batch, first):
            if reason is not None:
                yield number, None, reason
                continue
            try:
                for name in moments:
                    record[name] = _moment(record[name])
                for name in maps:
                    record[name] = None if record[name] is None else dict(record[name])
                for name in documents:
                    record[name] = _document(record[name])
                if "labels" in record and not documents:
                    record["labels"] = _json_value(record["labels"], drop_null="labels" not in maps)
            except (RejectedError, *_DECODING_ERRORS):
                yield number, None, Reason.UNDECODABLE
            else:
                yield number, record, None

    def _moments(self) -> set[str]:
        return {f.name for f in self._batch.schema if pa.types.is_timestamp(f.type)}


def _times_as_numbers(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Time stamps as microseconds, since not every one is a Python datetime (year, ns, zone)."""
    columns = [
        column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64())
        if pa.types.is_timestamp(column.type)
        else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _decoded(batch: pa.RecordBatch, first: int) -> Iterator[Record]:
    """Rows as dicts; where a batch is large or does not decode, row by row to find the culprit."""
    rows: list[dict[str, Any]] | None = None
    if batch.nbytes <= MAX_ROW_BYTES:
        try:
            rows = batch.to_pylist()
        except _DECODING_ERRORS:
            rows = None
    if rows is not None:
        for number, record in enumerate(rows, first):
            yield number, record, None
        return
    for at in range(batch.num_rows):
        row = batch.slice(at, 1)
        if row.nbytes > MAX_ROW_BYTES:
            yield first + at, None, Reason.ROW_TOO_LARGE
            continue
        try:
            record = row.to_pylist()[0]
        except _DECODING_ERRORS:
            yield first + at, None, Reason.UNDECODABLE
        else:
            yield first + at, record, None


def _moment(microseconds: int | None) -> datetime | None:
    if microseconds is None:
        return None
    return _EPOCH + timedelta(microseconds=microseconds)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _document(text: str | None) -> Any:
    return decode(text.encode()) if text else None


def _json_value(value: Any, *, drop_null: bool = False) -> Any:
    """A decoded value as JSON knows it. A struct has all its fields in each row: null is absent."""
    if isinstance(value, Mapping):
        kept = value.items() if not drop_null else [p for p in value.items() if p[1] is not None]
        return {str(name): _json_value(item) for name, item in kept}
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)


def _blocks(blob: Blob) -> Iterator[_Batch]:
    first = 1
    try:
        with _opened(blob) as source:
            # Arrow raises the same errors for damaged pages and for files that cannot be read.
            watched = ErrorKeeper(source)
            try:
                with pq.ParquetFile(watched) as file:
                    for batch in _batches(file):
                        yield _Batch(batch, first)
                        first += batch.num_rows
            except (pa.ArrowException, OSError, ValueError):
                if watched.failure is not None:
                    raise watched.failure from None
                yield _Broken(first, Reason.DAMAGED_PARQUET)
    except RejectedError as rejected:
        yield _Broken(first, rejected.reason)


def _opened(blob: Blob) -> BinaryIO:
    """The file to read, unpacked where it is compressed as a whole."""
    with closing(blob.pieces()) as pieces:
        packed = not next(pieces, b"").startswith(_MAGIC)
    return spooled(chunks(blob)) if packed else blob.seekable()


def _batches(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    for group in range(file.metadata.num_row_groups):
        about = file.metadata.row_group(group)
        mean = about.total_byte_size / max(1, about.num_rows)
        rows = max(1, min(_BATCH_ROWS, int(_BATCH_BYTES / max(1.0, mean))))
        yield from file.iter_batches(batch_size=rows, row_groups=[group])


class _Broken(_Batch):
    """The one rejected row that stands for the rest of a damaged file."""

    def __init__(self, first: int, reason: Reason) -> None:
        self._first = first
        self._reason = reason

    def __len__(self) -> int:
        return 1

    def records(self, start: int) -> Iterator[Record]:
        if start == 0:
            yield self._first, None, self._reason


def _recognises(head: Head) -> bool:
    return head.plain.startswith(_MAGIC)


PARQUET = Container(name="Parquet", suffixes=(".parquet",), recognises=_recognises, blocks=_blocks)
