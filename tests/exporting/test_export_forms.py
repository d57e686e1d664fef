"""Forms of an export: the same values as the release, whole or not at all."""

from __future__ import annotations

import csv
import json
import math
import shutil
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sample_release import HOSTILE_TITLE, Sample, sample

from clio.errors import ReleaseError, SettingsError
from clio.exporting import exports
from clio.exporting.exports import export
from clio.exporting.index import COLUMNS
from clio.release.read import open_release
from clio.release.schema import ROOT_ID, TABLES

READ: dict[pa.DataType, Any] = {
    pa.int64(): int,
    pa.int32(): int,
    pa.float64(): float,
    pa.string(): str,
    pa.date32(): date.fromisoformat,
}


def read_csv(path: Path, schema: pa.Schema) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        assert reader.fieldnames == schema.names
        return [
            {
                f.name: None if f.nullable and row[f.name] == "" else READ[f.type](row[f.name])
                for f in schema
            }
            for row in reader
        ]


def same(left: Any, right: Any) -> bool:
    both_nan = isinstance(left, float) and math.isnan(left) and math.isnan(right)
    return bool(both_nan or (left == right and type(left) is type(right)))


def small_run(folder: Path, release: Sample | None = None) -> Path:
    (release or sample()).write(folder / "run")
    return folder / "run"


def test_csv_has_every_value_of_the_release(demo_run: Path, tmp_path: Path) -> None:
    export(demo_run, tmp_path / "out", form="csv")
    release = open_release(demo_run)
    written = {path.stem for path in (tmp_path / "out").glob("*.csv")}
    assert written == {path.stem for path in release.directory.glob("*.parquet")}
    for name in written:
        table = release.table(name).to_pylist()
        found = read_csv(tmp_path / "out" / f"{name}.csv", TABLES[name])
        assert len(found) == len(table)
        for row, true in zip(found, table, strict=True):
            for column, value in true.items():
                assert same(row[column], value), (name, column, value, row[column])


def test_parquet_is_a_release_of_the_same_tables(demo_run: Path, tmp_path: Path) -> None:
    export(demo_run, tmp_path / "out", form="parquet")
    release, copy = open_release(demo_run), open_release(tmp_path / "out")
    assert copy.info == release.info
    for name in TABLES:
        assert (copy.directory / f"{name}.parquet").exists() == (
            release.directory / f"{name}.parquet"
        ).exists()
        assert copy.table(name).equals(release.table(name))
        assert copy.table(name).schema.equals(TABLES[name], check_metadata=True)


def test_a_title_that_is_a_formula_is_none_in_a_spreadsheet(tmp_path: Path) -> None:
    hostile = sample()
    hostile.tables["clusters"][2]["title"] = "=HYPERLINK(1)"
    export(small_run(tmp_path, hostile), tmp_path / "out", form="csv")
    rows = read_csv(tmp_path / "out" / "clusters.csv", TABLES["clusters"])
    assert rows[2]["title"] == "'=HYPERLINK(1)"
    assert HOSTILE_TITLE in {row["title"] for row in rows}


def index_rows(path: Path) -> list[dict[str, str]]:
    with (path / "index.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        assert tuple(reader.fieldnames or ()) == COLUMNS
        return list(reader)


def test_the_long_format_adds_up_within_each_base(demo_run: Path, tmp_path: Path) -> None:
    export(demo_run, tmp_path / "out", form="index")
    rows = index_rows(tmp_path / "out")
    release = open_release(demo_run)
    whole = (release.info.period.first.isoformat(), release.info.period.last.isoformat())  # type: ignore[union-attr]
    assert {(r["geo_id"], r["geography"]) for r in rows} == {("GLOBAL", "global")}
    assert len({tuple(list(r.values())[:-1]) for r in rows}) == len(rows)

    def sums(suffix: str) -> dict[tuple[str, ...], float]:
        found: defaultdict[tuple[str, ...], float] = defaultdict(float)
        for row in rows:
            if row["variable"].endswith(suffix) and (row["date_start"], row["date_end"]) == whole:
                base = row["cluster_name"].rpartition("::")[0]
                found[row["facet"], row["level"], base] += float(row["value"])
        return found

    total = release.cluster().conversations
    counts, percents = sums("_count"), sums("_pct")
    assert counts["request", "0", ""] == counts["request", "1", ""] == total
    assert all(percent == pytest.approx(100.0) for percent in percents.values())
    assert ("request::product", "0", release.children()[0].title) not in counts
    top = release.children()[0]
    assert counts["request::product", str(top.level), top.title] == top.conversations
    assert any(row["cluster_name"] == "not_classified" for row in rows)
    # Trends are rows with dates of their own.
    weeks = {row["date_start"] for row in rows if row["facet"] == "request"}
    shown = {row["period"].isoformat() for row in release.rows("trends")}
    assert shown <= weeks
    one = next(r for r in release.numeric.to_pylist() if r["cluster_id"] != ROOT_ID)
    named = release.cluster(one["cluster_id"]).title
    facet = f"request::{one['measure']}"
    assert [
        float(r["value"]) for r in rows
        if (r["facet"], r["cluster_name"]) == (facet, named)
    ] == pytest.approx([one["mean"], one["low"], one["high"]], nan_ok=True)  # fmt: skip


def test_what_is_unknown_is_none_and_names_are_unique(tmp_path: Path) -> None:
    twice = sample()
    twice.tables["clusters"][2]["title"] = twice.tables["clusters"][7]["title"] = "Write"
    twice.tables["breakdowns"][0]["value"] = "unknown"
    export(small_run(tmp_path, twice), tmp_path / "out", form="index")
    rows = index_rows(tmp_path / "out")
    counts = [r for r in rows if r["variable"] == "request_count"]
    names = {r["cluster_name"] for r in counts}
    assert len({(*r.values(),)[:-1] for r in counts}) == len(counts)
    assert {"Write (request-1)", "Write (request-6)"} <= names
    language = {r["cluster_name"] for r in rows if r["facet"] == "language"}
    assert "none" in language
    assert "unknown" not in language


def test_the_tree_is_nested(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    export(run, tmp_path / "out", form="index")
    tree = json.loads((tmp_path / "out" / "request_hierarchy_tree.json").read_text())
    release = open_release(run)
    assert tree["count"] == release.cluster().conversations
    assert [c["name"] for c in tree["children"]] == [c.title for c in release.children()]
    assert sum(len(c["children"]) for c in tree["children"]) == 12


@pytest.mark.parametrize("form", ["csv", "parquet", "index"])
def test_the_same_release_gives_the_same_bytes(form: Any, tmp_path: Path) -> None:
    run = small_run(tmp_path)
    for name in ("a", "b"):
        export(run, tmp_path / name, form=form)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "b").iterdir())
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_nothing_private_is_opened(demo_run: Path, tmp_path: Path) -> None:
    """A release that was copied elsewhere is exported just as well."""
    shutil.copytree(open_release(demo_run).directory, tmp_path / "copy")
    export(tmp_path / "copy", tmp_path / "out", form="parquet")
    assert open_release(tmp_path / "out").info == open_release(demo_run).info


def test_a_personal_release_is_refused(tmp_path: Path) -> None:
    run = small_run(tmp_path, sample(publishable=False))
    for form in exports.FORMS:
        with pytest.raises(ReleaseError, match="not anonymous"):
            export(run, tmp_path / "out", form=form)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("full", "file", "link"):
        with pytest.raises(SettingsError, match="not empty"):
            export(run, tmp_path / name, form="csv")
    assert (tmp_path / "full" / "mine").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    export(run, tmp_path / "empty", form="csv")
    export(run, tmp_path / "deep" / "er", form="csv")
    assert (tmp_path / "deep" / "er" / "clusters.csv").is_file()


def test_an_export_does_not_go_into_a_run(run: Path) -> None:
    with pytest.raises(SettingsError, match="within the run"):
        export(run, run / "private" / "out", form="csv")


@pytest.mark.parametrize("form", ["csv", "site"])
def test_what_fails_leaves_nothing(
    form: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = small_run(tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports, "write_card", full)
    monkeypatch.setattr(exports, "write_site", lambda _from, to: (to / "index.html").touch())
    with pytest.raises(OSError, match="space"):
        export(run, tmp_path / "out", form=form)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_what_a_killed_export_left_is_gone_with_the_next(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    left = tmp_path / ".out.clio-export"
    left.mkdir()
    (left / "clusters.csv").write_text("half")
    export(run, tmp_path / "out", form="parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "run"]
    assert not (tmp_path / "out" / "clusters.csv").exists()


def test_a_site_is_made_of_the_release_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, asked = small_run(tmp_path), []

    def write(folder: Path, to: Path) -> None:
        asked.append(folder)
        assert list(to.iterdir()) == []
        (to / "index.html").write_text("page")

    monkeypatch.setattr(exports, "write_site", write)
    made = export(run, tmp_path / "out")
    assert asked == [open_release(run).directory]
    assert made.form == "site"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "index.html", "DATACARD.md", "datacard.json",
    }  # fmt: skip


def test_an_unknown_form_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="xlsx"):
        export(small_run(tmp_path), tmp_path / "out", form="xlsx")  # type: ignore[arg-type]


def test_a_table_in_parts_is_exported_whole(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    path = open_release(run).directory / "trends.parquet"
    table = pq.read_table(path)
    path.unlink()
    path.mkdir()
    pq.write_table(table.slice(0, 20), path / "part-0.parquet")
    pq.write_table(table.slice(20), path / "part-1.parquet")
    export(run, tmp_path / "out", form="parquet")
    assert open_release(tmp_path / "out").trends.num_rows == table.num_rows
