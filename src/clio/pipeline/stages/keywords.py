"""Histograms of keywords: what the strictest writer sees of a cluster, already gated.

Counted as the gate counts the words of titles: by account, where a text that several accounts
wrote alike counts once, and with more accounts for a word of the sensitive lexicon.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from numpy.typing import NDArray

from clio.describing import (
    Description,
    Histogram,
    Writer,
    describe_by_keywords,
    describe_keywords_by_model,
)
from clio.facet import Facet
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import Context
from clio.pipeline.stages.samples import COUNTED_A_GROUP, MIN_USERS, sample_members
from clio.privacy.scrub import finds
from clio.privacy.wording import SENSITIVE, content_words, token_counts
from clio.settings import Thresholds

_SHORTEST = 3
"""Letters of a keyword in a script with letters; a pair of characters in one without spaces."""


def describe_from_keywords(
    context: Context, facet: Facet, group_of_leaf: NDArray[np.int32]
) -> tuple[list[Description], list[str]]:
    """Descriptions of groups of leaves from histograms of keywords, and where no model wrote why.

    Parameters
    ----------
    context
        Of the run.
    facet
        Whose leaves they are.
    group_of_leaf
        ``(leaves,)`` group of each leaf, from 0.
    """
    settings = context.settings
    histograms = keyword_histograms(
        context.directory, facet.name, group_of_leaf, thresholds=settings.thresholds()
    )
    plain = describe_by_keywords(histograms)
    if settings.model_for_titles is None:
        return plain, []
    written = describe_keywords_by_model(
        histograms,
        asker=context.models.asker(settings.model_for_titles),
        writer=Writer(facet, context.models.key(), settings.language, finds),
        stand_ins=plain,
    )
    return written.descriptions, list(written.stood_in.values())


def keyword_histograms(
    directory: RunDirectory,
    facet: str,
    group_of_leaf: NDArray[np.int32],
    *,
    thresholds: Thresholds,
) -> list[Histogram]:
    """Words that enough accounts of each group used, with how many did.

    Parameters
    ----------
    directory
        The run.
    facet
        Whose answers are counted; where a model gave them, its other answers in words too.
    group_of_leaf
        ``(leaves,)`` group of each leaf, from 0.
    thresholds
        Of the run: `word_accounts`, `sensitive_word_accounts`.
    """
    sample = sample_members(
        directory, facet, group_of_leaf, thresholds=thresholds, per_group=COUNTED_A_GROUP
    )
    texts, groups = sample.said(), int(group_of_leaf.max()) + 1
    forms: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    wanted: list[set[str]] = [set() for _ in range(groups)]
    for text, group in zip(texts, sample.group.tolist(), strict=True):
        for token, word in content_words(text).items():
            if _is_keyword(word):
                wanted[group].add(token)
                forms[group, token][word] += 1
    counted = token_counts(
        texts,
        sample.group.astype(np.int64),
        sample.account.astype(np.int64),
        wanted,
        None if sample.origin is None else sample.origin.view(np.int64),
    )
    words: list[dict[str, int]] = [{} for _ in range(groups)]
    for row in counted.to_pylist():
        group, token, accounts = row["cluster"], row["token"], row["accounts"]
        if accounts >= _accounts_for(token, thresholds):
            written = forms[group, token]
            words[group][min(written, key=lambda word: (-written[word], word))] = accounts
    members = np.bincount(sample.group, minlength=groups).tolist()
    return [Histogram(*pair) for pair in zip(members, words, strict=True)]


def _is_keyword(word: str) -> bool:
    letters = sum(character.isalpha() for character in word)
    has_case = word.lower() != word.upper()
    # No number, and no contraction such as "won't".
    plain = not any(character.isdigit() or character in "'’" for character in word)
    return plain and letters >= (_SHORTEST if has_case else 2)


def _accounts_for(token: str, thresholds: Thresholds) -> int:
    least = max(MIN_USERS, thresholds.word_accounts)
    return max(least, thresholds.sensitive_word_accounts) if token in SENSITIVE else least
