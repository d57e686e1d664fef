"""What a differentially private export may know of a run: at most three rows an account.

The only door from exports to ``private/``. Each use is written to ``restricted/access.log``, and
what it spends to ``private/exports.jsonl``, before anything that came of it can be published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

import duckdb
import orjson
import pyarrow as pa

from clio import access
from clio.errors import EpsilonError, RunError
from clio.facet import UNKNOWN
from clio.pipeline import files, stages
from clio.pipeline.aggregates import Aggregator, value_of
from clio.pipeline.facets import restored
from clio.pipeline.failures import explained
from clio.pipeline.histories import database
from clio.pipeline.run_directory import RunDirectory
from clio.privacy.scrub import scrub
from clio.privacy.tiers import PrivateTable
from clio.release.read import Release, open_release

ROWS_OF_ACCOUNT: Final = 3
"""An account counts in at most so many leaves, once in each."""


@dataclass(frozen=True)
class Wanted:
    """What is to be counted, named by the release alone.

    Attributes
    ----------
    facet
        Whose clusters.
    places
        For each released cluster, the root included: its depth and the number under which what is
        in it, and in no released cluster below it, is counted.
    dimensions
        For each dimension of breakdowns the values that are told apart.
    periods
        First days of the periods that are told apart.
    granularity
        What a period is.
    """

    facet: str
    places: Mapping[str, tuple[int, int]]
    dimensions: Mapping[str, Sequence[str]]
    periods: Sequence[date]
    granularity: Literal["day", "week", "month"]


CONTRIBUTIONS: Final = """
SELECT * EXCLUDE (account, key, nth) FROM (
    SELECT *, row_number() OVER (PARTITION BY account ORDER BY key) AS nth FROM (
        SELECT f.account, p.place, sha256('export:{seed}:' || f.conversation_id) AS key {columns}
        FROM facts f JOIN leaf_places p USING (leaf) {joins}
        QUALIFY row_number() OVER (PARTITION BY f.account, p.place ORDER BY key) = 1
    )
) WHERE nth <= {rows}
"""
"""Of each account's conversations in a place the first by hash; of its places the first three.

The hash is of seed and conversation, so that the choice depends on the account's own rows alone
and not on the key of the pseudonyms.
"""


class PrivateRun:
    """A run whose private tables are open for one export.

    Parameters
    ----------
    directory
        The run, held and with its state read.

    Attributes
    ----------
    release
        The latest release.
    """

    def __init__(self, directory: RunDirectory) -> None:
        self._directory = directory
        self.release: Release = open_release(directory.path)

    def log(self) -> list[dict[str, Any]]:
        """Earlier uses, as `record` got them.

        Raises
        ------
        EpsilonError
            The log cannot be read, so that nobody knows what was spent.
        """
        path = _log_file(self._directory)
        if not path.exists():
            return []
        try:
            return [orjson.loads(line) for line in path.read_bytes().splitlines()]
        except ValueError:
            raise EpsilonError(
                f"{path} is damaged, so that nobody knows what was spent; restore it from a copy"
            ) from None

    def record(self, entry: Mapping[str, Any]) -> None:
        """Add a use to the log; it stands on disk when this returns."""
        files.write_json_lines(_log_file(self._directory), [*self.log(), dict(entry)])

    def countable(self, dimensions: Iterable[str]) -> list[str]:
        """Those dimensions of which a conversation has one value at most."""
        facets = restored(self._directory.state.facets)
        several = {facet.name for facet in facets.closed if facet.kind == "categories"}
        return [name for name in dimensions if name not in several]

    def contributions(self, wanted: Wanted, *, seed: int | None = None) -> PrivateTable:
        """What each account adds to the counts, bounded to `ROWS_OF_ACCOUNT` rows.

        Parameters
        ----------
        wanted
            What is to be counted.
        seed
            Of the choice among an account's conversations; the run's where not given. It never
            reaches the noise.

        Returns
        -------
        PrivateTable
            ``place``; ``dimension 0``, ``dimension 1``, … and ``period``: number of the value,
            null for any that is not wanted. One row a conversation; no account, no id.

        Raises
        ------
        RunError
            The run is not finished, changed after its release, or was purged.
        """
        self._check(wanted.facet)
        access.record(self._directory.restricted, "export", {"opened": "private"})
        facets = restored(self._directory.state.facets)
        seed = self._directory.state.seed if seed is None else seed
        with database(self._directory) as sql:
            Aggregator(sql, self._directory, facets, wanted.facet)
            _register_places(sql, wanted)
            columns, joins = [], []
            closed = {facet.name: facet for facet in facets.closed}
            for i, (name, values) in enumerate(wanted.dimensions.items()):
                if name in closed:
                    raw, table = value_of(closed[name]), _codes(values)
                else:
                    raw = f"coalesce(f.labels ->> {_label_path(name)}, '{UNKNOWN}')"
                    table = _label_codes(sql, raw, values)
                sql.register(f"values_{i}", table)
                columns.append(f', v{i}.code AS "dimension {i}"')
                joins.append(f"LEFT JOIN values_{i} v{i} ON v{i}.value = {raw}")
            sql.register("periods", _codes(wanted.periods, pa.date32()))
            columns.append(", d.code AS period")
            joins.append(
                "LEFT JOIN periods d ON d.value = "
                f"date_trunc('{wanted.granularity}', f.created_at)::DATE"
            )
            return bounded(sql, "".join(columns), " ".join(joins), seed)

    def _check(self, facet: str) -> None:
        """See that the private tables are there and are those of the release."""
        directory = self._directory
        needed = (
            stages.texts.members_file,
            stages.hierarchy.nodes_file,
            stages.layout.places_file,
            stages.layout.text_cells_file,
        )
        stage = directory.state.stages.get("release")
        if (
            not all(file(directory, facet).is_file() for file in needed)
            or stage is None
            or not stage.done
        ):
            raise RunError(
                f"{directory.path} is not finished, or what is private in it was removed; a "
                "differentially private export counts again: run it first, clio run INPUT... "
                f"--out {directory.path}"
            )
        if directory.state.release != self.release.info.number:
            raise RunError(
                f"{directory.path} changed after its latest release; run the same clio run again"
            )


@contextmanager
def opened_for_export(path: str | Path) -> Iterator[PrivateRun]:
    """Open a run's private tables for one export, with the run held.

    Raises
    ------
    RunError
        It is no run directory, or another process works on it.
    """
    directory = RunDirectory(Path(path))
    with explained(directory), directory.opened():
        yield PrivateRun(directory)


def bounded(
    sql: duckdb.DuckDBPyConnection, columns: str = "", joins: str = "", seed: int = 0
) -> PrivateTable:
    """Bound what each account adds; see `CONTRIBUTIONS`.

    Parameters
    ----------
    sql
        With the tables ``facts`` (``account``, ``leaf``, ``conversation_id`` and what `columns`
        names) and ``leaf_places`` (``leaf``, ``place``).
    columns, joins
        Further columns, each with a comma before it, and what they need.
    seed
        Of the choice.
    """
    query = CONTRIBUTIONS.format(seed=seed, columns=columns, joins=joins, rows=ROWS_OF_ACCOUNT)
    return PrivateTable(sql.sql(query).to_arrow_table())


def _log_file(directory: RunDirectory) -> Path:
    return directory.private / "exports.jsonl"


def _register_places(sql: duckdb.DuckDBPyConnection, wanted: Wanted) -> None:
    """The table of leaves: a leaf belongs to the deepest released cluster above it."""
    released = pa.table(
        {
            "cluster_id": pa.array(list(wanted.places), pa.string()),
            "depth": pa.array([depth for depth, _ in wanted.places.values()], pa.int32()),
            "place": pa.array([place for _, place in wanted.places.values()], pa.int32()),
        }
    )
    sql.register("released", released)
    sql.execute(
        "CREATE TEMP TABLE leaf_places AS SELECT leaf, arg_max(place, depth) AS place "
        "FROM all_paths JOIN released USING (cluster_id) GROUP BY leaf"
    )


def _codes(values: Sequence[Any], type_: pa.DataType | None = None) -> pa.Table:
    numbers = pa.array(range(len(values)), pa.int32())
    return pa.table({"value": pa.array(values, type_ or pa.string()), "code": numbers})


def _label_codes(sql: duckdb.DuckDBPyConnection, raw: str, values: Sequence[str]) -> pa.Table:
    """Codes of a label's raw values, of which the release shows what scrubbing left."""
    known = {value: code for code, value in enumerate(values)}
    found = [value for (value,) in sql.execute(f"SELECT DISTINCT {raw} FROM facts f").fetchall()]
    codes = [known.get(scrub(value)) for value in found]
    return pa.table({"value": pa.array(found, pa.string()), "code": pa.array(codes, pa.int32())})


def _label_path(name: str) -> str:
    path = '$."' + name.replace('"', '\\"') + '"'
    return "'" + path.replace("'", "''") + "'"
