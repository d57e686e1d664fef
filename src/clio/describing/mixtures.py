"""A group of many things: named by the subjects that most of its members fall under."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from clio.describing.description import Description, Embed, Members
from clio.describing.headings import Nearness, headings, short_noun
from clio.describing.summaries import listing

NEAR: Final = 0.33
"""Closeness from which a text falls under a heading."""

MOST: Final = 3
SMALLEST: Final = 0.1
"""Share of the group's accounts from which a subject is named."""

NEARLY_ALL: Final = 0.75
LOOKED_AT: Final = 100


def mixture(
    members: Members, group: int, embed: Embed, least: int, allowed: frozenset[str]
) -> Description | None:
    """Title and summary from the commonest headings of a group's texts, each counted by accounts.

    Parameters
    ----------
    members
        A sample of each group's texts; some hundred of the group's are looked at.
    group
        Which group.
    embed
        From texts to unit vectors.
    least
        Accounts that must fall under a heading.
    allowed
        Noun phrases, lower case, that may be shown whatever the texts say.

    Returns
    -------
    Description or None
        None where no subject has enough accounts.
    """
    rows = np.flatnonzero(members.group == group)[:LOOKED_AT]
    if len(rows) == 0:
        return None
    closeness = Nearness(embed).of(embed([members.texts[row] for row in rows]))
    best = closeness.argmax(axis=1)
    clear = closeness[np.arange(len(rows)), best] >= NEAR
    accounts = members.account[rows]
    if len(np.unique(accounts)) == 1:
        # One's own conversations: there is nobody else to count.
        accounts = np.arange(len(rows), dtype=accounts.dtype)
    everybody = len(np.unique(accounts))
    counted: list[tuple[int, int, str]] = []
    for index in np.unique(best[clear]).tolist():
        nouns = [short_noun(n) for n in headings()[index].nouns if n.lower() in allowed]
        number = len(np.unique(accounts[clear & (best == index)]))
        if nouns and nouns[0] and number >= max(least, SMALLEST * everybody):
            counted.append((-number, index, nouns[0]))
    counted.sort()
    named = list(dict.fromkeys(noun for _, _, noun in counted))[:MOST]
    if not named:
        return None
    covered = -sum(number for number, _, _ in counted[:MOST]) / everybody
    return Description(*_said(named, covered))


def _said(named: Sequence[str], covered: float) -> tuple[str, str]:
    whole = len(named) > 1 and covered >= NEARLY_ALL
    text = listing(named if whole else [*named, "more"])
    return text[:1].upper() + text[1:], f"People ask about {listing([*named, 'other things'])}."
