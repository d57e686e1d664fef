"""Anthropic's Message Batches through the official SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import anthropic
from anthropic.types.messages import MessageBatch

from clio.analysts.providers.anthropic import FORMS, HOME, completion, put
from clio.analysts.providers.base import (
    BatchStatus,
    Completion,
    FatalError,
    Intent,
    ProviderError,
    Request,
    TransientError,
    UnanswerableError,
    UnclearError,
)
from clio.analysts.providers.batch_sdk import SDKBatches, explained, explained_each
from clio.analysts.providers.endpoints import api_key, endpoint, is_loopback
from clio.analysts.providers.manners import Manners
from clio.analysts.providers.sdk import http_client
from clio.analysts.providers.statuses import code_word

_LONGEST: Final = timedelta(days=1)
"""How long a batch runs at most, by the provider's documentation; wider than clocks differ."""

_TIMEOUT: Final = 900.0
"""Seconds for one call: a full batch is a body of 256 MB."""

_UNANSWERABLE: Final = frozenset({"invalid_request_error", "request_too_large"})
_FATAL: Final = frozenset(
    {"authentication_error", "billing_error", "not_found_error", "permission_error"}
)


class AnthropicBatches(SDKBatches):
    """Batches of one model.

    Parameters
    ----------
    model
        The provider's name of it.
    base_url
        Another address of the same interface.

    Raises
    ------
    ModelError
        There is no key, which servers on this machine alone do without, or the address is no
        address or in the open.

    Notes
    -----
    A batch carries no words of ours, so a lost one is known again by its requests' ids alone,
    which the provider shows with the answers, that is, when it has ended. Until then a batch of
    as many requests may be it or not.
    """

    max_requests: Final = 100_000
    max_bytes: Final = 256_000_000

    def __init__(self, model: str, base_url: str | None = None) -> None:
        super().__init__(
            anthropic, f"batch:anthropic:{model}", endpoint(base_url or HOME), Manners(FORMS)
        )
        self._model = model
        self._client = anthropic.AsyncAnthropic(
            api_key=api_key("ANTHROPIC_API_KEY", required=not is_loopback(self.host)),
            base_url=base_url or HOME,
            http_client=http_client(anthropic),
            # A call that is repeated unseen could hand in a batch twice.
            max_retries=0,
            timeout=_TIMEOUT,
            open_telemetry=False,
        )
        self._batches = self._client.messages.batches

    @explained
    async def submit(self, label: str, requests: Sequence[Request]) -> str:  # noqa: ARG002
        """Hand in a batch. The label goes along in the requests' ids, which begin with it."""
        manner = self.manner
        items: Any = [
            {"custom_id": request.key, "params": put(request, self._model, manner)}
            for request in requests
        ]
        batch = await self._batches.create(requests=items)
        self.used(batch.id, manner)
        return batch.id

    @explained
    async def find(self, intent: Intent) -> str | None:
        """Look through the batches of the time in question, the newest first."""
        unclear = []
        async for batch in self._batches.list(limit=100):
            if batch.created_at < intent.since - _LONGEST:
                break
            if batch.id in intent.others or _counts(batch)[1] != intent.total:
                continue
            first = await self._first_id(batch.id) if batch.results_url else None
            if first is None:
                unclear.append(batch.id)
            elif first.startswith(intent.label):
                return batch.id
        if unclear:
            raise UnclearError(f"{self.name} does not tell what a batch holds", unclear)
        return None

    @explained
    async def poll(self, batch: str) -> BatchStatus:
        """How far it is. The provider counts nothing as done before all is."""
        try:
            found = await self._batches.retrieve(batch)
        except anthropic.NotFoundError:
            return BatchStatus(0, 0, ended=True)
        return BatchStatus(*_counts(found), found.processing_status == "ended")

    @explained_each
    async def collect(self, batch: str) -> AsyncIterator[tuple[str, Completion | ProviderError]]:
        """Key and outcome of each request; nothing where the provider no longer has them."""
        async for pair in self.told_apart(batch, self._outcomes(batch)):
            yield pair

    @explained
    async def delete(self, batch: str) -> None:
        """Delete the batch with its requests and answers."""
        try:
            await self._batches.delete(batch)
        except anthropic.NotFoundError:
            return

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    async def _outcomes(
        self, batch: str
    ) -> AsyncIterator[tuple[str, Completion | ProviderError, object]]:
        try:
            found = await self._batches.retrieve(batch)
            if found.results_url is None:
                return
            lines = await self._batches.results(batch)
        except anthropic.NotFoundError:
            return
        async for line in lines:
            record: dict[str, Any] = line.to_dict(mode="json")
            result = record["result"]
            yield str(record["custom_id"]), _outcome(self.name, result), result.get("error")

    async def _first_id(self, batch: str) -> str | None:
        """The id of some request in an ended batch."""
        lines = await self._batches.results(batch)
        try:
            async for line in lines:
                return line.custom_id
        finally:
            await lines.close()
        return None


def _counts(batch: MessageBatch) -> tuple[int, int]:
    """Requests of a batch that are done, and all."""
    counts = batch.request_counts
    done = counts.succeeded + counts.errored + counts.expired + counts.canceled
    return done, done + counts.processing


def _outcome(name: str, result: Mapping[str, Any]) -> Completion | ProviderError:
    """How one request of a batch ended."""
    kind = result["type"]
    if kind == "succeeded":
        try:
            return completion(result["message"])
        except TransientError as error:
            return error
    if kind != "errored":
        return TransientError(f"{name} has no answer ({code_word(kind) or 'without a code'})")
    code = code_word(result["error"]["error"]["type"])
    if code in _UNANSWERABLE:
        return UnanswerableError(f"{name} does not take the request ({code})")
    if code in _FATAL:
        return FatalError(f"{name} answers no request ({code})")
    return TransientError(f"{name} failed on the request ({code or 'without a code'})")
