"""Whatever is written is read back; whatever bytes come, each line ends as one row."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clio.conversation import Conversation, Message, Role
from clio.sources import read

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ids = texts.filter(lambda text: bool(text.strip()))
times = st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), texts)
labels = st.dictionaries(texts, st.one_of(scalars, st.lists(scalars, max_size=3)), max_size=3)
conversations = st.lists(
    st.builds(
        Conversation,
        conversation_id=ids,
        user_id=st.none() | ids,
        created_at=st.none() | times,
        messages=st.lists(st.builds(Message, st.sampled_from(Role), texts), max_size=4).map(tuple),
        labels=labels,
    ),
    max_size=6,
)


def as_record(conversation: Conversation) -> dict[str, Any]:
    moment = conversation.created_at
    return {
        "conversation_id": conversation.conversation_id,
        "user_id": conversation.user_id,
        "created_at": None if moment is None else moment.isoformat(),
        "messages": [{"role": m.role.value, "content": m.content} for m in conversation.messages],
        "labels": conversation.labels,
    }


def as_lines(items: list[Conversation]) -> bytes:
    return "".join(json.dumps(as_record(item)) + "\n" for item in items).encode()


MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.large_string())]))


def as_table(items: list[Conversation]) -> pa.Table:
    records = [as_record(item) for item in items]
    return pa.table(
        {
            "labels": pa.array([json.dumps(r["labels"]) for r in records], pa.string()),
            "messages": pa.array([r["messages"] for r in records], MESSAGES),
            "user_id": pa.array([r["user_id"] for r in records], pa.string()),
            "created_at": pa.array([i.created_at for i in items], pa.timestamp("us", "UTC")),
            "conversation_id": pa.array([r["conversation_id"] for r in records], pa.string()),
        }
    )


def as_parquet(items: list[Conversation]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(as_table(items), sink, row_group_size=3)
    return bytes(sink.getvalue())


WRITERS: dict[str, Callable[[list[Conversation]], bytes]] = {
    "plain": as_lines,
    "gzip": lambda items: gzip.compress(as_lines(items)),
    "zstd": lambda items: zstandard.compress(as_lines(items)),
    "parquet": as_parquet,
}


# Machines that build are busy: no test fails for being slow.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("kind", WRITERS)
@unhurried
@given(items=conversations)
def test_conversations_read_back_equal(kind: str, items: list[Conversation]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.jsonl"
        path.write_bytes(WRITERS[kind](items))
        rows = list(read([path]))
    assert [row.conversation for row in rows] == items
    assert [row.line for row in rows] == list(range(1, len(items) + 1))


fragments = st.sampled_from(
    b'{"messages": [ ] { } " \\ud800 \\ , : \xff NaN 1e999 null \0 \r {"role":"user"}'.split(b" ")
)
garbage = st.one_of(st.binary(max_size=60), st.lists(fragments, max_size=12).map(b"".join)).map(
    lambda line: line.replace(b"\n", b"?")
)
deep = st.sampled_from([b"[" * 3_000, b'{"messages":' * 2_000, b'{"labels":' + b"[" * 900])


@unhurried
@given(lines=st.lists(garbage | deep, max_size=12), packed=st.booleans())
def test_any_bytes_end_as_one_row_a_line(lines: list[bytes], packed: bool) -> None:
    content = b'{"messages":[]}\n' + b"\n".join(lines)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.jsonl"
        path.write_bytes(gzip.compress(content) if packed else content)
        rows = list(read([path]))
    filled = [at for at, line in enumerate(lines, 2) if line and not line.isspace()]
    assert [row.line for row in rows] == [1, *filled]
    for row in rows:
        assert (row.conversation is None) != (row.reason is None)
        if row.conversation is not None:
            str(row.conversation).encode("utf-8")


@unhurried
@given(content=st.binary(max_size=400), kind=st.sampled_from(sorted(WRITERS)))
def test_damaged_files_never_raise(content: bytes, kind: str) -> None:
    whole = WRITERS[kind]([Conversation("a", None, None, (Message(Role.USER, "x" * 50),))] * 5)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.jsonl"
        path.write_bytes(whole[: max(8, len(whole) - len(content))] + content)
        list(read([path]))
