"""What benchmarks share: a command carried out as a process of its own, timed and weighed.

Imports nothing large, since a child's peak counts from its parent's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time


def measured(command: list[str]) -> dict[str, float]:
    """Carry out a command: wall seconds and the peak of resident memory in MB."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed with exit status {process.returncode}: {' '.join(command)}")
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return {"seconds": round(seconds, 2), "peak_mb": round(usage.ru_maxrss * unit / 1e6, 1)}
