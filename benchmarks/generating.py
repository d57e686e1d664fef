"""How fast the test bed generates conversations, beside general generators of fake text.

    python benchmarks/generating.py [--rows 50000] [--large 1000000] [--python PATH]

Each candidate writes the same kind of file, on one core, in a process of its own: as many rows,
each with an id, an account, a date, two labels and on average as many messages of as many words.
Only `clio.testing` plants topics, languages and truth; the others give sentences of random words,
which is what people write who need a quick load test. `--python` names an interpreter that has
``faker`` and ``mimesis``; those that are not installed are left out. `--large` is for
`clio.testing` alone: the peak of memory. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# As `clio.testing` writes them on average; measured again for each candidate.
MESSAGES = 4
WORDS = 13
REPEATS = 3
ONE_CORE = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def ours(path: Path, rows: int) -> None:
    from clio.testing import write_jsonl

    write_jsonl(path, rows)


def _records(sentence: Callable[[], str], name: Callable[[], str], rows: int) -> Iterator[Any]:
    chance = random.Random(0)
    for at in range(rows):
        turns = 2 * chance.choice((1, 1, 2, 4))
        yield {
            "conversation_id": f"row-{at}",
            "user_id": name(),
            "created_at": f"2025-01-{1 + at % 28:02}T{at % 24:02}:00:00Z",
            "messages": [
                {"role": ("user", "assistant")[turn % 2], "content": sentence()}
                for turn in range(turns)
            ],
            "labels": {"topic": "none", "language": "en"},
        }


def _write(path: Path, records: Iterator[Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def faker(path: Path, rows: int) -> None:
    from faker import Faker

    fake = Faker("en_US", use_weighting=False)
    fake.seed_instance(0)
    _write(path, _records(lambda: fake.sentence(nb_words=WORDS), fake.user_name, rows))


def mimesis(path: Path, rows: int) -> None:
    from mimesis import Person, Text
    from mimesis.locales import Locale

    text, person = Text(Locale.EN, seed=0), Person(Locale.EN, seed=0)
    _write(path, _records(text.sentence, person.username, rows))


CANDIDATES = {"clio.testing": ours, "faker": faker, "mimesis": mimesis}


def measure(name: str, rows: int) -> dict[str, Any]:
    """Write the rows once, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        begin = time.perf_counter()
        CANDIDATES[name](path, rows)
        seconds = time.perf_counter() - begin
        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
        texts: list[str] = []
        counts: list[int] = []
        with path.open(encoding="utf-8") as file:
            for line, _ in zip(file, range(5_000), strict=False):
                messages = json.loads(line)["messages"]
                counts.append(len(messages))
                texts += [message["content"] for message in messages]
    return {
        "rows_a_second": round(rows / seconds),
        "peak_mb": round(peak),
        "messages": round(statistics.mean(counts), 1),
        "words_a_message": round(statistics.mean(len(text.split()) for text in texts), 1),
        "different_texts": round(len(set(texts)) / len(texts), 3),
    }


def apart(python: str, name: str, rows: int) -> dict[str, Any]:
    """`measure` in a process of its own."""
    command = [python, __file__, "--only", name, "--rows", str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=ONE_CORE)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--only", choices=CANDIDATES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(options.only, options.rows)))
        return
    report: dict[str, Any] = {"rows": options.rows, "repeats": REPEATS}
    pythons = {"clio.testing": sys.executable, "faker": options.python, "mimesis": options.python}
    for name, python in pythons.items():
        probe = f"import importlib.util, sys; sys.exit(not importlib.util.find_spec({name!r}))"
        if name != "clio.testing" and subprocess.run([python, "-c", probe], check=False).returncode:
            continue
        runs = sorted(
            (apart(python, name, options.rows) for _ in range(REPEATS)),
            key=lambda run: run["rows_a_second"],
        )
        report[name] = runs[len(runs) // 2]
    report["large"] = {
        "rows": options.large,
        **apart(sys.executable, "clio.testing", options.large),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
