"""Dimensions across clusters: who asks for what, against the base rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import sqrt
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clio.errors import ReleaseError
from clio.release.read import Cluster, Release
from clio.release.schema import ROOT_ID
from clio.server.models import (
    ClusterRow,
    CrossCell,
    CrossRow,
    Dimension,
    DimensionResponse,
    DimensionsResponse,
    DimensionValue,
    Surprise,
    SurprisesResponse,
    settled,
)

_Z: Final = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""

_PER_VALUE: Final = 2
"""At most so many surprises share one value, lest one rare value fill the list."""


_Floats = NDArray[np.float64]


def interval(share: float, trials: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (J. Am. Stat. Assoc. 22, 1927).

    Parameters
    ----------
    share
        From 0 to 1.
    trials
        How many independent observations stand behind it: accounts, as one account's
        conversations resemble one another.

    Returns
    -------
    tuple of float
        Lower and upper end; 0 and 1 where there are no trials.
    """
    if trials <= 0:
        return 0.0, 1.0
    z = _Z * _Z / trials
    middle = (share + z / 2) / (1 + z)
    reach = sqrt(share * (1 - share) * z + z * z / 4) / (1 + z)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def intervals(share: _Floats, trials: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """Many shares at once with their `interval`, each `settled`."""
    z = _Z * _Z / trials
    middle = (share + z / 2) / (1 + z)
    reach = _Z * np.sqrt(share * (1 - share) / trials + z / trials / 4) / (1 + z)
    low, high = np.maximum(0.0, middle - reach), np.minimum(1.0, middle + reach)
    unit = 10.0 ** (2 - np.floor(np.log10(high - low)))
    return np.round(share * unit) / unit, np.round(low * unit) / unit, np.round(high * unit) / unit


def dimensions_response(release: Release, facet: str | None) -> DimensionsResponse:
    """All dimensions, with their distributions in the whole facet."""
    root = release.cluster(facet=facet)
    return DimensionsResponse(
        facet=root.facet,
        conversations=root.conversations,
        dimensions=[
            Dimension(
                dimension=name,
                values=[
                    DimensionValue(**{f: row[f] for f in DimensionValue.model_fields})
                    for row in rows
                ],
                not_shown=max(0, root.conversations - sum(r["conversations"] for r in rows)),
            )
            for name, rows in sorted(_by_dimension(release, root).items())
        ],
    )


def dimension_response(
    release: Release,
    dimension: str,
    facet: str | None,
    *,
    parent: str | None,
    level: int | None,
    offset: int,
    limit: int,
) -> DimensionResponse:
    """One dimension across the children of a cluster, or across a level.

    Raises
    ------
    ReleaseError
        No such facet, dimension or parent.
    """
    root = release.cluster(facet=facet)
    base = {row["value"]: row["share"] for row in _by_dimension(release, root).get(dimension, [])}
    if level is None:
        found = release.children(parent or ROOT_ID, facet=root.facet)
    else:
        found = [c for c in release.walk(facet=root.facet) if c.level == level and not c.is_root]
        found.sort(key=lambda c: (-c.conversations, c.cluster_id))
    page = found[offset : offset + limit]
    cells = {
        c.cluster_id: {r["value"]: r for r in _by_dimension(release, c).get(dimension, [])}
        for c in page
    }
    values = [*base, *sorted({v for row in cells.values() for v in row} - base.keys())]
    if not values:
        raise ReleaseError(f"the release breaks nothing down by '{dimension}'")
    return DimensionResponse(
        facet=root.facet,
        dimension=dimension,
        values=values,
        baseline=[base.get(value) for value in values],
        total=len(found),
        offset=offset,
        clusters=[
            CrossRow(
                cluster_id=c.cluster_id,
                title=c.title,
                conversations=c.conversations,
                cells=[_cell(cells[c.cluster_id].get(v), c, base.get(v)) for v in values],
            )
            for c in page
        ],
    )


def surprises_response(release: Release, facet: str | None, limit: int) -> SurprisesResponse:
    """Clusters of the finest level, at most of median size, each with what sets it apart."""
    root = release.cluster(facet=facet)
    leaves = [c for c in release.walk(facet=root.facet) if c.level == 0]
    median = sorted(c.conversations for c in leaves)[len(leaves) // 2] if leaves else 0
    small = {c.cluster_id: c for c in leaves if c.conversations <= median}
    best: dict[str, tuple[float, str, str, float, float, float, float]] = {}
    for cluster_id, dimension, value, share, rate in _frequent(release, root.facet, list(small)):
        low, high = interval(share, trials(small[cluster_id]))
        lift = low / rate
        if lift > max(1.0, best[cluster_id][0] if cluster_id in best else 0.0):
            best[cluster_id] = lift, dimension, value, share, low, high, rate
    found = sorted(best.items(), key=lambda one: (-one[1][0], one[0]))
    seen: defaultdict[tuple[str, str], int] = defaultdict(int)
    chosen: list[Surprise] = []
    for cluster_id, (_, dimension, value, share, low, high, rate) in found:
        seen[dimension, value] += 1
        if seen[dimension, value] <= _PER_VALUE and len(chosen) < limit:
            chosen.append(
                Surprise(
                    cluster=ClusterRow.of(small[cluster_id]),
                    dimension=dimension,
                    value=value,
                    share=share,
                    low=low,
                    high=high,
                    baseline=rate,
                )
            )
    return SurprisesResponse(facet=root.facet, surprises=chosen)


def _frequent(
    release: Release, facet: str, clusters: list[str]
) -> Iterator[tuple[str, str, str, float, float]]:
    """Cells of these clusters whose share is above the base rate: ids, share and that rate."""
    table = release.breakdowns.filter(pc.field("facet") == facet)
    root = table.filter(pc.field("cluster_id") == ROOT_ID)
    rates = root.select(["dimension", "value"]).append_column("rate", root["share"])
    cells = table.filter(pc.is_in(table["cluster_id"], pa.array(clusters, pa.string())))
    cells = cells.select(["cluster_id", "dimension", "value", "share"])
    joined = cells.join(rates, ["dimension", "value"], join_type="inner")
    above = joined.filter((pc.field("rate") > 0) & (pc.field("share") > pc.field("rate")))
    order = [(name, "ascending") for name in ("cluster_id", "dimension", "value")]
    columns = above.sort_by(order).select([name for name, _ in order] + ["share", "rate"])
    yield from zip(*(column.to_pylist() for column in columns.columns), strict=True)


def trials(cluster: Cluster) -> int:
    """Independent observations behind shares within a cluster: its accounts."""
    return cluster.accounts or 1


def _cell(row: dict[str, Any] | None, cluster: Cluster, base: float | None) -> CrossCell | None:
    if row is None:
        return None
    share, low, high = settled(row["share"], *interval(row["share"], trials(cluster)))
    return CrossCell(
        conversations=row["conversations"],
        share=share,
        low=low,
        high=high,
        ratio=row["share"] / base if base else None,
        sure=base is not None and not low <= base <= high,
    )


def _by_dimension(release: Release, cluster: Cluster) -> dict[str, list[dict[str, Any]]]:
    rows = release.rows("breakdowns", cluster.cluster_id, facet=cluster.facet)
    by_dimension: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda r: (-r["conversations"], r["value"])):
        by_dimension[row["dimension"]].append(row)
    return dict(by_dimension)
