"""A synthetic classifier with known misses and false alarms, and how many are found.

    python benchmarks/safety/flags.py hh_harmless.jsonl.gz wildchat_agency_a.jsonl.gz

The clusters, their sizes and who wrote in them are of runs over real and generated conversations;
what the classifier and the concern say is drawn. Accounts of the real ones, which have none, are
drawn with the weights ``(rank + 10) ** -0.9``, a quarter as many as conversations.

Each cluster has a severity, a conversation a concern around it, and the classifier flags 2, 6, 25,
70 and 90 % of concern 1 to 5; flags of one account go together. Of the clusters 12 % are affected,
misses and false alarms in turn: a share of what would be flagged is not, or of what would not is.
The concern that Clio is given is one off in 12 % of conversations. With ``--concern rules`` it is
what the run's own rules answered, and the classifier flags a tenth of what they leave open.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from pathlib import Path

import numpy as np
from scipy.stats import norm

import clio
from clio.pipeline.facets import restored
from clio.pipeline.judging import Nodes, Rows, read_nodes, read_rows
from clio.pipeline.run_directory import RunDirectory
from clio.release.read import open_release
from clio.safety.flags import LEVEL, Judged, gaps, norm_of
from clio.testing import write_jsonl

RATES = np.array([0.10, 0.02, 0.06, 0.25, 0.70, 0.90])
"""Flagged share by concern; the first is of what has none."""

SEVERITIES = ((1.0, 0.35), (1.4, 0.2), (2.0, 0.15), (3.0, 0.1), (4.0, 0.1), (4.6, 0.1))
AFFECTED = 0.12
TOGETHER = 0.2
"""Correlation behind the flags of one account."""

STRENGTHS = {"weak": (0.5, 0.25), "medium": (0.75, 0.5), "strong": (1.0, 0.75)}
"""Share of the flags that are missed, and of the rest that is flagged."""

LEAST_GAP = 0.15
GENERATED = 6000


def with_accounts(source: Path, target: Path) -> None:
    """The conversations with accounts drawn for them."""
    with gzip.open(source, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    people = len(rows) // 4
    weight = (np.arange(people) + 10.0) ** -0.9
    drawn = np.random.default_rng(1).choice(people, len(rows), p=weight / weight.sum())
    with target.open("w", encoding="utf-8") as out:
        for row, account in zip(rows, drawn.tolist(), strict=True):
            out.write(json.dumps({**row, "user_id": f"account {account}"}) + "\n")


def prepared(folder: Path, sources: list[Path]) -> dict[str, tuple[Rows, Nodes]]:
    """Runs over the corpora, made where they are not there yet."""
    found = {}
    for source in [*sources, None]:
        name = f"generated, {GENERATED:,}" if source is None else source.name.split(".")[0]
        place = folder / name.replace(", ", "-").replace(",", "")
        if not (place / "run" / "release").exists():
            place.mkdir(parents=True, exist_ok=True)
            if source is None:
                write_jsonl(place / "in.jsonl", GENERATED, seed=7)
            else:
                with_accounts(source, place / "in.jsonl")
            clio.run(place / "in.jsonl", out=place / "run", settings=clio.Settings(seed=1))
        directory = RunDirectory(place / "run")
        directory.load()
        release = open_release(directory.path)
        facet = next(f.name for f in release.info.facets if f.primary)
        facets = restored(directory.state.facets)
        rows = read_rows(directory, facets, facet, seed=1, label=None, closed=())
        found[name] = (rows, read_nodes(directory, facet, release))
    return found


def once(
    rows: Rows, nodes: Nodes, strength: str, rng: np.random.Generator, *, simulated: bool
) -> dict[str, int]:
    """One classifier with its misses and false alarms, and what is found of them."""
    leaves, n = nodes.of_leaf.shape[0], len(rows)
    truth = given = rows.concern
    if simulated:
        values, weights = zip(*SEVERITIES, strict=True)
        severity = rng.choice(values, leaves, p=weights)
        truth = np.clip(np.rint(severity[rows.leaf] + rng.normal(0, 0.7, n)), 1, 5).astype(int)
        off = (rng.random(n) < 0.12) * rng.choice([-1, 1], n)
        given = np.clip(truth + off, 1, 5)
    usual = RATES[truth]
    size = np.bincount(rows.leaf, minlength=leaves)
    mean = np.bincount(rows.leaf, weights=usual, minlength=leaves) / np.maximum(size, 1)
    missed, alarmed = STRENGTHS[strength]
    affected = np.zeros(leaves)
    for turn in range(round(AFFECTED * np.count_nonzero(size))):
        free = (affected == 0) & (size > 0)
        miss = free & (mean * missed >= LEAST_GAP)
        alarm = free & ((1 - mean) * alarmed >= LEAST_GAP)
        pool = np.flatnonzero(miss if turn % 2 and miss.any() else alarm)
        affected[rng.choice(pool)] = -1 if turn % 2 and miss.any() else 1
    at = affected[rows.leaf]
    rate = np.where(at < 0, usual * (1 - missed), usual)
    rate = np.where(at > 0, usual + (1 - usual) * alarmed, rate)
    of_account = rng.normal(size=int(rows.account.max()) + 1)[rows.account]
    mixed = np.sqrt(TOGETHER) * of_account + np.sqrt(1 - TOGETHER) * rng.normal(size=n)
    flagged = norm.cdf(mixed) < rate

    judged = Judged(rows.account, rows.leaf, flagged, given, np.full(n, -1))
    law = norm_of(judged, leaves, ordered=True)
    found = gaps(judged, nodes.of_leaf, law, tested=nodes.levels >= 0)
    lead = np.where(found.q <= LEVEL, np.sign(found.gap), 0)

    def shares(values: np.ndarray) -> np.ndarray:
        by_leaf = np.bincount(rows.leaf, weights=values, minlength=leaves)
        return (nodes.of_leaf.T @ by_leaf) / np.maximum(nodes.of_leaf.T @ size, 1)

    gap = shares(rate) - shares(usual)
    wanted = (np.abs(gap) >= LEAST_GAP) & (nodes.levels == 0)
    # Above a miss and a false alarm a gap may be of either sign, or none: that they cancel is true.
    touched = np.asarray(nodes.of_leaf.T @ (affected != 0).astype(float)) > 0
    wrong = (lead != 0) & ~(touched & (lead == np.sign(gap)))
    return {
        "wanted": int(wanted.sum()),
        "found": int((wanted & (lead == np.sign(gap))).sum()),
        "leads": int((lead != 0).sum()),
        "wrong": int(wrong.sum()),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sources", type=Path, nargs="*")
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/flags"))
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--concern", choices=("model", "rules"), default="model")
    args = parser.parse_args()
    for name, (rows, nodes) in prepared(args.folder, args.sources).items():
        for number, strength in enumerate(STRENGTHS):
            began = time.process_time()
            results = [
                once(
                    rows,
                    nodes,
                    strength,
                    np.random.default_rng([at, number]),
                    simulated=args.concern == "model",
                )
                for at in range(args.repetitions)
            ]
            total = {key: sum(r[key] for r in results) for key in results[0]}
            false = np.array([r["wrong"] / max(1, r["leads"]) for r in results])
            line = {
                "corpus": name,
                "conversations": len(rows),
                "clusters": int((nodes.levels == 0).sum()),
                "strength": strength,
                "affected": total["wanted"],
                "recall": round(total["found"] / max(1, total["wanted"]), 3),
                "false_discoveries": round(float(false.mean()), 3),
                "error": round(float(false.std() / np.sqrt(len(false))), 3),
                "cpu_seconds": round(time.process_time() - began, 1),
            }
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
