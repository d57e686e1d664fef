"""Coordinated accounts of a finished run: private tables in, two tables for the safety role out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from clio import access
from clio.errors import RunError
from clio.pipeline import files
from clio.pipeline.acting import Actions, longest_requests
from clio.pipeline.failures import explained
from clio.pipeline.progress import NoProgress, Progress
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.hierarchy import nodes_file, parent_arrays
from clio.pipeline.stages.texts import members_file
from clio.release.read import Release, open_release
from clio.safety import DECLARED_RATE, Lead, explain, find_groups, template_of

NETWORK: Final = "network"
SHARED_SOURCE: Final = "shared source"

NULLS: Final = 50
"""Draws of the null: the highest two of them are passed by chance in 2 of 51 runs."""

TITLES: Final = 3
TEMPLATE_ROWS: Final = 20

NETWORKS: Final = pa.schema(
    [
        ("network_id", pa.string()),
        ("kind", pa.string()),
        ("evidence", pa.list_(pa.string())),
        ("accounts", pa.int64()),
        ("conversations", pa.int64()),
        ("first", pa.timestamp("us", tz="UTC")),
        ("last", pa.timestamp("us", tz="UTC")),
        ("growth", pa.float64()),
        ("score", pa.float64()),
        ("q", pa.float64()),
        ("parts", pa.string()),
        ("explanation", pa.string()),
        ("fit", pa.float64()),
        ("clusters", pa.list_(pa.string())),
        ("titles", pa.list_(pa.string())),
        ("template", pa.string()),
    ]
)
"""`parts` is an object as JSON text. `kind` is ``network`` or ``shared source``."""

ACCOUNTS: Final = pa.schema(
    [
        ("network_id", pa.string()),
        ("account", pa.string()),
        ("conversations", pa.int64()),
        ("common", pa.int64()),
    ]
)
"""`account` is the run's pseudonym; `common` are those of its conversations that are evidence."""


def networks_file(directory: RunDirectory) -> Path:
    """The contract's table of networks."""
    return directory.restricted / "networks.parquet"


def network_accounts_file(directory: RunDirectory) -> Path:
    """The contract's table of their accounts."""
    return directory.restricted / "network_accounts.parquet"


@dataclass(frozen=True, slots=True)
class Network:
    """A network, or a shared source, without any account and any text.

    Attributes
    ----------
    network_id, kind
        Which one, and ``network`` or ``shared source``.
    evidence
        Kinds of traits that its accounts have in common.
    accounts, conversations
        How many accounts, and how many of their conversations are evidence.
    first, last
        ISO dates, or ``None`` without dates.
    growth, score, q
        See the table.
    parts
        What was measured, by name.
    explanation, fit
        The nearest innocent explanation, and how well it fits.
    titles
        Released titles of the clusters that its conversations are most in.
    """

    network_id: str
    kind: str
    evidence: tuple[str, ...]
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
    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coordination:
    """What `find_networks` found.

    Attributes
    ----------
    networks
        Networks first, then shared sources, each part by falling score.
    accounts, conversations
        How many were looked at.
    left_out
        Conversations that were not: those without an answer, or over their account's cap.
    thresholds
        Nats that a tie needs, by size of the group.
    inflation
        Pairs of accounts outside of networks for one that chance would give, or ``None`` where
        there are too few.
    null_fits
        Whether the q-values may be believed.
    nulls, declared_rate
        Draws of the null, and the share of runs, of those in which no accounts act together, that
        at most have any group.
    """

    networks: list[Network]
    accounts: int
    conversations: int
    left_out: int
    thresholds: dict[int, float]
    inflation: float | None
    null_fits: bool
    nulls: int = NULLS
    declared_rate: float = DECLARED_RATE


def find_networks(
    path: str | Path,
    *,
    labels: Sequence[str] = (),
    sources: Sequence[str] = (),
    seed: int | None = None,
    nulls: int = NULLS,
    progress: Progress | None = None,
) -> Coordination:
    """Find accounts of a finished run that act together, for the safety role.

    Parameters
    ----------
    path
        The run directory.
    labels
        Labels whose values count as common traits.
    sources
        Labels that say where texts came from: a product, a class. What shares one is set apart.
    seed
        Of all that is random; the run's where not given.
    nulls
        Draws of the null.
    progress
        Told of what happens.

    Returns
    -------
    What may be shown. The tables in ``restricted/`` have pseudonyms and templates beside it.

    Raises
    ------
    ClioError
        With one line that says what to do: the run is not finished, or has no such label.
    """
    progress = progress or NoProgress()
    directory = RunDirectory(Path(path))
    with explained(directory), directory.opened():
        release = open_release(directory.path)
        facet = next(f.name for f in release.info.facets if f.primary)
        seed = directory.state.seed if seed is None else seed
        _check(directory, facet)
        progress.stage_started("gather", release.info.totals.conversations, "conversations")
        began = time.monotonic()
        actions = Actions(
            directory, facet, labels=labels, sources=sources, seed=seed, progress=progress
        )
        progress.stage_finished("gather", time.monotonic() - began, skipped=False)
        progress.stage_started("networks", nulls, "nulls")
        began = time.monotonic()
        found = find_groups(
            actions.rows,
            parent_arrays(directory, facet),
            nulls=nulls,
            seed=seed,
            advanced=progress.advanced,
        )
        leads = explain(actions.rows, found.groups)
        networks = _write(directory, actions, leads, _Titles(directory, facet, release))
        access.record(directory.restricted, "look", {"what": "networks"})
        progress.stage_finished("networks", time.monotonic() - began, skipped=False)
    return Coordination(
        networks=networks,
        accounts=actions.rows.accounts,
        conversations=len(actions.rows),
        left_out=actions.read - len(actions.rows),
        thresholds={size: round(value, 3) for size, value in found.thresholds.items()},
        inflation=_number(found.inflation),
        null_fits=found.null_fits,
        nulls=nulls,
    )


def _check(directory: RunDirectory, facet: str) -> None:
    """See that what the run keeps privately is still there.

    Raises
    ------
    RunError
        It is not.
    """
    needed = (members_file(directory, facet), nodes_file(directory, facet))
    if not all(path.is_file() for path in needed):
        raise RunError(
            f"{directory.path} is not finished, or what is private in it was removed; "
            f"run it again first: clio run INPUT... --out {directory.path}"
        )


class _Titles:
    """Ids and titles of clusters: as written for the safety role, as released for all others."""

    def __init__(self, directory: RunDirectory, facet: str, release: Release) -> None:
        nodes = files.read_table(
            nodes_file(directory, facet), ["level", "index", "cluster_id", "parent_id", "title"]
        ).to_pylist()
        leaves = sorted((n for n in nodes if n["level"] == 0), key=lambda node: node["index"])
        self._ids: list[str] = [node["cluster_id"] for node in leaves]
        self._above = {node["cluster_id"]: node["parent_id"] for node in nodes}
        self._written = {node["cluster_id"]: node["title"] for node in nodes}
        self._released = {c.cluster_id: c.title for c in release.walk(facet=facet) if not c.is_root}

    def of(self, leaves: NDArray[np.int64]) -> tuple[list[str], list[str], tuple[str, ...]]:
        """The most frequent leaves: their ids, their titles, and titles that may be shown."""
        counts = np.bincount(leaves)
        top = np.argsort(-counts, kind="stable")[:TITLES]
        ids = [self._ids[leaf] for leaf in top.tolist() if counts[leaf]]
        shown = dict.fromkeys(filter(None, (self._shown(leaf) for leaf in ids)))
        return ids, [self._written[leaf] for leaf in ids], tuple(shown)

    def _shown(self, cluster: str | None) -> str | None:
        while cluster is not None and cluster not in self._released:
            cluster = self._above[cluster]
        return None if cluster is None else self._released[cluster]


def _write(
    directory: RunDirectory, actions: Actions, leads: Sequence[Lead], titles: _Titles
) -> list[Network]:
    """Write both tables; what may be shown of them."""
    rows, start = actions.rows, datetime.fromtimestamp(actions.start, UTC)
    shown_rows = [
        lead.rows[rows.text[lead.rows] == lead.text][:TEMPLATE_ROWS] if lead.text >= 0 else None
        for lead in leads
    ]
    ids = [[] if of is None else actions.ids.take(pa.array(of)).to_pylist() for of in shown_rows]
    said = longest_requests(directory, [i for of in ids for i in of])
    networks, table, accounts = [], [], []
    for number, (lead, own) in enumerate(zip(leads, ids, strict=True), start=1):
        name = f"network-{number}"
        clusters, written, shown = titles.of(rows.leaf[lead.rows])
        seconds = rows.second[lead.rows]
        seconds = seconds[seconds >= 0]
        first, last = (
            (start + timedelta(seconds=int(s)) if len(seconds) else None)
            for s in ((seconds.min(), seconds.max()) if len(seconds) else (0, 0))
        )
        parts = {key: _number(value) for key, value in lead.parts.as_dict().items()}
        growth = parts.pop("growth")
        network = Network(
            network_id=name,
            kind=NETWORK if lead.is_network else SHARED_SOURCE,
            evidence=lead.evidence,
            accounts=len(lead.group.accounts),
            conversations=len(lead.rows),
            first=None if first is None else first.date().isoformat(),
            last=None if last is None else last.date().isoformat(),
            growth=growth,
            score=round(lead.group.score, 3),
            q=round(lead.group.chance, 6),
            parts=parts,
            explanation=lead.explanation,
            fit=lead.fit,
            titles=shown,
        )
        networks.append(network)
        table.append(
            {
                **asdict(network),
                "first": first,
                "last": last,
                "parts": orjson.dumps(parts).decode(),
                "clusters": clusters,
                "titles": written,
                "template": template_of([said[i] for i in own]) if own else None,
            }
        )
        accounts += _accounts(name, actions, lead)
    files.write_table(
        network_accounts_file(directory), pa.Table.from_pylist(accounts, schema=ACCOUNTS)
    )
    files.write_table(networks_file(directory), pa.Table.from_pylist(table, schema=NETWORKS))
    return networks


def _accounts(name: str, actions: Actions, lead: Lead) -> list[dict[str, Any]]:
    account = actions.rows.account
    whole = np.bincount(account, minlength=actions.rows.accounts)
    common = np.bincount(account[lead.rows], minlength=actions.rows.accounts)
    return [
        {
            "network_id": name,
            "account": actions.accounts[number].as_py(),
            "conversations": int(whole[number]),
            "common": int(common[number]),
        }
        for number in lead.group.accounts.tolist()
    ]


def _number(value: float) -> float | None:
    """A rounded number, or ``None`` for what is not known."""
    return None if np.isnan(value) else round(float(value), 4)
