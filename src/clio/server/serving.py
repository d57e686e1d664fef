"""Serving an application on this machine, quietly."""

from __future__ import annotations

import errno
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI

from clio.errors import SettingsError
from clio.server.app import LOCAL_HOSTS, create_app

DEFAULT_PORT = 8765
_TRIES = 10

IN_THE_OPEN: Final = "others on the network can read along"
"""What somebody has to say to serve beyond this machine without TLS."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server proves itself with, and encrypts: PEM files, the key without a password."""

    chain: Path
    key: Path

    def check(self) -> None:
        """See that the two belong together.

        Raises
        ------
        SettingsError
            They cannot be used.
        """
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                self.chain, self.key, password=_no_password
            )
        except (OSError, ValueError) as error:
            what = error.strerror if isinstance(error, OSError) else "the key has a password"
            raise SettingsError(
                f"{self.chain} and {self.key} are no certificate and key for TLS ({what})"
            ) from None


def _no_password() -> str:
    raise ValueError


def check_exposure(host: str, *, encrypted: bool, said: str | None) -> None:
    """See that nobody serves in the open by mistake.

    Parameters
    ----------
    host
        Address to listen on.
    encrypted
        Whether there is a certificate.
    said
        What the owner says to it: `IN_THE_OPEN`, where it is meant.

    Raises
    ------
    SettingsError
        Others could connect, unencrypted, and nobody said so in words.
    """
    if encrypted or _is_loopback(host):
        return
    if said is None or said.strip().casefold() != IN_THE_OPEN:
        raise SettingsError(
            f"{host} is open to other machines, and without TLS {IN_THE_OPEN}: give --tls-cert "
            f'and --tls-key, or say so: --in-the-open "{IN_THE_OPEN}"'
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # A name may mean another address tomorrow; this one may not (RFC 6761).
        return host.casefold() == "localhost"


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


def url_of(listening: socket.socket, *, encrypted: bool = False, name: str | None = None) -> str:
    """The address to open in a browser; `name` is the server's where its address says little."""
    host, port = listening.getsockname()[:2]
    host = name or (f"[{host}]" if ":" in host else host)
    return f"http{'s' if encrypted else ''}://{host}:{port}/"


def run(app: FastAPI, listening: socket.socket, certificate: Certificate | None = None) -> None:
    """Serve `app` on a socket from `bind` until interrupted."""
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="error",
        lifespan="off",
        server_header=False,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
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
        No port is free, or others could connect: there is no TLS here.
    """
    check_exposure(host, encrypted=False, said=None)
    app = create_app(path, hosts=(*LOCAL_HOSTS, host))
    run(app, bind(host, port))
