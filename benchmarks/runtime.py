"""How long a run takes and how much memory: against BERTopic, and as the corpus grows.

    python benchmarks/runtime.py INPUT --bertopic-python PATH     against BERTopic's fit alone
    python benchmarks/runtime.py INPUT                            Clio alone
    python benchmarks/runtime.py --scale                          10,000 and 100,000 generated rows

Clio is measured as a whole process, from start to exit: ``clio run INPUT``, no option but the
directory. Of BERTopic only ``fit_transform`` with default options counts, on embeddings made
beforehand by Clio's own embedder: neither its start nor its embedding. Repeats alternate between
the two; medians are reported. The peak of memory is the largest resident set of the process. The
last line is one JSON object.

BERTopic wants an environment of its own, with torch first, so that pip takes that build::

    python3 -m venv bertopic-venv
    bertopic-venv/bin/pip install torch==2.13.0
    bertopic-venv/bin/pip install bertopic==0.17.4
    python benchmarks/runtime.py INPUT --bertopic-python bertopic-venv/bin/python

This process imports nothing large, since a child's peak counts from its parent's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from measuring import measured

SIZES = (10_000, 100_000)


def clio_run(source: Path, folder: Path, name: str) -> dict[str, Any]:
    """One whole ``clio run`` into a fresh directory, with the seconds of its stages."""
    out = folder / name
    command = [sys.executable, "-m", "clio", "run", str(source), "--out", str(out), "--quiet"]
    result: dict[str, Any] = measured(command)
    record = out / "run.json"
    if record.is_file():
        stages = json.loads(record.read_text(encoding="utf-8")).get("stages", {})
        result["stages"] = {name: round(stage["seconds"], 2) for name, stage in stages.items()}
    return result


def middle(results: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of seconds, the highest peak, and what the median repeat's stages took."""
    seconds = median(result["seconds"] for result in results)
    typical = min(results, key=lambda result: abs(result["seconds"] - seconds))
    return typical | {
        "seconds": round(seconds, 2),
        "peak_mb": max(result["peak_mb"] for result in results),
        "repeats": [result["seconds"] for result in results],
    }


def compare(source: Path, bertopic: str | None, repeats: int) -> dict[str, Any]:
    """Clio's whole run, and BERTopic's fit where a Python that has it is given."""
    report: dict[str, Any] = {"benchmark": "runtime", "input": source.name}
    own: list[dict[str, Any]] = []
    other: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if bertopic:
            ready = measured(helper(sys.executable, "--embed", str(source), str(folder)))
            print(f"embeddings made beforehand in {ready['seconds']} s", flush=True)
        for repeat in range(repeats):
            own.append(clio_run(source, folder, f"run-{repeat}"))
            print(f"clio run: {own[-1]['seconds']} s, {own[-1]['peak_mb']} MB", flush=True)
            if bertopic:
                whole = measured(helper(bertopic, "--fit", str(folder)))
                fit = json.loads((folder / "fit.json").read_text(encoding="utf-8"))
                other.append(whole | fit | {"process_seconds": whole["seconds"]})
                print(f"BERTopic's fit: {fit['seconds']} s, {whole['peak_mb']} MB", flush=True)
    report["clio"] = middle(own)
    if other:
        report["bertopic"] = middle(other)
        report["ratio"] = round(report["clio"]["seconds"] / report["bertopic"]["seconds"], 3)
    return report


def scale(sizes: tuple[int, ...], repeats: int) -> dict[str, Any]:
    """Cost of one conversation in small and large corpora of the same kind."""
    results: dict[int, list[dict[str, Any]]] = {size: [] for size in sizes}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in sizes:
            measured(helper(sys.executable, "--generate", str(folder / f"{size}.jsonl"), str(size)))
        for repeat in range(repeats):
            for size in sizes:
                result = clio_run(folder / f"{size}.jsonl", folder, f"run-{size}-{repeat}")
                results[size].append(result)
                print(f"{size} rows: {result['seconds']} s, {result['peak_mb']} MB", flush=True)
    report: dict[str, Any] = {"benchmark": "scale", "sizes": {}}
    for size, repeated in results.items():
        typical = middle(repeated)
        each = round(1000 * typical["seconds"] / size, 4)
        report["sizes"][str(size)] = {"ms_each": each} | typical
    costs = [entry["ms_each"] for entry in report["sizes"].values()]
    report["ratio"] = round(costs[-1] / costs[0], 3)
    return report


def helper(python: str, *arguments: str) -> list[str]:
    """The command that carries out one step of this script in a process of its own."""
    return [python, str(Path(__file__).resolve()), *arguments]


def embed(source: Path, folder: Path) -> None:
    """Write the requests of a file and their vectors for BERTopic."""
    import numpy as np

    from clio.embedding import load_embedder
    from clio.sources import expand, read

    texts = [
        "\n".join(turns)
        for row in read(expand([source]))
        if row.conversation is not None and (turns := row.conversation.requester_turns())
    ]
    np.save(folder / "vectors.npy", load_embedder("minilm").embed(texts))
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")


def fit(folder: Path) -> None:
    """Fit BERTopic with default options on ready-made embeddings, and time that alone."""
    import numpy as np
    from bertopic import BERTopic

    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    vectors = np.load(folder / "vectors.npy")
    begin = time.perf_counter()
    topics, _ = BERTopic().fit_transform(texts, vectors)
    result = {
        "seconds": round(time.perf_counter() - begin, 2),
        "rows": len(texts),
        "topics": len(set(topics) - {-1}),
        "unassigned": round(sum(topic == -1 for topic in topics) / len(topics), 4),
    }
    (folder / "fit.json").write_text(json.dumps(result), encoding="utf-8")


def generated(path: Path, size: int) -> None:
    """Write generated conversations."""
    from clio.testing import write_jsonl

    write_jsonl(path, size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("input", nargs="?", type=Path, help="a file of conversations")
    parser.add_argument("--bertopic-python", help="a Python that has BERTopic 0.17.4")
    parser.add_argument("--scale", action="store_true", help="10,000 and 100,000 generated rows")
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="other sizes, rising")
    parser.add_argument("--repeats", type=int, default=1, help="measure so many times")
    # Steps that this script carries out in processes of their own.
    parser.add_argument("--embed", nargs=2, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--fit", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--generate", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.embed:
        embed(*arguments.embed)
    elif arguments.fit:
        fit(arguments.fit)
    elif arguments.generate:
        generated(Path(arguments.generate[0]), int(arguments.generate[1]))
    elif arguments.scale or arguments.input:
        if arguments.scale:
            report = scale(tuple(arguments.sizes), arguments.repeats)
        else:
            report = compare(arguments.input, arguments.bertopic_python, arguments.repeats)
        machine = {"python": platform.python_version(), "cores": os.cpu_count()}
        print(json.dumps(report | machine))
    else:
        parser.error("name an input file, or --scale")


if __name__ == "__main__":
    main()
