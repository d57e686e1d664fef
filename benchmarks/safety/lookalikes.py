"""Groups that act together for innocent reasons, and how often they are reported as networks.

    python benchmarks/safety/lookalikes.py --plantings 500

Five kinds in turn, of 8 to 60 accounts, ten at a time in 10,000 generated conversations:

viral     ordinary accounts that use one text once or twice within days, as many others do too
class     ordinary accounts that use two to five texts once each within a week
product   accounts that do nothing but use one product, whose system prompt marks them
event     ordinary accounts that ask about one cluster on the same days, as many others do
language  accounts that write in one rare language about two clusters, day by day

A planting counts as reported where three of its accounts stand in networks.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from coordination import FACET, write_tables
from scipy.stats import binomtest

from clio.pipeline.acting import SYSTEM_PROMPT, Actions
from clio.pipeline.progress import NoProgress
from clio.pipeline.run_directory import RunDirectory
from clio.safety import Rows, explain, find_groups

KINDS = ("viral", "class", "product", "event", "language")
DAY = 86_400


class Planting:
    """Rows that are added to others, kind by kind."""

    def __init__(self, rows: Rows, rng: np.random.Generator) -> None:
        self.rows, self.rng = rows, rng
        self.accounts = rows.accounts
        self.fresh = int(rows.text.max()) + 1
        self.source = int(max(v.max(initial=0) for v in rows.sources.values())) + 1
        self.language = int(rows.language.max()) + 1
        counts = np.bincount(rows.account, minlength=rows.accounts)
        self.active = np.flatnonzero(counts >= 4)
        self.parts: list[dict[str, np.ndarray]] = []

    def add(self, kind: str) -> np.ndarray:
        """Plant one; its accounts."""
        rng, size = self.rng, int(self.rng.integers(8, 61))
        first = int(rng.integers(0, max(1, self.rows.days - 21)))
        leaf = int(rng.choice(self.rows.leaf))
        ordinary = rng.choice(self.active, size, replace=False)
        if kind == "viral":
            text = self._texts(1)[0]
            rest = rng.choice(self.active, 2 * size)
            self._put(np.repeat(ordinary, 2), first + rng.integers(0, 6, 2 * size), leaf, text)
            self._put(rest, rng.integers(0, self.rows.days, 2 * size), leaf, text)
            return ordinary
        if kind == "class":
            texts = self._texts(int(rng.integers(2, 6)))
            for text in texts:
                self._put(ordinary, first + rng.integers(0, 7, size), leaf, text)
            return ordinary
        if kind == "event":
            rest = rng.choice(self.rows.accounts, 6 * size)
            self._put(np.repeat(ordinary, 3), first + rng.integers(0, 4, 3 * size), leaf, None)
            self._put(rest, first + rng.integers(0, 4, len(rest)), leaf, None)
            return ordinary
        own = self.accounts + np.arange(size)
        self.accounts += size
        each = int(rng.integers(5, 15))
        who, day = np.repeat(own, each), first + rng.integers(0, 21, size * each)
        if kind == "product":
            texts = self._texts(int(rng.integers(1, 4)))
            self._put(who, day, leaf, rng.choice(texts, len(who)), source=self.source)
            self.source += 1
        else:
            other = int(rng.choice(self.rows.leaf))
            day = rng.integers(0, self.rows.days, len(who))
            place = np.where(rng.random(len(who)) < 0.5, leaf, other)
            self._put(who, day, place, None, language=self.language)
            self.language += 1
        return own

    def _texts(self, count: int) -> np.ndarray:
        self.fresh += count
        return np.arange(self.fresh - count, self.fresh)

    def _put(self, who, day, leaf, text, *, source=-1, language=0) -> None:
        n = len(who)
        text = self._texts(n) if text is None else np.broadcast_to(text, n)
        self.parts.append(
            {
                "account": np.asarray(who),
                "day": day,
                "second": day * DAY + self.rng.integers(0, DAY, n),
                "leaf": np.broadcast_to(leaf, n),
                "language": np.full(n, language),
                "text": text,
                "wording": self._texts(n),
                "source": np.full(n, source),
            }
        )

    def whole(self) -> Rows:
        """The rows and what was planted."""

        def both(name: str) -> np.ndarray:
            return np.concatenate([getattr(self.rows, name), *(p[name] for p in self.parts)])

        more = np.concatenate([p["source"] for p in self.parts])
        sources = {
            name: np.concatenate([v, more if name == SYSTEM_PROMPT else np.full(len(more), -1)])
            for name, v in self.rows.sources.items()
        }
        names = ("account", "day", "second", "leaf", "language", "text", "wording")
        columns = {name: both(name).astype(np.int64) for name in names}
        return replace(self.rows, accounts=self.accounts, sources=sources, **columns)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--plantings", type=int, default=500)
    parser.add_argument("--at-once", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = RunDirectory(Path(folder) / "run")
        directory.create()
        parents = write_tables(directory, args.rows, args.seed, planted=False)["parents"]
        actions = Actions(directory, FACET, labels=(), sources=(), seed=1, progress=NoProgress())
    began = time.process_time()
    planted, reported, apart = Counter(), Counter(), Counter()
    for at in range(args.plantings // args.at_once):
        planting = Planting(actions.rows, np.random.default_rng([args.seed, at]))
        groups = [(kind, planting.add(kind)) for kind in KINDS * (args.at_once // len(KINDS))]
        rows = planting.whole()
        found = find_groups(rows, parents, seed=at)
        leads = explain(rows, found.groups)
        networks, sources = (
            {int(a) for x in leads if x.is_network == kind for a in x.group.accounts}
            for kind in (True, False)
        )
        for kind, accounts in groups:
            planted[kind] += 1
            members = set(accounts.tolist())
            reported[kind] += len(members & networks) >= 3
            apart[kind] += len(members & sources) >= 3
    hits, of = sum(reported.values()), sum(planted.values())
    low, high = binomtest(hits, of).proportion_ci(0.95)
    report = {
        "plantings": of,
        "reported": hits,
        "rate": round(hits / of, 4),
        "interval": [round(low, 4), round(high, 4)],
        "by_kind": {kind: [planted[kind], reported[kind], apart[kind]] for kind in KINDS},
        "cpu_seconds": round(time.process_time() - began, 1),
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
