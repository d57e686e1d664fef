"""What a long script has done so far, so that it can be interrupted and goes on."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from clio.testing import write_jsonl


class Record:
    """A JSON file in the script's folder; a folder left by other parameters is emptied.

    Parameters
    ----------
    folder
        Made where it does not exist.
    parameters
        What decides the work.
    """

    def __init__(self, folder: Path, parameters: dict[str, Any]) -> None:
        self._path = folder / "state.json"
        self.done: dict[str, Any] = {}
        if self._path.is_file():
            found = json.loads(self._path.read_text())
            if found["parameters"] == parameters:
                self.done = found["done"]
        if not self.done and folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.parameters = parameters

    def save(self) -> None:
        """Write it down, whole or not at all."""
        aside = self._path.with_suffix(".tmp")
        aside.write_text(json.dumps({"parameters": self.parameters, "done": self.done}))
        aside.replace(self._path)


def begin(options: argparse.Namespace) -> tuple[Record, Path, str]:
    """The record of a script, its input, generated where none was named, and the input's name."""
    folder: Path = options.folder
    name = f"{options.conversations} generated" if options.input is None else options.input.name
    record = Record(folder, {"input": name, "seed": options.seed})
    if options.input is not None:
        return record, options.input, name
    source = folder / "generated.jsonl"
    if not source.is_file():
        write_jsonl(source, options.conversations, seed=options.seed)
    return record, source, name
