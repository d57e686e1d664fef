"""Before and after an event: what is found of planted changes, and what on ordinary days.

    python benchmarks/monitoring/events.py --streams 10

Each stream has an event on one day: leaves and a middle node that change by several factors for two
weeks. False: changes named at nodes that are neither planted, nor above or below one, and any
change named on days of streams without an event.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np
from streams import Planted, World, shares_of, stream, tree_of

from clio.monitoring import compare

SHARES = (0.002, 0.01, 0.05)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("--clusters", type=int, default=200)
    parser.add_argument("--weekly", type=int, default=20_000)
    parser.add_argument("--weeks", type=int, default=30)
    parser.add_argument("--factors", type=float, nargs="+", default=[1.5, 2.0, 4.0])
    options = parser.parse_args()
    world = World(options.clusters, options.weekly, options.weeks)
    day = (options.weeks - 4) * 7
    for factor in options.factors:
        found: defaultdict[str, list[bool]] = defaultdict(list)
        covered, false = [], 0
        for number in range(options.streams):
            rng = np.random.default_rng([number, 11])
            tree = tree_of(world.clusters, rng)
            leaves = rng.permutation(world.clusters)[: len(SHARES)]
            share = shares_of(world.clusters, rng, dict(zip(leaves.tolist(), SHARES, strict=True)))
            activity = stream(world, share, rng, Planted(leaves, factor, day))
            changes = compare(activity, tree, day, seed=number).changes
            related = {n for leaf in leaves for n in np.flatnonzero(_line(tree, int(leaf)))}
            whole = 1.0 + (factor - 1.0) * sum(SHARES)
            for size, leaf in zip(SHARES, leaves.tolist(), strict=True):
                hit = [c for c in changes if c.node == leaf]
                found[f"{size:.1%}"].append(bool(hit))
                covered += [c.low <= factor / whole <= c.high for c in hit]
            # What others lose to the planted ones is true too, where it is more than a tenth.
            false += sum(c.node not in related for c in changes) if whole < 1.1 else 0
        print(
            f"x{factor:g}: "
            + ", ".join(f"{size} found {np.mean(hits):.2f}" for size, hits in found.items())
            + f"; true ratio inside the interval {np.mean(covered) if covered else np.nan:.2f} of "
            f"{len(covered)}; others named {false / options.streams:.2f} a stream",
            flush=True,
        )
    alarmed, looked, named = 0, 0, 0
    for number in range(options.streams):
        rng = np.random.default_rng([number, 12])
        tree = tree_of(world.clusters, rng)
        activity = stream(world, shares_of(world.clusters, rng), rng)
        for at in rng.choice(np.arange(56, options.weeks * 7 - 28), 10, replace=False):
            changes = compare(activity, tree, int(at), seed=number).changes
            looked, named, alarmed = looked + 1, named + len(changes), alarmed + bool(changes)
    print(f"no event: {alarmed} of {looked} dates name anything, {named} changes")


def _line(tree, leaf: int) -> np.ndarray:
    above = np.zeros(tree.nodes, dtype=bool)
    node = leaf
    while node >= 0:
        above[node] = True
        node = int(tree.parent[node])
    return above


if __name__ == "__main__":
    main()
