"""A generated release is one like any other: its sums hold, its cells pass, its bytes repeat."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pytest

import clio
from clio.server import views
from clio.testing.releases import DIMENSIONS, MEASURES, write_large_release


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> clio.Release:
    run = tmp_path_factory.mktemp("large") / "run"
    write_large_release(run, leaves=200, levels=4, periods=20, conversations=200_000)
    return clio.open_release(run)


def test_it_has_what_was_asked_for(release: clio.Release) -> None:
    views.check(release)
    (facet,) = release.info.facets
    assert facet.clusters[0] == 200
    assert len(facet.clusters) == 4
    levels = [c.level for c in release.walk() if not c.is_root]
    assert [levels.count(level) for level in range(4)] == facet.clusters
    assert release.info.totals.conversations == pytest.approx(200_000, rel=0.1)
    assert set(release.breakdowns["dimension"].to_pylist()) == set(DIMENSIONS)
    assert len(DIMENSIONS) == 12
    assert set(release.numeric["measure"].to_pylist()) == set(MEASURES)
    assert len(set(release.trends["period"].to_pylist())) == 20


def test_conversations_add_up(release: clio.Release) -> None:
    for cluster in release.walk():
        children = release.children(cluster.cluster_id)
        if children:
            inside = sum(child.conversations for child in children)
            assert inside + cluster.other_conversations == cluster.conversations
        assert cluster.accounts % 5 == 0
        assert 0 <= cluster.share_low <= cluster.share <= cluster.share_high <= 1
    weeks = release.rows("trends")
    assert sum(row["conversations"] for row in weeks) == release.cluster().conversations
    for dimension in DIMENSIONS:
        cells = [row for row in release.rows("breakdowns") if row["dimension"] == dimension]
        assert sum(row["conversations"] for row in cells) <= release.cluster().conversations


def test_small_cells_are_withheld(release: clio.Release) -> None:
    for name in ("trends", "breakdowns"):
        table = release.table(name)
        assert pc.min(table["conversations"]).as_py() >= 15
        assert pc.min(table["accounts"]).as_py() >= 10
    assert {row["table"] for row in release.withheld.to_pylist()} >= {"trends", "breakdowns"}


def test_titles_tell_siblings_apart(release: clio.Release) -> None:
    for cluster in release.walk():
        titles = [child.title for child in release.children(cluster.cluster_id)]
        assert len(set(titles)) == len(titles)
    assert release.search("dream interpretation")


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    made = [
        write_large_release(tmp_path / name, leaves=30, levels=2, periods=4, seed=seed)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    digests = [clio.open_release(folder).digest for folder in made]
    assert digests[0] == digests[1] != digests[2]
