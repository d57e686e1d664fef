"""A release with every number counted anew under differential privacy.

Names are those of the gated release (`clio.exporting.given`), numbers are functions of what
`clio.exporting.measuring` drew. Nothing else of the release or of the run goes in: no exact count,
no table that has one, and no identifier, since clusters are numbered by their exact size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.exporting.accounting import Spend
from clio.exporting.content import Content
from clio.exporting.given import Given
from clio.exporting.measuring import Agreed, Measured
from clio.pipeline.exporting import ROWS_OF_ACCOUNT
from clio.privacy.thresholds import outward, within
from clio.release.read import Cluster
from clio.release.schema import (
    ROOT_ID,
    TABLES,
    FacetInfo,
    PrivacyInfo,
    ReleaseInfo,
    Totals,
)

NUMBERS_OF_EXPORT: Final = 1_000_000
"""Clusters of an export are numbered from a million times the export's number, so that no
identifier is that of another cluster in the run."""

DEVIATIONS: Final = 2.0
"""A cell is printed from so many standard deviations of its noise on; "at least" is so many under
the noised count."""

_QUANTILE: Final = 1.96
_Row = tuple[Any, ...]


def noised_content(
    given: Given, measured: Measured, agreed: Agreed, base: ReleaseInfo, spend: Spend, number: int
) -> Content:
    """The content of a differentially private export.

    Parameters
    ----------
    given
        The taxonomy.
    measured, agreed
        Noised counts, as drawn and as they agree.
    base
        Of the release whose names are given: settings and names are taken from it, no number but
        the release's own.
    spend
        Of the export.
    number
        Of the export among those of the run, from 1.

    Returns
    -------
    Content
        Tables ``clusters``, ``breakdowns`` and ``trends`` of the release's schema, in which
        ``conversations`` are those that count: at most three an account, in as many leaves.
    """
    ids = _ids(given, agreed, number)
    tables = {"clusters": _clusters(given, measured, agreed, ids)}
    tops = _shown_tops(given, agreed)
    breakdowns: list[_Row] = []
    trends: list[_Row] = []
    for dimension, cells in agreed.dimensions.items():
        # The root's row is the sum of all that is right under it, named or not.
        deviation = measured.deviations[dimension]
        rows = [(0, cells.sum(axis=0), deviation * math.sqrt(len(given.tops)))]
        rows += [(node, cells[position], deviation) for position, node in tops]
        if dimension is None:
            trends += _trends(given, rows, ids)
        else:
            breakdowns += _breakdowns(given, dimension, rows, ids, agreed)
    tables["breakdowns"] = _table("breakdowns", breakdowns, 4)
    tables["trends"] = _table("trends", trends, 3)
    info = _info(given, agreed, base, spend, _accounts(given, measured, agreed)[0])
    return Content(info, tables, None)


def _named(given: Given, agreed: Agreed) -> Iterator[tuple[int, Cluster]]:
    """The clusters that are named, the root first."""
    for i, node in enumerate(given.nodes):
        if agreed.shown[i] and node.cluster is not None:
            yield i, node.cluster


def _ids(given: Given, agreed: Agreed, number: int) -> dict[int, str]:
    """Identifiers of an export's clusters: by level, then by the count that is published."""
    order = sorted(
        (-cluster.level, -int(agreed.nodes[i]), cluster.title, i)
        for i, cluster in _named(given, agreed)
        if i
    )
    first = number * NUMBERS_OF_EXPORT + 1
    numbered = {row[-1]: f"{given.facet}-{first + at}" for at, row in enumerate(order)}
    return {0: ROOT_ID, **numbered}


def _shown_tops(given: Given, agreed: Agreed) -> list[tuple[int, int]]:
    return [(p, int(node)) for p, node in enumerate(given.tops) if agreed.shown[node]]


def _deviations(given: Given, measured: Measured) -> NDArray[np.float64]:
    """Of the noise in each node's count; the root is the sum of those right under it."""
    variance = measured.variance.copy()
    variance[0] = variance[given.tops].sum()
    return np.sqrt(variance)


def _at_least(count: float, deviation: float, rows: int) -> int:
    """Accounts behind a noised count, if its noise was not extreme: rounded down to 5."""
    return int(max(0.0, count - DEVIATIONS * deviation) / rows // 5 * 5)


def _accounts(given: Given, measured: Measured, agreed: Agreed) -> list[int]:
    """At least so many accounts in each node: an end has one row of each of its own."""
    found = []
    for i, deviation in enumerate(_deviations(given, measured).tolist()):
        rows = 1 if given.ends[i] else ROWS_OF_ACCOUNT
        found.append(_at_least(float(agreed.nodes[i]), deviation, rows))
    for i in range(len(found) - 1, 0, -1):
        above = int(given.parent[i])
        found[above] = max(found[above], found[i])
    return found


def _clusters(given: Given, measured: Measured, agreed: Agreed, ids: dict[int, str]) -> pa.Table:
    rows: list[_Row] = []
    accounts = _accounts(given, measured, agreed)
    deviations = _deviations(given, measured)
    total = int(agreed.nodes[0])
    below = np.zeros(len(given.nodes), dtype=np.int64)
    for i in range(1, len(given.nodes)):
        if agreed.shown[i]:
            below[given.parent[i]] += agreed.nodes[i]
    places = _places(given, agreed)
    for i, cluster in _named(given, agreed):
        count, above = int(agreed.nodes[i]), int(given.parent[i])
        share = count / total if total else float(i == 0)
        low, high = (1.0, 1.0)
        if i:
            low, high = _interval(share, total, deviations[i], 1 if given.ends[i] else 3)
        other = 0 if cluster.level == 0 else count - int(below[i])
        rows.append(
            (
                *(given.facet, ids[i], cluster.level),
                None if i == 0 or above == 0 else ids[above],
                *(cluster.title, cluster.summary, count, accounts[i]),
                *(share, low, high, other, *places[i]),
            )
        )
    return _table("clusters", rows, 2)


def _interval(share: float, total: int, deviation: float, rows: int) -> tuple[float, float]:
    """95 % interval of a share: sampling, were an account's rows all alike, and noise."""
    total = max(total, 1)
    variance = rows * share * (1.0 - share) / total + (deviation / total) ** 2
    half = _QUANTILE * math.sqrt(variance)
    return within(outward(share - half, share, share + half))


def _places(given: Given, agreed: Agreed) -> list[tuple[float | None, float | None]]:
    """Places on the map: of leaves as given, of others the mean by noised counts.

    As released, the place of a cluster is a mean by exact counts.
    """
    sums = np.zeros((len(given.nodes), 3))
    found: list[tuple[float | None, float | None]] = [(None, None)] * len(given.nodes)
    for i in range(len(given.nodes) - 1, 0, -1):
        cluster = given.nodes[i].cluster
        if cluster is None or not agreed.shown[i]:
            continue
        if cluster.level == 0:
            if cluster.x is None or cluster.y is None:
                continue
            place = (cluster.x, cluster.y)
        elif sums[i, 2] > 0:
            place = (float(sums[i, 0] / sums[i, 2]), float(sums[i, 1] / sums[i, 2]))
        else:
            continue
        found[i] = (round(place[0], 3), round(place[1], 3))
        weight = float(agreed.nodes[i])
        sums[given.parent[i]] += (place[0] * weight, place[1] * weight, weight)
    return found


def _breakdowns(
    given: Given,
    dimension: str,
    rows: list[tuple[int, NDArray[np.int64], float]],
    ids: dict[int, str],
    agreed: Agreed,
) -> list[_Row]:
    values = given.dimensions[dimension]
    return [
        (
            *(given.facet, ids[node], dimension, values[j], int(counts[j])),
            _at_least(float(counts[j]), deviation, ROWS_OF_ACCOUNT),
            int(counts[j]) / int(agreed.nodes[node]),
        )
        for node, counts, deviation in rows
        for j in range(len(values))
        if counts[j] >= max(1.0, DEVIATIONS * deviation)
    ]


def _trends(
    given: Given, rows: list[tuple[int, NDArray[np.int64], float]], ids: dict[int, str]
) -> list[_Row]:
    found = []
    _, totals, over_all = rows[0]
    for node, counts, deviation in rows:
        for j, period in enumerate(given.periods):
            count, total = int(counts[j]), int(totals[j])
            # A period of which the whole is too uncertain has no shares.
            if count < max(1.0, DEVIATIONS * deviation) or total < DEVIATIONS * over_all:
                continue
            share = count / total
            bounds = (1.0, 1.0)
            if node:
                bounds = _interval(share, total, deviation, ROWS_OF_ACCOUNT)
            found.append(
                (
                    *(given.facet, ids[node], period, given.granularity, count),
                    _at_least(count, deviation, ROWS_OF_ACCOUNT),
                    *(share, *bounds),
                )
            )
    return found


def _table(name: str, rows: list[_Row], key: int) -> pa.Table:
    schema = TABLES[name]
    rows = sorted(rows, key=lambda row: row[:key])
    arrays = [pa.array([row[i] for row in rows], f.type) for i, f in enumerate(schema)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _info(
    given: Given, agreed: Agreed, base: ReleaseInfo, spend: Spend, accounts: int
) -> ReleaseInfo:
    levels = [cluster.level for i, cluster in _named(given, agreed) if i]
    counts = np.bincount(levels).tolist() if levels else []
    return ReleaseInfo(
        **base.model_dump(
            exclude={"totals", "outcomes", "facets", "privacy", "notes"}, exclude_unset=True
        ),
        privacy=PrivacyInfo(epsilon=spend.epsilon, delta=spend.delta),
        totals=Totals(conversations=int(agreed.nodes[0]), accounts=accounts),
        outcomes={},
        facets=[FacetInfo(name=given.facet, primary=True, clusters=counts)],
        notes=[
            f"Counts are differentially private (epsilon {spend.epsilon:g}, delta {spend.delta:g}) "
            "for whole accounts, given the taxonomy: noise was added to every number.",
            f"Of each account at most {ROWS_OF_ACCOUNT} conversations count, each in another leaf, "
            "so that conversations here are fewer than those of the corpus, and heavy users weigh "
            "less.",
        ],
    )
