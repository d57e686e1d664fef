"""What a title or a summary must satisfy to be proposed.

The privacy gate decides; this spares it proposals that it would refuse, as far as a sample of the
texts can tell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from clio.describing.evidence import Evidence
from clio.describing.lexicon import first_names, has_capitals, look_up, stem
from clio.describing.tagging import tokenize
from clio.describing.template_words import TEMPLATE_WORDS

VERBATIM: Final = 5
MANY_ACCOUNTS: Final = 25
_CAPITALISED: Final = re.compile(r"(?<=[a-z,;] )[A-Z][a-z'’]+")
_LONG_NUMBER: Final = re.compile(r"\d{4}")
_FREE: Final = frozenset(stem(word) for word in TEMPLATE_WORDS)


def windows(words: Sequence[str]) -> list[str]:
    """Runs of five words, punctuation left out."""
    plain = [word for word in words if word[0].isalnum()]
    return [" ".join(plain[i : i + VERBATIM]) for i in range(len(plain) - VERBATIM + 1)]


def names_among(texts: Sequence[str], written: Sequence[str]) -> frozenset[str]:
    """Words that are mostly written with a capital inside sentences, but for those of the list."""
    capital: Counter[str] = Counter()
    for text in texts:
        capital.update(word.lower() for word in set(_CAPITALISED.findall(text)))
    if not capital:
        return frozenset()
    uses: Counter[str] = Counter()
    for tokens in written:
        uses.update(word for word in set(tokens.split()) if word in capital)
    return frozenset(
        word
        for word, count in capital.items()
        if count > 0.5 * uses[word] and not has_capitals(word) and not look_up(word).closed
    )


class Wording:
    """Checks proposals against a sample of the texts.

    Parameters
    ----------
    texts, written
        All texts of the sample, and their tokens joined by blanks.
    accounts
        The account of each text.
    least
        Accounts that must have used a word in a group.
    """

    def __init__(
        self, texts: Sequence[str], written: Sequence[str], accounts: Sequence[int], least: int
    ) -> None:
        self.names = names_among(texts, written) | first_names()
        self._written = written
        self._accounts = accounts
        self._least = least
        self._many = MANY_ACCOUNTS if least > 1 else 1
        self._users: dict[str, set[int]] = {}

    def prepare(self, proposals: Iterable[str]) -> None:
        """Count who wrote the five-word runs of the proposals, in one pass over the texts."""
        wanted = {run for text in proposals for run in windows(tokenize(text))}
        wanted -= self._users.keys()
        found: dict[str, set[int]] = {run: set() for run in wanted}
        if wanted:
            for item, account in zip(self._written, self._accounts, strict=True):
                for run in windows(item.split()):
                    if run in wanted:
                        found[run].add(account)
        self._users.update(found)

    def passes(self, text: str, evidence: Evidence) -> bool:
        """Whether a prepared text has no long number, no rare name, word or copied run."""
        if _LONG_NUMBER.search(text):
            return False
        words = tokenize(text)
        for word in words:
            if not word[0].isalnum() or stem(word) in _FREE:
                continue
            least = self._many if word.removesuffix("'s") in self.names else self._least
            if evidence.stems[stem(word)] < least:
                return False
        return all(not 0 < len(self._users[run]) < self._many for run in windows(words))
