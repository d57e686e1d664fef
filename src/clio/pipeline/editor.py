"""What a server with ``--edit`` does to a run: checks titles at once, adds edits, says their state.

It opens private tables to see who used the words of a title, and notes each such look.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clio import access
from clio.errors import RunError
from clio.pipeline import files
from clio.pipeline.editing import (
    REFUSED,
    Edit,
    Rename,
    Undo,
    add_edit,
    in_force,
    parse_values,
    read_edits,
    refusal,
)
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.hierarchy import nodes_file
from clio.pipeline.support import reasons_against
from clio.settings import settings_from


class RunEditor:
    """The edits of one run.

    Parameters
    ----------
    path
        The run directory.

    Raises
    ------
    RunError
        It is no finished run, or its private tables are gone.
    """

    def __init__(self, path: Path) -> None:
        self._directory = RunDirectory(path)
        if not (path / "run.json").is_file():
            raise RunError(f"{path} is no run, so there is nothing to edit; name a run directory")
        self._directory.load()
        if self._directory.state.release is None or not self._trees():
            raise RunError(f"{path} is not finished, or was purged; run it again to edit it")
        read_edits(path)

    def edits(self) -> list[dict[str, Any]]:
        """All edits in order, each with its `state`: as a run last applied it, or waiting."""
        self._directory.load()
        edits = read_edits(self._directory.path)
        force = {edit.edit for edit in in_force(edits)}
        stage = self._directory.state.stages.get("edits")
        details = stage.details if stage is not None else {}
        applied, aside = set(details.get("applied", ())), details.get("set_aside", {})
        found = []
        for edit in edits:
            reasons = []
            if isinstance(edit, Undo):
                state = "undo"
            elif edit.edit not in force:
                state = "undone"
            elif str(edit.edit) in aside:
                state, reasons = "set aside", [aside[str(edit.edit)]]
            else:
                state = "applied" if edit.edit in applied else "waiting"
            found.append({**edit.model_dump(), "state": state, "reasons": reasons})
        return found

    def add(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Add an edit, once its clusters are there and the words of a title pass the gate.

        Raises
        ------
        RunError
            It is no edit, names a cluster that the tree does not have, or a title that may not be
            shown.
        """
        for name in ("cluster_id", "into", "parent_id"):
            if name in values:
                self._facet_of(str(values[name]))
        edit = parse_values({**values, "edit": 1})
        reasons = self._reasons(edit)
        if reasons:
            raise RunError(refusal(reasons))
        edit = add_edit(self._directory.path, values)
        state = "undo" if isinstance(edit, Undo) else "waiting"
        return {**edit.model_dump(), "state": state, "reasons": []}

    def check(self, cluster_id: str, title: str) -> list[str]:
        """Why a title may not be shown for a cluster, in words; empty where it may.

        Raises
        ------
        RunError
            It can be no title, or there is no such cluster.
        """
        edit = parse_values(
            {"edit": 1, "action": "rename", "cluster_id": cluster_id, "title": title}
        )
        return [REFUSED[reason] for reason in self._reasons(edit)]

    def _reasons(self, edit: Edit) -> list[str]:
        if not isinstance(edit, Rename):
            return []
        directory, facet = self._directory, self._facet_of(edit.cluster_id)
        access.record(directory.restricted, "edit", {"check": edit.cluster_id})
        thresholds = settings_from(directory.state.settings).thresholds()
        return reasons_against(directory, facet, edit.cluster_id, edit.title, thresholds)

    def _trees(self) -> list[str]:
        return sorted(p.parent.name for p in self._directory.work.glob("*/nodes.parquet"))

    def _facet_of(self, cluster_id: str) -> str:
        """Whose tree has a cluster.

        Raises
        ------
        RunError
            None has one of that id.
        """
        for facet in self._trees():
            ids = files.read_table(nodes_file(self._directory, facet), ["cluster_id"])
            if cluster_id in ids["cluster_id"].to_pylist():
                return facet
        raise RunError("the tree has no such cluster; it may be of an earlier release")
