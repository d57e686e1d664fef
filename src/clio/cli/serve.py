"""``clio serve``: the explorer of a release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clio.cli.common import Config, Json, Port, Quiet, Seed, ending, serve_until_stopped
from clio.server import DEFAULT_PORT
from clio.settings import load_settings

NAME = "serve"
SHORT = "Explore a run in the browser."
HELP = "Explore a run or a release in the browser, on 127.0.0.1. Opens nothing private."


def command(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory or a release's.")],
    port: Port = DEFAULT_PORT,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the page in a browser.")
    ] = False,
    config: Config = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Serve the explorer until interrupted."""
    with ending(as_json=as_json):
        # Nothing here depends on settings, but a wrong file should not pass unnoticed.
        load_settings({"seed": seed}, config=config)
        serve_until_stopped(path, port=port, browser=open_browser, quiet=quiet, as_json=as_json)
