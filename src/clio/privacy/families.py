"""Shipped phrases that stand for many words: "weapons" for rifles, knives and bombs.

A phrase of Clio's own that may touch sensitive matters is shown only where enough accounts of the
cluster used a word of its family, a closed list that is shipped with it. So the term that is shown
is broader than what any account wrote, and as many accounts stand behind it as behind any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from clio.privacy.wording import fold, phrases_in
from clio.settings import Thresholds


@dataclass(frozen=True)
class Family:
    """Words of which any use speaks for a phrase.

    Attributes
    ----------
    words
        Lower case.
    sensitive
        Whether the phrase takes the accounts of a sensitive word, or those of any word.
    """

    words: frozenset[str]
    sensitive: bool

    @property
    def tokens(self) -> frozenset[str]:
        """The words as tokens are counted."""
        return frozenset(map(fold, self.words))

    def accounts(self, thresholds: Thresholds) -> int:
        """Accounts that must have used one of the words."""
        if self.sensitive:
            return thresholds.sensitive_word_accounts
        return thresholds.word_accounts


def family_token(phrase: str) -> str:
    """Under which a phrase's accounts are counted; no text has such a token."""
    return f"family:{phrase}"


def wanted_families(
    texts: Iterable[str], families: Mapping[str, Family]
) -> dict[str, frozenset[str]]:
    """Tokens to look for, by `family_token`, for the phrases that stand in texts."""
    found = {phrase for text in texts for phrase in phrases_in(text, frozenset(families))}
    return {family_token(phrase): families[phrase].tokens for phrase in sorted(found)}


def family_occurrences(
    occurrences: pa.Table, wanted: Sequence[Mapping[str, Collection[str]]]
) -> pa.Table:
    """Who used which families where, of rows of `clio.privacy.wording.token_occurrences`.

    Parameters
    ----------
    occurrences
        Rows ``cluster``, ``token``, ``account``, ``text``; all tokens of the families were looked
        for.
    wanted
        For each cluster what `wanted_families` found.

    Returns
    -------
    pa.Table
        Rows like `occurrences`, one for each family and text; private.
    """
    owners: list[dict[str, list[str]]] = []
    for families in wanted:
        of_token: dict[str, list[str]] = defaultdict(list)
        for key, tokens in families.items():
            for token in tokens:
                of_token[token].append(key)
        owners.append(of_token)
    columns = [occurrences[name].to_pylist() for name in ("cluster", "token", "account", "text")]
    rows = {
        (cluster, key, account, text)
        for cluster, token, account, text in zip(*columns, strict=True)
        for key in owners[cluster].get(token, ())
    }
    cells = list(zip(*sorted(rows), strict=True)) or [(), (), (), ()]
    return pa.table(
        [
            pa.array(cell, type=field.type)
            for cell, field in zip(cells, occurrences.schema, strict=True)
        ],
        schema=occurrences.schema,
    )


def supported(
    families: Mapping[str, Family], tokens: Mapping[str, int], thresholds: Thresholds
) -> frozenset[str]:
    """Phrases whose family has the accounts, by the cluster's counts."""
    return frozenset(
        phrase
        for phrase, family in families.items()
        if tokens.get(family_token(phrase), 0) >= family.accounts(thresholds)
    )
