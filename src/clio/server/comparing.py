"""Two slices of one release side by side, ranked by how sure it is that they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.special import erfc

from clio.errors import ReleaseError
from clio.release.read import Cluster, Release
from clio.release.schema import ROOT_ID
from clio.server.crossing import interval, trials
from clio.server.slices import CompareResponse, CompareRow, CompareSide
from clio.server.trends import pool, totals_of

SURE: Final = 0.05
"""So large a share of the differences that are called sure may be chance in the mean."""

_Z: Final = 1.959964
_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """What is compared, with its share in either slice: middle, lower and upper end."""

    cluster_id: str
    title: str
    first: tuple[float, float, float]
    second: tuple[float, float, float]
    dimension: str | None = None


def periods(
    release: Release,
    first: tuple[date, date],
    second: tuple[date, date],
    level: int | None,
    facet: str | None,
) -> CompareResponse:
    """Clusters in two periods of time, each from a first to a last day.

    A cluster is left out where either side has more withheld periods than released ones.

    Raises
    ------
    ReleaseError
        The release has no dates, or nothing within a period.
    """
    root = release.cluster(facet=facet)
    totals = totals_of(release, root.facet)
    sides, parts = [], []
    for start, end in (first, second):
        inside = [p for p in totals if start <= p <= end]
        if not inside:
            raise ReleaseError("the release shows no period between these days")
        parts.append(np.array([p in inside for p in totals]))
        sides.append(_side(f"{start} to {end}", sum(totals[p] for p in inside), None))
    ids, pooled = pool(release, root.facet, parts)
    index = {one: i for i, one in enumerate(ids)}
    rows, hidden = [], 0
    for cluster in _of_level(release, root.facet, level):
        i = index.get(cluster.cluster_id)
        if i is None or not all(part.enough[i] for part in pooled):
            hidden += 1
            continue
        one, other = ((float(p.share[i]), float(p.low[i]), float(p.high[i])) for p in pooled)
        rows.append(Row(cluster.cluster_id, cluster.title, one, other))
    return _ranked(root.facet, sides, rows, hidden)


def values(
    release: Release, dimension: str, one: str, other: str, level: int | None, facet: str | None
) -> CompareResponse:
    """Clusters among the conversations of one value of a dimension and among those of another.

    Raises
    ------
    ReleaseError
        The whole facet has no such value.
    """
    root = release.cluster(facet=facet)
    table = release.breakdowns
    of_both = table.filter(
        pc.and_(
            pc.equal(table["facet"], root.facet),
            pc.and_(
                pc.equal(table["dimension"], dimension),
                pc.or_(pc.equal(table["value"], one), pc.equal(table["value"], other)),
            ),
        )
    )
    cells = {(row["cluster_id"], row["value"]): row for row in of_both.to_pylist()}
    sides = []
    for value in (one, other):
        whole = cells.get((ROOT_ID, value))
        if whole is None:
            raise ReleaseError("the release does not show this value of this dimension")
        sides.append(_side(value, whole["conversations"], whole["accounts"]))
    rows, hidden = [], 0
    for cluster in _of_level(release, root.facet, level):
        shares = []
        for side in sides:
            cell = cells.get((cluster.cluster_id, side.name))
            if cell is not None and side.conversations:
                # Noise of differential privacy may make a part larger than its whole.
                share = min(1.0, cell["conversations"] / side.conversations)
                shares.append(_with_ends(share, side.accounts))
        if len(shares) < 2:
            hidden += 1
        else:
            rows.append(Row(cluster.cluster_id, cluster.title, shares[0], shares[1]))
    return _ranked(root.facet, sides, rows, hidden)


def clusters(release: Release, one: str, other: str, facet: str | None) -> CompareResponse:
    """All values of all dimensions in one cluster and in another.

    Raises
    ------
    ReleaseError
        The release shows no such cluster.
    """
    both = [release.cluster(one, facet=facet), release.cluster(other, facet=facet)]
    sides = [
        _side("All conversations" if c.is_root else c.title, c.conversations, c.accounts)
        for c in both
    ]
    first, second = (
        {
            (row["dimension"], row["value"]): row
            for row in release.rows("breakdowns", c.cluster_id, facet=c.facet)
        }
        for c in both
    )
    rows = [
        Row(
            value,
            value,
            _with_ends(first[dimension, value]["share"], trials(both[0])),
            _with_ends(second[dimension, value]["share"], trials(both[1])),
            dimension,
        )
        for dimension, value in first
        if (dimension, value) in second
    ]
    return _ranked(both[0].facet, sides, rows, len(first.keys() ^ second.keys()))


def _side(name: str, conversations: int, accounts: int | None) -> CompareSide:
    return CompareSide(name=name, conversations=conversations, accounts=accounts)


def _with_ends(share: float, accounts: int | None) -> tuple[float, float, float]:
    return (share, *interval(share, accounts or 1))


def _of_level(release: Release, facet: str, level: int | None) -> Sequence[Cluster]:
    """Clusters of a level; by default the root's children."""
    if level is None:
        return release.children(facet=facet)
    return [c for c in release.walk(facet=facet) if c.level == level]


def _ranked(facet: str, sides: list[CompareSide], rows: list[Row], hidden: int) -> CompareResponse:
    """Differences with their intervals, the surest first.

    The interval of a difference comes from those of the two shares (Newcombe, *Statistics in
    Medicine* 17, 1998, method 10), so it counts accounts as they do. What is called sure holds
    after the correction for many comparisons (Benjamini and Hochberg, *J. R. Stat. Soc. B* 57,
    1995).
    """
    ends = np.array([[*row.first, *row.second] for row in rows], dtype=np.float64).reshape(-1, 6)
    one, one_low, one_high, other, other_low, other_high = ends.T
    difference = other - one
    low = difference - np.hypot(other - other_low, one_high - one)
    high = difference + np.hypot(other_high - other, one - one_low)
    towards_zero = np.where(difference > 0, difference - low, high - difference)
    error = np.maximum(towards_zero / _Z, 1e-12)
    z = np.abs(difference) / error
    sure = _discoveries(erfc(z / np.sqrt(2)))
    order = np.lexsort((-np.abs(difference), -z))
    return CompareResponse(
        facet=facet,
        sides=sides,
        rows=[
            CompareRow(
                cluster_id=None if rows[i].dimension else rows[i].cluster_id,
                dimension=rows[i].dimension,
                title=rows[i].title,
                first=one[i],
                first_low=one_low[i],
                first_high=one_high[i],
                second=other[i],
                second_low=other_low[i],
                second_high=other_high[i],
                difference=difference[i],
                low=max(-1.0, low[i]),
                high=min(1.0, high[i]),
                sure=bool(sure[i]),
            )
            for i in order.tolist()
        ],
        withheld=hidden,
    )


def _discoveries(p: _Floats) -> NDArray[np.bool_]:
    """Which of many tests stand, by Benjamini and Hochberg's step-up procedure."""
    order = np.argsort(p)
    passed = np.flatnonzero(p[order] <= SURE * np.arange(1, len(p) + 1) / max(1, len(p)))
    found: NDArray[np.bool_] = np.zeros(len(p), dtype=bool)
    if len(passed):
        found[order[: passed[-1] + 1]] = True
    return found
