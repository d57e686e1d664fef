"""What the benchmarks of models share: the stand-in server as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

MODEL = "openai:stand-in"
ENVIRONMENT = {"OPENAI_API_KEY": "stand-in", "ANTHROPIC_API_KEY": "stand-in"}


class Standin:
    """A server that answers from the planted truth of generated conversations."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.base_url = f"{url}/v1"

    def state(self) -> dict[str, Any]:
        """Calls by outcome, tokens, and how many bodies came more than once."""
        with urlopen(Request(f"{self.url}/_counts", headers={"Authorization": "Bearer x"})) as said:
            found: dict[str, Any] = json.load(said)
        return found


@contextmanager
def standin(truth: Path | None = None, **options: float | int) -> Iterator[Standin]:
    """Run the server for a while; options as on its command line."""
    command = [sys.executable, "-m", "clio.testing.model_server"]
    if truth is not None:
        command += ["--truth", str(truth)]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Standin(json.loads(process.stdout.readline())["url"])
    finally:
        process.terminate()
        process.wait()
