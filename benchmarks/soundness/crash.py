"""Kill a run at random moments in each stage, take it up again, and compare what comes out.

    python benchmarks/soundness/crash.py [INPUT] [--kills 20] [--folder DIR] [--seed 0]

Without INPUT, conversations are generated. A run is carried out undisturbed, twice, to see that the
same command gives the same bytes; of the second a copy is kept as it stood when each stage began.
From such a copy a run goes on, is killed with SIGKILL at a random moment of the stage, taken up
from where that left it, killed again, and so on. Whenever the stage is through, the run is carried
to its end and compared with the undisturbed one: the release to the byte, and the private tables
and counts by contents. What is done stays in DIR, so that this script can be interrupted and goes
on. The last line is one JSON object; the exit status is 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from record import Record, begin

from clio.pipeline.stages import STAGES
from clio.testing.faults import ENDED, differences, finish, kill_in_stage, start

NAMES = [stage.name for stage in STAGES]


def carry_out_with_copies(source: Path, out: Path, copies: Path) -> float:
    """Carry a run out, stopping it for a moment at the end of each stage to copy it."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.rmtree(copies, ignore_errors=True)
    (copies / NAMES[0]).mkdir(parents=True)
    begun, copying = time.monotonic(), 0.0
    process = start(source, out)
    assert process.stderr is not None
    for line in process.stderr:
        ended = ENDED.match(line.strip())
        if ended is None or ended["stage"] == NAMES[-1]:
            continue
        stopped = time.monotonic()
        process.send_signal(signal.SIGSTOP)
        following = NAMES[NAMES.index(ended["stage"]) + 1]
        shutil.copytree(out, copies / following, symlinks=True)
        process.send_signal(signal.SIGCONT)
        copying += time.monotonic() - stopped
    if status := process.wait():
        raise SystemExit(f"clio run failed with exit status {status}")
    return time.monotonic() - begun - copying


def seconds_of_stages(run: Path) -> dict[str, float]:
    stages = json.loads((run / "run.json").read_text())["stages"]
    return {name: stages[name]["seconds"] for name in NAMES}


def kill_often(source: Path, folder: Path, record: Record, stage: str, options: Any) -> None:
    """Kill runs within one stage until it is enough; see that each ends as the undisturbed one."""
    work = folder / "work"
    done = record.done["stages"].setdefault(stage, {"kills": 0, "attempts": 0, "finished": 0})
    longest = record.done["seconds"][stage]
    while done["kills"] < options.kills or work.exists():
        if not work.exists():
            aside = folder / "copying"
            shutil.rmtree(aside, ignore_errors=True)
            shutil.copytree(folder / "copies" / stage, aside, symlinks=True)
            aside.rename(work)
        landed: str | None = None
        if done["kills"] < options.kills:
            chance = random.Random(f"{options.seed} {stage} {done['attempts']}")
            moment = chance.uniform(0, longest)
            landed = kill_in_stage(source, work, NAMES, stage, moment)
            done["attempts"] += 1
            done["kills"] += landed == stage
        if landed != stage or done["kills"] >= options.kills:
            finish(source, work)
            done["finished"] += 1
            found = differences(work, folder / "first")
            record.done["differences"] += [f"{stage}: {name}" for name in found]
            shutil.rmtree(work)
        record.save()
    print(f"{stage}: {done['kills']} kills, {done['finished']} runs finished", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", type=Path, nargs="?")
    parser.add_argument("--conversations", type=int, default=20_000, help="where no input is given")
    parser.add_argument("--kills", type=int, default=20, help="in each stage")
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/crash"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder: Path = options.folder
    record, source, name = begin(options)
    done = record.done
    if "first" not in done:
        shutil.rmtree(folder / "first", ignore_errors=True)
        done["first"] = round(finish(source, folder / "first"), 1)
        record.save()
        print(f"undisturbed: {done['first']} s", flush=True)
    if "second" not in done:
        took = carry_out_with_copies(source, folder / "second", folder / "copies")
        done["second"] = round(took, 1)
        done["seconds"] = seconds_of_stages(folder / "first")
        done["twice"] = differences(folder / "second", folder / "first")
        done["stages"], done["differences"] = {}, []
        record.save()
        print(f"undisturbed again: {done['second']} s", flush=True)
    for stage in NAMES:
        kill_often(source, folder, record, stage, options)

    result = {
        "benchmark": "crash",
        "input": name,
        "kills": {stage: done["stages"][stage]["kills"] for stage in NAMES},
        "finished_and_compared": sum(about["finished"] for about in done["stages"].values()),
        "seconds_undisturbed": done["first"],
        "differences_between_undisturbed_runs": done["twice"],
        "differences_after_kills": done["differences"],
    }
    print(json.dumps(result))
    sys.exit(1 if done["twice"] or done["differences"] else 0)


if __name__ == "__main__":
    main()
