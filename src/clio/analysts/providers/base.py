"""The one interface between Clio and a model's provider.

A provider sends one request and says what came back; it knows nothing of retries, limits, caches,
budgets or conversations. To add one: a file here and a line in the registry, or an entry point of
the group ``clio.analysts`` in another package.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent to a model.

    Attributes
    ----------
    key
        Stable name of the request within a run: hexadecimal, at most 64 characters.
    system
        The stable part; where a provider can cache prompts it marks the end of this.
    user
        The part that differs.
    schema
        JSON schema of the answer.
    temperature, max_tokens
        As the provider's own parameters.
    retry_of
        For a second try: the answer that did not pass and what was wrong with it.
    """

    key: str
    system: str
    user: str
    schema: Mapping[str, Any]
    temperature: float
    max_tokens: int
    retry_of: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as the provider counts them.

    `cached` were read from the provider's cache, `written` were put into it; both are part of
    `input`.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    written: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back.

    Attributes
    ----------
    text
        The answer as the model wrote it; JSON where it kept to the schema.
    usage
        Tokens used.
    refused
        The provider or the model says that it will not answer.
    truncated
        The answer was cut at `Request.max_tokens`.
    """

    text: str
    usage: Usage
    refused: bool = False
    truncated: bool = False


class ProviderError(Exception):
    """A call without an answer. Its text is one line and never holds what was sent or received."""


class OverloadedError(ProviderError):
    """Too many requests, or the server is overloaded (429, 529): slow down, then again.

    Parameters
    ----------
    message
        One line.
    retry_after
        Seconds that the server asks for, or ``None``.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TransientError(ProviderError):
    """A failure that may pass (5xx, a broken connection, a time-out): try again."""


class UnanswerableError(ProviderError):
    """This request will never be answered (too long, not accepted): give it up, go on."""


class FatalError(ProviderError):
    """No request will be answered (a wrong key, no such model, no credit): stop the run."""


class Provider(Protocol):
    """Sends one request at a time, many at once.

    Attributes
    ----------
    name
        As in ``--analyst``: ``anthropic:MODEL``.
    host
        Scheme, host and port that texts are sent to; shown before the first byte leaves.
    """

    name: str
    host: str

    async def generate(self, request: Request) -> Completion:
        """Send a request.

        Raises
        ------
        ProviderError
            One of its kinds.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """How far a batch is: `done` of `total`; `ended` when nothing more will come."""

    done: int
    total: int
    ended: bool


class BatchProvider(Protocol):
    """Takes many requests at once and answers later.

    Attributes
    ----------
    name, host
        As `Provider`.
    max_requests, max_bytes
        What one batch may hold.
    """

    name: str
    host: str
    max_requests: int
    max_bytes: int

    async def submit(self, label: str, requests: Sequence[Request]) -> str:
        """Hand in a batch under a label of ours; the provider's id of it.

        The label was journalled before, and is sent along so that `find` knows the batch again.
        """
        ...

    async def find(self, label: str) -> str | None:
        """The id of a batch that was handed in under the label, or ``None`` where there is none.

        Raises
        ------
        ProviderError
            It cannot be told.
        """
        ...

    async def poll(self, batch: str) -> BatchStatus:
        """How far it is."""
        ...

    def collect(self, batch: str) -> AsyncIterator[tuple[str, Completion | ProviderError]]:
        """Key and outcome of each request of an ended batch, in any order."""
        ...

    async def delete(self, batch: str) -> None:
        """Delete what the provider keeps of it, as far as it can be deleted."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
