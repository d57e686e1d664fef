"""Asking a model whose answers come later: in batches, or in files that somebody else answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from clio.analysts.answers import (
    RE_ASKS,
    Reading,
    first_request,
    further_request,
    read_answer,
)
from clio.analysts.batching import Batches, Pauses
from clio.analysts.budget import Budget
from clio.analysts.cache import Cache
from clio.analysts.exchange import Exchange
from clio.analysts.journal import Journal
from clio.analysts.ledger import Ledger
from clio.analysts.prices import Model
from clio.analysts.providers.base import BatchProvider, Completion, Request
from clio.conversation import Outcome
from clio.errors import ModelError, SettingsError
from clio.prompting import PendingError, Prompt, Purpose, Reply

BATCH_PROVIDERS: Final = {
    "anthropic": ("clio.analysts.providers.batch_anthropic", "AnthropicBatches"),
    "openai": ("clio.analysts.providers.batch_openai", "OpenAIBatches"),
}
"""Batch interfaces by the name of their provider; each is imported only when it is named."""


class Carrier(Protocol):
    """Takes requests to where they are answered, and brings answers into the cache.

    Attributes
    ----------
    host
        Where texts go to.
    on_wait
        Called with requests done and all that are awaited, at each look.
    state
        Held while it is told apart what is answered, under way and new: nothing is brought then.
    """

    host: str
    on_wait: Callable[[int, int], None] | None

    @property
    def state(self) -> AbstractContextManager[object]:
        """The lock."""
        ...

    def hand_in(self, wanted: Sequence[tuple[Purpose, Request]]) -> None:
        """Take requests without an answer; those that are under way already are left out."""
        ...

    def fill(self) -> None:
        """Send what need not wait for more."""
        ...

    def wait(self) -> None:
        """Send all, and return when something new has come."""
        ...

    def outstanding(self) -> list[str]:
        """Where texts lie outside the run, one line each."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class DeferredAsker:
    """Answers what the cache has, and hands in the rest. Any thread may ask.

    An answer that does not pass is handed in once more, with the reason, as a request of its own.

    Parameters
    ----------
    model
        What requests are named by, with all that they hold.
    carrier
        Where they go.
    cache, journal, ledger
        Where answers and notes are kept, and what is counted.

    Attributes
    ----------
    host
        Where texts are sent to, or the folder they are written into.
    ledger
        What was asked, how it ended and what it cost.
    """

    def __init__(
        self, model: str, carrier: Carrier, *, cache: Cache, journal: Journal, ledger: Ledger
    ) -> None:
        self.host = carrier.host
        self.ledger = ledger
        self._model = model
        self._carrier = carrier
        self._cache = cache
        self._journal = journal
        # Keys counted while others of the same prompts were still awaited.
        self._counted: set[str] = set()
        self._closed = False
        self._left: list[str] | None = None

    @property
    def on_wait(self) -> Callable[[int, int], None] | None:
        """Called while waiting, with the requests that are done and all that are awaited."""
        return self._carrier.on_wait

    @on_wait.setter
    def on_wait(self, call: Callable[[int, int], None] | None) -> None:
        self._carrier.on_wait = call

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order; as `Asker.ask`.

        Raises
        ------
        PendingError
            Answers are awaited; all that could be has been handed in.
        BudgetError
            The budget is used up. What has been handed in is collected when the run goes on.
        ModelError
            The provider takes no requests.
        DiskError
            Answers cannot be kept, or files not be written.
        """
        with self._carrier.state:
            if self._closed:
                raise ModelError("asking was stopped; run the same command again")
            replies, wanted = self._look_up(prompts)
            self._carrier.hand_in(wanted)
        self._carrier.fill()
        if wanted:
            raise PendingError
        return [reply for reply in replies if reply is not None]

    def wait(self) -> None:
        """Send what was gathered, and return when some of the awaited answers have come.

        Raises
        ------
        WaitingError
            Somebody else has to bring them.
        ModelError
            The provider answers no request, is gone, or it cannot be told what it has.
        """
        self._carrier.wait()

    def outstanding(self) -> list[str]:
        """Where texts lie outside the run's own directory, one line each; once closed, still."""
        with self._carrier.state:
            return self._carrier.outstanding() if self._left is None else self._left

    def close(self) -> None:
        """Let go of everything. What is under way is collected by the next start."""
        with self._carrier.state:
            if self._closed:
                return
            self._closed = True
        try:
            self._carrier.close()
        finally:
            with self._carrier.state:
                self._left = self._carrier.outstanding()
                self._cache.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _look_up(
        self, prompts: Sequence[Prompt]
    ) -> tuple[list[Reply | None], list[tuple[Purpose, Request]]]:
        """What is known of prompts, and the requests that have no answer yet."""
        replies: list[Reply | None] = [None] * len(prompts)
        readings: dict[str, tuple[Purpose, Reading, Completion]] = {}
        open_ = {place: first_request(self._model, prompt) for place, prompt in enumerate(prompts)}
        for again in range(RE_ASKS + 1):
            known = self._cache.get([request.key for request in open_.values()])
            for place, request in list(open_.items()):
                completion, prompt = known.get(request.key), prompts[place]
                if completion is None:
                    continue
                reading = read_answer(prompt, completion)
                readings[request.key] = (prompt.purpose, reading, completion)
                if reading.again and again < RE_ASKS:
                    reason = reading.reply.reason or ""
                    further = further_request(prompt, request, completion, reason)
                    open_[place] = _sendable(further)
                else:
                    replies[place] = reading.reply
                    del open_[place]
        failures = self._journal.failures([request.key for request in open_.values()])
        wanted: dict[str, tuple[Purpose, Request]] = {}
        for place, request in open_.items():
            if request.key in failures:
                replies[place] = Reply(Outcome.FAILED, reason=failures[request.key])
            else:
                wanted[request.key] = (prompts[place].purpose, request)
        self._count(readings, last=not wanted)
        return replies, list(wanted.values())

    def _count(
        self, readings: dict[str, tuple[Purpose, Reading, Completion]], *, last: bool
    ) -> None:
        """Count each answer once: as an attempt when it is new, as reused when it was known."""
        fresh = self._journal.fresh(list(readings))
        with self._cache.transaction():
            for key, (purpose, reading, completion) in readings.items():
                if key in fresh:
                    self.ledger.count(purpose, reading.ending, completion.usage)
                elif last and key not in self._counted:
                    self.ledger.reuse(purpose, completion.usage)
            self._journal.seen(fresh)
            self.ledger.save()
        if last:
            self._counted.difference_update(readings)
        else:
            self._counted |= fresh


def open_deferred(
    name: str,
    *,
    base_url: str | None = None,
    budget: Budget | None = None,
    known: Model = Model(),
    cache: Cache,
    ledger: Ledger,
    pauses: Pauses = Pauses(),
) -> DeferredAsker:
    """An asker whose answers come later.

    Parameters
    ----------
    name
        ``batch:anthropic:MODEL``, ``batch:openai:MODEL`` or ``files:DIR``.
    base_url
        Of another server that speaks the provider's batch interface.
    budget, known
        What is allowed, and what is known of the model.
    cache, ledger
        Where answers are kept and counted; the cache is closed with the asker.
    pauses
        Between looks at a provider.

    Raises
    ------
    SettingsError
        The name names nobody.
    ModelError
        The provider cannot be used, or others could read what would be written.
    BudgetError
        What is under way from an earlier start is more than the budget allows.
    """
    kind, _, rest = name.partition(":")
    if kind == "files":
        journal = Journal(cache, "files")
        exchange = Exchange(Path(rest), cache=cache, journal=journal, ledger=ledger)
        return DeferredAsker("files", exchange, cache=cache, journal=journal, ledger=ledger)
    provider_name, model = batch_names(name)
    journal = Journal(cache, name)
    batches = Batches(
        _load(provider_name, model, base_url),
        cache=cache,
        journal=journal,
        ledger=ledger,
        budget=budget,
        model=known,
        pauses=pauses,
    )
    return DeferredAsker(name, batches, cache=cache, journal=journal, ledger=ledger)


def batch_names(name: str) -> tuple[str, str]:
    """Provider and model of a name such as ``batch:openai:MODEL``.

    Raises
    ------
    SettingsError
        The name names nobody.
    """
    kind, _, rest = name.partition(":")
    provider_name, _, model = rest.partition(":")
    if kind != "batch" or provider_name not in BATCH_PROVIDERS or not model:
        known = ", ".join(f"batch:{known}:MODEL" for known in BATCH_PROVIDERS)
        raise SettingsError(f"'{name}' names nobody; known: {known}, files:DIR")
    return provider_name, model


def _load(provider_name: str, model: str, base_url: str | None) -> BatchProvider:
    module, attribute = BATCH_PROVIDERS[provider_name]
    try:
        factory: Callable[[str, str | None], BatchProvider] = getattr(
            import_module(module), attribute
        )
    except ImportError:
        raise ModelError(
            f"batch:{provider_name} needs its SDK: pip install 'clio-insights[{provider_name}]'"
        ) from None
    return factory(model, base_url)


def _sendable(request: Request) -> Request:
    """The request without lone surrogates in the answer it quotes: a model may write them."""
    if request.retry_of is None:
        return request
    answer, reason = request.retry_of
    return replace(request, retry_of=(answer.encode("utf-8", "replace").decode(), reason))
