"""Files found, told apart and read: what the user named becomes rows."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from clio.errors import InputError
from clio.sources import MAX_ROW_BYTES, Reason, expand, fingerprint, read

DATA = Path(__file__).parents[3] / "shared" / "data"
LINE = b'{"messages": [{"role": "user", "content": "hello"}]}\n'
TAR = b"a.jsonl".ljust(257, b"\0") + b"ustar"


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def reasons(path: Path) -> list[str | None]:
    return [row.reason for row in read([path])]


def test_folders_are_searched_in_order_and_strangers_passed_over(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a/z.jsonl", "a/c.jsonl.gz", "README.md", ".hidden.jsonl"):
        content = gzip.compress(LINE) if name.endswith("gz") else LINE
        write(tmp_path / name, content)
    found = expand([tmp_path])
    names = [item.name.removeprefix(f"{tmp_path}/") for item in found]
    assert names == ["a/c.jsonl.gz", "a/z.jsonl", "b.jsonl"]
    assert found.passed_over == ((f"{tmp_path}/README.md", "a .md file"),)


def test_patterns_are_expanded_sorted_and_a_file_counts_once(tmp_path: Path) -> None:
    for name in ("2.jsonl", "1.jsonl", "sub/3.jsonl"):
        write(tmp_path / name, LINE)
    found = expand([tmp_path / "2.jsonl", str(tmp_path / "**" / "*.jsonl"), tmp_path])
    assert [item.blob.source for item in found] == ["2.jsonl", "1.jsonl", "3.jsonl"]


@pytest.mark.parametrize(
    ("name", "content", "seen"),
    [
        ("x.txt", b"dear diary", "text that does not begin with a JSON object"),
        ("x.json", b"dear diary", "text that does not begin with a JSON object"),
        ("x.jsonl", b"%PDF-1.7\n%\xff", "a PDF document"),
        ("x.db", b"SQLite format 3\0", "an SQLite database"),
        ("x.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
        ("x.png", b"\x89PNG\r\n\x1a\n", "an image"),
        ("x.tar", TAR, "a tar archive"),
        ("x.tgz", gzip.compress(TAR, mtime=0), "compressed file of a tar"),
        ("x.html", b"\n<!DOCTYPE html>\n<html>", "an HTML page"),
        ("x.xml", b"<?xml version='1.0'?>", "XML"),
        ("x.yml", b"name: a\nmessages:\n  - role: user\n", "text"),
        ("x.yaml", b"---\na: 1\n", "YAML"),
        ("x.csv", b"id,text\n1,dear diary\n2,b\n", "a CSV table"),
        ("x.jsonl", b'id,"the text"\n1,"dear, diary"\n2,b\n', "a CSV table"),
        ("y.csv", b"id;text\n1;dear diary\n", "a CSV table"),
        ("x.tsv", b"id\ttext\r\n1\tdear diary\r\n", "a TSV table"),
        ("x.jsonl", b"", "empty"),
        ("x.jsonl.gz", gzip.compress(b" \n", mtime=0), "empty"),
        ("x.bin", b"\0\1\2", "binary data"),
        ("x.gz", gzip.compress(b"dear diary", mtime=0), "a compressed file of text"),
        ("x.parquet", b"not Parquet at all", "text that does not begin"),
    ],
)
def test_unknown_kinds_say_what_was_seen_and_expected(
    tmp_path: Path, name: str, content: bytes, seen: str
) -> None:
    with pytest.raises(InputError, match=seen) as caught:
        expand([write(tmp_path / name, content)])
    assert "expected" in str(caught.value)
    assert "dear diary" not in str(caught.value)


def test_nothing_found_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "only" / "notes.txt", b"text")
    (tmp_path / "bare").mkdir()
    for nothing, said in (
        ([], "no input"),
        ([tmp_path / "none.jsonl"], "no such file"),
        ([str(tmp_path / "*.jsonl")], "no file matches"),
        ([tmp_path], r"one file \(a .txt file\)"),
        ([tmp_path / "bare"], "holds no files"),
    ):
        with pytest.raises(InputError, match=said):
            expand(nothing)


def test_the_name_does_not_matter_where_the_bytes_tell(tmp_path: Path) -> None:
    packed = zstandard.compress(LINE)
    for name, content in (("a.txt", LINE), ("b.jsonl", gzip.compress(LINE)), ("c", packed)):
        (row,) = read(expand([write(tmp_path / name, content)]))
        assert row.reason is None


def test_blank_lines_are_numbered_but_are_no_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", b"\xef\xbb\xbf" + LINE + b"\n  \r\n" + LINE.strip())
    assert [(row.line, row.reason) for row in read([path])] == [(1, None), (4, None)]
    assert {row.file for row in read([path])} == {str(path)}


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    empty = write(tmp_path / "x.jsonl", b"")
    assert reasons(empty) == []
    write(tmp_path / "y.jsonl", LINE)
    assert expand([tmp_path]).passed_over == ((str(empty), "empty"),)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{broken", Reason.BROKEN_JSON),
        (b'{"messages": [], "x": NaN}', Reason.BROKEN_JSON),
        (b'{"messages": "\xff"}', Reason.BROKEN_UTF8),
        (b"[1, 2]", Reason.NOT_AN_OBJECT),
        (b"{}", Reason.UNKNOWN_FORMAT),
        (b'{"messages": {}}', Reason.MESSAGES_NOT_A_LIST),
        (b'{"messages": [1]}', Reason.MESSAGE_NOT_AN_OBJECT),
        (b'{"messages": [{"role": "king", "content": ""}]}', Reason.UNKNOWN_ROLE),
        (b'{"messages": [{"role": ["user"], "content": ""}]}', Reason.UNKNOWN_ROLE),
        (b'{"messages": [{"role": "user", "content": 1}]}', Reason.BAD_CONTENT),
        (b'{"messages": [{"role": "user", "content": [1]}]}', Reason.BAD_CONTENT),
        (b'{"messages": [], "conversation_id": true}', Reason.BAD_ID),
        (b'{"messages": [], "user_id": [1]}', Reason.BAD_USER),
        (b'{"messages": [], "created_at": "soon"}', Reason.BAD_TIME),
        (b'{"messages": [], "created_at": 17}', Reason.BAD_TIME),
        (b'{"messages": [], "created_at": "0001-01-01"}', Reason.TIME_OUT_OF_RANGE),
        (b'{"messages": [], "labels": "red"}', Reason.BAD_LABELS),
        (
            b'{"messages": [], "labels": {"a": ' + b"[" * 99 + b"]" * 99 + b"}}",
            Reason.LABELS_TOO_DEEP,
        ),
    ],
)
def test_a_row_that_cannot_be_read_says_why(tmp_path: Path, line: bytes, reason: Reason) -> None:
    path = write(tmp_path / "x.jsonl", LINE + line + b"\n" + LINE)
    assert reasons(path) == [None, reason.value, None]


def test_rows_over_the_limit_are_rejected_and_the_next_is_read(tmp_path: Path) -> None:
    huge = b'{"messages": [{"role": "user", "content": "' + b"x" * MAX_ROW_BYTES + b'"}]}\n'
    path = write(tmp_path / "x.jsonl.zst", zstandard.compress(LINE + huge + LINE))
    plain = write(tmp_path / "x.jsonl", LINE + huge + LINE + huge.strip())
    too_large = Reason.ROW_TOO_LARGE.value
    assert reasons(plain) == [None, too_large, None, too_large]
    # Compressed, the same rows are an archive that expands too far.
    assert reasons(path)[-1] == Reason.EXPANDS_TOO_FAR.value


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_archives_that_break_off_give_what_came_before(tmp_path: Path, pack) -> None:
    lines = [json.dumps({"messages": [], "labels": {"n": hash_of(n)}}) for n in range(20_000)]
    packed = pack("\n".join(lines).encode())
    whole = write(tmp_path / "whole.jsonl", packed)
    half = write(tmp_path / "half.jsonl", packed[: len(packed) // 2])
    read_whole, read_half = list(read([whole])), list(read([half]))
    assert len(read_whole) == 20_000
    assert 1_000 < len(read_half) < 15_000
    assert [r.conversation.labels for r in read_half[:-1] if r.conversation] == [
        r.conversation.labels for r in read_whole[: len(read_half) - 1] if r.conversation
    ]
    assert (read_half[-1].line, read_half[-1].reason) == (len(read_half), Reason.ENDS_EARLY.value)


def hash_of(number: int) -> str:
    """Text that compresses badly."""
    return fingerprint([])[:8] + str(number * 7_919_777_777 % 999_983_333)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_members_in_a_row_read_as_one_file(tmp_path: Path, pack) -> None:
    path = write(tmp_path / "x.jsonl", pack(LINE) + pack(LINE[:20]) + pack(LINE[20:]) + b"\0" * 9)
    assert reasons(path) == [None, None]


def test_damaged_archives_end_with_one_rejected_row(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(LINE))
    packed[-6] ^= 1  # the checksum
    path = write(tmp_path / "x.jsonl.gz", bytes(packed))
    assert reasons(path)[-1] == Reason.DAMAGED_ARCHIVE.value


def test_archives_that_expand_too_far_are_cut(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl.gz", gzip.compress(LINE * 100_000))
    rows = reasons(path)
    assert rows[-1] == Reason.EXPANDS_TOO_FAR.value
    assert set(rows[:-1]) <= {None}
    assert len(rows) < 100_000


def test_skip_passes_over_rows_across_files_with_the_same_numbers(tmp_path: Path) -> None:
    one = write(tmp_path / "1.jsonl", (LINE + b"\n{broken\n") * 3)
    table = pa.table({"conversation_id": [str(n) for n in range(2_500)], "messages": [[]] * 2_500})
    two = tmp_path / "2.parquet"
    pq.write_table(table, two, row_group_size=1_000)
    three = write(tmp_path / "3.jsonl.gz", gzip.compress(LINE * 4))
    paths = [one, two, three]
    rows = list(read(paths))
    assert len(rows) == 6 + 2_500 + 4
    for skip in (0, 1, 5, 6, 7, 1_006, 1_500, 2_505, 2_506, 2_509, 2_510, 9_999):
        assert list(read(paths, skip=skip)) == rows[skip:]


def test_made_ids_depend_on_name_row_and_content_but_not_on_the_place(tmp_path: Path) -> None:
    def ids(path: Path) -> list[str]:
        return [row.conversation.conversation_id for row in read([path]) if row.conversation]

    first = ids(write(tmp_path / "here" / "x.jsonl", LINE * 2))
    assert ids(write(tmp_path / "there" / "x.jsonl", LINE * 2)) == first
    assert len(set(first)) == 2
    assert not set(first) & set(ids(write(tmp_path / "y.jsonl", LINE * 2)))
    other = LINE.replace(b"hello", b"goodbye")
    assert not set(first) & set(ids(write(tmp_path / "z" / "x.jsonl", other * 2)))


def test_fingerprint_knows_names_contents_and_order(tmp_path: Path) -> None:
    one = write(tmp_path / "1.jsonl", LINE)
    two = write(tmp_path / "2.jsonl", LINE * 2)
    moved = write(tmp_path / "moved" / "1.jsonl", LINE)
    prints = [fingerprint(paths) for paths in ([one], [one, two], [two, one], [two])]
    assert len(set(prints)) == 4
    assert fingerprint([moved]) == prints[0]
    with pytest.raises(InputError):
        fingerprint([tmp_path / "none"])


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")
def test_real_files_are_read_whole() -> None:
    rows = list(read(expand([DATA])))
    assert len(rows) == 22_500 + 2_312 + 1_500 + 2_080
    assert not any(row.reason for row in rows)
