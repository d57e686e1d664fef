"""Planted rings and look-alikes among generated conversations, found beside simpler ways.

    python benchmarks/safety/coordination.py --rows 100000
    python benchmarks/safety/coordination.py --rows 1000000
    python benchmarks/safety/coordination.py --rows 10000 --permuted 20

Clusters are the true topics, so that what is measured is coordination and not clustering. Texts of
rings are made here from plain words; background and their own use are of the test bed.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa

from clio.conversation import Conversation, Message, Role
from clio.pipeline import files
from clio.pipeline.acting import Actions
from clio.pipeline.progress import NoProgress
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.cluster import text_leaves_file
from clio.pipeline.stages.read import CONVERSATIONS, conversations_folder
from clio.pipeline.stages.texts import members_file
from clio.safety import Lead, explain, find_groups
from clio.safety.graphs import components, members
from clio.testing import Claim, LookAlike, generate
from clio.testing.plants import Plant
from clio.testing.schedule import Schedule
from clio.testing.taxonomy import taxonomy

FACET = "request"
_WORDS = """
garden river window paper market bridge letter silver corner engine winter orange basket
ladder mirror pocket saddle ticket velvet walnut yellow anchor bottle candle dragon feather
guitar hammer island jacket kettle lantern magnet needle oyster pillow quartz ribbon saucer
temple umbrella violin wagon zipper acorn blanket carpet dolphin elbow falcon
"""
WORDS = [a + b for a in _WORDS.split() for b in _WORDS.split()]


@dataclass(frozen=True)
class Ring:
    """Accounts that send variants of texts, or ask about one rare theme in other words.

    `how`: copy, template, niche, drip. `mix`: share of each account's conversations that are
    ordinary.
    """

    accounts: int
    each: int
    how: str
    mix: float
    seed: int
    first_day: float = 10
    days: float = 14
    theme: str = ""
    kind: str = "ring"

    @property
    def name(self) -> str:
        """Kind, size and share of ordinary use."""
        return f"{self.how} {self.accounts} {self.mix:.0%}"

    def claim(self, schedule: Schedule, rng: np.random.Generator) -> Claim:
        """See `clio.testing.Plant`."""
        window = schedule.within(self.first_day, self.days)
        own = round(self.each * self.mix / (1 - self.mix))
        rows = rng.permutation(schedule.sample(window, self.accounts * self.each, rng))
        schedule.claim(rows)
        extra = rng.permutation(schedule.sample(schedule.free, self.accounts * own, rng))
        schedule.claim(extra)
        fresh = schedule.add_accounts(self.accounts, rng)
        schedule.account[rows] = np.repeat(fresh, self.each)
        schedule.account[extra] = np.repeat(fresh, own)
        acting = len(rows)
        if self.theme:
            schedule.set_topic(rows, schedule.topic_at(self.theme))
        else:
            schedule.set_topic(rows, int(rng.choice(np.unique(schedule.topic))))
        skeleton = np.random.default_rng(self.seed).choice(WORDS, 40)
        slots = set(np.random.default_rng(self.seed + 1).choice(40, 7, replace=False).tolist())

        def write(at: int, conversation: Conversation, draw) -> Conversation:
            if at >= acting or self.how == "niche":
                return conversation
            words = skeleton.tolist()
            if self.how != "copy":
                words = [
                    WORDS[int(draw() * len(WORDS))] if i in slots else w
                    for i, w in enumerate(words)
                ]
            text = " ".join(words)
            return replace(conversation, messages=(Message(Role.USER, text),))

        both = np.concatenate([rows, extra])
        return Claim(both, lambda at: {"name": self.name, "acting": at < acting}, write)


def plants(rows: int) -> list[Plant]:
    """Rings of every kind, size and mix, and classes."""
    found: list[Plant] = []
    themes = iter(_rare())
    for how in ("copy", "template", "niche", "drip"):
        for accounts in (8, 20, 60) if how != "niche" else (8, 20):
            for mix in (0.0, 0.5):
                found.append(
                    Ring(
                        accounts,
                        4 if how == "drip" else 8,
                        how,
                        mix,
                        seed=len(found) * 10,
                        first_day=2 + len(found) % 5,
                        days=70 if how == "drip" else 14,
                        theme=next(themes) if how == "niche" else "",
                    )
                )
    if rows >= 50_000:
        found += [LookAlike(40, 10 * i, 5, task) for i, task in enumerate(("river", "mill"))]
    else:
        found = [*found[:4], LookAlike(40, 10, 5, "river")]
    return found


def _rare() -> list[str]:
    return [topic.name for topic in taxonomy().topics if topic.kind == "rare"]


def write_tables(directory: RunDirectory, rows: int, seed: int, planted: bool) -> dict:
    """The tables of a run that coordination reads, with true topics for clusters."""
    truth: dict[str, tuple[str, str]] = {}

    def note(fact) -> None:
        if fact.kind in ("ring", "look-alike"):
            name = fact.detail.get("name", fact.kind)
            if fact.detail.get("acting", True):
                truth[fact.user_id] = (fact.kind, name)

    topics: dict[str, int] = {}
    domains: dict[str, int] = {}
    ids, texts, languages, parent = [], [], [], []
    shard: list[tuple] = []
    number = 0

    def flush() -> None:
        nonlocal number
        columns = zip(*shard, strict=True)
        table = pa.Table.from_arrays(
            [pa.array(c, t) for c, t in zip(columns, CONVERSATIONS.types, strict=True)],
            schema=CONVERSATIONS,
        )
        folder = conversations_folder(directory)
        files.write_table(folder / files.part_name(number, ".parquet"), table)
        number += 1
        shard.clear()

    made = generate(rows, seed=seed, plants=plants(rows) if planted else [], truth=note)
    for conversation in made:
        labels = conversation.labels
        if "topic" not in labels or not conversation.requester_turns():
            continue
        topic, domain = str(labels["topic"]), str(labels["domain"])
        if topic not in topics:
            topics[topic] = len(topics)
            parent.append(domains.setdefault(domain, len(domains)))
        ids.append(conversation.conversation_id)
        texts.append(topics[topic])
        languages.append(str(labels["language"]))
        said = [{"role": m.role.value, "content": m.content} for m in conversation.messages]
        shard.append(
            (
                conversation.conversation_id,
                conversation.user_id,
                conversation.created_at,
                said,
                orjson.dumps(dict(labels)).decode(),
            )
        )
        if len(shard) == 20_000:
            flush()
    if shard:
        flush()
    table = pa.table({"conversation_id": ids, "text": np.array(texts), "language": languages})
    files.write_table(members_file(directory, FACET), table)
    files.write_array(text_leaves_file(directory, FACET), np.arange(len(topics), dtype=np.int32))
    return {"truth": truth, "parents": [np.array(parent, np.int32)]}


def scored(found: set[str], truth: dict[str, tuple[str, str]]) -> dict[str, object]:
    """Recall by ring, and precision over all accounts found."""
    rings = {a: name for a, (kind, name) in truth.items() if kind == "ring"}
    sizes, hits = Counter(rings.values()), Counter(rings[a] for a in found if a in rings)
    alike = {a for a, (kind, _) in truth.items() if kind == "look-alike"}
    right = sum(hits.values())
    return {
        "recall": {name: round(hits[name] / size, 3) for name, size in sorted(sizes.items())},
        "recall_all": round(right / max(1, sum(sizes.values())), 3),
        "precision": round(right / len(found), 3) if found else None,
        "look_alike_accounts": len(found & alike),
        "other_accounts": len(found) - right - len(found & alike),
    }


def described(lead: Lead, names: list[str], truth: dict[str, tuple[str, str]]) -> dict:
    """A lead with what was planted in it."""
    planted = Counter(truth.get(names[a], ("", "other"))[1] for a in lead.group.accounts)
    fit = f"{lead.explanation} ({lead.fit})"
    parts = {name: round(value, 2) for name, value in lead.parts.as_dict().items()}
    return {
        "network": lead.is_network,
        "planted": planted,
        "evidence": lead.evidence,
        "score": round(lead.group.score, 1),
        "may also be": fit,
        **parts,
    }


def by_text(rows, text: np.ndarray, names: list[str]) -> set[str]:
    """Accounts that share a text with at least two others."""
    known = text >= 0
    pairs = np.unique(text[known] * rows.accounts + rows.account[known])
    what, who = pairs // rows.accounts, pairs % rows.accounts
    first = np.searchsorted(what, what)
    together = components(who[first], who, rows.accounts)
    return {names[a] for group in members(together, 3) for a in group}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--nulls", type=int, default=50)
    parser.add_argument("--permuted", type=int, default=0, help="repetitions without any ring")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = RunDirectory(Path(folder) / "run")
        directory.create()
        made = write_tables(directory, args.rows, args.seed, planted=not args.permuted)
        began = time.perf_counter()
        actions = Actions(directory, FACET, labels=(), sources=(), seed=1, progress=NoProgress())
        gathered = time.perf_counter() - began
        rows, names = actions.rows, actions.accounts.to_pylist()
        if args.permuted:
            permuted(rows, made["parents"], args)
            return
        began = time.perf_counter()
        found = find_groups(rows, made["parents"], nulls=args.nulls, seed=1)
        leads = explain(rows, found.groups)
        searched = time.perf_counter() - began
    networks = {names[a] for x in leads if x.is_network for a in x.group.accounts}
    apart = {names[a] for x in leads if not x.is_network for a in x.group.accounts}
    report = {
        "rows": len(rows),
        "accounts": rows.accounts,
        "seconds": {"gather": round(gathered, 1), "search": round(searched, 1)},
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6),
        "thresholds": {m: round(v, 2) for m, v in found.thresholds.items()},
        "inflation": round(found.inflation, 3),
        "networks": sum(x.is_network for x in leads),
        "shared_sources": sum(not x.is_network for x in leads),
        "leads": [described(lead, names, made["truth"]) for lead in leads],
        "clio": scored(networks, made["truth"]),
        "set apart": scored(apart, made["truth"]),
        "exact duplicates": scored(by_text(rows, rows.wording, names), made["truth"]),
        "text similarity": scored(by_text(rows, rows.text, names), made["truth"]),
    }
    print(json.dumps(report, indent=1))


def permuted(rows, parents, args) -> None:
    """How many of the repetitions hold any group, with accounts exchanged among all rows."""
    with_groups, with_networks = 0, 0
    for at in range(args.permuted):
        mixed = np.random.default_rng([9, at]).permutation(rows.account)
        other = replace(rows, account=mixed)
        found = find_groups(other, parents, nulls=args.nulls, seed=at)
        with_groups += bool(found.groups)
        with_networks += any(lead.is_network for lead in explain(other, found.groups))
    print(json.dumps({"runs": args.permuted, "groups": with_groups, "networks": with_networks}))


if __name__ == "__main__":
    main()
