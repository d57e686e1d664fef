"""Comparing releases byte by byte, and killing runs."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path


def release_bytes(run: Path) -> dict[str, bytes]:
    """Every file of a run's latest release."""
    folder = run / "release"
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def start(source: Path, out: Path, *options: str) -> subprocess.Popen[bytes]:
    """``clio run`` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "clio", "run", str(source), "--out", str(out), "--quiet", *options],
        env=os.environ | {"CLIO_SHARD_ROWS": "250"},
    )


def finish(source: Path, out: Path, *options: str) -> float:
    """Run to the end; seconds that it took."""
    began = time.monotonic()
    assert start(source, out, *options).wait() == 0
    return time.monotonic() - began


def killed_at(source: Path, out: Path, seconds: float) -> bool:
    """Start a run and kill it after so long; whether it was still going."""
    process = start(source, out)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def moments(count: int, duration: float, seed: int) -> list[float]:
    """Random moments within a run, in random order."""
    chance = random.Random(seed)
    return [chance.uniform(0.3, duration) for _ in range(count)]
