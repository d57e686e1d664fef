"""A release never changes, so neither does an answer about it: ETags and a cache of answers."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clio.release.read import Release
from clio.server.live import is_live
from clio.server.roles import is_restricted

CACHE_BYTES: Final = 64 << 20
"""How many bytes of answers are kept."""

_Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
_Key = tuple[str, bytes, bool]


class Immutable:
    """Middleware that gives the API's answers a strong ETag and keeps the last of them.

    The tag is made of the release's number and digest, the version that answers, and the
    encoding. A request that names it in ``If-None-Match`` is answered with 304.

    Parameters
    ----------
    app
        The application, which compresses.
    release
        What it answers about.
    prefix
        Paths under which answers depend on nothing but the release and the URL, unless they are
        restricted or of this server.
    """

    def __init__(self, app: ASGIApp, release: Release, prefix: str) -> None:
        self._app = app
        self._prefix = prefix
        # The digest is of 256 bits; 64 of them tell a run's releases apart.
        self._tag = f"{release.info.number}-{release.digest[:16]}-{release.info.clio_version}"
        self._kept: OrderedDict[_Key, _Answer] = OrderedDict()
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if (
            scope["type"] != "http"
            or scope["method"] != "GET"
            or not scope["path"].startswith(self._prefix)
            or is_restricted(scope["path"])
            or is_live(scope["path"])
        ):
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        key = (scope["path"], scope["query_string"], "gzip" in asked.get("accept-encoding", ""))
        answer = self._kept.get(key)
        if answer is None:
            answer = await self._ask(scope, receive)
            if answer[0] == 200:
                self._keep(key, answer)
        else:
            self._kept.move_to_end(key)
        status, raw, body = answer
        headers = Headers(raw=raw)
        if status == 200 and _matches(asked.get("if-none-match", ""), headers["etag"]):
            kept = [h for h in raw if h[0] in (b"etag", b"vary")]
            status, raw, body = 304, kept, b""
        await send({"type": "http.response.start", "status": status, "headers": list(raw)})
        await send({"type": "http.response.body", "body": body})

    async def _ask(self, scope: Scope, receive: Receive) -> _Answer:
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            else:
                body.extend(message.get("body", b""))

        await self._app(scope, receive, collect)
        if start["status"] == 200:
            headers = MutableHeaders(scope=start)
            encoding = headers.get("content-encoding", "")
            headers["ETag"] = f'"{self._tag}{"-" if encoding else ""}{encoding}"'
            headers["Vary"] = "Accept-Encoding"
        return start["status"], list(start["headers"]), bytes(body)

    def _keep(self, key: _Key, answer: _Answer) -> None:
        if key in self._kept:  # another request for the same was faster
            return
        self._kept[key] = answer
        self._bytes += len(answer[2])
        while self._bytes > CACHE_BYTES:
            _, (_, _, body) = self._kept.popitem(last=False)
            self._bytes -= len(body)


def _matches(condition: str, tag: str) -> bool:
    """Whether ``If-None-Match`` names the tag; comparison is weak (RFC 9110, 13.1.2)."""
    named = [one.strip().removeprefix("W/") for one in condition.split(",")]
    return tag in named or "*" in named
