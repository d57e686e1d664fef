"""False alarms where nothing changes: how often, by which method, and how many a year.

    python benchmarks/monitoring/null.py --streams 20 --weeks 104 --clusters 2000

Each stream is looked at once a week from its sixth week on. The false discovery rate of streams
without a change is the share of looks that name anything.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np
from streams import World, history, shares_of, stream, tree_of

from clio.monitoring import look


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--weeks", type=int, default=104)
    parser.add_argument("--clusters", type=int, default=2000)
    parser.add_argument("--weekly", type=int, default=20_000)
    parser.add_argument("--wobble", type=float, default=0.2)
    options = parser.parse_args()
    world = World(options.clusters, options.weekly, options.weeks, wobble=options.wobble)
    looks, alarmed, alarms, begun = 0, Counter(), Counter(), time.perf_counter()
    for number in range(options.first, options.first + options.streams):
        rng = np.random.default_rng([number, 9])
        tree = tree_of(world.clusters, rng)
        activity = stream(world, shares_of(world.clusters, rng), rng)
        before: set[tuple[int, str]] = set()
        for week in range(6, world.weeks + 1):
            found = look(history(activity, week * 7), tree).changes
            looks += 1
            kinds = {("few " if c.few else "") + c.method for c in found}
            kinds |= {"any not few"} if any(not c.few for c in found) else set()
            alarmed.update(kinds)
            # A drift that stands for weeks is one alarm.
            standing = {(c.node, c.method) for c in found}
            alarms.update(
                ("few " if c.few else "") + c.method
                for c in found
                if (c.node, c.method) not in before
            )
            before = standing
        _tell(number - options.first + 1, looks, alarmed, alarms, time.perf_counter() - begun)


def _tell(streams: int, looks: int, alarmed: Counter, alarms: Counter, seconds: float) -> None:
    years = looks / 52
    print(f"{streams} streams, {looks} looks, {years:.1f} years, {seconds:.0f} s", flush=True)
    for name in sorted(set(alarmed) | set(alarms)):
        share = alarmed[name] / looks
        print(
            f"{name:>14}: {share:.4f} of looks; {alarms[name] / years:.2f} alarms a year",
            flush=True,
        )


if __name__ == "__main__":
    main()
