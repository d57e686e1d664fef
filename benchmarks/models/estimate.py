"""What ``clio estimate`` says beside what the run then costs, against the stand-in server.

    python benchmarks/models/estimate.py FILE... [--rows 300] [--prices FILE] [--latency 0]

The server counts tokens by rules of its own, and answers as a model without fault would. Prices are
those of gpt-5-mini, whose name it goes by. Prints a table, one row a file: estimated and actual
calls, tokens and cost, and the ratio of costs; with --rows of the first so many rows of each file.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import tempfile
import time
from pathlib import Path
from typing import Any

import clio
from clio.analysts.prices import load_prices
from clio.pipeline import estimate
from clio.testing.model_server import ModelServer
from clio.testing.model_server.truthful import TruthfulResponder

MODEL = "openai:gpt-5-mini"
CENT = 0.01


def head(path: Path, rows: int | None, folder: Path) -> Path:
    """The file, or one of its first rows."""
    if rows is None:
        return path
    part = folder / path.name
    with gzip.open(path, "rb") as whole, gzip.open(part, "wb") as cut:
        cut.writelines(itertools.islice(whole, rows))
    return part


def measure(path: Path, server: ModelServer, out: Path) -> dict[str, Any]:
    """Estimate, then run."""
    options = {
        "analyst": MODEL,
        "base_url": f"{server.url}/v1",
        "privacy": "personal",
    }
    settings = clio.load_settings(options)
    begin = time.perf_counter()
    guess = estimate(path, settings=settings)
    middle = time.perf_counter()
    before = (sum(server.counts.values()), server.usage)
    clio.run(path, out=out, settings=settings)
    end = time.perf_counter()
    price = load_prices().of(MODEL)
    if price is None or guess.cost is None:
        raise SystemExit(f"no price of {MODEL}")
    used = server.usage
    delta = clio_usage(before[1], used)
    return {
        "calls": (guess.calls, sum(server.counts.values()) - before[0]),
        "sent": (guess.input_tokens, delta.input),
        "received": (guess.output_tokens, delta.output),
        "cost": (guess.cost, price.cost(delta)),
        "seconds": (middle - begin, end - middle),
    }


def clio_usage(before: Any, after: Any) -> Any:
    """Tokens between two readings of the server's meter."""
    return type(after)(
        after.input - before.input,
        after.output - before.output,
        after.cached - before.cached,
        after.written - before.written,
    )


def main() -> None:
    """One row a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--latency", type=float, default=0.0)
    arguments = parser.parse_args()
    print("| file | calls: estimated, made | tokens sent | received | cost | ratio | seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for path in arguments.files:
        with (
            tempfile.TemporaryDirectory() as folder,
            ModelServer(TruthfulResponder([]), latency=arguments.latency) as server,
        ):
            part = head(path, arguments.rows, Path(folder))
            found = measure(part, server, Path(folder) / "run")
        cells = [
            f"{found[name][0]:,}, {found[name][1]:,}" for name in ("calls", "sent", "received")
        ]
        guess, cost = found["cost"]
        cells += [f"${guess:.3f}, ${cost:.3f}", f"{guess / max(cost, CENT / 100):.3f}"]
        cells.append(f"{found['seconds'][0]:.1f}, {found['seconds'][1]:.1f}")
        print(f"| {path.name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
