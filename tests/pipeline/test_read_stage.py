"""The read stage alone: every row accounted for, whatever the input is, however often it is cut."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from clio.conversation import Outcome
from clio.errors import InputError
from clio.pipeline.progress import NoProgress
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import Context, Report
from clio.pipeline.stages import read as read_stage
from clio.pipeline.stages.read import READ, conversations_folder, ledger_folder
from clio.settings import Settings
from clio.sources import expand
from clio.testing import as_record, generate


def context(inputs: list[str | Path], out: Path, **settings: object) -> Context:
    directory = RunDirectory(out)
    directory.create()
    return Context(directory, Settings(**settings), expand(inputs), NoProgress())


def export(path: Path, rows: int = 300) -> Path:
    """An archive of an array and of lines, with rows of all sorts and files of other kinds."""
    records = [json.dumps(as_record(item)) for item in generate(rows, seed=3)]
    array = f'[{",".join(records[: rows // 2])}, 7, {{"a": nul}}]'
    lines = "\n".join([*records[rows // 2 :], "{broken", records[0], '{"messages": []}'])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", array)
        archive.writestr("b.jsonl", lines)
        archive.writestr("user.json", '{"id": 1}')
        for number in range(20):
            archive.writestr(f"{number}.png", b"")
    return path


def accounted(report: Report, directory: RunDirectory) -> None:
    assert report.rows_out + sum(report.outcomes.values()) == report.rows_in
    rejected = (directory.private / "rejected.jsonl").read_bytes().splitlines()
    assert len(rejected) == report.outcomes.get(Outcome.REJECTED, 0)
    ledger = pq.read_table(ledger_folder(directory))
    assert ledger["row"].to_pylist() == list(range(report.rows_in))
    kept = pq.read_table(conversations_folder(directory))
    assert kept["conversation_id"].to_pylist() == [
        row["conversation_id"] for row in ledger.to_pylist() if row["outcome"] is None
    ]


def test_rows_of_an_archive_are_accounted_for(tmp_path: Path) -> None:
    given = context([export(tmp_path / "export.zip")], tmp_path / "run", shard_rows=64)
    report = READ.run(given)
    accounted(report, given.directory)
    assert report.rows_in == 300 + 5
    assert report.details["rejected"] == {"broken JSON": 2, "row is not an object": 1}
    assert report.details["passed_over"] == [
        [f"{tmp_path}/export.zip/user.json", "JSON without conversations"],
        ["20 files", "a .png file"],
    ]
    rejected = (given.directory.private / "rejected.jsonl").read_bytes().splitlines()
    places = [json.loads(line) for line in rejected]
    assert [(row["file"].rpartition("/")[2], row["line"]) for row in places] == [
        ("a.json", 151),
        ("a.json", 152),
        ("b.jsonl", 151),
    ]


@pytest.mark.parametrize("piped", [False, True])
def test_a_stage_that_was_cut_goes_on_and_ends_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piped: bool
) -> None:
    path = export(tmp_path / "export.zip")

    def given(name: str) -> Context:
        if not piped:
            return context([path], tmp_path / name, shard_rows=50)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
        return context(["-"], tmp_path / name, shard_rows=50)

    whole = given("whole")
    report = READ.run(whole)
    for cut in range(1, 7):
        directory = given(f"cut{cut}").directory
        directory.write_private_key(whole.directory.private_key() or b"")
        left = iter(range(cut))
        write = read_stage._Shard.write

        def killing(shard, where, index, left=left, write=write) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt
            write(shard, where, index)

        stopped = given(f"cut{cut}")
        with monkeypatch.context() as patch:
            patch.setattr(read_stage._Shard, "write", killing)
            with pytest.raises(KeyboardInterrupt):
                READ.run(stopped)
        again = READ.run(given(f"cut{cut}"))
        assert again == report
        for folder in (ledger_folder, conversations_folder):
            assert [part.read_bytes() for part in sorted(folder(directory).iterdir())] == [
                part.read_bytes() for part in sorted(folder(whole.directory).iterdir())
            ]


def test_an_input_without_conversations_says_why(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{broken\n{"messages": []}\n{"a": 1}\n{broken\n')
    with pytest.raises(InputError, match=r"3 rejected \(2 broken JSON, 1 ") as caught:
        READ.run(context([path], tmp_path / "run"))
    assert "1 skipped (nothing a requester said)" in str(caught.value)
    cut = tmp_path / "y.zip"
    cut.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InputError, match=r"1 rejected \(archive is damaged\)"):
        READ.run(context([cut], tmp_path / "other"))


def test_a_format_that_is_named_is_the_only_one(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"conversation": [{"role": "user", "content": "hello"}], "messages": null}\n')
    with pytest.raises(InputError, match="messages are missing"):
        READ.run(context([path], tmp_path / "run"))
    given = context([path], tmp_path / "other", format="LMSYS-Chat-1M")
    assert READ.run(given).rows_out == 1
