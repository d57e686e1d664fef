"""The one interface between Clio and a model's provider.

A provider sends one request and says what came back; it knows nothing of retries, limits, caches,
budgets or conversations. To add one: a file here and a line in the registry, or an entry point of
the group ``clio.analysts`` in another package.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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


class UnreachedError(TransientError):
    """Nobody answered at the address: no connection, or a broken one."""


class StalledError(TransientError):
    """No answer in time."""


class UnanswerableError(ProviderError):
    """This request will never be answered (too long, not accepted): give it up, go on."""


class UnsupportedError(ProviderError):
    """The server does not take something of how the request was put; the provider has changed its
    ways, so the same request may be sent again at once."""


class FatalError(ProviderError):
    """No request will be answered (a wrong key, no such model, no credit): stop the run."""


class UnclearError(ProviderError):
    """Whether a batch was handed in cannot be told: a person has to look.

    Parameters
    ----------
    message
        One line.
    candidates
        The provider's ids of batches that may be it.
    """

    def __init__(self, message: str, candidates: Sequence[str]) -> None:
        super().__init__(message)
        self.candidates = tuple(candidates)


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
    """How far a batch is.

    Attributes
    ----------
    done, total
        Requests.
    ended
        Nothing more will come.
    refused
        The provider took the batch and then refused it as a whole, which costs nothing: for now
        (`OverloadedError`) or for good.
    """

    done: int
    total: int
    ended: bool
    refused: ProviderError | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """A batch that was about to be handed in when all that is known of it ends.

    Attributes
    ----------
    label
        As in `BatchProvider.submit`.
    total
        Requests in it.
    since
        When the intent was written down, UTC; by this machine's clock.
    others
        The provider's ids of batches that are known to be something else.
    """

    label: str
    total: int
    since: datetime
    others: frozenset[str]


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

        Label and requests' keys are of letters and digits, and each key begins with the label.
        The label was journalled before, and is sent along so that `find` knows the batch again.

        Raises
        ------
        TransientError
            The batch may have been handed in or not: ask `find` before another try.
        ProviderError
            Of another kind: it was not handed in.
        """
        ...

    async def find(self, intent: Intent) -> str | None:
        """The id of a batch that was handed in as intended, ``None`` where there is none.

        What was left behind of one that was only half handed in is deleted.

        Raises
        ------
        UnclearError
            It cannot be told, or not yet.
        ProviderError
            The provider cannot be asked.
        """
        ...

    async def poll(self, batch: str) -> BatchStatus:
        """How far it is; one that the provider does not know any more has ended."""
        ...

    def collect(self, batch: str) -> AsyncIterator[tuple[str, Completion | ProviderError]]:
        """Key and outcome of each request of an ended batch, in any order.

        What the provider no longer has is left out.

        Raises
        ------
        ProviderError
            The answers cannot be fetched.
        """
        ...

    async def delete(self, batch: str) -> None:
        """Delete what the provider keeps of it, as far as it can be deleted."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
