"""What every part of the stand-in's HTTP side shares."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from clio.testing.model_server.engine import CallError


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back: a JSON value, or bytes as they are."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        """As aiohttp sends it."""
        raw = isinstance(self.body, bytes)
        return web.Response(
            body=self.body if raw else orjson.dumps(self.body),
            status=self.status,
            headers=self.headers,
            content_type="application/octet-stream" if raw else "application/json",
        )


def digest(body: bytes) -> bytes:
    """By which a body is known again."""
    return hashlib.blake2b(body, digest_size=16).digest()


def json_of(body: bytes) -> Any:
    """A body's JSON value.

    Raises
    ------
    CallError
        Status 400: it is none.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise CallError(400, "unanswerable", "The body is not valid JSON.") from None


def missing(what: str) -> CallError:
    """There is nothing of that id."""
    return CallError(404, "not_found", f"There is no such {what}.")


def number_of(request: web.BaseRequest, name: str) -> int | None:
    """A whole number from the query."""
    value = request.query.get(name)
    return int(value) if value is not None and value.isdigit() else None
