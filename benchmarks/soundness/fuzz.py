"""Read damaged inputs of every format, and see that nothing is lost, raised or blown up.

    python benchmarks/soundness/fuzz.py [--count 10000] [--runs 40] [--folder DIR] [--seed 0]

Valid files of every format, the samples of the tests and generated ones, are damaged with
`clio.testing.fuzzing` and read in a process of its own, which is watched: for errors other than one
clear refusal, for rows that are lost or have no outcome, for memory and for time. Some more go
through the whole of `clio run`. What fails stays in DIR/failures. What is done stays in DIR, so
that this script can be interrupted and goes on. The last line is one JSON object; the exit status
is 1 where anything failed.

`guided.py` beside it makes the same check where code coverage leads.
"""

from __future__ import annotations

import argparse
import json
import random
import select
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from record import Record

from clio.testing import generate
from clio.testing.faults import start
from clio.testing.formats import WRITERS, write
from clio.testing.fuzzing import account_for, bombs, mutated, peak_memory

SAMPLES = Path(__file__).parents[2] / "tests" / "sources" / "samples"
SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".json", ".zip", ".parquet")
ROWS = 25
ROWS_OF_A_RUN = 400
MEMORY = 400  # MB that reading one small input may add to what the process held before
PATIENCE = 60  # seconds for one input
STEP = 100


def valid_files() -> dict[str, bytes]:
    """Contents of valid files by name."""
    found = {
        str(path.relative_to(SAMPLES)): path.read_bytes()
        for path in sorted(SAMPLES.rglob("*"))
        if path.is_file()
    }
    with tempfile.TemporaryDirectory() as folder:
        for name in WRITERS:
            for suffix in SUFFIXES:
                path = Path(folder) / f"{name}{suffix}"
                try:
                    write(path, generate(ROWS, seed=3), name)
                except ValueError:
                    continue  # not every format is held in every kind of file
                found[path.name] = path.read_bytes()
    return found


def suffix_of(name: str, chance: random.Random) -> str:
    """Mostly the right end of a name."""
    own = "".join(Path(name).suffixes)
    return chance.choice((own, own, own, own, *SUFFIXES, ".txt", ""))


def make(files: dict[str, bytes], number: int, seed: int, target: Path) -> tuple[Path, str]:
    """The input of a number: a file, or now and then a folder of several; and what it came from."""
    chance = random.Random(f"{seed} {number}")
    names, contents = list(files), list(files.values())
    if number % 25:
        name = chance.choice(names)
        path = target / f"input{suffix_of(name, chance)}"
        path.write_bytes(mutated(files[name], chance, contents))
        return path, name
    folder = target / "input"
    folder.mkdir()
    chosen = chance.sample(names, 3)
    for at, name in enumerate(chosen):
        content = mutated(files[name], chance, contents) if at else files[name]
        (folder / f"{at}{suffix_of(name, chance)}").write_bytes(content)
    return folder, " + ".join(chosen)


# The process that reads


def work(seed: int) -> None:
    """Read the inputs whose numbers come on standard input; say how each went."""
    files = valid_files()
    before = peak_memory()
    for line in sys.stdin:
        number, error, rows = int(line), None, 0
        with tempfile.TemporaryDirectory() as folder:
            path, name = make(files, number, seed, Path(folder))
            try:
                rows = account_for(path, random.Random(number))
            except Exception as raised:
                where = traceback.extract_tb(raised.__traceback__)[-1]
                said = f": {raised}" if isinstance(raised, AssertionError) else ""
                error = (
                    f"{type(raised).__name__}{said} ({Path(where.filename).name}:{where.lineno})"
                )
        grown = peak_memory() - before
        before += grown
        if error is None and grown > MEMORY:
            error = f"{grown} MB more memory"
        print(json.dumps({"rows": rows, "error": error, "from": name, "mb": grown}), flush=True)


class Reader:
    """That process, started again where it died or was not heard of for too long."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._process: subprocess.Popen[str] | None = None

    def ask(self, number: int) -> dict[str, Any]:
        """What became of an input."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, __file__, "--work", "--seed", str(self._seed)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{number}\n")
        process.stdin.flush()
        heard, _, _ = select.select([process.stdout], [], [], PATIENCE)
        line = process.stdout.readline() if heard else ""
        if line:
            return dict(json.loads(line))
        process.kill()
        status = process.wait()
        why = f"the process ended with {status}" if heard else f"nothing after {PATIENCE} s"
        return {"rows": 0, "error": why, "from": "?", "mb": 0}

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


# Whole runs and large inputs


def wrong_with_run(path: Path, out: Path) -> str | None:
    """What a whole run over an input should not have done."""
    process = start(path, out, "--privacy", "personal", "--quiet")
    try:
        _, said = process.communicate(timeout=5 * PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        return "no end"
    if process.returncode == 0:
        state = json.loads((out / "run.json").read_text())
        rows = state["stages"]["read"]["rows_in"]
        counted = sum(state["outcomes"].values())
        return None if counted == rows else f"{counted} outcomes of {rows} rows"
    if process.returncode != 1 or len(said.splitlines()) != 1 or "CLIO-BUG" in said:
        return f"exit status {process.returncode}: {said[-500:]}"
    return None


def runs(count: int, seed: int) -> Iterator[tuple[str, str | None]]:
    """Whole runs over damaged files that are large enough for something to come out."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        whole: dict[str, bytes] = {}
        for name in WRITERS:
            path = folder / f"{name}.jsonl"
            write(path, generate(ROWS_OF_A_RUN, seed=5), name)
            whole[path.name] = path.read_bytes()
        for number in range(count):
            chance = random.Random(f"run {seed} {number}")
            name = chance.choice(list(whole))
            path = folder / "input.jsonl"
            path.write_bytes(mutated(whole[name], chance, list(whole.values())))
            yield f"run {number} of {name}", wrong_with_run(path, folder / "run")
            shutil.rmtree(folder / "run", ignore_errors=True)


def read_bombs() -> Iterator[tuple[str, str | None, int]]:
    """Inputs that take much memory if read carelessly, each in a process of its own."""
    code = (
        "import random, sys; from pathlib import Path;"
        "from clio.testing.fuzzing import account_for, peak_memory;"
        "before = peak_memory(); account_for(Path(sys.argv[1]), random.Random(0));"
        "print(peak_memory() - before)"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, content in bombs():
            path = Path(folder) / name
            path.write_bytes(content)
            ended = subprocess.run(
                [sys.executable, "-c", code, path], capture_output=True, text=True, timeout=600
            )
            grown = int(ended.stdout) if ended.returncode == 0 else 0
            wrong = ended.stderr[-300:] if ended.returncode else None
            yield name, wrong or (f"{grown} MB" if grown > MEMORY else None), grown
            path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="damaged inputs to read")
    parser.add_argument("--runs", type=int, default=40, help="whole runs over damaged inputs")
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/fuzz"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.seed)
        return

    record = Record(options.folder, {"seed": options.seed})
    done = record.done
    for name, empty in (("inputs", 0), ("rows", 0), ("mb", 0), ("runs", 0), ("failures", {})):
        done.setdefault(name, empty)
    reader, files = Reader(options.seed), valid_files()
    kept = options.folder / "failures"
    while done["inputs"] < options.count:
        answer = reader.ask(done["inputs"])
        done["rows"] += answer["rows"]
        done["mb"] = max(done["mb"], answer["mb"])
        if answer["error"]:
            number = done["inputs"]
            done["failures"][f"input {number} from {answer['from']}"] = answer["error"]
            shutil.rmtree(kept / str(number), ignore_errors=True)
            (kept / str(number)).mkdir(parents=True)
            make(files, number, options.seed, kept / str(number))
            print(f"input {number} from {answer['from']}: {answer['error']}", flush=True)
        done["inputs"] += 1
        if done["inputs"] % STEP == 0:
            record.save()
    reader.close()
    record.save()
    if "bombs" not in done:
        found = list(read_bombs())
        done["bombs"] = {name: grown for name, _, grown in found}
        done["failures"] |= {name: wrong for name, wrong, _ in found if wrong}
        record.save()
    if done["runs"] < options.runs:
        for at, (name, wrong) in enumerate(runs(options.runs, options.seed)):
            done["runs"] = at + 1
            if wrong:
                done["failures"][name] = wrong
                print(f"{name}: {wrong}", flush=True)
        record.save()
    print(json.dumps({"benchmark": "fuzz", "seed": options.seed, "valid": len(files), **done}))
    sys.exit(1 if done["failures"] else 0)


if __name__ == "__main__":
    main()
