"""Overview, trends, facets and method, as a person uses them."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from here import served
from playwright.sync_api import Download, Page, expect
from sample_release import FACET, LANGUAGES, Sample, cluster_row, sample


def heading(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def saved(page: Page, role: str, name: str) -> Download:
    with page.expect_download() as download:
        page.get_by_role(role, name=name, exact=True).click()  # type: ignore[arg-type]
    return download.value


def test_the_overview_says_what_the_corpus_is(page: Page, explorer: str) -> None:
    page.goto(explorer)
    heading(page, "What these conversations are about")
    main = page.get_by_role("main")
    expect(main).to_contain_text("at least 4,810")
    expect(main).to_contain_text("each of at least 25 accounts and 50 conversations")
    # 8,540 of 10,000 are in leaves.
    expect(main).to_contain_text(re.compile(r"Withheld for privacy\s*14\.6"))
    uses = main.get_by_role("list", name="Largest uses by share").get_by_role("listitem")
    expect(uses).to_have_count(5)
    expect(uses.first).to_contain_text(re.compile(r"Writing and editing.*32\.1.*30\.9–33\.3"))
    expect(uses.last).to_contain_text("Other (not shown)")
    expect(main.get_by_role("img", name=re.compile("over time")).locator("svg")).to_be_visible()
    expect(page.get_by_text("do not share")).to_have_count(0)


def test_only_sure_changes_are_movers(page: Page, tmp_path: Path) -> None:
    moving("request-6", 3.0).write(tmp_path)
    with served(tmp_path) as url:
        page.goto(url)
        movers = page.get_by_role("list", name="Biggest movers").get_by_role("listitem")
        expect(movers.filter(has_text="Debug Python errors")).to_contain_text("▲ +")
        page.get_by_role("link", name="All clusters by growth").click()
        expect(page.get_by_label("Sort by")).to_have_value("growth")
        page.get_by_role("treeitem", name=re.compile("Software development")).focus()
        page.keyboard.press("ArrowRight")
        grown = page.get_by_role("treeitem", name=re.compile("Debug Python errors"))
        expect(grown).to_contain_text("points")
        expect(grown).to_have_attribute("aria-posinset", "1")


def test_without_a_sure_change_it_says_so(page: Page, tmp_path: Path) -> None:
    made = sample()
    for row in made.tables["trends"]:
        row["share_low"], row["share_high"] = 0.0, 1.0
    made.write(tmp_path)
    with served(tmp_path) as url:
        page.goto(url)
        expect(page.get_by_text("No change is sure")).to_be_visible()


def moving(cluster: str, factor: float) -> Sample:
    """The sample, with one cluster's share rising steadily by a factor."""
    made = sample()
    rows = [row for row in made.tables["trends"] if row["cluster_id"] == cluster]
    for week, row in enumerate(rows):
        for name in ("share", "share_low", "share_high"):
            row[name] *= 1 + (factor - 1) * week / len(rows)
    return made


def test_trends_of_picked_clusters(page: Page, explorer: str) -> None:
    page.goto(f"{explorer}#/trends")
    chips = page.get_by_role("list", name="Clusters in the chart").get_by_role("listitem")
    expect(chips).to_have_count(4)
    page.get_by_role("button", name="Remove Everyday decisions").click()
    page.get_by_role("combobox", name="Add a cluster").press_sequentially("python")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(chips.last).to_contain_text("Debug Python errors")
    page.get_by_label("Period").select_option("Month")
    page.get_by_text("Conversations", exact=True).click()
    chart = page.get_by_role("img", name=re.compile("Conversations by month.*4 Debug Python"))
    expect(chart.locator("svg")).to_be_visible()
    page.get_by_text("Show as table").click()
    table = page.get_by_role("table").filter(has_text="January 2025")
    expect(table.get_by_role("row")).to_have_count(4)
    address = page.url

    page.goto("about:blank")
    page.goto(address)
    expect(chips).to_have_count(4)
    expect(page.get_by_label("Period")).to_have_value("month")
    expect(page.get_by_role("radio", name="Conversations")).to_be_checked()
    page.get_by_label("Period").select_option("Week")
    expect(page).not_to_have_url(re.compile("by="))
    page.go_back()
    expect(page.get_by_label("Period")).to_have_value("month")


def test_at_most_eight_trends(page: Page, explorer: str) -> None:
    picked = "&".join(f"c=request-{i}" for i in range(9))
    page.goto(f"{explorer}#/trends?{picked}&c=request-999")
    chips = page.get_by_role("list", name="Clusters in the chart").get_by_role("listitem")
    expect(chips).to_have_count(8)
    expect(page.get_by_role("combobox", name="Add a cluster")).to_be_disabled()
    page.goto(f"{explorer}#/trends?c=request-0&c=request-999")
    expect(page.get_by_text("1 cluster left out")).to_be_visible()


def test_a_chart_is_saved(page: Page, explorer: str) -> None:
    page.goto(f"{explorer}#/trends?c=request-0&c=request-6")
    expect(page.get_by_role("img").locator("svg")).to_be_visible()
    svg = saved(page, "button", "Save as SVG").path().read_text()
    for words in ("Writing and editing", "Debug Python errors", "10,000 conversations"):
        assert words in svg
    assert "var(" not in svg
    assert saved(page, "button", "Save as PNG").path().read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader(io.StringIO(saved(page, "link", "Save as CSV").path().read_text())))
    assert {row["title"] for row in rows} == {"Writing and editing", "Debug Python errors"}
    assert len(rows) == 24


def test_facets_against_the_base_rate(page: Page, tmp_path: Path) -> None:
    made = sample()
    rows = made.tables["breakdowns"]
    for row in rows:
        if row["cluster_id"] == "request-0" and row["value"] == "Spanish":
            row["share"] = 0.42
    made.tables["breakdowns"] = [
        row for row in rows if (row["cluster_id"], row["value"]) != ("request-5", "German")
    ]
    made.write(tmp_path)
    with served(tmp_path) as url:
        page.goto(url)
        page.get_by_role("link", name="Language by cluster").click()
        heading(page, "Facets")
        expect(page.get_by_role("button", name="Language")).to_have_attribute(
            "aria-pressed", "true"
        )
        overall = page.get_by_role("list", name="Language by share").get_by_role("listitem")
        expect(overall).to_have_count(len(LANGUAGES) + 1)
        expect(overall.last).to_contain_text("Other (not shown)")
        heat = page.get_by_role("region", name="Clusters by value")
        writing = heat.get_by_role("row", name=re.compile("Writing and editing"))
        spanish = writing.get_by_role("cell").nth(1)
        expect(spanish).to_contain_text("3.0×")
        expect(spanish).to_have_attribute("data-step", "3")
        expect(writing.get_by_role("cell").first).not_to_have_attribute("data-step", "1")
        software = heat.get_by_role("row", name=re.compile("Software development"))
        expect(software).to_contain_text("too few to show")
        page.get_by_label("Rows").select_option("0")
        expect(heat.get_by_role("row")).to_have_count(12 + 2)
        address = page.url
        page.goto("about:blank")
        page.goto(address)
        expect(heat.get_by_role("row")).to_have_count(12 + 2)
        rows = saved(page, "link", "Save as CSV").path().read_text().splitlines()
        assert rows[0].startswith("cluster_id,title,value,conversations,share,low,high")
        assert len(rows) == 1 + 12 * len(LANGUAGES)


def test_method_and_downloads(page: Page, explorer: str) -> None:
    page.goto(f"{explorer}#/method")
    heading(page, "Method and privacy")
    main = page.get_by_role("main")
    expect(main).to_contain_text("10,256 rows read")
    outcomes = main.get_by_role("list", name="Rows by outcome")
    expect(outcomes.get_by_role("listitem")).to_have_count(4)
    expect(main.get_by_role("row", name=re.compile("Breakdowns.*23"))).to_be_visible()
    expect(main).to_contain_text("arXiv:2412.13678")
    text = saved(page, "link", "Clusters as CSV").path().read_text(encoding="utf-8")
    assert text.splitlines()[0].startswith("facet,cluster_id,level,parent_id,title")
    assert saved(page, "link", "Trends as Parquet").path().read_bytes()[:4] == b"PAR1"


def test_the_theme_can_be_chosen_and_stays(page: Page, explorer: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(explorer)
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Use dark colours").click()
    assert page.evaluate(ground) != light
    page.reload()
    expect(page.get_by_role("button", name="Use light colours")).to_be_visible()
    assert page.evaluate(ground) != light


def test_views_by_keyboard(page: Page, explorer: str) -> None:
    page.goto(explorer)
    heading(page, "What these conversations are about")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.get_by_role("navigation", name="Views").get_by_role("link", name="Trends").press("Enter")
    expect(page.get_by_role("heading", level=1, name="Trends")).to_be_focused()
    expect(page).to_have_title("Trends · Clio")
    page.keyboard.press("Control+k")
    page.keyboard.type("python")
    expect(page.get_by_role("status")).to_have_text("1 cluster found")
    expect(page.get_by_role("searchbox")).to_be_focused()


@pytest.mark.parametrize("width", [320, 768, 1440])
def test_no_view_is_wider_than_the_screen(page: Page, explorer: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for view in ("", "explore", "trends", "facets", "method", "cluster/request-0"):
        page.goto(f"{explorer}#/{view}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_text("Loading…")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, view


def test_a_tree_of_ten_thousand_holds_only_what_is_in_sight(page: Page, tmp_path: Path) -> None:
    made = sample(dates=False)
    leaves = [
        cluster_row(f"{FACET}-{i}", 0, "request-0", f"Leaf number {i}", "", 10, 0)
        for i in range(1000, 11_000)
    ]
    made.tables["clusters"] += leaves
    made.write(tmp_path)
    with served(tmp_path) as url:
        page.goto(f"{url}#/cluster/request-10998")
        heading(page, "Leaf number 10998")
        tree = page.get_by_role("tree")
        chosen = tree.get_by_role("treeitem", selected=True)
        expect(chosen).to_be_in_viewport()
        expect(chosen).to_have_attribute("aria-setsize", "10004")
        assert tree.get_by_role("treeitem").count() < 60
        chosen.focus()
        page.keyboard.press("Home")
        expect(tree.get_by_role("treeitem", name=re.compile("All conversations"))).to_be_focused()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("End")
        expect(tree.get_by_role("treeitem", name=re.compile("Everyday decisions"))).to_be_focused()
        page.mouse.move(200, 400)
        page.mouse.wheel(0, -200_000)
        # The row that has the focus keeps it, though it is out of sight.
        expect(tree.get_by_role("treeitem", name=re.compile("Everyday decisions"))).to_be_focused()
        assert tree.get_by_role("treeitem").count() < 60
