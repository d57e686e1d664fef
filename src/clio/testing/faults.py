"""What machines do to a run, done on purpose, and what a run must come out with all the same.

Runs are started as processes of their own, killed at chosen moments, or given a disk that fills;
afterwards `differences` says whether anything in them depends on that. Later stages and commands
are tested with the same functions.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ENDED: Final = re.compile(r"^(?P<stage>[a-z]+): .*(as before|[\d.]+ s)$")
"""A line of standard error that says that a stage is through."""
_POLL: Final = 0.005
_FILLER: Final = ".filler"
# The key is drawn anew for each run, and the rest says when and where, not what.
_APART: Final = frozenset({"key", ".lock"})
_STAGE_KEYS: Final = ("fingerprint", "done", "rows_in", "rows_out", "outcomes", "details")
_RUN_KEYS: Final = ("input_fingerprint", "outcomes", "settings", "next_cluster_number", "release")


# Processes


def start(
    source: Path,
    out: Path,
    *options: str,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[str]:
    """``clio run`` as a process of its own, which says on standard error when a stage ends.

    Parameters
    ----------
    source, out
        The input and the run directory.
    options
        Further ones of the command line.
    environment
        Variables beside those of this process.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "clio", "run", str(source), "--out", str(out), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | dict(environment or {}),
    )


def finish(
    source: Path, out: Path, *options: str, environment: Mapping[str, str] | None = None
) -> float:
    """Carry a run out to its end; the seconds it took.

    Raises
    ------
    RuntimeError
        It failed; the message holds what it said.
    """
    begun = time.monotonic()
    process = start(source, out, *options, environment=environment)
    _, said = process.communicate()
    if process.returncode:
        raise RuntimeError(f"clio run ended with status {process.returncode}: {said}")
    return time.monotonic() - begun


def kill_in_stage(
    source: Path,
    out: Path,
    stages: Sequence[str],
    stage: str,
    seconds: float,
    *options: str,
    environment: Mapping[str, str] | None = None,
) -> str | None:
    """Start or resume a run and kill it with SIGKILL so long after a stage began.

    Parameters
    ----------
    source, out
        The input and the run directory.
    stages
        Names of all stages, in order.
    stage
        The one whose beginning counts; those before it may be carried out on the way.
    seconds
        How long after its beginning.
    options, environment
        As for `start`.

    Returns
    -------
    str or None
        The stage it was killed in, a later one where the time was longer than `stage` took;
        ``None`` where it had ended by itself.
    """
    before = _identity(out)
    process = start(source, out, *options, environment=environment)
    at = stages.index(stage)
    try:
        if at == 0:
            # The state is written anew when the run has been taken up, just before its stages.
            while _identity(out) == before and process.poll() is None:
                time.sleep(_POLL)
        else:
            _await_end(process, stages[at - 1])
        process.wait(timeout=seconds)
        return None
    except subprocess.TimeoutExpired:
        return kill(process, out, stages)
    finally:
        _close(process)


def kill(process: subprocess.Popen[str], out: Path, stages: Sequence[str]) -> str | None:
    """Kill a run with SIGKILL; the stage that it was in, or ``None`` where it had ended."""
    process.send_signal(signal.SIGKILL)
    return in_progress(out, stages) if process.wait() == -signal.SIGKILL else None


def in_progress(run: Path, stages: Sequence[str]) -> str | None:
    """The first stage of a run that is not done, or ``None`` where all are."""
    record = run / "run.json"
    states = json.loads(record.read_text())["stages"] if record.is_file() else {}
    return next((name for name in stages if not states.get(name, {}).get("done")), None)


def _identity(run: Path) -> tuple[int, int] | None:
    with suppress(FileNotFoundError):
        about = (run / "run.json").stat()
        return about.st_ino, about.st_mtime_ns
    return None


def _await_end(process: subprocess.Popen[str], stage: str) -> None:
    assert process.stderr is not None  # noqa: S101 (as `start` made it)
    for line in process.stderr:
        ended = ENDED.match(line.strip())
        if ended is not None and ended["stage"] == stage:
            return


def _close(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
    if process.stderr is not None:
        process.stderr.close()


# Disks


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """Mount a file system of `size` bytes on `folder` for a while.

    Raises
    ------
    PermissionError
        This process may not mount: it needs to be root, be it of its own namespace
        (``unshare --map-root-user --mount``).
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
            check=True,
            capture_output=True,
        )
    except (subprocess.CalledProcessError, FileNotFoundError):
        raise PermissionError(f"cannot mount a file system on {folder}") from None
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Take whatever space is left on a small disk."""
    descriptor = os.open(disk / _FILLER, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for block in (bytes(2**16), bytes(2**12)):
            with suppress(OSError):
                while os.write(descriptor, block):
                    pass
    finally:
        os.close(descriptor)


def free(disk: Path) -> None:
    """Give back what `fill` took."""
    (disk / _FILLER).unlink(missing_ok=True)


# What must not depend on any of it


def release_bytes(run: Path) -> dict[str, bytes]:
    """Every file of a run's latest release."""
    return {path.name: path.read_bytes() for path in sorted((run / "release").iterdir())}


def differences(run: Path, other: Path) -> list[str]:
    """What two runs of the same input and settings hold differently: names of files.

    The release is compared to the byte; private and restricted tables by their contents, with
    accounts numbered as they come, since each run has a key of its own; and what ``run.json``
    counts. An empty list is what a sound run gives, however often it was interrupted.
    """
    one, two = _contents(run), _contents(other)
    return [name for name in sorted(one | two) if one.get(name) != two.get(name)]


def _contents(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = {f"release/{k}": v for k, v in release_bytes(run).items()}
    codes = _codes_of_accounts(run)
    for tier in ("private", "restricted"):
        for path in sorted((run / tier).rglob("*")):
            if not path.is_file() or path.name in _APART:
                continue
            name = str(path.relative_to(run))
            tabular = path.suffix == ".parquet"
            found[name] = _table(path, codes) if tabular else path.read_bytes()
    state = json.loads((run / "run.json").read_text())
    found["run.json"] = {key: state[key] for key in _RUN_KEYS} | {
        name: {key: stage[key] for key in _STAGE_KEYS} for name, stage in state["stages"].items()
    }
    return found


def _codes_of_accounts(run: Path) -> dict[str, int]:
    codes: dict[str, int] = {}
    for part in sorted((run / "private" / "conversations.parquet").glob("part-*")):
        for name in pq.read_table(part, columns=["account"])["account"].to_pylist():
            codes.setdefault(name, len(codes))
    return codes


def _table(path: Path, codes: Mapping[str, int]) -> pa.Table:
    table = pq.read_table(path, partitioning=None)
    for at, field in enumerate(table.schema):
        values = table.column(at).combine_chunks()
        if field.name == "account" and pa.types.is_string(field.type):
            values = pa.array([codes[name] for name in values.to_pylist()], pa.int64())
        elif field.name == "account":
            # Numbers in the order of the pseudonyms, which is the key's.
            values = pc.dictionary_encode(values).indices
        elif field.name == "accounts" and pa.types.is_list(field.type):
            values = pa.array([sorted(codes[n] for n in names) for names in values.to_pylist()])
        table = table.set_column(at, field.name, values)
    return table
