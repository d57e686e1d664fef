"""The map, and what its clusters are coloured by."""

from __future__ import annotations

from typing import Final

import pyarrow.compute as pc

from clio.errors import ReleaseError
from clio.release.read import Release
from clio.release.schema import ROOT_ID
from clio.server.crossing import interval, trials
from clio.server.models import settled
from clio.server.slices import MapCells, MapPlaces, MapResponse, SharesResponse

GRID: Final = 64
"""Cells a side of the density's grid, as a run makes it."""


def map_response(release: Release, facet: str | None) -> MapResponse:
    """Places of all clusters of a facet, and how many conversations lie where.

    Returns
    -------
    MapResponse
        Places are from 0 to 1 in both directions; a cluster without one is left out.

    Raises
    ------
    ReleaseError
        The release has no such facet.
    """
    root = release.cluster(facet=facet)
    placed = [
        (c.cluster_id, c.x, c.y)
        for c in release.walk(facet=root.facet)
        if not c.is_root and c.x is not None and c.y is not None
    ]
    table = release.table("map")
    cells = table.filter(pc.equal(table["facet"], root.facet))
    return MapResponse(
        facet=root.facet,
        grid=GRID,
        places=MapPlaces(
            id=[one for one, _, _ in placed],
            x=[x for _, x, _ in placed],
            y=[y for _, _, y in placed],
        ),
        cells=MapCells(
            x=cells["cell_x"].to_pylist(),
            y=cells["cell_y"].to_pylist(),
            conversations=cells["conversations"].to_pylist(),
        ),
    )


def shares_response(
    release: Release, dimension: str, value: str, facet: str | None
) -> SharesResponse:
    """What share of each cluster a value of a dimension has, with intervals by account.

    Raises
    ------
    ReleaseError
        The release has no such facet, or the whole of it no such value.
    """
    root = release.cluster(facet=facet)
    table = release.breakdowns
    rows = table.filter(
        pc.and_(
            pc.equal(table["facet"], root.facet),
            pc.and_(pc.equal(table["dimension"], dimension), pc.equal(table["value"], value)),
        )
    )
    found = dict(zip(rows["cluster_id"].to_pylist(), rows["share"].to_pylist(), strict=True))
    baseline = found.pop(ROOT_ID, None)
    if baseline is None:
        raise ReleaseError("the release does not show this value of this dimension")
    settle = (
        settled(share, *interval(share, trials(release.cluster(one))))
        for one, share in found.items()
    )
    shares, low, high = zip(*settle, strict=True) if found else ((), (), ())
    return SharesResponse(
        facet=root.facet,
        dimension=dimension,
        value=value,
        baseline=baseline,
        id=list(found),
        share=list(shares),
        low=list(low),
        high=list(high),
    )
