"""HTTP API over a release, and the explorer that uses it.

`clio.server` reads a release through `clio.release.read` and nothing else.
"""

from clio.server.app import create_app
from clio.server.serving import DEFAULT_PORT, bind, run, serve, url_of

__all__ = ["DEFAULT_PORT", "bind", "create_app", "run", "serve", "url_of"]
