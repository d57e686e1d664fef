"""A sheet of titles to be read, with what machines can check of them.

    python benchmarks/quality/titles.py RUN [--n 50] [--seed 0] [--members 8]

Prints some of a run's leaf titles, each with its summary and the requests of some of its members,
then every title of the levels above with its children's, and last one JSON line. It shows
conversations: for public or generated data, and for the eyes of who may read the rest.

The checks, over all leaves: three to ten words; well-formed (a capital first, no stop behind, no
word twice in a row, nothing left open as "something"); distinct among siblings; and either made of
a shipped heading, or with two content words (or all, where it has fewer) that half of the members
use (``shared``; ``shared_one``: one word). Titles that say nothing of their cluster are counted
apart.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from clio.describing.acts import ACT_THEMES
from clio.describing.headings import fields_named, heading_of
from clio.describing.lexicon import look_up
from clio.describing.template_words import GRAMMAR_WORDS

FACET = "request"
SHARED = 0.5
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_PLAIN = re.compile(
    r"Requests (?:of many kinds|in other languages|on sensitive|of a mixed)|.*: other"
)
_FREE = frozenset(look_up(word).lemma for word in GRAMMAR_WORDS) | {""}


def words(text: str) -> list[str]:
    """Lower-case words."""
    return _WORD.findall(text.lower())


def members_of(run: Path) -> dict[str, list[str]]:
    """The requests of each leaf's members."""
    columns = ["conversation_id", "facet", "cluster_id"]
    leaf = {
        row["conversation_id"]: row["cluster_id"]
        for row in pq.read_table(
            run / "private" / "assignments.parquet", columns=columns
        ).to_pylist()
        if row["facet"] == FACET and row["cluster_id"] is not None
    }
    found: dict[str, list[str]] = defaultdict(list)
    table = pq.read_table(run / "private" / "facets.parquet", columns=["conversation_id", FACET])
    for row in table.to_pylist():
        if row["conversation_id"] in leaf and row[FACET]:
            found[leaf[row["conversation_id"]]].append(row[FACET])
    return found


def well_formed(title: str) -> bool:
    """Whether a title has the form of one."""
    said = words(title)
    return (
        title[:1] == title[:1].upper()
        and title[-1:] not in ".,;:!?"
        and "something" not in said
        and all(one != other for one, other in pairwise(said))
    )


def lemmas(text: str) -> set[str]:
    """Content words, without their endings."""
    return {look_up(word.removesuffix("'s")).lemma for word in words(text)} - _FREE


def shares(title: str, requests: list[str], least: int = 2) -> bool:
    """Whether half of the members use so many of the title's content words, or all of fewer."""
    content = lemmas(title)
    least = min(least, len(content))
    used = [len(content & lemmas(text)) >= least for text in requests]
    return bool(content) and sum(used) >= SHARED * len(requests)


def check(nodes: list[dict[str, Any]], members: dict[str, list[str]]) -> dict[str, Any]:
    """Shares of the leaves that pass each check."""
    siblings: dict[tuple[int, str | None], list[str]] = defaultdict(list)
    for node in nodes:
        siblings[node["level"], node["parent_id"]].append(node["title"].lower())
    leaves = [node for node in nodes if node["level"] == 0]
    titled = [node for node in leaves if not _PLAIN.match(node["title"])]
    shipped = [node for node in titled if is_shipped(node["title"])]
    total = max(len(titled), 1)
    return {
        "leaves": len(leaves),
        "plain": round(1 - len(titled) / max(len(leaves), 1), 4),
        "shipped": round(len(shipped) / total, 4),
        "length": round(sum(3 <= len(words(n["title"])) <= 10 for n in titled) / total, 4),
        "well_formed": round(sum(well_formed(n["title"]) for n in titled) / total, 4),
        "distinct": round(
            sum(siblings[n["level"], n["parent_id"]].count(n["title"].lower()) == 1 for n in titled)
            / total,
            4,
        ),
        **{
            name: round(
                sum(
                    is_shipped(n["title"]) or shares(n["title"], members[n["cluster_id"]], least)
                    for n in titled
                )
                / total,
                4,
            )
            for name, least in (("shared", 2), ("shared_one", 1))
        },
    }


def is_shipped(title: str) -> bool:
    """Whether a title was made of a shipped heading or field, or names an act."""
    return heading_of(title) is not None or bool(fields_named(title)) or title in ACT_THEMES


def main() -> None:
    """Print the sheet of a run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--n", type=int, default=50, help="titles to show")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--members", type=int, default=8, help="requests to show with each")
    options = parser.parse_args()
    nodes = [
        node
        for node in pq.read_table(options.run / "release" / "clusters.parquet").to_pylist()
        if node["facet"] == FACET and node["level"] >= 0
    ]
    members = members_of(options.run)
    draw = random.Random(options.seed)
    leaves = sorted((n for n in nodes if n["level"] == 0), key=lambda n: str(n["cluster_id"]))
    for node in draw.sample(leaves, min(options.n, len(leaves))):
        print(f"\n{node['title']}\n  {node['summary']}")
        requests = members[node["cluster_id"]]
        for text in draw.sample(requests, min(options.members, len(requests))):
            print(f"    - {' '.join(text.split())[:140]}")
    print()
    for node in sorted(nodes, key=lambda n: (-n["level"], str(n["cluster_id"]))):
        if node["level"] > 0:
            below = [n["title"] for n in nodes if n["parent_id"] == node["cluster_id"]]
            print(f"{node['level']}  {node['title']}  <-  {'; '.join(below)}")
    print(json.dumps({"run": options.run.name, **check(nodes, members)}))


if __name__ == "__main__":
    main()
