"""Clusters against known labels, beside other methods on the same embeddings.

    python benchmarks/quality/compare.py [FILE...] [--sets NAME...] [--bertopic-python PATH]

Sets: ``generated`` (20,000 conversations in English, by topic and domain); of each FILE (a label
``intent``, and ``domain`` where it has one) the whole, ``NAME-fine`` (its banking and card domains:
close intents) and ``NAME-zipf`` (sizes that fall as one over the root of the rank). First messages,
embedded by Clio's MiniLM.

Methods: Clio's leaves; plain k-means with as many clusters and with the true number; Ward's
criterion on small clusters, cut at as many, no passes after it; and BERTopic 0.17.4, as it is and
with its outliers given to the nearest topic, in a Python of its own (`runtime.py` says how to make
one). Printed for each: number of clusters, share of rows in none,
NMI and ARI (over rows in a cluster), purity, and stability, the ARI between two seeds. Then, where
there are domains, each level of the tree against them, beside Ward on the same centroids. The last
line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]

SEEDS: Final = (0, 1)
ACCOUNTS, CONVERSATIONS = 25, 50
FINE_DOMAINS: Final = ("banking", "credit_cards")
ROWS: Final = 20_000
NONE: Final = -1


@dataclass(frozen=True)
class LabelledSet:
    """Texts with their vectors and labels; `fine` are intents or topics, `broad` domains."""

    name: str
    texts: list[str]
    vectors: Floats
    fine: NDArray[np.str_]
    broad: NDArray[np.str_] | None

    def part(self, name: str, rows: NDArray[np.int64]) -> LabelledSet:
        """Some of the rows, as a set of its own."""
        return LabelledSet(
            f"{self.name}-{name}",
            [self.texts[row] for row in rows],
            self.vectors[rows],
            self.fine[rows],
            None if self.broad is None else self.broad[rows],
        )


def made(name: str, rows: Sequence[tuple[str, str, str | None]]) -> LabelledSet:
    from clio.embedding import load_embedder

    texts = [text for text, _, _ in rows]
    broad = None if rows[0][2] is None else np.array([domain for _, _, domain in rows])
    vectors = load_embedder("minilm").embed(texts)
    return LabelledSet(name, texts, vectors, np.array([fine for _, fine, _ in rows]), broad)


def generated() -> LabelledSet:
    from clio.testing import generate

    return made(
        "generated",
        [
            (turns[0], row.labels["topic"], row.labels["domain"])
            for row in generate(ROWS, languages=("en",), seed=5)
            if (turns := row.requester_turns())
        ],
    )


def of_file(path: Path) -> Iterator[LabelledSet]:
    from clio.sources import expand, read

    whole = made(
        path.name.split(".")[0],
        [
            (turns[0], str(item.labels["intent"]), item.labels.get("domain"))
            for row in read(expand([path]))
            if (item := row.conversation) is not None and (turns := item.requester_turns())
        ],
    )
    yield whole
    if whole.broad is not None and np.isin(FINE_DOMAINS, whole.broad).all():
        yield whole.part("fine", np.flatnonzero(np.isin(whole.broad, FINE_DOMAINS)))
    generator = np.random.default_rng(0)
    names, sizes = np.unique(whole.fine, return_counts=True)
    kept = []
    for rank, name in enumerate(generator.permutation(names), 1):
        size = round(2 * sizes.max() / rank**0.5)
        rows = generator.permutation(np.flatnonzero(whole.fine == name))
        kept.append(rows[:size])
    yield whole.part("zipf", np.sort(np.concatenate(kept)))


def clio_clusters(vectors: Floats, seed: int) -> Labels:
    """Leaves as a run makes them, every row an account of its own."""
    from clio.clustering import assign, fit, merge_small

    n = len(vectors)
    thresholds = {"min_accounts": ACCOUNTS, "min_conversations": CONVERSATIONS}
    base = fit(vectors, np.ones(n, np.float32), n_conversations=n, k=None, seed=seed, **thresholds)
    labels, _ = assign(vectors, base.centroids)
    accounts = np.arange(n, dtype=np.int32)
    merged = merge_small(base.centroids, labels, accounts, **thresholds)[labels]
    return np.unique(merged, return_inverse=True)[1].astype(np.int32)


def kmeans(vectors: Floats, k: int, seed: int) -> Labels:
    from sklearn.cluster import KMeans

    return np.asarray(KMeans(k, n_init=1, random_state=seed).fit_predict(vectors), np.int32)


def ward(vectors: Floats, k: int, seed: int) -> Labels:
    from clio.agglomeration import cut, group_means, ward_merges
    from clio.clustering.kmeans import lloyd, seeds

    ones = np.ones(len(vectors), np.float32)
    start = seeds(vectors, ones, max(2 * k, len(vectors) // 25), np.random.default_rng(seed))
    small = lloyd(vectors, ones, start, max_passes=4).labels
    small = np.unique(small, return_inverse=True)[1].astype(np.int32)
    mass, means = group_means(vectors, ones.astype(np.float64), small)
    pairs, _ = ward_merges(means.astype(np.float32), mass)
    return cut(pairs, len(means), k)[small].astype(np.int32)


def bertopic(python: str, data: LabelledSet, seed: int) -> tuple[Labels, Labels]:
    """BERTopic's topics, as they are and with outliers given away; NONE is no topic."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "vectors.npy", data.vectors)
        (folder / "texts.json").write_text(json.dumps(data.texts), encoding="utf-8")
        script = str(Path(__file__).resolve())
        subprocess.run([python, script, "--fit", name, str(seed)], check=True)
        return np.load(folder / "topics.npy"), np.load(folder / "reduced.npy")


def fit_bertopic(folder: Path, seed: int) -> None:
    """Carried out by the other Python, which has BERTopic and not Clio."""
    from bertopic import BERTopic
    from umap import UMAP

    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    vectors = np.load(folder / "vectors.npy")
    # BERTopic's own settings for UMAP, and a seed.
    umap = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed)
    model = BERTopic(umap_model=umap)
    topics, _ = model.fit_transform(texts, vectors)
    reduced = model.reduce_outliers(texts, topics, strategy="embeddings", embeddings=vectors)
    np.save(folder / "topics.npy", np.asarray(topics, np.int32))
    np.save(folder / "reduced.npy", np.asarray(reduced, np.int32))


def agreement(truth: NDArray[np.str_], found: Labels) -> dict[str, float]:
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    there = found != NONE
    known, found = np.unique(truth[there], return_inverse=True)[1], found[there]
    counts = np.zeros((int(found.max()) + 1, int(known.max()) + 1))
    np.add.at(counts, (found, known), 1)
    return {
        "clusters": len(np.unique(found)),
        "in none": round(1.0 - float(there.mean()), 3),
        "nmi": round(float(normalized_mutual_info_score(known, found)), 3),
        "ari": round(float(adjusted_rand_score(known, found)), 3),
        "purity": round(float(counts.max(axis=1).sum() / counts.sum()), 3),
    }


def row(name: str, data: LabelledSet, runs: Sequence[Labels]) -> dict[str, Any]:
    from sklearn.metrics import adjusted_rand_score

    each = [agreement(data.fine, found) for found in runs]
    mean = {key: round(float(np.mean([e[key] for e in each])), 3) for key in each[0]}
    result = {"method": name, **mean, "stability": round(float(adjusted_rand_score(*runs)), 3)}
    print(" | ".join(str(value) for value in ("", *result.values(), "")).strip(), flush=True)
    return result


def levels(data: LabelledSet, leaves: Labels) -> list[dict[str, Any]]:
    """Each level against domains, and Ward on the same centroids cut at as many."""
    from clio.agglomeration import cut, group_means, ward_merges
    from clio.clustering.kmeans import unit_rows
    from clio.hierarchy import build

    assert data.broad is not None
    mass, means = group_means(data.vectors, np.ones(len(leaves)), leaves)
    centroids = unit_rows(means.astype(np.float32))
    pairs, _ = ward_merges(centroids, mass)
    node: NDArray[np.integer] = np.arange(len(mass))
    found = []
    for parents in build(centroids, mass, seed=0).parents:
        node = parents[node]
        count = int(node.max()) + 1
        own = agreement(data.broad, node[leaves].astype(np.int32))
        plain = agreement(data.broad, cut(pairs, len(mass), count)[leaves].astype(np.int32))
        found.append({"level": count, "clio": own, "ward": plain})
        print(
            f"| {count} nodes | NMI {own['nmi']} (Ward {plain['nmi']}) "
            f"| ARI {own['ari']} ({plain['ari']}) | purity {own['purity']} ({plain['purity']}) |"
        )
    return found


def compared(data: LabelledSet, python: str | None) -> dict[str, Any]:
    names = len(np.unique(data.fine))
    print(f"\n## {data.name}: {len(data.texts)} texts, {names} labels\n")
    print("| method | clusters | in none | NMI | ARI | purity | stability |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    ours = [clio_clusters(data.vectors, seed) for seed in SEEDS]
    k = int(ours[0].max()) + 1
    methods: dict[str, Callable[[int], Labels]] = {
        f"k-means, k = {k}": lambda seed: kmeans(data.vectors, k, seed),
        f"k-means, k = {names}": lambda seed: kmeans(data.vectors, names, seed),
        f"Ward, k = {k}": lambda seed: ward(data.vectors, k, seed),
    }
    rows = [row("Clio", data, ours)]
    rows += [row(n, data, [method(seed) for seed in SEEDS]) for n, method in methods.items()]
    if python:
        theirs = zip(*(bertopic(python, data, seed) for seed in SEEDS), strict=True)
        names_of = ("BERTopic", "BERTopic, outliers given away")
        rows += [row(n, data, runs) for n, runs in zip(names_of, theirs, strict=True)]
    result: dict[str, Any] = {"set": data.name, "methods": rows}
    if data.broad is not None and len(np.unique(data.broad)) > 2:
        print()
        result["levels"] = levels(data, ours[0])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--sets", nargs="+", help="only these")
    parser.add_argument("--bertopic-python", help="a Python that has BERTopic 0.17.4")
    parser.add_argument("--fit", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fit:
        fit_bertopic(Path(options.fit[0]), int(options.fit[1]))
        return
    results = [
        compared(data, options.bertopic_python)
        for path in options.files
        for data in of_file(path)
        if not options.sets or data.name in options.sets
    ]
    if not options.sets or "generated" in options.sets:
        results.append(compared(generated(), options.bertopic_python))
    print(json.dumps({"benchmark": "compare", "python": sys.version.split()[0], "sets": results}))


if __name__ == "__main__":
    main()
