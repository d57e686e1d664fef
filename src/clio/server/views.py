"""From a release to the API's answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from clio.release.read import Cluster, Release
from clio.release.schema import ROOT_ID
from clio.server.models import (
    Breakdown,
    BreakdownCell,
    ClusterResponse,
    ClusterRow,
    ClustersResponse,
    Measure,
    PathStep,
    ReleaseResponse,
    SearchHit,
    SearchResponse,
    TreeNode,
    TreeResponse,
    Trend,
    TrendPoint,
    Withheld,
    settled,
)
from clio.server.trends import changes


def check(release: Release) -> None:
    """Read all of a release that the API serves, so that damage shows before the first request.

    Raises
    ------
    ReleaseError
        A table or the tree is damaged.
    """
    for facet in release.facets:
        release.cluster(facet=facet)
        for table in ("breakdowns", "numeric", "trends"):
            release.rows(table, facet=facet)


def release_response(release: Release) -> ReleaseResponse:
    """What the corpus is, and how much was withheld."""
    return ReleaseResponse(
        info=release.info,
        withheld=[Withheld(**row) for row in release.withheld.to_pylist()],
    )


def tree_response(release: Release, facet: str | None) -> TreeResponse:
    """All clusters of a facet, compact."""
    name = release.cluster(facet=facet).facet
    changed = changes(release, name)
    measures: defaultdict[str, dict[str, float]] = defaultdict(dict)
    columns = (release.numeric[c].to_pylist() for c in ("facet", "cluster_id", "measure", "mean"))
    for of, cluster_id, measure, mean in zip(*columns, strict=True):
        if of == name:
            measures[cluster_id][measure] = mean
    nodes = [
        TreeNode(
            id=c.cluster_id,
            parent=c.parent_id,
            level=c.level,
            title=c.title,
            conversations=c.conversations,
            share=c.share,
            low=c.share_low,
            high=c.share_high,
            measures=measures[c.cluster_id],
            change=changed.get(c.cluster_id),
        )
        for c in release.walk(facet=facet)
    ]
    return TreeResponse(facet=name, nodes=nodes)


def clusters_response(
    release: Release,
    facet: str | None,
    *,
    parent: str | None,
    level: int | None,
    offset: int,
    limit: int,
) -> ClustersResponse:
    """One page of the clusters that have this parent and this level, where given."""
    found = release.walk(facet=facet) if parent is None else release.children(parent, facet=facet)
    chosen = [c for c in found if level is None or c.level == level]
    return ClustersResponse(
        total=len(chosen),
        offset=offset,
        clusters=[ClusterRow.of(c) for c in chosen[offset : offset + limit]],
    )


def cluster_response(release: Release, cluster_id: str, facet: str | None) -> ClusterResponse:
    """Everything about one cluster."""
    cluster = release.cluster(cluster_id, facet=facet)
    return ClusterResponse(
        cluster=ClusterRow.of(cluster),
        path=_path(release, cluster),
        children=[
            ClusterRow.of(c) for c in release.children(cluster.cluster_id, facet=cluster.facet)
        ],
        breakdowns=_breakdowns(release, cluster),
        numeric=_numeric(release, cluster),
        trend=_trend(release, cluster),
    )


def search_response(
    release: Release, words: str, hits: Sequence[Cluster], limit: int
) -> SearchResponse:
    """What was found for these words, each with the way to it."""
    return SearchResponse(
        query=words,
        total=len(hits),
        hits=[SearchHit(cluster=ClusterRow.of(c), path=_path(release, c)) for c in hits[:limit]],
    )


def _path(release: Release, cluster: Cluster) -> list[PathStep]:
    way = release.path(cluster.cluster_id, facet=cluster.facet)
    return [PathStep(cluster_id=c.cluster_id, title=c.title) for c in way]


def _rows(release: Release, table: str, cluster: Cluster) -> list[dict[str, Any]]:
    return release.rows(table, cluster.cluster_id, facet=cluster.facet)


def _breakdowns(release: Release, cluster: Cluster) -> list[Breakdown]:
    baseline = {
        (row["dimension"], row["value"]): row["share"]
        for row in release.rows("breakdowns", ROOT_ID, facet=cluster.facet)
    }
    by_dimension: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in _rows(release, "breakdowns", cluster):
        by_dimension[row["dimension"]].append(row)
    return [
        Breakdown(
            dimension=dimension,
            cells=[
                BreakdownCell(
                    value=row["value"],
                    conversations=row["conversations"],
                    accounts=row["accounts"],
                    share=row["share"],
                    baseline=baseline.get((dimension, row["value"])),
                )
                for row in sorted(rows, key=lambda r: (-r["conversations"], r["value"]))
            ],
            not_shown=max(0, cluster.conversations - sum(row["conversations"] for row in rows)),
        )
        for dimension, rows in sorted(by_dimension.items())
    ]


def _numeric(release: Release, cluster: Cluster) -> list[Measure]:
    baseline = {
        row["measure"]: row["mean"] for row in release.rows("numeric", ROOT_ID, facet=cluster.facet)
    }
    return [
        Measure(
            measure=row["measure"],
            mean=row["mean"],
            low=row["low"],
            high=row["high"],
            conversations=row["conversations"],
            baseline=baseline.get(row["measure"]),
        )
        for row in sorted(_rows(release, "numeric", cluster), key=lambda r: str(r["measure"]))
    ]


def _trend(release: Release, cluster: Cluster) -> Trend | None:
    if release.info.granularity is None:
        return None
    root = release.rows("trends", ROOT_ID, facet=cluster.facet)
    rows = sorted(_rows(release, "trends", cluster), key=lambda r: r["period"])
    return Trend(
        granularity=release.info.granularity,
        periods=sorted({row["period"] for row in [*root, *rows]}),
        points=[_point(row) for row in rows],
    )


def _point(row: dict[str, Any]) -> TrendPoint:
    share, low, high = settled(row["share"], row["share_low"], row["share_high"])
    return TrendPoint(
        period=row["period"],
        conversations=row["conversations"],
        accounts=row["accounts"],
        share=share,
        share_low=low,
        share_high=high,
    )
