"""The application: a JSON API over one release, and the built page."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from clio.errors import ReleaseError
from clio.release.read import Release, open_release
from clio.server import views
from clio.server.guard import Guard
from clio.server.models import (
    ClusterResponse,
    ClustersResponse,
    ErrorBody,
    ErrorResponse,
    ReleaseResponse,
    SearchResponse,
    TreeResponse,
)

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
"""Names by which a server on this machine is asked."""

STATIC = Path(__file__).parent / "static"
"""Where Vite builds the page to."""

_NO_PAGE = "<!doctype html><title>Clio</title><p>The page is not built: run <code>make web</code>."
_log = logging.getLogger(__name__)


class _Parameters(BaseModel):
    """Query parameters; an unknown one is an error rather than ignored."""

    model_config = ConfigDict(extra="forbid")


class _NoParameters(_Parameters):
    pass


class _FacetParameters(_Parameters):
    facet: str | None = Field(None, description="by default the primary facet")


class _ClustersParameters(_FacetParameters):
    parent: str | None = Field(None, description="only children of this cluster")
    level: int | None = Field(None, description="only this level; 0 = leaves, -1 = root")
    offset: int = Field(0, ge=0)
    limit: int = Field(1000, ge=1, le=10_000)


class _SearchParameters(_Parameters):
    q: str = Field(max_length=500, description="words that title or summary hold")
    facet: str | None = Field(None, description="by default all")
    limit: int = Field(50, ge=1, le=1000)


def create_app(
    release: Release | str | Path,
    *,
    hosts: Iterable[str] = LOCAL_HOSTS,
    static: Path = STATIC,
) -> FastAPI:
    """The explorer and its API over one release.

    Parameters
    ----------
    release
        The release, or where to open it: a run directory or a release's own.
    hosts
        Host names under which the server may be asked.
    static
        The built page.

    Returns
    -------
    fastapi.FastAPI
        Holds the release that was the latest when it was made.

    Raises
    ------
    ReleaseError
        There is no release, it is damaged, or of another schema version.
    """
    opened = release if isinstance(release, Release) else open_release(release)
    app = FastAPI(
        title="Clio",
        description="A release of Clio: aggregates that passed the privacy gate.",
        version=opened.info.clio_version,
        openapi_url="/api/openapi.json",
        docs_url=None,  # FastAPI's pages of documentation load scripts from elsewhere
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    app.include_router(_api(opened))
    if (static / "index.html").is_file():
        app.mount("/", StaticFiles(directory=static, html=True))
    else:
        app.add_api_route("/", lambda: HTMLResponse(_NO_PAGE), include_in_schema=False)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ReleaseError, _not_found)
    app.add_exception_handler(Exception, _internal)
    app.add_middleware(GZipMiddleware, minimum_size=1024)
    app.add_middleware(Guard, hosts=hosts)
    return app


def _api(release: Release) -> APIRouter:
    views.check(release)
    # "4XX" also keeps FastAPI from documenting its own shape of validation errors.
    api = APIRouter(prefix="/api", responses={"4XX": {"model": ErrorResponse}})

    @api.get("/release")
    def release_info(_: Annotated[_NoParameters, Query()]) -> ReleaseResponse:
        """What the corpus is, how it was made, and how much was withheld."""
        return views.release_response(release)

    @api.get("/tree")
    def tree(query: Annotated[_FacetParameters, Query()]) -> TreeResponse:
        """All clusters of a facet, compact."""
        return views.tree_response(release, query.facet)

    @api.get("/clusters")
    def clusters(query: Annotated[_ClustersParameters, Query()]) -> ClustersResponse:
        """Clusters of a facet, each before its children, siblings the largest first."""
        return views.clusters_response(
            release,
            query.facet,
            parent=query.parent,
            level=query.level,
            offset=query.offset,
            limit=query.limit,
        )

    @api.get("/clusters/{cluster_id}")
    def cluster(cluster_id: str, query: Annotated[_FacetParameters, Query()]) -> ClusterResponse:
        """Everything about one cluster; `__root__` stands for all conversations."""
        return views.cluster_response(release, cluster_id, query.facet)

    @api.get("/search")
    def search(query: Annotated[_SearchParameters, Query()]) -> SearchResponse:
        """Clusters by words of their titles and summaries."""
        return views.search_response(release, query.q, query.facet, query.limit)

    return api


def _error(status: int, code: str, message: str) -> JSONResponse:
    body = ErrorResponse(error=ErrorBody(code=code, message=message))
    return JSONResponse(body.model_dump(), status_code=status)


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    phrase = HTTPStatus(status).phrase
    return _error(status, phrase.lower().replace(" ", "_"), phrase)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    problems: list[Any] = list(error.errors()) if isinstance(error, RequestValidationError) else []
    first = problems[0]
    name = first["loc"][-1]
    return _error(400, "invalid_parameter", f"parameter '{name}': {first['msg']}")


async def _not_found(_: Request, error: Exception) -> JSONResponse:
    message = error.message if isinstance(error, ReleaseError) else str(error)
    return _error(404, "not_found", message)


async def _internal(_: Request, error: Exception) -> JSONResponse:
    _log.error("a request failed: %s", type(error).__name__)
    return _error(500, "internal_server_error", "the server failed to answer")
