"""The tables of a release: their columns, types and meaning.

This is the public data model that users script against. `clio.release.write` writes it,
`clio.release.read` reads it, and nothing else knows the names of its files.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION: Final = 1
"""Version of everything in this module; a reader accepts its own version only."""

INFO_FILE: Final = "release.json"
"""File of the `ReleaseInfo`, beside the tables."""

LATEST_LINK: Final = "release"
"""Symbolic link in a run directory to the latest release."""

RELEASES_DIRECTORY: Final = "releases"
"""Directory in a run directory that holds its releases."""

ROOT_ID: Final = "__root__"
"""`cluster_id` of a facet's root: all of its assigned conversations."""

ROOT_LEVEL: Final = -1
"""`level` of the root. Leaves have level 0, and levels rise from there."""


def _column(name: str, type_: pa.DataType, doc: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, type_, nullable=nullable, metadata={"doc": doc})


_FACET = _column("facet", pa.string(), "facet whose clusters these are")
_CLUSTER_ID = _column("cluster_id", pa.string(), "opaque, <facet>-<number>, or __root__")
_CONVERSATIONS = _column("conversations", pa.int64(), "number of conversations")
_ACCOUNTS = _column(
    "accounts", pa.int64(), "at least so many accounts: rounded down to 5, does not add up"
)

TABLES: Final[Mapping[str, pa.Schema]] = {
    "clusters": pa.schema(
        [
            _FACET,
            _CLUSTER_ID,
            _column("level", pa.int32(), "0 = leaf, rising to the root's children; root: -1"),
            _column("parent_id", pa.string(), "cluster above; null at the top", nullable=True),
            _column("title", pa.string(), "a few words"),
            _column("summary", pa.string(), "one or two sentences"),
            _CONVERSATIONS,
            _ACCOUNTS,
            _column("share", pa.float64(), "of the facet's assigned conversations, 0 to 1"),
            _column("share_low", pa.float64(), "lower end of the share's 95 % interval"),
            _column("share_high", pa.float64(), "upper end of the share's 95 % interval"),
            _column("other_conversations", pa.int64(), "in no child that is shown"),
            _column("x", pa.float64(), "place on the map", nullable=True),
            _column("y", pa.float64(), "place on the map", nullable=True),
        ],
        metadata={"doc": "the hierarchy: one row a cluster, and one for each facet's root"},
    ),
    "numeric": pa.schema(
        [
            _FACET,
            _CLUSTER_ID,
            _column("measure", pa.string(), "what was measured"),
            _column("mean", pa.float64(), "mean over conversations"),
            _column("low", pa.float64(), "lower end of the mean's 95 % interval"),
            _column("high", pa.float64(), "upper end of the mean's 95 % interval"),
            _column("conversations", pa.int64(), "conversations with a value"),
        ],
        metadata={"doc": "means of numeric facets by cluster"},
    ),
    "breakdowns": pa.schema(
        [
            _FACET,
            _CLUSTER_ID,
            _column("dimension", pa.string(), "facet or label broken down by"),
            _column("value", pa.string(), "its value"),
            _CONVERSATIONS,
            _ACCOUNTS,
            _column("share", pa.float64(), "of the cluster's conversations, 0 to 1"),
        ],
        metadata={"doc": "each cluster by the values of a dimension"},
    ),
    "trends": pa.schema(
        [
            _FACET,
            _CLUSTER_ID,
            _column("period", pa.date32(), "first day of the period, UTC"),
            _column("granularity", pa.string(), "day, week or month; one a release"),
            _CONVERSATIONS,
            _ACCOUNTS,
            _column("share", pa.float64(), "of the period's assigned conversations, 0 to 1"),
            _column("share_low", pa.float64(), "lower end of the share's 95 % interval"),
            _column("share_high", pa.float64(), "upper end of the share's 95 % interval"),
        ],
        metadata={"doc": "each cluster over time"},
    ),
    "alerts": pa.schema(
        [
            _FACET,
            _CLUSTER_ID,
            _column("kind", pa.string(), "what changed"),
            _column("since", pa.date32(), "first day of the change, UTC"),
            _column("ratio", pa.float64(), "new rate over old"),
            _column("ratio_low", pa.float64(), "lower end of the ratio's 95 % interval"),
            _column("ratio_high", pa.float64(), "upper end of the ratio's 95 % interval"),
            _column("q", pa.float64(), "false discovery rate at which it counts as a change"),
            _column("title", pa.string(), "what changed, in a few words"),
        ],
        metadata={"doc": "changes worth a look"},
    ),
    "map": pa.schema(
        [
            _FACET,
            _column("cell_x", pa.int32(), "column of the cell"),
            _column("cell_y", pa.int32(), "row of the cell"),
            _CONVERSATIONS,
        ],
        metadata={"doc": "density of the map; cells under the thresholds are left out"},
    ),
    "withheld": pa.schema(
        [
            _FACET,
            _column("table", pa.string(), "table the cells would have been in"),
            _column("level", pa.int32(), "level of their clusters", nullable=True),
            _column("reason", pa.string(), "rule that withheld them"),
            _column("cells", pa.int64(), "number of rows withheld"),
            _column("conversations", pa.int64(), "conversations in them", nullable=True),
        ],
        metadata={"doc": "how much was withheld, never what"},
    ),
    "lineage": pa.schema(
        [
            _FACET,
            _CLUSTER_ID,
            _column("release_from", pa.int64(), "number of the earlier release"),
            _column("release_to", pa.int64(), "number of the later release"),
            _column("relation", pa.string(), "same, split, merge, born or retired"),
        ],
        metadata={"doc": "what became of clusters from release to release"},
    ),
}
"""Schema of each table by name. A table that a run has nothing for may be absent."""

REQUIRED_TABLES: Final = ("clusters",)
"""Tables without which a directory is no release."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Totals(_Strict):
    """What the release counts.

    Attributes
    ----------
    conversations
        Conversations that were assigned to a cluster.
    accounts
        At least so many accounts behind them.
    """

    conversations: int = Field(ge=0)
    accounts: int = Field(ge=0)


class FacetInfo(_Strict):
    """A facet whose clusters are released.

    Attributes
    ----------
    name
        As in the tables' column `facet`.
    primary
        Whether this is the one facet whose tree is proven against subtraction.
    clusters
        Number of released clusters at level 0, 1, …
    """

    name: str
    primary: bool
    clusters: list[int] = []


class PeriodInfo(_Strict):
    """First and last day, UTC, of the conversations that bear a date."""

    first: date
    last: date


class PrivacyInfo(_Strict):
    """Formal guarantees beyond the thresholds.

    Attributes
    ----------
    epsilon, delta
        Of differential privacy, where it was used.
    """

    epsilon: float | None = None
    delta: float | None = None


class ReleaseInfo(_Strict):
    """What ``release.json`` says: no clock time, duration, path or host.

    Attributes
    ----------
    schema_version
        `SCHEMA_VERSION` of the writer.
    number
        Number of the release within its run, from 1.
    clio_version
        Version of the package that wrote it.
    preset
        Name of the privacy preset.
    thresholds
        The thresholds in force, by name.
    account_basis
        What an account is: ``ids``, ``none`` (each distinct text counts as one) or ``mixed``.
    publishable
        Whether the release may be shown to others.
    privacy
        Formal guarantees beyond the thresholds.
    totals
        Conversations and accounts behind the release.
    outcomes
        Rows read, by outcome.
    facets
        The clustered facets; exactly one is primary unless nothing is released.
    period
        First and last day, or ``None`` where no conversation bears a date.
    granularity
        Of the trends: ``day``, ``week``, ``month``, or ``None`` without dates.
    analyst, embedder
        Names of what extracted the facets and of what embedded them.
    describer
        Who wrote the titles and built the hierarchy, where that is not the analyst.
    seed
        Seed of the run.
    notes
        What a reader should know, a sentence each.
    """

    schema_version: int
    number: int = Field(ge=1)
    clio_version: str
    preset: str
    thresholds: dict[str, Any]
    account_basis: Literal["ids", "none", "mixed"]
    publishable: bool
    privacy: PrivacyInfo = PrivacyInfo()
    totals: Totals
    outcomes: dict[str, int]
    facets: list[FacetInfo]
    period: PeriodInfo | None = None
    granularity: Literal["day", "week", "month"] | None = None
    analyst: str
    embedder: str
    describer: str | None = None
    seed: int
    notes: list[str] = []
