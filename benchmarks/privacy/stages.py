"""What share of a run's texts points to somebody, stage by stage?

    python benchmarks/privacy/stages.py [--conversations 5000] [--share 0.1] [--model NAME]

The table of the Clio paper (appendix D: 10 % of raw conversations, 1.5 % of summaries and none of
the clusters were rated private). Generated conversations, a share of which holds an invented detail
of the requester's; a judge rates conversations, facets and released titles with summaries from 1 to
5, and what is rated 1 or 2 is private. The judge is a stand-in that knows what was planted, so that
what is measured is the pipeline and no judge; `--model NAME` asks a real one, and its accuracy on
the shipped set of descriptions (`clio.auditing.judge`) comes first. The exit status is 1 where a
released text is rated private.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pyarrow.parquet as pq

import clio
from clio.analysts.asking import open_asker
from clio.auditing.judge import KEPT, judge_accuracy, judge_texts
from clio.pipeline.stages.facets import load_conversations
from clio.prompting import Asker
from clio.settings import Settings
from clio.testing import Canaries, write_jsonl
from clio.testing.canaries import canary_judge, traces
from clio.testing.scripted import ScriptedAsker


def share_private(asker: Asker, texts: Sequence[str]) -> tuple[float, int]:
    """Share of the rated texts that points to somebody, and how many were rated."""
    rated = [j.rating for j in judge_texts(asker, texts) if j.rating is not None]
    return sum(rating < KEPT for rating in rated) / max(len(rated), 1), len(rated)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=5_000)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--model", help="as for clio run --analyst, such as files:DIR")
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/stages"))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    source, truth = given.folder / "in.jsonl", given.folder / "truth.jsonl"
    plants = [Canaries(given.share)]
    write_jsonl(source, given.conversations, seed=6, truth=truth, plants=plants)
    facts = [json.loads(line) for line in truth.read_text().splitlines()]
    values = [fact["detail"]["value"] for fact in facts if fact["kind"] == "canary"]
    settings = Settings(embedder=given.embedder)
    run = clio.run(source, out=given.folder / "run", settings=settings)

    table = pq.read_table(run.path / "private" / "conversations.parquet")
    answers = pq.read_table(run.path / "private" / "facets.parquet", columns=["request"])
    clusters = run.release().table("clusters").to_pylist()
    stages = {
        "conversations": [
            "\n".join(f"{m.role.value}: {m.content}" for m in conversation.messages)
            for conversation in load_conversations(table)
        ],
        "facets": [text for text in answers["request"].to_pylist() if text],
        "descriptions": [f"{row['title']}: {row['summary']}" for row in clusters],
    }
    with ExitStack() as held:
        if given.model:
            asker: Asker = held.enter_context(open_asker(given.model, folder=given.folder))
            print("judge on the shipped set", json.dumps(judge_accuracy(asker).as_dict()))
        else:
            asker = ScriptedAsker(canary_judge([t for value in values for t in traces(value)]))
        found = {name: share_private(asker, texts) for name, texts in stages.items()}
    for name, (share, rated) in found.items():
        print(f"{name:14} {share:6.2%} private of {rated}")
    print(json.dumps({"private": {name: share for name, (share, _) in found.items()}}))
    if found["descriptions"][0]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
