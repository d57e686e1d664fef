"""How much of generated personal data scrubbing finds, beside Presidio's pattern recognisers.

    python benchmarks/privacy/scrubbing.py PII.jsonl.gz [--presidio-python PATH] [--short FILE]

Recall by kind of label: a span counts as found where what replaced text covers all its letters
and digits. Precision: the share of replaced stretches that touch any labelled span. Speed: CPU
seconds of one core. Presidio runs in the interpreter given, with its predefined pattern
recognisers and no language model: once all it finds, as is its default, once what it is surer of.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import time
from collections import Counter
from pathlib import Path

from clio.privacy.scrub import scrub, spans

_PRESIDIO = """
import json, sys
from presidio_analyzer import RecognizerRegistry, PatternRecognizer
from presidio_analyzer.nlp_engine import NlpArtifacts
registry = RecognizerRegistry()
registry.load_predefined_recognizers(languages=["en"])
ours = [r for r in registry.recognizers if isinstance(r, PatternRecognizer)
        or r.__class__.__name__ == "PhoneRecognizer"]
out = []
for text in json.load(sys.stdin):
    found = []
    for r in ours:
        for hit in r.analyze(text, r.supported_entities, None) or []:
            found.append((hit.start, hit.end, hit.score))
    out.append(found)
json.dump(out, sys.stdout)
"""
Spans = list[tuple[int, int]]


def contents(path: Path) -> list[tuple[str, list[list[str]]]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [(r["messages"][0]["content"], r["labels"].get("spans", [])) for r in rows]


def places(text: str, value: str) -> Spans:
    found, start = [], text.find(value)
    while start >= 0:
        found.append((start, start + len(value)))
        start = text.find(value, start + 1)
    return found


def score(rows: list[tuple[str, list[list[str]]]], found: list[Spans]) -> tuple[dict, float, int]:
    every: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    right = total = 0
    for (text, labels), stretches in zip(rows, found, strict=True):
        covered = {i for start, end in stretches for i in range(start, end)}
        labelled: set[int] = set()
        for kind, value in labels:
            where = places(text, value)
            labelled |= {i for start, end in where for i in range(start, end)}
            every[kind] += 1
            hit[kind] += bool(where) and all(
                i in covered for s, e in where for i in range(s, e) if text[i].isalnum()
            )
        total += len(stretches)
        right += sum(not labelled.isdisjoint(range(s, e)) for s, e in stretches)
    recall = {kind: (hit[kind], every[kind]) for kind in every}
    return recall, right / max(total, 1), total


def speed(texts: list[str]) -> float:
    begin = time.process_time()
    for text in texts:
        scrub(text)
    return len(texts) / (time.process_time() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pii", type=Path)
    parser.add_argument("--presidio-python")
    parser.add_argument("--short", type=Path, help="another file to time, of short texts")
    options = parser.parse_args()
    rows = contents(options.pii)
    texts = [text for text, _ in rows]
    results = {"clio": score(rows, [[(s, e) for s, e, _ in spans(t)] for t in texts])}
    if options.presidio_python:
        done = subprocess.run(
            [options.presidio_python, "-c", _PRESIDIO],
            input=json.dumps(texts), capture_output=True, text=True, check=True,
        )  # fmt: skip
        hits = json.loads(done.stdout)
        for name, least in (("presidio, all", 0.0), ("presidio, score >= 0.4", 0.4)):
            kept = [[(s, e) for s, e, sure in text if sure >= least] for text in hits]
            results[name] = score(rows, kept)
    print("| kind | " + " | ".join(results) + " |\n| --- |" + " ---: |" * len(results))
    for kind, (_, every) in sorted(results["clio"][0].items()):
        cells = [f"{recall[kind][0] / every:.3f}" for recall, _, _ in results.values()]
        print(f"| {kind} ({every}) | " + " | ".join(cells) + " |")
    print("| precision | " + " | ".join(f"{p:.3f} of {n}" for _, p, n in results.values()) + " |")
    print(f"{speed(texts):,.0f} texts a second of {options.pii.name}")
    if options.short:
        print(f"{speed([t for t, _ in contents(options.short)]):,.0f} of {options.short.name}")


if __name__ == "__main__":
    main()
