from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

# The release that these tests share with those of `clio.release`, and their own server.
sys.path.insert(0, str(Path(__file__).parents[1] / "release"))
sys.path.insert(0, str(Path(__file__).parent))

from here import served
from sample_release import sample

from clio.server.app import STATIC

# Other tests may have both cores to themselves for a while.
expect.set_options(timeout=20_000)


# As long as a module: until Playwright is stopped its event loop runs on in this thread.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    if not (STATIC / "index.html").is_file():
        pytest.skip("the page is not built: run `make web`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def explorer(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    run = tmp_path_factory.mktemp("explorer") / "run"
    sample().write(run)
    with served(run) as url:
        yield url


GONE = ("ERR_CONNECTION_REFUSED", "errors.md#3")
"""What a page logs whose server went with its test while a part was still being loaded."""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new page that must log no error, run no dialog and ask no other host."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    hosts: set[str] = set()
    page.on("console", lambda m: problems.append(m.text) if m.type != "log" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: (problems.append("a dialog opened"), dialog.dismiss()))
    page.on("request", lambda request: hosts.add(request.url.split("/")[2].split(":")[0]))
    yield page
    context.close()
    assert [problem for problem in problems if not any(sign in problem for sign in GONE)] == []
    assert hosts <= {"127.0.0.1"}
