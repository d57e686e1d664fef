"""What the API answers: one model for each response."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from math import floor, log10
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, PlainSerializer

from clio.release.read import Cluster
from clio.release.schema import ReleaseInfo

Granularity = Literal["day", "week", "month", "quarter", "year"]
"""How long the periods of a trend are."""


def _short(value: float) -> float:
    return float(f"{value:.5g}")


Number = Annotated[float, PlainSerializer(_short, return_type=float, when_used="json")]
"""A measured number. JSON gives five digits of it, finer than any interval; CSV gives all."""


def settled(share: float, low: float, high: float) -> tuple[float, float, float]:
    """A share and its interval, to a hundredth of the interval's width or finer.

    What lies beyond says nothing, and in thousands of series takes most of the room. Fields that
    hold what this gives are plain `float`.
    """
    width = high - low
    if width <= 0.0:
        return share, low, high
    digits = 2 - floor(log10(width))
    return round(share, digits), round(low, digits), round(high, digits)


class ErrorBody(BaseModel):
    """What went wrong: a stable code for programs, one line for people."""

    code: str
    message: str


class ErrorResponse(BaseModel):
    """The one shape of every error."""

    error: ErrorBody


class Withheld(BaseModel):
    """How much of a table was withheld by a rule; never what."""

    facet: str
    table: str
    level: int | None = None
    reason: str
    cells: int
    conversations: int | None = None


class ReleaseResponse(BaseModel):
    """What the corpus is and how it was made."""

    info: ReleaseInfo
    withheld: list[Withheld]


class ClusterRow(BaseModel):
    """A cluster without its details. The root's children have the root as `parent_id`."""

    facet: str
    cluster_id: str
    level: int
    parent_id: str | None
    title: str
    summary: str
    conversations: int
    accounts: int = Field(description="at least so many; rounded down, does not add up")
    share: Number
    share_low: Number
    share_high: Number
    other_conversations: int
    x: float | None
    y: float | None

    @classmethod
    def of(cls, cluster: Cluster) -> Self:
        """Model of a cluster of a release."""
        return cls(**asdict(cluster))


class ClustersResponse(BaseModel):
    """A page of clusters."""

    total: int = Field(description="number of clusters on all pages")
    offset: int
    clusters: list[ClusterRow]


class Change(BaseModel):
    """The share in the first and in the last third of the period, each with its interval."""

    first: Number
    first_low: Number
    first_high: Number
    last: Number
    last_low: Number
    last_high: Number
    sure: bool = Field(description="whether the two intervals do not overlap")


class TreeNode(BaseModel):
    """A cluster in the compact tree."""

    id: str
    parent: str | None
    level: int
    title: str
    conversations: int
    share: Number
    low: Number
    high: Number
    measures: dict[str, Number] = Field(description="mean of each measure that is released")
    change: Change | None = Field(description="null where the trend tells too little")


class TreeResponse(BaseModel):
    """All clusters of a facet, each before its children, siblings the largest first."""

    facet: str
    nodes: list[TreeNode]


class PathStep(BaseModel):
    """One step of the way from the root to a cluster."""

    cluster_id: str
    title: str


class BreakdownCell(BaseModel):
    """One value of a dimension, in the cluster and in the whole facet."""

    value: str
    conversations: int
    accounts: int
    share: Number
    baseline: Number | None = Field(description="share in the whole facet; null if not released")


class Breakdown(BaseModel):
    """A cluster by the values of one dimension, the most frequent first."""

    dimension: str
    cells: list[BreakdownCell]
    not_shown: int = Field(description="conversations in no released cell")


class Measure(BaseModel):
    """The mean of a measure, in the cluster and in the whole facet."""

    measure: str
    mean: Number
    low: Number
    high: Number
    conversations: int
    baseline: Number | None = Field(description="mean of the whole facet; null if not released")


class TrendPoint(BaseModel):
    """One period of a cluster's trend."""

    period: date
    conversations: int
    accounts: int
    share: float
    share_low: float
    share_high: float


class SeriesPoint(BaseModel):
    """One period of a series, summed over the periods of the release within it."""

    period: date
    conversations: int
    accounts: int = Field(description="at least so many: the most of any one part")
    share: float = Field(description="over the parts that are released")
    share_low: float
    share_high: float
    parts: int = Field(description="periods of the release within, as the whole facet has them")
    withheld: int = Field(description="of these, how many are withheld: too few")


class Series(BaseModel):
    """One cluster of several over time."""

    cluster_id: str
    title: str
    points: list[SeriesPoint]


class TrendsResponse(BaseModel):
    """Several clusters of a facet over time, all over the same periods."""

    facet: str
    granularity: Granularity
    available: list[Granularity] = Field(description="the release's own and coarser ones")
    periods: list[date]
    totals: list[int] = Field(description="conversations of the whole facet in each period")
    series: list[Series]


class Trend(BaseModel):
    """A cluster over time. A period without a point was withheld: too few."""

    granularity: Literal["day", "week", "month"]
    periods: list[date] = Field(description="all periods in which anything is released")
    points: list[TrendPoint]


class ClusterResponse(BaseModel):
    """Everything the release says about one cluster."""

    cluster: ClusterRow
    path: list[PathStep] = Field(description="from the root to the cluster, both included")
    children: list[ClusterRow] = Field(description="the largest first")
    breakdowns: list[Breakdown]
    numeric: list[Measure]
    trend: Trend | None = Field(description="null where conversations bear no date")


class SearchResponse(BaseModel):
    """Clusters that match, the best first."""

    query: str
    total: int
    hits: list[SearchHit]


class SearchHit(BaseModel):
    """A cluster that matches, and the way to it."""

    cluster: ClusterRow
    path: list[PathStep]


class DimensionValue(BaseModel):
    """A value of a dimension in the whole facet."""

    value: str
    conversations: int
    accounts: int
    share: Number


class Dimension(BaseModel):
    """What clusters are broken down by, with its distribution in the whole facet."""

    dimension: str
    values: list[DimensionValue] = Field(description="the most frequent first")
    not_shown: int = Field(description="conversations in no released value")


class DimensionsResponse(BaseModel):
    """All dimensions by which a facet's clusters are broken down."""

    facet: str
    conversations: int
    dimensions: list[Dimension]


class CrossCell(BaseModel):
    """A value within a cluster, against its base rate."""

    conversations: int
    share: float
    low: float = Field(description="95 % interval, counting each account once")
    high: float
    ratio: Number | None = Field(description="share over base rate; null if that is not released")
    sure: bool = Field(description="whether the base rate lies outside the interval")


class CrossRow(BaseModel):
    """A cluster by the values of a dimension. Null: withheld, too few."""

    cluster_id: str
    title: str
    conversations: int
    cells: list[CrossCell | None] = Field(description="as `values` of the answer are ordered")


class DimensionResponse(BaseModel):
    """A dimension across clusters."""

    facet: str
    dimension: str
    values: list[str]
    baseline: list[Number | None] = Field(description="share of each value in the whole facet")
    total: int = Field(description="number of clusters on all pages")
    offset: int
    clusters: list[CrossRow]


class Surprise(BaseModel):
    """A small cluster in which a value is surely much more frequent than elsewhere."""

    cluster: ClusterRow
    dimension: str
    value: str
    share: Number
    low: Number
    high: Number
    baseline: Number


class SurprisesResponse(BaseModel):
    """Small and surprising clusters, the surest first."""

    facet: str
    surprises: list[Surprise]


class TableInfo(BaseModel):
    """A table of the release."""

    name: str
    description: str
    rows: int
    columns: dict[str, str] = Field(description="meaning by name")


class TablesResponse(BaseModel):
    """All tables of the release."""

    tables: list[TableInfo]


class TableResponse(BaseModel):
    """A page of a table, exactly as released."""

    name: str
    total: int = Field(description="number of rows on all pages")
    offset: int
    rows: list[dict[str, Any]]
