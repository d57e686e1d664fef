"""Conversations of a run with what was said of them, and sums by cluster that know accounts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from clio.errors import SettingsError
from clio.monitoring import Tree
from clio.pipeline import files
from clio.pipeline.facets import Facets
from clio.pipeline.histories import database
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.cluster import assignments_folder
from clio.pipeline.stages.facets import facets_folder
from clio.pipeline.stages.hierarchy import CONCERN, nodes_file
from clio.pipeline.stages.read import conversations_folder
from clio.pipeline.stages.texts import members_file
from clio.release.read import Release
from clio.release.schema import ROOT_ID, ROOT_LEVEL
from clio.statistics import mean_interval, share_interval

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

REFUSED: Final = "refused"

_ROWS: Final = """
SELECT c.account, t."index" AS leaf, m.text, c.labels,
       epoch_us(c.created_at) AS moment, {columns}
FROM members m
JOIN assignments a USING (conversation_id)
JOIN facets f USING (conversation_id)
JOIN conversations c USING (conversation_id)
JOIN nodes n ON n.cluster_id = a.cluster_id AND n.level = 0
JOIN nodes t ON t.cluster_id = coalesce(n."into", n.cluster_id)
WHERE a.facet = ?
ORDER BY sha256(? || ':' || c.conversation_id)
"""
_DAY: Final = 86_400_000_000


@dataclass(frozen=True)
class Nodes:
    """The clusters of a facet, the root last.

    Attributes
    ----------
    ids, levels, titles
        Titles have not passed the gate.
    shown
        The title of the nearest cluster above that was released, or of itself; ``None`` for none.
    of_leaf
        Sparse ``(leaves, nodes)``: 1 where a leaf is a node or lies under it.
    """

    ids: list[str]
    levels: Ids
    titles: list[str]
    shown: list[str | None]
    of_leaf: Any

    def __len__(self) -> int:
        return len(self.ids)


def read_nodes(directory: RunDirectory, facet: str, release: Release) -> Nodes:
    """The tree of a facet, with the titles that may be shown."""
    rows = [
        row
        for row in files.read_table(nodes_file(directory, facet)).to_pylist()
        if row["into"] is None
    ]
    ids = [str(row["cluster_id"]) for row in rows]
    at = {cluster: i for i, cluster in enumerate(ids)}
    leaves = sorted(
        (i for i, row in enumerate(rows) if row["level"] == 0), key=lambda i: rows[i]["index"]
    )
    parent = [-1 if row["parent_id"] is None else at[row["parent_id"]] for row in rows]
    tree = Tree.of(parent, leaves).of_leaf
    # Leaves are numbered as they were found; those that became a part of others have no rows.
    count = 1 + max(rows[i]["index"] for i in leaves)
    place = csr_array(
        (np.ones(len(leaves)), ([rows[i]["index"] for i in leaves], np.arange(len(leaves)))),
        shape=(count, len(leaves)),
    )
    of_leaf = csr_array(hstack([place @ tree, csr_array(np.ones((count, 1)))]))
    titles = [str(row["title"]) for row in rows]
    return Nodes(
        [*ids, ROOT_ID],
        np.array([*(row["level"] for row in rows), ROOT_LEVEL], np.int64),
        [*titles, "All conversations"],
        [*_shown(ids, parent, facet, release), "All conversations"],
        of_leaf,
    )


def _shown(ids: list[str], parent: list[int], facet: str, release: Release) -> list[str | None]:
    released = {c.cluster_id: c.title for c in release.walk(facet=facet) if not c.is_root}
    found: list[str | None] = []
    for at in range(len(ids)):
        node = at
        while node >= 0 and ids[node] not in released:
            node = parent[node]
        found.append(released[ids[node]] if node >= 0 else None)
    return found


@dataclass(frozen=True)
class Label:
    """A label of the owner's, beside the rows.

    Attributes
    ----------
    kind
        Told from its values.
    number
        (n,) float64: 0 or 1, the score, or the index in `values`; NaN where there is none.
    values
        Of a category, sorted.
    """

    kind: Literal["boolean", "score", "category"]
    number: Floats
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rows:
    """The clustered conversations of a run, in an order that is random but the seed's.

    Attributes
    ----------
    account
        (n,) int64, numbered by first appearance, so that nothing depends on the key.
    leaf, text, day
        (n,) int64: fine cluster, number of the text, days since the first one or -1.
    concern
        (n,) int64, 0 where there is no answer.
    answers
        Of closed facets, by name: a number a value, -1 for none; and the values.
    label
        The one that was asked for.
    """

    account: Ids
    leaf: Ids
    text: Ids
    day: Ids
    concern: Ids
    answers: Mapping[str, tuple[Ids, tuple[str, ...]]]
    label: Label | None

    def __len__(self) -> int:
        return len(self.account)


def read_rows(
    directory: RunDirectory,
    facets: Facets,
    facet: str,
    *,
    seed: int,
    label: str | None,
    closed: Collection[str],
) -> Rows:
    """Read the clustered conversations of a run; no message is.

    Parameters
    ----------
    directory, facets, facet
        The run, its facets, and the one whose clusters count.
    seed
        Of the order.
    label
        A label of the owner's to read too.
    closed
        Closed facets to read too, as far as the run has them.

    Raises
    ------
    SettingsError
        No conversation has the label, or its values are of several kinds.
    """
    known = {f.name for f in facets.all}
    names = [name for name in closed if name in known]
    columns = ", ".join(f'f."{name}"' for name in (*names, *({CONCERN} & known)))
    with database(directory) as sql:
        for name, place in (
            ("members", members_file(directory, facet)),
            ("assignments", assignments_folder(directory)),
            ("facets", facets_folder(directory)),
            ("conversations", conversations_folder(directory)),
            ("nodes", nodes_file(directory, facet)),
        ):
            files.register(sql, name, place)
        query = _ROWS.format(columns=columns or "NULL AS nothing")
        table = sql.sql(query, params=[facet, str(seed)]).to_arrow_table()
    moment = pc.fill_null(table["moment"], -1).to_numpy()
    dated = moment >= 0
    start = int(moment[dated].min()) // _DAY if dated.any() else 0
    concern = pc.fill_null(table[CONCERN], 0) if CONCERN in known else None
    return Rows(
        account=_codes(table["account"])[0],
        leaf=table["leaf"].to_numpy().astype(np.int64),
        text=table["text"].to_numpy().astype(np.int64),
        day=np.where(dated, moment // _DAY - start, -1).astype(np.int64),
        concern=(
            np.zeros(table.num_rows, np.int64)
            if concern is None
            else concern.to_numpy().astype(np.int64)
        ),
        answers={name: _codes(table[name]) for name in names},
        label=None if label is None else _label(label, table["labels"]),
    )


def _codes(column: pa.ChunkedArray) -> tuple[Ids, tuple[str, ...]]:
    """Numbers of values by first appearance, -1 for none, and the values."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    numbers = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    return numbers.astype(np.int64), tuple(str(v) for v in encoded.dictionary.to_pylist())


def _label(name: str, column: pa.ChunkedArray) -> Label:
    found = [orjson.loads(text).get(name) if text else None for text in column.to_pylist()]
    kinds = {type(value) for value in found if value is not None}
    if not kinds:
        raise SettingsError(f"no conversation of the run has a label named {name!r}")
    if kinds == {bool}:
        return Label("boolean", _numbers(found))
    if kinds <= {int, float, bool}:
        number = _numbers(found)
        plain = set(np.unique(number[np.isfinite(number)]).tolist()) <= {0.0, 1.0}
        return Label("boolean" if plain else "score", number)
    if kinds == {str}:
        values = tuple(sorted({value for value in found if value is not None}))
        at = {value: float(i) for i, value in enumerate(values)}
        number = np.array([np.nan if value is None else at[value] for value in found])
        return Label("category", number, values)
    raise SettingsError(
        f"the label {name!r} is neither a yes or no, nor a number, nor a word in every conversation"
    )


def _numbers(values: list[Any]) -> Floats:
    return np.array([np.nan if value is None else float(value) for value in values])


@dataclass(frozen=True)
class Sums:
    """A measure by node, ``(nodes,)`` float64 each; NaN where no conversation has it.

    Attributes
    ----------
    conversations
        That have it.
    value, low, high
        Mean or share, with its 95 % interval by account.
    """

    conversations: Floats
    value: Floats
    low: Floats
    high: Floats


def shares(account: Ids, leaf: Ids, of_leaf: Any, hit: Bools) -> Sums:
    """Share of the conversations of each node that are hit, with intervals by account."""
    return _summed(account, leaf, of_leaf, hit.astype(np.float64), share=True)


def means(account: Ids, leaf: Ids, of_leaf: Any, measure: Floats) -> Sums:
    """Mean of a measure in each node, with intervals by account."""
    return _summed(account, leaf, of_leaf, measure, share=False)


def _summed(account: Ids, leaf: Ids, of_leaf: Any, measure: Floats, *, share: bool) -> Sums:
    shape = (int(account.max(initial=-1)) + 1, of_leaf.shape[0])
    n = csr_array((np.ones(len(account)), (account, leaf)), shape=shape) @ of_leaf
    x = csr_array((measure, (account, leaf)), shape=shape) @ of_leaf

    def total(matrix: Any) -> Floats:
        return np.asarray(matrix.sum(axis=0), np.float64).ravel()

    parts = (total(x), total(n), total(x.multiply(x)), total(x.multiply(n)), total(n.multiply(n)))
    accounts = total(n > 0)
    if share:
        low, high = share_interval(*parts, accounts)
        value = np.where(parts[1] > 0, parts[0] / np.maximum(parts[1], 1), np.nan)
    else:
        value, low, high = mean_interval(*parts, accounts)
    known = parts[1] > 0
    return Sums(parts[1], value, np.where(known, low, np.nan), np.where(known, high, np.nan))
