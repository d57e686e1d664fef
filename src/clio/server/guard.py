"""What holds for every response: which hosts may ask, and what a browser may do with it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clio.server.live import is_live
from clio.server.roles import is_restricted

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        # A chart becomes a PNG by way of an image that the page itself makes.
        "img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_log = logging.getLogger(__name__)
_IMMUTABLE = "public, max-age=31536000, immutable"


class Guard:
    """Middleware that refuses foreign host names and sets the security headers.

    A failure of the application is answered here too, so that this answer bears them as well
    and tells nothing of its cause.

    A page on another site can make a browser resolve that site's name to 127.0.0.1 (DNS
    rebinding) and so read a local server; the host name then gives it away.

    Parameters
    ----------
    app
        The application to guard.
    hosts
        Host names, without port, under which the server may be asked.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.strip("[]").lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        # Names of built assets hold a hash of their content; all else may change any time.
        cache = _IMMUTABLE if scope["path"].startswith("/assets/") else "no-cache"
        if is_restricted(scope["path"]) or is_live(scope["path"]):
            cache = "no-store"

        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            started = True
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers["Cache-Control"] = cache if message["status"] < 400 else "no-store"
            await send(message)

        if _host_name(Headers(scope=scope).get("host", "")) in self._hosts:
            try:
                await self._app(scope, receive, send_guarded)
            except Exception as error:
                _log.error("a request failed: %s", type(error).__name__)
                if not started:
                    failure = _refusal(500, "internal_server_error", "the server failed to answer")
                    await failure(scope, receive, send_guarded)
            return
        refusal = _refusal(400, "host", "this server is not known by that host name")
        await refusal(scope, receive, send_guarded)


def _refusal(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


def _host_name(header: str) -> str | None:
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None
