"""The stand-in server as a process of its own: ``python -m clio.testing.model_server``.

It prints one JSON line with its ``url`` and answers until it is interrupted or terminated;
``GET /_counts`` shows what it counted.
"""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import fields
from typing import Any, Final

import orjson

from clio.errors import ClioError
from clio.testing.model_server import (
    BatchTiming,
    Faults,
    ModelServer,
    RateLimits,
    Respond,
    SchemaResponder,
    TruthfulResponder,
)

_GROUPS: Final = (("faults", Faults), ("limits", RateLimits), ("batches", BatchTiming))


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser("python -m clio.testing.model_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--jitter", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--truth",
        action="append",
        metavar="FILE",
        help="JSON Lines of generated conversations; without any, answers only fit the schema",
    )
    parser.add_argument("--wrong", type=float, default=0.0)
    parser.add_argument("--obey", action="store_true")
    parser.add_argument("--model", action="append", help="a model that there is; any by default")
    for _, kind in _GROUPS:
        for field in fields(kind):
            name = f"--{field.name.replace('_', '-')}"
            whole = isinstance(field.default, int) or field.default is None
            parser.add_argument(name, type=int if whole else float, default=field.default)
    arguments = vars(parser.parse_args())
    groups: dict[str, Any] = {
        name: kind(**{field.name: arguments[field.name] for field in fields(kind)})
        for name, kind in _GROUPS
    }
    respond: Respond = SchemaResponder(arguments["seed"])
    if arguments["truth"]:
        respond = TruthfulResponder(
            arguments["truth"],
            wrong=arguments["wrong"],
            obey=arguments["obey"],
            seed=arguments["seed"],
        )
    server = ModelServer(
        respond,
        latency=arguments["latency"],
        jitter=arguments["jitter"],
        seed=arguments["seed"],
        models=arguments["model"],
        port=arguments["port"],
        **groups,
    )
    with server:
        sys.stdout.buffer.write(orjson.dumps({"url": server.url}, option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.flush()
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        main()
    except ClioError as error:
        sys.exit(str(error))
