"""What the API answers: one model for each response."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, Field

from clio.release.read import Cluster
from clio.release.schema import ReleaseInfo


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
    share: float
    share_low: float
    share_high: float
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


class TreeNode(BaseModel):
    """A cluster in the compact tree."""

    id: str
    parent: str | None
    level: int
    title: str
    conversations: int
    share: float
    low: float
    high: float


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
    share: float
    baseline: float | None = Field(description="share in the whole facet; null if not released")


class Breakdown(BaseModel):
    """A cluster by the values of one dimension, the most frequent first."""

    dimension: str
    cells: list[BreakdownCell]
    not_shown: int = Field(description="conversations in no released cell")


class Measure(BaseModel):
    """The mean of a measure, in the cluster and in the whole facet."""

    measure: str
    mean: float
    low: float
    high: float
    conversations: int
    baseline: float | None = Field(description="mean of the whole facet; null if not released")


class TrendPoint(BaseModel):
    """One period of a cluster's trend."""

    period: date
    conversations: int
    accounts: int
    share: float
    share_low: float
    share_high: float


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
