"""What texts of one template have in common, with slots for what varies."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

import numpy as np

MAX_TEXTS: Final = 20
"""Texts that a template is made from."""

MAX_WORDS: Final = 400
"""A template shows so much of its texts."""

SHARED: Final = 0.6
"""Words stand in a template that so many of its texts have in the same order."""

SLOT: Final = "[…]"


def template_of(texts: Sequence[str]) -> str:
    """The words that most of the texts share, in order; `SLOT` stands for what varies.

    Parameters
    ----------
    texts
        Near duplicates; the first `MAX_TEXTS` count.
    """
    words = [text.split()[:MAX_WORDS] for text in texts[:MAX_TEXTS]]
    if not words:
        return ""
    middle = sorted(words, key=len)[len(words) // 2]
    kept = np.zeros(len(middle))
    for other in words:
        matcher = SequenceMatcher(None, middle, other, autojunk=False)
        for block in matcher.get_matching_blocks():
            kept[block.a : block.a + block.size] += 1
    out: list[str] = []
    for word, count in zip(middle, kept.tolist(), strict=True):
        if count >= SHARED * len(words):
            out.append(word)
        elif not out or out[-1] != SLOT:
            out.append(SLOT)
    return " ".join(out)
