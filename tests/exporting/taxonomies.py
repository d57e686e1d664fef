"""Small taxonomies for tests, made from parents and levels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from hypothesis import strategies as st

from clio.exporting.given import Given, Node
from clio.release.read import Cluster
from clio.release.schema import ROOT_ID, SCHEMA_VERSION, ReleaseInfo, Totals
from clio.settings import Thresholds


def cluster(name: str, level: int, parent: str | None, count: int = 0) -> Cluster:
    place = (count / 7.0, count / 9.0)
    return Cluster(
        "request", name, level, parent, f"Title {name}", "", count, count, 0.5, 0.1, 0.9, 1, *place
    )


def taxonomy(
    tree: Sequence[Sequence[int]], *, numbers: int = 0, periods: int = 3, top_level: int = 1
) -> Given:
    """Tops with so many leaves each, in groups of one number a top: ``[[2], [0]]``.

    `numbers` are written wherever the release would have one of its own.
    """
    nodes = [Node(cluster(ROOT_ID, -1, None, numbers), -1, 0)]
    for t, (leaves,) in enumerate(tree):
        above = len(nodes)
        nodes.append(Node(cluster(f"t{t}", top_level, ROOT_ID, numbers + t), 0, 1))
        nodes += [
            Node(cluster(f"l{t}-{i}", 0, f"t{t}", numbers + i), above, 2) for i in range(leaves)
        ]
    inner = sorted({node.parent for node in nodes[1:]} | {0})
    nodes += [Node(None, i, nodes[i].depth + 1) for i in inner]
    days = tuple(date(2025, 1, 6) + timedelta(weeks=w) for w in range(periods))
    return Given("request", tuple(nodes), {"language": ("de", "en")}, days, "week")


def trees() -> st.SearchStrategy[list[list[int]]]:
    return st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=1), max_size=5)


INFO = ReleaseInfo(
    schema_version=SCHEMA_VERSION,
    number=3,
    clio_version="0",
    preset="default",
    thresholds=Thresholds().model_dump(mode="json"),
    account_basis="ids",
    publishable=True,
    totals=Totals(conversations=123_457, accounts=4_321),
    outcomes={"assigned": 123_457, "skipped": 7},
    facets=[],
    granularity="week",
    analyst="extractive",
    embedder="static",
    seed=5,
    notes=["A note of the release."],
)
