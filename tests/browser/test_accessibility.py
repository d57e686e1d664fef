"""axe finds no serious violation of WCAG 2.2 AA on any view, in either theme."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = [
    ("#/explore?sort=growth", "All conversations"),
    ("#/", "What these conversations are about"),
    ("#/cluster/request-0", "Writing and editing"),
    ("#/trends", "Trends"),
    ("#/explore?q=write", "All conversations"),
    ("#/facets", "Facets"),
    ("#/cluster/request-6?q=zzz", "Debug Python errors"),
    ("#/method", "Method and privacy"),
    ("#/facets?level=0", "Facets"),
]
"""Each with its heading, no two alike in a row, so that the heading tells when it is there."""

CHECK = """async () => {
  const found = await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  });
  return found.violations
    .filter((v) => ["serious", "critical"].includes(v.impact))
    .map((v) => `${v.id}: ${v.nodes.map((node) => node.html.slice(0, 120)).slice(0, 3)}`);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_violation(page: Page, explorer: str, scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run `make web`")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    for view, heading in VIEWS:
        page.goto("about:blank")
        page.goto(f"{explorer}{view}")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(page.locator(".skeleton, .loading")).to_have_count(0)
        for details in page.locator("details:not([open]) > summary").all():
            details.click()
        assert page.evaluate(CHECK) == [], view
