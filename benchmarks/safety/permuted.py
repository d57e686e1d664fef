"""How often networks are reported where no accounts act together, beside the declared rate.

    python benchmarks/safety/permuted.py --rows 10000 --repetitions 200
    python benchmarks/safety/permuted.py --run RUN --repetitions 200
    python benchmarks/safety/permuted.py --ordinary 20 --rows 4000

The first two exchange the accounts of all conversations, so that what is left in common is chance;
the second does so on a finished run. The last makes ordinary generated corpora, which
have popular texts, busy days and favourite topics but no rings, and looks at each as it is.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from coordination import FACET, write_tables
from scipy.stats import binomtest

import clio
from clio.pipeline.acting import Actions
from clio.pipeline.networks import NETWORK, find_networks
from clio.pipeline.progress import NoProgress
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.hierarchy import parent_arrays
from clio.release.read import open_release
from clio.safety import DECLARED_RATE, Rows, explain, find_groups
from clio.testing import write_jsonl


def rate(hits: int, of: int) -> dict[str, object]:
    """A rate with its exact 95 % interval, and whether the declared one is within or above it."""
    low, high = binomtest(hits, of).proportion_ci(0.95)
    return {
        "hits": hits,
        "rate": round(hits / of, 4),
        "interval": [round(low, 4), round(high, 4)],
        "within": bool(low <= DECLARED_RATE),
    }


def permuted(rows: Rows, parents: list[np.ndarray], args: argparse.Namespace) -> dict[str, object]:
    """How many of the repetitions hold a group, and a network."""
    groups, networks, unfit = 0, 0, 0
    for at in range(args.repetitions):
        mixed = np.random.default_rng([args.seed, at]).permutation(rows.account)
        other = replace(rows, account=mixed)
        found = find_groups(other, parents, nulls=args.nulls, seed=args.seed + at)
        groups += bool(found.groups)
        networks += any(lead.is_network for lead in explain(other, found.groups))
        unfit += not found.null_fits
    of = args.repetitions
    return {"groups": rate(groups, of), "networks": rate(networks, of), "null_fits_not": unfit}


def of_run(path: Path) -> tuple[Rows, list[np.ndarray]]:
    """The rows and the tree of a finished run."""
    directory = RunDirectory(path)
    facet = next(f.name for f in open_release(path).info.facets if f.primary)
    actions = Actions(directory, facet, labels=(), sources=(), seed=1, progress=NoProgress())
    return actions.rows, parent_arrays(directory, facet)


def ordinary(args: argparse.Namespace) -> dict[str, object]:
    """Generated corpora without rings, each run whole and looked at as it is."""
    groups, networks, unfit, inflations = 0, 0, 0, []
    for seed in range(args.seed, args.seed + args.ordinary):
        with tempfile.TemporaryDirectory() as folder:
            write_jsonl(Path(folder) / "in.jsonl", args.rows, seed=seed)
            run = Path(folder) / "run"
            clio.run(Path(folder) / "in.jsonl", out=run, settings=clio.Settings(seed=seed))
            found = find_networks(run, nulls=args.nulls)
        groups += bool(found.networks)
        networks += any(n.kind == NETWORK for n in found.networks)
        unfit += not found.null_fits
        inflations.append(found.inflation)
        print(json.dumps({"seed": seed, "q": [n.q for n in found.networks]}), flush=True)
    return {
        "groups": rate(groups, args.ordinary),
        "networks": rate(networks, args.ordinary),
        "null_fits_not": unfit,
        "inflation": inflations,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--ordinary", type=int, default=0, help="corpora, in place of permutations")
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--nulls", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    began = time.process_time()
    if args.ordinary:
        report = ordinary(args)
    elif args.run is not None:
        report = permuted(*of_run(args.run), args)
    else:
        with tempfile.TemporaryDirectory() as folder:
            directory = RunDirectory(Path(folder) / "run")
            directory.create()
            parents = write_tables(directory, args.rows, args.seed, planted=False)["parents"]
            actions = Actions(
                directory, FACET, labels=(), sources=(), seed=1, progress=NoProgress()
            )
        report = permuted(actions.rows, parents, args)
    report["declared"] = DECLARED_RATE
    report["cpu_seconds"] = round(time.process_time() - began, 1)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
