"""``clio monitor``: terminal, JSON, Markdown and HTML."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clio.cli import app, changes, monitor
from clio.pipeline.monitoring import Monitoring
from clio.privacy.changes import Shown


def invoke(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [*map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def shown(**changed: object) -> Shown:
    values = {
        **{"facet": "request", "cluster_id": "request-3", "level": 0, "title": "A <b>|title"},
        **{"kind": "rise", "value": None, "since": date(2025, 3, 31), "ratio": 2.1, "low": 1.4},
        **{"high": float("inf"), "q": 0.004, "accounts": 25, "few": True, "placebo": 0.02},
    }
    return Shown(**{**values, **changed})


@pytest.fixture
def done() -> Monitoring:
    sides = (date(2025, 3, 17), date(2025, 3, 30)), (date(2025, 3, 31), date(2025, 4, 13))
    rows = [shown(), shown(kind="language shift", value="es", ratio=0.5)]
    return Monitoring(
        *(Path("run"), 1, False, date(2025, 1, 6), date(2025, 4, 13), date(2025, 3, 31), 14),
        *(*sides, rows, 3, 43, 2, [("request", 0, 2.6)], ["A note."], Path("t.parquet")),
    )


def test_a_run_is_looked_at(demo_run, tmp_path):
    status, said, messages = invoke("monitor", demo_run)
    assert status == 0, messages
    assert "Up to " in said
    status, said, _ = invoke("monitor", demo_run, "--json", "--event", "2025-02-17")
    assert status == 0
    told = json.loads(said)
    assert told["event"] == "2025-02-17"
    assert told["before"] == ["2025-02-03", "2025-02-16"]
    assert set(told) >= {"changes", "withheld", "placebo_dates", "notes", "publishable"}
    page = tmp_path / "page.html"
    status, said, _ = invoke("monitor", demo_run, "--report", page, "--window", "1w", "--quiet")
    assert (status, said) == (0, "")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--event", "yesterday"), "write a day"),
        (("--window", "fortnight"), "write days or weeks"),
        (("--baseline", "10d"), "whole weeks"),
        (("--report", "page.pdf"), "FILE.md or FILE.html"),
        (("--event", "2031-01-01"), "the history goes from"),
    ],
)
def test_wrong_options_are_said(demo_run, options, said):
    status, _, messages = invoke("monitor", demo_run, *options)
    assert status == 2
    assert said in messages


def test_pages_say_what_the_table_says_and_quote_what_they_must(done):
    page = changes.html_page(done)
    assert "A &lt;b&gt;|title" in page
    assert "<b>" not in page
    text = changes.markdown_page(done)
    assert "A \\<b\\>\\|title" in text
    for written in (page, text):
        assert "2 changes" in written
        assert "at least 25, few carry it" in written
        assert "language: less es" in written
        assert "1.4-unknown" in written
        assert "do not share" in written
        assert "A note." in written


def test_json_has_no_number_that_json_lacks(done):
    told = changes.as_json_values(done)
    assert told["changes"][0]["high"] is None
    assert told["withheld"] == 3


def test_the_terminal_shows_titles_as_they_are(done, monkeypatch):
    monkeypatch.setattr(monitor, "monitor", lambda *_, **__: done)
    status, said, _ = invoke("monitor", "run")
    assert status == 0
    assert "A <b>|title" in said
    assert "Withheld as too small or not in the release: 3" in said
    assert "Not anonymous" in said
