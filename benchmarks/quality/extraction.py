"""Is it better to cluster the extracted request than the first message as it is?

    python benchmarks/quality/extraction.py FILE... [--clusters 25] [--seeds 8]
    python benchmarks/quality/extraction.py FILE... --pairs 25 --sheet SHEET --key KEY
    python benchmarks/quality/extraction.py --verdicts VERDICTS --key KEY

Both are embedded by MiniLM and clustered alike, into as many clusters, from several seeds.
Coherence is the mean cosine of two members of a cluster less that of members of two clusters, on
vectors of the multilingual embedder, which took no part in clustering. What is judged decides: the
first message favours those who clustered it, the request the others; their mean favours neither,
nor does what the assistant first replied, where there is a reply. Needs the extra ``multilingual``.

`--sheet` writes pairs to be judged without knowing which is which: a conversation, and one other
from its cluster by each way. `--key` writes which way each came from. It shows conversations: for
public or generated data. `--verdicts` counts what a reader wrote, a line a pair: X, Y, or = where
neither is nearer. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clio.analysts.extractive import extract_request
from clio.clustering import assign, fit
from clio.conversation import Conversation, Role
from clio.embedding import Embedder, load_embedder
from clio.sources import expand, read

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]
SHOWN = 420
READ = 2000
"""Characters of a first message and of a reply that are judged."""


def conversations_of(path: str) -> list[Conversation]:
    """Conversations that ask for something."""
    found = []
    for row in read(expand([path])):
        item = row.conversation
        if item is not None and item.requester_turns() and extract_request(item) is not None:
            found.append(item)
    return found


def clusters_of(vectors: Floats, k: int, seed: int) -> Labels:
    """Clio's own base clusters."""
    fitted = fit(
        vectors,
        np.ones(len(vectors), np.float32),
        n_conversations=len(vectors),
        k=k,
        min_accounts=25,
        min_conversations=50,
        seed=seed,
    )
    return np.asarray(assign(vectors, fitted.centroids)[0], np.int32)


def coherence(vectors: Floats, labels: Labels) -> float:
    """Mean cosine within clusters less that between, over all pairs of members."""
    sizes = np.bincount(labels).astype(np.float64)
    sums = np.zeros((len(sizes), vectors.shape[1]))
    np.add.at(sums, labels, vectors.astype(np.float64))
    squares = np.einsum("ij,ij->i", sums, sums)
    within = (squares.sum() - len(vectors)) / (sizes * (sizes - 1)).sum()
    every = sums.sum(axis=0)
    between = (every @ every - squares.sum()) / (len(vectors) ** 2 - (sizes**2).sum())
    return float(within - between)


def sheet_of(
    items: list[Conversation], ways: dict[str, Labels], pairs: int, seed: int
) -> tuple[list[str], list[str]]:
    draw = random.Random(seed)
    lines, key = [], []
    while len(key) < pairs:
        number = draw.randrange(len(items))
        partners = {}
        for way, labels in ways.items():
            others = np.flatnonzero(labels == labels[number])
            others = others[others != number]
            if len(others):
                partners[way] = int(draw.choice(others.tolist()))
        if len(set(partners.values())) < len(ways):
            continue
        order = list(partners)
        draw.shuffle(order)
        lines.append(f"{len(key) + 1}. {_shown(items[number])}")
        lines += [
            f"   {mark}: {_shown(items[partners[way]])}"
            for mark, way in zip("XY", order, strict=True)
        ]
        key.append(order[0])
    return lines, key


def _shown(item: Conversation) -> str:
    return " ".join(item.requester_turns()[0].split())[:SHOWN]


def reply_of(item: Conversation) -> str:
    """What the assistant first said."""
    return next((m.content for m in item.messages if m.role is Role.ASSISTANT), "")


def judged_texts(items: list[Conversation]) -> dict[str, list[str]]:
    """What coherence is measured on, by name."""
    texts = {
        "first message": [item.requester_turns()[0][:READ] for item in items],
        "request": [extract_request(item) or "" for item in items],
    }
    replies = [reply_of(item)[:READ] for item in items]
    return texts | ({"reply": replies} if all(replies) else {})


def compared(
    path: str, judge: Embedder, clusterer: Embedder, k: int, seeds: int
) -> tuple[list[Conversation], dict[str, Labels], dict[str, dict[str, list[float]]]]:
    """Conversations, clusters of the first seed by way, and coherences of all seeds."""
    items = conversations_of(path)
    judged = {name: judge.embed(texts) for name, texts in judged_texts(items).items()}
    ways = {
        "request": clusterer.embed([extract_request(item) or "" for item in items]),
        "first message": clusterer.embed([item.requester_turns()[0] for item in items]),
    }
    labels = {way: [clusters_of(v, k, seed) for seed in range(seeds)] for way, v in ways.items()}
    table = {
        way: {name: [coherence(v, of) for of in found] for name, v in judged.items()}
        for way, found in labels.items()
    }
    for row in table.values():
        pairs = zip(row["first message"], row["request"], strict=True)
        row["mean of both"] = [(first + request) / 2 for first, request in pairs]
    return items, {way: found[0] for way, found in labels.items()}, table


def counted(verdicts: Path, key: Path) -> None:
    """How often each way's partner was found nearer."""
    found: Counter[str] = Counter()
    lines = (path.read_text().split("\n") for path in (verdicts, key))
    for verdict, first in zip(*([line for line in of if line] for of in lines), strict=True):
        other = "first message" if first == "request" else "request"
        found[{"X": first, "Y": other}.get(verdict.strip(), "tie")] += 1
    print(json.dumps(dict(found)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*")
    parser.add_argument("--clusters", type=int, default=25)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=25, help="pairs a file")
    parser.add_argument("--draw", type=int, default=0, help="seed of the pairs")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--verdicts", type=Path)
    options = parser.parse_args()
    if options.verdicts:
        counted(options.verdicts, options.key)
        return
    clusterer, judge = load_embedder("minilm"), load_embedder("multilingual")
    results = {}
    sheets: list[str] = []
    keys: list[str] = []
    for path in options.files:
        items, ways, table = compared(path, judge, clusterer, options.clusters, options.seeds)
        results[Path(path).name] = {
            way: {
                name: [round(float(np.mean(values)), 4), round(float(np.std(values)), 4)]
                for name, values in row.items()
            }
            for way, row in table.items()
        }
        print(f"\n{Path(path).name}: {len(items):,} conversations, {options.clusters} clusters")
        print(f"{'clustered':<16}" + "".join(f"{'by ' + name:>20}" for name in table["request"]))
        for way, row in results[Path(path).name].items():
            cells = (f"{mean:.4f} ± {spread:.4f}" for mean, spread in row.values())
            print(f"{way:<16}" + "".join(f"{cell:>20}" for cell in cells))
        if options.sheet:
            lines, key = sheet_of(items, ways, options.pairs, options.draw)
            sheets += [f"# {Path(path).name}", *lines]
            keys += key
    if options.sheet and options.key:
        options.sheet.write_text("\n".join(sheets) + "\n")
        options.key.write_text("\n".join(keys) + "\n")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
