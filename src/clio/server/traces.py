"""Routes that show conversations: only of a server that was started with ``--traces``.

The server of a release never makes them, and knows nothing that could open a conversation: what
does is handed in.
"""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from clio.server.live import TRACES
from clio.server.models import ErrorResponse


class Conversations(Protocol):
    """What opens conversations of one run."""

    def page(self, cluster_id: str, offset: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
        """How many conversations a cluster has, and some of them; each look is logged.

        Raises
        ------
        ClioError
            There is no such cluster, or they may not be shown.
        """


class Turn(BaseModel):
    """One message."""

    role: str
    content: str
    cut: bool = Field(default=False, description="whether it is longer than what is shown")


class Trace(BaseModel):
    """One conversation, as it was read."""

    conversation_id: str
    created_at: str | None
    messages: list[Turn]
    not_shown: int = Field(default=0, description="further messages")


class TracesResponse(BaseModel):
    """A page of the conversations of a cluster."""

    cluster_id: str
    total: int
    offset: int
    conversations: list[Trace]


class _Page(BaseModel):
    model_config = ConfigDict(extra="forbid")

    offset: int = Field(0, ge=0)
    limit: int = Field(10, ge=1, le=50)


def router(conversations: Conversations) -> APIRouter:
    """The route of a cluster's conversations."""
    api = APIRouter(prefix=TRACES, responses={"4XX": {"model": ErrorResponse}})

    @api.get("/{cluster_id}")
    def traces(cluster_id: str, query: Annotated[_Page, Query()]) -> TracesResponse:
        """Conversations of a cluster. Not anonymous, whatever the release is."""
        total, found = conversations.page(cluster_id, query.offset, query.limit)
        return TracesResponse(
            cluster_id=cluster_id,
            total=total,
            offset=query.offset,
            conversations=[Trace(**one) for one in found],
        )

    return api
