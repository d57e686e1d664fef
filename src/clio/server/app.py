"""The application: a JSON API over one release, and the built page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from clio.errors import ClioError, ReleaseError
from clio.release.read import Release, open_release
from clio.server import live, monitoring, roles, safety
from clio.server.api import PREFIX, router
from clio.server.caching import Immutable
from clio.server.guard import Guard
from clio.server.meaning import Embed, Meaning
from clio.server.models import ErrorBody, ErrorResponse

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
"""Names by which a server on this machine is asked."""

STATIC = Path(__file__).parent / "static"
"""Where Vite builds the page to."""

_LEVEL = 5
"""Of gzip: at 9 an answer takes four times as long and is a fifteenth shorter."""

_NO_PAGE = "<!doctype html><title>Clio</title><p>The page is not built: run <code>make web</code>."


def create_app(
    release: Release | str | Path,
    *,
    hosts: Iterable[str] = LOCAL_HOSTS,
    static: Path = STATIC,
    role: roles.Role = "release",
    beside: Sequence[APIRouter] = (),
    serving: live.Serving | None = None,
    embed: Embed | None = None,
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
    role
        ``safety`` also opens ``restricted/`` of the run to who comes with a one-time link.
    beside
        Further routes of this server, which are none of a release's.
    serving
        What the page is told of these.
    embed
        Turns texts into unit vectors, so that the search finds by meaning too.

    Returns
    -------
    fastapi.FastAPI
        Holds the release that was the latest when it was made.

    Raises
    ------
    ReleaseError
        There is no release, it is damaged, or of another schema version; or the safety role is
        wanted where nothing restricted is.
    """
    opened = release if isinstance(release, Release) else open_release(release)
    app = FastAPI(
        title="Clio",
        description="A release of Clio: aggregates that passed the privacy gate.",
        version=opened.info.clio_version,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # FastAPI's pages of documentation load scripts from elsewhere
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    app.include_router(router(opened, Meaning(opened, embed) if embed else None))
    app.include_router(monitoring.router(opened), prefix=PREFIX)
    offered = serving or live.Serving()
    app.include_router(live.router(offered.model_copy(update={"role": role})))
    for routes in beside:
        app.include_router(routes)
    sessions = None
    if role == "safety":
        sessions = roles.Sessions(_restricted(release))
        app.include_router(roles.router(sessions))
        app.include_router(safety.router())
    if (static / "index.html").is_file():
        app.mount("/", StaticFiles(directory=static, html=True))
    else:
        app.add_api_route("/", lambda: HTMLResponse(_NO_PAGE), include_in_schema=False)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ReleaseError, _not_found)
    app.add_exception_handler(ClioError, _refused)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=_LEVEL)
    app.add_middleware(Immutable, release=opened, prefix=f"{PREFIX}/")
    app.add_middleware(roles.Wall, sessions=sessions)
    app.add_middleware(Guard, hosts=hosts)
    return app


def _restricted(release: Release | str | Path) -> Path:
    """The folder of the safety role beside a release that was named by its run."""
    if isinstance(release, Release):
        raise ReleaseError("the safety role needs the run's directory, not an opened release")
    return Path(release) / "restricted"


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


async def _refused(_: Request, error: Exception) -> JSONResponse:
    message = error.message if isinstance(error, ClioError) else str(error)
    return _error(400, "refused", message)
