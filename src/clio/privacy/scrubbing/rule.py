"""What a rule is: a shape, what must be there for it to be tried, and a proof if there is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A shape that gives an identifier away.

    Attributes
    ----------
    kind
        Goes into the placeholder.
    pattern
        What to look for. Where it has a group ``it``, that group is the identifier and the
        rest is context. Every repetition that can follow another one is bounded, so that the cost
        stays linear.
    check
        Says whether a match really is one, by a checksum for instance.
    needs
        The rule is tried only on texts with one of these pieces (lower case). ``dotted`` stands
        for a full stop with a letter behind it, ``long`` for 16 characters of a token in a row.
    digits
        The rule is tried only on texts with as many digits.
    cased
        The pattern sees the text with its capitals; otherwise in lower case.
    """

    kind: str
    pattern: re.Pattern[str]
    check: Callable[[re.Match[str]], bool] | None = None
    needs: tuple[str, ...] = ()
    digits: int = 0
    cased: bool = False


def digits_of(text: str) -> list[int]:
    """Values of the decimal digits of any script, in order."""
    return [int(c) for c in text if c.isdecimal()]


def before(match: re.Match[str], characters: int = 30) -> str:
    """What stands right before a match."""
    return match.string[max(0, match.start() - characters) : match.start()]
