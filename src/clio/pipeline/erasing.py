"""Takes one account's rows out of the private and restricted files of a run.

Nothing is changed in place: the files are those of a shadow of the run, made of hard links, and a
file that is written anew leaves the run's own as it was.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clio.conversation import Outcome
from clio.pipeline import files
from clio.pipeline.networks import network_accounts_file, networks_file
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.cluster import (
    assignments_folder,
    base_centroids_file,
    leaf_centroids_file,
    leaf_of_base_file,
    text_leaves_file,
)
from clio.pipeline.stages.embed import vectors_folder
from clio.pipeline.stages.facets import cut_folder, unanswered_folder
from clio.pipeline.stages.layout import text_cells_file
from clio.pipeline.stages.read import conversations_folder, ledger_folder
from clio.pipeline.stages.texts import capped_file, members_file, texts_file
from clio.pipeline.tombstones import FORGOTTEN

REJECTED_FILE: Final = "rejected.jsonl"
FAILED_FILE: Final = "failed.jsonl"

_ID: Final = "conversation_id"
_ACCOUNT: Final = "account"
_ACCOUNTS: Final = "accounts"


@dataclass(frozen=True)
class Belongings:
    """What a run holds of an account.

    Attributes
    ----------
    account
        Its pseudonym.
    ids
        Its conversations.
    moments
        When they began, UTC; those that are known.
    unanswered
        How many of them ended unanswered, by outcome and reason.
    cut, capped
        How many the analyst saw in part, and how many were over the cap.
    clusters
        Leaves that they are in, by facet.
    """

    account: str
    ids: pa.Array
    moments: frozenset[Any]
    unanswered: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    cut: int = 0
    capped: int = 0
    clusters: dict[str, frozenset[str]] = field(default_factory=dict)

    def of(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """Which entries of a column of ids are its own."""
        return pc.fill_null(pc.is_in(column, value_set=self.ids), False)


def belongings_of(directory: RunDirectory, account: str) -> Belongings:
    """What a run holds of an account, by its pseudonym."""
    ids: list[str] = []
    moments: set[Any] = set()
    for part in files.parts(conversations_folder(directory)):
        table = files.read_table(part, [_ID, _ACCOUNT, "created_at"])
        own = table.filter(pc.equal(table[_ACCOUNT], account))
        ids += own[_ID].to_pylist()
        moments.update(own["created_at"].to_pylist())
    bare = Belongings(account, pa.array(ids, pa.string()), frozenset(moments - {None}))
    unanswered = _own(bare, unanswered_folder(directory), "outcome", "reason")
    assigned = _own(bare, assignments_folder(directory), "facet", "cluster_id")
    clusters: dict[str, set[str]] = {}
    for facet, cluster in zip(*(c.to_pylist() for c in assigned), strict=True):
        clusters.setdefault(facet, set()).add(cluster)
    return Belongings(
        bare.account,
        bare.ids,
        bare.moments,
        Counter(zip(*(c.to_pylist() for c in unanswered), strict=True)),
        len(_own(bare, cut_folder(directory), _ID)[0]),
        len(_own(bare, capped_file(directory), _ID)[0]),
        {facet: frozenset(found) for facet, found in clusters.items()},
    )


def _own(whose: Belongings, path: Path, *columns: str) -> list[pa.ChunkedArray]:
    """Columns of the account's rows in a table, which need not be there."""
    if not (path.is_file() or files.parts(path)):
        return [pa.chunked_array([], pa.string())] * len(columns)
    table = files.read_table(path, list(dict.fromkeys([_ID, *columns])))
    return list(table.filter(whose.of(table[_ID])).select(columns).columns)


def erase(shadow: RunDirectory, whose: Belongings) -> None:
    """Take the account out of all files of a shadow whose structure tells what is its own.

    Parameters
    ----------
    shadow
        The run's files as hard links.
    whose
        Of the account.
    """
    for folder in sorted(shadow.work.glob("*/")):
        if members_file(shadow, folder.name).is_file():
            _erase_texts(shadow, folder.name, whose)
    read = shadow.state.stages.get("read")
    is_read = read is not None and read.done
    for part in files.parts(ledger_folder(shadow)):
        _erase_entries(part, whose, read=is_read)
    _erase_networks(shadow, whose)
    for path in all_files(shadow):
        if path.suffix == ".parquet" and path.parent != ledger_folder(shadow):
            _erase_rows(path, whose)
    for name in (REJECTED_FILE, FAILED_FILE):
        if (path := shadow.private / name).is_file():
            _erase_lines(path, whose)


def all_files(directory: RunDirectory) -> Iterator[Path]:
    """Every file of the two tiers that are for the owner alone."""
    for tier in (directory.private, directory.restricted):
        yield from sorted(path for path in tier.rglob("*") if path.is_file())


def _erase_rows(path: Path, whose: Belongings) -> None:
    """Drop rows of its conversations or of itself, and itself from lists of accounts."""
    schema = pq.read_schema(path)
    drops, lists = _columns(schema)
    if not (drops or lists):
        return
    known = files.read_table(path, [*drops, *lists])
    gone = np.zeros(known.num_rows, bool)
    for name in drops:
        own = whose.of(known[name]) if name == _ID else pc.equal(known[name], whose.account)
        gone |= pc.fill_null(own, False).to_numpy()
    named = {name: _named(known[name], whose.account) for name in lists}
    if not (gone.any() or any(rows.any() for rows in named.values())):
        return
    table = files.read_table(path)
    for name in lists:
        values = [
            None if row is None else [one for one in row if one != whose.account]
            for row in table[name].to_pylist()
        ]
        at = schema.get_field_index(name)
        table = table.set_column(at, schema.field(at), pa.array(values, schema.field(at).type))
    files.write_table(path, table.filter(pa.array(~gone)))


def _columns(schema: pa.Schema) -> tuple[list[str], list[str]]:
    """Columns by which rows are dropped, and lists that accounts are taken out of."""
    texts = {f.name for f in schema if pa.types.is_string(f.type)}
    lists = {f.name for f in schema if f.type == pa.list_(pa.string())}
    return [n for n in (_ID, _ACCOUNT) if n in texts], [n for n in (_ACCOUNTS,) if n in lists]


def _named(column: pa.ChunkedArray, account: str) -> NDArray[np.bool_]:
    """Rows whose list names the account."""
    rows = np.zeros(len(column), bool)
    lists = column.combine_chunks()
    found = pc.equal(pc.list_flatten(lists), account).to_numpy(zero_copy_only=False)
    rows[pc.list_parent_indices(lists).to_numpy()[found]] = True
    return rows


def _erase_entries(part: Path, whose: Belongings, *, read: bool) -> None:
    """Rows of the input stay counted: those of the account become skipped ones of nobody.

    A row that never became a conversation holds no text, but nothing says whose it was: so of these
    all lose their ids.
    """
    table = files.read_table(part)
    own = whose.of(table[_ID]).to_numpy()
    out = table["outcome"].is_valid().to_numpy()
    live = own & ~out

    def put(name: str, rows: NDArray[np.bool_], value: str | None = None) -> None:
        nonlocal table
        at = table.schema.get_field_index(name)
        new = pa.scalar(value, table.schema.field(at).type)
        column = pc.if_else(pa.array(rows), new, table[name])
        table = table.set_column(at, table.schema.field(at), column)

    put(_ID, own | out)
    for name in ("id_hash", "content_hash"):
        put(name, live | out if read else live)  # while it is read they tell duplicates
    for name in ("file", "line", "named_account"):
        put(name, live)
    put("outcome", live, Outcome.SKIPPED.value)
    put("reason", live, FORGOTTEN)
    files.write_table(part, table)


def _erase_lines(path: Path, whose: Belongings) -> None:
    """Drop lines about its conversations; of rejected rows, which may be anybody's, the ids."""
    own = set(whose.ids.to_pylist())
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    if path.name == REJECTED_FILE:
        files.write_json_lines(path, [{**row, _ID: None} for row in rows])
    elif any(row.get(_ID) in own for row in rows):
        files.write_json_lines(path, [row for row in rows if row.get(_ID) not in own])


def _erase_texts(shadow: RunDirectory, facet: str, whose: Belongings) -> None:
    """Drop members, and the texts that nobody else wrote with all that stands in their order."""
    members = files.read_table(members_file(shadow, facet))
    gone = whose.of(members[_ID]).to_numpy()
    if not gone.any():
        return
    texts = files.read_table(texts_file(shadow, facet))
    text_of = members["text"].to_numpy()
    lost = np.bincount(text_of[gone], minlength=texts.num_rows)
    weight = texts["weight"].to_numpy() - lost
    keep = weight > 0
    number = np.cumsum(keep) - 1

    def renumbered(table: pa.Table, rows: NDArray[np.bool_]) -> pa.Table:
        at = table.schema.get_field_index("text")
        new = pa.array(number[table["text"].to_numpy()[rows]], table.schema.field(at).type)
        return table.filter(pa.array(rows)).set_column(at, table.schema.field(at), new)

    files.write_table(members_file(shadow, facet), renumbered(members, ~gone))
    at = texts.schema.get_field_index("weight")
    weights = pa.array(weight, texts.schema.field(at).type)
    texts = texts.set_column(at, texts.schema.field(at), weights).filter(pa.array(keep))
    files.write_table(texts_file(shadow, facet), texts)
    start = 0
    for part in files.parts(vectors_folder(shadow, facet)):
        vectors = np.load(part, allow_pickle=False)
        own = keep[start : start + len(vectors)]
        start += len(vectors)
        if not own.all():
            files.write_array(part, vectors[own])
    if (path := text_leaves_file(shadow, facet)).is_file():
        leaves = np.load(path, allow_pickle=False)
        files.write_array(path, leaves[keep])
        _erase_places(shadow, facet, np.setdiff1d(leaves, leaves[keep]))
    if (path := text_cells_file(shadow, facet)).is_file():
        cells = files.read_table(path)
        files.write_table(path, renumbered(cells, keep[cells["text"].to_numpy()]))


def _erase_places(shadow: RunDirectory, facet: str, emptied: NDArray[np.int32]) -> None:
    """Where nobody else is, the mean of texts is that of the account's own."""
    leaf_of_base = np.load(leaf_of_base_file(shadow, facet), allow_pickle=False)
    for path, rows in (
        (leaf_centroids_file(shadow, facet), emptied),
        (base_centroids_file(shadow, facet), np.flatnonzero(np.isin(leaf_of_base, emptied))),
    ):
        if len(rows):
            centroids = np.load(path, allow_pickle=False)
            centroids[rows] = 0
            files.write_array(path, centroids)


def _erase_networks(shadow: RunDirectory, whose: Belongings) -> None:
    """Networks that the account was part of lose it, its moments, and the text they share."""
    accounts, networks = network_accounts_file(shadow), networks_file(shadow)
    if not (accounts.is_file() and networks.is_file()):
        return
    rows = files.read_table(accounts).to_pylist()
    common = {row["network_id"]: row["common"] for row in rows if row["account"] == whose.account}
    if not common:
        return
    table = files.read_table(networks)
    found = table.to_pylist()
    for row in found:
        if row["network_id"] in common:
            row["accounts"] -= 1
            row["conversations"] -= common[row["network_id"]]
            row["template"] = None
            for name in ("first", "last"):
                row[name] = None if row[name] in whose.moments else row[name]
    files.write_table(networks, pa.Table.from_pylist(found, schema=table.schema))


def leftovers(paths: Iterable[Path], needles: Iterable[str]) -> list[Path]:
    """Files that hold any of some texts, as they are or as JSON writes them, compressed or not."""
    wanted = [needle.encode("utf-8", "surrogatepass") for needle in needles]
    wanted += [
        quoted for needle in wanted if (quoted := _as_json(needle)) is not None and quoted != needle
    ]
    return [path for path in paths if _holds(path, wanted)]


def _as_json(needle: bytes) -> bytes | None:
    try:
        return orjson.dumps(needle.decode())[1:-1]
    except (UnicodeDecodeError, orjson.JSONEncodeError):
        return None


def _holds(path: Path, needles: list[bytes]) -> bool:
    if path.suffix != ".parquet":
        content = path.read_bytes()
    else:
        content = os.linesep.encode().join(
            b"\n".join(_texts(column)) for column in pq.read_table(path, partitioning=None).columns
        )
    return any(needle in content for needle in needles)


def _texts(column: pa.ChunkedArray) -> Iterator[bytes]:
    """All texts of a column, nested ones too."""
    for chunk in column.chunks:
        yield from _texts_of(chunk)


def _texts_of(array: pa.Array) -> Iterator[bytes]:
    kind = array.type
    if pa.types.is_struct(kind):
        for number in range(kind.num_fields):
            yield from _texts_of(array.field(number))
    elif pa.types.is_list(kind):
        yield from _texts_of(array.flatten())
    elif pa.types.is_string(kind) or pa.types.is_binary(kind):
        for value in array.cast(pa.binary()).to_pylist():
            if value is not None:
                yield value
