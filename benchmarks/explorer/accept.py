"""What the explorer promises on a release of 10,000 leaf clusters, and whether it holds.

    python benchmarks/explorer/accept.py [--folder benchmarks/results/explorer]

Runs ``page.py``, ``serving.py`` and an export as a static site, and prints one JSON object whose
``missed`` names the promises that were not kept. On a machine that does other things besides
(``load_before`` above 1) times say little. Exit status 1 where a promise was missed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import page
import serving
from large import large_run, load

from clio.exporting.site import write_site

PROMISES = {
    "first_view_ms": 1000,
    "scripts_kb": 150,
    "search_max_ms": 50,
    "frame_p50_ms": 20,
    "frame_p95_ms": 40,
    "p99_ms": 50,
    "site_mb": 30,
}
"""The most that each may be."""


def site(run: Path, folder: Path) -> dict[str, Any]:
    """Size and cost of the release as a static site."""
    shutil.rmtree(folder, ignore_errors=True)
    begin = time.process_time()
    write_site(run, folder)
    files = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return {
        "site_mb": round(sum(files) / 1e6, 1),
        "site_files": len(files),
        "site_cpu_s": round(time.process_time() - begin, 1),
    }


def main() -> None:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser(description="The explorer on a large release.")
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/explorer"))
    options = parser.parse_args()
    run = large_run(options.folder)
    found = {
        **page.measure(run),
        **serving.measure(run, 20.0, 200.0, 50),
        **site(run, options.folder / "site"),
        "load_after": load(),
    }
    found["missed"] = [name for name, most in PROMISES.items() if found[name] > most]
    print(json.dumps(found))
    sys.exit(bool(found["missed"]))


if __name__ == "__main__":
    main()
