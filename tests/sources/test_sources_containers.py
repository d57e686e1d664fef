"""Archives, standard input, and folders that hold all sorts: what is read, what is passed over."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import struct
import sys
import threading
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from clio.errors import InputError, SettingsError
from clio.sources import Reason, Row, expand, fingerprint, read
from clio.sources.blobs import LocalFile

SAMPLES = Path(__file__).parent / "samples"
LINE = b'{"messages": [{"role": "user", "content": "hello"}]}\n'
ARRAY = b"[" + LINE + b"," + LINE + b"]"
DAMAGED = Reason.DAMAGED_ARCHIVE.value


def parquet(rows: int) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"messages": [[{"role": "user", "content": "x"}]] * rows}), sink)
    return sink.getvalue()


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two members of one name
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in members.items():
                archive.writestr(name.rstrip("+"), content)
    return path


def all_rows(*inputs: str | Path) -> list[Row]:
    return list(read(expand(inputs)))


# Zip


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_members_of_a_zip_are_read_where_they_lie(tmp_path: Path, method: int) -> None:
    members = {
        "a/lines.jsonl": LINE * 3,
        "array.json": ARRAY,
        "table.parquet": parquet(4),
        "lines.jsonl.gz": gzip.compress(LINE * 2),
        "lines": zstandard.compress(LINE),
        "table": gzip.compress(parquet(2)),
    }
    path = zipped(tmp_path / "all.zip", members, method)
    found = expand([path])
    assert [item.name for item in found] == [f"{path}/{name}" for name in members]
    assert [item.container.name for item in found] == [
        "JSON Lines",
        "JSON",
        "Parquet",
        "JSON Lines",
        "JSON Lines",
        "Parquet",
    ]
    rows = list(read(found))
    assert [row.reason for row in rows] == [None] * 14
    assert [row.line for row in rows] == [1, 2, 3, 1, 2, 1, 2, 3, 4, 1, 2, 1, 1, 2]
    for skip in (1, 3, 4, 8, 13, 14):
        assert list(read(found, skip=skip)) == rows[skip:]
    assert list(tmp_path.iterdir()) == [path]


def test_hostile_names_change_nothing(tmp_path: Path) -> None:
    names = (
        "../../up.jsonl",
        "/etc/passwd.jsonl",
        "a\\b.jsonl",
        "x.jsonl",
        "x.jsonl+",
        "é\n.jsonl",
    )
    path = zipped(tmp_path / "all.zip", dict.fromkeys(names, LINE))
    rows = all_rows(path)
    assert len(rows) == len(names)
    assert len({row.conversation.conversation_id for row in rows if row.conversation}) == 5
    assert list(tmp_path.iterdir()) == [path]


def test_what_holds_no_conversation_in_an_archive_is_told(tmp_path: Path) -> None:
    members = {
        "conversations.json": ARRAY,
        "user.json": b'{"id": "u", "email": "a@b.c"}',
        "shopping.json": b"[]",
        "chat.html": b"<html>",
        "image.png": b"\x89PNG",
        "notes.jsonl": b"",
        "inner.zip": zipped(tmp_path / "inner.zip", {"a.jsonl": LINE}).read_bytes(),
        "__MACOSX/._conversations.json": b"\0\5",
        "table.json": b"a,b\n1,2\n",
    }
    path = zipped(tmp_path / "export.zip", members)
    found = expand([path])
    assert [item.name for item in found] == [f"{path}/conversations.json"]
    assert {name.removeprefix(f"{path}/"): what for name, what in found.passed_over} == {
        "user.json": "JSON without conversations",
        "shopping.json": "JSON without conversations",
        "chat.html": "a .html file",
        "image.png": "a .png file",
        "notes.jsonl": "empty",
        "inner.zip": "an archive inside an archive",
        "table.json": "a CSV table",
    }
    # With a format named, no JSON is passed over for its rows: the user knows better.
    named = [
        item.name.removeprefix(f"{path}/") for item in expand([path], format="openai messages")
    ]
    assert named == ["conversations.json", "user.json", "shopping.json"]


@pytest.mark.parametrize("provider", ["chatgpt", "claude"])
def test_an_export_reads_the_same_packed_and_unpacked(tmp_path: Path, provider: str) -> None:
    files = {file.name: file.read_bytes() for file in sorted((SAMPLES / provider).iterdir())}
    packed = all_rows(zipped(tmp_path / "export.zip", files))
    loose = all_rows(SAMPLES / provider)
    assert [row.reason for row in packed] == [None] * len(packed)
    assert [row.conversation and row.conversation.messages for row in packed] == [
        row.conversation and row.conversation.messages for row in loose
    ]


def test_archives_without_conversations_say_what_they_hold(tmp_path: Path) -> None:
    for name, members, said in (
        ("a.zip", {"x.png": b"", "y.csv": b"a,b"}, r"2 files \(a .png file, a .csv file\)"),
        ("b.zip", {}, "no files"),
        ("c.docx", {"[Content_Types].xml": b"", "word/document.xml": b""}, "Office document"),
    ):
        with pytest.raises(InputError, match=said):
            expand([zipped(tmp_path / name, members)])
    path = zipped(tmp_path / "d.zip", {"x.jsonl": LINE})
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the member's flags, where it lies and in the directory
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"one file \(encrypted\)"):
        expand([path])
    (tmp_path / "e.jsonl").write_bytes(LINE)
    found = expand([tmp_path])
    assert [item.blob.source for item in found] == ["e.jsonl"]
    assert len(found.passed_over) == 4


def test_a_zip_cut_at_any_place_is_one_rejected_row(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "x.zip", {"a.jsonl": LINE * 2, "b.json": ARRAY}).read_bytes()
    path = tmp_path / "cut.zip"
    for cut in range(4, len(whole)):
        path.write_bytes(whole[:cut])
        (row,) = all_rows(path)
        assert (row.file, row.line, row.reason) == (str(path), 1, DAMAGED)


def test_a_byte_changed_anywhere_in_a_zip_never_raises(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "x.zip", {"a.jsonl": LINE * 2, "b.json": ARRAY}).read_bytes()
    path = tmp_path / "changed.zip"
    for at in range(4, len(whole)):
        for bit in (1, 128):
            changed = bytearray(whole)
            changed[at] ^= bit
            path.write_bytes(changed)
            # Where no name of a member is left, that is told instead.
            with suppress(InputError):
                for row in all_rows(path):
                    assert (row.conversation is None) != (row.reason is None)


def test_members_that_expand_too_far_are_cut(tmp_path: Path) -> None:
    bomb = LINE * 100_000
    for member in (bomb, gzip.compress(bomb), gzip.compress(gzip.compress(bomb))):
        path = zipped(tmp_path / "bomb.zip", {"x.jsonl": member, "y.jsonl": LINE})
        rows = [row.reason for row in all_rows(path)]
        assert len(rows) < 100_000
        assert rows[-1] is None
        if member is bomb:
            assert rows[-2] == Reason.EXPANDS_TOO_FAR.value


def test_members_over_each_other_are_rejected(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"a.jsonl": LINE * 9, "b.jsonl": LINE * 9})
    content = bytearray(path.read_bytes())
    second = content.rindex(b"PK\1\2")
    content[second + 42 : second + 46] = struct.pack("<I", 0)  # where the member lies
    path.write_bytes(content)
    assert [row.reason for row in all_rows(path)] == [None] * 9 + [DAMAGED]


def test_an_archive_is_one_account_and_keeps_its_fingerprint_where_it_moves(
    tmp_path: Path,
) -> None:
    path = zipped(tmp_path / "export.zip", {"a.jsonl": LINE, "b.jsonl": LINE})
    found = expand([path])
    assert {item.blob.holder for item in found} == {"export.zip"}
    assert [item.blob.source for item in found] == ["export.zip/a.jsonl", "export.zip/b.jsonl"]
    before = fingerprint(found)
    (tmp_path / "there").mkdir()
    assert fingerprint(expand([path.rename(tmp_path / "there" / "export.zip")])) == before
    zipped(tmp_path / "there" / "export.zip", {"a.jsonl": LINE * 2, "b.jsonl": LINE})
    assert fingerprint(expand([tmp_path / "there"])) != before


def test_many_archives_need_few_open_files(tmp_path: Path) -> None:
    for number in range(80):
        zipped(tmp_path / f"{number}.zip", {"a.jsonl": LINE, "b.jsonl": LINE})
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0  # noqa: PTH208
    found = expand([tmp_path])
    most = 0
    for _ in read(found):
        if before:
            most = max(most, len(os.listdir("/proc/self/fd")))  # noqa: PTH208
    assert len(found) == 160
    assert most <= before + 5


# Cut archives


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("array", [False, True], ids=["lines", "array"])
def test_archives_cut_at_any_place_give_rows_and_one_rejected(
    tmp_path: Path, pack: Any, array: bool
) -> None:
    lines = [json.dumps({"messages": [], "labels": {"n": n * 7919 % 997}}) for n in range(60)]
    text = f"[{','.join(lines)}]" if array else "\n".join(lines) + "\n"
    whole = pack(text.encode())
    path = tmp_path / ("x.json" if array else "x.jsonl")
    for cut in range(4, len(whole), 3):
        path.write_bytes(whole[:cut])
        *rows, last = read([path])
        assert last.reason == Reason.ENDS_EARLY.value
        assert last.line == len(rows) + 1 or not array
        assert [row.conversation and row.conversation.labels for row in rows] == [
            json.loads(line)["labels"] for line in lines[: len(rows)]
        ]


def test_other_archives_say_so(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl.bz2"
    path.write_bytes(bz2.compress(LINE))
    with pytest.raises(InputError, match="bzip2"):
        expand([path])


class _Failing(io.BytesIO):
    """A file on a disk that fails, or behind a network that went away."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("name", ["x.parquet", "x.zip"])
def test_what_cannot_be_read_is_not_taken_for_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(parquet(3))
    if name == "x.zip":
        zipped(path, {"a.jsonl": LINE})
    found = expand([path])
    monkeypatch.setattr(LocalFile, "seekable", lambda self: _Failing(path.read_bytes()))
    with pytest.raises(InputError, match="Input/output error"):
        list(read(found))
    if name == "x.zip":
        with pytest.raises(InputError, match="Input/output error"):
            expand([path])


# Standard input


class _Piped(io.TextIOWrapper):
    def __init__(self, content: bytes, *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(content))
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    "content",
    [LINE * 2, gzip.compress(LINE * 2), ARRAY, parquet(2)],
    ids=["lines", "gzip", "array", "parquet"],
)
def test_standard_input_is_looked_at_like_a_file(
    monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    prints = set()
    for _ in range(2):
        monkeypatch.setattr(sys, "stdin", _Piped(content))
        found = expand(["-", "-"])
        prints.add(fingerprint(found))
        rows = list(read(found))
        assert [(row.file, row.line, row.reason) for row in rows] == [
            ("standard input", 1, None),
            ("standard input", 2, None),
        ]
        assert list(read(found, skip=1)) == rows[1:]
    assert len(prints) == 1


def test_standard_input_may_be_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = zipped(tmp_path / "x.zip", {"a.jsonl": LINE, "b.json": ARRAY})
    monkeypatch.setattr(sys, "stdin", _Piped(archive.read_bytes()))
    assert [row.reason for row in all_rows("-", "-")] == [None] * 3


def test_standard_input_that_holds_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for stdin, said in (
        (_Piped(b"", terminal=True), "is a terminal"),
        (_Piped(b""), "standard input is empty"),
        (_Piped(b"a,b\n1,2\n"), "standard input is a CSV table"),
        (None, "no standard input"),
    ):
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(InputError, match=said):
            expand(["-"])


def test_named_pipes_are_read_once_and_kept(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(LINE * 3,))
    writer.start()
    found = expand([pipe])
    writer.join()
    assert len(list(read(found))) == len(list(read(found))) == 3
    # In a folder nobody may ever write into one.
    (tmp_path / "x.jsonl").write_bytes(LINE)
    found = expand([tmp_path])
    assert len(found) == 1
    assert found.passed_over == ((str(pipe), "not a regular file"),)


def test_an_archive_that_changed_since_it_was_looked_at(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", {"a.jsonl": LINE, "b.jsonl": LINE})
    found = expand([path])
    path.write_bytes(b"PK")
    assert [row.reason for row in read(found)] == [DAMAGED] * 2
    path.unlink()
    with pytest.raises(InputError, match="No such file"):
        list(read(found))


# Folders


def test_a_folder_that_mixes_everything(tmp_path: Path) -> None:
    files = {
        "a.jsonl": LINE,
        "b.json": ARRAY,
        "c.parquet": parquet(2),
        "d.jsonl.zst": zstandard.compress(LINE),
        "e": LINE,
        "f.csv": b"a,b",
        "g.jsonl": b"%PDF",
        "h.json": json.dumps({"name": "package", "version": 1}, indent=2).encode(),
        "i.json": b'["a", "b"]',
        "j.json": b"[{broken",
        "LICENSE": b"Do what you want.",
        ".git/x.jsonl": LINE,
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    zipped(tmp_path / "k.zip", {"x.jsonl": LINE, "y.txt": b"z"})
    found = expand([tmp_path])
    passed = {name.removeprefix(f"{tmp_path}/"): what for name, what in found.passed_over}
    assert passed == {
        "LICENSE": "text that does not begin with a JSON object",
        "f.csv": "a .csv file",
        "g.jsonl": "a PDF document",
        "h.json": "JSON without conversations",
        "i.json": "JSON without conversations",
        "k.zip/y.txt": "a .txt file",
    }
    rows = list(read(found))
    assert [row.reason for row in rows if row.reason] == [Reason.JSON_ENDS_EARLY.value]
    assert len(rows) == 1 + 2 + 2 + 1 + 1 + 1 + 1
    # A pattern is like a folder; a file that is named is read or refused.
    assert [i.name for i in expand([str(tmp_path / "[a-j]*")])] == [
        i.name for i in found if "k.zip" not in i.name
    ]
    for name in ("f.csv", "g.jsonl"):
        with pytest.raises(InputError, match="expected"):
            expand([tmp_path / name])
    assert [row.reason for row in all_rows(tmp_path / "h.json")] == [Reason.UNKNOWN_FORMAT.value]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_stops(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(LINE)
    path.chmod(0)
    for named in (path, tmp_path):
        with pytest.raises(InputError, match="Permission denied"):
            expand([named])


# Formats by name


def test_a_format_that_is_named_reads_every_row(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(LINE + b'{"conversation": [{"role": "user", "content": "a"}]}\n')
    rows = [(row.format, row.reason) for row in read([path], format="lmsys-chat-1m")]
    assert rows == [("LMSYS-Chat-1M", Reason.NO_MESSAGES.value), ("LMSYS-Chat-1M", None)]
    assert [row.format for row in read([path])] == ["OpenAI messages", "ShareGPT"]
    for call in (lambda: expand([path], format="x"), lambda: list(read([path], format="unknown"))):
        with pytest.raises(SettingsError, match="LMSYS"):
            call()
