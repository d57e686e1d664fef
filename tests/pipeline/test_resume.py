"""Same command, same bytes; killed and started again, the same bytes too."""

from __future__ import annotations

import fcntl
import json
import random
import shutil
from pathlib import Path

import pytest
from released import killed_in_stage, release_bytes

import clio
from clio.errors import RunError, SettingsError
from clio.pipeline.stages import STAGES
from clio.testing import write_jsonl
from clio.testing.faults import differences

SETTINGS = clio.Settings(shard_rows=250)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("resume") / "small.jsonl"
    write_jsonl(path, 700, seed=5)
    return path


@pytest.fixture(scope="module")
def whole(source: Path) -> Path:
    """A run that nobody stopped."""
    return clio.run(source, out=source.parent / "whole", settings=SETTINGS).path


def test_the_same_command_gives_the_same_bytes(source, whole, tmp_path):
    again = clio.run(source, out=tmp_path / "again", settings=SETTINGS)
    assert release_bytes(again.path) == release_bytes(whole)


def test_killed_at_a_random_moment_of_each_stage_it_ends_in_the_same_bytes(source, whole, tmp_path):
    out, chance = tmp_path / "killed", random.Random(7)
    seconds = json.loads((whole / "run.json").read_text())["stages"]
    killed = [
        killed_in_stage(
            source, out, SETTINGS, s.name, chance.uniform(0, seconds[s.name]["seconds"])
        )
        for s in STAGES
    ]
    assert any(killed)
    state = json.loads((clio.run(source, out=out, settings=SETTINGS).path / "run.json").read_text())
    assert differences(out, whole) == []
    assert sum(state["outcomes"].values()) == state["stages"]["read"]["rows_in"]
    assert [p.name for p in (out / "releases").iterdir()] == ["0001"]


def test_a_finished_run_is_not_done_again(source, whole, tmp_path):
    shutil.copytree(whole, tmp_path / "copy", symlinks=True)
    said = Recorder()
    clio.run(source, out=tmp_path / "copy", settings=clio.Settings(shard_rows=250), progress=said)
    assert said.carried_out == []
    assert [p.name for p in (tmp_path / "copy" / "releases").iterdir()] == ["0001"]


def test_a_setting_repeats_only_the_stages_after_it(source, whole, tmp_path):
    shutil.copytree(whole, tmp_path / "copy", symlinks=True)
    said = Recorder()
    before = release_bytes(tmp_path / "copy")
    settings = clio.Settings(shard_rows=250, breakdown=("product",))
    result = clio.run(source, out=tmp_path / "copy", settings=settings, progress=said)
    assert said.carried_out == ["release"]
    assert result.release().info.number == 2
    assert release_bytes(tmp_path / "copy") != before
    first = tmp_path / "copy" / "releases" / "0001"
    assert {p.name: p.read_bytes() for p in sorted(first.iterdir())} == before


def test_cluster_ids_are_never_used_again(source, whole, tmp_path):
    shutil.copytree(whole, tmp_path / "copy", symlinks=True)
    before = set(clio.open_release(tmp_path / "copy").clusters["cluster_id"].to_pylist())
    settings = clio.Settings(shard_rows=250, base_clusters=6)
    result = clio.run(source, out=tmp_path / "copy", settings=settings)
    after = set(result.release().clusters["cluster_id"].to_pylist())
    assert before & after == {"__root__"}


def test_another_input_is_refused(whole, tmp_path):
    write_jsonl(tmp_path / "other.jsonl", 100, seed=6)
    with pytest.raises(RunError, match="another input"):
        clio.run(tmp_path / "other.jsonl", out=whole)


def test_two_processes_cannot_work_on_one_run(source, whole):
    with (whole / "private" / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(RunError, match="another process"):
            clio.run(source, out=whole)


def test_a_folder_with_other_files_is_not_touched(source, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="holds other files"):
        clio.run(source, out=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_unknown_label_is_a_clear_error(source, whole, tmp_path):
    shutil.copytree(whole, tmp_path / "copy", symlinks=True)
    with pytest.raises(SettingsError, match="--breakdown nosuch"):
        clio.run(
            source,
            out=tmp_path / "copy",
            settings=clio.Settings(shard_rows=250, breakdown=("nosuch",)),
        )


class Recorder:
    """Progress that remembers which stages were carried out."""

    def __init__(self) -> None:
        self.carried_out: list[str] = []

    def stage_started(self, name: str, total: int | None, unit: str) -> None:
        self.carried_out.append(name)

    def advanced(self, amount: int) -> None:
        pass

    def waiting(self, done: int, total: int) -> None:
        pass

    def stage_finished(self, name: str, seconds: float, *, skipped: bool) -> None:
        pass
