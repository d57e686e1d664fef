"""Do clusters follow what people ask for, or the language in which they ask?

    python benchmarks/quality/multilingual.py [--rows 9000] [--clusters 60] [--languages en,es,...]

Generated conversations, each language alike over the topics that all share (`clio.testing`), first
messages embedded and clustered. Beside MiniLM and the multilingual embedder stand its vectors as
the model gives them, less the centre, and less fewer directions. NMI of clusters with topic, domain
and language; then, for what ships, NMI with topic within each language. Needs the extra
``multilingual``. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import normalized_mutual_info_score

from clio.clustering import assign, fit
from clio.embedding import load_embedder
from clio.embedding.multilingual import LANGUAGES_FILE, Multilingual, without
from clio.testing import generate

Floats = NDArray[np.float32]


def clusters_of(vectors: Floats, k: int) -> NDArray[np.int32]:
    weights = np.ones(len(vectors), np.float32)
    found = fit(
        vectors,
        weights,
        n_conversations=len(vectors),
        k=k,
        min_accounts=25,
        min_conversations=50,
        seed=0,
    )
    return assign(vectors, found.centroids)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=9_000)
    parser.add_argument("--clusters", type=int, default=60)
    parser.add_argument("--languages", default="even", help="codes with commas; all fifteen")
    options = parser.parse_args()
    languages = "even" if options.languages == "even" else tuple(options.languages.split(","))
    rows = [
        row
        for row in generate(options.rows, languages=languages, concerning=0.0, seed=3)
        if row.requester_turns()
    ]
    texts = [row.requester_turns()[0] for row in rows]
    truth = {name: np.array([r.labels[name] for r in rows]) for name in ("topic", "domain")}
    language = np.array([r.labels["language"] for r in rows])
    plain = Multilingual(raw=True).embed(texts)
    common = np.load(LANGUAGES_FILE)
    variants = {
        "minilm": load_embedder("minilm").embed(texts),
        "multilingual, as the model gives them": plain,
        "less the centre": without(plain, common[:1]),
        "less 10 directions": without(plain, common[:11]),
        f"less {len(common) - 1} directions (ships)": without(plain, common),
    }
    table = {}
    for name, vectors in variants.items():
        found = clusters_of(vectors, options.clusters)
        scores = {k: normalized_mutual_info_score(v, found) for k, v in truth.items()}
        scores["language"] = normalized_mutual_info_score(language, found)
        table[name] = {key: round(float(value), 3) for key, value in scores.items()}
        print(f"{name:40} {table[name]}", flush=True)
    # `found` is now that of what ships.
    each = {
        code: round(
            float(
                normalized_mutual_info_score(
                    truth["topic"][language == code], found[language == code]
                )
            ),
            3,
        )
        for code in sorted(set(language))
    }
    print(json.dumps({"rows": len(rows), "clusters": options.clusters} | table | {"each": each}))


if __name__ == "__main__":
    main()
