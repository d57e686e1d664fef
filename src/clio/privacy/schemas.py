"""Columns of the tables that leave the gate, as the contract has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

_T: Final = {
    "text": pa.string(),
    "level": pa.int32(),
    "count": pa.int64(),
    "number": pa.float64(),
    "cell": pa.int32(),
    "day": pa.date32(),
}


def _schema(**fields: str) -> pa.Schema:
    """Columns by kind; a final ``?`` allows nulls."""
    return pa.schema(
        pa.field(name, _T[kind.rstrip("?")], nullable=kind.endswith("?"))
        for name, kind in fields.items()
    )


SCHEMAS: Final[Mapping[str, pa.Schema]] = {
    "clusters": _schema(
        facet="text",
        cluster_id="text",
        level="level",
        parent_id="text?",
        title="text",
        summary="text",
        conversations="count",
        accounts="count",
        share="number",
        share_low="number",
        share_high="number",
        other_conversations="count",
        x="number?",
        y="number?",
    ),
    "numeric": _schema(
        facet="text",
        cluster_id="text",
        measure="text",
        mean="number",
        low="number",
        high="number",
        conversations="count",
    ),
    "breakdowns": _schema(
        facet="text",
        cluster_id="text",
        dimension="text",
        value="text",
        conversations="count",
        accounts="count",
        share="number",
    ),
    "trends": _schema(
        facet="text",
        cluster_id="text",
        period="day",
        granularity="text",
        conversations="count",
        accounts="count",
        share="number",
        share_low="number",
        share_high="number",
    ),
    "map": _schema(facet="text", cell_x="cell", cell_y="cell", conversations="count"),
    "withheld": _schema(
        facet="text",
        table="text",
        level="level?",
        reason="text",
        cells="count",
        conversations="count?",
    ),
}
