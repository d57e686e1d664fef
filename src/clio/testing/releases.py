"""A large release, generated: every number adds up, and nobody stands behind it.

It is drawn as a table of counts, never conversation by conversation, so that tens of millions of
conversations take seconds. What serves, exports and shows releases is measured on it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clio.release.schema import (
    INFO_FILE,
    LATEST_LINK,
    RELEASES_DIRECTORY,
    ROOT_ID,
    ROOT_LEVEL,
    SCHEMA_VERSION,
    TABLES,
)
from clio.testing.release_words import summary, title

FACET: Final = "request"
_FIRST_DAY: Final = date(2023, 1, 2)
_CELL: Final = (10, 15)
"""Accounts and conversations of a cell, at least: the preset ``default``."""
_GRID: Final = 64
_TOP: Final = 10
"""Clusters at the top level."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DIMENSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "language": ("en", "es", "zh", "pt", "fr", "de", "ja", "ru", "ar", "it", "ko", "tr"),
    "country": ("US", "IN", "BR", "GB", "DE", "MX", "JP", "FR", "ES", "CA", "KR", "NG", "unknown"),
    "product": ("web", "phone", "programming interface"),
    "weekday": _WEEKDAYS,
    "time_of_day": (
        "night (0-6 h)",
        "morning (6-12 h)",
        "afternoon (12-18 h)",
        "evening (18-24 h)",
    ),
    "turns": ("1", "2-4", "5-9", "10-19", "20+"),
    "words": ("1-9", "10-29", "30-99", "100-299", "300+"),
    "task": ("write", "inform", "how-to", "program", "plan", "edit", "translate", "unknown"),
    "topic": ("work", "school", "family", "money", "health", "technology", "art", "unknown"),
    "code": ("none", "some", "mostly"),
    "outcome": ("solved", "in part", "not solved", "unknown"),
    "concern": ("1", "2", "3", "4", "5"),
}
"""What the clusters are broken down by: twelve facets and their values."""

MEASURES: Final = {"concern": (1.4, 0.5), "turns": (3.1, 1.2), "words": (46.0, 20.0)}
"""Measures with their mean over clusters and how far these lie apart."""

_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Tree:
    """Clusters level by level from the top, the root first; parents come before children.

    Attributes
    ----------
    parent
        (n,) int64, index of each cluster's parent; the root's own is 0.
    level
        (n,) int64, 0 for leaves, -1 for the root.
    place
        For each cluster the numbers that lead to it from the top, one a level.
    """

    parent: _Ints
    level: _Ints
    place: list[list[int]]

    @property
    def ids(self) -> list[str]:
        return [ROOT_ID, *(f"{FACET}-{i}" for i in range(len(self.parent) - 1))]

    def add_up(self, counts: NDArray[Any]) -> NDArray[Any]:
        """Counts of each cluster with all below it; `counts` holds what is in no child."""
        whole = counts.copy()
        for level in range(int(self.level.max()) + 1):
            at = np.flatnonzero(self.level == level)
            np.add.at(whole, self.parent[at], whole[at])
        return whole


def write_large_release(
    folder: Path,
    *,
    leaves: int = 10_000,
    levels: int = 5,
    periods: int = 104,
    conversations: int = 20_000_000,
    seed: int = 0,
) -> Path:
    """Write a run directory that holds one large release, and nothing private.

    Parameters
    ----------
    folder
        The run directory; made where it is missing.
    leaves
        Clusters of the finest level.
    levels
        Levels of the hierarchy without the root.
    periods
        Weeks of the trends.
    conversations
        About how many conversations there are; sizes of leaves are lognormal.
    seed
        Same seed, same bytes.

    Returns
    -------
    Path
        The release's own directory. Its cells stand where they have at least 15 conversations of
        10 accounts, and sums hold as in any release.
    """
    rng = np.random.default_rng(seed)
    tree = _grow(leaves, levels, rng)
    weekly = _weekly(tree, periods, conversations, rng)
    total = weekly.sum(axis=1)
    places = _places(tree, rng)
    withheld: list[dict[str, Any]] = []
    tables = {
        "clusters": _clusters(tree, total, places),
        "trends": _trends(tree, weekly, withheld),
        "breakdowns": _breakdowns(tree, total, withheld, rng),
        "numeric": _numeric(tree, total, rng),
        "map": _map(tree, total, places, withheld, rng),
        "alerts": _alerts(tree, weekly, rng),
        "withheld": withheld,
    }
    directory = folder / RELEASES_DIRECTORY / "0001"
    directory.mkdir(parents=True)
    for name, columns in tables.items():
        schema = TABLES[name]
        made = (
            pa.Table.from_pylist(columns, schema=schema)
            if isinstance(columns, list)
            else pa.table(columns, schema=schema)
        )
        pq.write_table(made, directory / f"{name}.parquet", compression="zstd")
    (directory / INFO_FILE).write_text(json.dumps(_info(tree, total, periods, seed), indent=2))
    (folder / LATEST_LINK).symlink_to(directory.relative_to(folder))
    return directory


def _grow(leaves: int, levels: int, rng: np.random.Generator) -> _Tree:
    """A tree whose levels grow by one factor; every inner cluster has at least one child."""
    top = min(_TOP, leaves)
    sizes = [round(top * (leaves / top) ** (i / max(levels - 1, 1))) for i in range(levels)]
    sizes[-1] = leaves
    parent, level = [np.zeros(1, np.int64)], [np.full(1, ROOT_LEVEL)]
    place: list[list[list[int]]] = [[[]]]
    start = 0
    for depth, (above, size) in enumerate(pairwise([1, *sizes])):
        spare = rng.integers(0, above, max(0, size - above))
        of = np.sort(np.concatenate([np.arange(min(above, size)), spare]))
        number = np.arange(size) - np.searchsorted(of, of)
        place.append([[*place[-1][p], int(n)] for p, n in zip(of, number, strict=True)])
        parent.append(start + of)
        level.append(np.full(size, levels - 1 - depth))
        start += above
    return _Tree(
        np.concatenate(parent), np.concatenate(level), [one for some in place for one in some]
    )


def _weekly(tree: _Tree, periods: int, conversations: int, rng: np.random.Generator) -> _Ints:
    """Conversations of each cluster in each week, (n, periods)."""
    n = len(tree.parent)
    size = rng.lognormal(0.0, 0.9, n)
    # What is in no child that is shown: a few in a hundred.
    size[tree.level > 0] *= 0.15
    size[0] = 0.02 * size.sum()
    expected = size / size.sum() * conversations
    expected[1:] = np.maximum(expected[1:], 80.0)
    week = np.arange(periods)
    season = 1 + 0.15 * np.sin(2 * np.pi * week / 52) + 0.8 * week / max(periods, 1)
    drift = rng.normal(0.0, 0.5, (n, 1)) * (rng.random((n, 1)) < 0.3)
    shape = season * np.exp(drift * (week / max(periods - 1, 1) - 0.5))
    own = rng.poisson(expected[:, None] * shape / shape.sum(axis=1, keepdims=True))
    return np.asarray(tree.add_up(own.astype(np.int64)))


def _accounts(conversations: NDArray[Any]) -> _Ints:
    """At least so many accounts, as a release rounds them."""
    return np.asarray(conversations * 3 // 5 // 5 * 5, np.int64)


def _interval(share: _Floats, accounts: NDArray[Any]) -> tuple[_Floats, _Floats]:
    reach = 1.96 * np.sqrt(share * (1 - share) / np.maximum(accounts, 1))
    return np.maximum(share - reach, 0.0), np.minimum(share + reach, 1.0)


def _clusters(tree: _Tree, total: _Ints, places: _Floats) -> dict[str, Any]:
    n = len(total)
    ids = tree.ids
    inside = np.zeros(n, np.int64)
    np.add.at(inside, tree.parent[1:], total[1:])
    share = total / total[0]
    low, high = _interval(share, np.full(n, _accounts(total)[0]))
    return {
        "facet": [FACET] * n,
        "cluster_id": ids,
        "level": tree.level.astype(np.int32),
        "parent_id": [None if p == 0 else ids[p] for p in tree.parent],
        "title": ["All conversations", *(title(place) for place in tree.place[1:])],
        "summary": ["", *(summary(place) for place in tree.place[1:])],
        "conversations": total,
        "accounts": _accounts(total),
        "share": share,
        "share_low": low,
        "share_high": high,
        "other_conversations": np.where(tree.level == 0, 0, total - inside),
        "x": places[:, 0],
        "y": places[:, 1],
    }


def _trends(tree: _Tree, weekly: _Ints, withheld: list[dict[str, Any]]) -> dict[str, Any]:
    accounts = _accounts(weekly)
    shown = (accounts >= _CELL[0]) & (weekly >= _CELL[1])
    _withhold(withheld, "trends", tree.level, weekly, ~shown & (weekly > 0))
    of, week = np.nonzero(shown)
    share = weekly[of, week] / np.maximum(weekly[0, week], 1)
    low, high = _interval(share, accounts[0, week])
    days = np.datetime64(_FIRST_DAY) + 7 * week.astype("timedelta64[D]")
    return {
        "facet": [FACET] * len(of),
        "cluster_id": pa.array(tree.ids).take(pa.array(of)),
        "period": days,
        "granularity": ["week"] * len(of),
        "conversations": weekly[of, week],
        "accounts": accounts[of, week],
        "share": share,
        "share_low": low,
        "share_high": high,
    }


def _breakdowns(
    tree: _Tree, total: _Ints, withheld: list[dict[str, Any]], rng: np.random.Generator
) -> dict[str, Any]:
    inside = np.zeros(len(total), np.int64)
    np.add.at(inside, tree.parent[1:], total[1:])
    own = np.where(tree.level == 0, total, total - inside)
    parts: dict[str, list[NDArray[Any]]] = {"of": [], "dimension": [], "value": [], "count": []}
    for number, values in enumerate(DIMENSIONS.values()):
        base = 0.62 ** np.arange(len(values))
        weight = rng.gamma(6 * base / base.sum() * len(values), size=(len(total), len(values)))
        counts = rng.multinomial(own, weight / weight.sum(axis=1, keepdims=True))
        counts = tree.add_up(counts)
        shown = (_accounts(counts) >= _CELL[0]) & (counts >= _CELL[1])
        _withhold(withheld, "breakdowns", tree.level, counts, ~shown & (counts > 0))
        of, value = np.nonzero(shown)
        parts["of"].append(of)
        parts["dimension"].append(np.full(len(of), number))
        parts["value"].append(np.array(values, object)[value])
        parts["count"].append(counts[of, value])
    joined = {name: np.concatenate(part) for name, part in parts.items()}
    order = np.lexsort((joined["dimension"], joined["of"]))
    of, count = joined["of"][order], joined["count"][order].astype(np.int64)
    return {
        "facet": [FACET] * len(of),
        "cluster_id": pa.array(tree.ids).take(pa.array(of)),
        "dimension": pa.array(list(DIMENSIONS)).take(pa.array(joined["dimension"][order])),
        "value": pa.array(joined["value"][order], pa.string()),
        "conversations": count,
        "accounts": _accounts(count),
        "share": count / total[of],
    }


def _numeric(tree: _Tree, total: _Ints, rng: np.random.Generator) -> dict[str, Any]:
    n = len(total)
    middle, apart = (np.array([m[i] for m in MEASURES.values()]) for i in (0, 1))
    mean = np.maximum(rng.normal(middle, apart, (n, len(MEASURES))), 0.2)
    mean[0] = middle
    reach = 1.96 * apart / np.sqrt(np.maximum(total, 1))[:, None]
    of = np.repeat(np.arange(n), len(MEASURES))
    return {
        "facet": [FACET] * len(of),
        "cluster_id": pa.array(tree.ids).take(pa.array(of)),
        "measure": list(MEASURES) * n,
        "mean": mean.ravel(),
        "low": (mean - reach).ravel(),
        "high": (mean + reach).ravel(),
        "conversations": total[of],
    }


def _places(tree: _Tree, rng: np.random.Generator) -> _Floats:
    """Places on the unit square, (n, 2): children around their parent, closer level by level."""
    places = np.full((len(tree.parent), 2), 0.5)
    top = int(tree.level.max())
    for depth, level in enumerate(range(top, -1, -1)):
        at = np.flatnonzero(tree.level == level)
        if depth == 0:
            angle = 2 * np.pi * np.arange(len(at)) / len(at)
            away = 0.33 * np.column_stack([np.cos(angle), np.sin(angle)])
        else:
            away = rng.normal(0.0, 0.07 * 0.62**depth, (len(at), 2))
        places[at] = np.clip(places[tree.parent[at]] + away, 0.01, 0.99)
    return np.round(places, 4)


def _map(
    tree: _Tree,
    total: _Ints,
    places: _Floats,
    withheld: list[dict[str, Any]],
    rng: np.random.Generator,
) -> dict[str, Any]:
    leaves = np.flatnonzero(tree.level == 0)
    around = np.clip(places[leaves] + rng.normal(0.0, 0.008, (len(leaves), 2)), 0.0, 0.999)
    cell = (around * _GRID).astype(np.int64) @ np.array([_GRID, 1])
    inside = np.bincount(cell, total[leaves], _GRID * _GRID).astype(np.int64)
    shown = (_accounts(inside) >= _CELL[0]) & (inside >= _CELL[1])
    _withhold(withheld, "map", np.full(len(inside), -1), inside, ~shown & (inside > 0))
    x, y = np.divmod(np.flatnonzero(shown), _GRID)
    return {
        "facet": [FACET] * len(x),
        "cell_x": x.astype(np.int32),
        "cell_y": y.astype(np.int32),
        "conversations": inside[shown],
    }


def _alerts(tree: _Tree, weekly: _Ints, rng: np.random.Generator) -> list[dict[str, Any]]:
    """The ten clusters above the leaves whose share grew most over the last quarter."""
    quarter = max(1, weekly.shape[1] // 4)
    share = weekly / np.maximum(weekly[0], 1)
    before, after = share[:, :-quarter].mean(axis=1), share[:, -quarter:].mean(axis=1)
    ratio = np.where((tree.level > 0) & (before > 0), after / np.maximum(before, 1e-12), 0.0)
    since = _FIRST_DAY + timedelta(weeks=weekly.shape[1] - quarter)
    ids = tree.ids
    return [
        {
            "facet": FACET,
            "cluster_id": ids[i],
            "kind": "rise",
            "since": since,
            "ratio": ratio[i],
            "ratio_low": 0.92 * ratio[i],
            "ratio_high": 1.08 * ratio[i],
            "q": float(rng.uniform(1e-6, 1e-3)),
            "title": title(tree.place[i]),
        }
        for i in np.argsort(-ratio, kind="stable")[:10]
        if ratio[i] > 1
    ]


def _withhold(
    withheld: list[dict[str, Any]],
    table: str,
    level: NDArray[Any],
    counts: NDArray[Any],
    hidden: NDArray[np.bool_],
) -> None:
    for one in np.unique(level):
        at = hidden[level == one]
        if at.any():
            row = {"facet": FACET, "table": table, "level": int(one), "reason": "thresholds"}
            kept = counts[level == one][at]
            withheld.append({**row, "cells": int(at.sum()), "conversations": int(kept.sum())})


def _info(tree: _Tree, total: _Ints, periods: int, seed: int) -> dict[str, Any]:
    levels = np.bincount(tree.level[1:]).tolist()
    return {
        "schema_version": SCHEMA_VERSION,
        "number": 1,
        "clio_version": version("clio-insights"),
        "preset": "default",
        "thresholds": {
            "accounts": 25,
            "conversations": 50,
            "cell_accounts": _CELL[0],
            "cell_conversations": _CELL[1],
            "round_to": 1,
        },
        "account_basis": "ids",
        "publishable": True,
        "totals": {"conversations": int(total[0]), "accounts": int(_accounts(total)[0])},
        "outcomes": {"assigned": int(total[0]), "duplicate": int(total[0]) // 90},
        "facets": [{"name": FACET, "primary": True, "clusters": levels}],
        "period": {
            "first": _FIRST_DAY.isoformat(),
            "last": (_FIRST_DAY + timedelta(weeks=periods, days=-1)).isoformat(),
        },
        "granularity": "week",
        "analyst": "generated",
        "embedder": "generated",
        "seed": seed,
        "notes": ["Every number here is generated; nobody stands behind it."],
    }
