"""Columns of Parquet as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clio.conversation import Conversation
from clio.sources import MAX_ROW_BYTES, Reason, read


def written(folder: Path, **columns: pa.Array) -> Path:
    if "messages" not in columns:
        columns["messages"] = pa.array([[]] * len(next(iter(columns.values()))))
    path = folder / "x.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def conversations(path: Path) -> list[Conversation]:
    rows = list(read([path]))
    assert [row.reason for row in rows] == [None] * len(rows)
    return [row.conversation for row in rows if row.conversation is not None]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.map_(pa.string(), pa.string()), [[("a", "1")], None]),
        (pa.struct([("a", pa.string()), ("b", pa.string())]), [{"a": "1", "b": None}, None]),
        (pa.string(), ['{"a": "1"}', None]),
        (pa.large_string(), ['{"a": "1"}', "{}"]),
    ],
    ids=["map", "struct", "json", "large json"],
)
def test_labels(tmp_path: Path, kind: pa.DataType, values: list[object]) -> None:
    found = conversations(written(tmp_path, labels=pa.array(values, kind)))
    assert [dict(item.labels) for item in found] == [{"a": "1"}, {}]


def test_broken_label_text_rejects_its_row_alone(tmp_path: Path) -> None:
    path = written(tmp_path, labels=pa.array(['{"a": 1}', "{a", "[1]"]))
    reasons = [row.reason for row in read([path])]
    assert reasons == [None, Reason.UNDECODABLE.value, Reason.BAD_LABELS.value]


def test_label_values_that_json_does_not_know(tmp_path: Path) -> None:
    kind = pa.struct([("day", pa.date32()), ("score", pa.float64())])
    values = [{"day": date(2024, 3, 1), "score": float("nan")}]
    (found,) = conversations(written(tmp_path, labels=pa.array(values, kind)))
    assert found.labels == {"day": "2024-03-01", "score": None}


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_time_stamps_of_all_units_and_zones(tmp_path: Path, unit: str, zone: str | None) -> None:
    moment = datetime(2024, 3, 1, 12, tzinfo=UTC)
    value = moment if zone else moment.replace(tzinfo=None)
    column = pa.array([value, None], pa.timestamp(unit, zone))
    found = conversations(written(tmp_path, created_at=column))
    assert [item.created_at for item in found] == [moment, None]


def test_times_out_of_range_reject_their_row_alone(tmp_path: Path) -> None:
    column = pa.array([0, 2**62, 2**55], pa.int64()).cast(pa.timestamp("us"))
    rows = list(read([written(tmp_path, created_at=column)]))
    assert [row.reason is None for row in rows] == [True, False, False]


def test_text_dates_numbers_as_ids_and_no_messages(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        conversation_id=pa.array([1, 2]),
        user_id=pa.array([5.0, None]),
        created_at=pa.array(["2024-03-01", None]),
    )
    found = conversations(path)
    assert [(item.conversation_id, item.user_id) for item in found] == [("1", "5"), ("2", None)]
    assert found[0].created_at == datetime(2024, 3, 1, tzinfo=UTC)
    pq.write_table(pa.table({"text": ["a", "b"]}), path)
    assert [row.reason for row in read([path])] == [Reason.UNKNOWN_FORMAT.value] * 2


def test_huge_rows_reject_themselves_alone(tmp_path: Path) -> None:
    kind = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    turns = [[{"role": "user", "content": text}] for text in ("a", "b" * (MAX_ROW_BYTES + 1), "c")]
    rows = list(read([written(tmp_path, messages=pa.array(turns, kind))]))
    assert [row.reason for row in rows] == [None, Reason.ROW_TOO_LARGE.value, None]


def test_undecodable_rows_reject_themselves_alone(tmp_path: Path) -> None:
    broken = pa.array([b"u", b"\xff", None], pa.binary()).view(pa.string())
    rows = list(read([written(tmp_path, user_id=broken)]))
    assert [row.reason for row in rows] == [None, Reason.UNDECODABLE.value, None]


def test_damaged_files_end_with_one_rejected_row(tmp_path: Path) -> None:
    path = written(tmp_path, conversation_id=pa.array([str(n) for n in range(100)]))
    path.write_bytes(path.read_bytes()[:-9])
    assert [row.reason for row in read([path])] == [Reason.DAMAGED_PARQUET.value]
