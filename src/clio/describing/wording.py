"""What a title or a summary must satisfy to be proposed.

The privacy gate decides; this spares it proposals that it would refuse, as far as a sample of the
texts can tell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import ceil
from typing import Final

from clio.describing.evidence import Evidence
from clio.describing.headings import Family, families_in, shipped_phrases
from clio.describing.lexicon import first_names, has_capitals, parts, stem
from clio.describing.tagging import tokenize
from clio.describing.template_words import GRAMMAR_WORDS

VERBATIM: Final = 5
MANY_ACCOUNTS: Final = 25
_CAPITALISED: Final = re.compile(r"(?<=[a-z,;] )(?:[A-Z][A-Za-z]+|[a-z]+[A-Z][A-Za-z]*)")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_LONG_NUMBER: Final = re.compile(r"\d{4}")
_FREE: Final = frozenset(stem(word) for word in GRAMMAR_WORDS)


def _plain(words: Sequence[str]) -> list[str]:
    """Words without punctuation, in their parts."""
    return [part for word in words if word[0].isalnum() for part in parts(word)]


def windows(words: Sequence[str]) -> list[str]:
    """Runs of five words, punctuation left out."""
    plain = _plain(words)
    return [" ".join(plain[i : i + VERBATIM]) for i in range(len(plain) - VERBATIM + 1)]


def capitals_among(texts: Sequence[str], written: Sequence[str]) -> dict[str, str]:
    """Words that are mostly written with a capital inside sentences, and how."""
    forms: Counter[str] = Counter()
    for text in texts:
        forms.update(set(_CAPITALISED.findall(text)))
    capital: Counter[str] = Counter()
    commonest: dict[str, str] = {}
    for form, count in sorted(forms.items(), key=lambda item: (-item[1], item[0])):
        commonest.setdefault(form.lower(), form)
        capital[form.lower()] += count
    if not capital:
        return {}
    uses: Counter[str] = Counter()
    for tokens in written:
        uses.update(word for word in set(tokens.split()) if word in capital)
    return {
        word: commonest[word]
        for word, count in capital.items()
        if count > 0.5 * uses[word] and not has_capitals(word) and stem(word) not in _FREE
    }


def _is_name(form: str) -> bool:
    """Whether a word with a capital could be a name: not "CV", not "useEffect"."""
    return form[1:].islower()


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
    sensitive
        Whether a word needs as many accounts as a name does. ``None``: none does, and shipped
        phrases may name sensitive subjects too, since the texts are one's own.
    """

    def __init__(
        self,
        texts: Sequence[str],
        written: Sequence[str],
        accounts: Sequence[int],
        least: int,
        sensitive: Callable[[str], bool] | None,
    ) -> None:
        self._spelled = capitals_among(texts, written)
        names = {word for word, form in self._spelled.items() if _is_name(form)}
        self.names = names | first_names()
        self.everything = sensitive is None
        self._sensitive = sensitive or (lambda _: False)
        self._plain = [" ".join(_plain(item.split())) for item in written]
        self._accounts = accounts
        self._least = least
        self._many = MANY_ACCOUNTS if least > 1 else 1
        self._users: dict[str, set[int]] = {}

    def prepare(self, proposals: Iterable[str]) -> None:
        """Count who wrote the five-word runs of the proposals, in one pass over the texts."""
        wanted = {run for text in proposals for run in windows(tokenize(text))}
        wanted -= self._users.keys()
        found: dict[str, set[int]] = {run: set() for run in wanted}
        # Only where a run's first word stands are five put together.
        first = {run.split(" ", 1)[0] for run in wanted}
        if wanted:
            for text, account in zip(self._plain, self._accounts, strict=True):
                words = text.split(" ")
                for start in range(len(words) - VERBATIM + 1):
                    if words[start] in first:
                        run = " ".join(words[start : start + VERBATIM])
                        if run in wanted:
                            found[run].add(account)
        self._users.update(found)

    def spell(self, text: str) -> str:
        """The text with the capitals that the texts give its words."""
        return _WORD.sub(lambda m: self._spelled.get(m[0], m[0]), text)

    def passes(self, text: str, evidence: Evidence, ratio: float = 1.0) -> bool:
        """Whether a prepared text has no long number, no rare name, word or copied run.

        ``ratio`` says how many times the group's sample the texts are among which its words will
        be counted; as few may be found there as chance allows.
        """
        return self.has_support(text, evidence, ratio) and all(
            not 0 < len(self._users[run]) < self._many for run in windows(tokenize(text))
        )

    def has_support(self, text: str, evidence: Evidence, ratio: float = 1.0) -> bool:
        """Whether a text has no long number, no rare name and no rare word; see `passes`."""
        if _LONG_NUMBER.search(text):
            return False
        for word in tokenize(self._without_shipped(self._without_families(text, evidence, ratio))):
            for part in parts(word):
                if stem(part) in _FREE:
                    continue
                bare = part.removesuffix("'s")
                rare = bare in self.names or self._sensitive(part)
                least = self._needed(self._many if rare else self._least, ratio)
                if evidence.stems[stem(part)] < least:
                    return False
        return True

    def supports(self, family: Family, evidence: Evidence, ratio: float = 1.0) -> bool:
        """Whether a family has the accounts that its phrase takes."""
        least = self._many if family.sensitive and not self.everything else self._least
        return evidence.any_of(family.lemmas) >= self._needed(least, ratio)

    def _without_families(self, text: str, evidence: Evidence, ratio: float) -> str:
        """The text without phrases whose family has the accounts."""
        kept, end = [], 0
        for start, stop, family in families_in(text):
            if self.supports(family, evidence, ratio):
                kept.append(text[end:start])
                end = stop
        return " ".join([*kept, text[end:]])

    def _needed(self, least: int, ratio: float) -> int:
        return min(least, 2 + ceil(1.4 * least / ratio)) if ratio > 1.0 else least

    def _without_shipped(self, text: str) -> str:
        """The text without shipped phrases, but for those that hold a sensitive word."""
        kept, end = [], 0
        for start, stop in shipped_phrases(text, self.everything):
            if not any(self._sensitive(part) for part in parts(text[start:stop].lower())):
                kept.append(text[end:start])
                end = stop
        return " ".join([*kept, text[end:]])
