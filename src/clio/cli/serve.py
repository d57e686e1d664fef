"""``clio serve``: the explorer of a release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clio.cli.common import Json, Port, Quiet, ending, serve_until_stopped
from clio.server import DEFAULT_PORT

NAME = "serve"
HELP = "Explore a run or a release in the browser, on 127.0.0.1. Opens nothing private."


def command(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory or a release's.")],
    port: Port = DEFAULT_PORT,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the page in a browser.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Serve the explorer until interrupted."""
    with ending(as_json=as_json):
        serve_until_stopped(path, port=port, browser=open_browser, quiet=quiet, as_json=as_json)
