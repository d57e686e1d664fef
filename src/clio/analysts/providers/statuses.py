"""What a provider's status says about trying again."""

from __future__ import annotations

import re
from typing import Final

from clio.analysts.providers.base import (
    FatalError,
    OverloadedError,
    ProviderError,
    TransientError,
    UnanswerableError,
)

_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
"""A code of an error; anything else could be text."""

_FATAL: Final = frozenset({401, 402, 403, 404})
_OVERLOADED: Final = frozenset({429, 529})
_TRANSIENT: Final = frozenset({408, 409, 425})

_NO_CREDIT: Final = frozenset({"insufficient_quota", "billing_error", "billing_hard_limit_reached"})
"""Codes of a 429 or 400 that no waiting will cure."""


def status_error(
    name: str, status: int, code: object = None, retry_after: float | None = None
) -> ProviderError:
    """The error that a status of HTTP stands for.

    Parameters
    ----------
    name
        Who answered, for the message.
    status
        Of HTTP, 400 and over.
    code
        The provider's word for the error. Its message is left out: it may repeat what was sent.
    retry_after
        Seconds that the provider asks for.
    """
    word = code_word(code)
    message = f"{name} answered {status}" + (f" ({word})" if word else "")
    if status in _FATAL or word in _NO_CREDIT:
        return FatalError(message)
    if status in _OVERLOADED:
        return OverloadedError(message, retry_after)
    if status in _TRANSIENT or status >= 500:
        return TransientError(message)
    return UnanswerableError(message)


def code_word(code: object) -> str | None:
    """A provider's code of an error, where it is one word of its own and no text."""
    return code if isinstance(code, str) and _WORD.fullmatch(code) else None


def retry_after(header: str | None) -> float | None:
    """Seconds in a ``Retry-After`` header; ``None`` where it holds none."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 86_400 else None
