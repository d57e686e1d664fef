"""One person's export: the advice that the tool prints leads to a tree worth reading."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import clio
from clio.cli import app
from clio.testing import generate
from clio.testing.formats import write

CONVERSATIONS = 300
MIXED = re.compile("Requests of (many kinds|a mixed kind)")


def typed(line: str) -> Result:
    """Type a command line as it was printed."""
    program, *arguments = shlex.split(line)
    assert program == "clio"
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "100"})


@pytest.fixture(scope="module", params=["chatgpt", "claude"])
def export(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    path = folder / "export.zip"
    write(path, generate(CONVERSATIONS, accounts=1, weeks=104, seed=4), request.param)
    return path


@pytest.fixture(scope="module")
def advised(export: Path) -> tuple[Result, Result]:
    """What is said without options, and then to the command that was advised."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(export.parent)
        plain = typed("clio run export.zip")
        return plain, typed("clio run export.zip --privacy personal")


def test_without_options_nothing_is_released_and_the_advice_is_one_line(advised):
    plain, _ = advised
    assert plain.exit_code == 1
    said = plain.stderr.strip().splitlines()[-1]
    assert "CLIO-SMALL" in said
    assert "--privacy personal" in said
    assert "all of one account" in said


def test_inspect_prints_the_command(export):
    result = typed(f"clio inspect {shlex.quote(str(export))}")
    assert f"clio run {export} --privacy personal" in result.stdout
    assert "1 by id" in result.stdout


def test_the_advised_command_goes_on_after_embedding_and_says_that_it_is_not_anonymous(advised):
    _, personal = advised
    assert personal.exit_code == 0
    assert "Not anonymous, do not share." in personal.stdout
    assert "what you ask for" in personal.stdout
    for stage in ("read", "facets", "texts", "embed"):
        assert re.search(rf"^{stage}: as before$", personal.stderr, re.MULTILINE)
    assert "cluster: as before" not in personal.stderr


def test_the_tree_is_worth_reading(export, advised):
    release = clio.open_release(export.parent / "export-clio")
    assert release.info.publishable is False
    assert release.info.totals.accounts <= 1
    leaves, top = release.info.facets[0].clusters[0], release.children()
    assert 10 <= leaves <= 40
    assert 4 <= len(top) <= 12
    rows = release.table("clusters").to_pylist()
    named = [r for r in rows if r["level"] == 0 and not MIXED.match(r["title"])]
    assert len(named) >= 0.7 * leaves
    assert len({(r["parent_id"], r["title"]) for r in rows}) == len(rows)
    # No word was refused, since all of them are one's own.
    assert not [r for r in release.table("withheld").to_pylist() if r["reason"] == "wording"]


def test_topics_have_a_course_over_time_by_month(export, advised):
    release = clio.open_release(export.parent / "export-clio")
    assert release.info.granularity == "month"
    trends = release.table("trends").to_pylist()
    months = {r["period"] for r in trends if r["cluster_id"] == "__root__"}
    assert 20 <= len(months) <= 26
    told = {r["cluster_id"] for r in trends}
    assert {c.cluster_id for c in release.children()} <= told


def test_the_same_in_json(export, advised, monkeypatch):
    monkeypatch.chdir(export.parent)
    value = json.loads(typed("clio run export.zip --privacy personal --json --quiet").stdout)
    assert value["publishable"] is False
    assert value["outcomes"]["assigned"] + value["outcomes"].get("skipped", 0) > 290
