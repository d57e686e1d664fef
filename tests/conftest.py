"""Runs that several tests look at, made once for all workers."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest

import clio
from clio.testing import write_jsonl

DEMO_ROWS = 4_000

# How long an example takes says how busy the machine is; the same examples every time.
hypothesis.settings.register_profile(
    "clio",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("clio")


@contextmanager
def _made_once(folder: Path) -> Iterator[Path | None]:
    """Give the folder to the first worker that asks, `None` to those after it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / ".done"
        yield None if done.exists() else folder
        done.touch()


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this test session share."""
    base = tmp_path_factory.getbasetemp()
    # Workers have a folder each within the session's; without workers the folder is the session's.
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "clio-runs"


@pytest.fixture(scope="session")
def demo_input(shared_folder: Path) -> Path:
    """Generated conversations with accounts, dates and labels."""
    with _made_once(shared_folder / "input") as folder:
        if folder is not None:
            write_jsonl(folder / "demo.jsonl", DEMO_ROWS, seed=1)
    return shared_folder / "input" / "demo.jsonl"


@pytest.fixture(scope="session")
def demo_run(shared_folder: Path, demo_input: Path) -> Path:
    """A run over `demo_input`. Tests only read it."""
    with _made_once(shared_folder / "demo") as folder:
        if folder is not None:
            settings = clio.Settings(breakdown=("product",), shard_rows=1000)
            clio.run(demo_input, out=folder / "run", settings=settings)
    return shared_folder / "demo" / "run"
