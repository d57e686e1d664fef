"""The safety role: who may ask for what is restricted, and the note of every look.

Everything under `SAFETY` is behind `Wall`, whatever route answers there: without a session each
path, known or not, is answered with 401 and no more, before anything of the request is parsed. A
session begins with a one-time link (``clio token RUN``), lives in the memory of this process and
in a cookie that no script can read and no other site can make a browser send.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from re import compile as pattern
from typing import Final, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from clio import access
from clio.errors import ReleaseError
from clio.server.api import PREFIX

Role = Literal["release", "safety"]

SAFETY: Final = f"{PREFIX}/safety"
"""Where all routes of the safety role lie."""

ENTRANCE: Final = f"{SAFETY}/enter"
"""Where a one-time link leads."""

HOME: Final = "/#/safety"
"""The page that a link opens in the end."""

SESSION_LIFE: Final = timedelta(hours=8)
"""A working day; then another link is needed."""

_CHANGES_NOTHING: Final = frozenset({"GET", "HEAD"})
_PLAIN: Final = pattern(r"[\w:.-]{1,80}")
"""Values of parameters that are logged: ids and names, no words that somebody searches for."""


@dataclass(frozen=True, slots=True)
class SafetyAccess:
    """What a route of the safety role is given.

    Attributes
    ----------
    restricted
        The folder ``restricted/`` of the run.
    session
        Names the session in the log of looks; opens nothing.
    """

    restricted: Path
    session: str


class SafetySession(BaseModel):
    """The session that asks."""

    role: Role
    until: datetime


class Sessions:
    """Who has come in through a one-time link since this process began.

    Parameters
    ----------
    restricted
        The folder ``restricted/`` of the run.

    Raises
    ------
    ReleaseError
        There is none: a release alone has nothing restricted.
    """

    def __init__(self, restricted: Path) -> None:
        if not restricted.is_dir():
            raise ReleaseError(
                f"{restricted} is missing: the safety role needs the run itself, not purged"
            )
        self.restricted = restricted
        # Cookies are shared by all ports of a host: each server has a name of its own.
        self.cookie = f"clio-safety-{secrets.token_hex(4)}"
        self._until: dict[str, datetime] = {}

    def begin(self, token: str) -> str | None:
        """Use a one-time token up; the secret of a new session, or ``None``."""
        if not access.redeem(self.restricted, token):
            return None
        secret = secrets.token_urlsafe(32)
        now = datetime.now(UTC)
        self._until = {key: until for key, until in self._until.items() if until > now}
        self._until[_hashed(secret)] = now + SESSION_LIFE
        access.record(self.restricted, "enter", {"session": _hashed(secret)[:12]})
        return secret

    def end(self, session: str) -> None:
        """Close a session, by its name in the log."""
        self._until = {k: until for k, until in self._until.items() if k[:12] != session}
        access.record(self.restricted, "leave", {"session": session})

    def find(self, headers: Headers) -> SafetyAccess | None:
        """The session that a request belongs to."""
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return None
        key = _hashed(morsel.value) if morsel is not None else ""
        until = self._until.get(key)
        if until is None or until <= datetime.now(UTC):
            return None
        return SafetyAccess(self.restricted, key[:12])

    def until(self, session: str) -> datetime:
        """When a session ends, by its name in the log."""
        return next(until for key, until in self._until.items() if key[:12] == session)


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Wall:
    """Middleware before all that is restricted. Notes each look before it is answered.

    Parameters
    ----------
    app
        The application behind it.
    sessions
        Who may pass; nobody where ``None``.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions | None) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http" or not is_restricted(scope["path"]):
            await self._app(scope, receive, send)
            return
        sessions, headers = self._sessions, Headers(scope=scope)
        if sessions is not None and scope["path"] == ENTRANCE and scope["method"] == "GET":
            await self._app(scope, receive, send)
            return
        found = sessions.find(headers) if sessions is not None else None
        if found is None:
            await _refusal(401, "unauthorized", "Unauthorized")(scope, receive, send)
        elif scope["method"] not in _CHANGES_NOTHING and not _same_origin(scope, headers):
            await _refusal(403, "forbidden", "Forbidden")(scope, receive, send)
        else:
            access.record(found.restricted, "look", {"session": found.session, **_asked(scope)})
            scope.setdefault("state", {})["safety"] = found
            await self._app(scope, receive, send)


def is_restricted(path: str) -> bool:
    """Whether a path belongs to the safety role."""
    return path == SAFETY or path.startswith(f"{SAFETY}/")


def _same_origin(scope: Scope, headers: Headers) -> bool:
    """Whether a request comes from a page of this server; browsers say so with every change."""
    return headers.get("origin") == f"{scope['scheme']}://{headers.get('host', '')}"


def _asked(scope: Scope) -> dict[str, object]:
    """What a request asks for, as the log tells it."""
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    values = {k: v for k, v in query if _PLAIN.fullmatch(k) and _PLAIN.fullmatch(v)}
    return {"method": scope["method"], "path": scope["path"], "query": values}


def _refusal(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


def require_safety(request: Request) -> SafetyAccess:
    """Dependency of every route of the safety role; what it may open.

    Raises
    ------
    HTTPException
        401: the request did not come through `Wall`, so the route lies outside `SAFETY`.
    """
    found = getattr(request.state, "safety", None)
    if not isinstance(found, SafetyAccess):
        raise HTTPException(401)
    return found


def router(sessions: Sessions) -> APIRouter:
    """The routes that begin, show and end a session."""
    api = APIRouter(prefix=SAFETY, include_in_schema=False)

    @api.get("/enter")
    def enter(request: Request, token: str = "") -> Response:
        """Exchange a one-time token for a session."""
        secret = sessions.begin(token)
        if secret is None:
            raise HTTPException(401)
        answer = RedirectResponse(HOME, 303)
        answer.set_cookie(
            sessions.cookie,
            secret,
            max_age=int(SESSION_LIFE.total_seconds()),
            path=SAFETY,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer

    @api.get("/session")
    def session(request: Request) -> SafetySession:
        """Until when the one who asks may look."""
        return SafetySession(role="safety", until=sessions.until(require_safety(request).session))

    @api.post("/leave", status_code=204)
    def leave(request: Request) -> None:
        """End the session."""
        sessions.end(require_safety(request).session)

    return api
