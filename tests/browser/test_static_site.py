"""The static site as a person uses it, from a folder and from a plain web server."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from here import served
from playwright.sync_api import Browser, Page, expect
from sample_release import HOSTILE_TITLE, sample

from clio.exporting.site import write_site


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    sample().write(folder / "run")
    write_site(folder / "run", folder / "with space & ünïcode")
    return folder / "with space & ünïcode"


@pytest.fixture(scope="module", params=["file", "http"])
def address(request: pytest.FixtureRequest, site: Path) -> Iterator[str]:
    if request.param == "file":
        yield (site / "index.html").as_uri()
        return
    handler = functools.partial(Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join(timeout=30)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new page that must log no error and ask for nothing but files of the site."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    asked: set[str] = set()
    page.on("console", lambda m: problems.append(m.text) if m.type != "log" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: asked.add(request.url))
    yield page
    context.close()
    assert problems == []
    assert all(re.match(r"file:///|http://127\.0\.0\.1:\d+/|blob:", url) for url in asked)
    assert not any("/api/" in url for url in asked)


def heading(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_overview_tree_and_a_cluster(page: Page, address: str) -> None:
    page.goto(address)
    heading(page, "What these conversations are about")
    expect(page.get_by_role("img", name=re.compile("over time")).locator("svg")).to_be_visible()
    uses = page.get_by_role("list", name="Largest uses by share").get_by_role("listitem")
    expect(uses.first).to_contain_text(re.compile(r"Writing and editing.*32\.1.*30\.9–33\.3"))
    uses.first.get_by_role("link").click()
    heading(page, "Writing and editing")
    article = page.get_by_role("article")
    expect(article).to_contain_text("3,210 conversations, at least 1,925 accounts")
    expect(article.get_by_role("list", name="Language by share")).to_contain_text("overall 14.0")
    expect(page.locator(".skeleton")).to_have_count(0)


def test_search(page: Page, address: str) -> None:
    page.goto(f"{address}#/explore")
    heading(page, "All conversations")
    page.keyboard.press("Control+k")
    page.keyboard.type("onerror")
    page.get_by_role("link", name=re.compile("alert")).first.click()
    heading(page, HOSTILE_TITLE)
    expect(page.locator("img")).to_have_count(0)


def test_trends_by_month(page: Page, address: str) -> None:
    page.goto(f"{address}#/trends?c=request-0&c=request-6&by=month")
    chart = page.get_by_role("img", name=re.compile("month"))
    expect(chart.locator("svg")).to_be_visible()
    page.get_by_text("Show as table").click()
    table = page.get_by_role("table").filter(has_text="January 2025")
    expect(table.get_by_role("row")).to_have_count(4)


def test_the_map_coloured_by_a_share(page: Page, address: str) -> None:
    page.goto(f"{address}#/explore?show=map")
    expect(page.get_by_role("application")).to_be_visible()
    page.get_by_label("Colour by").select_option("share:language:Spanish")
    expect(page.get_by_text("not surely other than overall")).to_be_visible()
    expect(page.get_by_text("could not be loaded")).to_have_count(0)


def test_facets_method_and_files(page: Page, address: str) -> None:
    page.goto(f"{address}#/facets?level=0")
    heat = page.get_by_role("region", name="Clusters by value")
    expect(heat.get_by_role("row")).to_have_count(12 + 2)
    page.goto(f"{address}#/method")
    heading(page, "Method and privacy")
    link = page.get_by_role("link", name="Clusters as CSV")
    assert (link.get_attribute("href") or "") == "data/tables/clusters.csv"


def test_an_unknown_cluster(page: Page, address: str) -> None:
    page.goto(f"{address}#/cluster/request-999")
    expect(page.get_by_role("alert")).to_contain_text("No such cluster")


VIEWS = [
    "#/",
    "#/cluster/request-6",
    "#/cluster/request-1",
    "#/explore?q=WRITE",
    "#/explore?q=text polish",
    "#/trends?c=request-0&c=request-6",
    "#/trends?c=__root__&c=request-1&by=month",
    "#/trends?c=request-2&by=quarter&scale=conversations",
    "#/facets?level=1",
]


def test_every_view_says_what_that_of_a_server_says(browser: Browser, site: Path) -> None:
    with served(site.parent / "run") as url, browser.new_page() as page:
        said = [[text(page, place + view) for view in VIEWS] for place in (root(site), url)]
    for view, copied, asked in zip(VIEWS, *said, strict=True):
        assert copied == asked, view


def root(site: Path) -> str:
    return (site / "index.html").as_uri()


def text(page: Page, address: str) -> list[str]:
    page.goto("about:blank")
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".skeleton, .loading, [aria-busy=true]")).to_have_count(0)
    expect(page.locator(".chart:empty")).to_have_count(0)
    for details in page.locator("details:not([open]) > summary").all():
        details.click()
    said = page.get_by_role("main").inner_text()
    # What a server makes as it is asked for is not offered without one.
    return said.replace("Save as CSV", "").split()
