"""How well clusters agree with labels that the owner of the data knows.

    python benchmarks/quality/labelled.py RUN INPUT... [--label NAME]...
    python benchmarks/quality/labelled.py INPUT... [--label NAME]...

With a finished run (a directory) its assignments are compared with the labels of the input it was
made from; without one, the input is run with default options first, in a temporary directory.
Prints a table (leaf clusters, and each higher level where the run has its restricted tree) and,
last, one JSON line.

NMI is normalised by the arithmetic mean (Vinh, Epps and Bailey 2010), ARI is adjusted for chance
(Hubert and Arabie 1985), homogeneity and completeness are Rosenberg and Hirschberg's (2007). All
are over the rows that have the label and are in a cluster; ``unassigned`` is the share of the
labelled rows that are in none.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from sklearn.metrics import (
    adjusted_rand_score,
    homogeneity_completeness_v_measure,
    normalized_mutual_info_score,
)

import clio
from clio.sources import expand, read

LEAVES = 0


def labels_of(inputs: Sequence[str], wanted: Sequence[str]) -> dict[str, dict[str, str]]:
    """By name, the labels of each conversation: those wanted, or all that can be compared.

    A label is compared where its values are simple and there are at least two of them, and fewer
    than half as many as rows.
    """
    values: dict[str, dict[str, str]] = defaultdict(dict)
    for row in read(expand(inputs)):
        if row.conversation is None:
            continue
        for name, value in row.conversation.labels.items():
            simple = isinstance(value, str | int | bool)
            if simple and (not wanted or name in wanted):
                values[name].setdefault(row.conversation.conversation_id, str(value))
    absent = sorted(set(wanted) - set(values))
    if absent:
        raise SystemExit(f"no row has a simple value for the label {', '.join(absent)}")
    if wanted:
        return dict(values)
    return {
        name: by_id
        for name, by_id in values.items()
        if 2 <= len(set(by_id.values())) < len(by_id) / 2
    }


def clusterings(run: Path) -> dict[tuple[str, int], dict[str, str]]:
    """By facet and level, the cluster of each conversation."""
    columns = ["conversation_id", "facet", "cluster_id"]
    rows = pq.read_table(run / "private" / "assignments.parquet", columns=columns).to_pylist()
    found: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for row in rows:
        if row["cluster_id"] is not None:
            found[row["facet"], LEAVES][row["conversation_id"]] = row["cluster_id"]
    tree = run / "restricted" / "clusters.parquet"
    if tree.exists():
        nodes = pq.read_table(tree, columns=["cluster_id", "level", "parent_id"]).to_pylist()
        parent = {node["cluster_id"]: node["parent_id"] for node in nodes}
        level = {node["cluster_id"]: node["level"] for node in nodes}
        for (facet, _), members in list(found.items()):
            for conversation, leaf in members.items():
                node = parent.get(leaf)
                while node is not None and level.get(node, -1) > LEAVES:
                    found[facet, level[node]][conversation] = node
                    node = parent.get(node)
    return dict(found)


def score(clusters: dict[str, str], labels: dict[str, str]) -> dict[str, Any]:
    """Agreement of one clustering with one label."""
    shared = [name for name in labels if name in clusters]
    result: dict[str, Any] = {
        "rows": len(shared),
        "unassigned": round(1 - len(shared) / len(labels), 4),
        "values": len({labels[name] for name in shared}),
        "clusters": len({clusters[name] for name in shared}),
    }
    if shared:
        truth = np.unique([labels[name] for name in shared], return_inverse=True)[1]
        group = np.unique([clusters[name] for name in shared], return_inverse=True)[1]
        homogeneity, completeness, _ = homogeneity_completeness_v_measure(truth, group)
        result |= {
            "nmi": round(float(normalized_mutual_info_score(truth, group)), 4),
            "ari": round(float(adjusted_rand_score(truth, group)), 4),
            "homogeneity": round(float(homogeneity), 4),
            "completeness": round(float(completeness), 4),
        }
    return result


def evaluate(run: Path, inputs: Sequence[str], wanted: Sequence[str]) -> list[dict[str, Any]]:
    """Every clustering of the run against every label."""
    labels = labels_of(inputs, wanted)
    return [
        {"facet": facet, "label": name, "level": level, **score(clusters, by_id)}
        for (facet, level), clusters in sorted(clusterings(run).items())
        for name, by_id in sorted(labels.items())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="+", metavar="[RUN] INPUT", help="a run, and its input")
    parser.add_argument("--label", action="append", default=[], help="only this label (repeatable)")
    arguments = parser.parse_args()
    first, *inputs = arguments.paths
    if (Path(first) / "run.json").is_file():
        if not inputs:
            parser.error("name the input of the run too: the labels are read from it")
        results = evaluate(Path(first), inputs, arguments.label)
    else:
        inputs = arguments.paths
        with tempfile.TemporaryDirectory() as folder:
            run = clio.run(inputs, out=Path(folder) / "run")
            results = evaluate(run.path, inputs, arguments.label)

    columns = ["facet", "label", "level", "values", "clusters", "rows", "unassigned"]
    columns += ["nmi", "ari", "homogeneity", "completeness"]
    table = [columns] + [[str(result.get(name, "-")) for name in columns] for result in results]
    widths = [max(len(row[at]) for row in table) for at in range(len(columns))]
    for row in table:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    names = [Path(item).name for item in inputs]
    print(json.dumps({"benchmark": "labelled", "inputs": names, "results": results}))


if __name__ == "__main__":
    main()
