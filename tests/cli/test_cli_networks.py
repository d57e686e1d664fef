from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from clio.cli import app
from clio.pipeline.networks import Coordination, Network

runner = CliRunner()


@pytest.fixture
def run(demo_run: Path, tmp_path: Path) -> Path:
    shutil.copytree(demo_run, tmp_path / "run", symlinks=True)
    return tmp_path / "run"


def test_a_run_without_rings_gives_none_and_says_so(run: Path) -> None:
    result = runner.invoke(app, ["networks", str(run), "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [n for n in found["networks"] if n["kind"] == "network"] == []
    assert found["accounts"] > 500
    assert pq.read_table(run / "restricted" / "networks.parquet").num_rows == len(found["networks"])
    plain = runner.invoke(app, ["networks", str(run)])
    assert plain.stdout.strip().startswith("0 networks among")


def test_what_is_no_run_ends_with_one_line(tmp_path: Path) -> None:
    result = runner.invoke(app, ["networks", str(tmp_path)])
    assert result.exit_code == 1
    assert "is no run" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_the_report_has_counts_titles_and_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Network(
        network_id="network-1",
        kind="network",
        evidence=("text", "text on a day"),
        accounts=20,
        conversations=160,
        first="2025-01-01",
        last="2025-01-14",
        growth=1.2,
        score=31.4,
        q=0.0004,
        parts={"acts": 8.0},
        explanation="a popular text",
        fit=0.1,
        titles=("Write [product] reviews",),
    )
    found = Coordination([one], 900, 4000, 3, {3: 17.0}, 1.7, null_fits=False)
    monkeypatch.setattr("clio.cli.networks.find_networks", lambda *_, **__: found)
    text = runner.invoke(app, ["networks", "RUN", "--quiet"]).stdout
    assert text == ""
    text = runner.invoke(app, ["networks", "RUN"]).stdout
    for said in (
        "1 networks",
        "900 accounts",
        "network-1",
        "5% at most",
        "Write [product]",
        "0.10",
        "trust no",
    ):
        assert said in text, said
