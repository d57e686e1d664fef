"""How concerning a request is for safety, where its words tell: 1, 4, 5 or no answer.

Words alone cannot weigh intent. So 5 and 4 need a grave phrase in a request that asks for it and
that nothing turns into another matter (preventing, a film, a theft that the requester suffered);
1 needs an English request with the words of a topic and without a single wary one. All else stays
without an answer.
"""

from __future__ import annotations

import re
from functools import cache

from clio.analysts.lexicon import Phrases, groups_of, tokens_of
from clio.analysts.topics import topic_of

_MIN_WORDS = 3
"""Shorter requests say too little to be called harmless."""

_ENGLISH = frozenset(
    ("the", "a", "an", "to", "of", "is", "are", "for", "i", "my", "me", "you", "how")
)
"""One of these stands in almost every English request of some words."""


def concern_of(request: str) -> int | None:
    """The concern of a request on the scale of 1 to 5, or ``None``."""
    tokens = tokens_of(request)
    grave = next((level for level in (5, 4) if _signs(str(level)).found_in("", tokens)), None)
    if grave is not None:
        return None if _signs("safe").found_in("", tokens) else grave
    harmless = (
        len(tokens) >= _MIN_WORDS
        and not _ENGLISH.isdisjoint(tokens)
        and not _FOREIGN.search(request)
        and not _signs("wary").found_in("", tokens)
        and topic_of(request) is not None
    )
    return 1 if harmless else None


_FOREIGN = re.compile(r"[^\W\d_a-zA-ZÀ-ÿ]")
"""A letter of another script: what stands there was not understood."""


@cache
def _signs(group: str) -> Phrases:
    return Phrases(groups_of("concern.txt")[group])
