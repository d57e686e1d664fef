"""The stand-in server in a thread of the caller's process."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Collection
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from clio.analysts.providers.base import Usage
from clio.errors import ModelError
from clio.testing.model_server.batches import BatchTiming
from clio.testing.model_server.engine import Engine
from clio.testing.model_server.faults import Faults, RateLimits
from clio.testing.model_server.shown import Respond

HOST = "127.0.0.1"


class ModelServer:
    """A server that speaks as Anthropic's and OpenAI's do, and answers what it is told to.

    A context manager; it listens on the loopback from entry to exit.

    Parameters
    ----------
    respond
        Gives the answer to a request, as a JSON object.
    latency, jitter
        Seconds that an answer takes, and how many more at most.
    faults
        What goes wrong, how often.
    limits
        How much is taken a minute.
    batches
        When batches end, and how.
    seed
        Of whatever is drawn.
    models
        The models that there are; by default one of any name.
    key
        The key that is let in; by default any.
    cache_minimum
        Tokens that a prompt's stable part must have to be cached.
    port
        Where to listen; by default a free one.

    Raises
    ------
    ModelError
        On entry: aiohttp is not installed, or the port is taken.
    """

    def __init__(
        self,
        respond: Respond,
        *,
        latency: float = 0.0,
        jitter: float = 0.0,
        faults: Faults = Faults(),
        limits: RateLimits = RateLimits(),
        batches: BatchTiming = BatchTiming(),
        seed: int = 0,
        models: Collection[str] | None = None,
        key: str | None = None,
        cache_minimum: int = 1024,
        port: int = 0,
    ) -> None:
        self._engine = Engine(
            respond,
            latency=latency,
            jitter=jitter,
            faults=faults,
            limits=limits,
            seed=seed,
            models=models,
            cache_minimum=cache_minimum,
        )
        try:
            from clio.testing.model_server.service import Service
        except ImportError:
            raise ModelError(
                "the stand-in server needs aiohttp; install it (pip install aiohttp)"
            ) from None
        self._service = Service(self._engine, batches, seed=seed, key=key)
        self._port = port
        self._ready: Future[int] = Future()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="model server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._port = self._ready.result()
        except OSError:
            raise ModelError(f"port {self._port} cannot be listened at; name another") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        if self._engine.broken is not None and error is None:
            raise self._engine.broken

    @property
    def url(self) -> str:
        """Base URL for Anthropic's client; for OpenAI's, ``/v1`` stands behind it."""
        return f"http://{HOST}:{self._port}"

    @property
    def counts(self) -> Counter[str]:
        """Calls by outcome.

        ``answered``, ``malformed``, ``out_of_schema``, ``truncated`` and ``refused`` had status
        200, in batches too; ``overloaded`` 429 or 529, ``error`` 500 or 503, ``unanswerable`` 400
        or 413, ``unauthorised`` 401, ``unknown_model`` and ``not_found`` 404; ``stall`` and
        ``disconnect`` had none. Items of batches may be ``expired`` or ``canceled``.
        """
        return Counter(self._engine.counts)

    @property
    def usage(self) -> Usage:
        """Tokens of all calls with status 200."""
        return self._engine.usage

    @property
    def requests(self) -> Counter[str]:
        """How often each call came, by a digest of its body; items of batches too."""
        return Counter(self._engine.requests)

    @property
    def peak(self) -> int:
        """Most calls at once."""
        return self._engine.peak

    @property
    def state(self) -> dict[str, Any]:
        """All that is counted, with the ids of batches and files that are kept."""
        return self._service.state()

    def _run(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        try:
            runner, port = loop.run_until_complete(self._service.serve(HOST, self._port))
        except OSError as problem:
            loop.close()
            self._ready.set_exception(problem)
            return
        self._ready.set_result(port)
        loop.run_forever()
        # Calls that stall or have a long latency would be waited for.
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(runner.cleanup())
        loop.close()
