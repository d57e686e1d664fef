"""What the stand-in server was shown, whichever protocol it was asked in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

_CODE: Final = re.compile(r"\b[0-9a-f]{8}\b")


@dataclass(frozen=True)
class ShownRequest:
    """One call, as a model would see it.

    Attributes
    ----------
    model
        The name that was asked for.
    system
        The system prompt's text; empty where there is none.
    turns
        Role and text of each message behind it, in order.
    schema
        JSON schema of the answer, or ``None`` where plain text is wanted.
    temperature, max_tokens
        As asked for.
    """

    model: str
    system: str
    turns: tuple[tuple[str, str], ...]
    schema: Mapping[str, Any] | None
    temperature: float
    max_tokens: int

    @property
    def user(self) -> str:
        """The first message's text: the question itself."""
        return self.turns[0][1]

    @property
    def tries(self) -> int:
        """How many answers of its own the model is shown: 0 at the first try."""
        return sum(role == "assistant" for role, _ in self.turns)

    @cached_property
    def question(self) -> bytes:
        """Digest of what is asked, the same at the first try and at later ones.

        The codes of prompts are left out: each run has its own, and two runs of the same
        conversations are to get the same answers.
        """
        return _digest(self.system, self.user)

    @cached_property
    def whole(self) -> bytes:
        """Digest of everything shown but for codes."""
        if len(self.turns) == 1:
            return self.question
        return _digest(self.system, *(text for _, text in self.turns))


def _digest(system: str, *texts: str) -> bytes:
    joined = "\0".join((_without_codes(system), *(_CODE.sub("", text) for text in texts)))
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).digest()


@lru_cache(maxsize=64)
def _without_codes(system: str) -> str:
    return _CODE.sub("", system)


Respond = Callable[[ShownRequest], Mapping[str, Any] | str]
"""Answers a request with a JSON object, or with a text that is sent as it is.

The same request must get the same answer.
"""
