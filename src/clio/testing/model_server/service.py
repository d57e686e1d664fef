"""The stand-in's HTTP side: which part answers, who may ask, and what errors look like."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from types import ModuleType
from typing import Any, Final

from aiohttp import web
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader

from clio.testing.model_server import anthropic, openai
from clio.testing.model_server.batches import BatchTiming
from clio.testing.model_server.engine import BrokenConnectionError, CallError, Engine
from clio.testing.model_server.file_batches import FileBatches
from clio.testing.model_server.message_batches import MessageBatches
from clio.testing.model_server.routes import Answer, digest, json_of, missing

_LONGEST_BODY: Final = 512 * 1024 * 1024


class Service:
    """Both interfaces behind one port.

    Parameters
    ----------
    engine
        Answers.
    timing, seed
        Of batches.
    key
        The one that is let in; ``None`` for any.
    """

    def __init__(self, engine: Engine, timing: BatchTiming, *, seed: int, key: str | None) -> None:
        self._engine = engine
        self._key = key
        self.message_batches = MessageBatches(engine, timing, seed)
        self.file_batches = FileBatches(engine, timing, seed)

    async def serve(self, host: str, port: int) -> tuple[web.ServerRunner, int]:
        """Listen; what ends it, and the port."""
        server = web.Server(self._handle, request_factory=_request, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=0.0)
        await runner.setup()
        await web.TCPSite(runner, host, port, backlog=1024).start()
        return runner, runner.addresses[0][1]

    def state(self) -> dict[str, Any]:
        """What was counted, as ``GET /_counts`` shows it."""
        engine = self._engine
        return {
            "counts": dict(sorted(engine.counts.items())),
            "usage": asdict(engine.usage),
            "calls": engine.requests.total(),
            "distinct": len(engine.requests),
            "repeated": engine.requests.total() - len(engine.requests),
            "peak": engine.peak,
            "batches": [*self.message_batches.batches.all, *self.file_batches.batches.all],
            "files": [*self.file_batches.files],
        }

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        protocol: ModuleType = anthropic if path.startswith("/v1/messages") else openai
        try:
            answer = await self._answer(request, path)
        except CallError as problem:
            self._engine.counts[problem.reason] += 1
            status, body, headers = protocol.error(problem, self._engine.number())
            answer = Answer(body, status, headers)
        except BrokenConnectionError:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        return answer.response()

    async def _answer(self, request: web.BaseRequest, path: str) -> Answer:
        if path == "/_counts":
            return Answer(self.state())
        self._admit(request.headers, path)
        post = request.method == "POST"
        if path == "/v1/messages" and post:
            return await self._call(request, anthropic)
        if path == "/v1/chat/completions" and post:
            return await self._call(request, openai)
        for prefix, handle in (
            ("/v1/messages/batches", self.message_batches.handle),
            ("/v1/files", self.file_batches.handle_files),
            ("/v1/batches", self.file_batches.handle_batches),
        ):
            if path == prefix or path.startswith(prefix + "/"):
                return await handle(request, path.removeprefix(prefix))
        raise missing("address")

    async def _call(self, request: web.BaseRequest, protocol: ModuleType) -> Answer:
        body = await request.read()
        if len(body) > anthropic.LONGEST_BODY:
            raise CallError(413, "unanswerable", "Request exceeds the maximum size")
        call = protocol.read(json_of(body))
        written = await self._engine.call(call, digest(body))
        number = self._engine.number()
        name = "request-id" if protocol is anthropic else "x-request-id"
        return Answer(protocol.write(call, written, number), 200, {name: f"req_{number:024d}"})

    def _admit(self, headers: Mapping[str, str], path: str) -> None:
        """Raise `CallError` for whoever has no key."""
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        if path.startswith("/v1/messages"):
            key = headers.get("x-api-key", bearer)
            if "anthropic-version" not in headers:
                raise anthropic.invalid("anthropic-version: header is required")
        else:
            key = bearer
        if not key or (self._key is not None and key != self._key):
            raise CallError(401, "unauthorised", "invalid x-api-key")


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: Any,
    writer: Any,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    """A request that may be as long as a batch."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(
        message, payload, protocol, writer, task, loop, client_max_size=_LONGEST_BODY
    )
