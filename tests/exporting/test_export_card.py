"""The data card: for people who decide with the numbers, and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sample_release import HOSTILE_TITLE, sample

from clio.exporting.exports import export
from clio.release.read import open_release
from clio.release.schema import TABLES


@pytest.fixture
def small(tmp_path: Path) -> Path:
    sample().write(tmp_path / "run")
    return tmp_path / "run"


def test_both_cards_say_the_same(small: Path, tmp_path: Path) -> None:
    made = export(small, tmp_path / "out", form="csv")
    values = json.loads((tmp_path / "out" / "datacard.json").read_text())
    assert values == made.card.model_dump(mode="json")
    text = (tmp_path / "out" / "DATACARD.md").read_text()
    release = open_release(small)
    assert values["digest"] == release.digest
    assert release.digest in text
    assert values["release"] == release.info.model_dump(mode="json")
    for said in (
        "10,000 conversations of at least 4,810 accounts, 2025-01-06 to 2025-03-30",
        "10,000 assigned, 212 duplicate, 3 rejected, 41 skipped",
        "at least 25 accounts and 50 conversations",
        "one account, with all of its conversations",
        "12 at level 0, 4 at level 1",
        "Conversations are counted once each.",
        "arXiv:2412.13678",
        "`clusters.csv`",
    ):
        assert said in text, said
    assert "epsilon 2" not in text
    assert values["differential_privacy"] is None


def test_every_column_is_explained(small: Path, tmp_path: Path) -> None:
    card = export(small, tmp_path / "out", form="parquet").card
    assert {part.table for part in card.tables} == {
        path.stem for path in (tmp_path / "out").glob("*.parquet")
    }
    for part in card.tables:
        assert part.holds
        assert list(part.columns) == TABLES[part.table].names
        assert all(part.columns.values())
        assert part.rows == open_release(small).table(part.table).num_rows


def test_the_largest_groups_come_first_and_titles_are_no_markup(tmp_path: Path) -> None:
    hostile = sample()
    hostile.tables["clusters"][1]["title"] = HOSTILE_TITLE + " | `code` [link](x)"
    hostile.write(tmp_path / "run")
    card = export(tmp_path / "run", tmp_path / "out", form="index").card
    shares = [group.share for group in card.largest]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) == 4
    text = (tmp_path / "out" / "DATACARD.md").read_text()
    assert "\\<img src=x onerror=alert(1)\\>" in text
    assert "\\| \\`code\\` \\[link\\]" in text
    assert "<img" not in text.replace("\\<img", "")


@pytest.mark.parametrize(
    ("basis", "said"),
    [("none", "one distinct text"), ("mixed", "else one distinct text"), ("ids", "one account")],
)
def test_the_unit_of_privacy_is_named(basis: str, said: str, tmp_path: Path) -> None:
    of = sample(dates=False)
    of.info["account_basis"] = basis
    of.write(tmp_path / "run")
    export(tmp_path / "run", tmp_path / "out", form="csv")
    text = (tmp_path / "out" / "DATACARD.md").read_text()
    assert said in text
    assert text.startswith("# What an AI assistant was used for\n")


def test_limits_that_the_writer_did_not_know_are_not_claimed(small: Path, tmp_path: Path) -> None:
    export(small, tmp_path / "out", form="csv")
    text = (tmp_path / "out" / "DATACARD.md").read_text()
    assert "no account makes up more than" not in text
    assert "sensitive one" not in text


def test_a_guarantee_is_told_in_plain_words(run: Path, tmp_path: Path) -> None:
    from clio.exporting.exports import Privacy

    for name, epsilon in (("a", 1.0), ("b", 2.0)):
        export(run, tmp_path / name, form="csv", privacy=Privacy(epsilon))
    text = (tmp_path / "b" / "DATACARD.md").read_text()
    for said in (
        "epsilon 2, delta 1e-08",
        "counts given the taxonomy",
        "export 2 of its run; all of them together have epsilon 3",
        "at most 3 conversations count",
        "had that person never used the assistant",
    ):
        assert said in text, said
    assert "Rows read" not in text
    assert "SHA-256" not in text
    release = open_release(run)
    for exact in (release.info.totals.conversations, *release.info.outcomes.values()):
        assert exact < 100 or f"{exact:,}" not in text
