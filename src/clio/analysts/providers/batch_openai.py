"""OpenAI's batch interface, and servers that speak it, through the official SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import openai
import orjson
from openai.types import Batch

from clio.analysts.providers.base import (
    BatchStatus,
    Completion,
    FatalError,
    Intent,
    OverloadedError,
    ProviderError,
    Request,
)
from clio.analysts.providers.batch_sdk import SDKBatches, explained, explained_each
from clio.analysts.providers.bodies import openai_line, openai_outcome
from clio.analysts.providers.endpoints import api_key, endpoint, is_loopback
from clio.analysts.providers.openai import HOME, manners, put
from clio.analysts.providers.sdk import http_client
from clio.analysts.providers.statuses import code_word

_SKEW: Final = timedelta(days=1)
"""How much earlier than its intent a batch may seem to be made: more than clocks differ."""

_TIMEOUT: Final = 900.0
"""Seconds for one call: a full batch is a file of 200 MB."""

_ENDED: Final = frozenset({"completed", "failed", "expired", "cancelled"})

_FULL: Final = frozenset({"token_limit_exceeded", "rate_limit_exceeded"})
"""Codes of a batch that was taken and then refused, because too much is waiting already."""

_MARK: Final = "clio"
"""Name of the metadata that holds a batch's label."""


class OpenAIBatches(SDKBatches):
    """Batches of one model.

    Parameters
    ----------
    model
        The provider's name of it.
    base_url
        Of another server with the same interface, with its ``/v1``.

    Raises
    ------
    ModelError
        There is no key, which servers on this machine alone do without, or the address is no
        address or in the open.
    """

    max_requests: Final = 50_000
    max_bytes: Final = 200_000_000

    def __init__(self, model: str, base_url: str | None = None) -> None:
        host = endpoint(base_url or HOME)
        super().__init__(openai, f"batch:openai:{model}", host, manners(host))
        self._model = model
        self._client = openai.AsyncOpenAI(
            api_key=api_key("OPENAI_API_KEY", required=not is_loopback(self.host)),
            base_url=base_url or HOME,
            http_client=http_client(openai),
            # A call that is repeated unseen could hand in a batch twice.
            max_retries=0,
            timeout=_TIMEOUT,
        )

    @explained
    async def submit(self, label: str, requests: Sequence[Request]) -> str:
        """Upload the requests, then make a batch of them that carries the label."""
        manner = self.manner
        lines = b"".join(
            openai_line(request.key, put(request, self._model, manner)) for request in requests
        )
        file = await self._client.files.create(file=(_file_name(label), lines), purpose="batch")
        try:
            batch = await self._client.batches.create(
                input_file_id=file.id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
                metadata={_MARK: label},
            )
        except openai.APIStatusError as error:
            if error.status_code < 500:
                # No batch came of it; what cannot be deleted now, expires there.
                with suppress(openai.OpenAIError):
                    await self._client.files.delete(file.id)
            raise
        self.used(batch.id, manner)
        return batch.id

    @explained
    async def find(self, intent: Intent) -> str | None:
        """Look for the label through the batches of the time in question, the newest first."""
        async for batch in self._client.batches.list(limit=100):
            if datetime.fromtimestamp(batch.created_at, UTC) < intent.since - _SKEW:
                break
            if (batch.metadata or {}).get(_MARK) == intent.label:
                return batch.id
        async for file in self._client.files.list(purpose="batch"):
            if file.filename == _file_name(intent.label):
                await self._client.files.delete(file.id)
        return None

    @explained
    async def poll(self, batch: str) -> BatchStatus:
        """How far it is."""
        try:
            found = await self._client.batches.retrieve(batch)
        except openai.NotFoundError:
            return BatchStatus(0, 0, ended=True)
        counts = found.request_counts
        done, total = (counts.completed + counts.failed, counts.total) if counts else (0, 0)
        refused = self._refused(found) if found.status == "failed" else None
        return BatchStatus(done, total, found.status in _ENDED, refused)

    @explained_each
    async def collect(self, batch: str) -> AsyncIterator[tuple[str, Completion | ProviderError]]:
        """Key and outcome of each request; nothing where the provider no longer has them."""
        async for pair in self.told_apart(batch, self._outcomes(batch)):
            yield pair

    @explained
    async def delete(self, batch: str) -> None:
        """Delete the batch's files; the batch itself, without any text, stays listed."""
        try:
            found = await self._client.batches.retrieve(batch)
        except openai.NotFoundError:
            return
        for file in (found.input_file_id, found.output_file_id, found.error_file_id):
            if file is not None:
                with suppress(openai.NotFoundError):
                    await self._client.files.delete(file)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    async def _outcomes(
        self, batch: str
    ) -> AsyncIterator[tuple[str, Completion | ProviderError, object]]:
        try:
            found = await self._client.batches.retrieve(batch)
        except openai.NotFoundError:
            return
        for file in (found.output_file_id, found.error_file_id):
            if file is not None:
                async for line in self._lines(file):
                    record = orjson.loads(line)
                    outcome = openai_outcome(self.name, record)
                    said = None if isinstance(outcome, Completion) else record.get("response")
                    yield str(record["custom_id"]), outcome, said

    async def _lines(self, file: str) -> AsyncIterator[bytes]:
        """Lines of a file as they arrive. By bytes, since text may hold other line breaks."""
        rest = b""
        try:
            async with self._client.files.with_streaming_response.content(file) as response:
                async for chunk in response.iter_bytes():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        if line.strip():
                            yield line
        except openai.NotFoundError:
            return
        if rest.strip():
            yield rest

    def _refused(self, batch: Batch) -> ProviderError:
        """Why a batch as a whole was refused: by its code, since the message may quote a line."""
        errors = (batch.errors.data if batch.errors else None) or []
        codes = [code for error in errors if (code := code_word(error.code))]
        code = codes[0] if codes else "without a code"
        if code in _FULL:
            return OverloadedError(f"{self.name} has too much waiting ({code})")
        return FatalError(f"{self.name} refused the whole batch ({code})")


def _file_name(label: str) -> str:
    return f"clio-{label}.jsonl"
