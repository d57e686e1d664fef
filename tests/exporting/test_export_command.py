"""`clio export` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sample_release import sample
from typer.testing import CliRunner

from clio.cli import app

runner = CliRunner()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    sample().write(tmp_path / "run")
    return tmp_path / "run"


def test_it_says_what_was_made_and_where(small: Path, tmp_path: Path) -> None:
    done = runner.invoke(app, ["export", str(small), "--to", str(tmp_path / "out"), "--as", "csv"])
    assert done.exit_code == 0, done.output
    assert "16 clusters over 10,000 conversations" in done.output
    assert "DATACARD.md" in done.output
    again = runner.invoke(app, ["export", str(small), "--to", str(tmp_path / "out"), "--as", "csv"])
    assert again.exit_code == 2
    assert "not empty" in again.output


def test_json_is_one_object(small: Path, tmp_path: Path) -> None:
    arguments = ["export", str(small), "--to", str(tmp_path / "out"), "--as", "index", "--json"]
    done = runner.invoke(app, [*arguments, "--quiet"])
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    assert values["form"] == "index"
    assert values["differential_privacy"] is None
    assert "index.csv" in values["files"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--as", "xlsx"], "site, csv, parquet, index"),
        (["--as", "csv", "--delta", "1e-9"], "need --epsilon"),
        (["--as", "csv", "--budget", "3"], "need --epsilon"),
        (["--as", "csv", "--epsilon", "0"], "epsilon lies over 0"),
        (["--as", "csv", "--epsilon", "1", "--delta", "0.5"], "delta"),
    ],
)
def test_wrong_usage_is_told_and_makes_nothing(
    arguments: list[str], said: str, small: Path, tmp_path: Path
) -> None:
    done = runner.invoke(app, ["export", str(small), "--to", str(tmp_path / "out"), *arguments])
    assert done.exit_code == 2
    assert said in done.output
    assert not (tmp_path / "out").exists()


def test_a_release_alone_cannot_be_counted_again(small: Path, tmp_path: Path) -> None:
    arguments = ["export", str(small), "--to", str(tmp_path / "out"), "--as", "csv"]
    done = runner.invoke(app, [*arguments, "--epsilon", "1"])
    assert done.exit_code == 1
    assert "CLIO-RUN" in done.output


def test_with_epsilon_it_says_what_is_spent(run: Path, tmp_path: Path) -> None:
    arguments = ["export", str(run), "--as", "csv", "--epsilon", "3"]
    done = runner.invoke(app, [*arguments, "--to", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "Epsilon 3, delta 1e-08, for whole accounts and given the taxonomy" in done.output
    over = runner.invoke(app, [*arguments, "--to", str(tmp_path / "more")])
    assert over.exit_code == 1
    assert "CLIO-DP" in over.output
