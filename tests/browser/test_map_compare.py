"""The map, blocks and table of one selection, and two slices side by side."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from math import cos, sin
from pathlib import Path

import pytest
from here import served
from playwright.sync_api import Locator, Page, expect
from sample_release import FACET, cluster_row, sample

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
CHECK = """async () => (await axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
})).violations.filter((v) => ["serious", "critical"].includes(v.impact))
  .map((v) => `${v.id}: ${v.nodes.map((node) => node.html.slice(0, 120)).slice(0, 3)}`)"""


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The sample with its clusters in a ring, one grown threefold, one mostly Spanish."""
    run = tmp_path_factory.mktemp("placed") / "run"
    made = sample()
    for i, row in enumerate(made.tables["clusters"][1:]):
        row["x"], row["y"] = 0.5 + 0.35 * cos(i / 2.6), 0.5 + 0.35 * sin(i / 2.6)
    made.tables["map"] = [
        {"facet": FACET, "cell_x": 20 + i, "cell_y": 30, "conversations": 50 + 10 * i}
        for i in range(20)
    ]
    for row in made.tables["breakdowns"]:
        if (row["cluster_id"], row["value"]) == ("request-0", "Spanish"):
            row["conversations"], row["share"] = 1100, 1100 / 3210
    for row in made.tables["trends"]:
        if row["cluster_id"] == "request-5" and row["period"].month == 3:
            for name in ("share", "share_low", "share_high"):
                row[name] *= 3
    made.write(run)
    with served(run) as url:
        yield url


def heading(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def canvas(page: Page) -> Locator:
    drawn = page.get_by_role("application", name=re.compile("Map of clusters"))
    expect(drawn).to_be_visible()
    # Drawn once it has its size in pixels.
    expect(drawn).to_have_attribute("width", re.compile(r"[1-9]\d\d"))
    return drawn


def at(drawn: Locator, x: float, y: float) -> tuple[float, float]:
    """Where a place of the map lies on the page, when all of it is seen."""
    box = drawn.bounding_box()
    assert box is not None
    whole = min(box["width"], box["height"])
    return (
        box["x"] + (box["width"] - whole) / 2 + x * whole,
        box["y"] + (box["height"] - whole) / 2 + y * whole,
    )


def place(index: int) -> tuple[float, float]:
    return 0.5 + 0.35 * cos(index / 2.6), 0.5 + 0.35 * sin(index / 2.6)


def test_tree_blocks_map_and_table_are_of_one_selection(page: Page, placed: str) -> None:
    page.goto(f"{placed}#/cluster/request-0")
    heading(page, "Writing and editing")
    page.get_by_text("Blocks", exact=True).click()
    blocks = page.get_by_role("group", name=re.compile("Blocks of Writing"))
    expect(blocks.get_by_role("link")).to_have_count(5)
    expect(blocks.get_by_role("img", name=re.compile(r"Other \(not shown\): 60"))).to_be_attached()
    blocks.get_by_role("link", name=re.compile("Polish cover letters")).press("Enter")
    heading(page, "Polish cover letters")
    page.get_by_text("Map", exact=True).click()
    canvas(page)
    page.get_by_text("Table", exact=True).click()
    page.get_by_label("Rows").select_option("0")
    row = page.get_by_role("row", name=re.compile("Polish cover letters"))
    expect(row.get_by_role("link", name="Polish cover letters")).to_have_attribute(
        "aria-current", "true"
    )
    expect(page.get_by_role("region", name="Clusters as a table").get_by_role("row")).to_have_count(
        13
    )
    page.get_by_text("Tree", exact=True).click()
    expect(page.get_by_role("treeitem", selected=True)).to_contain_text("Polish cover letters")
    page.go_back()
    expect(page.get_by_role("radio", name="Table")).to_be_checked()


def test_a_click_on_the_map_opens_and_zoom_is_in_the_address(page: Page, placed: str) -> None:
    page.goto(f"{placed}#/explore?show=map")
    drawn = canvas(page)
    page.mouse.move(*at(drawn, *place(1)))
    expect(page.locator(".map-tip")).to_contain_text("Polish cover letters")
    page.mouse.click(*at(drawn, *place(1)))
    heading(page, "Polish cover letters")
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom in").click()
    expect(page).to_have_url(re.compile(r"at=0\.5%2C0\.5%2C2\.56"))
    page.mouse.move(*at(drawn, 0.5, 0.5))
    page.mouse.down()
    page.mouse.move(*at(drawn, 0.4, 0.5), steps=4)
    page.mouse.up()
    expect(page).not_to_have_url(re.compile(r"at=0\.5%2C0\.5%2C"))
    address = page.url
    before = drawn.screenshot()
    page.goto("about:blank")
    page.goto(address)
    drawn = canvas(page)
    heading(page, "Polish cover letters")
    page.mouse.move(5, 5)
    expect(page.get_by_text("Loading…")).to_have_count(0)
    assert len(drawn.screenshot()) == pytest.approx(len(before), rel=0.1)
    page.get_by_role("button", name="All").click()
    expect(page).not_to_have_url(re.compile("at="))


def test_the_map_by_keys(page: Page, placed: str) -> None:
    # In the middle lies the first of the broad clusters.
    x, y = place(0)
    page.goto(f"{placed}#/explore?show=map&at={x},{y},4")
    drawn = canvas(page)
    # A click with a mouse would point somewhere itself.
    page.get_by_role("radio", name="Map").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(drawn).to_be_focused()
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile("%2C6.4"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("0")
    expect(page).not_to_have_url(re.compile("at="))


def test_what_is_marked_is_listed_and_restored(page: Page, placed: str) -> None:
    page.goto(f"{placed}#/explore?show=map")
    drawn = canvas(page)
    page.get_by_role("button", name="Mark an area").click()
    x, y = place(1)
    for i, (dx, dy) in enumerate([(-0.08, -0.08), (0.08, -0.08), (0.08, 0.08), (-0.08, 0.08)]):
        page.mouse.move(*at(drawn, x + dx, y + dy), steps=5)
        if i == 0:
            page.mouse.down()
    page.mouse.up()
    marked = page.get_by_role("region", name="Marked area")
    expect(marked.get_by_role("status")).to_contain_text("1 cluster marked, 1,240 conversations")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(marked).to_contain_text("Polish cover letters")
    marked.get_by_role("link", name="As a table").click()
    expect(page.get_by_text("In the marked area: 1 cluster")).to_be_visible()
    page.get_by_text("Map", exact=True).click()
    page.get_by_role("button", name="Mark what is seen").click()
    expect(marked.get_by_role("status")).to_contain_text("12 clusters marked, 8,540 conversations")
    page.get_by_role("button", name="Remove the mark").click()
    expect(marked).to_have_count(0)


def test_colours_follow_a_share_and_say_what_is_not_sure(page: Page, placed: str) -> None:
    page.goto(f"{placed}#/explore?show=blocks")
    page.get_by_label("Colour by").select_option("share:language:Spanish")
    legend = page.get_by_role("list", name=re.compile("Share of Language: spanish"))
    expect(legend).to_contain_text("not surely other than overall, 14.0")
    block = page.get_by_role("link", name=re.compile("Writing and editing, .*34.3"))
    expect(block.locator("rect").last).to_have_attribute("fill", "var(--map-more-2)")
    page.get_by_text("Tree", exact=True).click()
    first = page.get_by_role("treeitem", name=re.compile("Writing and editing"))
    expect(first).to_have_attribute("aria-posinset", "1")
    expect(first.locator(".tree-share")).to_have_class(re.compile("rise"))
    page.get_by_label("Sort by").select_option("growth")
    expect(page.get_by_role("treeitem", name=re.compile("Software"))).to_have_attribute(
        "aria-posinset", "1"
    )


def test_the_map_is_saved_as_a_picture(page: Page, placed: str) -> None:
    page.goto(f"{placed}#/explore?show=map")
    canvas(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as SVG").first.click()
    svg = download.value.path().read_text()
    assert svg.count("<circle") == 12
    assert "Writing and editing" in svg
    assert "10,000 conversations" in svg
    assert "var(" not in svg
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").first.click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")


def test_periods_side_by_side(page: Page, placed: str) -> None:
    page.goto(f"{placed}#/compare")
    heading(page, "Compare")
    table = page.get_by_role("region", name="Differences")
    expect(table.get_by_role("row").nth(1)).to_contain_text("Software development")
    expect(table.get_by_role("row").nth(1).locator("b")).to_have_class("rise")
    page.get_by_role("combobox", name=re.compile("^Clusters")).select_option("0")
    expect(table.get_by_role("row")).to_have_count(13)
    page.get_by_label("Before: to").fill("2025-01-26")
    expect(page).to_have_url(re.compile(r"first=2025-01-06\.\.2025-01-26"))
    expect(page.get_by_role("list").filter(has_text="Jan 6 – 26, 2025")).to_be_visible()
    expect(
        page.get_by_role("img", name=re.compile("surest differences")).locator("svg")
    ).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert len(rows) == 12
    assert {"difference", "low", "high", "sure"} <= rows[0].keys()


def test_groups_and_clusters_side_by_side(page: Page, placed: str) -> None:
    page.goto(f"{placed}#/compare?of=values")
    table = page.get_by_role("region", name="Differences")
    first = table.get_by_role("row").nth(1)
    expect(first).to_contain_text("Writing and editing")
    expect(first.locator("b")).to_have_class("rise")
    page.get_by_role("combobox", name=re.compile("^Second")).select_option("German")
    expect(table).to_contain_text("not sure")
    page.get_by_role("button", name="Two clusters").click()
    expect(table.get_by_role("row").nth(1)).to_contain_text("Language: spanish")
    page.get_by_role("combobox", name="Second cluster").press_sequentially("python")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list").filter(has_text="Debug Python errors").first).to_be_visible()
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(page.get_by_role("columnheader", name="Debug Python errors")).to_be_visible()


def test_nothing_to_compare_says_why(page: Page, tmp_path: Path) -> None:
    made = sample(dates=False)
    made.tables["breakdowns"] = []
    made.write(tmp_path)
    with served(tmp_path) as url:
        page.goto(f"{url}#/compare")
        expect(page.get_by_text("These conversations bear no dates.")).to_be_visible()
        page.get_by_role("button", name="Two groups").click()
        expect(page.get_by_text("No dimension of this release shows two values")).to_be_visible()
        page.get_by_role("button", name="Two clusters").click()
        expect(page.get_by_text("Nothing can be compared")).to_be_visible()


def test_ten_thousand_clusters_are_at_most_two_thousand_marks(page: Page, tmp_path: Path) -> None:
    made = sample(dates=False)
    for i in range(10_000):
        row = cluster_row(f"{FACET}-{1000 + i}", 0, "request-0", f"Leaf number {i}", "", 10, 0)
        row["x"], row["y"] = (i % 100) / 100, (i // 100) / 100
        made.tables["clusters"].append(row)
    made.write(tmp_path)
    with served(tmp_path) as url:
        page.goto(f"{url}#/explore?show=map&at=0.2,0.2,4")
        canvas(page)
        with page.expect_download() as download:
            page.get_by_role("button", name="Save as SVG").first.click()
        near = download.value.path().read_text()
        assert 400 < near.count("<circle") <= 2000
        page.get_by_role("button", name="All").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Save as SVG").first.click()
        # The leaves would be too many, so their parents stand for them.
        assert download.value.path().read_text().count("<circle") == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_violation(page: Page, placed: str, scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run `make web`")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    for view in (
        "explore?show=map&area=0,0,1,0,1,1,0,1",
        "compare",
        "explore?show=blocks&sort=growth",
        "compare?of=clusters",
        "explore?show=table&level=0",
    ):
        page.goto("about:blank")
        page.goto(f"{placed}#/{view}")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".skeleton, .loading")).to_have_count(0)
        assert page.evaluate(CHECK) == [], view


@pytest.mark.parametrize("width", [320, 1440])
def test_no_view_is_wider_than_the_screen(page: Page, placed: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for view in ("explore?show=map", "explore?show=blocks", "explore?show=table", "compare"):
        page.goto(f"{placed}#/{view}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, view
