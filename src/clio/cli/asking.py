"""Where conversations go and what it costs, said before the first of them leaves."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from rich.console import Console

from clio.cli.estimation import in_words
from clio.errors import ModelError
from clio.pipeline import Estimate

CONVERSATIONS: Final = "Conversations, scrubbed of personal details,"
ANSWERS: Final = "Answers to facets, to be described,"


def confirm(
    estimate: Callable[[], Estimate],
    host: str,
    *,
    what: str = CONVERSATIONS,
    yes: bool,
    quiet: bool,
    console: Console,
) -> None:
    """Say where texts go, and on a terminal ask whether to go on.

    Parameters
    ----------
    estimate
        Gives what the run costs. Called where somebody is asked, since it reads the input.
    host
        An asker's `host`: scheme and host that texts are sent to, or the folder that requests are
        written to.
    what
        Leaves the machine.
    yes
        Go on without a question.
    quiet
        Say nothing, and go on without a question.
    console
        Where it is said, such as `clio.cli.common.messages`.

    Raises
    ------
    ModelError
        The answer was no. Nothing has left the machine.
    """
    if quiet:
        return
    remote = "://" in host
    console.print(
        f"{what} are {'sent' if remote else 'written'} to {host}",
        markup=False,
    )
    if yes or not (console.is_terminal and sys.stdin.isatty()):
        return
    console.print(in_words(estimate()), markup=False)
    try:
        answer = console.input("Go on? [y/N] ", markup=False)
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise ModelError(f"not sent to {host}; what was read is kept")
