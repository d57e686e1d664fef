"""Comparing releases byte by byte, and killing runs."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.connection import Connection
from pathlib import Path

import clio
from clio.testing.faults import release_bytes

__all__ = ["killed_in_stage", "release_bytes"]

# Its processes begin with everything imported, so that a test can afford many of them.
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["clio.pipeline.stages", "clio.embedding.minilm", "released"])


class _Telling:
    """Progress that says through a pipe which stage begins."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def stage_started(self, name: str, total: int | None, unit: str) -> None:
        self._pipe.send(name)

    def advanced(self, amount: int) -> None:
        pass

    def waiting(self, done: int, total: int) -> None:
        pass

    def stage_finished(self, name: str, seconds: float, *, skipped: bool) -> None:
        pass


def _run(source: Path, out: Path, settings: clio.Settings, pipe: Connection) -> None:
    clio.run(source, out=out, settings=settings, progress=_Telling(pipe))


def killed_in_stage(
    source: Path, out: Path, settings: clio.Settings, stage: str, seconds: float
) -> bool:
    """Start or resume a run and kill it so long after a stage began; whether it was still going."""
    heard, said = _SERVER.Pipe(duplex=False)
    process = _SERVER.Process(target=_run, args=(source, out, settings, said))
    process.start()
    said.close()
    try:
        while heard.recv() != stage:
            pass
        time.sleep(seconds)
    except EOFError:  # it ended before this stage
        pass
    process.kill()
    process.join()
    return process.exitcode == -9
