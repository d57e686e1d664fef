"""JSON that is one value: arrays, what wraps them, single conversations, whatever breaks there."""

from __future__ import annotations

import gzip
import itertools
import json
import tempfile
import tracemalloc
from collections.abc import Generator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clio.sources import MAX_ROW_BYTES, Reason, Row, expand, json_document, read
from clio.sources.blobs import PIECE, Blob
from clio.sources.json_document import JSON
from clio.sources.jsonl import JSONL

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

ROW: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}
TREE: dict[str, Any] = {"title": "t", "mapping": {}, "current_node": None}


def rows(tmp_path: Path, content: bytes | Any, name: str = "x.json") -> list[Row]:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return list(read(expand([path])))


def reasons(tmp_path: Path, content: bytes | Any, name: str = "x.json") -> list[str | None]:
    return [row.reason for row in rows(tmp_path, content, name)]


class Pieces(Blob):
    """Bytes that come in pieces of the sizes given."""

    name = source = holder = key = "x.json"

    def __init__(self, content: bytes, size: int) -> None:
        self.content, self.size = content, size
        self.packed_size = len(content)

    def pieces(self, size: int = PIECE) -> Generator[bytes]:
        for at in range(0, len(self.content), self.size):
            yield self.content[at : at + self.size]

    def seekable(self) -> BinaryIO:
        return BytesIO(self.content)


def records(content: bytes, size: int, container: Any = JSON) -> list[Any]:
    blocks = container.blocks(Pieces(content, size))
    return [record for block in blocks for record in block.records(0)]


# Shapes


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_arrays_are_read_element_by_element(tmp_path: Path, indent: int | None, pack: Any) -> None:
    content = json.dumps([ROW, {"no": 1}, ROW, 7, [ROW]], indent=indent).encode()
    found = rows(tmp_path, pack(content), "x.anything")
    assert [row.line for row in found] == [1, 2, 3, 4, 5]
    assert [row.reason for row in found] == [
        None,
        Reason.UNKNOWN_FORMAT.value,
        None,
        Reason.NOT_AN_OBJECT.value,
        Reason.NOT_AN_OBJECT.value,
    ]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("record", [ROW, {"labels": {"a": [[], {}]}, **ROW}, {"id": 1} | TREE])
def test_a_single_conversation_is_one_row(
    tmp_path: Path, indent: int | None, record: dict[str, Any]
) -> None:
    (row,) = rows(tmp_path, json.dumps(record, indent=indent).encode())
    assert (row.line, row.format is not None) == (1, True)
    # Several, pretty-printed one after the other, are as many rows.
    several = "\n".join([json.dumps(record, indent=2)] * 3).encode()
    assert [row.line for row in rows(tmp_path, several)] == [1, 2, 3]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("before", [{}, {"version": 1, "about": {"by": ["x"]}, "t": "[{"}])
@pytest.mark.parametrize("name", ["conversations", "data"])
def test_an_object_that_wraps_a_list_is_its_elements(
    tmp_path: Path, indent: int | None, before: dict[str, Any], name: str
) -> None:
    content = json.dumps({**before, name: [ROW] * 3, "total": [{"n": 3}]}, indent=indent).encode()
    for text in (content, content + b"\n"):
        assert reasons(tmp_path, text) == [None] * 3
    assert reasons(tmp_path, content[:-4])[3:] == [Reason.JSON_ENDS_EARLY.value]


@pytest.mark.parametrize("indent", [None, 2])
def test_turns_under_the_name_of_a_wrapper_are_no_rows(tmp_path: Path, indent: int | None) -> None:
    record = {"id": "a", "conversations": [{"from": "human", "value": "hi"}]}
    (row,) = rows(tmp_path, json.dumps(record, indent=indent).encode())
    assert (row.format, row.reason) == ("ShareGPT", None)


def test_every_line_that_wraps_rows_is_seen(tmp_path: Path) -> None:
    line = json.dumps({"data": [{"x": 1}]}).encode() + b"\n"
    assert reasons(tmp_path, line * 3, "x.jsonl") == [Reason.UNKNOWN_FORMAT.value] * 3


@pytest.mark.parametrize("name", ["x.json", "x.jsonl", "x"])
def test_looking_tells_lines_from_arrays(tmp_path: Path, name: str) -> None:
    line = json.dumps(ROW).encode()
    long = json.dumps({"labels": {"a": "[{" * 60_000}, **ROW}).encode()
    for one in (line, long):
        assert reasons(tmp_path, b"\n  " + one + b"\n" + one, name) == [None, None]
        assert reasons(tmp_path, b" \n[" + one + b",\n" + one + b"]\n", name) == [None, None]
        assert reasons(tmp_path, b"\xef\xbb\xbf[" + one + b"]", name) == [None]
    found = rows(tmp_path, line + b"\n{broken\n" + line, name)
    assert [(row.line, row.reason is None) for row in found] == [(1, True), (2, False), (3, True)]


@pytest.mark.parametrize("broken", [b"{broken", b'{"messages": [{"role": "us', b"garbage", b"}"])
def test_a_broken_first_line_costs_one_row(tmp_path: Path, broken: bytes) -> None:
    line = json.dumps(ROW).encode()
    found = reasons(tmp_path, broken + b"\n" + line + b"\n" + line, "x.jsonl")
    assert found == [Reason.BROKEN_JSON.value, None, None]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_other_unicode_is_read_where_it_says_so(tmp_path: Path, encoding: str) -> None:
    record = {"messages": [{"role": "user", "content": "grüß \U0001f600 ᚠ"}]}
    text = json.dumps(record, ensure_ascii=False)
    for content, name in ((f"[{text},\n{text}]", "x.json"), (f"{text}\n{text}\n", "x.jsonl")):
        found = rows(tmp_path, content.encode(encoding), name)
        said = [row.conversation and row.conversation.messages[0].content for row in found]
        assert said == ["grüß \U0001f600 ᚠ"] * 2


# What breaks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'[{"a": nul}, %b]', "-+"),
        (b"[%b, {'a': 1}, %b]", "+-+"),
        (b'[{"a": "\xff"}, %b]', "-+"),
        (b"[%b %b]", "++"),
        (b"[%b,, %b,]", "++"),
        (b"[%b}, %b]", "++"),
        (b'[{"a": [1, 2}, %b]', "-+"),
        (b'[{"a": {]', "-"),
        (b'[%b, {"a": 1]', "+-"),
        (b"[%b] [%b]\n%b", "+++"),
        (b"[%b, oops %b]", "+-+"),
        (b"[%b] and so on", "+-"),
        (b"[%b", "+-"),
        (b"[%b,", "+-"),
        (b"[", "-"),
        (b"[]", ""),
        (b'[%b, "a,]b", 1]', "+--"),
        (b"[%b, " + b"[" * 3_000 + b"]" * 3_000 + b", %b]", "+-+"),
        (b'[{"a": ' + b"[" * 3_000 + b"}, %b]", "-"),
    ],
)
def test_a_broken_element_is_rejected_alone(tmp_path: Path, text: bytes, expected: str) -> None:
    content = text.replace(b"%b", json.dumps(ROW).encode())
    assert ["+" if r is None else "-" for r in reasons(tmp_path, content)] == list(expected)
    for size in (1, 2, 3, 5, 7, 64):
        assert [
            "+" if reason is None and isinstance(record, dict) else "-"
            for _, record, reason in records(content, size)
        ] == list(expected)


def test_elements_over_the_limit_are_rejected_and_the_next_is_read(tmp_path: Path) -> None:
    row = json.dumps(ROW).encode()
    huge = b'{"a": "' + b"x" * MAX_ROW_BYTES + b'"}'
    found = reasons(tmp_path, b"[" + row + b"," + huge + b"," + row + b"]")
    assert found == [None, Reason.ROW_TOO_LARGE.value, None]
    unclosed = b"[" + row + b',{"a": "' + b"x" * MAX_ROW_BYTES
    assert reasons(tmp_path, unclosed) == [None, Reason.ROW_TOO_LARGE.value]


@pytest.mark.parametrize("container", [JSON, JSONL])
def test_a_large_file_takes_no_more_memory_than_a_small_one(container: Any) -> None:
    line = json.dumps({"messages": [{"role": "user", "content": "x" * 4_000}]}).encode()
    piece = (line + (b",\n" if container is JSON else b"\n")) * 100

    class Endless(Pieces):
        def pieces(self, size: int = PIECE) -> Generator[bytes]:
            yield b"[" if container is JSON else b""
            yield from itertools.repeat(piece, 60)

    tracemalloc.start()
    try:
        blocks = container.blocks(Endless(b"", 1))
        rows = sum(1 for block in blocks for record in block.records(0))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rows == 6_000 + (container is JSON)
    assert peak < 6 * len(piece) < 60 * len(piece)


# Properties

texts = st.text(st.sampled_from('ab"\\\n,:{}[]é😀\0 /u'), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
written = st.tuples(
    st.lists(st.dictionaries(texts, values, max_size=4) | values, max_size=6),
    st.sampled_from([None, 0, 2]),
    st.booleans(),
)


def as_json(values: list[Any], indent: int | None, ascii_only: bool) -> bytes:
    return json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()


@unhurried
@given(written, st.integers(1, 40))
def test_elements_come_back_wherever_the_pieces_end(
    case: tuple[list[Any], int | None, bool], size: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_document, "PEEK", 1)
        found = records(as_json(*case), size)
    assert [record for _, record, _ in found] == case[0]
    assert [number for number, _, _ in found] == list(range(1, len(case[0]) + 1))
    assert not any(reason for _, _, reason in found)


@unhurried
@given(written, st.integers(1, 40), st.data())
def test_arrays_that_break_off_give_what_came_before_and_one_rejected(
    case: tuple[list[Any], int | None, bool], size: int, data: st.DataObject
) -> None:
    content = as_json(*case)
    cut = data.draw(st.integers(1, len(content) - 1))
    *whole, (_, _, last) = records(content[:cut], size)
    assert last is Reason.JSON_ENDS_EARLY
    assert not any(reason for _, _, reason in whole)
    # A number or word may have ended with what was cut off.
    assert [record for _, record, _ in whole] == case[0][: len(whole)]


@unhurried
@given(
    st.lists(st.sampled_from([b"{", b"}", b"[", b"]", b'"', b"\\", b",", b" ", b"\n", b"a", b"1"]))
)
def test_any_bytes_end_as_the_same_rows_wherever_the_pieces_end(parts: list[bytes]) -> None:
    content = b"[" + b"".join(parts)
    whole = records(content, len(content))
    assert [number for number, _, _ in whole] == list(range(1, len(whole) + 1))
    for size in (1, 2, 3):
        assert records(content, size) == whole


@unhurried
@given(content=st.binary(max_size=80), name=st.sampled_from(["x.json", "x.jsonl", "x.json.gz"]))
def test_any_file_reads_the_same_twice(content: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(b"[" + content)
        found = list(read([path]))
        assert list(read([path], skip=1)) == found[1:]
        for row in found:
            assert (row.conversation is None) != (row.reason is None)


def test_lines_are_the_same_wherever_the_pieces_end() -> None:
    content = b"\xef\xbb\xbf" + b'{"a": 1}\r\n\n{"b": "\xc3\xa9"}\n{broken\n \n{"c": 3}'
    whole = records(content, len(content), JSONL)
    assert [number for number, _, _ in whole] == [1, 3, 4, 6]
    for size in range(1, 12):
        assert records(content, size, JSONL) == whole
