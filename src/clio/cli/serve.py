"""``clio serve``: the explorer of a release."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer
from fastapi import APIRouter

from clio.cli.common import Config, Json, Place, Port, Quiet, Seed, ending, serve_until_stopped
from clio.errors import SettingsError
from clio.server import DEFAULT_PORT, IN_THE_OPEN, LOCAL_HOSTS, Certificate, Role
from clio.server.live import Serving
from clio.settings import load_settings

NAME = "serve"
SHORT = "Explore a run in the browser."
HELP = (
    "Explore a run or a release in the browser, on 127.0.0.1. Opens nothing private; with "
    "[bold]--role safety[/bold] also what is restricted, to who has a link by clio token."
)

_ROLES: dict[str, Role] = {"release": "release", "safety": "safety"}


def command(
    path: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory or a release's.")],
    role: Annotated[
        str, typer.Option("--role", metavar="ROLE", help="What is opened: release or safety.")
    ] = "release",
    port: Port = DEFAULT_PORT,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on.")
    ] = "127.0.0.1",
    known_as: Annotated[
        list[str] | None,
        typer.Option(
            "--known-as",
            metavar="NAME",
            help="A host name under which the server may be asked; may be repeated.",
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="Certificate chain, PEM.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="Its private key, PEM.")
    ] = None,
    in_the_open: Annotated[
        str | None,
        typer.Option(
            "--in-the-open",
            metavar="WORDS",
            help=f'Serve beyond this machine without TLS; the words are "{IN_THE_OPEN}".',
        ),
    ] = None,
    edit: Annotated[
        bool,
        typer.Option("--edit", help="Let a person rename, merge, move and hide clusters here."),
    ] = False,
    traces: Annotated[
        bool,
        typer.Option(
            "--traces",
            help="Show conversations of clusters: runs that are personal or of public data.",
        ),
    ] = False,
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
        if role not in _ROLES:
            raise SettingsError(f"there is no role '{role}'; --role takes release or safety")
        if (tls_cert is None) != (tls_key is None):
            raise SettingsError("--tls-cert and --tls-key belong together; give both")
        place = Place(
            host=host,
            port=port,
            names=tuple(known_as or ()),
            certificate=Certificate(tls_cert, tls_key) if tls_cert and tls_key else None,
            in_the_open=in_the_open,
        )
        serve_until_stopped(
            path,
            place,
            role=_ROLES[role],
            beside=_beside(path, host, edit=edit, traces=traces),
            serving=Serving(edit=edit, traces=traces),
            browser=open_browser,
            quiet=quiet,
            as_json=as_json,
        )


def _beside(path: Path, host: str, *, edit: bool, traces: bool) -> list[APIRouter]:
    """Routes that open private tables of a run: made when asked for, on this machine alone."""
    if (edit or traces) and host not in LOCAL_HOSTS:
        raise SettingsError("--edit and --traces work on this machine alone; leave --host out")
    routes = []
    if edit:
        from clio.pipeline.editor import RunEditor
        from clio.server import editing

        command = f"clio describe {shlex.quote(str(path))}"
        routes.append(editing.router(RunEditor(path), command))
    if traces:
        from clio.pipeline.traces import Traces
        from clio.server import traces as showing

        routes.append(showing.router(Traces(path)))
    return routes
