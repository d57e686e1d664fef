"""OpenAI's Files and Batches."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

import orjson
from aiohttp import web

from clio.testing.model_server import openai
from clio.testing.model_server.batches import Batch, Batches, BatchTiming, Item
from clio.testing.model_server.engine import BrokenConnectionError, CallError, Engine
from clio.testing.model_server.routes import Answer, digest, json_of, missing, number_of

MOST_REQUESTS: Final = 50_000
LONGEST_FILE: Final = 200 * 1024 * 1024
"""Of one batch, in requests and in bytes."""

_ENDPOINT: Final = "/v1/chat/completions"
_DAY: Final = 86_400
_MOST_METADATA: Final = 16


@dataclass(frozen=True, slots=True)
class File:
    """A file that somebody put in, or a batch's output."""

    id: str
    name: str
    purpose: str
    content: bytes
    created: int

    def described(self) -> dict[str, Any]:
        """As the interface shows it."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.created,
            "filename": self.name,
            "purpose": self.purpose,
            "status": "processed",
            "expires_at": None,
        }


class FileBatches:
    """What is behind ``/v1/files`` and ``/v1/batches``.

    Parameters
    ----------
    engine
        Answers the items.
    timing, seed
        When batches end, and how.
    """

    def __init__(self, engine: Engine, timing: BatchTiming, seed: int) -> None:
        self._engine = engine
        self._made = 0
        self.batches = Batches("batch_", timing, seed)
        self.files: dict[str, File] = {}

    async def handle_files(self, request: web.BaseRequest, path: str) -> Answer:
        """Answer a request to what stands behind ``/v1/files``."""
        name, _, action = path.strip("/").partition("/")
        if not name:
            if request.method == "POST":
                return await self._upload(request)
            return _listed([file.described() for file in reversed(self.files.values())], False)
        file = self.files.get(name)
        if file is None:
            raise missing("file")
        if request.method == "DELETE":
            del self.files[name]
            return Answer({"id": name, "object": "file", "deleted": True})
        return Answer(file.content if action == "content" else file.described())

    async def handle_batches(self, request: web.BaseRequest, path: str) -> Answer:
        """Answer a request to what stands behind ``/v1/batches``."""
        name, _, action = path.strip("/").partition("/")
        if not name:
            if request.method == "POST":
                return self._create(json_of(await request.read()))
            page, more = self.batches.page(request.query.get("after"), number_of(request, "limit"))
            return _listed([_described(batch) for batch in page], more)
        batch = self.batches.look(name) if request.method == "GET" else self.batches.all.get(name)
        if batch is None:
            raise missing("batch")
        if action == "cancel" and batch.ended is None and batch.canceled is None:
            batch.canceled = time.time()
        elif self.batches.due(batch):
            self._end(batch)
        return Answer(_described(batch))

    async def _upload(self, request: web.BaseRequest) -> Answer:
        form = await request.post()
        sent, purpose = form.get("file"), form.get("purpose")
        if not isinstance(sent, web.FileField) or not isinstance(purpose, str):
            raise openai.invalid("'file' and 'purpose' are required.")
        with sent.file:
            content = sent.file.read()
        if len(content) > LONGEST_FILE:
            raise CallError(413, "unanswerable", "The file is too large.")
        return Answer(self._keep(sent.filename, purpose, content).described())

    def _keep(self, name: str, purpose: str, content: bytes) -> File:
        self._made += 1
        file = File(f"file-{self._made:024d}", name, purpose, content, int(time.time()))
        self.files[file.id] = file
        return file

    def _create(self, value: Any) -> Answer:
        if not isinstance(value, dict) or value.get("completion_window") != "24h":
            raise openai.invalid("Invalid value for 'completion_window': must be '24h'.")
        if value.get("endpoint") != _ENDPOINT:
            raise openai.invalid("Invalid value for 'endpoint'.")
        metadata = value.get("metadata") or {}
        if len(metadata) > _MOST_METADATA or not all(
            isinstance(text, str) and len(name) <= 64 and len(text) <= 512
            for name, text in metadata.items()
        ):
            raise openai.invalid("Invalid 'metadata': up to 16 short texts.")
        file = self.files.get(value.get("input_file_id", ""))
        if file is None or file.purpose != "batch":
            raise openai.invalid("Invalid 'input_file_id': no file with the purpose 'batch'.")
        items, faults = _items(file.content)
        about = {"file": file.id, "metadata": metadata or None, "errors": faults}
        batch, told = self.batches.create(items, about)
        if faults:
            batch.ended = batch.created
        if not told:
            raise BrokenConnectionError
        return Answer(_described(batch))

    def _end(self, batch: Batch) -> None:
        good: list[bytes] = []
        bad: list[bytes] = []
        for item in batch.items:
            line = self._line(batch, item)
            response = line["response"]
            kept = good if response is not None and response["status_code"] == 200 else bad
            kept.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            batch.results[item.custom_id] = "completed" if kept is good else "failed"
            if line["error"] is not None:
                batch.about["unanswered"] = line["error"]["code"]
        # Lines come in any order; ours is reversed, so that nobody relies on another.
        for name, lines in (("output", good), ("error", bad)):
            if lines:
                content = b"".join(reversed(lines))
                file = self._keep(f"{batch.id}_{name}.jsonl", "batch_output", content)
                batch.about[f"{name}_file"] = file.id
        batch.ended = time.time()

    def _line(self, batch: Batch, item: Item) -> dict[str, Any]:
        number = self._engine.number()
        line: dict[str, Any] = {"id": f"batch_req_{number:024d}", "custom_id": item.custom_id}
        fate = self.batches.fate(batch, item)
        if fate in ("expired", "canceled"):
            self._engine.counts[fate] += 1
            code = "batch_expired" if fate == "expired" else "batch_cancelled"
            message = "This request could not be executed before the batch ended."
            return line | {"response": None, "error": {"code": code, "message": message}}
        try:
            if fate == "errored":
                raise CallError(500, "error", "Internal server error")
            call = openai.read(item.body)
            status = 200
            body = openai.write(call, self._engine.item(call, item.digest), number)
        except CallError as problem:
            self._engine.counts[problem.reason] += 1
            status, body, _ = openai.error(problem, number)
        response = {"status_code": status, "request_id": f"req_{number:024d}", "body": body}
        return line | {"response": response, "error": None}


def _items(content: bytes) -> tuple[list[Item], list[dict[str, Any]]]:
    """The requests of a batch's file, and what is wrong with its lines."""
    items: dict[str, Item] = {}
    faults: list[dict[str, Any]] = []
    lines = content.splitlines()
    if not 0 < len(lines) <= MOST_REQUESTS:
        faults.append(_fault("too_many_tasks" if lines else "empty_file", None))
    for number, line in enumerate(lines, 1):
        try:
            value = orjson.loads(line)
            name, body = value["custom_id"], value["body"]
            right = value["method"] == "POST" and value["url"] == _ENDPOINT
        except (orjson.JSONDecodeError, KeyError, TypeError):
            faults.append(_fault("invalid_json_line", number))
            continue
        if not right:
            faults.append(_fault("mismatched_endpoint", number))
        elif name in items:
            faults.append(_fault("duplicate_custom_id", number))
        else:
            items[name] = Item(name, body, digest(orjson.dumps(body)))
    return list(items.values()), faults


def _fault(code: str, line: int | None) -> dict[str, Any]:
    message = "The batch's file is not as it should be."
    return {"code": code, "message": message, "param": None, "line": line}


def _status(batch: Batch) -> str:
    if batch.about["errors"]:
        return "failed"
    if batch.ended is None:
        if batch.canceled is not None:
            return "cancelling"
        return "in_progress" if batch.looks else "validating"
    ending = batch.about.get("unanswered")
    return {None: "completed", "batch_expired": "expired", "batch_cancelled": "cancelled"}[ending]


def _described(batch: Batch) -> dict[str, Any]:
    status = _status(batch)
    ended = None if batch.ended is None else int(batch.ended)
    results = list(batch.results.values())
    described = {
        "id": batch.id,
        "object": "batch",
        "endpoint": _ENDPOINT,
        "errors": None,
        "input_file_id": batch.about["file"],
        "completion_window": "24h",
        "status": status,
        "output_file_id": batch.about.get("output_file"),
        "error_file_id": batch.about.get("error_file"),
        "created_at": int(batch.created),
        "in_progress_at": int(batch.created) if batch.looks else None,
        "expires_at": int(batch.created) + _DAY,
        "cancelling_at": None if batch.canceled is None else int(batch.canceled),
        "request_counts": {
            "total": len(batch.items),
            "completed": results.count("completed"),
            "failed": results.count("failed"),
        },
        "metadata": batch.about["metadata"],
    }
    if batch.about["errors"]:
        described["errors"] = {"object": "list", "data": batch.about["errors"]}
    if ended is not None:
        described[f"{status}_at"] = ended
    return described


def _listed(data: list[dict[str, Any]], more: bool) -> Answer:
    return Answer(
        {
            "object": "list",
            "data": data,
            "has_more": more,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
        }
    )
