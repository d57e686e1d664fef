"""Does a run with a model find the planted topics again, in fifteen languages?

    python benchmarks/models/reconstruction.py [--conversations 9000] [--folder DIR] [--seed 0]

Generated conversations, fifteen languages alike, and the stand-in server, whose answers are right
but for their wording, so that what is lost is the pipeline's. As in the Clio paper, Appendix C: the
true top categories are fixed, each leaf goes to the one that most of its conversations have, and a
conversation is right where that is its own. Beside it the same for the built top level, and NMI of
leaves with the planted topics. By language, accuracy at the leaves. The last line is one JSON
object.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson
import pyarrow.parquet as pq
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from standin import ENVIRONMENT, MODEL, standin

from clio.testing import write_jsonl
from clio.testing.faults import finish


def right(groups: Sequence[str], truth: Sequence[str]) -> list[bool]:
    """Whether each has the truth that most of its group have."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for group, value in zip(groups, truth, strict=True):
        counts[group][value] += 1
    most = {group: of.most_common(1)[0][0] for group, of in counts.items()}
    return [most[group] == value for group, value in zip(groups, truth, strict=True)]


def tops_of(run: Path) -> Mapping[str, str]:
    """The top node of each leaf."""
    table = pq.read_table(run / "private" / "work" / "request" / "nodes.parquet")
    rows = table.select(["cluster_id", "parent_id", "level"]).to_pylist()
    parent = {row["cluster_id"]: row["parent_id"] for row in rows}
    tops = {}
    for row in rows:
        node = row["cluster_id"]
        while parent[node] is not None:
            node = parent[node]
        tops[row["cluster_id"]] = node
    return tops


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=9000)
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/reconstruction"))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    source, out = folder / "generated.jsonl", folder / "run"
    write_jsonl(source, given.conversations, seed=given.seed, languages="even", concerning=0.0)
    with standin(source) as server:
        options = ["--analyst", MODEL, "--base-url", server.base_url, "--yes"]
        seconds = finish(source, out, *options, environment=ENVIRONMENT)

    labels = {}
    with source.open("rb") as lines:
        for line in lines:
            row = orjson.loads(line)
            labels[row["conversation_id"]] = row["labels"]
    assigned = pq.read_table(out / "private" / "assignments.parquet").to_pylist()
    rows = [row for row in assigned if row["facet"] == "request"]
    leaves = [row["cluster_id"] for row in rows]
    of = [labels[row["conversation_id"]] for row in rows]
    domains, topics = [label["domain"] for label in of], [label["topic"] for label in of]
    at_leaves = right(leaves, domains)
    tops = tops_of(out)
    at_top = right([tops[leaf] for leaf in leaves], domains)
    by_language: dict[str, list[bool]] = defaultdict(list)
    for label, fine in zip(of, at_leaves, strict=True):
        by_language[label["language"]].append(fine)

    result = {
        "benchmark": "reconstruction",
        "conversations": len(rows),
        "leaves": len(set(leaves)),
        "domains": len(set(domains)),
        "tops": len(set(tops.values())),
        "accuracy": round(sum(at_leaves) / len(rows), 4),
        "accuracy_at_the_top": round(sum(at_top) / len(rows), 4),
        "nmi_topics": round(normalized_mutual_info_score(topics, leaves), 4),
        "ari_topics": round(adjusted_rand_score(topics, leaves), 4),
        "seconds": round(seconds, 1),
        "stages": json.loads((out / "run.json").read_text())["stages"]["hierarchy"]["details"],
    }
    for language, fine in sorted(by_language.items()):
        print(f"{language:<4} {sum(fine) / len(fine):.4f}  of {len(fine):,}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
