"""What the API answers about the map and about two slices side by side."""

from __future__ import annotations

from pydantic import BaseModel, Field

from clio.server.models import Number


class MapPlaces(BaseModel):
    """Places of clusters, column by column."""

    id: list[str]
    x: list[Number]
    y: list[Number]


class MapCells(BaseModel):
    """Cells of the grid that may be shown, column by column."""

    x: list[int]
    y: list[int]
    conversations: list[int]


class MapResponse(BaseModel):
    """All clusters of a facet in two dimensions, each from 0 to 1."""

    facet: str
    grid: int = Field(description="cells a side")
    places: MapPlaces
    cells: MapCells


class SharesResponse(BaseModel):
    """What share of each cluster a value of a dimension has, column by column."""

    facet: str
    dimension: str
    value: str
    baseline: Number = Field(description="share in the whole facet")
    id: list[str] = Field(description="clusters in which the value is released")
    share: list[float]
    low: list[float] = Field(description="95 % interval, counting each account once")
    high: list[float]


class CompareSide(BaseModel):
    """One of the two slices."""

    name: str
    conversations: int
    accounts: int | None = Field(description="at least so many; null for periods")


class CompareRow(BaseModel):
    """A cluster in both slices; or, where two clusters are compared, a value of a dimension."""

    cluster_id: str | None
    dimension: str | None
    title: str
    first: Number
    first_low: Number
    first_high: Number
    second: Number
    second_low: Number
    second_high: Number
    difference: Number = Field(description="second less first")
    low: Number = Field(description="95 % interval of the difference")
    high: Number
    sure: bool = Field(description="whether it holds among so many, false discoveries at 5 %")


class CompareResponse(BaseModel):
    """Two slices of a facet side by side, the surest difference first."""

    facet: str
    sides: list[CompareSide]
    rows: list[CompareRow]
    withheld: int = Field(description="what is left out as one side is withheld: too few")
