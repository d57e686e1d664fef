"""The map, and what its clusters are coloured by."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from clio.errors import ReleaseError
from clio.release.read import Release
from clio.release.schema import ROOT_ID
from clio.server.crossing import intervals, trials
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
    values, ids, shares, accounts = _by_value(release, root.facet)
    at = values.get((dimension, value), np.zeros(0, np.int64))
    whole = at[ids[at] == ROOT_ID]
    if len(whole) == 0:
        raise ReleaseError("the release does not show this value of this dimension")
    at = at[ids[at] != ROOT_ID]
    share, low, high = intervals(shares[at], accounts[at])
    return SharesResponse(
        facet=root.facet,
        dimension=dimension,
        value=value,
        baseline=float(shares[whole[0]]),
        id=ids[at].tolist(),
        share=share.tolist(),
        low=low.tolist(),
        high=high.tolist(),
    )


_Rows = tuple[
    dict[tuple[str, str], NDArray[np.int64]],
    NDArray[np.object_],
    NDArray[np.float64],
    NDArray[np.float64],
]


@lru_cache(maxsize=8)
def _by_value(release: Release, facet: str) -> _Rows:
    """Rows of the breakdowns by dimension and value; and of each its cluster, share, accounts."""
    table = release.breakdowns
    table = table.filter(pc.equal(table["facet"], facet))
    names = [table[c].combine_chunks().dictionary_encode() for c in ("dimension", "value")]
    codes = [np.asarray(name.indices, np.int64) for name in names]
    texts = [name.dictionary.to_pylist() for name in names]
    joined = codes[0] * max(len(texts[1]), 1) + codes[1]
    order = np.argsort(joined, kind="stable")
    kinds, starts = np.unique(joined[order], return_index=True)
    parts = np.split(order, starts[1:]) if len(kinds) else []
    rows = {
        (texts[0][k // len(texts[1])], texts[1][k % len(texts[1])]): part
        for k, part in zip(kinds.tolist(), parts, strict=True)
    }
    clusters = table["cluster_id"].combine_chunks().dictionary_encode()
    accounts = [trials(release.cluster(c, facet=facet)) for c in clusters.dictionary.to_pylist()]
    return (
        rows,
        table["cluster_id"].to_numpy(),
        np.asarray(table["share"], np.float64),
        np.array(accounts, np.float64)[np.asarray(clusters.indices, np.int64)],
    )
