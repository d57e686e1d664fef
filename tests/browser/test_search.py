"""The search: forgiving, at once as one types, by meaning, by keys; and answers that come late."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from here import served
from numpy.typing import NDArray
from playwright.sync_api import Page, expect
from sample_release import sample


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Two directions: what one eats, and all else."""
    food = np.array([bool(re.search("meal|recipe|dinner", text)) for text in texts])
    vectors: NDArray[np.float32] = np.stack([food, ~food], axis=1).astype(np.float32)
    return vectors


@pytest.fixture(scope="module")
def meaningful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    run = tmp_path_factory.mktemp("meaning") / "run"
    sample().write(run)
    with served(run, embed=embed) as url:
        yield url


def heading(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def results(page: Page) -> list[str]:
    return page.locator(".results .result-title > span:first-child").all_inner_texts()


def test_the_keys_work_as_soon_as_the_page_is_seen(page: Page, explorer: str) -> None:
    page.goto(explorer)
    expect(page.get_by_role("searchbox")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("python")
    expect(page.get_by_role("status")).to_have_text("1 cluster found")


def test_typing_errors_are_forgiven(page: Page, explorer: str) -> None:
    page.goto(f"{explorer}#/explore")
    box = page.get_by_role("searchbox")
    for typed, title in (
        ("pyhton erors", "Debug Python errors"),
        ("itineraris", "Plan trips and itineraries"),
        ("biolgy", "Explain biology concepts"),
        ("cover lett", "Polish cover letters"),
    ):
        box.fill(typed)
        expect(page.locator(".results .result-title").first).to_contain_text(title)
    expect(page.locator(".results mark").first).to_have_text("cover")


def test_from_the_box_to_a_cluster_by_keys_alone(page: Page, explorer: str) -> None:
    page.goto(f"{explorer}#/explore")
    heading(page, "All conversations")
    page.keyboard.press("Control+k")
    page.keyboard.type("write")
    expect(page.get_by_role("status")).to_contain_text("found")
    first, second = results(page)[:2]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name=re.compile(re.escape(second)))).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Enter")
    heading(page, first)


def test_what_is_near_in_meaning_comes_after_the_words(page: Page, meaningful: str) -> None:
    page.goto(f"{meaningful}#/explore?q=supper+meal")
    near = page.get_by_role("list", name="Near in meaning")
    expect(near.get_by_role("link")).to_have_count(1)
    expect(near).to_contain_text("Suggest dinner recipes")
    # What words have found is not said twice.
    page.get_by_role("searchbox").fill("dinner")
    expect(page.get_by_role("status")).to_have_text("1 cluster found")
    expect(near).to_have_count(0)


LATE = """
const real = fetch;
let held = true;
window.fetch = (address, options) => {
  if (!held || !String(address).includes("dimensions")) return real(address, options);
  held = false;
  // Headers arrive at once, the body never: whoever gives up waiting cuts it off.
  const body = new ReadableStream({
    start: (c) => options.signal.addEventListener("abort", () => c.error(options.signal.reason)),
  });
  return Promise.resolve(new Response(body));
};
"""


def test_an_answer_that_was_cut_off_is_asked_for_again(page: Page, explorer: str) -> None:
    page.add_init_script(LATE)
    page.goto(explorer)
    expect(page.get_by_role("heading", name="Who and where")).to_be_visible()
    expect(page.get_by_text("Loading…")).to_have_count(1)
    views = page.get_by_role("navigation", name="Views")
    views.get_by_role("link", name="Trends").click()
    heading(page, "Trends")
    views.get_by_role("link", name="Overview").click()
    heading(page, "What these conversations are about")
    expect(page.get_by_role("list", name="Language by share")).to_be_visible()
    expect(page.get_by_text("Loading…")).to_have_count(0)
