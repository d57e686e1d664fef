"""What a long script has done so far, so that it can be interrupted and goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any


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
