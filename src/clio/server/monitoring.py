"""Alerts of a release, and what changed at a date: all of it from released numbers alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from math import isfinite
from typing import Annotated, Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from fastapi import APIRouter, Query, Response
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from clio.errors import ReleaseError
from clio.release.read import Cluster, Release
from clio.server import tables
from clio.server.models import ErrorResponse
from clio.server.trends import totals_of

Floats = NDArray[np.float64]

PERIODS: Final = 4
"""Whole periods on each side of a date, unless asked otherwise."""

_ROWS: Final = 60
_RELEASED: Final = 0.5
"""Share of a side's periods that must be released for it to be compared."""


class Alert(BaseModel):
    """A change that passed the gate, with the numbers of its series that tell of it."""

    facet: str
    cluster_id: str
    level: int
    title: str = Field(description="what changed, in a few words")
    cluster_title: str
    kind: str
    since: date
    ratio: float
    ratio_low: float
    ratio_high: float | None = Field(description="null where it is not known")
    q: float
    accounts: int | None = Field(description="at least so many in the last period since then")
    conversations: int | None = Field(description="in the released periods since then")


class AlertsResponse(BaseModel):
    """The surest alerts first."""

    looked: bool = Field(description="false where there are no dates, or too few days of them")
    total: int
    withheld: int = Field(description="changes that did not pass the gate")
    alerts: list[Alert]


class Side(BaseModel):
    """First and last day of one side of a date."""

    first: date
    last: date


class Moved(BaseModel):
    """A cluster's share of conversations before and after a date."""

    cluster_id: str
    title: str
    level: int
    before: float
    before_low: float
    before_high: float
    after: float
    after_low: float
    after_high: float
    ratio: float
    ratio_low: float
    ratio_high: float | None
    sure: bool = Field(description="whether the two intervals do not overlap")
    others: float | None = Field(description="share of other dates at which it moved as far")


class EventResponse(BaseModel):
    """Before and after a date: sure changes first, the larger ones before the smaller."""

    facet: str
    date: date
    granularity: str
    before: Side
    after: Side
    other_dates: int
    compared: int = Field(description="clusters with enough released periods on both sides")
    sure: int
    rows: list[Moved]


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    facet: str | None = Field(None, description="by default the primary facet")
    format: Literal["json", "csv"] = "json"


class _EventParameters(_Parameters):
    date: date
    periods: int = Field(PERIODS, ge=1, le=52, description="on each side")


_TEXT: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/csv": {}}}}


def router(release: Release) -> APIRouter:
    """Routes of alerts and events over one release."""
    named = f"clio-release-{release.info.number}"
    api = APIRouter(responses={"4XX": {"model": ErrorResponse}})

    @cache
    def series(facet: str) -> _Series:
        return _Series.of(release, facet)

    @api.get("/alerts", response_model=AlertsResponse, responses=_TEXT)
    def alerts(query: Annotated[_Parameters, Query()]) -> AlertsResponse | Response:
        """What changed lately, as the look of the run at its private series found it."""
        answer = alerts_response(release, query.facet)
        if query.format == "json":
            return answer
        rows = (row.model_dump() for row in answer.alerts)
        return tables.csv_file(list(Alert.model_fields), rows, f"{named}-alerts")

    @api.get("/event", response_model=EventResponse, responses=_TEXT)
    def event(query: Annotated[_EventParameters, Query()]) -> EventResponse | Response:
        """What changed at a date, by the released periods before it and from it on."""
        facet = release.cluster(facet=query.facet).facet
        answer = event_response(release, series(facet), facet, query.date, query.periods)
        if query.format == "json":
            return answer
        rows = (row.model_dump() for row in answer.rows)
        return tables.csv_file(list(Moved.model_fields), rows, f"{named}-event-{query.date}")

    return api


def alerts_response(release: Release, facet: str | None) -> AlertsResponse:
    """The alerts of one facet, by default of the primary one.

    Raises
    ------
    ReleaseError
        The release does not have this facet.
    """
    name = release.cluster(facet=facet).facet
    rows = [row for row in release.table("alerts").to_pylist() if row["facet"] == name]
    found = [_alert(release, row) for row in rows]
    found.sort(key=lambda a: (a.q, a.cluster_id, a.kind, a.title))
    withheld = sum(
        row["cells"]
        for row in release.withheld.to_pylist()
        if (row["table"], row["facet"]) == ("alerts", name)
    )
    return AlertsResponse(
        looked=release.has("alerts"), total=len(found), withheld=withheld, alerts=found
    )


def _alert(release: Release, row: Mapping[str, Any]) -> Alert:
    cluster = release.cluster(row["cluster_id"], facet=row["facet"])
    points = [
        point
        for point in release.rows("trends", row["cluster_id"], facet=row["facet"])
        if point["period"] >= row["since"]
    ]
    last = max(points, key=lambda point: point["period"], default=None)
    return Alert(
        facet=row["facet"],
        cluster_id=row["cluster_id"],
        level=cluster.level,
        title=row["title"],
        cluster_title=cluster.title,
        kind=row["kind"],
        since=row["since"],
        ratio=row["ratio"],
        ratio_low=row["ratio_low"],
        ratio_high=row["ratio_high"] if isfinite(row["ratio_high"]) else None,
        q=row["q"],
        accounts=None if last is None else last["accounts"],
        conversations=sum(point["conversations"] for point in points) if points else None,
    )


@dataclass(frozen=True)
class _Series:
    """Released shares of a facet's clusters by period; NaN where one is withheld."""

    clusters: list[Cluster]
    periods: list[date]
    weights: Floats
    share: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, release: Release, facet: str) -> _Series:
        totals = totals_of(release, facet)
        clusters = [cluster for cluster in release.walk(facet=facet) if not cluster.is_root]
        table = release.trends.filter(pc.equal(release.trends["facet"], facet))
        row = pc.index_in(table["cluster_id"], pa.array([c.cluster_id for c in clusters]))
        column = pc.index_in(table["period"], pa.array(list(totals), pa.date32()))
        known = pc.and_(row.is_valid(), column.is_valid())
        at = tuple(index.filter(known).to_numpy() for index in (row, column))
        grids = []
        for name in ("share", "share_low", "share_high"):
            grid = np.full((len(clusters), len(totals)), np.nan)
            grid[at] = table[name].filter(known).to_numpy()
            grids.append(grid)
        return cls(clusters, list(totals), np.array(list(totals.values()), dtype=float), *grids)

    def pooled(self, rows: Any, start: int, stop: int) -> tuple[Floats, Floats, Floats]:
        """Share and interval of some clusters over periods; NaN where too few are released."""
        span = slice(start, stop)
        share, low, high = (grid[rows, span] for grid in (self.share, self.low, self.high))
        known = np.isfinite(share)
        weight = np.where(known, self.weights[span], 0.0)
        whole = weight.sum(axis=1)
        enough = (known.sum(axis=1) >= _RELEASED * (stop - start)) & (whole > 0)
        weight /= np.where(whole > 0, whole, 1.0)[:, None]
        middle = np.nansum(weight * share, axis=1)
        below = np.sqrt(np.nansum((weight * (share - low)) ** 2, axis=1))
        above = np.sqrt(np.nansum((weight * (high - share)) ** 2, axis=1))
        bounds = middle, np.maximum(0.0, middle - below), np.minimum(1.0, middle + above)
        ends = tuple(np.where(enough, end, np.nan) for end in bounds)
        return ends[0], ends[1], ends[2]


def event_response(
    release: Release, series: _Series, facet: str, day: date, periods: int = PERIODS
) -> EventResponse:
    """Shares of clusters in the periods before a day and from it on.

    A period that the day cuts through is on neither side. Intervals are as those of
    `clio.server.trends.trends_response`; that of a ratio adds the distances of the logarithms in
    quadrature. The same ratio at all other dates of the history says how far a cluster moves
    without an event; their windows overlap.

    Raises
    ------
    ReleaseError
        There are no trends, or too few periods on one side of the day.
    """
    granularity, every = release.info.granularity, series.periods
    if granularity is None or not every:
        raise ReleaseError("the release has no trends: no dates, or no period that is released")
    at = sum(_last_day(period, granularity) < day for period in every)
    start = next((i for i, period in enumerate(every) if period >= day), len(every))
    if at == 0 or start == len(every):
        raise ReleaseError(
            f"{day} has no released {granularity} before it or none after it; the trends go from "
            f"{every[0]} to {_last_day(every[-1], granularity)}"
        )
    first, stop = max(0, at - periods), min(len(every), start + periods)
    moved = _moved(series.pooled(slice(None), first, at), series.pooled(slice(None), start, stop))
    compared = np.flatnonzero(np.isfinite(moved.ratio) & (moved.ratio > 0))
    # Sure ones first, then by how far the nearer end of the ratio's interval is from 1.
    nearest = np.maximum(np.log(moved.low[compared]), -np.log(moved.high[compared]))
    order = compared[np.lexsort((compared, -nearest, ~moved.sure[compared]))]
    shown = order[:_ROWS]
    # Beginnings of periods at which both sides are whole, and none reaches over the date.
    others = [i for i in range(periods, len(every) - periods + 1) if abs(i - at) >= periods]
    further = _as_far(series, shown, np.abs(np.log(moved.ratio[shown])), others, periods)
    return EventResponse(
        facet=facet,
        date=day,
        granularity=granularity,
        before=Side(first=every[first], last=_last_day(every[at - 1], granularity)),
        after=Side(first=every[start], last=_last_day(every[stop - 1], granularity)),
        other_dates=len(others),
        compared=len(compared),
        sure=int(moved.sure[compared].sum()),
        rows=[
            _row(series.clusters[i], moved, i, far)
            for i, far in zip(shown.tolist(), further.tolist(), strict=True)
        ],
    )


def _last_day(period: date, granularity: str) -> date:
    match granularity:
        case "day":
            return period
        case "week":
            return period + timedelta(days=6)
        case _:
            following = (period.replace(day=1) + timedelta(days=32)).replace(day=1)
            return following - timedelta(days=1)


@dataclass(frozen=True)
class _Ratios:
    before: tuple[Floats, Floats, Floats]
    after: tuple[Floats, Floats, Floats]
    ratio: Floats
    low: Floats
    high: Floats
    sure: NDArray[np.bool_]


def _moved(before: tuple[Floats, Floats, Floats], after: tuple[Floats, Floats, Floats]) -> _Ratios:
    with np.errstate(divide="ignore", invalid="ignore"):
        (first, first_low, first_high), (last, last_low, last_high) = before, after
        ratio = last / first
        down = np.hypot(np.log(last / last_low), np.log(first_high / first))
        up = np.hypot(np.log(last_high / last), np.log(first / first_low))
        sure = (last_low > first_high) | (first_low > last_high)
        return _Ratios(before, after, ratio, ratio * np.exp(-down), ratio * np.exp(up), sure)


def _as_far(
    series: _Series, rows: NDArray[np.intp], moved: Floats, others: Sequence[int], window: int
) -> Floats:
    """Share of the other dates at which clusters moved as far; NaN where none is known."""
    far, known = np.zeros(len(rows)), np.zeros(len(rows))
    for i in others:
        before, after = (
            series.pooled(rows, *span)[0] for span in ((i - window, i), (i, i + window))
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            other = np.abs(np.log(after / before))
        known += ~np.isnan(other)
        far += other >= moved
    return np.where(known > 0, far / np.maximum(known, 1.0), np.nan)


def _row(cluster: Cluster, moved: _Ratios, i: int, far: float) -> Moved:
    before, before_low, before_high = (float(end[i]) for end in moved.before)
    after, after_low, after_high = (float(end[i]) for end in moved.after)
    return Moved(
        cluster_id=cluster.cluster_id,
        title=cluster.title,
        level=cluster.level,
        before=before,
        before_low=before_low,
        before_high=before_high,
        after=after,
        after_low=after_low,
        after_high=after_high,
        ratio=float(moved.ratio[i]),
        ratio_low=float(moved.low[i]),
        ratio_high=float(moved.high[i]) if isfinite(moved.high[i]) else None,
        sure=bool(moved.sure[i]),
        others=far if isfinite(far) else None,
    )
