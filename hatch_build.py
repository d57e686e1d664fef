"""Builds the explorer's page into wheel and sdist, so that what is installed needs no Node."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = (20, 19)
"""The oldest Node that Vite runs on."""


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs ``npm ci`` and ``npm run build`` in ``web/`` where the built page is missing."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the page before the files of the wheel or sdist are gathered."""
        root = Path(self.root)
        if (root / "src/clio/server/static/index.html").is_file():
            return
        if version == "editable":
            self.app.display_warning("an editable install has no explorer until `make web`")
            return
        _require_node()
        for arguments in (["ci"], ["run", "build"]):
            self.app.display_info(f"web: npm {' '.join(arguments)}")
            subprocess.run(["npm", *arguments], cwd=root / "web", check=True)


def _require_node() -> None:
    wanted = f"install Node {'.'.join(map(str, NODE))} or later with npm to build the explorer"
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise RuntimeError(f"Node or npm is missing: {wanted}")
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    found = tuple(int(part) for part in said.strip().removeprefix("v").split(".")[:2])
    if found < NODE:
        raise RuntimeError(f"Node {said.strip()} is too old: {wanted}")
