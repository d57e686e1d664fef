"""Does a planted detail come out of a run, and which layer stops which kind?

    python benchmarks/privacy/canaries.py [--conversations 20000] [--canaries 1000] [--folder DIR]

Invented details of twelve kinds (`clio.testing.canary_values`) are planted in generated
conversations of fifteen languages, which go through `clio run` with the offline analyst and with a
stand-in for a model. Then every detail, and every invented word in it, is looked for in all that
may be seen: the release's files, exports, the API's answers, standard output and error, run.json,
and files left in the folder for temporary ones. None may be there.

The ablation asks what each layer is worth: a writer that copies every conversation with a detail
into the summary of its cluster, and the layers switched on alone, or all but one. Layers:
scrubbing; facets (the writer sees an answer, not the conversation); thresholds; wording; the audit
of what was written, which keeps the whole release back. The exit status is 1 where something came
out of a whole run, or where the layers without one stop less than 99 % of the details.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow.parquet as pq
from fastapi.testclient import TestClient

import clio
from clio.analysts.requests import extract_request
from clio.describing import Description
from clio.errors import ReleaseError
from clio.pipeline import describe
from clio.pipeline.canaries import folded, text_of
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages import describe as describing
from clio.pipeline.stages import release as releasing
from clio.pipeline.stages.cluster import text_leaves_file
from clio.pipeline.stages.facets import load_conversations
from clio.pipeline.stages.texts import members_file
from clio.privacy.scrub import scrub
from clio.server import create_app
from clio.settings import Settings
from clio.testing import Canaries, write_jsonl
from clio.testing.canaries import traces
from clio.testing.canary_values import KINDS

sys.path.append(str(Path(__file__).parents[1] / "models"))
from standin import ENVIRONMENT, MODEL, standin

LAYERS = ("scrubbing", "facets", "thresholds", "wording", "audit")
LEAST = 0.99
EXPORTS = ("site", "csv", "parquet", "index")

Planted = Mapping[str, tuple[str, str]]
"""Kind and value of each conversation with a detail, by its id."""


def generated(folder: Path, rows: int, canaries: int, seed: int) -> tuple[Path, Planted]:
    source, truth = folder / f"in-{rows}.jsonl", folder / f"truth-{rows}.jsonl"
    write_jsonl(source, rows, seed=seed, truth=truth, plants=[Canaries(canaries / rows)])
    facts = [json.loads(line) for line in truth.read_text().splitlines()]
    return source, {
        fact["conversation_id"]: (fact["detail"]["kind"], fact["detail"]["value"])
        for fact in facts
        if fact["kind"] == "canary"
    }


def found_in(text: str, planted: Planted) -> list[str]:
    """Kinds of the details that stand in a text."""
    text = folded(text)
    return [
        kind
        for kind, value in planted.values()
        if any(folded(trace) in text for trace in traces(value))
    ]


def command(arguments: Sequence[str], temporary: Path) -> str:
    """What a command says, and how it ended."""
    environment = os.environ | ENVIRONMENT | {"TMPDIR": str(temporary), "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-m", "clio", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"clio {arguments[0]} ended with {done.returncode}: {done.stderr}")
    return done.stdout + done.stderr


def answers(run: Path) -> Iterator[str]:
    with TestClient(create_app(run), base_url="http://localhost") as client:
        paths = [f"/api/v1/{name}" for name in ("release", "tree", "clusters?limit=10000")]
        ids = [c["cluster_id"] for c in client.get(paths[2]).json()["clusters"]]
        paths += [f"/api/v1/clusters/{cluster}" for cluster in ids]
        paths += ["/api/v1/search?q=write", "/"]
        for path in paths:
            yield client.get(path).text


def whole_run(
    source: Path, folder: Path, planted: Planted, options: Sequence[str]
) -> dict[str, list[str]]:
    """Kinds of what came out, by where."""
    run, temporary = folder / "run", folder / "tmp"
    shutil.rmtree(folder, ignore_errors=True)
    temporary.mkdir(parents=True)
    asked = ["--breakdown", "product", "--breakdown", "country", "--yes", *options]
    printed = command(["run", str(source), "--out", str(run), *asked], temporary)
    printed += command(["run", str(source), "--out", str(run), "--json", *asked], temporary)
    for kind in EXPORTS:
        to = folder / "exports" / kind
        printed += command(["export", str(run), "--to", str(to), "--as", kind], temporary)
    seen = {
        "the terminal": printed,
        "run.json": text_of(run / "run.json"),
        "the API": "\n".join(answers(run)),
    }
    for name, place in (
        ("the release", run / "releases"),
        ("exports", folder / "exports"),
        ("temporary files", temporary),
    ):
        paths = [path for path in sorted(place.rglob("*")) if path.is_file()]
        seen[name] = "\n".join(map(text_of, paths))
    return {place: found_in(text, planted) for place, text in seen.items()}


def copying(planted: Planted, layers: Collection[str]) -> Any:
    """A writer that copies what it sees of conversations with a detail into summaries."""

    def write(context: Any, facet: Any, centroids: Any) -> tuple[list[Description], dict[str, Any]]:
        directory: RunDirectory = context.directory
        members = pq.read_table(members_file(directory, facet.name)).to_pydict()
        leaves = np.load(text_leaves_file(directory, facet.name))
        leaf = dict(zip(members["conversation_id"], leaves[members["text"]].tolist(), strict=True))
        table = pq.read_table(directory.private / "conversations.parquet")
        kept = [name in planted for name in table["conversation_id"].to_pylist()]
        said: dict[int, list[str]] = defaultdict(list)
        for conversation in load_conversations(table.filter(kept)):
            if conversation.conversation_id not in leaf:
                continue
            text = " ".join(conversation.requester_turns())
            if "facets" in layers:
                text = extract_request(conversation) or ""
            if "scrubbing" in layers:
                text = scrub(text)
            said[leaf[conversation.conversation_id]].append(text)
        return [
            Description(f"Requests, group {at}", "\n".join(said[at]) or "Requests.")
            for at in range(len(centroids))
        ], {}

    return write


def ablated(run: Path, planted: Planted, layers: Collection[str]) -> Counter[str]:
    """How many details of each kind come out with these layers."""
    directory = RunDirectory(run)
    directory.load()
    directory.state.stages.pop("describe", None)
    directory.save()
    gate = releasing.apply

    def apply(data: Any, thresholds: Any) -> Any:
        loose = {"accounts": 1, "conversations": 1, "top1_share": 1.0, "top2_share": 1.0}
        off = "thresholds" not in layers
        return gate(data, thresholds.model_copy(update=loose if off else {}))

    with ExitStack() as held:
        held.enter_context(mock.patch.object(describing, "_from_members", copying(planted, layers)))
        held.enter_context(mock.patch.object(releasing, "apply", apply))
        held.enter_context(mock.patch("clio.privacy.gate.check_floors"))
        if "audit" not in layers:
            held.enter_context(mock.patch.object(releasing, "refuse_unsafe"))
        if "wording" not in layers:
            held.enter_context(mock.patch("clio.privacy.titles.check", return_value=[]))
        try:
            done = describe(run)
        except ReleaseError:  # the audit keeps the release back
            return Counter()
    table = done.release().table("clusters")
    text = "\n".join([*table["title"].to_pylist(), *table["summary"].to_pylist()])
    return Counter(found_in(text, planted))


def ablation(folder: Path, rows: int, canaries: int) -> bool:
    source, planted = generated(folder, rows, canaries, seed=8)
    run = clio.run(source, out=folder / "ablated", settings=Settings(embedder="static")).path
    sets = {"none": frozenset()}
    sets |= {f"{layer} alone": frozenset((layer,)) for layer in LAYERS}
    sets |= {f"all but {layer}": frozenset(LAYERS) - {layer} for layer in LAYERS}
    sets["all"] = frozenset(LAYERS)
    found = {name: ablated(run, planted, layers) for name, layers in sets.items()}
    of = Counter(kind for kind, _ in planted.values())
    print(f"details that come out of {rows} conversations, of {len(planted)} planted, by layers on")
    for name, counts in found.items():
        print(f"  {name:20} {counts.total():5}")
    print("by kind: planted, with none, and with one alone of " + ", ".join(LAYERS))
    for kind in KINDS:
        alone = [found[f"{layer} alone"][kind] for layer in LAYERS]
        print(f"  {kind:16} {of[kind]:4} {found['none'][kind]:4}  ", *(f"{n:4}" for n in alone))
    stopped = {
        layer: 1 - found[f"all but {layer}"].total() / found["none"].total() for layer in LAYERS
    }
    for layer, share in stopped.items():
        print(f"without {layer} the others stop {share:.2%}")
    print(json.dumps({"ablation": {name: dict(counts) for name, counts in found.items()}}))
    return all(share >= LEAST for share in stopped.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=20_000)
    parser.add_argument("--canaries", type=int, default=1_000)
    parser.add_argument("--ablation", type=int, default=6_000, help="conversations; 0: none")
    parser.add_argument(
        "--analysts", nargs="*", default=["extractive", "model"], help="without any: the ablation"
    )
    parser.add_argument("--embedder", default="auto")
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/canaries"))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    options = ["--embedder", given.embedder]
    good = True
    if given.analysts:
        source, planted = generated(given.folder, given.conversations, given.canaries, seed=7)
    for analyst in given.analysts:
        if analyst == "model":
            with standin(source) as server:
                more = ["--analyst", MODEL, "--base-url", server.base_url]
                found = whole_run(source, given.folder / analyst, planted, options + more)
        else:
            found = whole_run(source, given.folder / analyst, planted, options)
        for place, kinds in found.items():
            print(f"{analyst:10} {place:16} {len(kinds)} of {len(planted)}", dict(Counter(kinds)))
            good &= not kinds
    if given.ablation:
        good &= ablation(given.folder, given.ablation, given.canaries)
    if not good:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
