"""Releases that somebody tampered with, each in one way; the audit finds every one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clio.auditing import auditing
from clio.auditing.auditing import audit_release
from clio.auditing.checks import RELEASE_CHECKS, subtraction
from clio.pipeline.auditing import audit
from clio.release.schema import ROOT_ID, TABLES

Rows = list[dict[str, Any]]
QUICK = tuple(check for check in RELEASE_CHECKS if check is not subtraction.check)


@pytest.fixture
def release(demo_run: Path, tmp_path: Path) -> Path:
    """A copy of a release, to be tampered with."""
    return Path(shutil.copytree((demo_run / "release").resolve(), tmp_path / "release"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without linear programmes, which only some tampering needs."""
    monkeypatch.setattr(auditing, "RELEASE_CHECKS", QUICK)


def rewrite(folder: Path, table: str, change: Callable[[Rows], Rows | None]) -> None:
    path = folder / f"{table}.parquet"
    rows = pq.read_table(path, partitioning=None).to_pylist()
    changed = change(rows)
    found = rows if changed is None else changed
    pq.write_table(pa.Table.from_pylist(found, schema=TABLES[table]), path, compression="zstd")


def facts(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "release.json"
    info = json.loads(path.read_text())
    change(info)
    path.write_text(json.dumps(info))


def a_leaf(rows: Rows) -> dict[str, Any]:
    return next(row for row in rows if row["level"] == 0)


def an_inner(rows: Rows) -> dict[str, Any]:
    return next(row for row in rows if row["level"] == 1)


def below_root(rows: Rows) -> dict[str, Any]:
    return next(row for row in rows if row["cluster_id"] != ROOT_ID)


def add_a_small_cluster(folder: Path) -> None:
    def change(rows: Rows) -> Rows:
        small = {**a_leaf(rows), "cluster_id": "request-99999", "conversations": 12, "accounts": 10}
        return sorted([*rows, small], key=lambda row: (row["facet"], row["cluster_id"]))

    rewrite(folder, "clusters", change)


def change_a_total(folder: Path) -> None:
    rewrite(folder, "clusters", lambda rows: an_inner(rows).update(conversations=5000))


def change_the_rest(folder: Path) -> None:
    def change(rows: Rows) -> None:
        inner = an_inner(rows)
        inner["other_conversations"] += 3
        inner["conversations"] += 3

    rewrite(folder, "clusters", change)


def count_accounts_exactly(folder: Path) -> None:
    rewrite(
        folder, "clusters", lambda rows: a_leaf(rows).update(accounts=a_leaf(rows)["accounts"] + 1)
    )


def change_a_share(folder: Path) -> None:
    rewrite(folder, "clusters", lambda rows: a_leaf(rows).update(share=a_leaf(rows)["share_low"]))


def give_a_bound_exactly(folder: Path) -> None:
    rewrite(folder, "clusters", lambda rows: a_leaf(rows).update(share_low=0.0012345678))


def place_exactly(folder: Path) -> None:
    rewrite(folder, "clusters", lambda rows: a_leaf(rows).update(x=0.123456789))


def hang_a_cluster_on_nothing(folder: Path) -> None:
    rewrite(folder, "clusters", lambda rows: a_leaf(rows).update(parent_id="request-88888"))


def put_an_address_in_a_summary(folder: Path) -> None:
    rewrite(
        folder,
        "clusters",
        lambda rows: a_leaf(rows).update(summary="Users write to maria.lopez@example.org."),
    )


def put_a_number_in_a_title(folder: Path) -> None:
    rewrite(folder, "clusters", lambda rows: a_leaf(rows).update(title="Flight 48213 and others"))


def hide_characters_in_a_title(folder: Path) -> None:
    rewrite(folder, "clusters", lambda rows: a_leaf(rows).update(title="Plan\u200b trips"))


def add_a_small_cell(folder: Path) -> None:
    def change(rows: Rows) -> Rows:
        cell = {**rows[0], "value": "zz", "conversations": 3, "accounts": 0, "share": 0.0}
        return sorted([*rows, cell], key=lambda r: tuple(r[k] for k in list(r)[:4]))

    rewrite(folder, "breakdowns", change)


def fill_a_cluster_with_one_value(folder: Path) -> None:
    clusters = pq.read_table(folder / "clusters.parquet").to_pylist()
    small = {
        row["cluster_id"]: row["conversations"] for row in clusters if row["conversations"] < 100
    }

    def change(rows: Rows) -> None:
        row = next(row for row in rows if row["cluster_id"] in small)
        row.update(conversations=small[row["cluster_id"]], share=1.0)

    rewrite(folder, "breakdowns", change)


def put_an_address_in_a_value(folder: Path) -> None:
    def change(rows: Rows) -> None:
        rows[-1]["value"] = "write to tom.baker@example.com"

    rewrite(folder, "breakdowns", change)


def take_a_cell_of_a_period_up(folder: Path) -> None:
    def change(rows: Rows) -> None:
        cell = below_root(rows)
        cell["conversations"] += 4000

    rewrite(folder, "trends", change)


def move_a_period(folder: Path) -> None:
    facts(folder, lambda info: info["period"].update(first="2020-01-01"))


def add_a_small_place(folder: Path) -> None:
    rewrite(folder, "map", lambda rows: rows[0].update(conversations=2))


def give_a_mean_exactly(folder: Path) -> None:
    rewrite(folder, "numeric", lambda rows: rows[0].update(mean=1.23456789, high=9.0, low=1.0))


def tell_of_a_hidden_cluster(folder: Path) -> None:
    def change(rows: Rows) -> Rows:
        return [*rows, {**rows[-1], "cluster_id": "request-99999"}]

    rewrite(folder, "numeric", change)


def repeat_a_row(folder: Path) -> None:
    rewrite(folder, "breakdowns", lambda rows: [rows[0], *rows])


def shuffle_rows(folder: Path) -> None:
    rewrite(folder, "trends", lambda rows: rows[::-1])


def lower_the_thresholds(folder: Path) -> None:
    facts(folder, lambda info: info["thresholds"].update(accounts=3))


def change_the_totals(folder: Path) -> None:
    facts(folder, lambda info: info["totals"].update(conversations=123456))


def add_a_fact(folder: Path) -> None:
    facts(folder, lambda info: info.update(host="machine-7"))


def add_a_file(folder: Path) -> None:
    (folder / "notes.txt").write_text("seen")


def replace_a_table_by_a_link(folder: Path) -> None:
    elsewhere = folder.parent / "map.parquet"
    (folder / "map.parquet").rename(elsewhere)
    (folder / "map.parquet").symlink_to(elsewhere)


def hide_words_in_metadata(folder: Path) -> None:
    path = folder / "map.parquet"
    table = pq.read_table(path)
    metadata = {**(table.schema.metadata or {}), b"note": b"who asked"}
    pq.write_table(table.replace_schema_metadata(metadata), path)


def add_a_column(folder: Path) -> None:
    path = folder / "map.parquet"
    table = pq.read_table(path)
    pq.write_table(table.append_column("who", pa.array(["x"] * table.num_rows)), path)


def break_a_table(folder: Path) -> None:
    (folder / "trends.parquet").write_bytes(b"PAR1 and nothing more")


TAMPERING: dict[Callable[[Path], None], str] = {
    add_a_small_cluster: "thresholds",
    change_a_total: "sums",
    change_the_rest: "thresholds",
    count_accounts_exactly: "rounding",
    change_a_share: "sums",
    give_a_bound_exactly: "rounding",
    place_exactly: "rounding",
    hang_a_cluster_on_nothing: "sums",
    put_an_address_in_a_summary: "patterns",
    put_a_number_in_a_title: "wording",
    hide_characters_in_a_title: "wording",
    add_a_small_cell: "thresholds",
    fill_a_cluster_with_one_value: "rounding",
    put_an_address_in_a_value: "patterns",
    take_a_cell_of_a_period_up: "sums",
    move_a_period: "structure",
    add_a_small_place: "thresholds",
    give_a_mean_exactly: "rounding",
    tell_of_a_hidden_cluster: "structure",
    repeat_a_row: "structure",
    shuffle_rows: "structure",
    lower_the_thresholds: "structure",
    change_the_totals: "structure",
    add_a_fact: "structure",
    add_a_file: "structure",
    replace_a_table_by_a_link: "structure",
    hide_words_in_metadata: "structure",
    add_a_column: "structure",
    break_a_table: "structure",
}
"""What is done to a release, and the check that finds it."""


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda tamper: tamper.__name__)
def test_tampering_is_found(release: Path, tamper: Callable[[Path], None]) -> None:
    tamper(release)
    report = audit_release(release)
    assert TAMPERING[tamper] in {finding.check for finding in report.findings}


def test_a_count_that_follows_by_subtraction_is_found(release: Path) -> None:
    """One value of a cluster is printed, which leaves three conversations: they follow."""
    clusters = pq.read_table(release / "clusters.parquet").to_pylist()
    leaf = max((row for row in clusters if row["level"] == 0), key=lambda r: r["conversations"])
    whole = leaf["conversations"]

    def change(rows: Rows) -> Rows:
        kept = [r for r in rows if r["dimension"] != "language"]
        for cluster in (leaf["cluster_id"], ROOT_ID):
            row = {**rows[0], "cluster_id": cluster, "dimension": "language", "value": "en"}
            kept.append({**row, "conversations": whole - 3})
        return sorted(kept, key=lambda r: tuple(r[k] for k in list(r)[:4]))

    rewrite(release, "breakdowns", change)
    report = audit_release(release)
    assert "subtraction" in {finding.check for finding in report.findings}


@pytest.mark.usefixtures("quick")
def test_what_only_the_private_tables_show_is_found(demo_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(demo_run, tmp_path / "run", symlinks=True))
    folder = (run / "release").resolve()
    said = pq.read_table(run / "private" / "conversations.parquet", partitioning=None)
    text = max((m["content"] for row in said["messages"].to_pylist()[:50] for m in row), key=len)
    words = " ".join(word for word in text.split() if word.isalpha())

    def change(rows: Rows) -> None:
        leaves = [row for row in rows if row["level"] == 0]
        leaves[0]["summary"] = "Users ask what became of Zebulon Quarterflash."
        leaves[1]["summary"] = f"{words[:300]}."
        leaves[2].update(conversations=leaves[2]["conversations"] + 1)

    rewrite(folder, "clusters", change)
    rewrite(folder, "trends", lambda rows: below_root(rows).update(conversations=16))
    (run / "private" / "key").chmod(0o644)
    (run / "private" / ".tmp-conversations.parquet").touch(mode=0o600)
    (run / "debug.log").write_text(text)
    (run / "debug.log").chmod(0o600)
    (run / "restricted" / "elsewhere").symlink_to(tmp_path)
    report = audit(run)
    found = {(finding.check, finding.where) for finding in report.findings}
    messages = {finding.message for finding in report.findings}
    rows = pq.read_table(folder / "clusters.parquet").to_pylist()
    leaves = [(n, row["cluster_id"]) for n, row in enumerate(rows) if row["level"] == 0]
    for number, cluster in leaves[:2]:
        assert ("wording", f"clusters, row {number + 1} ({cluster})") in found
    number, cluster = leaves[2]
    assert ("recount", f"clusters, row {number + 1} ({cluster})") in found
    assert "holds five words in a row as somebody wrote them" in messages
    assert any(check == "recount" and where.startswith("trends") for check, where in found)
    assert ("leaks", "a file in the run's folder") in found
    assert ("leftovers", "private") in found
    assert {check for check, where in found if where == "private"} >= {"modes", "leftovers"}
    assert ("modes", "restricted") in found
    told = str(report.as_json())
    assert "Quarterflash" not in told
    assert words[:40] not in told
