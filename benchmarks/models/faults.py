"""A run against a server that fails: is every conversation accounted for, and every call?

    python benchmarks/models/faults.py [--conversations 4000] [--folder DIR] [--seed 0]

The stand-in server answers 10 % of the calls with 429, 5 % with 500, gives 5 % malformed or
out-of-schema answers, lets 1 % stall and refuses .5 %. Printed: outcomes of the rows, the share
of the answerable ones that were answered, and attempts and tokens as the run recorded them beside
the server's own count. The last line is one JSON object; the exit status is 1 where anything is
lost.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import pyarrow.parquet as pq
from standin import ENVIRONMENT, MODEL, standin

from clio.testing import write_jsonl
from clio.testing.faults import finish

FAULTS = {
    "overloaded": 0.10,
    "errors": 0.05,
    "malformed": 0.025,
    "out_of_schema": 0.025,
    "stalls": 0.01,
    "stall_seconds": 3.0,
    "refusals": 0.005,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=4000)
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/model-faults"))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    folder: Path = given.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    source, out = folder / "generated.jsonl", folder / "run"
    write_jsonl(source, given.conversations, seed=given.seed)
    with standin(source, latency=0.05, seed=given.seed, **FAULTS) as server:
        command = ["--analyst", MODEL, "--base-url", server.base_url, "--yes"]
        seconds = finish(source, out, *command, environment=ENVIRONMENT)
        state = server.state()

    run = json.loads((out / "run.json").read_text())
    ours = run["models"][MODEL]
    outcomes = run["outcomes"]
    rows = pq.read_table(out / "private" / "facets.parquet", columns=["conversation_id"]).num_rows
    failed = sum(1 for _ in (out / "private" / "failed.jsonl").open())
    asked = run["stages"]["facets"]["rows_in"] - run["stages"]["facets"]["outcomes"].get(
        "skipped", 0
    )
    refused = outcomes.get("refused", 0)
    answerable = asked - refused
    counts = state["counts"]
    # What a client sees of what the server did.
    pairs = {
        "answered": (ours["attempts"].get("answered", 0), counts.get("answered", 0)),
        "malformed or out of schema": (
            ours["attempts"].get("malformed", 0),
            counts.get("malformed", 0) + counts.get("out_of_schema", 0),
        ),
        "refused": (ours["attempts"].get("refused", 0), counts.get("refused", 0)),
        "overloaded": (ours["attempts"].get("overloaded", 0), counts.get("overloaded", 0)),
        "errors and stalls": (
            ours["attempts"].get("transient", 0) + ours["attempts"].get("timeout", 0),
            counts.get("error", 0) + counts.get("stall", 0) + counts.get("disconnect", 0),
        ),
        "tokens sent": (ours["tokens"]["input"], state["usage"]["input"]),
        "tokens received": (ours["tokens"]["output"], state["usage"]["output"]),
    }
    print(f"{given.conversations:,} rows in {seconds:.0f} s: {outcomes}")
    print(f"asked {asked:,}, refused {refused}, answered {rows:,}, failed {failed}")
    print(f"{'':<28}{'recorded':>12}{'server':>12}")
    for name, (own, others) in pairs.items():
        print(f"{name:<28}{own:>12,}{others:>12,}")
    share = rows / answerable
    sound = (
        all(own == others for own, others in pairs.values())
        and rows + failed + refused == asked
        and sum(outcomes.values()) == given.conversations
        and share >= 0.999
    )
    result = {
        "benchmark": "model faults",
        "rows": given.conversations,
        "outcomes": outcomes,
        "answered_of_answerable": round(share, 5),
        "recorded_and_server": pairs,
        "unanswered": ours.get("unanswered"),
        "sound": sound,
    }
    print(json.dumps(result))
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
