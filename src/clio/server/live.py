"""What of the API is not of the release but of this server: it is never kept by anybody."""

from __future__ import annotations

from typing import Final, Literal

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from clio.server.api import PREFIX

SERVING: Final = f"{PREFIX}/serving"
EDITS: Final = f"{PREFIX}/edits"
TRACES: Final = f"{PREFIX}/traces"


class Serving(BaseModel):
    """What this server offers beside the release."""

    role: Literal["release", "safety"] = "release"
    edit: bool = Field(default=False, description="whether a person may edit the tree here")
    traces: bool = Field(default=False, description="whether conversations are shown here")


def is_live(path: str) -> bool:
    """Whether the answer to a path may change while the release stays."""
    return any(path == one or path.startswith(f"{one}/") for one in (SERVING, EDITS, TRACES))


def router(serving: Serving) -> APIRouter:
    """The route that tells the page what there is."""
    api = APIRouter()

    @api.get(SERVING)
    def what() -> Serving:
        """What this server offers beside the release."""
        return serving

    return api


def require_same_origin(request: Request) -> None:
    """Dependency of routes that change something: the page of this server alone may ask.

    Raises
    ------
    HTTPException
        403: another site's page asks; browsers say so with every such request.
    """
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if request.headers.get("origin") != own:
        raise HTTPException(403)
