"""Titles and summaries from a histogram of keywords, and from nothing else.

The strictest writer: no text of a conversation and no answer to a facet reaches it, or the model
that may write in its place, only words that enough accounts of a group used, with how many did
(after Urania, arXiv:2506.04681, whose writer sees released keywords alone). What it can say is
bounded by that list, whatever a conversation asks of it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from clio.describing.asking import Writer
from clio.describing.description import MIXED_TITLE, Description
from clio.describing.groups import MIXED_SUMMARY, unused
from clio.describing.model import ModelDescriptions, write
from clio.describing.template_words import GRAMMAR_WORDS
from clio.prompting import Asker, Prompt

TITLE_WORDS: Final = 3
"""Keywords of a title; one more where another group has the same."""

SUMMARY_WORDS: Final = 8
"""Keywords of a summary."""

SHOWN: Final = 30
"""Keywords of a group that a model is shown."""

OTHERS: Final = 10
"""Keywords of other groups that a model is shown for contrast."""

_SMOOTHING: Final = 0.02
"""Added to shares of accounts, so that a word that one group alone has does not weigh without
bound."""

_EMPTY: Final = GRAMMAR_WORDS | {"please", "thanks", "hello", "okay"}
"""Words that name nothing."""

_MOST: Final = 0.5
_MANY: Final = 0.2
"""Shares of a group's accounts from which a keyword is most's, or many's."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """What a group's accounts have in common.

    Attributes
    ----------
    accounts
        Accounts that were counted.
    words
        Keywords, as most write them, with the accounts that used each. Whoever counts leaves out
        those of too few.
    """

    accounts: int
    words: Mapping[str, int]

    def share(self, word: str) -> float:
        """Share of the group's accounts that used a word."""
        return self.words.get(word, 0) / max(self.accounts, 1)


def describe_by_keywords(histograms: Sequence[Histogram]) -> list[Description]:
    """Title and summary of each group from keywords, told apart from the others.

    Parameters
    ----------
    histograms
        One a group.

    Returns
    -------
    list[Description]
        One a group; the titles are distinct. A group without keywords gets words of no content.

    Notes
    -----
    Keywords are ranked as phrases are in `describe_groups`: by the square root of their share of
    accounts times the log ratio to their share over all groups.
    """
    taken: set[str] = set()
    return [_described(words, taken) for words in ranked(histograms)]


def ranked(histograms: Sequence[Histogram]) -> list[list[str]]:
    """Each group's keywords, those first that tell it from the other groups."""
    total = sum(histogram.accounts for histogram in histograms)
    used: Counter[str] = Counter()
    for histogram in histograms:
        used.update(histogram.words)
    found = []
    for histogram in histograms:
        rest = max(total - histogram.accounts, 1)
        scores = {}
        for word, accounts in histogram.words.items():
            if word in _EMPTY:
                continue
            share = histogram.share(word)
            elsewhere = (used[word] - accounts) / rest
            ratio = (share + _SMOOTHING) / (elsewhere + _SMOOTHING)
            scores[word] = math.sqrt(share) * math.log(ratio)
        found.append(sorted(scores, key=lambda word: (-scores[word], word)))
    return found


def _described(words: Sequence[str], taken: set[str]) -> Description:
    """Words to a title that no other group has; takes it."""
    if not words:
        title = unused(MIXED_TITLE, taken)
        taken.add(title.lower())
        return Description(title, MIXED_SUMMARY)
    counts = range(TITLE_WORDS, min(len(words), SUMMARY_WORDS) + 1)
    titles = [_title(words[:count]) for count in counts] or [_title(words)]
    title = next((t for t in titles if t.lower() not in taken), None) or unused(titles[0], taken)
    taken.add(title.lower())
    shorter = (_title(words[:count]) for count in range(min(len(words), TITLE_WORDS) - 1, 0, -1))
    shown = listed(words[:SUMMARY_WORDS])
    plural = "s that many of these requests share are" if len(words) > 1 else " they share is"
    # The gate may refuse the summary alone: then the title is the first to try without it.
    return Description(title, f"The word{plural} {shown}.", (title, *shorter))


def _title(words: Sequence[str]) -> str:
    return f"Requests about {listed(words)}"


def listed(words: Sequence[str]) -> str:
    """One, two and three as "one, two and three"."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def describe_keywords_by_model(
    histograms: Sequence[Histogram],
    *,
    asker: Asker,
    writer: Writer,
    stand_ins: Sequence[Description],
) -> ModelDescriptions:
    """Title and summary of each group by a model that is shown its keywords alone.

    Parameters
    ----------
    histograms
        One a group.
    asker
        Answers the prompts.
    writer
        How groups are asked about.
    stand_ins
        What `describe_by_keywords` made of the same.

    Raises
    ------
    ClioError
        As `Asker.ask`.
    """
    order = ranked(histograms)

    def ask(index: int, taken: str | None) -> Prompt | None:
        own = order[index][:SHOWN]
        if not own:
            return None
        others = Counter(
            word for at, words in enumerate(order) if at != index for word in words[:TITLE_WORDS]
        )
        contrast = [word for word, _ in others.most_common() if word not in own][:OTHERS]
        inside = [f"{word}: {_said_by(histograms[index].share(word))}" for word in own]
        return writer.keywords(inside, contrast, taken)

    return write(ask, asker, stand_ins, lambda _: set())


def _said_by(share: float) -> str:
    """How many used a word, in words: a model needs no number that could be subtracted."""
    return "most" if share >= _MOST else "many" if share >= _MANY else "some"
