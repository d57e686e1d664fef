"""Monitoring, the safety role, edits and traces, as a person uses them."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Page, expect

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))

from restricted_run import PSEUDONYM, UNSAFE_TITLE, restricted_run, with_alerts
from sample_release import sample

from clio import access
from clio.server import bind, create_app, editing, traces, url_of
from clio.server.live import Serving

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"


@contextlib.contextmanager
def serving(page: Page, run: Path, **options: Any) -> Iterator[str]:
    """A server with what is asked for beside the release; the page is left before it ends."""
    listening = bind(port=0)
    config = uvicorn.Config(
        create_app(run, **options), log_level="error", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield url_of(listening)
        page.goto("about:blank")
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listening.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return restricted_run(tmp_path_factory.mktemp("restricted") / "run")


def accessible(page: Page) -> None:
    """No rule of axe is broken, in either theme."""
    if not AXE.is_file():
        pytest.skip("axe is not installed: run `npm ci` in web/")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        # The content policy forbids scripts of others; evaluating one is none of the page.
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run()")["violations"]
        assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == [], scheme


# Monitoring


def test_alerts_with_their_series(page: Page, run: Path) -> None:
    with serving(page, run) as url:
        page.goto(url)
        brief = page.get_by_role("list", name="Alerts").get_by_role("listitem")
        expect(brief).to_have_count(2)
        expect(brief.first).to_contain_text("Debug Python errors: more often")
        expect(brief.first).to_contain_text("2.1×")
        brief.first.get_by_role("link").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Monitoring")
        alerts = page.get_by_role("list", name="Alerts").get_by_role("article")
        expect(alerts).to_have_count(2)
        first = alerts.first
        for words in ("more often", "1.4–3.2×", "Mar 3, 2025", "q ≤ 0.004", "at least"):
            expect(first).to_contain_text(words)
        expect(first.get_by_role("img", name=re.compile("since Mar 3, 2025"))).to_be_visible()
        expect(first.locator("svg text", has_text="since Mar 3, 2025")).to_have_count(1)
        expect(alerts.last).to_contain_text("over 0.4×")
        expect(page.get_by_text("3 more changes are not shown")).to_be_visible()
        expect(page.get_by_role("link", name="Safety")).to_have_count(0)
        accessible(page)


def test_before_and_after_a_day_has_an_address(page: Page, run: Path) -> None:
    with serving(page, run) as url:
        page.goto(f"{url}#/monitoring")
        expect(page.get_by_text("Choose a day")).to_be_visible()
        page.get_by_label("Day", exact=True).fill("2025-02-19")
        expect(page.get_by_text(re.compile(r"changes? (is|are) sure"))).to_be_visible()
        page.get_by_label("Weeks on each side").select_option("2")
        expect(page).to_have_url(re.compile(r"day=2025-02-19&periods=2"))
        table = page.get_by_role("region", name="Before and after").get_by_role("row")
        expect(table.filter(has_text="not sure")).not_to_have_count(0)
        address = page.url
        page.goto("about:blank")
        page.goto(address)
        expect(page.get_by_label("Weeks on each side")).to_have_value("2")
        expect(table).to_have_count(13)
        page.get_by_role("button", name="Show all").click()
        expect(table).to_have_count(17)


@pytest.mark.parametrize(
    ("dates", "looked", "said"),
    [
        (False, False, "Nobody could look"),
        (True, True, "No alert"),
    ],
)
def test_without_alerts_it_says_why(
    page: Page, tmp_path: Path, dates: bool, looked: bool, said: str
) -> None:
    made = sample(dates=dates)
    if looked:
        made.tables["alerts"] = []
    made.write(tmp_path)
    with serving(page, tmp_path) as url:
        page.goto(f"{url}#/monitoring")
        expect(page.get_by_text(said, exact=True)).to_be_visible()
        if not dates:
            expect(page.get_by_text("bear no dates")).to_be_visible()


def test_monitoring_on_a_phone(page: Page, run: Path) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    with serving(page, run) as url:
        page.goto(f"{url}#/monitoring?day=2025-02-19")
        expect(page.get_by_role("region", name="Before and after")).to_be_visible()
        expect(page.get_by_text("Loading…")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


# The safety role


def test_the_safety_role_comes_by_a_link_and_leaves(page: Page, run: Path) -> None:
    with serving(page, run, role="safety") as url:
        token = access.issue(run / "restricted")
        page.goto(f"{url}api/v1/safety/enter?token={token}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Safety")
        assert token not in page.url
        expect(page.get_by_role("link", name="Safety")).to_be_visible()
        tree = page.get_by_role("region", name="Concern by cluster").get_by_role("row")
        expect(tree).to_have_count(4)
        expect(tree.nth(2)).to_contain_text(UNSAFE_TITLE)
        expect(tree.nth(2)).to_contain_text("3.50")
        page.get_by_label("Order").select_option("size")
        expect(tree.nth(1)).to_contain_text("Writing and editing")
        network = page.get_by_role("article", name=re.compile("Network 1"))
        expect(network).to_contain_text("a class that shares an exercise")
        network.get_by_text("What was measured").click()
        expect(network).to_contain_text("Exclusivity")
        expect(page.get_by_text(PSEUDONYM)).to_have_count(0)
        network.get_by_role("button", name="Show pseudonyms").click()
        expect(page.get_by_text(PSEUDONYM)).to_be_visible()
        chart = page.get_by_role("img", name=re.compile("Share flagged as flagged by mean concern"))
        expect(chart.locator("svg")).to_be_visible()
        apart = page.get_by_role("region", name="Where they part").get_by_role("row")
        expect(apart).to_have_count(3)
        expect(page.get_by_text("Nobody could look")).to_be_visible()
        accessible(page)
        page.get_by_role("button", name="End it now").click()
        expect(page.get_by_text("The session is over")).to_be_visible()
    looks = [look.get("path", "") for look in access.looks(run / "restricted")]
    assert any(path.endswith("networks/network-1/accounts") for path in looks)


def test_the_server_of_a_release_says_that_safety_is_elsewhere(page: Page, run: Path) -> None:
    with serving(page, run) as url:
        page.goto(f"{url}#/safety")
        expect(page.get_by_text("Not on this server")).to_be_visible()


# Edits and traces


class FakeEditor:
    """Keeps edits in memory; a title with a long word may not be shown."""

    def __init__(self) -> None:
        self.made: list[dict[str, Any]] = []

    def edits(self) -> list[dict[str, Any]]:
        return self.made

    def add(self, values: Mapping[str, Any]) -> dict[str, Any]:
        state = "undo" if values["action"] == "undo" else "waiting"
        self.made.append({**values, "edit": len(self.made) + 1, "state": state})
        if state == "undo":
            self.made[values["undoes"] - 1]["state"] = "undone"
        return self.made[-1]

    def check(self, cluster_id: str, title: str) -> list[str]:
        return ["it has a word that few used"] if "zygotic" in title else []


def test_a_cluster_is_edited_by_keyboard(page: Page, run: Path) -> None:
    editor = FakeEditor()
    routes = editing.router(editor, "clio describe RUN")
    with serving(page, run, beside=[routes], serving=Serving(edit=True)) as url:
        page.goto(f"{url}#/cluster/request-6")
        expect(page.get_by_text("No edit yet.")).to_be_visible()
        title = page.get_by_label("Title", exact=True)
        title.fill("zygotic quokkas")
        title.press("Enter")
        expect(page.get_by_text("may not be shown: it has a word that few used")).to_be_visible()
        assert editor.made == []
        title.fill("Repair Python")
        title.press("Enter")
        expect(page.get_by_text("it waits for the next run")).to_be_visible()
        page.get_by_label("Make it a part of").select_option("Write SQL queries")
        page.get_by_role("button", name="Merge").press("Enter")
        expect(page.get_by_text("2 edits wait for clio describe RUN")).to_be_visible()
        page.get_by_label("Put it under").select_option("Everyday decisions")
        page.get_by_role("button", name="Move").press("Enter")
        expect(page.get_by_text("The move waits")).to_be_visible()
        page.get_by_role("button", name="Hide", exact=True).press("Enter")
        edits = page.get_by_role("list", name="Edits").get_by_role("listitem")
        expect(edits).to_have_count(4)
        expect(edits.nth(1)).to_contain_text("Debug Python errors into Write SQL queries")
        page.get_by_role("button", name="Undo: Hide Debug Python errors").press("Enter")
        expect(edits).to_have_count(3)
        accessible(page)
    kinds = [edit["action"] for edit in editor.made]
    assert kinds == ["rename", "merge", "move", "hide", "undo"]
    assert editor.made[2]["parent_id"] == "request-12"


class FakeTraces:
    """Seven conversations, one of which tries to be a page."""

    def page(self, cluster_id: str, offset: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
        hostile = '<img src=x onerror="alert(1)">'
        every = [
            {
                **{
                    "conversation_id": f"c-{i}",
                    "created_at": "2025-03-01T10:00:00",
                    "not_shown": 0,
                },
                "messages": [
                    {"role": "user", "content": f"Question {i} {hostile}", "cut": False},
                    {"role": "assistant", "content": "Answer", "cut": i == 0},
                ],
            }
            for i in range(7)
        ]
        return len(every), every[offset : offset + limit]


def test_conversations_are_marked_and_shown_when_asked_for(page: Page, run: Path) -> None:
    routes = traces.router(FakeTraces())
    with serving(page, run, beside=[routes], serving=Serving(traces=True)) as url:
        page.goto(f"{url}#/cluster/request-6")
        expect(page.get_by_text("Not anonymous, do not share.")).to_be_visible()
        expect(page.get_by_text("Question 0")).to_have_count(0)
        page.get_by_role("button", name="Show conversations").click()
        shown = page.get_by_role("list", name="Conversations").get_by_role("article")
        expect(shown).to_have_count(5)
        expect(shown.first).to_contain_text('<img src=x onerror="alert(1)">')
        expect(shown.first).to_contain_text("(cut)")
        accessible(page)
        page.get_by_role("button", name="Next").click()
        expect(shown).to_have_count(2)
        expect(page.get_by_role("button", name="Next")).to_be_disabled()
        expect(page.get_by_role("heading", name="Edit")).to_have_count(0)


def test_the_explorer_without_private_and_restricted_has_its_alerts(
    page: Page, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with_alerts(sample()).write(run)
    shutil.rmtree(run / "restricted", ignore_errors=True)
    with serving(page, run) as url:
        page.goto(f"{url}#/monitoring?day=2025-02-19")
        expect(page.get_by_role("list", name="Alerts").get_by_role("article")).to_have_count(2)
        expect(page.get_by_role("region", name="Before and after")).to_be_visible()
