"""HTTP API over a release, and the explorer that uses it.

`clio.server` reads a release through `clio.release.read`, for the safety role also the folder
``restricted/``, and nothing else.
"""

from clio.server.app import LOCAL_HOSTS, create_app
from clio.server.roles import ENTRANCE, Role
from clio.server.serving import (
    DEFAULT_PORT,
    IN_THE_OPEN,
    Certificate,
    bind,
    check_exposure,
    run,
    serve,
    url_of,
)

__all__ = [
    "DEFAULT_PORT",
    "ENTRANCE",
    "IN_THE_OPEN",
    "LOCAL_HOSTS",
    "Certificate",
    "Role",
    "bind",
    "check_exposure",
    "create_app",
    "run",
    "serve",
    "url_of",
]
