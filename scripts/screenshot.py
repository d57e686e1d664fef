"""Take the pictures of the explorer that the README and the documentation show.

    python scripts/screenshot.py RUN [--out docs/images] [--all] [--site FOLDER]

Serves the release of a run on a free port and looks at it with Debian's chromium
(``scripts/install_browser.sh``). Those in the repository are of ``clio demo``'s run. With ``--all``
every view is taken instead, at three widths and in both themes, to be looked over. With ``--site``
the release is exported as a static site to that folder first, and looked at there.
"""

from __future__ import annotations

import argparse
import shutil
import threading
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

import clio
from clio.exporting.site import write_site
from clio.server import bind, create_app, run, url_of

WIDTHS = (1440, 768, 390)
PICTURES = ("explorer", "overview", "facets", "map", "trends")
"""What documentation shows."""


def views(release: clio.Release) -> dict[str, str]:
    """Address of each view, of the largest group under the top where one has to be chosen."""
    top = max(release.children(), key=lambda c: (c.conversations, c.cluster_id))
    inner = [*release.children(top.cluster_id), top]
    chosen = max(inner, key=lambda c: (c.level > 0, c.conversations, c.cluster_id))
    return {
        "overview": "#/",
        "explorer": f"#/cluster/{chosen.cluster_id}",
        "growth": "#/explore?sort=growth",
        "search": "#/explore?q=write",
        "map": f"#/cluster/{chosen.cluster_id}?show=map",
        "blocks": f"#/cluster/{chosen.cluster_id}?show=blocks",
        "table": "#/explore?show=table",
        "trends": "#/trends",
        "compare": "#/compare",
        "monitoring": "#/monitoring",
        "facets": "#/facets?dimension=country",
        "method": "#/method",
        "missing": "#/cluster/none",
    }


def take(browser: Browser, address: str, out: Path, width: int, *, dark: bool, whole: bool) -> None:
    """One picture, once the view and its charts are there."""
    page = browser.new_page(
        viewport={"width": width, "height": 900},
        device_scale_factor=1 if whole else 1.25,
        color_scheme="dark" if dark else "light",
    )
    page.goto(address)
    page.get_by_role("heading", level=1).or_(page.get_by_role("alert")).first.wait_for()
    page.wait_for_timeout(1500)
    if not whole and "facets" in address:
        # The table below the bars says more.
        page.get_by_role("heading", level=2).last.evaluate("h => h.scrollIntoView()")
    page.screenshot(path=out, full_page=whole)
    page.close()
    print(f"{out}: {out.stat().st_size:,} bytes")


def main() -> None:
    """Serve, look, save."""
    parser = argparse.ArgumentParser(description="Take pictures of the explorer.")
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--all", action="store_true", help="every view, width and theme")
    parser.add_argument("--site", type=Path, help="export there, and look at the export")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    addresses = views(clio.open_release(options.run))
    if options.site:
        write_site(options.run, options.site)
        base = (options.site / "index.html").resolve().as_uri()
    else:
        listening = bind(port=0)
        server = threading.Thread(target=run, args=(create_app(options.run), listening))
        server.daemon = True
        server.start()
        base = url_of(listening)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        if not options.all:
            for name in PICTURES:
                out = options.out / f"{name}.png"
                take(browser, base + addresses[name], out, 1280, dark=False, whole=False)
            return
        for name, view in addresses.items():
            for width in WIDTHS:
                for dark in (False, True):
                    out = options.out / f"{name}-{width}-{'dark' if dark else 'light'}.png"
                    take(browser, base + view, out, width, dark=dark, whole=True)


if __name__ == "__main__":
    main()
