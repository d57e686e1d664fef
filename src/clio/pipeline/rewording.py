"""Words of clusters that lost the support of an account: other ones, privately and in a release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clio.describing import free_phrases
from clio.pipeline import files
from clio.pipeline.networks import networks_file
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import Context, answered_facets
from clio.pipeline.stages.describe import leaf_descriptions_file
from clio.pipeline.stages.hierarchy import (
    built_file,
    nodes_file,
    restricted_clusters_file,
)
from clio.pipeline.stages.restricted import write_restricted
from clio.pipeline.support import shipped_families, token_support, window_support
from clio.privacy.standing import Key, Proposal, restate, retitled
from clio.privacy.tiers import Releasable
from clio.privacy.titles import Support
from clio.release.read import Release


def reword(
    context: Context, leaves: Mapping[str, Iterable[str]], release: Release | None
) -> dict[str, Releasable] | None:
    """Give clusters that lost conversations words that what is left supports.

    Parameters
    ----------
    context
        Of a run, or a shadow of one, that the conversations are gone from already.
    leaves
        Leaves that lost some, by facet.
    release
        The latest, where there is one.

    Returns
    -------
    dict[str, Releasable] | None
        The tables of the next release, with the same numbers; ``None`` where its words stand.
    """
    directory, thresholds = context.directory, context.settings.thresholds()
    names = [
        facet.name
        for facet in answered_facets(context)
        if nodes_file(directory, facet.name).is_file()
    ]
    if not names:
        return None
    support = Support.of(
        pa.concat_tables(token_support(directory, name, thresholds) for name in names),
        window_support(directory, names),
        thresholds,
        free_phrases(everything=not thresholds.publishable),
        shipped_families(),
    )
    proposals: dict[Key, Proposal] = {}
    touched: set[Key] = set()
    titles: dict[Key, tuple[str, str]] = {}
    for name in names:
        nodes = files.read_table(nodes_file(directory, name)).to_pylist()
        for node in nodes:
            proposals[name, node["cluster_id"]] = _proposal(node)
        own = _touched(nodes, set(leaves.get(name, ())))
        touched |= {(name, cluster) for cluster in own}
        words = _words(nodes, own, support)
        titles |= {
            (name, cluster): (proposals[name, cluster].title, of.title)
            for cluster, of in words.items()
        }
        _write(directory, name, words)
    if restricted_clusters_file(directory).is_file():
        write_restricted(context)
    _retitle(directory, titles)
    if release is None:
        return None
    tables = {path.stem: pq.read_table(path) for path in release.directory.glob("*.parquet")}
    return restate(tables, support, proposals, touched)


def _proposal(row: Mapping[str, Any]) -> Proposal:
    return Proposal(row["title"], row["summary"], row["fallback_titles"])


def _touched(nodes: list[dict[str, Any]], leaves: set[str]) -> set[str]:
    """Leaves, what they were merged into, and all that lies above."""
    above = {node["cluster_id"]: (node["parent_id"], node["into"]) for node in nodes}
    found: set[str] = set()
    waiting = [leaf for leaf in leaves if leaf in above]
    while waiting:
        cluster = waiting.pop()
        if cluster not in found:
            found.add(cluster)
            waiting += [other for other in above[cluster] if other is not None]
    return found


def _words(nodes: list[dict[str, Any]], touched: set[str], support: Support) -> dict[str, Proposal]:
    """What is proposed from now on for each cluster that lost conversations."""
    words = {node["cluster_id"]: _proposal(node) for node in nodes}
    below: dict[str | None, list[str]] = {}
    for node in nodes:
        below.setdefault(node["parent_id"], []).append(node["cluster_id"])
    for node in sorted(nodes, key=lambda node: -node["level"]):
        cluster, above = node["cluster_id"], node["parent_id"]
        if cluster not in touched:
            continue
        before = words[cluster]
        siblings = {words[other].title for other in below[above] if other != cluster}
        title, summary, _ = support.words(
            cluster,
            before.title,
            before.summary,
            before.fallbacks,
            None if above is None else words[above].title,
            siblings,
        )
        fallbacks = [text for text in before.fallbacks if support.stands(cluster, text, "")]
        words[cluster] = Proposal(title, summary, fallbacks)
    return {cluster: words[cluster] for cluster in touched}


def _write(directory: RunDirectory, facet: str, words: Mapping[str, Proposal]) -> None:
    """Put the words wherever the run keeps those of a cluster."""
    leaves: list[str] = []
    for path in (built_file(directory, facet), nodes_file(directory, facet)):
        table = files.read_table(path)
        ids = table["cluster_id"].to_pylist()
        levels = table["level"].to_pylist()
        leaves = [cluster for cluster, level in zip(ids, levels, strict=True) if level == 0]
        _put(path, table, [words.get(cluster) for cluster in ids])
    path = leaf_descriptions_file(directory, facet)
    _put(path, files.read_table(path), [words.get(cluster) for cluster in leaves])


def _put(path: Path, table: pa.Table, words: list[Proposal | None]) -> None:
    rows = table.to_pylist()
    for row, of in zip(rows, words, strict=True):
        if of is not None:
            row["title"], row["summary"] = of.title, of.summary
            row["fallback_titles"] = list(of.fallbacks)
    files.write_table(path, pa.Table.from_pylist(rows, schema=table.schema))


def _retitle(directory: RunDirectory, titles: Mapping[Key, tuple[str, str]]) -> None:
    """Put new titles into what the safety role reads."""
    changed = {key: pair for key, pair in titles.items() if pair[0] != pair[1]}
    if not changed:
        return
    for path in sorted(directory.restricted.rglob("*.parquet")):
        known = {"facet", "cluster_id", "title"} <= set(pq.read_schema(path).names)
        if known and path != restricted_clusters_file(directory):
            files.write_table(path, retitled(files.read_table(path), changed))
    if (path := networks_file(directory)).is_file():
        table, new = files.read_table(path), {key[1]: pair[1] for key, pair in changed.items()}
        rows = table.to_pylist()
        for row in rows:
            both = zip(row["clusters"], row["titles"], strict=True)
            row["titles"] = [new.get(cluster, title) for cluster, title in both]
        files.write_table(path, pa.Table.from_pylist(rows, schema=table.schema))
