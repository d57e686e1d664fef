"""Clio: what AI assistants are really used for, without anyone reading a conversation.

The public interface is what this module names::

    import clio

    result = clio.run("conversations.jsonl.gz", out="RUN")
    release = clio.open_release("RUN")
    release.table("clusters", as_="pandas")
"""

from importlib.metadata import version

from clio.conversation import Conversation, Message
from clio.errors import ClioError
from clio.facet import Facet
from clio.pipeline import Run, run
from clio.release.read import Release, open_release
from clio.settings import Settings, load_settings

__version__ = version("clio-insights")

__all__ = [
    "ClioError",
    "Conversation",
    "Facet",
    "Message",
    "Release",
    "Run",
    "Settings",
    "__version__",
    "load_settings",
    "open_release",
    "run",
]
