"""The page on the large release: first view, search, and the frames of the map.

    python benchmarks/explorer/page.py

Debian's chromium without a GPU, on a server in a process of its own. *First view* is from the
beginning of the navigation until the largest uses stand there, in a new browser context each time;
*search* from a key until the hits have changed, with the index in place; a *frame* is what passes
between two callbacks of requestAnimationFrame while the map is dragged and the wheel is turned.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from statistics import median
from typing import Any

from large import large_run, load, percentile, served
from playwright.sync_api import Browser, Page, sync_playwright

REPEATS = 5
WORDS = ("python", "dream inter", "covr leters", "budget", "night shifts")

_FIRST_VIEW = """
addEventListener("DOMContentLoaded", () => {
  new MutationObserver((_, observer) => {
    if (!document.querySelector('[aria-label="Largest uses by share"] li')) return;
    observer.disconnect();
    requestAnimationFrame(() => { window.firstView = performance.now(); });
  }).observe(document, { childList: true, subtree: true });
});
"""

_NEXT_FRAME = """() => new Promise((resolve) => {
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(window.firstView)));
})"""

_SCRIPTS = """() => performance.getEntriesByType("resource")
  .filter((entry) => entry.name.endsWith(".js"))
  .reduce((sum, entry) => sum + entry.encodedBodySize, 0)"""

_SEARCH = """async (words) => {
  const box = document.querySelector('[role="search"] input');
  const place = document.querySelector("nav[aria-label=Clusters]");
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  const begin = performance.now();
  const changed = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (!place.querySelector("mark") || place.dataset.asked === words) return;
      place.dataset.asked = words;
      observer.disconnect();
      resolve(performance.now() - begin);
    });
    observer.observe(place, { childList: true, subtree: true, characterData: true });
  });
  set.call(box, words);
  box.dispatchEvent(new Event("input", { bubbles: true }));
  return changed;
}"""

_FRAMES = """
window.frames_ = [];
window.record = (on) => {
  window.recording = on;
  if (on) {
    let last = performance.now();
    const tick = (now) => {
      if (!window.recording) return;
      window.frames_.push(now - last);
      last = now;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame((now) => { last = now; requestAnimationFrame(tick); });
  }
};
"""


def first_view(browser: Browser, base: str) -> tuple[float, float]:
    """Milliseconds until the first useful view, and compressed bytes of its scripts."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script(_FIRST_VIEW)
    page.goto(base)
    uses = page.get_by_role("list", name="Largest uses by share").get_by_role("listitem")
    uses.first.wait_for(timeout=120_000)
    took = float(page.evaluate(_NEXT_FRAME))
    page.wait_for_load_state("networkidle")
    scripts = int(page.evaluate(_SCRIPTS))
    context.close()
    return took, scripts


def search(page: Page, base: str) -> list[float]:
    """Milliseconds from a key until the hits are there."""
    page.goto(f"{base}#/explore")
    box = page.get_by_role("searchbox")
    box.fill("write")
    page.locator("nav[aria-label=Clusters] mark").first.wait_for(timeout=120_000)
    return [float(page.evaluate(_SEARCH, words)) for words in WORDS for _ in range(2)]


def frames(page: Page, base: str) -> list[float]:
    """Milliseconds between frames while the map is dragged and zoomed."""
    page.add_init_script(_FRAMES)
    page.goto("about:blank")
    page.goto(f"{base}#/explore?show=map")
    canvas = page.locator("canvas").first
    canvas.wait_for(timeout=120_000)
    page.wait_for_timeout(2000)
    area = canvas.bounding_box()
    assert area is not None
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    page.evaluate("record(true)")
    page.mouse.move(x, y)
    for round_ in range(4):
        page.mouse.down()
        for step in range(40):
            page.mouse.move(x + (3 * step if round_ % 2 else -3 * step), y + step)
        page.mouse.up()
        for _ in range(20):
            page.mouse.wheel(0, -120 if round_ < 2 else 120)
    page.evaluate("record(false)")
    return [float(f) for f in page.evaluate("window.frames_")]


def measure(run: Path) -> dict[str, Any]:
    """All of it."""
    before = load()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with served(run) as (base, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        views = [first_view(browser, base) for _ in range(REPEATS + 1)]
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        found = search(page, base)
        drawn = frames(page, base)
        browser.close()
    times = [took for took, _ in views]
    return {
        "first_view_cold_ms": round(times[0]),
        "first_view_ms": round(median(times[1:])),
        "scripts_kb": round(views[0][1] / 1000, 1),
        "search_p50_ms": round(median(found), 1),
        "search_max_ms": round(max(found), 1),
        "frames": len(drawn),
        "frame_p50_ms": round(percentile(drawn, 0.5), 1),
        "frame_p95_ms": round(percentile(drawn, 0.95), 1),
        "load_before": before,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The page on a large release.")
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/explorer"))
    options = parser.parse_args()
    print(json.dumps(measure(large_run(options.folder))))


if __name__ == "__main__":
    main()
