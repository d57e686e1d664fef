"""Speed and quality of the ``minilm`` embedder on a labelled file.

    python benchmarks/embedding.py clinc150.jsonl.gz [--label intent] [--k 150] [--threads N]
    python benchmarks/embedding.py clinc150.jsonl.gz --model OTHER.onnx --reference FLOAT.onnx

The file is in Clio's input format; the first message is the text, ``labels.<label>`` the truth.
Long texts are short ones joined to about 100 words. ``cpu`` is texts a second of processor time,
summed over cores, which a busy machine disturbs less than ``wall``. NMI and ARI are means over
k-means seeds. ``alone`` is the lowest cosine between a text's vector alone and in company.
``--reference`` (see ``scripts/build_minilm.py --float``) adds the cosine with another model's
vectors. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from clio.embedding.minilm import MiniLM

LONG_TEXTS, LONG_WORDS, ALONE = 500, 100, 300


def read(path: Path, label: str) -> tuple[list[str], list[str]]:
    """Texts and labels of the file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return (
        [row["messages"][0]["content"] for row in rows],
        [row["labels"][label] for row in rows],
    )


def long_texts(texts: list[str], random: np.random.Generator) -> list[str]:
    """Texts of about ``LONG_WORDS`` words, made of random short ones."""
    mean = np.mean([len(text.split()) for text in texts])
    parts = random.integers(len(texts), size=(LONG_TEXTS, round(LONG_WORDS / mean)))
    return [" ".join(texts[i] for i in row) for row in parts]


def speed(embedder: MiniLM, texts: list[str], repeats: int) -> dict[str, float]:
    """Best texts a second over the repeats, by wall clock and by processor time."""
    wall, processor = [], []
    for _ in range(repeats):
        started, used = time.perf_counter(), time.process_time()
        embedder.embed(texts)
        wall.append(len(texts) / (time.perf_counter() - started))
        processor.append(len(texts) / (time.process_time() - used))
    return {"wall": round(max(wall), 1), "cpu": round(max(processor), 1)}


def clusters(
    vectors: NDArray[np.float32], labels: list[str], k: int, seeds: int
) -> dict[str, float]:
    """Mean NMI and ARI of k-means against the labels."""
    found = [KMeans(k, n_init=1, random_state=seed).fit_predict(vectors) for seed in range(seeds)]
    return {
        "nmi": round(float(np.mean([normalized_mutual_info_score(labels, f) for f in found])), 4),
        "ari": round(float(np.mean([adjusted_rand_score(labels, f) for f in found])), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the minilm embedder.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--label", default="intent")
    parser.add_argument("--k", type=int, default=150)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--model", type=Path, help="another ONNX file than the one that ships")
    parser.add_argument("--reference", type=Path, help="an ONNX file to compare vectors with")
    arguments = parser.parse_args()

    texts, labels = read(arguments.file, arguments.label)
    random = np.random.default_rng(0)
    embedder = MiniLM(threads=arguments.threads, model=arguments.model)
    sample = [texts[i] for i in random.permutation(len(texts))[:4000]]
    result: dict[str, object] = {
        "version": embedder.version,
        "short": speed(embedder, sample, arguments.repeats),
        "long": speed(embedder, long_texts(texts, random), arguments.repeats),
    }
    vectors = embedder.embed(texts)
    alone = np.concatenate([embedder.embed([text]) for text in texts[:ALONE]])
    result["alone"] = round(float(np.min(np.sum(alone * vectors[:ALONE], axis=1))), 6)
    if arguments.reference:
        reference = MiniLM(threads=arguments.threads, model=arguments.reference).embed(texts)
        cosines = np.sum(reference * vectors, axis=1)
        result["agreement"] = {
            "mean": round(float(cosines.mean()), 4),
            "min": round(float(cosines.min()), 4),
        }
    result |= clusters(vectors, labels, arguments.k, arguments.seeds)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
