"""The routes of the API, version 1: every answer depends on the release and the URL alone."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from clio.release.read import Release
from clio.server import comparing, crossing, mapping, tables, trends, views
from clio.server.meaning import Meaning
from clio.server.models import (
    ClusterResponse,
    ClusterRow,
    ClustersResponse,
    CrossCell,
    DimensionResponse,
    DimensionsResponse,
    ErrorResponse,
    Granularity,
    ReleaseResponse,
    SearchResponse,
    SeriesPoint,
    SurprisesResponse,
    TableResponse,
    TablesResponse,
    TreeResponse,
    TrendsResponse,
)
from clio.server.slices import CompareResponse, CompareRow, MapResponse, SharesResponse

PREFIX: Final = "/api/v1"
"""Where the API lies; there is nothing else under ``/api``."""

_TEXT: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/csv": {}}}}
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": {}, "application/vnd.apache.parquet": {}}}
}


class _Parameters(BaseModel):
    """Query parameters; an unknown one is an error rather than ignored."""

    model_config = ConfigDict(extra="forbid")


class _NoParameters(_Parameters):
    pass


class _FacetParameters(_Parameters):
    facet: str | None = Field(None, description="by default the primary facet")


class _PageParameters(_FacetParameters):
    offset: int = Field(0, ge=0)
    limit: int = Field(1000, ge=1, le=10_000)


class _ClustersParameters(_PageParameters):
    parent: str | None = Field(None, description="only children of this cluster")
    level: int | None = Field(None, description="only this level; 0 = leaves, -1 = root")
    format: Literal["json", "csv"] = "json"


class _SearchParameters(_Parameters):
    q: str = Field(max_length=500, description="words that title or summary hold")
    facet: str | None = Field(None, description="by default all")
    limit: int = Field(50, ge=1, le=1000)
    by: Literal["words", "meaning"] = Field(
        "words", description="by meaning nothing is found where the server cannot embed"
    )


class _SharesParameters(_FacetParameters):
    dimension: str
    value: str


class _CompareParameters(_FacetParameters):
    level: int | None = Field(None, ge=0, description="by default the children of the root")
    format: Literal["json", "csv"] = "json"


class _PeriodsParameters(_CompareParameters):
    first_from: date
    first_to: date
    second_from: date
    second_to: date


class _ValuesParameters(_CompareParameters):
    dimension: str
    first: str
    second: str


class _PairParameters(_FacetParameters):
    first: str = Field(description="a cluster; `__root__` for all conversations")
    second: str
    format: Literal["json", "csv"] = "json"


class _TrendsParameters(_FacetParameters):
    cluster: list[str] = Field(
        min_length=1, max_length=trends.MAX_SERIES, description="ids; `__root__` for all"
    )
    granularity: Granularity | None = Field(None, description="by default the release's own")
    format: Literal["json", "csv"] = "json"


class _DimensionParameters(_PageParameters):
    parent: str | None = Field(None, description="children of this cluster, by default the root")
    level: int | None = Field(None, ge=0, description="instead: all clusters of a level")
    limit: int = Field(100, ge=1, le=1000)
    format: Literal["json", "csv"] = "json"


class _SurprisesParameters(_FacetParameters):
    limit: int = Field(6, ge=1, le=50)


class _TableParameters(_PageParameters):
    facet: str | None = Field(None, description="by default all")
    format: Literal["json", "csv", "parquet"] = Field(
        "json", description="CSV and Parquet hold all rows, JSON a page of them"
    )


def router(release: Release, meaning: Meaning | None = None) -> APIRouter:
    """Routes over one release, which is read as a whole so that damage shows at once.

    Parameters
    ----------
    release
        What is answered about.
    meaning
        Searches it by meaning, where the server can.

    Raises
    ------
    ReleaseError
        A table or the tree is damaged.
    """
    views.check(release)
    named = f"clio-release-{release.info.number}"
    # "4XX" also keeps FastAPI from documenting its own shape of validation errors.
    api = APIRouter(prefix=PREFIX, responses={"4XX": {"model": ErrorResponse}})

    @api.get("/release")
    def release_info(_: Annotated[_NoParameters, Query()]) -> ReleaseResponse:
        """What the corpus is, how it was made, and how much was withheld."""
        return views.release_response(release)

    @api.get("/tree")
    def tree(query: Annotated[_FacetParameters, Query()]) -> TreeResponse:
        """All clusters of a facet, compact, with their measures and changes."""
        return views.tree_response(release, query.facet)

    @api.get("/clusters", response_model=ClustersResponse, responses=_TEXT)
    def clusters(query: Annotated[_ClustersParameters, Query()]) -> ClustersResponse | Response:
        """Clusters of a facet, each before its children, siblings the largest first."""
        answer = views.clusters_response(
            release,
            query.facet,
            parent=query.parent,
            level=query.level,
            offset=query.offset,
            limit=query.limit,
        )
        if query.format == "json":
            return answer
        rows = (row.model_dump() for row in answer.clusters)
        return tables.csv_file(list(ClusterRow.model_fields), rows, f"{named}-clusters")

    @api.get("/clusters/{cluster_id}")
    def cluster(cluster_id: str, query: Annotated[_FacetParameters, Query()]) -> ClusterResponse:
        """Everything about one cluster; `__root__` stands for all conversations."""
        return views.cluster_response(release, cluster_id, query.facet)

    @api.get("/search")
    def search(query: Annotated[_SearchParameters, Query()]) -> SearchResponse:
        """Clusters by words of their titles and summaries, or by what their titles mean."""
        if query.by == "words":
            found = release.search(query.q, facet=query.facet)
        else:
            found = meaning.search(query.q, query.facet) if meaning else []
        return views.search_response(release, query.q, found, query.limit)

    @api.get("/trends", response_model=TrendsResponse, responses=_TEXT)
    def trend(query: Annotated[_TrendsParameters, Query()]) -> TrendsResponse | Response:
        """Up to eight clusters over time, by the release's periods or coarser ones."""
        answer = trends.trends_response(release, query.cluster, query.facet, query.granularity)
        if query.format == "json":
            return answer
        rows = (
            {"cluster_id": s.cluster_id, "title": s.title, **p.model_dump()}
            for s in answer.series
            for p in s.points
        )
        columns = ["cluster_id", "title", *SeriesPoint.model_fields]
        return tables.csv_file(columns, rows, f"{named}-trends-by-{answer.granularity}")

    @api.get("/map")
    def places(query: Annotated[_FacetParameters, Query()]) -> MapResponse:
        """Clusters in two dimensions, and how many conversations lie where."""
        return mapping.map_response(release, query.facet)

    @api.get("/shares")
    def shares(query: Annotated[_SharesParameters, Query()]) -> SharesResponse:
        """The share of a dimension's value in every cluster, against its base rate."""
        return mapping.shares_response(release, query.dimension, query.value, query.facet)

    def compared(answer: CompareResponse, kind: str) -> CompareResponse | Response:
        if kind == "json":
            return answer
        rows = (row.model_dump() for row in answer.rows)
        return tables.csv_file(list(CompareRow.model_fields), rows, f"{named}-compared")

    @api.get("/compare/periods", response_model=CompareResponse, responses=_TEXT)
    def compare_periods(
        query: Annotated[_PeriodsParameters, Query()],
    ) -> CompareResponse | Response:
        """Clusters in two periods of time, the surest difference first."""
        first = query.first_from, query.first_to
        second = query.second_from, query.second_to
        answer = comparing.periods(release, first, second, query.level, query.facet)
        return compared(answer, query.format)

    @api.get("/compare/values", response_model=CompareResponse, responses=_TEXT)
    def compare_values(query: Annotated[_ValuesParameters, Query()]) -> CompareResponse | Response:
        """Clusters within two values of a dimension, the surest difference first."""
        answer = comparing.values(
            release, query.dimension, query.first, query.second, query.level, query.facet
        )
        return compared(answer, query.format)

    @api.get("/compare/clusters", response_model=CompareResponse, responses=_TEXT)
    def compare_clusters(query: Annotated[_PairParameters, Query()]) -> CompareResponse | Response:
        """All values of all dimensions in two clusters, the surest difference first."""
        answer = comparing.clusters(release, query.first, query.second, query.facet)
        return compared(answer, query.format)

    @api.get("/dimensions")
    def dimensions(query: Annotated[_FacetParameters, Query()]) -> DimensionsResponse:
        """What clusters are broken down by, and its distribution in the whole facet."""
        return crossing.dimensions_response(release, query.facet)

    @api.get("/dimensions/{dimension:path}", response_model=DimensionResponse, responses=_TEXT)
    def dimension(
        dimension: str, query: Annotated[_DimensionParameters, Query()]
    ) -> DimensionResponse | Response:
        """A dimension across clusters, against its base rate."""
        answer = crossing.dimension_response(
            release,
            dimension,
            query.facet,
            parent=query.parent,
            level=query.level,
            offset=query.offset,
            limit=query.limit,
        )
        if query.format == "json":
            return answer
        rows = [
            {"cluster_id": c.cluster_id, "title": c.title, "value": value, **cell.model_dump()}
            for c in answer.clusters
            for value, cell in zip(answer.values, c.cells, strict=True)
            if cell is not None
        ]
        columns = ["cluster_id", "title", "value", *CrossCell.model_fields]
        return tables.csv_file(columns, rows, f"{named}-by-dimension")

    @api.get("/surprises")
    def surprises(query: Annotated[_SurprisesParameters, Query()]) -> SurprisesResponse:
        """Small clusters in which something is surely more frequent than elsewhere."""
        return crossing.surprises_response(release, query.facet, query.limit)

    @api.get("/tables")
    def all_tables(_: Annotated[_NoParameters, Query()]) -> TablesResponse:
        """The tables of the release, with the meaning of their columns."""
        return tables.tables_response(release)

    @api.get("/tables/{name}", response_model=TableResponse, responses=_FILES)
    def table(name: str, query: Annotated[_TableParameters, Query()]) -> TableResponse | Response:
        """A table of the release as it stands, as pages of JSON or as a file."""
        selected = tables.select(release, name, query.facet)
        if query.format == "csv":
            return tables.csv_file(selected.column_names, selected.to_pylist(), f"{named}-{name}")
        if query.format == "parquet":
            return tables.parquet(selected, f"{named}-{name}")
        return tables.table_response(selected, name, query.offset, query.limit)

    return api
