"""Let the disk fill up at random moments of a run, give space back, and compare what comes out.

    python benchmarks/soundness/disk.py [INPUT] [--moments 10] [--folder DIR] [--seed 0]

Without INPUT, conversations are generated. The run lies on a small file system of its own. Every
other time the disk is filled up at a random moment; in between it is too small from the start, by a
random amount. Each time `clio run` must end with status 1 and one line that names the disk; then
space is made, and the same command must end as a run that had room enough. Mounting needs root,
if only of a namespace: without it the script starts itself again through `unshare`. What is done
stays in DIR, so that it can be interrupted and goes on. The last line is one JSON object; the exit
status is 1 where anything is not as it must be.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from record import begin

from clio.testing.faults import differences, fill, finish, free, small_disk, start

AMPLE = 2**30
LEAST = 2**16


def undisturbed(source: Path, out: Path, disk: Path) -> tuple[float, int]:
    """Carry a run out with room enough; seconds, and the bytes it took at most."""
    most = 0
    with small_disk(disk, AMPLE):
        begun = time.monotonic()
        process = start(source, disk / "run", "--quiet")
        while process.poll() is None:
            about = os.statvfs(disk)
            most = max(most, (about.f_blocks - about.f_bfree) * about.f_frsize)
            time.sleep(0.01)
        seconds = time.monotonic() - begun
        if process.returncode:
            raise SystemExit(f"clio run failed with exit status {process.returncode}")
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(disk / "run", out, symlinks=True)
    return seconds, most


def disturbed(source: Path, disk: Path, moment: float | None) -> tuple[int, str, float]:
    """A run on a disk that is filled up after `moment` seconds; status, what it said, seconds."""
    begun = time.monotonic()
    process = start(source, disk / "run", "--quiet")
    if moment is not None:
        try:
            process.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            while process.poll() is None:
                fill(disk)  # again and again: what the run removes is taken too
                time.sleep(0.01)
    _, said = process.communicate()
    free(disk)
    return process.returncode, said, round(time.monotonic() - begun, 1)


def wrong_with(status: int, said: str) -> str | None:
    """What a run on a full disk should not have done."""
    if status != 1:
        return f"exit status {status}"
    if len(said.splitlines()) != 1:
        return f"{len(said.splitlines())} lines: {said!r}"
    return None if said.rstrip().endswith("[CLIO-DISK]") else f"another error: {said!r}"


def attempt(source: Path, folder: Path, done: dict[str, Any], number: int, seed: int) -> None:
    """Fill the disk once, whatever it takes to meet a moment before the run's end."""
    disk = folder / "disk"
    for attempts in range(100):
        chance = random.Random(f"{seed} {number} {attempts}")
        filled = number % 2 == 0
        moment = chance.uniform(0, done["seconds"]) if filled else None
        size = AMPLE if filled else max(LEAST, int(chance.uniform(0, done["bytes"])))
        with small_disk(disk, size):
            status, said, seconds = disturbed(source, disk, moment)
            if status == 0:
                continue  # it was through before the disk was full
            wrong = wrong_with(status, said)
            subprocess.run(["mount", "-o", f"remount,size={AMPLE}", str(disk)], check=True)
            finish(source, disk / "run", "--quiet")
            found = differences(disk / "run", folder / "whole")
        how = f"full after {moment:.1f} s" if moment is not None else f"{size:,} bytes"
        done["moments"].append({"how": how, "ended_after": seconds})
        done["wrong"] += [f"{how}: {wrong}"] if wrong else []
        done["differences"] += [f"{how}: {name}" for name in found]
        print(f"{how}: {said.strip()}", flush=True)
        return
    raise SystemExit("the run was always through before the disk was full")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", type=Path, nargs="?")
    parser.add_argument("--conversations", type=int, default=5_000, help="where no input is given")
    parser.add_argument("--moments", type=int, default=10)
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/disk"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if os.geteuid() != 0:
        inside = [sys.executable, *sys.argv]
        os.execvp("unshare", ["unshare", "--map-root-user", "--mount", *inside])
    folder: Path = options.folder
    record, source, name = begin(options)
    done = record.done
    if "bytes" not in done:
        done["seconds"], done["bytes"] = undisturbed(source, folder / "whole", folder / "disk")
        done["moments"], done["wrong"], done["differences"] = [], [], []
        record.save()
        print(f"undisturbed: {done['seconds']:.1f} s, {done['bytes']:,} bytes at most", flush=True)
    while len(done["moments"]) < options.moments:
        attempt(source, folder, done, len(done["moments"]), options.seed)
        record.save()
    result = {
        "benchmark": "disk",
        "input": name,
        "moments": done["moments"],
        "bytes_at_most": done["bytes"],
        "wrong_endings": done["wrong"],
        "differences": done["differences"],
    }
    print(json.dumps(result))
    sys.exit(1 if done["wrong"] or done["differences"] else 0)


if __name__ == "__main__":
    main()
