"""Kill a run that asks a model at random moments, take it up again, and compare what comes out.

    python benchmarks/models/kills.py [--conversations 1500] [--kills 20] [--folder DIR] [--seed 0]

Generated conversations, and the stand-in server in place of a model. Runs are killed with SIGKILL
at random moments of the facets, describe and hierarchy stages, asked call by call, and while a
batch is awaited; each is taken up from where that left it. In the end the release is compared to
the byte with that of a run that was left alone, and the server's count of bodies that came more
than once with the number of calls that may be under way when a run is killed. The last line is one
JSON object; the exit status is 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
from pathlib import Path
from typing import Any

from standin import ENVIRONMENT, Standin, standin

from clio.pipeline.stages import STAGES
from clio.testing import write_jsonl
from clio.testing.faults import finish, kill_in_stage, release_bytes

NAMES = [stage.name for stage in STAGES]
CONCURRENCY = 16
GUARD = bytes(range(32))
ASKING = ("facets", "describe", "hierarchy")


def prepare(out: Path) -> Path:
    """An empty run with a known key of its prompts, so that two runs ask the same."""
    shutil.rmtree(out, ignore_errors=True)
    (out / "private").mkdir(parents=True, mode=0o700)
    (out / "private" / "guard").write_bytes(GUARD)
    (out / "private" / "guard").chmod(0o600)
    return out


def options(model: str, server: Standin) -> list[str]:
    return [
        *("--analyst", model, "--base-url", server.base_url, "--yes"),
        *("--concurrency", str(CONCURRENCY)),
    ]


def undisturbed(source: Path, out: Path, model: str, server: Standin) -> dict[str, float]:
    """Carry a run out; the seconds that its stages took."""
    finish(source, prepare(out), *options(model, server), environment=ENVIRONMENT)
    stages = json.loads((out / "run.json").read_text())["stages"]
    return {name: stages[name]["seconds"] for name in NAMES}


def disturbed(
    source: Path,
    out: Path,
    model: str,
    server: Standin,
    plan: dict[str, int],
    seconds: dict[str, float],
    chance: random.Random,
) -> dict[str, Any]:
    """Kill a run so often in each stage, finish it; where it was killed and what came twice."""
    prepare(out)
    landed: dict[str, int] = {}
    for stage, kills in plan.items():
        for number in range(kills):
            # Each time a part of the stage is left; so that kills lie all over it.
            moment = chance.uniform(0, 1.2 * seconds[stage] / max(kills - number, 1))
            at = kill_in_stage(
                source, out, NAMES, stage, moment, *options(model, server), environment=ENVIRONMENT
            )
            if at is None:
                break
            landed[at] = landed.get(at, 0) + 1
    finish(source, out, *options(model, server), environment=ENVIRONMENT)
    repeated = server.state()["repeated"]
    return {"kills": landed, "repeated": repeated, "allowed": CONCURRENCY * sum(landed.values())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=1500)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/model-kills"))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    os.environ |= ENVIRONMENT
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "generated.jsonl"
    write_jsonl(source, given.conversations, seed=given.seed, languages="even")
    third = given.kills // 4
    plans = {
        "openai:stand-in": dict.fromkeys(ASKING, third),
        "batch:openai:stand-in": {"facets": given.kills - 3 * third},
    }
    result: dict[str, Any] = {"benchmark": "model kills", "concurrency": CONCURRENCY}
    sound = True
    for model, plan in plans.items():
        name = model.replace(":", "-")
        slow = {"latency": 0.15} if not model.startswith("batch") else {"polls": 4}
        with standin(source, **slow) as server:
            seconds = undisturbed(source, folder / f"{name}-first", model, server)
        with standin(source, **slow) as server:
            found = disturbed(
                *(source, folder / f"{name}-killed", model, server, plan, seconds),
                random.Random(given.seed),
            )
        same = release_bytes(folder / f"{name}-killed") == release_bytes(folder / f"{name}-first")
        found["same_release"] = same
        sound &= same and found["repeated"] <= found["allowed"]
        result[model] = found
        print(model, found, flush=True)
    print(json.dumps(result))
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
