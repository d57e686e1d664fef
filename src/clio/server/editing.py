"""Routes of a person's edits: only of a server that was started with ``--edit``.

What they do lies outside: the server knows an `Editor` and nothing of runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from clio.server.live import EDITS, require_same_origin
from clio.server.models import ErrorResponse


class Editor(Protocol):
    """What reads and adds edits of one run."""

    def edits(self) -> list[dict[str, Any]]:
        """All edits, with `state` and, where one is set aside or refused, `reasons`."""

    def add(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Add an edit; as one of `edits`, with what the wording gate says of a title."""

    def check(self, cluster_id: str, title: str) -> list[str]:
        """Why a title may not be shown for a cluster, in words; nothing where it may."""


class EditRequest(BaseModel):
    """An edit to be made; what each action needs is in docs/editing.md."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["rename", "merge", "move", "hide", "undo"]
    cluster_id: str | None = None
    title: str | None = None
    into: str | None = None
    parent_id: str | None = None
    undoes: int | None = None


class TitleRequest(BaseModel):
    """A title that somebody thinks of."""

    model_config = ConfigDict(extra="forbid")

    cluster_id: str
    title: str = Field(max_length=500)


class EditRow(BaseModel):
    """An edit, and what became of it."""

    edit: int
    action: str
    cluster_id: str | None = None
    title: str | None = None
    into: str | None = None
    parent_id: str | None = None
    undoes: int | None = None
    state: Literal["applied", "waiting", "set aside", "undone", "undo"]
    reasons: list[str] = Field(default=[], description="why it is set aside, or would not be shown")


class EditsResponse(BaseModel):
    """All edits, in order."""

    edits: list[EditRow]
    command: str = Field(description="what applies those that wait")


class CheckResponse(BaseModel):
    """What the wording gate says; it never quotes anything."""

    reasons: list[str]


def router(editor: Editor, command: str) -> APIRouter:
    """Routes that show and add edits.

    Parameters
    ----------
    editor
        Of the run.
    command
        What a person types to have edits applied.
    """
    api = APIRouter(
        prefix=EDITS,
        dependencies=[Depends(require_same_origin)],
        responses={"4XX": {"model": ErrorResponse}},
    )
    reading = APIRouter(prefix=EDITS, responses={"4XX": {"model": ErrorResponse}})

    @reading.get("")
    def edits() -> EditsResponse:
        """All edits of the run."""
        return EditsResponse(edits=[EditRow(**e) for e in editor.edits()], command=command)

    @api.post("")
    def add(edit: EditRequest) -> EditRow:
        """Add an edit to the run's file; it is applied and gated by the next run."""
        return EditRow(**editor.add(edit.model_dump(exclude_none=True)))

    @api.post("/check")
    def check(asked: TitleRequest) -> CheckResponse:
        """Whether a title would pass the wording gate, at once."""
        return CheckResponse(reasons=editor.check(asked.cluster_id, asked.title))

    whole = APIRouter()
    whole.include_router(reading)
    whole.include_router(api)
    return whole
