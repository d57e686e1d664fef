"""What an audit says, of runs, exports and pairs of releases, and how it ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from clio.auditing import auditing
from clio.auditing.auditing import audit_release
from clio.auditing.bounding import Bounds, ContradictionError
from clio.auditing.checks import RELEASE_CHECKS, differences, subtraction
from clio.auditing.subject import Cells, read_subject
from clio.cli import app
from clio.errors import ReleaseError
from clio.pipeline.auditing import audit
from clio.release.schema import ROOT_ID, TABLES


@pytest.fixture
def release(demo_run: Path) -> Path:
    return (demo_run / "release").resolve()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without linear programmes: `test_audit_gate` and `test_audit_tampering` run those."""
    checks = tuple(check for check in RELEASE_CHECKS if check is not subtraction.check)
    monkeypatch.setattr(auditing, "RELEASE_CHECKS", checks)


def changed(release: Path, to: Path, difference: int) -> Path:
    """The same release where the root and its largest child have so many conversations more."""
    shutil.copytree(release, to)
    rows = pq.read_table(to / "clusters.parquet").to_pylist()
    root = next(row for row in rows if row["cluster_id"] == ROOT_ID)
    root["conversations"] += difference
    root["other_conversations"] += difference
    pq.write_table(pa.Table.from_pylist(rows, schema=TABLES["clusters"]), to / "clusters.parquet")
    return to


@pytest.mark.parametrize(("difference", "told"), [(0, False), (4, True), (-9, True), (60, False)])
def test_the_difference_of_two_releases(
    release: Path, tmp_path: Path, difference: int, told: bool
) -> None:
    now, _ = read_subject(changed(release, tmp_path / "now", difference))
    then, _ = read_subject(release)
    assert now is not None
    assert then is not None
    found = differences.check(now, then)
    assert bool(found.findings) == told
    assert found.figures["cells compared"] > 500


def test_an_export_as_csv_is_read_like_the_release(
    release: Path, tmp_path: Path, quick: None
) -> None:
    for path in release.glob("*.parquet"):
        table = pq.read_table(path)
        pyarrow.csv.write_csv(table, tmp_path / f"{path.stem}.csv")
    shutil.copy(release / "release.json", tmp_path)
    (tmp_path / "DATACARD.md").write_text("# Card\n")
    report = audit_release(tmp_path)
    assert report.findings == []
    assert report.scope == "release"
    assert any("alone" in note for note in report.notes)


def test_no_release_is_an_error_and_a_broken_one_a_finding(release: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="there is no release"):
        audit(tmp_path)
    (tmp_path / "release.json").write_text("{}")
    report = audit(tmp_path)
    assert not report.clean
    assert report.release is None


def test_the_command_reports_in_three_forms(release: Path, tmp_path: Path, quick: None) -> None:
    runner = CliRunner()
    page = tmp_path / "report.html"
    done = runner.invoke(app, ["audit", str(release), "--html", str(page), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["clean"] is True
    assert "Nothing was found" in page.read_text()
    bad = tmp_path / "bad"
    shutil.copytree(release, bad)
    (bad / "<b>who.txt").write_text("x")
    done = runner.invoke(app, ["audit", str(bad)])
    assert done.exit_code == 1
    assert "does not belong" in done.output
    assert "who.txt" not in done.output


def table(printed: list[list[int]], totals: list[int]) -> Cells:
    rows = list(range(len(printed)))
    parent = [-1, *[0] * (len(printed) - 1)]
    values = [f"v{i}" for i in range(len(printed[0]) - 1)]
    return Cells(
        "breakdowns", "request", "d", rows, parent, np.array(totals), values, np.array(printed)
    )


def test_bounds_of_a_table_worked_by_hand() -> None:
    # Of 30 and 40, 20 and 15 are printed in the first column; 4 of the second are left at the root.
    cells = table([[35, 4, -1], [20, -1, -1], [15, -1, -1]], [70, 30, 40])
    bounds = Bounds(cells)
    assert bounds.interval(0, 2) == pytest.approx((31, 31))
    assert bounds.interval(1, 1) == pytest.approx((0, 4))
    assert bounds.interval(1, 2) == pytest.approx((6, 10))
    assert bounds.interval(2, 2) == pytest.approx((21, 25))


def test_rounded_numbers_are_intervals() -> None:
    cells = table([[40, -1], [20, -1], [20, -1]], [60, 30, 30])
    assert Bounds(cells).interval(1, 1) == pytest.approx((10, 10))
    low, high = Bounds(cells, 5, 5).interval(1, 1)
    assert low <= 5
    assert high >= 15


def test_numbers_that_contradict_each_other() -> None:
    with pytest.raises(ContradictionError):
        Bounds(table([[30, 0], [20, 0], [15, 0]], [30, 20, 10]))
