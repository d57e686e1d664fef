from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

# The release that these tests share with those of `clio.release`.
sys.path.insert(0, str(Path(__file__).parents[1] / "release"))


@pytest.fixture
def run(demo_run: Path, tmp_path: Path) -> Path:
    """A run of one's own: exports with differential privacy write into its private files."""
    shutil.copytree(demo_run, tmp_path / "run", symlinks=True)
    return tmp_path / "run"
