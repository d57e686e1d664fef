"""A server in a process of its own, for tests that need a real one."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SERVE = """
import sys
from clio.server import bind, create_app, run, url_of
listening = bind(port=0)
print(url_of(listening), flush=True)
run(create_app(sys.argv[1]), listening)
"""


@contextlib.contextmanager
def served(run: Path) -> Iterator[str]:
    """A server of its own process on a free port, for as long as the context lasts."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(run)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(timeout=30)
