"""The explorer as a person uses it: through visible labels, roles and the keyboard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from here import served
from playwright.sync_api import Page, expect
from sample_release import HOSTILE_TITLE, sample


def heading(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_the_tree_by_keyboard(page: Page, explorer: str) -> None:
    page.goto(f"{explorer}#/explore")
    tree = page.get_by_role("tree")
    root = tree.get_by_role("treeitem", name=re.compile("All conversations"))
    root.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    software = tree.get_by_role("treeitem", name=re.compile("Software development"))
    expect(software).to_be_focused()
    expect(software).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    heading(page, "Debug Python errors")
    leaf = tree.get_by_role("treeitem", name=re.compile("Debug Python errors"))
    expect(leaf).to_be_focused()
    expect(leaf).to_have_attribute("aria-selected", "true")
    expect(leaf).to_have_attribute("aria-level", "3")
    page.keyboard.press("ArrowLeft")
    expect(software).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(software).to_have_attribute("aria-expanded", "false")
    expect(leaf).to_have_count(0)
    page.keyboard.press("e")
    everyday = tree.get_by_role("treeitem", name=re.compile("Everyday decisions"))
    expect(everyday).to_be_focused()
    page.keyboard.press("Home")
    expect(root).to_be_focused()
    page.keyboard.press("End")
    expect(everyday).to_be_focused()


def test_a_cluster_and_its_numbers(page: Page, explorer: str) -> None:
    page.goto(f"{explorer}#/cluster/request-0")
    heading(page, "Writing and editing")
    article = page.get_by_role("article")
    expect(article).to_contain_text("People draft, shorten and polish texts")
    expect(article).to_contain_text("3,210 conversations, at least 1,925 accounts")
    expect(article).to_contain_text("60 conversations in groups under the privacy thresholds")
    expect(article.get_by_role("img", name=re.compile("95 % interval"))).to_be_visible()
    language = article.get_by_role("list", name="Language by share")
    expect(language.get_by_role("listitem")).to_have_count(5)
    expect(language).to_contain_text("overall 14.0")
    expect(article.get_by_role("row", name=re.compile("Turns"))).to_contain_text("3.20")
    expect(page).to_have_title("Writing and editing · Clio")


def test_links_lead_down_and_up_and_back_works(page: Page, explorer: str) -> None:
    page.goto(explorer)
    page.get_by_role("list", name="Largest uses by share").get_by_text(
        "Writing and editing"
    ).click()
    heading(page, "Writing and editing")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.get_by_role("link", name="Polish cover letters").click()
    heading(page, "Polish cover letters")
    path = page.get_by_role("navigation", name="Path")
    expect(path.get_by_role("listitem")).to_have_text(["All conversations", "Writing and editing"])
    path.get_by_role("link", name="Writing and editing").click()
    heading(page, "Writing and editing")
    page.go_back()
    heading(page, "Polish cover letters")
    page.go_back()
    page.go_back()
    heading(page, "What these conversations are about")
    page.go_forward()
    heading(page, "Writing and editing")


def test_a_link_restores_the_view(page: Page, explorer: str) -> None:
    page.goto(explorer)
    heading(page, "What these conversations are about")
    page.keyboard.press("Control+k")
    box = page.get_by_role("searchbox")
    expect(box).to_be_focused()
    page.keyboard.type("python")
    expect(page.get_by_role("status")).to_have_text("1 cluster found")
    page.get_by_role("link", name=re.compile("Debug Python errors")).click()
    heading(page, "Debug Python errors")
    address = page.url
    assert address.endswith("#/cluster/request-6?q=python")

    page.goto("about:blank")
    page.goto(address)
    heading(page, "Debug Python errors")
    expect(box).to_have_value("python")
    expect(page.get_by_role("status")).to_have_text("1 cluster found")
    box.press("Escape")
    selected = page.get_by_role("treeitem", selected=True)
    expect(selected).to_contain_text("Debug Python errors")
    page.go_back()
    expect(page.get_by_role("status")).to_have_text("1 cluster found")


def test_a_search_without_hits(page: Page, explorer: str) -> None:
    page.goto(explorer)
    page.get_by_role("searchbox").fill("zzz")
    expect(page.get_by_role("status")).to_contain_text("Nothing found for “zzz”")


def test_hostile_text_is_text(page: Page, explorer: str) -> None:
    page.goto(f"{explorer}#/explore?q=onerror")
    hit = page.get_by_role("link", name=re.compile("alert"))
    expect(hit).to_contain_text(HOSTILE_TITLE)
    hit.click()
    heading(page, HOSTILE_TITLE)
    expect(page.get_by_role("article")).to_contain_text("<script>alert(2)</script>")
    expect(page.locator("img")).to_have_count(0)


def test_the_trend_as_a_table_shows_what_is_withheld(page: Page, explorer: str) -> None:
    page.goto(f"{explorer}#/cluster/request-1")
    expect(page.get_by_text("1 week too few to show")).to_be_visible()
    page.get_by_text("Show as table").click()
    table = page.get_by_role("table").filter(has_text="week of")
    expect(table.get_by_role("row")).to_have_count(13)
    expect(table.get_by_role("row", name=re.compile("Feb 3"))).to_contain_text("too few to show")


def test_on_a_phone_the_tree_opens_on_demand(page: Page, explorer: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{explorer}#/explore")
    heading(page, "All conversations")
    tree = page.get_by_role("tree")
    expect(tree).to_be_hidden()
    page.get_by_role("button", name="Browse all clusters").click()
    tree.get_by_text("Learning and homework").click()
    heading(page, "Learning and homework")
    expect(tree).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_have_contrast(page: Page, explorer: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{explorer}#/cluster/request-0")
    heading(page, "Writing and editing")
    colours = page.evaluate(
        """() => {
          const style = getComputedStyle(document.documentElement);
          const probe = document.body.appendChild(document.createElement("i"));
          const read = (name) => {
            probe.style.color = style.getPropertyValue(name);
            return getComputedStyle(probe).color.match(/\\d+/g).slice(0, 3).map(Number);
          };
          const names = ["background", "surface", "text", "muted", "accent", "accent-soft",
                         "warning", "warning-soft", "bar", "mark"];
          return Object.fromEntries(names.map((name) => [name, read("--" + name)]));
        }"""
    )
    for ground in ("background", "surface"):
        for ink in ("text", "muted", "accent"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        assert contrast(colours["bar"], colours[ground]) >= 3
    for ink in ("text", "muted", "accent"):
        assert contrast(colours[ink], colours["accent-soft"]) >= 4.5, ink
    assert contrast(colours["warning"], colours["warning-soft"]) >= 4.5
    assert contrast(colours["text"], colours["mark"]) >= 4.5


def contrast(one: list[int], other: list[int]) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""

    def luminance(colour: list[int]) -> float:
        linear = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in (part / 255 for part in colour)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_a_personal_release_warns(page: Page, tmp_path: Path) -> None:
    sample(publishable=False, dates=False).write(tmp_path)
    with served(tmp_path) as url:
        page.goto(url)
        expect(page.get_by_text("Not anonymous, do not share.")).to_be_visible()
        for view in ("", "#/explore", "#/trends"):
            page.goto(url + view)
            expect(page.get_by_text("These conversations bear no dates.").first).to_be_visible()


def test_nothing_released(page: Page, tmp_path: Path) -> None:
    made = sample()
    made.info["facets"] = []
    made.tables = {"clusters": []}
    made.write(tmp_path)
    with served(tmp_path) as url:
        for view in ("", "#/explore", "#/trends", "#/facets"):
            page.goto(url + view)
            expect(page.get_by_text("Nothing is released")).to_be_visible()
        page.goto(f"{url}#/method")
        heading(page, "Method and privacy")


def test_no_cluster_passed(page: Page, tmp_path: Path) -> None:
    made = sample()
    made.tables = {"clusters": made.tables["clusters"][:1]}
    made.write(tmp_path)
    with served(tmp_path) as url:
        for view in ("", "#/explore"):
            page.goto(url + view)
            expect(page.get_by_text("No cluster is released")).to_be_visible()
            expect(page.get_by_text("In no week were there enough")).to_be_visible()
        page.goto(f"{url}#/trends")
        expect(page.get_by_text("No cluster is released")).to_be_visible()
        page.goto(f"{url}#/facets")
        expect(page.get_by_text("No breakdown is released")).to_be_visible()


class TestErrors:
    """Failures of the server, made by answering the page's own requests."""

    @pytest.fixture
    def page(self, page: Page) -> Page:
        # The browser itself logs each failed request, which is no fault of the page.
        page.add_init_script(
            "const real = fetch; window.fetch = (...a) => window.answer?.(...a) ?? real(...a)"
        )
        return page

    def test_an_unknown_cluster(self, page: Page, explorer: str) -> None:
        page.add_init_script(
            """window.answer = (url) => url.includes("/request-999") ? Promise.resolve(
                 Response.json({error: {message: "no"}}, {status: 404})) : undefined"""
        )
        page.goto(f"{explorer}#/cluster/request-999")
        expect(page.get_by_role("alert")).to_contain_text("No such cluster")
        page.get_by_role("link", name="Go to the overview").click()
        heading(page, "What these conversations are about")

    def test_a_server_that_is_gone(self, page: Page, explorer: str) -> None:
        page.add_init_script("window.answer = () => Promise.reject(new TypeError('gone'))")
        page.goto(explorer)
        expect(page.get_by_role("alert")).to_contain_text("Is it still running?")

    @pytest.mark.parametrize("view", ["", "#/explore", "#/trends", "#/facets", "#/method"])
    def test_a_part_that_fails(self, page: Page, explorer: str, view: str) -> None:
        page.add_init_script(
            """window.answer = (url) => url.endsWith("/release") ? undefined : Promise.resolve(
                 Response.json({error: {message: "it is broken"}}, {status: 500}))"""
        )
        page.goto(explorer + view)
        expect(page.get_by_role("alert").first).to_contain_text("it is broken")
