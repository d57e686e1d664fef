"""Facets of a conversation's outward shape: turns, length, code."""

from __future__ import annotations

import re

from clio.conversation import Conversation
from clio.facet import Facet
from clio.facets.base import ComputedFacet

_CODE_FENCE = re.compile(r"```")
_CODE_LINE = re.compile(
    r"^\s*(?:(?:def|class|import|from|function|const|let|var|public|private|static|void|int|"
    r"return|if|for|while|SELECT|INSERT|UPDATE|CREATE|#include|package|using)\b[^\n]*[;{():=]"
    r"|[\w.\[\]]+\s*=\s*[^\n]+;\s*$|</?\w+[^>\n]*>\s*$)",
    re.MULTILINE,
)


def contains_code(text: str) -> bool:
    """Whether `text` holds a fenced block or at least two lines that read like source code."""
    if _CODE_FENCE.search(text):
        return True
    first = _CODE_LINE.search(text)
    return first is not None and _CODE_LINE.search(text, first.end()) is not None


def _words(conversation: Conversation) -> int:
    return sum(len(turn.split()) for turn in conversation.requester_turns())


TURNS = ComputedFacet(
    Facet(
        name="turns",
        kind="number",
        question="How many messages did the requester write?",
        breakdown=True,
        measure=True,
        bins=(1, 2, 5, 10),
    ),
    lambda conversation: len(conversation.requester_turns()),
)

WORDS = ComputedFacet(
    Facet(
        name="words",
        kind="number",
        question="How many words did the requester write?",
        breakdown=True,
        measure=True,
        bins=(1, 10, 30, 100, 300),
    ),
    _words,
)

CODE = ComputedFacet(
    Facet(
        name="code",
        kind="boolean",
        question="Is there source code in what the requester wrote?",
        breakdown=True,
    ),
    lambda conversation: any(contains_code(turn) for turn in conversation.requester_turns()),
)
