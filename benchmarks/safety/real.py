"""Rings planted in real conversations: recall and precision of their accounts.

    python benchmarks/safety/real.py hh_harmless.jsonl.gz wildchat_agency_a.jsonl.gz

Accounts are drawn with the weights ``(rank + 10) ** -0.9``, a quarter as many as conversations.
Rings of eight accounts send six conversations each within two weeks, and at 50 % have as many
ordinary ones, taken from the corpus: copies of one text, or a template whose seven slots of forty
words vary. Where the corpus has no dates, neither have they. Then a whole run, and networks.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from coordination import WORDS

import clio
from clio.pipeline import files
from clio.pipeline.networks import NETWORK, find_networks

SIZE, EACH, WORDS_A_TEXT, SLOTS = 8, 6, 40, 7
RINGS = tuple((how, mix) for how in ("copy", "template") for mix in (0.0, 0.5))


def planted(source: Path, target: Path, seed: int) -> dict[str, str]:
    """Write the conversations with rings; the ring of each conversation of one."""
    rng = np.random.default_rng(seed)
    with gzip.open(source, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    people = len(rows) // 4
    weight = (np.arange(people) + 10.0) ** -0.9
    for row, account in zip(
        rows, rng.choice(people, len(rows), p=weight / weight.sum()).tolist(), strict=True
    ):
        row["user_id"] = f"account {account}"
    dates = sorted(row["created_at"] for row in rows if row["created_at"])
    free = rng.permutation(len(rows)).tolist()
    truth: dict[str, str] = {}
    for number, (how, mix) in enumerate(RINGS):
        skeleton = rng.choice(WORDS, WORDS_A_TEXT)
        slots = rng.choice(WORDS_A_TEXT, SLOTS, replace=False)
        begin = dates and datetime.fromisoformat(dates[int(rng.integers(len(dates)))])
        for member in range(SIZE):
            name = f"ring {number} {member}"
            for at in range(EACH):
                words = skeleton.copy()
                if how == "template":
                    words[slots] = rng.choice(WORDS, SLOTS)
                when = begin and begin.astimezone(UTC) + timedelta(days=14 * rng.random())
                row = {
                    "conversation_id": f"{name} {at}",
                    "user_id": name,
                    "created_at": when.isoformat() if when else None,
                    "messages": [{"role": "user", "content": " ".join(words.tolist())}],
                }
                rows.append(row)
                truth[row["conversation_id"]] = f"{how} {mix:.0%}"
            for _ in range(round(EACH * mix / (1 - mix))):
                rows[free.pop()]["user_id"] = name
    with target.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    return truth


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for source in args.sources:
        began = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            truth = planted(source, Path(folder) / "in.jsonl", args.seed)
            run = Path(folder) / "run"
            clio.run(Path(folder) / "in.jsonl", out=run, settings=clio.Settings(seed=args.seed))
            found = find_networks(run)
            table = files.read_table(
                run / "private" / "conversations.parquet", ["conversation_id", "account"]
            ).to_pylist()
            accounts = pq.read_table(run / "restricted" / "network_accounts.parquet").to_pylist()
        kinds = {n.network_id: n.kind for n in found.networks}
        rings = {
            r["account"]: truth[r["conversation_id"]]
            for r in table
            if r["conversation_id"] in truth
        }
        networks = {a["account"] for a in accounts if kinds[a["network_id"]] == NETWORK}
        hits, sizes = Counter(rings[a] for a in networks if a in rings), Counter(rings.values())
        report = {
            "corpus": source.name.split(".")[0],
            "conversations": found.conversations,
            "recall": {ring: hits[ring] / size for ring, size in sorted(sizes.items())},
            "precision": round(sum(hits.values()) / len(networks), 3) if networks else None,
            "shared_sources": sum(kind != NETWORK for kind in kinds.values()),
            "inflation": found.inflation,
            "cpu_seconds": round(time.process_time() - began, 1),
        }
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
