"""What commands share: their options, their consoles and how they end."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from clio.errors import ClioError, SettingsError
from clio.server import DEFAULT_PORT, bind, create_app, run, url_of

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

Config = Annotated[
    Path | None,
    typer.Option("--config", help="Settings file; clio.toml in the working directory if there."),
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Seed of all that is random.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")]
Port = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="First port to try; 0: any free one.")
]

output = Console(highlight=False, soft_wrap=True)
messages = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")
    sys.stdout.flush()


@contextmanager
def ending(*, as_json: bool, resumable: bool = False) -> Iterator[None]:
    """Turn errors into one line and an exit status, an interruption into a hint."""
    try:
        yield
    except ClioError as error:
        if as_json:
            print_json({"error": {"code": error.code, "message": error.message}})
        messages.print(f"clio: {error}", style="red", markup=False)
        wrong_usage = isinstance(error, SettingsError)
        raise typer.Exit(EXIT_USAGE if wrong_usage else EXIT_FAILURE) from None
    except KeyboardInterrupt:
        hint = "; the same command goes on where it stopped" if resumable else ""
        messages.print(f"clio: stopped{hint}", markup=False)
        raise typer.Exit(EXIT_INTERRUPTED) from None


def serve_until_stopped(
    path: Path, *, port: int = DEFAULT_PORT, browser: bool, quiet: bool, as_json: bool
) -> None:
    """Serve a release on this machine, say where, and wait for Ctrl-C."""
    app = create_app(path)
    listening = bind(port=port)
    url = url_of(listening)
    if as_json:
        print_json({"url": url, "release": str(path)})
    elif not quiet:
        output.print(f"\nThe explorer is at [bold]{url}[/bold]  (Ctrl-C ends it)")
    if browser:
        webbrowser.open(url)
    with suppress(KeyboardInterrupt):
        run(app, listening)
