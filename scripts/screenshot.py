"""Take the picture of the explorer that the README shows.

    python scripts/screenshot.py RUN [--out docs/images/explorer.png]

Serves the release of a run on a free port and shows its largest group of the level above the leaves
in Debian's chromium (``scripts/install_browser.sh``). The README's is of ``clio demo``'s run.
"""

from __future__ import annotations

import argparse
import shutil
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

import clio
from clio.server import bind, create_app, run, url_of


def main() -> None:
    """Serve, look, save."""
    parser = argparse.ArgumentParser(description="Take a picture of the explorer.")
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/images/explorer.png"))
    parser.add_argument("--cluster", help="id; by default the largest group under the top")
    parser.add_argument("--dark", action="store_true")
    options = parser.parse_args()
    release = clio.open_release(options.run)
    top = max(release.children(), key=lambda c: (c.conversations, c.cluster_id))
    inner = [*release.children(top.cluster_id), top]
    chosen = max(inner, key=lambda c: (c.level > 0, c.conversations, c.cluster_id))
    cluster = options.cluster or chosen.cluster_id
    listening = bind(port=0)
    threading.Thread(target=run, args=(create_app(options.run), listening), daemon=True).start()
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"]).new_page(
            viewport={"width": 1280, "height": 900},
            device_scale_factor=1.25,
            color_scheme="dark" if options.dark else "light",
        )
        page.goto(f"{url_of(listening).rstrip('/')}/#/cluster/{cluster}")
        page.get_by_role("heading", level=1).wait_for()
        page.wait_for_timeout(1500)
        page.screenshot(path=options.out)
    print(f"{options.out}: {options.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
