"""What a static site has to answer: the requests of the explorer, each with the API's answer.

A new endpoint of the explorer needs one function here, and its line in `ENDPOINTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from pydantic import BaseModel

from clio.release.read import Release
from clio.server import crossing, mapping, monitoring, tables, trends, views

_PAGE: Final = 50
"""Rows that the explorer's table of a facet by clusters asks for at once (``HeatMap.tsx``)."""

_MOST_ROWS: Final = 500
"""Rows of that table that a site holds, the largest clusters of a level."""

_CLUSTERS: Final = 10_000
"""Clusters that the explorer's search takes at once (``api.ts``)."""

_VALUES: Final = 20
"""Values of a dimension that the map and the tree of a site can be coloured by, the largest."""

_SURPRISES: Final = 6
_AT_ONCE: Final = 200
"""Clusters whose series are made together."""


@dataclass(frozen=True)
class Answer:
    """One answer of the API.

    Attributes
    ----------
    path
        After ``/api/v1/``, its parts quoted as the explorer does.
    content
        The answer.
    parameters
        Of the query, those that are given; `facet` always where the endpoint has it.
    """

    path: str
    content: BaseModel
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Which parts of the site it is kept in: a list is not kept with the many that it lists."""
        first, slash, _ = self.path.partition("/")
        return f"{first}-each" if slash else first

    @property
    def key(self) -> str:
        """What it is found by, as ``web/src/data/copy.ts`` makes it."""
        return "?".join([self.path, *sorted(f"{k}={v}" for k, v in self.parameters.items())])


Answers = Iterator[Answer]


def _quoted(part: str) -> str:
    return quote(part, safe="!'()*-._~")


def _release(release: Release) -> Answers:
    yield Answer("release", views.release_response(release))


def _tables(release: Release) -> Answers:
    yield Answer("tables", tables.tables_response(release))


def _tree(release: Release) -> Answers:
    for facet in release.facets:
        yield Answer("tree", views.tree_response(release, facet), {"facet": facet})


def _clusters(release: Release) -> Answers:
    """Without their trends, which `_trends` has already."""
    for facet in release.facets:
        for cluster in release.walk(facet=facet):
            answer = views.cluster_response(release, cluster.cluster_id, facet)
            bare = answer.model_copy(update={"trend": None})
            yield Answer(f"clusters/{_quoted(cluster.cluster_id)}", bare, {"facet": facet})


def _all_clusters(release: Release) -> Answers:
    """Page by page, as the explorer's search takes them."""
    for facet in release.facets:
        total = 1
        offset = 0
        while offset < total:
            page = views.clusters_response(
                release, facet, parent=None, level=None, offset=offset, limit=_CLUSTERS
            )
            yield Answer("clusters", page, {"facet": facet, "offset": offset, "limit": _CLUSTERS})
            total, offset = page.total, offset + _CLUSTERS


def _trends(release: Release) -> Answers:
    """Series one by one, as released: the site puts those together that are picked."""
    own = release.info.granularity
    if own is None:
        return
    for facet in release.facets:
        ids = [cluster.cluster_id for cluster in release.walk(facet=facet)]
        for start in range(0, len(ids), _AT_ONCE):
            some = trends.trends_response(release, ids[start : start + _AT_ONCE], facet, own)
            for one in some.series:
                alone = some.model_copy(update={"series": [one]})
                yield Answer("trends", alone, {"facet": facet, "cluster": one.cluster_id})


def _dimensions(release: Release) -> Answers:
    for facet in release.facets:
        yield Answer("dimensions", crossing.dimensions_response(release, facet), {"facet": facet})


def _dimension(release: Release) -> Answers:
    for facet in release.facets:
        sizes = next(f.clusters for f in release.info.facets if f.name == facet)
        for one in crossing.dimensions_response(release, facet).dimensions:
            for level, size in enumerate(sizes):
                for offset in range(0, max(1, min(size, _MOST_ROWS)), _PAGE):
                    page = crossing.dimension_response(
                        release,
                        one.dimension,
                        facet,
                        parent=None,
                        level=level,
                        offset=offset,
                        limit=_PAGE,
                    )
                    asked = {"facet": facet, "level": level, "offset": offset, "limit": _PAGE}
                    yield Answer(f"dimensions/{_quoted(one.dimension)}", page, asked)


def _surprises(release: Release) -> Answers:
    for facet in release.facets:
        found = crossing.surprises_response(release, facet, _SURPRISES)
        yield Answer("surprises", found, {"facet": facet})


def _map(release: Release) -> Answers:
    for facet in release.facets:
        yield Answer("map", mapping.map_response(release, facet), {"facet": facet})


def _shares(release: Release) -> Answers:
    """A value's share in each cluster, for the values that most clusters are told apart by."""
    for facet in release.facets:
        for one in crossing.dimensions_response(release, facet).dimensions:
            for value in one.values[:_VALUES]:
                shares = mapping.shares_response(release, one.dimension, value.value, facet)
                asked = {"facet": facet, "dimension": one.dimension, "value": value.value}
                yield Answer("shares", shares, asked)


def _alerts(release: Release) -> Answers:
    for facet in release.facets:
        yield Answer("alerts", monitoring.alerts_response(release, facet), {"facet": facet})


ENDPOINTS: Final[tuple[Callable[[Release], Answers], ...]] = (
    _release,
    _tree,
    _all_clusters,
    _clusters,
    _trends,
    _dimensions,
    _dimension,
    _surprises,
    _map,
    _shares,
    _alerts,
    _tables,
)
"""The explorer's requests, by endpoint."""
