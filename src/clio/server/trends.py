"""Clusters over time: coarser periods that add up, and changes that are sure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from clio.errors import ReleaseError
from clio.release.read import Release
from clio.release.schema import ROOT_ID
from clio.server.models import Change, Granularity, Series, SeriesPoint, TrendsResponse, settled

MAX_SERIES: Final = 8
"""So many lines can be told apart in one chart."""

_ORDER: Final[tuple[Granularity, ...]] = ("day", "week", "month", "quarter", "year")
_Row = dict[str, Any]


def trends_response(
    release: Release, clusters: Sequence[str], facet: str | None, granularity: Granularity | None
) -> TrendsResponse:
    """Up to eight clusters over time, at the release's granularity or a coarser one.

    A period belongs to the coarser one in which it begins, so conversations add up. Shares are
    taken over the parts that are released; as withheld parts are small ones, the share of a
    period with withheld parts rather errs upwards. Intervals of coarser periods take the parts
    as independent.

    Raises
    ------
    ReleaseError
        No such cluster or facet, or the release cannot show this granularity.
    """
    own = release.info.granularity
    if own is None:
        raise ReleaseError("the release has no trends: its conversations bear no dates")
    available = coarser(own)
    chosen = granularity or own
    if chosen not in available:
        raise ReleaseError(f"the release has trends by {own} and coarser, not by {chosen}")
    root = release.cluster(facet=facet)
    totals = totals_of(release, root.facet)
    grouped: defaultdict[date, list[date]] = defaultdict(list)
    for period in totals:
        grouped[_start(period, chosen)].append(period)
    series = []
    for cluster_id in clusters:
        cluster = release.cluster(cluster_id, facet=root.facet)
        rows = {row["period"]: row for row in release.rows("trends", cluster_id, facet=root.facet)}
        points = [
            _sum(start, [rows[p] for p in parts if p in rows], totals, len(parts))
            for start, parts in grouped.items()
            if any(p in rows for p in parts)
        ]
        series.append(Series(cluster_id=cluster_id, title=cluster.title, points=points))
    return TrendsResponse(
        facet=root.facet,
        granularity=chosen,
        available=available,
        periods=list(grouped),
        totals=[sum(totals[p] for p in parts) for parts in grouped.values()],
        series=series,
    )


def coarser(own: Granularity) -> list[Granularity]:
    """The granularities that a release can show: its own and those that hold whole periods."""
    return list(_ORDER[_ORDER.index(own) :])


def changes(release: Release, facet: str) -> dict[str, Change]:
    """Of each cluster, the share in the first third of the periods against that in the last.

    A cluster is left out where either third has more withheld periods than released ones.
    Withheld periods are small ones, so what they lack makes a change look smaller, never larger.
    A change is sure where the two intervals (as of `trends_response`) do not overlap: a test far
    stricter than one of 95 %, which leaves room for accounts that return and for many clusters.
    """
    periods = len(totals_of(release, facet))
    third = periods // 3
    if third == 0:
        return {}
    at = np.arange(periods)
    ids, (first, last) = pool(release, facet, [at < third, at >= periods - third])
    return {
        ids[i]: Change(
            first=float(first.share[i]),
            first_low=float(first.low[i]),
            first_high=float(first.high[i]),
            last=float(last.share[i]),
            last_low=float(last.low[i]),
            last_high=float(last.high[i]),
            sure=bool(last.low[i] > first.high[i] or first.low[i] > last.high[i]),
        )
        for i in np.flatnonzero(first.enough & last.enough).tolist()
        if ids[i] != ROOT_ID
    }


@dataclass(frozen=True)
class Pooled:
    """Shares of many clusters over one part of the time, each with its interval.

    Attributes
    ----------
    share, low, high
        (n,) float64.
    enough
        (n,) bool: at least half of the part's periods are released.
    """

    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    enough: NDArray[np.bool_]


def pool(
    release: Release, facet: str, parts: Sequence[NDArray[np.bool_]]
) -> tuple[list[str], list[Pooled]]:
    """Shares of all clusters of a facet over parts of the time, as `trends_response` has them.

    Parameters
    ----------
    release, facet
        Whose clusters.
    parts
        Each (p,) bool: which of the periods of `totals_of` belong to it.

    Returns
    -------
    ids : list of str
        The n clusters with a trend.
    pooled : list of Pooled
        One a part, in the order of `ids`.
    """
    totals = totals_of(release, facet)
    table = release.trends.filter(pc.equal(release.trends["facet"], facet))
    codes = table["cluster_id"].combine_chunks().dictionary_encode()
    of, ids = codes.indices.to_numpy(), codes.dictionary.to_pylist()
    if not totals or not ids:
        nothing = np.zeros(len(ids))
        return ids, [Pooled(nothing, nothing, nothing, nothing > 0) for _ in parts]
    periods = np.array(list(totals), dtype="datetime64[D]")
    weights = np.array(list(totals.values()), dtype=np.float64)
    days = table["period"].to_numpy().astype("datetime64[D]")
    at = np.clip(np.searchsorted(periods, days), 0, len(periods) - 1)
    known = periods[at] == days  # a period that is withheld for the whole facet has no weight
    share, low, high = (table[c].to_numpy() for c in ("share", "share_low", "share_high"))
    pooled = []
    for part in parts:
        chosen = known & part[at]
        weight = weights[at] * chosen
        whole = np.bincount(of, weight, len(ids))
        released = np.bincount(of, chosen, len(ids))
        weight /= np.where(whole > 0, whole, 1.0)[of]
        middle = np.bincount(of, weight * share, len(ids)).astype(np.float64)
        below = np.sqrt(np.bincount(of, (weight * (share - low)) ** 2, len(ids)))
        above = np.sqrt(np.bincount(of, (weight * (high - share)) ** 2, len(ids)))
        pooled.append(
            Pooled(
                share=middle,
                low=np.maximum(0.0, middle - below),
                high=np.minimum(1.0, middle + above),
                enough=(2 * released >= part.sum()) & (whole > 0),
            )
        )
    return ids, pooled


def totals_of(release: Release, facet: str) -> dict[date, int]:
    """Conversations of the whole facet in each period that is released, in order."""
    rows = release.rows("trends", ROOT_ID, facet=facet)
    return {row["period"]: row["conversations"] for row in sorted(rows, key=_period)}


def _period(row: _Row) -> date:
    period: date = row["period"]
    return period


def _sum(start: date, rows: list[_Row], totals: dict[date, int], parts: int) -> SeriesPoint:
    share, low, high = settled(*pooled(rows, totals))
    return SeriesPoint(
        period=start,
        conversations=sum(row["conversations"] for row in rows),
        accounts=max(row["accounts"] for row in rows),
        share=share,
        share_low=low,
        share_high=high,
        parts=parts,
        withheld=parts - len(rows),
    )


def pooled(rows: list[_Row], totals: dict[date, int]) -> tuple[float, float, float]:
    """Share and interval over several periods, which are taken as independent.

    Distances from the share to the ends are added in quadrature. Where the same accounts return
    from period to period, the true interval is somewhat wider.
    """
    weights = [totals.get(row["period"]) or int(row["conversations"]) for row in rows]
    whole = sum(weights) or 1
    parts = [(w / whole, row) for w, row in zip(weights, rows, strict=True)]
    share = sum(w * row["share"] for w, row in parts)
    below = sum((w * (row["share"] - row["share_low"])) ** 2 for w, row in parts)
    above = sum((w * (row["share_high"] - row["share"])) ** 2 for w, row in parts)
    return share, max(0.0, share - sqrt(below)), min(1.0, share + sqrt(above))


def _start(period: date, granularity: Granularity) -> date:
    """First day of the day, week, month, quarter or year that holds a period's first day."""
    match granularity:
        case "day":
            return period
        case "week":
            return period - timedelta(days=period.weekday())
        case "month":
            return period.replace(day=1)
        case "quarter":
            return period.replace(month=period.month - (period.month - 1) % 3, day=1)
        case "year":
            return period.replace(month=1, day=1)
