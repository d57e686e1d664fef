"""A server in a thread of the tests' own process: it starts at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from clio.server import bind, create_app, url_of
from clio.server.meaning import Embed


@contextlib.contextmanager
def served(run: Path, *, embed: Embed | None = None) -> Iterator[str]:
    """A server of a run on a free port, for as long as the context lasts."""
    listening = bind(port=0)
    config = uvicorn.Config(
        create_app(run, embed=embed), log_level="error", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield url_of(listening)
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listening.close()
