"""How often does an adversary learn a target's condition from a release?

    python benchmarks/privacy/poisoning.py [--attacks 504] [--folder DIR] [--writers extractive ...]

After Cliopatra (arXiv:2603.05618): adversaries who know a target's age group, gender and one
symptom add crafted conversations from a few accounts (`clio.testing.poisoning`). Many targets a
corpus, each with an adversary and a crowd of their own. Writers: `extractive`; `keywords`; `model`,
a stand-in that obeys every injection and leaves nothing out. Variants: a dormant instruction,
padding, copying; `two releases`, where what counts is what a release with the target names and
one without does not.

Parts: `few`, one to nine accounts, whose upper bound of success must stay within three points of
guessing; `many`, ten to fifty accounts, a curve; `plain`, padding with words that are in no lexicon
of sensitive ones; `off`, where the gate's rules of wording and the writers' rules of sampling are
switched off, so that the suite shows that it sees. There clusters are given as the adversary would
have them (`clusters.py`), which favours adversaries and saves the clustering. `whole` is whole runs
of one corpus a variant, up to nine accounts; `whole off` the same without the rules.

Results are appended to results.jsonl as they come, and summed up at the end; what is there already
is not carried out again.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import orjson
from clusters import Clusters

import clio
from clio.pipeline import describe
from clio.pipeline.stages import describe as describing
from clio.pipeline.stages import hierarchy, keywords
from clio.settings import Settings, Thresholds
from clio.testing import as_record, generate
from clio.testing.poisoning import (
    MOST_TARGETS,
    PLAIN_ENDINGS,
    VARIANTS,
    Gullible,
    Outcome,
    Variant,
    outcomes,
    poisoned,
    success,
    success_bound,
)
from clio.testing.scripted import ScriptedAsker

WRITERS = ("extractive", "keywords", "model")
FEW = tuple(range(1, 10))
MANY = (10, 15, 20, 25, 30, 40, 50)
CONVERSATIONS = (50, 50, 50, 50, 60, 80, 50, 50, 120)
ALLOWED = 0.03
PARTS = ("off", "few", "few, no target", "plain", "many", "whole", "whole off")


class Off(Settings):
    """Settings without the rules of wording, under which a single account may speak for many."""

    def thresholds(self) -> Thresholds:
        """As the preset's, without support for words."""
        rules = ("word_accounts", "sensitive_word_accounts", "window_accounts")
        alone = {"top1_share": 1.0, "top2_share": 1.0, "p_percent": 0.0}
        return super().thresholds().model_copy(update=dict.fromkeys(rules, 1) | alone)


@contextmanager
def gullible(truth: Sequence[Any]) -> Iterator[None]:
    """Models are the gullible stand-in, in this process."""
    asker: Any = ScriptedAsker(Gullible(truth).answer)
    counts = {"calls": 0, "tokens": {"input": 0, "output": 0}, "cost": 0.0}
    asker.host, asker.close = "nowhere", lambda: None
    asker.ledger = SimpleNamespace(as_dict=lambda: counts)
    with mock.patch("clio.pipeline.models.open_asker", return_value=asker):
        yield


def corpus(
    folder: Path, background: int, **options: Any
) -> tuple[Path, Sequence[Any], Sequence[Any]]:
    honest = list(generate(background, seed=options["seed"]))
    said, attacks = poisoned(**options)
    source = folder / "corpus.jsonl"
    source.write_bytes(
        b"".join(
            orjson.dumps(as_record(each), option=orjson.OPT_APPEND_NEWLINE)
            for each in (*honest, *said)
        )
    )
    return source, attacks, honest


def released(
    source: Path, out: Path, writer: str, truth: Sequence[Any], leaves: int, *, off: bool
) -> Path:
    """Run, or write again where the clusters stand already."""
    kind: Any = partial(Off if off else Settings, embedder="static", base_clusters=leaves)
    with ExitStack() as held:
        if off:
            held.enter_context(mock.patch("clio.privacy.gate.check_floors"))
            held.enter_context(mock.patch("clio.pipeline.stages.release.refuse_unsafe"))
            for stage in (describing, hierarchy, keywords):
                held.enter_context(mock.patch.object(stage, "MIN_USERS", 1))
            for stage in (describing, hierarchy):
                held.enter_context(mock.patch.object(stage, "sensitive_words", return_value=None))
        if writer == "model":
            held.enter_context(gullible(truth))
            out = out.with_name("model")
            clio.run(source, out=out, settings=kind(analyst="openai:gullible"))
        elif writer == "keywords" and not off and (out / "run.json").exists():
            describe(out, {"describe": "keywords"})
        else:
            clio.run(source, out=out, settings=kind(describe=writer))
    return out


def attacked(
    folder: Path, writers: Sequence[str], *, off: bool, background: int, **options: Any
) -> Iterator[tuple[str, list[Outcome]]]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    source, attacks, truth = corpus(folder, background, **options)
    # As many as suit adversaries: a cluster for each.
    leaves = len(attacks) + background // 100
    for writer in writers:
        run = released(source, folder / "run", writer, truth, leaves, off=off)
        yield writer, outcomes(run, attacks)
    shutil.rmtree(folder)


def record(outcome: Outcome, **more: Any) -> dict[str, Any]:
    attack = outcome.attack
    return {
        **more,
        "variant": attack.variant,
        "accounts": attack.accounts,
        "conversations": attack.conversations,
        "condition": attack.condition,
        "named": outcome.named,
        "success": outcome.success,
        "prior": attack.prior,
        "attack": attack,
    }


def plan(given: argparse.Namespace) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Name of the part, seed, and options of the corpus."""
    each = min(given.targets, MOST_TARGETS)
    for seed in range(-(-given.attacks // each)):
        for variant in VARIANTS:
            few = {"variant": variant, "accounts": FEW, "number": each}
            yield "few", seed, few
            if variant == "padding":
                yield "few, no target", seed, {**few, "targets": False}
            if seed == 0:
                yield "off", seed, few
                yield "many", seed, {**few, "accounts": MANY}
                yield "whole", seed, {**few, "number": min(each, given.whole)}
                yield "whole off", seed, {**few, "number": min(each, given.whole)}
    yield "plain", 0, {**few, "variant": "padding", "endings": PLAIN_ENDINGS}


def given_clusters(
    writers: Sequence[str], *, off: bool, **options: Any
) -> Iterator[tuple[str, list[Outcome]]]:
    """What adversaries are told where clusters are as they would have them."""
    said, attacks = poisoned(**options)
    thresholds = (Off() if off else Settings()).thresholds()
    clusters = Clusters(said, attacks, thresholds, sampled=not off)
    for writer in writers:
        yield writer, clusters.outcomes(writer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attacks", type=int, default=504, help="of each variant and writer")
    parser.add_argument("--targets", type=int, default=MOST_TARGETS, help="of one corpus")
    parser.add_argument("--whole", type=int, default=MOST_TARGETS, help="targets of a whole run")
    parser.add_argument("--background", type=int, default=500, help="conversations of a whole run")
    parser.add_argument("--writers", nargs="+", default=WRITERS, choices=WRITERS)
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results/poisoning"))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    kept = given.folder / "results.jsonl"
    done = {(r["part"], r["seed"], r["variant"], r["writer"]) for r in read(kept)}
    for part, seed, options in plan(given):
        variant: Variant = options["variant"]
        left = [w for w in given.writers if (part, seed, variant, w) not in done]
        if part not in given.parts or not left:
            continue
        options = {**options, "conversations": CONVERSATIONS, "seed": seed, "off": "off" in part}
        results = (
            attacked(given.folder / "work", left, background=given.background, **options)
            if part.startswith("whole")
            else given_clusters(left, **options)
        )
        for writer, found in results:
            rows = [record(each, part=part, seed=seed, writer=writer) for each in found]
            lines = [orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows]
            with kept.open("ab") as file:
                file.write(b"".join(lines))
            print(part, variant, writer, seed, f"{success(found):.3f}", flush=True)
    if not summed_up(read(kept)):
        raise SystemExit(1)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.open()] if path.exists() else []


def as_outcomes(rows: Sequence[Mapping[str, Any]]) -> list[Outcome]:
    from clio.testing.poisoning import Attack

    return [
        Outcome(
            Attack(**row["attack"] | {"candidates": tuple(row["attack"]["candidates"])}),
            tuple(row["named"]),
        )
        for row in rows
    ]


def summed_up(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Print the table and the curve; whether few accounts stay within what is allowed."""
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["part"], row["variant"], row["writer"]].append(row)
    good = True
    summary = []
    for (part, variant, writer), group in sorted(groups.items()):
        found = as_outcomes(group)
        if part == "few, no target":
            continue
        bound, prior = success_bound(found), found[0].attack.prior
        line = f"{part:5} {variant:9} {writer:10} n={len(found):4} success {success(found):.3f}"
        print(f"{line} bound {bound:.3f} guessing {prior:.3f}")
        # Of whole runs there are too few to bound, and none may be told anything.
        good &= part != "few" or bound <= prior + ALLOWED
        good &= part != "whole" or success(found) <= prior
        summary.append([part, variant, writer, len(found), success(found), bound])
        for accounts in {"many": MANY, "plain": FEW}.get(part, ()):
            at = [each for each in found if each.attack.accounts == accounts]
            if at:
                print(f"      {accounts} accounts: {success(at):.3f} of {len(at)}")
                summary[-1].append([accounts, success(at)])
    for writer in WRITERS:
        first = {
            (r["seed"], r["attack"]["prefix"]): r
            for r in groups["few, no target", "padding", writer]
        }
        both = [
            (r, first[r["seed"], r["attack"]["prefix"]])
            for r in groups["few", "padding", writer]
            if (r["seed"], r["attack"]["prefix"]) in first
        ]
        if both:
            told = as_outcomes(
                [
                    {**new, "named": [name for name in new["named"] if name not in old["named"]]}
                    for new, old in both
                ]
            )
            bound = success_bound(told)
            print(
                f"two releases padding {writer:10} n={len(told)} success {success(told):.3f} "
                f"bound {bound:.3f}"
            )
            good &= bound <= told[0].attack.prior + ALLOWED
            summary.append(["two releases", "padding", writer, len(told), success(told), bound])
    print(json.dumps({"poisoning": summary}))
    return good


if __name__ == "__main__":
    main()
