"""Reading a release: the only door for everything that serves, prints or exports one.

Nothing but the release's own directory is opened, so a release works the same when it was copied
elsewhere, or when the run's private and restricted files were moved away.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import ValidationError

from clio.errors import ReleaseError
from clio.release.schema import (
    INFO_FILE,
    LATEST_LINK,
    REQUIRED_TABLES,
    ROOT_ID,
    SCHEMA_VERSION,
    TABLES,
    ReleaseInfo,
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster as released: a row of the table ``clusters``.

    Attributes
    ----------
    facet, cluster_id, level, parent_id, title, summary
        Which cluster it is. The children of the root have the root as `parent_id`.
    conversations, accounts
        How many conversations, and at least how many accounts.
    share, share_low, share_high
        Of all assigned conversations of the facet, with its 95 % interval by account.
    other_conversations
        Conversations in none of the children that are shown.
    x, y
        Place on the map, or ``None``.
    """

    facet: str
    cluster_id: str
    level: int
    parent_id: str | None
    title: str
    summary: str
    conversations: int
    accounts: int
    share: float
    share_low: float
    share_high: float
    other_conversations: int
    x: float | None
    y: float | None

    @property
    def is_root(self) -> bool:
        """Whether this stands for all conversations of the facet."""
        return self.cluster_id == ROOT_ID


_CLUSTER_FIELDS = [field.name for field in fields(Cluster)]
_Key = tuple[str, str]


class Release:
    """One release, opened for reading. Made by `open_release`.

    Tables and the tree are read when first asked for and kept.

    Parameters
    ----------
    directory
        The release's own directory, the one that holds ``release.json``.

    Attributes
    ----------
    directory
        Where the release lies.
    info
        What ``release.json`` says.

    Raises
    ------
    ReleaseError
        The directory is no release, or one of another schema version.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.info = _read_info(directory / INFO_FILE)
        for name in REQUIRED_TABLES:
            if not (directory / f"{name}.parquet").exists():
                raise ReleaseError(
                    f"the release {directory} is incomplete: {name}.parquet is missing"
                )
        self._tables: dict[str, pa.Table] = {}
        self._rows: dict[str, tuple[pa.Table, dict[_Key, tuple[int, int]]]] = {}

    def __repr__(self) -> str:
        info = self.info
        facets = ", ".join(f"{f.name} {'/'.join(map(str, f.clusters))}" for f in info.facets)
        publishable = "" if info.publishable else ", not anonymous"
        return (
            f"<Release {info.number}: {info.totals.conversations:,} conversations of at least "
            f"{info.totals.accounts:,} accounts; clusters by level: {facets or 'none'}; "
            f"privacy {info.preset}{publishable}>"
        )

    # Tables

    def table(self, name: str, as_: Literal["arrow", "pandas", "polars"] = "arrow") -> Any:
        """One table of the release.

        Parameters
        ----------
        name
            A key of `clio.release.schema.TABLES`, such as ``clusters`` or ``trends``.
        as_
            What to return: a `pyarrow.Table`, a `pandas.DataFrame` or a `polars.DataFrame`.

        Returns
        -------
        pyarrow.Table or pandas.DataFrame or polars.DataFrame
            Exactly the columns of the schema; no rows where the run has nothing for this table.

        Raises
        ------
        ReleaseError
            There is no such table, or its file is damaged.
        ImportError
            pandas or polars is asked for and not installed.
        ValueError
            `as_` is none of the three.
        """
        if name not in TABLES:
            raise ReleaseError(f"a release has no table '{name}'; it has {', '.join(TABLES)}")
        if name not in self._tables:
            self._tables[name] = _read_table(self.directory / f"{name}.parquet", TABLES[name])
        table = self._tables[name]
        if as_ == "arrow":
            return table
        if as_ == "pandas":
            _require("pandas")
            return table.to_pandas()
        if as_ == "polars":
            _require("polars")
            import polars

            return polars.from_arrow(table)
        raise ValueError(f"as_ is 'arrow', 'pandas' or 'polars', not {as_!r}")

    def has(self, name: str) -> bool:
        """Whether the run had anything to write such a table from, were it without a row."""
        return (self.directory / f"{name}.parquet").exists()

    @property
    def clusters(self) -> pa.Table:
        """The hierarchy, one row a cluster."""
        return self.table("clusters")

    @property
    def breakdowns(self) -> pa.Table:
        """Each cluster by the values of a dimension."""
        return self.table("breakdowns")

    @property
    def numeric(self) -> pa.Table:
        """Means of numeric facets by cluster."""
        return self.table("numeric")

    @property
    def trends(self) -> pa.Table:
        """Each cluster over time."""
        return self.table("trends")

    @property
    def withheld(self) -> pa.Table:
        """How much was withheld, never what."""
        return self.table("withheld")

    # The tree

    @property
    def facets(self) -> list[str]:
        """Names of the clustered facets, the primary one first."""
        return [f.name for f in sorted(self.info.facets, key=lambda f: not f.primary)]

    def cluster(self, cluster_id: str = ROOT_ID, *, facet: str | None = None) -> Cluster:
        """One cluster.

        Parameters
        ----------
        cluster_id
            Its id; by default the root.
        facet
            Whose root, where `cluster_id` is the root's; by default the primary facet.

        Raises
        ------
        ReleaseError
            The release shows no such cluster.
        """
        key = self._key(cluster_id, facet)
        found = self._by_key.get(key)
        if found is None:
            raise ReleaseError(f"the release shows no cluster '{cluster_id}'")
        return found

    def children(self, cluster_id: str = ROOT_ID, *, facet: str | None = None) -> list[Cluster]:
        """Children of a cluster, the largest first; of the root by default.

        Raises
        ------
        ReleaseError
            The release shows no such cluster.
        """
        parent = self.cluster(cluster_id, facet=facet)
        return list(self._children.get((parent.facet, parent.cluster_id), ()))

    def path(self, cluster_id: str, *, facet: str | None = None) -> list[Cluster]:
        """The way from the root to a cluster, both included.

        Raises
        ------
        ReleaseError
            The release shows no such cluster.
        """
        way = [self.cluster(cluster_id, facet=facet)]
        while (parent := way[-1].parent_id) is not None:
            way.append(self._by_key[way[-1].facet, parent])
        return way[::-1]

    def walk(self, *, facet: str | None = None) -> Iterator[Cluster]:
        """All clusters of a facet, each before its children, siblings the largest first.

        Raises
        ------
        ReleaseError
            The release does not have this facet, or shows no cluster of it.
        """
        stack = [self.cluster(facet=facet)]
        while stack:
            cluster = stack.pop()
            yield cluster
            stack.extend(reversed(self._children.get((cluster.facet, cluster.cluster_id), ())))

    def search(self, words: str, *, facet: str | None = None) -> list[Cluster]:
        """Clusters whose title or summary holds every one of `words`.

        Parameters
        ----------
        words
            Words or beginnings of words, in any order; case and compatibility forms do not count.
        facet
            Search this facet only; by default all.

        Returns
        -------
        list of Cluster
            Those with more of the words in the title first, then the larger ones.
        """
        wanted = _searchable(words).split()
        if not wanted:
            return []
        hits: list[tuple[int, int, str, Cluster]] = []
        for (of, cluster_id), (title, summary) in self._texts.items():
            if facet is not None and of != facet:
                continue
            in_title = sum(_has(title, word) for word in wanted)
            if all(_has(title, word) or _has(summary, word) for word in wanted):
                cluster = self._by_key[of, cluster_id]
                hits.append((-in_title, -cluster.conversations, cluster_id, cluster))
        return [hit[-1] for hit in sorted(hits, key=lambda hit: hit[:-1])]

    def rows(
        self, name: str, cluster_id: str = ROOT_ID, *, facet: str | None = None
    ) -> list[dict[str, Any]]:
        """Rows of one cluster in a table that has the column ``cluster_id``, in file order.

        Parameters
        ----------
        name
            ``breakdowns``, ``numeric``, ``trends``, ``alerts`` or ``lineage``.
        cluster_id, facet
            As in `cluster`.

        Raises
        ------
        ReleaseError
            There is no such table or no such cluster.
        """
        cluster = self.cluster(cluster_id, facet=facet)
        if name not in self._rows:
            self._rows[name] = _group_by_cluster(self.table(name))
        table, ranges = self._rows[name]
        start, stop = ranges.get((cluster.facet, cluster.cluster_id), (0, 0))
        rows: list[dict[str, Any]] = table.slice(start, stop - start).to_pylist()
        return rows

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the names and bytes of the release's files, in hexadecimal."""
        whole = hashlib.sha256()
        for path in sorted(p for p in self.directory.rglob("*") if p.is_file()):
            whole.update(path.relative_to(self.directory).as_posix().encode() + b"\0")
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
        return whole.hexdigest()

    # Indices, made once

    def _key(self, cluster_id: str, facet: str | None) -> _Key:
        if facet is not None and facet not in self.facets:
            raise ReleaseError(f"the release has no clustered facet '{facet}'")
        if cluster_id == ROOT_ID:
            if not self.facets:
                raise ReleaseError("nothing is released: no clustered facet")
            return facet or self.facets[0], ROOT_ID
        return self._facet_of.get(cluster_id, facet or ""), cluster_id

    @cached_property
    def _by_key(self) -> Mapping[_Key, Cluster]:
        clusters: dict[_Key, Cluster] = {}
        for row in self.clusters.select(_CLUSTER_FIELDS).to_pylist():
            if row["parent_id"] is None and row["cluster_id"] != ROOT_ID:
                row["parent_id"] = ROOT_ID
            cluster = Cluster(**row)
            clusters[cluster.facet, cluster.cluster_id] = cluster
        for cluster in clusters.values():
            if cluster.is_root:
                continue
            parent = clusters.get((cluster.facet, cluster.parent_id or ""))
            # Levels rise towards the root, so that a path always ends there.
            if parent is None or not (parent.is_root or parent.level > cluster.level):
                raise ReleaseError(
                    f"the release {self.directory} is damaged: "
                    f"cluster '{cluster.cluster_id}' has no place in the tree"
                )
        return clusters

    @cached_property
    def _facet_of(self) -> Mapping[str, str]:
        return {cluster_id: facet for facet, cluster_id in self._by_key if cluster_id != ROOT_ID}

    @cached_property
    def _children(self) -> Mapping[_Key, list[Cluster]]:
        children: defaultdict[_Key, list[Cluster]] = defaultdict(list)
        for cluster in self._by_key.values():
            if cluster.parent_id is not None:
                children[cluster.facet, cluster.parent_id].append(cluster)
        for siblings in children.values():
            siblings.sort(key=lambda c: (-c.conversations, c.cluster_id))
        return dict(children)

    @cached_property
    def _texts(self) -> Mapping[_Key, tuple[str, str]]:
        return {
            key: (_searchable(cluster.title), _searchable(cluster.summary))
            for key, cluster in self._by_key.items()
            if not cluster.is_root
        }


def open_release(path: str | Path) -> Release:
    """Open a release for reading.

    Parameters
    ----------
    path
        A run directory, whose latest release is taken, or one release's own directory.

    Returns
    -------
    Release
        It keeps to the release that was the latest when it was opened.

    Raises
    ------
    ReleaseError
        There is no release at `path`, or it is of another schema version.

    Examples
    --------
    >>> release = open_release("clio-demo")  # doctest: +SKIP
    >>> [c.title for c in release.children()]  # doctest: +SKIP
    >>> release.table("trends", as_="pandas")  # doctest: +SKIP
    """
    place = Path(path)
    if not place.exists():
        raise ReleaseError(f"there is no directory {place}")
    for candidate in (place, place / LATEST_LINK):
        if (candidate / INFO_FILE).is_file():
            return Release(candidate.resolve())
    raise ReleaseError(f"{place} holds no release; make one with: clio run INPUT --out {place}")


def _read_info(path: Path) -> ReleaseInfo:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = "missing" if isinstance(error, FileNotFoundError) else "unreadable"
        raise ReleaseError(f"{path} is {reason}") from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise ReleaseError(
            f"{path} is of schema version {version}, this Clio reads version {SCHEMA_VERSION}: "
            "open it with the Clio that wrote it, or make the release again"
        )
    try:
        return ReleaseInfo.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReleaseError(f"{path} is damaged: {where}: {first['msg']}") from None


def _read_table(path: Path, schema: pa.Schema) -> pa.Table:
    """One table from a file or a folder of parts, in the order of their names."""
    if not path.exists():
        return schema.empty_table()
    parts = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    try:
        tables = [
            pq.read_table(part, columns=schema.names, partitioning=None).cast(schema)
            for part in parts
        ]
    except (OSError, ValueError, KeyError) as error:  # pyarrow's own errors are among these
        raise ReleaseError(f"{path} is damaged: {str(error).splitlines()[0]}") from None
    return pa.concat_tables(tables) if tables else schema.empty_table()


def _group_by_cluster(table: pa.Table) -> tuple[pa.Table, dict[_Key, tuple[int, int]]]:
    """The table with each cluster's rows together, and where they begin and end."""
    if table.num_rows == 0:
        return table, {}
    order = pc.sort_indices(table, sort_keys=[("facet", "ascending"), ("cluster_id", "ascending")])
    table = table.take(order).combine_chunks()
    facet = table["facet"].to_numpy(zero_copy_only=False)
    cluster_id = table["cluster_id"].to_numpy(zero_copy_only=False)
    changes = (facet[1:] != facet[:-1]) | (cluster_id[1:] != cluster_id[:-1])
    starts = [0, *(np.flatnonzero(changes) + 1).tolist()]
    stops = [*starts[1:], table.num_rows]
    return table, {
        (facet[start], cluster_id[start]): (start, stop)
        for start, stop in zip(starts, stops, strict=True)
    }


def _searchable(text: str) -> str:
    """Folded text in which every word follows a space, so that " wor" finds "Word"."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    spaced = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in folded)
    return " " + " ".join(spaced.split())


def _has(text: str, word: str) -> bool:
    """Whether a word of `text` begins with `word`; anywhere, for scripts written without spaces."""
    return (f" {word}" if word.isascii() else word) in text


def _require(module: Literal["pandas", "polars"]) -> None:
    try:
        __import__(module)
    except ImportError:
        raise ImportError(
            f"{module} is not installed; install it with: pip install 'clio-insights[{module}]'"
        ) from None
