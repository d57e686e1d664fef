"""Whatever the machine does to a run: one clear line, nothing lost, and then the same bytes."""

from __future__ import annotations

import errno
import itertools
import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import clio
from clio.errors import ClioError, DiskError, OutOfMemoryError, ReleaseError, RunError
from clio.pipeline import files
from clio.pipeline.failures import explained
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages import STAGES
from clio.testing import write_jsonl
from clio.testing.faults import (
    differences,
    fill,
    free,
    kill_in_stage,
    small_disk,
    start,
)

STAGE_NAMES = [stage.name for stage in STAGES]
ROWS = 400
SETTINGS = clio.Settings(shard_rows=100)
SHARDS = {"CLIO_SHARD_ROWS": "100"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("faults") / "input.jsonl"
    write_jsonl(path, ROWS, seed=11)
    return path


@pytest.fixture(scope="module")
def whole(source: Path) -> Path:
    """A run that nothing happened to. Tests only read it."""
    return clio.run(source, out=source.parent / "whole", settings=SETTINGS).path


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """A copy of it to be damaged."""
    shutil.copytree(whole, tmp_path / "copy", symlinks=True)
    return tmp_path / "copy"


def rerun(source: Path, out: Path, **settings: object) -> clio.Run:
    return clio.run(source, out=out, settings=SETTINGS.model_copy(update=settings))


# Processes


def test_the_command_line_killed_in_a_stage_is_known_to_be_in_it(source, whole, tmp_path):
    """What the benchmark of crashes relies on."""
    out = tmp_path / "run"
    assert kill_in_stage(source, out, STAGE_NAMES, "embed", 0.0, environment=SHARDS) in STAGE_NAMES
    assert {"key", "facets.parquet"} <= {path.name for path in (out / "private").iterdir()}
    assert differences(rerun(source, out).path, whole) == []


def test_a_second_process_is_sent_away_and_a_killed_one_holds_nothing(source, whole, tmp_path):
    out = tmp_path / "run"
    first = start(source, out, "--quiet", environment=SHARDS)
    try:
        while not (out / "run.json").exists():
            time.sleep(0.01)
        first.send_signal(signal.SIGSTOP)  # so that it cannot be through before the second comes
        with pytest.raises(RunError, match="another process"):
            rerun(source, out)
    finally:
        first.kill()
        first.communicate()
    assert differences(rerun(source, out).path, whole) == []


# Disks


def one_line(said: str) -> str:
    lines = said.splitlines()
    assert len(lines) == 1, said
    return lines[0]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    try:
        with small_disk(tmp_path / "disk", 32 * 2**20) as mounted:
            yield mounted
    except PermissionError as reason:
        pytest.skip(str(reason))


def test_a_full_disk_is_one_line_and_space_brings_the_same_bytes(source, whole, disk):
    out = disk / "run"
    process = start(source, out, "--quiet", environment=SHARDS)
    while not (out / "private" / "facets.parquet").exists():
        time.sleep(0.01)
    while process.poll() is None:
        fill(disk)
        time.sleep(0.01)
    _, said = process.communicate()
    assert process.returncode == 1
    assert one_line(said).endswith("[CLIO-DISK]")
    assert "no space left" in said
    assert list(out.rglob(".tmp-*")) == []
    free(disk)
    assert differences(rerun(source, out).path, whole) == []


def test_a_full_disk_is_said_where_sql_spills(disk):
    directory = RunDirectory(disk / "run")
    directory.create()
    fill(disk)
    sql = duckdb.connect(
        config={"temp_directory": str(directory.temporary), "memory_limit": "40MB", "threads": 1}
    )
    with pytest.raises(DiskError, match="no space left"), explained(directory):
        sql.execute("CREATE TABLE t AS SELECT sha256(range::VARCHAR) AS a FROM range(1000000)")


def test_a_read_only_disk_is_said(source, copy, disk):
    shutil.copytree(copy, disk / "run", symlinks=True)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        with pytest.raises(DiskError, match="read-only"):
            rerun(source, disk / "run", base_clusters=6)
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert differences(disk / "run", copy) == []


REFUSALS = [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO, errno.EMFILE]


def test_every_refusal_of_a_write_leaves_what_is_done(source, whole, tmp_path, monkeypatch):
    """Writes fail at random, each time with another error, until the run is through."""
    out, chance, real = tmp_path / "run", random.Random(5), os.fsync
    left = 0
    number = itertools.cycle(REFUSALS)

    def fsync(descriptor: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError(reason := next(number), os.strerror(reason))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    said: list[str] = []
    through = False
    while not through:
        left = chance.randint(3, 45)
        try:
            rerun(source, out)
            through = True
        except DiskError as error:
            said.append(str(error))
    assert len(said) > 1
    assert all(str(out) in one_line(line) for line in said)
    assert list(out.rglob(".tmp-*")) == []
    assert differences(out, whole) == []


def test_a_failed_write_leaves_the_earlier_file_and_nothing_aside(tmp_path):
    path = tmp_path / "table.parquet"
    files.write_bytes(path, b"earlier")

    def fails(aside: Path) -> None:
        aside.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="full"):
        files.atomic_write(path, fails)
    assert [p.name for p in tmp_path.iterdir()] == ["table.parquet"]
    assert path.read_bytes() == b"earlier"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        pa.ArrowMemoryError("malloc of size 64 failed"),
        duckdb.OutOfMemoryException("secret"),
        RuntimeError("can't start new thread"),
        OSError(errno.ENOMEM, "secret"),
    ],
)
def test_lack_of_memory_is_said(error, tmp_path):
    with pytest.raises(OutOfMemoryError) as raised, explained(RunDirectory(tmp_path)):
        raise error
    assert "memory ran out" in one_line(str(raised.value))
    assert "secret" not in str(raised.value)


def test_too_few_files_are_said(source, copy):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = {int(path.name) for path in Path("/proc/self/fd").iterdir()}
    unused = (number for number in range(len(used) + 2) if number not in used)
    next(unused)  # for the lock
    resource.setrlimit(resource.RLIMIT_NOFILE, (next(unused), most[1]))
    try:
        with pytest.raises(DiskError, match="too many open files"):
            rerun(source, copy, seed=1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, most)


# The run directory


class Meddler:
    """Progress that does something to the run when a stage begins."""

    def __init__(self, stage: str, meddle) -> None:
        self.stage, self.meddle = stage, meddle

    def stage_started(self, name: str, total: int | None, unit: str) -> None:
        if name == self.stage:
            self.meddle()

    def advanced(self, amount: int) -> None:
        pass

    def waiting(self, done: int, total: int) -> None:
        pass

    def stage_finished(self, name: str, seconds: float, *, skipped: bool) -> None:
        pass


def _replace(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    shutil.copytree(path.with_name("elsewhere"), path, symlinks=True)


@pytest.mark.parametrize(
    ("meddle", "stands"),
    [
        (shutil.rmtree, False),
        (lambda path: path.rename(path.with_name("elsewhere")), False),
        (_replace, True),
    ],
    ids=["removed", "moved", "replaced"],
)
def test_a_run_that_goes_while_it_is_worked_on_does_not_come_back(source, copy, meddle, stands):
    with pytest.raises(RunError, match="removed or moved") as raised:
        clio.run(
            source,
            out=copy,
            settings=SETTINGS.model_copy(update={"base_clusters": 6}),
            progress=Meddler("layout", lambda: meddle(copy)),
        )
    assert str(copy) in one_line(str(raised.value))
    assert copy.exists() == stands


def test_a_path_through_a_file_or_too_long_is_said(source):
    with pytest.raises(DiskError, match="a part of the path is a file"):
        rerun(source, source / "run")
    with pytest.raises(RunError, match="is a file"):
        rerun(source, source)
    with pytest.raises(DiskError, match="too long"):
        rerun(source, source.parent / ("n" * 300))


def test_a_run_without_permission_is_said(source, tmp_path, monkeypatch):
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(tmp_path / "run"))

    monkeypatch.setattr(Path, "mkdir", denied)
    with pytest.raises(DiskError, match="no permission"):
        rerun(source, tmp_path / "run")


def test_the_owner_alone_whatever_the_umask(source, tmp_path):
    run = tmp_path / "run"
    before = os.umask(0)
    try:
        rerun(source, run)
        os.umask(0o777)
        files.write_bytes(run / "private" / "more" / "file", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((run / "run.json").stat().st_mode) == 0o600
    for tier in (run / "private", run / "restricted"):
        for path in (tier, *tier.rglob("*")):
            expected = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_a_clock_that_jumps_changes_nothing(source, whole, tmp_path, monkeypatch):
    chance = random.Random(1)
    monkeypatch.setattr(time, "time", lambda: chance.uniform(0, 4e9))
    monkeypatch.setattr(time, "time_ns", lambda: chance.randrange(4 * 10**18))
    assert differences(rerun(source, tmp_path / "run").path, whole) == []


@pytest.mark.parametrize("content", [b"", b"{", b'{"state_version": 99}', b"[" * 5000, b"\xff"])
def test_a_damaged_state_is_said(source, copy, content):
    (copy / "run.json").write_bytes(content)
    with pytest.raises(RunError, match=r"run\.json"):
        rerun(source, copy)
    assert (copy / "run.json").read_bytes() == content


def test_a_state_that_is_gone_starts_over_where_nothing_was_released(source, whole, copy):
    (copy / "run.json").unlink()
    with pytest.raises(RunError, match="missing beside releases"):
        rerun(source, copy)
    shutil.rmtree(copy / "releases" / "0001")
    (copy / "release").unlink()
    assert differences(rerun(source, copy).path, whole) == []


def test_a_folder_where_the_link_should_be_is_said_before_any_work(source, copy):
    (copy / "release").unlink()
    shutil.copytree(copy / "releases" / "0001", copy / "release")
    with pytest.raises(ReleaseError, match="move it away"):
        rerun(source, copy, base_clusters=6)
    shutil.rmtree(copy / "release")
    assert rerun(source, copy, base_clusters=6).release().info.number == 2


def test_what_others_put_beside_releases_stays(source, copy):
    (copy / "releases" / "0002").mkdir()
    (copy / "releases" / "0002" / "notes.txt").write_text("mine")
    (copy / "releases" / "7 reasons.txt").write_text("mine")
    (copy / "releases" / ".writing").write_text("a file where a folder is made")
    assert rerun(source, copy, base_clusters=6).release().info.number == 3
    assert (copy / "releases" / "0002" / "notes.txt").read_text() == "mine"
    assert (copy / "releases" / "7 reasons.txt").read_text() == "mine"


# Files changed behind its back

TABLES = [
    "private/conversations.parquet/part-000001.parquet",
    "private/work/rows.parquet/part-000000.parquet",
    "private/facets.parquet/part-000002.parquet",
    "private/work/request/members.parquet",
    "private/work/request/vectors/part-000003.npy",
    "private/work/request/text_leaves.npy",
    "private/work/request/nodes.parquet",
]


@pytest.mark.parametrize(
    ("name", "how"),
    [(name, "cut") for name in TABLES[:5]] + [(name, "gone") for name in TABLES[5:]],
)
def test_a_file_cut_short_or_gone_is_made_again(source, whole, copy, name, how):
    # Before its first release, so that the numbers of clusters are not used up.
    _unrelease(copy)
    path = copy / name
    path.write_bytes(path.read_bytes()[:-100]) if how == "cut" else path.unlink()
    assert differences(rerun(source, copy).path, whole) == []


@pytest.mark.parametrize("name", [TABLES[0], TABLES[3]])
def test_garbage_in_a_table_is_noticed_and_made_again(source, copy, name):
    path = copy / name
    content = bytearray(path.read_bytes())
    content[4:-8] = os.urandom(len(content) - 12)
    path.write_bytes(content)
    with pytest.raises(RunError, match="was damaged") as raised:
        rerun(source, copy, base_clusters=6)
    assert str(path) in one_line(str(raised.value))
    again = rerun(source, copy, base_clusters=6)
    assert sum(again.outcomes.values()) == ROWS


def test_garbage_in_an_array_is_noticed(source, copy):
    path = copy / "private/work/request/text_leaves.npy"
    path.write_bytes(os.urandom(path.stat().st_size))
    with pytest.raises(RunError, match="was damaged"):
        rerun(source, copy, round=5)


def _unrelease(run: Path) -> None:
    """Take a run back to just before its first release."""
    directory = RunDirectory(run)
    directory.load()
    directory.state.release = None
    del directory.state.stages["release"]
    directory.save()
    shutil.rmtree(run / "releases" / "0001")
    (run / "release").unlink()


def test_errors_are_one_line_whatever_a_name_holds():
    for text in ("a\nb", "a\r\x1b[31mb", "a\u2028b", "\udcffa", "a\0b"):
        error = ClioError(text)
        assert one_line(str(error)) == str(error)
        str(error).encode()


def test_arrays_are_written_as_numpy_writes_them(tmp_path):
    array = np.arange(6, dtype=np.float16).reshape(2, 3)
    files.write_array(tmp_path / "a.npy", array)
    np.save(tmp_path / "b.npy", array)
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()
