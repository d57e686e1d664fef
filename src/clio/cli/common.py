"""What commands share: their options, their consoles and how they end."""

from __future__ import annotations

import os
import shlex
import sys
import traceback
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer
from fastapi import APIRouter
from rich.console import Console

from clio.embedding import EMBEDDERS, is_installed, load_embedder
from clio.errors import ClioError, SettingsError, UnexpectedError, WaitingError, from_machine
from clio.release.read import open_release
from clio.server import (
    DEFAULT_PORT,
    LOCAL_HOSTS,
    Certificate,
    Role,
    bind,
    check_exposure,
    create_app,
    run,
    url_of,
)
from clio.server.live import Serving
from clio.server.meaning import Embed

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_WAITING = 3
EXIT_INTERRUPTED = 130

_STATUS: dict[type[ClioError], int] = {SettingsError: EXIT_USAGE, WaitingError: EXIT_WAITING}

DEBUG_VARIABLE = "CLIO_DEBUG"
"""Where this is set, an unexpected error shows its traceback, which may quote what was read."""

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Settings file; clio.toml in the working directory if there.",
    ),
]
Seed = Annotated[
    int | None, typer.Option("--seed", metavar="N", min=0, help="Seed of all that is random.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")]
Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT",
        help="Files, folders, patterns, archives, '-' for standard input, or s3://... addresses.",
    ),
]
Port = Annotated[
    int,
    typer.Option(
        "--port", metavar="N", min=0, max=65535, help="First port to try; 0: any free one."
    ),
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
        _fail(error, as_json=as_json)
    except KeyboardInterrupt:
        hint = "; the same command goes on where it stopped" if resumable else ""
        messages.print(f"clio: stopped{hint}", markup=False)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever read the output has enough; the interpreter must not try to write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(EXIT_FAILURE) from None
    except (OSError, MemoryError) as error:
        _fail(from_machine(error), as_json=as_json)
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        _fail(_unexpected(error), as_json=as_json)


def _fail(error: ClioError, *, as_json: bool) -> NoReturn:
    if as_json:
        with suppress(OSError):  # standard output may be what failed
            print_json({"error": {"code": error.code, "message": error.message}})
    messages.print(f"clio: {error}", style="red", markup=False, emoji=False)
    status = next((s for kind, s in _STATUS.items() if isinstance(error, kind)), EXIT_FAILURE)
    raise typer.Exit(status) from None


def _unexpected(error: Exception) -> UnexpectedError:
    """Kind and place of an error alone, since its text may quote what was read."""
    places = [
        f"{frame.f_globals.get('__name__', '')}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    own = [place for place in places[1:] if place.startswith("clio.")]  # the first is `ending`
    return UnexpectedError(
        f"unexpected {type(error).__name__} at {(own or places)[-1]}; this is a mistake of Clio's: "
        f"please report it ({DEBUG_VARIABLE}=1 shows the traceback, which may quote your data)"
    )


@dataclass(frozen=True)
class Place:
    """Where a server listens, under what names it is asked, and how it proves itself."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    names: tuple[str, ...] = ()
    certificate: Certificate | None = None
    in_the_open: str | None = None


def _embed(path: Path) -> Embed | None:
    """What a release's texts were embedded with, loaded when first used; none: not installed."""
    name = open_release(path).info.embedder
    if name not in EMBEDDERS or not is_installed(name):
        return None
    embedder = cache(partial(load_embedder, name, threads=1))
    return lambda texts: embedder().embed(texts)


def serve_until_stopped(
    path: Path,
    place: Place,
    *,
    role: Role = "release",
    beside: Sequence[APIRouter] = (),
    serving: Serving | None = None,
    browser: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Serve a release, say where, and wait for Ctrl-C."""
    certificate, encrypted = place.certificate, place.certificate is not None
    check_exposure(place.host, encrypted=encrypted, said=place.in_the_open)
    if certificate is not None:
        certificate.check()
    hosts = (*LOCAL_HOSTS, place.host, *place.names)
    app = create_app(
        path, hosts=hosts, role=role, beside=beside, serving=serving, embed=_embed(path)
    )
    listening = bind(place.host, place.port)
    url = url_of(listening, encrypted=encrypted, name=place.names[0] if place.names else None)
    if as_json:
        print_json({"url": url, "release": str(path), "role": role})
    elif not quiet:
        output.print(f"\nThe explorer is at [bold]{url}[/bold]  (Ctrl-C ends it)")
        if role == "safety":
            command = f"clio token {shlex.quote(str(path))} --url {url}"
            output.print(f"The safety role comes in by a link: {command}", markup=False)
    if browser:
        webbrowser.open(url)
    with suppress(KeyboardInterrupt):
        run(app, listening, certificate)
