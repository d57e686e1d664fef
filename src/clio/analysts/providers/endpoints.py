"""Where texts are sent to, and with which key."""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import urlsplit

from clio.errors import ModelError


def endpoint(url: str) -> str:
    """Scheme, host and port of a server's address, fit to be shown.

    Raises
    ------
    ModelError
        It is no address, or texts would go over the network in the open.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host:
        raise ModelError("--base-url is no address; it looks like https://host/v1")
    if parts.scheme == "http" and not _loopback(host):
        raise ModelError(
            f"http://{host} would get conversations in the open; use https, or a tunnel to this "
            "machine"
        )
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")


def api_key(variable: str, *, required: bool = True) -> str:
    """A key from the environment; a stand-in where there is none and none is required.

    Raises
    ------
    ModelError
        There is none.
    """
    value = os.environ.get(variable, "").strip()
    if value:
        return value
    if required:
        raise ModelError(f"no key: set {variable} in the environment")
    return "none"


def is_loopback(address: str) -> bool:
    """Whether a server is on this machine.

    Parameters
    ----------
    address
        As `endpoint` gives it.
    """
    return _loopback(urlsplit(address).hostname or "")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
