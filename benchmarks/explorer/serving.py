"""The API under load: 200 requests a second, whether it answers or not, over 50 connections.

    python benchmarks/explorer/serving.py [--seconds 20] [--rate 200] [--connections 50]

Requests are due at fixed moments (open loop); a latency counts from the moment a request was due,
so that waiting for a free connection is part of it. Paths are those that the page asks for, in
about the mix of somebody who walks around; clusters are drawn anew, so that few answers are kept
from before. The last line is one JSON object. The load of the machine stands in it: this process
and the server share its cores with all else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from pathlib import Path
from urllib.parse import quote

import aiohttp
from large import cpu_seconds, large_run, load, percentile, served

import clio

_MIX = (
    ("cluster", 50),
    ("trends", 15),
    ("dimension", 10),
    ("shares", 5),
    ("release", 4),
    ("tree", 4),
    ("map", 4),
    ("dimensions", 4),
    ("surprises", 2),
    ("alerts", 2),
)


def paths(release: clio.Release, number: int, seed: int = 0) -> list[tuple[str, str]]:
    """So many requests, each with its kind."""
    draw = random.Random(seed)
    ids = [c.cluster_id for c in release.walk()]
    rows = release.rows("breakdowns")
    values = [(row["dimension"], row["value"]) for row in rows]
    levels = len(release.info.facets[0].clusters)
    kinds = draw.choices([k for k, _ in _MIX], [w for _, w in _MIX], k=number)
    made = []
    for kind in kinds:
        dimension, value = draw.choice(values)
        path = {
            "cluster": lambda: f"clusters/{draw.choice(ids)}",
            "trends": lambda: (
                "trends?" + "&".join(f"cluster={i}" for i in draw.sample(ids, draw.randint(1, 8)))
            ),
            "dimension": lambda d=dimension: (
                f"dimensions/{d}?level={draw.randrange(levels)}&offset=0&limit=50"
            ),
            "shares": lambda d=dimension, v=value: f"shares?dimension={d}&value={quote(v)}",
        }.get(kind, lambda kind=kind: kind)()
        made.append((kind, path))
    return made


async def drive(
    base: str, asked: list[tuple[str, str]], rate: float, connections: int
) -> list[tuple[str, float]]:
    """Send all, each at its moment; gives kind and latency in seconds."""
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(base, connector=connector, auto_decompress=False) as session:
        begin = time.perf_counter() + 0.5

        async def one(number: int, kind: str, path: str) -> tuple[str, float]:
            due = begin + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            async with session.get(f"/api/v1/{path}") as response:
                await response.read()
                if response.status != 200:
                    raise SystemExit(f"{path}: status {response.status}")
            return kind, time.perf_counter() - due

        return await asyncio.gather(*(one(n, *a) for n, a in enumerate(asked)))


def measure(run: Path, seconds: float, rate: float, connections: int) -> dict[str, object]:
    """Latencies, all together and by kind, in milliseconds."""
    release = clio.open_release(run)
    asked = paths(release, int(seconds * rate))
    before = load()
    with served(run) as (base, pid):
        first = [(kind, path) for kind, path in asked if kind in ("release", "tree", "map")][:20]
        asyncio.run(drive(base, first, 5.0, 2))  # as the first visitor's page does
        cpu = cpu_seconds(pid)
        took = asyncio.run(drive(base, asked, rate, connections))
        cpu = cpu_seconds(pid) - cpu
    latencies = [latency for _, latency in took]
    by_kind = {
        kind: round(1000 * percentile([x for k, x in took if k == kind], 0.99), 1)
        for kind in dict(took)
    }
    return {
        "requests": len(took),
        "rate": rate,
        "connections": connections,
        "p50_ms": round(1000 * percentile(latencies, 0.5), 1),
        "p99_ms": round(1000 * percentile(latencies, 0.99), 1),
        "p99_ms_by_kind": by_kind,
        "server_cpu_ms_a_request": round(1000 * cpu / len(took), 2),
        "load_before": before,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The API under load.")
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/explorer"))
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--connections", type=int, default=50)
    options = parser.parse_args()
    run = large_run(options.folder)
    print(json.dumps(measure(run, options.seconds, options.rate, options.connections)))


if __name__ == "__main__":
    main()
