from __future__ import annotations

from pathlib import Path

import pytest
from sample_release import sample


@pytest.fixture
def run_directory(tmp_path: Path) -> Path:
    run = tmp_path / "run"
    sample().write(run)
    return run
