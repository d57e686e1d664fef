from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

# The release that these tests share with those of `clio.release`.
sys.path.insert(0, str(Path(__file__).parents[1] / "release"))

from sample_release import sample

from clio.server import create_app


@pytest.fixture(scope="session")
def run_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("server") / "run"
    sample().write(run)
    return run


@pytest.fixture
def client(run_directory: Path) -> Iterator[TestClient]:
    with TestClient(create_app(run_directory), base_url="http://localhost") as client:
        yield client
