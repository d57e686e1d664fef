"""``clio token``: a one-time link for the safety role."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode, urlsplit

import typer

from clio.access import TOKEN_LIFE
from clio.cli.common import Config, Json, Quiet, Seed, ending, output, print_json
from clio.errors import SettingsError
from clio.pipeline.tokens import issue_token
from clio.server import DEFAULT_PORT, ENTRANCE
from clio.settings import load_settings

NAME = "token"
SHORT = "A one-time link for the safety role."
HELP = (
    "Make a link that opens what is restricted, once, in a server that runs with "
    "[bold]clio serve RUN --role safety[/bold]. Give it to nobody but who may look."
)

_MINUTES = int(TOKEN_LIFE.total_seconds() // 60)


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run directory.")],
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="Where the server is, as it says itself.")
    ] = f"http://127.0.0.1:{DEFAULT_PORT}/",
    config: Config = None,
    seed: Seed = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make a link and print it."""
    with ending(as_json=as_json):
        load_settings({"seed": seed}, config=config)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise SettingsError("--url takes an address such as http://127.0.0.1:8765/")
        query = urlencode({"token": issue_token(run)})
        link = f"{parts.scheme}://{parts.netloc}{ENTRANCE}?{query}"
        if as_json:
            print_json({"link": link, "minutes": _MINUTES})
            return
        output.print(link, markup=False)
        if not quiet:
            output.print(f"It opens once, within {_MINUTES} minutes.", style="dim")
