from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clio.cli import app

runner = CliRunner()


@pytest.fixture(scope="module")
def run(demo_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli-flags") / "run"
    shutil.copytree(demo_run, path, symlinks=True)
    return path


def test_the_report_is_told_as_text_json_and_a_page(run: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    asked = ["flags", str(run), "--label", "kind", "--flagged", "concerning"]
    plain = runner.invoke(app, [*asked, "--report", str(page)])
    assert plain.exit_code == 0, plain.output
    assert "kind: " in plain.stdout
    assert "Concern is by rules" in plain.stdout
    assert "Everything, with the titles" in plain.stdout
    found = json.loads(runner.invoke(app, [*asked, "--json"]).stdout)
    assert found["label_kind"] == "category"
    assert found["judged"] == found["conversations"]
    leads = [c for c in found["clusters"] if c["kind"]]
    assert leads
    assert leads[0]["cluster_id"] in plain.stdout
    html = page.read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert html.count("<circle") >= len(leads)
    assert "http" not in html
    assert page.stat().st_mode & 0o777 == 0o600


def test_without_a_label_concern_is_looked_at_alone(run: Path) -> None:
    result = runner.invoke(app, ["flags", str(run), "--json"])
    found = json.loads(result.stdout)
    assert found["label"] is None
    assert found["clusters"] == []
    assert found["concern_known"] > 0
    assert "Concern and combinations" in runner.invoke(app, ["flags", str(run)]).stdout
    assert runner.invoke(app, ["flags", str(run), "--quiet"]).stdout == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--report", "page.pdf"], "FILE.html"),
        (["--threshold", "0.5"], "--label"),
        (["--label", "nobody"], "nobody"),
        (["--policy", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_what_cannot_be_done_ends_with_one_line(run: Path, options: list[str], said: str) -> None:
    result = runner.invoke(app, ["flags", str(run), *options])
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
