"""Alerts of a release, and what changed at a date: all of it from released numbers alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, hypot, inf, isfinite, log
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from clio.errors import ReleaseError
from clio.release.read import Release
from clio.release.schema import ROOT_ID
from clio.server import tables
from clio.server.trends import pooled, totals_of

PERIODS: Final = 4
"""Whole periods on each side of a date, unless asked otherwise."""

_ROWS: Final = 60
_SHARES: Final = 0.5
"""A side of which more periods than this are withheld is not compared."""


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
    api = APIRouter()

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
        answer = event_response(release, query.date, query.facet, query.periods)
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
class _Share:
    value: float
    low: float
    high: float


_Rows = Sequence[Mapping[str, Any]]


def event_response(
    release: Release, day: date, facet: str | None, periods: int = PERIODS
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
    granularity = release.info.granularity
    if granularity is None:
        raise ReleaseError("the release has no trends: its conversations bear no dates")
    root = release.cluster(facet=facet)
    totals = totals_of(release, root.facet)
    every = list(totals)
    at = sum(_last_day(period, granularity) < day for period in every)
    start = next((i for i, period in enumerate(every) if period >= day), len(every))
    if at == 0 or start == len(every):
        raise ReleaseError(
            f"{day} has no released {granularity} before it or none after it; the trends go from "
            f"{every[0]} to {_last_day(every[-1], granularity)}"
            if every
            else "no period of the release is released"
        )
    before, after = every[max(0, at - periods) : at], every[start : start + periods]
    found, others = [], _other_dates(len(every), at, periods)
    for cluster in release.walk(facet=root.facet):
        rows = {
            row["period"]: row
            for row in release.rows("trends", cluster.cluster_id, facet=root.facet)
        }
        moved = _ratio(rows, before, after, totals)
        if cluster.cluster_id == ROOT_ID or moved is None:
            continue
        found.append(_moved(cluster.cluster_id, cluster.title, cluster.level, *moved))
    found.sort(key=lambda m: (not m.sure, -_nearest(m), m.cluster_id))
    return EventResponse(
        facet=root.facet,
        date=day,
        granularity=granularity,
        before=Side(first=before[0], last=_last_day(before[-1], granularity)),
        after=Side(first=after[0], last=_last_day(after[-1], granularity)),
        other_dates=len(others),
        compared=len(found),
        sure=sum(moved.sure for moved in found),
        rows=[_held(release, root.facet, m, every, others, totals, periods) for m in found[:_ROWS]],
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


def _other_dates(periods: int, at: int, window: int) -> list[int]:
    """Beginnings of periods at which both sides are whole and none reaches over the date."""
    return [i for i in range(window, periods - window + 1) if abs(i - at) >= window]


def _ratio(
    rows: Mapping[date, Mapping[str, Any]],
    before: Sequence[date],
    after: Sequence[date],
    totals: dict[date, int],
) -> tuple[_Share, _Share] | None:
    """Shares of both sides, or `None` where too little of one is released."""
    sides = []
    for periods in (before, after):
        known = [dict(rows[period]) for period in periods if period in rows]
        if len(known) < _SHARES * len(periods) or not known:
            return None
        sides.append(_Share(*pooled(known, totals)))
    return sides[0], sides[1]


def _moved(cluster_id: str, title: str, level: int, first: _Share, last: _Share) -> Moved:
    ratio = last.value / first.value
    down = hypot(_log(last.value, last.low), _log(first.high, first.value))
    up = hypot(_log(last.high, last.value), _log(first.value, first.low))
    high = ratio * exp(up) if isfinite(up) else None
    return Moved(
        cluster_id=cluster_id,
        title=title,
        level=level,
        before=first.value,
        before_low=first.low,
        before_high=first.high,
        after=last.value,
        after_low=last.low,
        after_high=last.high,
        ratio=ratio,
        ratio_low=ratio * exp(-down),
        ratio_high=high,
        sure=last.low > first.high or first.low > last.high,
        others=None,
    )


def _log(upper: float, lower: float) -> float:
    return log(upper / lower) if lower > 0 else inf


def _nearest(moved: Moved) -> float:
    """How far the ratio is from 1 at least, as its interval has it; in logarithms."""
    low = log(moved.ratio_low) if moved.ratio_low > 0 else -inf
    high = log(moved.ratio_high) if moved.ratio_high else inf
    return max(low, -high)


def _held(
    release: Release,
    facet: str,
    moved: Moved,
    every: Sequence[date],
    others: Sequence[int],
    totals: dict[date, int],
    window: int,
) -> Moved:
    """The change, held against those at other dates."""
    trend = release.rows("trends", moved.cluster_id, facet=facet)
    rows = {row["period"]: row for row in trend}
    counted: dict[bool, int] = defaultdict(int)
    for i in others:
        sides = _ratio(rows, every[i - window : i], every[i : i + window], totals)
        if sides is not None:
            other = abs(log(sides[1].value / sides[0].value))
            counted[other >= abs(log(moved.ratio))] += 1
    dates = counted[True] + counted[False]
    return moved.model_copy(update={"others": counted[True] / dates if dates else None})
