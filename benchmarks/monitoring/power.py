"""Planted rises: how often and how soon they are named, at which level, and what others do.

    python benchmarks/monitoring/power.py --streams 10

Each stream has leaves of several shares and one node of the middle level that rise alike. It is
looked at once a week. "Within 2 weeks": named by the second look after the rise began. The textbook
methods see the leaf's own daily or weekly counts; their false alarms are counted over all leaves in
the weeks before anything changed.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np
from streams import Planted, World, history, shares_of, stream, tree_of

from clio.monitoring import look

SHARES = (0.0005, 0.002, 0.01, 0.05)
START = 20
LOOKS = 8


def ears(x: np.ndarray) -> dict[str, np.ndarray]:
    """Days on which EARS C1, C2 and C3 alarm, ``(days, leaves)``, with the book's constants."""
    window = np.lib.stride_tricks.sliding_window_view(x, 7, axis=0)
    mean, spread = window.mean(axis=-1), np.maximum(window.std(axis=-1, ddof=1), 1e-9)
    z1, z2 = np.full(x.shape, -np.inf), np.full(x.shape, -np.inf)
    z1[7:] = (x[7:] - mean[:-1]) / spread[:-1]
    z2[9:] = (x[9:] - mean[:-3]) / spread[:-3]
    excess = np.maximum(0.0, np.where(np.isfinite(z2), z2, 0.0) - 1.0)
    c3 = excess.copy()
    c3[1:] += excess[:-1]
    c3[2:] += excess[:-2]
    return {"EARS C1": z1 > 3.09, "EARS C2": z2 > 3.09, "EARS C3": c3 > 2.0}


def z_score(x: np.ndarray) -> np.ndarray:
    """Weeks that lie 3.09 standard deviations over the eight before them, ``(weeks, leaves)``."""
    weekly = x.reshape(-1, 7, x.shape[1]).sum(axis=1)
    alarm = np.zeros(weekly.shape, dtype=bool)
    for week in range(8, len(weekly)):
        past = weekly[week - 8 : week]
        spread = np.maximum(past.std(axis=0, ddof=1), 1e-9)
        alarm[week] = (weekly[week] - past.mean(axis=0)) / spread > 3.09
    return alarm


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("--clusters", type=int, default=2000)
    parser.add_argument("--weekly", type=int, default=20_000)
    parser.add_argument("--factors", type=float, nargs="+", default=[1.5, 2.0, 4.0])
    parser.add_argument("--ramps", type=int, nargs="+", default=[0, 42])
    options = parser.parse_args()
    world = World(options.clusters, options.weekly, START + LOOKS)
    false: defaultdict[str, list[float]] = defaultdict(list)
    for factor in options.factors:
        for ramp in options.ramps:
            delays: defaultdict[str, list[int]] = defaultdict(list)
            exact: defaultdict[str, list[bool]] = defaultdict(list)
            others: defaultdict[tuple[str, str], list[bool]] = defaultdict(list)
            for number in range(options.streams):
                rng = np.random.default_rng([number, 10])
                tree = tree_of(world.clusters, rng)
                top = tree.parent[tree.parent[np.arange(world.clusters)]]
                tops = rng.permutation(np.unique(top))[: len(SHARES) + 1]
                leaves = [int(rng.choice(np.flatnonzero(top == t))) for t in tops[:-1]]
                middle = int(rng.choice(tree.children(int(tops[-1]))))
                targets = {f"{s:.2%}": leaf for s, leaf in zip(SHARES, leaves, strict=True)}
                targets["a middle node"] = middle
                planted = np.concatenate([leaves, tree.children(middle)])
                share = shares_of(world.clusters, rng, dict(zip(leaves, SHARES, strict=True)))
                activity = stream(world, share, rng, Planted(planted, factor, START * 7, ramp))
                when: dict[str, int] = {}
                for week in range(1, LOOKS + 1):
                    found = look(history(activity, (START + week) * 7), tree).changes
                    rises = {c.node for c in found if c.kind != "fall"}
                    for name, node in targets.items():
                        near = {node, int(tree.parent[node]), *tree.children(node).tolist()}
                        if name not in when and rises & near:
                            when[name] = week
                            exact[name].append(node in rises)
                daily = activity.daily(tree)[:, : world.clusters]
                after, alarms = slice(START * 7, START * 7 + 14), ears(daily)
                for name, alarm in alarms.items():
                    false[name].append(float(alarm[14 : START * 7].mean()))
                weekly = z_score(daily)
                false["z-score"].append(float(weekly[8:START].mean()))
                for name, node in targets.items():
                    delays[name].append(when.get(name, 99))
                    if node < world.clusters:
                        for method, alarm in alarms.items():
                            others[name, method].append(bool(alarm[after, node].any()))
                        seen = weekly[START : START + 2, node]
                        others[name, "z-score"].append(bool(seen.any()))
            print(f"x{factor:g}, {'sudden' if not ramp else f'over {ramp} days'}")
            for name, seen in delays.items():
                at = np.array(seen)
                level = np.mean(exact[name]) if exact[name] else float("nan")
                median = np.median(at[at < 99]) if (at < 99).any() else float("nan")
                print(
                    f"  {name:>14}: within 2 weeks {np.mean(at <= 2):.2f}, within {LOOKS} "
                    f"{np.mean(at < 99):.2f}, median weeks {median:.0f}, right level {level:.2f}; "
                    + ", ".join(
                        f"{m} {np.mean(v):.2f}" for (n, m), v in others.items() if n == name
                    ),
                    flush=True,
                )
    print("false alarms by leaf and day (EARS) or week:")
    for name, rates in false.items():
        print(f"  {name}: {np.mean(rates):.4f}")


if __name__ == "__main__":
    main()
