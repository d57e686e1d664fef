"""The release that the explorer is measured on, a server over it, and how busy the machine is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clio.testing.releases import write_large_release

_SERVE = """
import sys
from clio.server import bind, create_app, run, url_of
listening = bind(port=0)
app = create_app(sys.argv[1])
print(url_of(listening), flush=True)
run(app, listening)
"""


def large_run(folder: Path) -> Path:
    """A run with 10,000 leaf clusters, 5 levels, 12 facets and 104 weeks; made where missing."""
    run = folder / "run"
    if not (run / "release").exists():
        write_large_release(run)
    return run


@contextmanager
def served(run: Path) -> Iterator[tuple[str, int]]:
    """A server in a process of its own: its address and process id."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(run)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has had (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load() -> float:
    """Processes that wanted a core over the last minute, for each core."""
    return round(os.getloadavg()[0] / (os.cpu_count() or 1), 2)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
