"""A person's edits are applied to the tree that was built; what follows sees the edited one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from clio.pipeline import files
from clio.pipeline.editing import (
    Change,
    Edited,
    Rename,
    apply_edits,
    in_force,
    read_edits,
    refusal,
)
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import Context, Report, Stage, answered_facets, facet_outputs
from clio.pipeline.stages.hierarchy import (
    built_file,
    nodes_file,
    restricted_clusters_file,
)
from clio.pipeline.stages.restricted import write_restricted
from clio.pipeline.support import reasons_against


def hidden_clusters(directory: RunDirectory, facet: str) -> frozenset[str]:
    """Ids of the clusters that a person does not want shown."""
    nodes = files.read_table(nodes_file(directory, facet), ["cluster_id", "hidden"])
    return frozenset(nodes.filter(nodes["hidden"])["cluster_id"].to_pylist())


def _run(context: Context) -> Report:
    directory = context.directory
    names = [facet.name for facet in answered_facets(context)]
    built = {name: files.read_table(built_file(directory, name)) for name in names}
    edits, refused = in_force(read_edits(directory.path)), dict[int, str]()
    # A title is checked on the edited tree; without it the one before holds, which may be another.
    while True:
        left = [edit for edit in edits if edit.edit not in refused]
        edited = apply_edits(built, left)
        for name, table in edited.tables.items():
            files.write_table(nodes_file(directory, name), table)
        found = _refused(context, edited, left)
        if not found:
            break
        refused |= found
    write_restricted(context)
    rows = sum(table.num_rows for table in built.values())
    merged = sum(_merged(table) for table in edited.tables.values())
    context.progress.advanced(len(edited.applied))
    aside = sorted({**edited.set_aside, **refused}.items())
    return Report(
        rows_in=rows,
        rows_out=rows - merged,
        details={
            "applied": edited.applied,
            "set_aside": {str(number): reason for number, reason in aside},
        },
    )


def _refused(context: Context, edited: Edited, edits: Sequence[Change]) -> dict[int, str]:
    """Renames whose titles the wording gate would not let through."""
    thresholds, found = context.settings.thresholds(), {}
    last = {
        edit.cluster_id: edit
        for edit in edits
        if isinstance(edit, Rename) and edit.edit in edited.applied
    }
    for facet, table in edited.tables.items():
        standing = table.filter(table["into"].is_null())["cluster_id"].to_pylist()
        for cluster_id in sorted(last.keys() & set(standing)):
            edit = last[cluster_id]
            reasons = reasons_against(context.directory, facet, cluster_id, edit.title, thresholds)
            if reasons:
                found[edit.edit] = refusal(reasons)
    return found


def _merged(table: pa.Table) -> int:
    into = table["into"]
    return int(len(into) - into.null_count)


def _depends(context: Context) -> dict[str, Any]:
    edits = in_force(read_edits(context.directory.path))
    return {
        "edits": [edit.model_dump() for edit in edits],
        "thresholds": context.settings.thresholds().model_dump(mode="json") if edits else None,
    }


EDITS = Stage(
    name="edits",
    run=_run,
    outputs=lambda d: [*facet_outputs(d, "nodes.parquet"), restricted_clusters_file(d)],
    depends=_depends,
    total=lambda _: (None, "edits"),
)
