"""Conversations of a cluster, for the owner of a run whose conversations are no secret.

Only of runs with the preset ``personal``, and of those made with ``--public-data``. Each look is
noted in the log of the safety role. No server of a release imports this.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from clio import access
from clio.errors import ReleaseError, RunError
from clio.pipeline import files
from clio.pipeline.histories import database
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.cluster import assignments_folder
from clio.pipeline.stages.hierarchy import nodes_file, register_paths
from clio.pipeline.stages.read import conversations_folder
from clio.settings import settings_from

MESSAGES: Final = 40
CHARACTERS: Final = 4_000
"""So much of a conversation is shown; the rest is counted."""

_COUNT: Final = """
SELECT count(*) FROM assignments a JOIN paths p ON p.leaf = a.cluster_id
WHERE a.facet = ? AND p.cluster_id = ?
"""
_PAGE: Final = """
SELECT c.conversation_id, c.created_at, c.messages
FROM conversations c
JOIN assignments a USING (conversation_id) JOIN paths p ON p.leaf = a.cluster_id
WHERE a.facet = ? AND p.cluster_id = ?
ORDER BY c.created_at DESC NULLS LAST, c.conversation_id LIMIT ? OFFSET ?
"""


class Traces:
    """The conversations of one run.

    Parameters
    ----------
    path
        The run directory.

    Raises
    ------
    RunError
        It is no finished run, its private tables are gone, or its conversations may not be shown.
    """

    def __init__(self, path: Path) -> None:
        directory = RunDirectory(path)
        if not (path / "run.json").is_file():
            raise RunError(f"{path} is no run, so it has no conversations; name a run directory")
        directory.load()
        settings = settings_from(directory.state.settings)
        if settings.thresholds().publishable and not settings.public_data:
            raise RunError(
                "conversations are shown for runs with --privacy personal, or where the input is "
                "public anyway and the run was made with --public-data"
            )
        if directory.state.release is None or not conversations_folder(directory).exists():
            raise RunError(f"{path} is not finished, or was purged; run it again to see traces")
        self._directory = directory
        self._facets: list[str] = sorted(
            p.parent.name for p in directory.work.glob("*/nodes.parquet")
        )

    def page(self, cluster_id: str, offset: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
        """How many conversations a cluster has, and some of them, the latest first.

        Parameters
        ----------
        cluster_id
            A cluster of the tree, released or not.
        offset, limit
            Which of them.

        Raises
        ------
        ReleaseError
            There is no such cluster.
        """
        directory = self._directory
        facet = self._facet_of(cluster_id)
        access.record(
            directory.restricted, "traces", {"cluster": cluster_id, "from": offset, "to": limit}
        )
        with database(directory) as sql:
            register_paths(sql, directory, facet)
            files.register(sql, "assignments", assignments_folder(directory))
            files.register(sql, "conversations", conversations_folder(directory))
            total = sql.execute(_COUNT, [facet, cluster_id]).fetchall()[0][0]
            found = sql.execute(_PAGE, [facet, cluster_id, limit, offset]).fetchall()
        return int(total), [_shown(*row) for row in found]

    def _facet_of(self, cluster_id: str) -> str:
        for facet in self._facets:
            ids = files.read_table(nodes_file(self._directory, facet), ["cluster_id"])
            if cluster_id in ids["cluster_id"].to_pylist():
                return facet
        raise ReleaseError("the run has no such cluster")


def _shown(conversation_id: str, created_at: Any, messages: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "conversation_id": conversation_id,
        "created_at": None if created_at is None else created_at.isoformat(),
        "messages": [
            {
                "role": message["role"],
                "content": message["content"][:CHARACTERS],
                "cut": len(message["content"]) > CHARACTERS,
            }
            for message in messages[:MESSAGES]
        ],
        "not_shown": max(0, len(messages) - MESSAGES),
    }
