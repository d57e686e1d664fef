"""Kill a run at random moments, start it again each time, and compare the release's bytes.

    python benchmarks/crash.py INPUT [--kills 10] [--folder DIR] [--seed 0]

First a run is carried out without interruption, twice, to see that the same command gives the same
bytes. Then another is killed with SIGKILL at random moments within the time that the first took,
started again after each kill, and let finish. What is done stays in DIR, so that this script can
itself be interrupted and goes on. The last line is one JSON object; the exit status is 1 where
bytes differ.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def start(source: Path, out: Path) -> subprocess.Popen[bytes]:
    """``clio run`` with default options."""
    command = [sys.executable, "-m", "clio", "run", str(source), "--out", str(out), "--quiet"]
    return subprocess.Popen(command)


def finish(source: Path, out: Path) -> float:
    """Carry a run out to its end; the seconds it took."""
    begin = time.monotonic()
    if status := start(source, out).wait():
        raise SystemExit(f"clio run failed with exit status {status}")
    return time.monotonic() - begin


def kill_at(source: Path, out: Path, seconds: float) -> str | None:
    """Kill a run after so long; the stage that it was in, or `None` where it had ended."""
    process = start(source, out)
    try:
        process.wait(timeout=seconds)
        return None
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
    record = out / "run.json"
    stages = json.loads(record.read_text())["stages"] if record.is_file() else {}
    return next((name for name, stage in reversed(stages.items()) if not stage["done"]), "between")


def release(run: Path) -> dict[str, bytes]:
    """Every file of the latest release."""
    return {path.name: path.read_bytes() for path in sorted((run / "release").iterdir())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", type=Path)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/crash"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "state.json"
    state: dict[str, Any] = {"input": options.input.name, "killed_in": []}
    if record.is_file():
        found = json.loads(record.read_text())
        if found["input"] == state["input"]:
            state = found
        else:
            shutil.rmtree(folder)
            folder.mkdir()

    def save() -> None:
        record.write_text(json.dumps(state))

    for name in ("first", "second"):
        if name not in state:
            shutil.rmtree(folder / name, ignore_errors=True)
            state[name] = round(finish(options.input, folder / name), 1)
            save()
            print(f"{name} whole run: {state[name]} s", flush=True)

    chance = random.Random(options.seed)
    longest = min(state["first"], state["second"])
    moments = [chance.uniform(0.5, longest) for _ in range(options.kills)]
    for moment in moments[len(state["killed_in"]) :]:
        # What the attempts before it did stays done, so that a run may end before its moment;
        # then it starts over, to be killed at that moment of a whole run.
        stage = kill_at(options.input, folder / "killed", moment)
        while stage is None:
            shutil.rmtree(folder / "killed")
            stage = kill_at(options.input, folder / "killed", moment)
            moment *= 0.8
        state["killed_in"].append(stage)
        save()
        print(f"killed after {moment:.1f} s in '{stage}'", flush=True)
    finish(options.input, folder / "killed")

    whole = release(folder / "first")
    result = {
        "benchmark": "crash",
        **state,
        "same_bytes_twice": release(folder / "second") == whole,
        "same_bytes_after_kills": release(folder / "killed") == whole,
    }
    print(json.dumps(result))
    sys.exit(0 if result["same_bytes_twice"] and result["same_bytes_after_kills"] else 1)


if __name__ == "__main__":
    main()
