"""Four questions, answered by somebody who has never seen the explorer and begins at the overview.

Only labels and roles that one sees or hears are used; what is right is known from the release.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from here import served
from playwright.sync_api import Page, expect

import clio
from clio.server import create_app
from clio.testing.releases import write_large_release


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> clio.Release:
    run = tmp_path_factory.mktemp("tasks") / "run"
    write_large_release(run, leaves=150, levels=3, periods=30, conversations=300_000, seed=5)
    return clio.open_release(run)


@pytest.fixture(scope="module")
def explorer(release: clio.Release) -> Iterator[str]:
    with served(Path(release.directory)) as url:
        yield url


@pytest.fixture
def overview(page: Page, explorer: str) -> Page:
    page.goto(explorer)
    expect(page.get_by_role("heading", level=1)).to_have_text("What these conversations are about")
    return page


def go(page: Page, view: str) -> None:
    page.get_by_role("navigation", name="Views").get_by_role("link", name=view).click()


def test_find_the_largest_use_in_spanish(overview: Page, release: clio.Release) -> None:
    spanish = {
        row["cluster_id"]: row["conversations"]
        for row in release.breakdowns.to_pylist()
        if (row["dimension"], row["value"]) == ("language", "es")
    }
    largest = max(release.children(), key=lambda c: spanish.get(c.cluster_id, 0))

    page = overview
    page.get_by_role("link", name="Language by cluster").click()
    table = page.get_by_role("region", name="Clusters by value")
    table.get_by_role("button", name="Spanish").click()
    expect(table.get_by_role("columnheader", name="Spanish")).to_have_attribute(
        "aria-sort", "descending"
    )
    first = table.get_by_role("rowheader").filter(has=page.get_by_role("link")).first
    expect(first).to_have_text(largest.title)
    first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(largest.title)


def moved(release: clio.Release, day: date, weeks: int) -> str:
    """Title of what surely grew most: first of the API's answer."""
    asked = {"date": day.isoformat(), "periods": weeks}
    with TestClient(create_app(release), base_url="http://localhost") as client:
        rows = client.get("/api/v1/event", params=asked).json()["rows"]
    return next(str(row["title"]) for row in rows if row["sure"] and row["ratio"] > 1)


def test_find_what_grew_fastest_since_a_day(overview: Page, release: clio.Release) -> None:
    day = date(2023, 5, 1)
    fastest = moved(release, day, 8)

    page = overview
    go(page, "Monitoring")
    page.get_by_label("Day").fill(day.isoformat())
    page.get_by_label("Weeks on each side").select_option("8")
    table = page.get_by_role("region", name="Before and after")
    rising = table.get_by_role("row").filter(has_text="▲").first
    expect(rising.get_by_role("link")).to_have_text(fastest)
    rising.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(fastest)


def test_find_dream_interpretation_and_its_neighbours(
    overview: Page, release: clio.Release
) -> None:
    about = max(release.search("dream interpretation"), key=lambda c: c.conversations)
    parent = release.path(about.cluster_id)[-2]
    neighbours = {c.title for c in release.children(parent.cluster_id)} - {about.title}
    assert neighbours

    page = overview
    # With a slip of the finger.
    page.get_by_role("searchbox").press_sequentially("dream interpretaton")
    page.get_by_role("link", name=re.compile(rf"^{re.escape(about.title)}")).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(about.title)
    page.get_by_role("navigation", name="Path").get_by_role("link", name=parent.title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(parent.title)
    inside = page.get_by_role("list", name="Clusters by share").get_by_role("listitem")
    seen = {link.inner_text() for link in inside.get_by_role("link").all()}
    assert seen == neighbours | {about.title}


def test_save_the_chart_of_a_use(overview: Page, release: clio.Release) -> None:
    largest = release.children()[0]
    page = overview
    page.get_by_role("list", name="Largest uses by share").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(largest.title)
    expect(page.get_by_role("img", name=re.compile("over time")).locator("svg")).to_be_visible()
    for kind, begin in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Save as {kind}").click()
        assert download.value.path().read_bytes().startswith(begin)
