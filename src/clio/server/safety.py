"""Routes of the safety role: ``restricted/`` of a run, behind `clio.server.roles`.

No route gives an account's pseudonym but the one that is asked for them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from clio.errors import ReleaseError
from clio.server.roles import SAFETY, SafetyAccess, require_safety

Access = Annotated[SafetyAccess, Depends(require_safety)]

_PARTS: Final = "parts"


class SafetyCluster(BaseModel):
    """A cluster of the whole tree, without thresholds; its title has not passed the gate."""

    facet: str
    cluster_id: str
    level: int
    parent_id: str | None
    title: str
    conversations: int
    accounts: int = Field(description="exactly so many")
    concern: float | None = Field(description="mean, 1 to 5; null where it is not answered")


class SafetyClustersResponse(BaseModel):
    """All clusters of a facet."""

    facets: list[str]
    facet: str | None
    clusters: list[SafetyCluster]


class SafetyNetwork(BaseModel):
    """Accounts that act together, without the accounts."""

    network_id: str
    kind: str
    evidence: list[str]
    accounts: int
    conversations: int
    first: str | None
    last: str | None
    growth: float | None
    score: float
    q: float
    parts: dict[str, float | None]
    explanation: str
    fit: float
    clusters: list[str]
    titles: list[str]
    template: str | None = Field(description="what their texts have in common; hostile text")


class SafetyNetworksResponse(BaseModel):
    """Networks first, then shared sources; none where nobody looked."""

    looked: bool
    networks: list[SafetyNetwork]


class NetworkAccount(BaseModel):
    """An account of a network, by its pseudonym."""

    account: str
    conversations: int
    common: int


class NetworkAccountsResponse(BaseModel):
    """The accounts of one network."""

    network_id: str
    accounts: list[NetworkAccount]


class SafetyTableResponse(BaseModel):
    """A table of ``restricted/`` as it stands."""

    looked: bool
    columns: list[str]
    rows: list[dict[str, Any]]


class _FacetParameters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    facet: str | None = Field(None, description="by default the first")


def router() -> APIRouter:
    """Routes over what is restricted; `roles.Wall` stands before them and notes each look."""
    api = APIRouter(prefix=SAFETY, include_in_schema=False)

    @api.get("/clusters")
    def clusters(
        access: Access, query: Annotated[_FacetParameters, Query()]
    ) -> SafetyClustersResponse:
        """Concern over the whole tree."""
        table = _table(access.restricted / "clusters.parquet")
        if table is None:
            return SafetyClustersResponse(facets=[], facet=None, clusters=[])
        facets = list(dict.fromkeys(table["facet"].to_pylist()))
        facet = query.facet or next(iter(facets), None)
        if facet not in (*facets, None):
            raise ReleaseError(f"the run has no clustered facet '{facet}'")
        accounts = pc.list_value_length(table["accounts"])
        names = [n for n in SafetyCluster.model_fields if n != "accounts"]
        rows = table.select(names).append_column("accounts", accounts)
        rows = rows.filter(pc.equal(rows["facet"], facet))
        return SafetyClustersResponse(
            facets=facets, facet=facet, clusters=[SafetyCluster(**r) for r in rows.to_pylist()]
        )

    @api.get("/networks")
    def networks(access: Access) -> SafetyNetworksResponse:
        """Coordinated accounts, without the accounts."""
        table = _table(access.restricted / "networks.parquet")
        if table is None:
            return SafetyNetworksResponse(looked=False, networks=[])
        found = [SafetyNetwork(**_network(row)) for row in table.to_pylist()]
        return SafetyNetworksResponse(looked=True, networks=found)

    @api.get("/networks/{network_id}/accounts")
    def network_accounts(access: Access, network_id: str) -> NetworkAccountsResponse:
        """The pseudonyms of one network: asked for by itself, and so in the log by itself."""
        table = _table(access.restricted / "network_accounts.parquet")
        found = [] if table is None else table.to_pylist()
        rows = [NetworkAccount(**_only(r)) for r in found if r["network_id"] == network_id]
        if not rows:
            raise ReleaseError(f"there is no network '{network_id}'")
        rows.sort(key=lambda row: (-row.common, row.account))
        return NetworkAccountsResponse(network_id=network_id, accounts=rows)

    @api.get("/flags")
    def flags(access: Access) -> SafetyTableResponse:
        """A classifier's flags against what Clio sees, cluster by cluster."""
        return _rows(access.restricted / "flags.parquet")

    @api.get("/combinations")
    def found(access: Access) -> SafetyTableResponse:
        """Unusual combinations of answers, against their margins."""
        return _rows(access.restricted / "combinations.parquet")

    @api.get("/alerts")
    def alerts(access: Access) -> SafetyTableResponse:
        """All that the last look found, what did not pass the gate too."""
        return _rows(access.restricted / "alerts.parquet")

    return api


def _table(path: Path) -> pa.Table | None:
    """A table of the run, or `None` where nobody has written it."""
    if not path.exists():
        return None
    parts = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    try:
        return pa.concat_tables(pq.read_table(part, partitioning=None) for part in parts)
    except (OSError, ValueError):  # pyarrow's own errors are among these
        raise ReleaseError(f"{path.name} is damaged; run Clio again") from None


def _network(row: dict[str, Any]) -> dict[str, Any]:
    named = {name: row[name] for name in SafetyNetwork.model_fields}
    named[_PARTS] = orjson.loads(row[_PARTS])
    for name in ("first", "last"):
        named[name] = None if row[name] is None else row[name].date().isoformat()
    return named


def _only(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in NetworkAccount.model_fields}


def _rows(path: Path) -> SafetyTableResponse:
    """A table without any column of accounts by name."""
    table = _table(path)
    if table is None:
        return SafetyTableResponse(looked=False, columns=[], rows=[])
    shown = [f.name for f in table.schema if not pa.types.is_nested(f.type) and f.name != "account"]
    rows = [{k: _finite(v) for k, v in row.items()} for row in table.select(shown).to_pylist()]
    return SafetyTableResponse(looked=True, columns=shown, rows=rows)


def _finite(value: Any) -> Any:
    """JSON has no infinity."""
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return None
    return None if value != value else value
