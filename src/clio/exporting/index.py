"""The long format of the Anthropic Economic Index (its releases of September 2025 to March 2026).

One row a number: where, when, of what, which facet and level, which number, of which cluster. What
the Index cannot classify or does not publish it counts as ``not_classified``, an attribute that is
absent as ``none``; crossed facets are named ``base::category`` and add up within their base.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from clio.exporting.content import Content
from clio.exporting.given import following
from clio.exporting.tables import write_rows
from clio.facet import UNKNOWN
from clio.release.schema import ROOT_ID, TABLES

COLUMNS: Final = (
    *("geo_id", "geography", "date_start", "date_end", "platform_and_product"),
    *("facet", "level", "variable", "cluster_name", "value"),
)
NOT_CLASSIFIED: Final = "not_classified"
NONE: Final = "none"

_EVERYWHERE: Final = ("GLOBAL", "global")
_PRODUCT: Final = "all"
_MEASURED: Final = (("mean", "mean"), ("mean_ci_lower", "low"), ("mean_ci_upper", "high"))
_Row = tuple[Any, ...]
_Key = tuple[str, str]


def write_index(content: Content, to: Path) -> None:
    """``index.csv`` in the long format, and each facet's tree as nested JSON.

    Parameters
    ----------
    content
        What to write.
    to
        An empty folder.
    """
    write_rows(to / "index.csv", COLUMNS, _Index(content).rows())
    for facet in content.info.facets:
        tree = _tree(content, facet.name)
        path = to / f"{facet.name}_hierarchy_tree.json"
        path.write_bytes(orjson.dumps(tree, option=orjson.OPT_INDENT_2) + b"\n")


class _Index:
    """Rows of the long format, in the order of facets, levels, clusters and dates."""

    def __init__(self, content: Content) -> None:
        tables = {
            name: content.tables[name].to_pylist() if name in content.tables else []
            for name in TABLES
        }
        self._clusters, self._breakdowns = tables["clusters"], tables["breakdowns"]
        self._trends, self._numeric = tables["trends"], tables["numeric"]
        self._facets = [facet.name for facet in content.info.facets]
        period = content.info.period
        self._whole = (period.first, period.last) if period else ("", "")
        self._by_key = {(c["facet"], c["cluster_id"]): c for c in self._clusters}
        self._names = self._unique_names()
        self._overlapping = self._several_values()

    def rows(self) -> Iterator[_Row]:
        for facet in self._facets:
            yield from self._levels(facet)
            yield from self._dimensions(facet)
            yield from self._measures(facet)
            yield from self._periods(facet)

    def _row(
        self, facet: str, level: int, variable: str, name: str, value: Any, dates: Any = None
    ) -> _Row:
        return (
            *_EVERYWHERE,
            *(dates or self._whole),
            _PRODUCT,
            facet,
            level,
            variable,
            name,
            value,
        )

    def _counted(
        self, facet: str, level: int, name: str, count: int, whole: int, dates: Any = None
    ) -> Iterator[_Row]:
        """A count, and what part of a whole it is."""
        variable = facet.replace("::", "_")
        yield self._row(facet, level, f"{variable}_count", name, count, dates)
        percent = 100.0 * count / whole if whole else 0.0
        yield self._row(facet, level, f"{variable}_pct", name, percent, dates)

    def _levels(self, facet: str) -> Iterator[_Row]:
        whole = self._by_key[facet, ROOT_ID]["conversations"]
        by_level: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        for cluster in self._clusters:
            if cluster["facet"] == facet and cluster["cluster_id"] != ROOT_ID:
                by_level[cluster["level"]].append(cluster)
        for level, clusters in sorted(by_level.items()):
            for cluster in clusters:
                name = self._names[facet, cluster["cluster_id"]]
                yield from self._counted(facet, level, name, cluster["conversations"], whole)
            rest = whole - sum(c["conversations"] for c in clusters)
            if rest > 0:
                yield from self._counted(facet, level, NOT_CLASSIFIED, rest, whole)

    def _dimensions(self, facet: str) -> Iterator[_Row]:
        """Breakdowns: of the corpus as facets of their own, of clusters as crossed facets."""
        cells: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for row in self._breakdowns:
            if row["facet"] == facet:
                value = NONE if row["value"] == UNKNOWN else row["value"]
                cells[row["cluster_id"], row["dimension"]][value] += row["conversations"]
        for (cluster_id, dimension), counts in sorted(cells.items()):
            cluster = self._by_key[facet, cluster_id]
            whole = cluster["conversations"]
            rest = whole - counts.total()
            if rest > 0 and (facet, dimension) not in self._overlapping:
                counts[NOT_CLASSIFIED] += rest
            if cluster_id == ROOT_ID:
                if facet != self._facets[0]:
                    continue  # the same conversations again, but for those without an answer
                crossed, level, base = dimension, 0, ""
            else:
                crossed, level = f"{facet}::{dimension}", cluster["level"]
                base = self._names[facet, cluster_id] + "::"
            for value, count in sorted(counts.items()):
                yield from self._counted(crossed, level, base + value, count, whole)

    def _measures(self, facet: str) -> Iterator[_Row]:
        for row in self._numeric:
            if row["facet"] != facet:
                continue
            if row["cluster_id"] == ROOT_ID:
                if facet != self._facets[0]:
                    continue
                crossed, level, name = row["measure"], 0, ""
            else:
                crossed = f"{facet}::{row['measure']}"
                level = self._by_key[facet, row["cluster_id"]]["level"]
                name = self._names[facet, row["cluster_id"]]
            variable = crossed.replace("::", "_")
            for suffix, column in _MEASURED:
                yield self._row(crossed, level, f"{variable}_{suffix}", name, row[column])

    def _periods(self, facet: str) -> Iterator[_Row]:
        rows = [row for row in self._trends if row["facet"] == facet]
        totals = {r["period"]: r["conversations"] for r in rows if r["cluster_id"] == ROOT_ID}
        for row in rows:
            if row["cluster_id"] == ROOT_ID or row["period"] not in totals:
                continue
            last = following(row["period"], row["granularity"]) - timedelta(days=1)
            dates: tuple[date, date] = (row["period"], last)
            level = self._by_key[facet, row["cluster_id"]]["level"]
            name, whole = self._names[facet, row["cluster_id"]], totals[row["period"]]
            yield from self._counted(facet, level, name, row["conversations"], whole, dates)

    def _unique_names(self) -> dict[_Key, str]:
        """Titles; with the identifier where two clusters of a level share one."""
        times = Counter((c["facet"], c["level"], c["title"]) for c in self._clusters)
        return {
            (c["facet"], c["cluster_id"]): c["title"]
            if times[c["facet"], c["level"], c["title"]] == 1
            else f"{c['title']} ({c['cluster_id']})"
            for c in self._clusters
        }

    def _several_values(self) -> set[_Key]:
        """Dimensions of which a conversation has several values: they add up to more than all."""
        sums: Counter[tuple[str, str, str]] = Counter()
        for row in self._breakdowns:
            sums[row["facet"], row["dimension"], row["cluster_id"]] += row["conversations"]
        return {
            (facet, dimension)
            for (facet, dimension, cluster_id), total in sums.items()
            if total > self._by_key[facet, cluster_id]["conversations"]
        }


def _tree(content: Content, facet: str) -> dict[str, Any]:
    """A facet's clusters as ``{name, description, count, children}``, the largest first."""
    children: defaultdict[str | None, list[dict[str, Any]]] = defaultdict(list)
    root: dict[str, Any] = {}
    for row in content.tables["clusters"].to_pylist():
        if row["facet"] != facet:
            continue
        if row["cluster_id"] == ROOT_ID:
            root = row
        else:
            children[row["parent_id"]].append(row)

    def nested(row: dict[str, Any], key: str | None) -> dict[str, Any]:
        below = sorted(children[key], key=lambda c: (-c["conversations"], c["cluster_id"]))
        return {
            "name": row["title"],
            "description": row["summary"],
            "count": row["conversations"],
            "children": [nested(child, child["cluster_id"]) for child in below],
        }

    return nested(root, None)
