"""Anthropic's Message Batches."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from aiohttp import web

from clio.testing.model_server import anthropic
from clio.testing.model_server.batches import Batch, Batches, BatchTiming, Item
from clio.testing.model_server.engine import BrokenConnectionError, CallError, Engine
from clio.testing.model_server.routes import Answer, digest, json_of, missing, number_of

MOST_REQUESTS: Final = 100_000
LONGEST_BODY: Final = 256 * 1024 * 1024
"""Of one batch, in requests and in bytes."""

_DAY: Final = 86_400
_CUSTOM_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class MessageBatches:
    """What is behind ``/v1/messages/batches``.

    Parameters
    ----------
    engine
        Answers the items.
    timing, seed
        When batches end, and how.
    """

    def __init__(self, engine: Engine, timing: BatchTiming, seed: int) -> None:
        self._engine = engine
        self.batches = Batches("msgbatch_", timing, seed)

    async def handle(self, request: web.BaseRequest, path: str) -> Answer:
        """Answer a request to what stands behind ``/v1/messages/batches``."""
        name, _, action = path.strip("/").partition("/")
        if not name:
            if request.method == "POST":
                return await self._create(request)
            return self._list(request)
        batch = self.batches.all.get(name)
        if batch is None:
            raise missing("batch")
        if request.method == "DELETE":
            return self._delete(batch)
        if action == "cancel" and request.method == "POST":
            if batch.ended is None and batch.canceled is None:
                batch.canceled = time.time()
            return Answer(_described(batch, request))
        if action == "results":
            return self._results(batch)
        self.batches.look(name)
        if self.batches.due(batch):
            self._end(batch)
        return Answer(_described(batch, request))

    async def _create(self, request: web.BaseRequest) -> Answer:
        body = await request.read()
        if len(body) > LONGEST_BODY:
            raise CallError(413, "unanswerable", "Request exceeds the maximum size")
        value = json_of(body)
        asked = value.get("requests") if isinstance(value, dict) else None
        if not isinstance(asked, list) or not 0 < len(asked) <= MOST_REQUESTS:
            raise anthropic.invalid("requests: between 1 and 100000 are taken")
        items: dict[str, Item] = {}
        for entry in asked:
            name = entry.get("custom_id") if isinstance(entry, dict) else None
            if not isinstance(name, str) or not _CUSTOM_ID.fullmatch(name) or name in items:
                raise anthropic.invalid("custom_id: must be unique, of 1 to 64 letters or digits")
            params = entry.get("params")
            if not isinstance(params, dict):
                raise anthropic.invalid("params: Field required")
            items[name] = Item(name, params, digest(orjson.dumps(params)))
        batch, told = self.batches.create(list(items.values()), {})
        if not told:
            raise BrokenConnectionError
        return Answer(_described(batch, request))

    def _list(self, request: web.BaseRequest) -> Answer:
        page, more = self.batches.page(request.query.get("after_id"), number_of(request, "limit"))
        return Answer(
            {
                "data": [_described(batch, request) for batch in page],
                "has_more": more,
                "first_id": page[0].id if page else None,
                "last_id": page[-1].id if page else None,
            }
        )

    def _delete(self, batch: Batch) -> Answer:
        if batch.ended is None:
            raise anthropic.invalid("a batch that is in progress cannot be deleted; cancel it")
        del self.batches.all[batch.id]
        return Answer({"id": batch.id, "type": "message_batch_deleted"})

    def _results(self, batch: Batch) -> Answer:
        if batch.ended is None:
            raise missing("result: the batch has not ended")
        # They come in any order; ours is reversed, so that nobody relies on another.
        lines = [
            orjson.dumps({"custom_id": name, "result": result}, option=orjson.OPT_APPEND_NEWLINE)
            for name, result in reversed(batch.results.items())
        ]
        return Answer(b"".join(lines))

    def _end(self, batch: Batch) -> None:
        batch.results = {item.custom_id: self._result(batch, item) for item in batch.items}
        batch.ended = time.time()

    def _result(self, batch: Batch, item: Item) -> dict[str, Any]:
        fate = self.batches.fate(batch, item)
        try:
            if fate == "errored":
                raise CallError(500, "error", "Internal server error")
            if fate != "answered":
                self._engine.counts[fate] += 1
                return {"type": fate}
            call = anthropic.read(item.body)
            written = self._engine.item(call, item.digest)
        except CallError as problem:
            self._engine.counts[problem.reason] += 1
            _, body, _ = anthropic.error(problem, 0)
            return {"type": "errored", "error": body}
        message = anthropic.write(call, written, self._engine.number())
        return {"type": "succeeded", "message": message}


def _described(batch: Batch, request: web.BaseRequest) -> dict[str, Any]:
    counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
    if batch.ended is None:
        counts["processing"] = len(batch.items)
    for result in batch.results.values():
        counts[result["type"]] += 1
    status = "in_progress" if batch.canceled is None else "canceling"
    url = None
    if batch.ended is not None:
        status = "ended"
        url = f"{request.url.origin()}/v1/messages/batches/{batch.id}/results"
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": status,
        "request_counts": counts,
        "created_at": _moment(batch.created),
        "expires_at": _moment(batch.created + _DAY),
        "ended_at": _moment(batch.ended),
        "cancel_initiated_at": _moment(batch.canceled),
        "archived_at": None,
        "results_url": url,
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
