"""The gate fails closed: whatever breaks on the way to a release, nothing of it is seen."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clio.auditing import auditing
from clio.errors import ReleaseError
from clio.pipeline.facets import restored
from clio.pipeline.progress import NoProgress
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import Context
from clio.pipeline.stages import release as stage
from clio.privacy import grids, titles
from clio.privacy.gate import GateInput
from clio.release import write
from clio.settings import settings_from
from clio.sources import Inputs


def opened(run: Path) -> Context:
    directory = RunDirectory(run)
    directory.load()
    context = Context(
        directory=directory,
        settings=settings_from(directory.state.settings),
        inputs=Inputs(),
        progress=NoProgress(),
    )
    context.facets = restored(directory.state.facets)
    directory.state.stages["release"].details.clear()  # the next one is another release
    return context


@pytest.fixture(scope="module")
def counted(demo_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GateInput]:
    """A copy of a run, and what the gate is given for it."""
    run = tmp_path_factory.mktemp("closed") / "run"
    shutil.copytree(demo_run, run, symlinks=True)
    return run, stage.gate_input(opened(run))


@pytest.fixture
def run(counted: tuple[Path, GateInput], monkeypatch: pytest.MonkeyPatch) -> Path:
    run, data = counted
    monkeypatch.setattr(stage, "gate_input", lambda _: data)
    return run


def seen(run: Path) -> dict[str, bytes | str]:
    """Everything under the releases, and where the link leads."""
    found: dict[str, bytes | str] = {
        str(path.relative_to(run)): path.read_bytes() if path.is_file() else "folder"
        for path in (run / "releases").rglob("*")
    }
    return found | {"link": str((run / "release").readlink())}


def breaks(*_: Any, **__: Any) -> Any:
    raise RuntimeError("broken on purpose")


def full(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, "no space left on device")


def fails_after(calls: int, function: Callable[..., Any]) -> Callable[..., Any]:
    count = 0

    def later(*args: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count > calls:
            full()
        return function(*args, **options)

    return later


@pytest.mark.parametrize(
    ("where", "name", "replacement"),
    [
        (auditing, "RELEASE_CHECKS", (breaks,)),
        (stage, "refuse_unsafe", breaks),
        (grids, "visible_nodes", breaks),
        (grids, "visible_cells", breaks),
        (grids, "provable", breaks),
        (titles, "check", breaks),
        (write, "sync", full),
        (write.pq, "write_table", fails_after(3, write.pq.write_table)),
        (write.orjson, "dumps", full),
    ],
    ids=[
        *("auditor", "audit", "thresholds of clusters", "thresholds of cells", "proof", "wording"),
        *("disk full at the end", "disk full between", "disk full for the facts"),
    ],
)
def test_nothing_is_released_when_something_breaks(
    run: Path, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, replacement: Any
) -> None:
    before = seen(run)
    context = opened(run)
    monkeypatch.setattr(where, name, replacement)
    with pytest.raises((RuntimeError, OSError)):
        stage.RELEASE.run(context)
    assert seen(run) == before


def test_what_the_audit_finds_is_not_released(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that lets everything through does not get through the audit."""
    before = seen(run)
    context = opened(run)
    monkeypatch.setattr(grids, "provable", lambda cells, *_: cells.conversations > 0)
    with pytest.raises(ReleaseError, match="the audit keeps the new release back"):
        stage.RELEASE.run(context)
    assert seen(run) == before


def test_a_release_that_the_audit_passes_is_made(run: Path) -> None:
    link = (run / "release").readlink()
    stage.RELEASE.run(opened(run))
    assert (run / "release").readlink() != link
