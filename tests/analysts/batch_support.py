"""What tests of batches and files share: shards of prompts, and a batch interface in memory."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import contextmanager
from pathlib import Path

import number_prompts as numbers

from clio.analysts.batching import Batches, Pauses
from clio.analysts.budget import Budget
from clio.analysts.cache import Cache
from clio.analysts.deferred import DeferredAsker
from clio.analysts.journal import Journal
from clio.analysts.ledger import Ledger
from clio.analysts.prices import Model, Price
from clio.analysts.providers.base import (
    BatchStatus,
    Completion,
    Intent,
    ProviderError,
    Request,
)
from clio.prompting import PendingError, Reply

MODEL = "batch:memory:model"
PRICE = Price(input=2.0, output=10.0, cached=2.0, written=2.0, batch_factor=0.5)
QUICK = Pauses(first=0.01, longest=0.02, settling=0.0)

Answer = Callable[[Request], Completion | ProviderError | None]


def shards(count: int, size: int) -> list[list[numbers.Prompt]]:
    """Prompts that ask for 0, 1, 2 and so on, in shards."""
    return [
        [numbers.number_prompt(number) for number in range(first, first + size)]
        for first in range(0, count * size, size)
    ]


def ask_shards(asker: DeferredAsker, prompts: list[list[numbers.Prompt]]) -> list[Reply]:
    """Ask as a stage does: all shards, then wait, then those that are left."""
    replies: dict[int, list[Reply]] = {}
    while len(replies) < len(prompts):
        for place, shard in enumerate(prompts):
            if place not in replies:
                try:
                    replies[place] = asker.ask(shard)
                except PendingError:
                    continue
        if len(replies) < len(prompts):
            asker.wait()
    return [reply for place in sorted(replies) for reply in replies[place]]


class MemoryBatches:
    """A batch interface that answers as a test says; ``None`` leaves a request out."""

    name = MODEL
    host = "https://memory.invalid"

    def __init__(
        self,
        answer: Answer = numbers.number_answer,
        *,
        polls: int = 0,
        max_requests: int = 1_000,
        max_bytes: int = 10_000_000,
    ) -> None:
        self.answer = answer
        self.polls = polls
        self.max_requests = max_requests
        self.max_bytes = max_bytes
        self.submitted: list[tuple[str, list[Request]]] = []
        self.kept: set[str] = set()
        self.refuse: Callable[[Sequence[Request]], ProviderError | None] = lambda requests: None
        self.on_submit: Callable[[], ProviderError | None] = lambda: None
        self.lose: Callable[[], ProviderError | None] = lambda: None
        self.on_poll: Callable[[], ProviderError | None] = lambda: None
        self.on_collect: Callable[[int], ProviderError | None] = lambda place: None
        self.on_delete: Callable[[], ProviderError | None] = lambda: None
        self._polled: dict[str, int] = {}

    async def submit(self, label: str, requests: Sequence[Request]) -> str:
        _raise(self.on_submit())
        assert all(re.fullmatch(f"{label}[0-9a-f]{{48}}", request.key) for request in requests)
        identity = f"batch-{len(self.submitted)}"
        self.submitted.append((label, list(requests)))
        self.kept.add(identity)
        _raise(self.lose())
        return identity

    async def find(self, intent: Intent) -> str | None:
        for place, (label, requests) in enumerate(self.submitted):
            if label == intent.label:
                assert len(requests) == intent.total
                return f"batch-{place}"
        return None

    async def poll(self, batch: str) -> BatchStatus:
        _raise(self.on_poll())
        requests = self._requests(batch)
        self._polled[batch] = self._polled.get(batch, 0) + 1
        ended = self._polled[batch] > self.polls
        refused = self.refuse(requests)
        return BatchStatus(0, len(requests), ended or refused is not None, refused)

    async def collect(self, batch: str) -> AsyncIterator[tuple[str, Completion | ProviderError]]:
        for place, request in enumerate(reversed(self._requests(batch))):
            _raise(self.on_collect(place))
            outcome = self.answer(request)
            if outcome is not None:
                yield request.key, outcome

    async def delete(self, batch: str) -> None:
        _raise(self.on_delete())
        self.kept.discard(batch)

    async def close(self) -> None: ...

    def _requests(self, batch: str) -> list[Request]:
        return self.submitted[int(batch.removeprefix("batch-"))][1]


def _raise(error: ProviderError | None) -> None:
    if error is not None:
        raise error


@contextmanager
def opened(folder: Path, provider: MemoryBatches, budget: Budget | None = None):
    """An asker over a batch interface in memory."""
    cache = Cache(folder / "answers.sqlite")
    journal = Journal(cache, MODEL)
    ledger = Ledger(cache, MODEL, PRICE)
    batches = Batches(
        provider,
        cache=cache,
        journal=journal,
        ledger=ledger,
        budget=budget,
        model=Model(PRICE),
        pauses=QUICK,
    )
    with DeferredAsker(MODEL, batches, cache=cache, journal=journal, ledger=ledger) as asker:
        yield asker
