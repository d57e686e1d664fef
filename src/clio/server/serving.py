"""Serving an application on this machine, quietly."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from clio.errors import SettingsError
from clio.server.app import LOCAL_HOSTS, create_app

DEFAULT_PORT = 8765
_TRIES = 10


def bind(host: str = "127.0.0.1", port: int = DEFAULT_PORT) -> socket.socket:
    """A listening socket on the first free of ten ports from `port` on.

    Parameters
    ----------
    host
        Address to listen on; by default only this machine can connect.
    port
        First port to try; 0 takes any free one.

    Raises
    ------
    SettingsError
        All ten are taken, or `host` is no address of this machine.
    """
    tries = 1 if port == 0 else min(_TRIES, 65_536 - port)
    for candidate in range(port, port + tries):
        try:
            # It listens at once: two sockets that are only bound could share a port.
            return socket.create_server(
                (host, candidate), family=socket.AF_INET6 if ":" in host else socket.AF_INET
            )
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise SettingsError(
                    f"cannot listen on {host}, port {candidate}: {error.strerror}"
                ) from None
    raise SettingsError(
        f"the ports {port} to {port + tries - 1} are all taken; choose another with --port"
    )


def url_of(listening: socket.socket) -> str:
    """The address to open in a browser."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def run(app: FastAPI, listening: socket.socket) -> None:
    """Serve `app` on a socket from `bind` until interrupted."""
    config = uvicorn.Config(
        app, access_log=False, log_level="error", lifespan="off", server_header=False
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()


def serve(path: str | Path, host: str = "127.0.0.1", port: int = DEFAULT_PORT) -> None:
    """Serve the explorer of a release until interrupted.

    Parameters
    ----------
    path
        A run directory, or a release's own.
    host, port
        As in `bind`.

    Raises
    ------
    ReleaseError
        There is no release at `path`.
    SettingsError
        No port is free.
    """
    app = create_app(path, hosts=(*LOCAL_HOSTS, host))
    run(app, bind(host, port))
