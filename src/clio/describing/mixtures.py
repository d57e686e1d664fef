"""A group of many things: named by the subjects that most of its members fall under."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clio.describing.description import Description, Embed, Members
from clio.describing.headings import OTHER_THINGS, Heading, Nearness, fields, headings, short_noun
from clio.describing.summaries import listing

NEAR: Final = 0.33
"""Closeness from which a text falls under a heading."""

MOST: Final = 3
SMALLEST: Final = 0.1
"""Share of the group's accounts from which a subject is named."""

NEARLY_ALL: Final = 0.75
LOOKED_AT: Final = 100


def mixture(
    members: Members,
    group: int,
    embed: Embed,
    least: int,
    allowed: Callable[[str], bool],
    *,
    guarded: bool = False,
) -> Description | None:
    """Title and summary from the commonest headings of a group's texts, counted by accounts.

    Where no heading has enough, broad fields are counted.

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
        Whether a noun phrase may be shown for the group.
    guarded
        Whether the group is nearest to a heading that may not be shown: then another heading of
        that kind must be the commonest, lest something harmless be put on what is not.

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
    needed = max(least, SMALLEST * everybody)

    def commonest(subjects: NDArray[np.int64], names: Sequence[str]) -> list[tuple[int, str]]:
        found = []
        for subject in np.unique(subjects[clear]).tolist():
            number = len(np.unique(accounts[clear & (subjects == subject)]))
            if names[subject] and number >= needed:
                found.append((-number, subject))
        return [(-number, names[subject]) for number, subject in sorted(found)[:MOST]]

    shown = {int(at): _shown(headings()[at], allowed) for at in np.unique(best)}
    narrow = commonest(best, [shown.get(at, "") for at in range(len(headings()))])
    if guarded and not (narrow and _is_guarded(narrow[0][1])):
        return None
    of_field = np.array([heading.field for heading in headings()])[best]
    broad = [f.short.lower() if not f.guarded or allowed(f.title) else "" for f in fields()]
    counted = narrow or commonest(of_field, broad)
    if not counted:
        return None
    covered = sum(number for number, _ in counted) / everybody
    return Description(*_said(list(dict.fromkeys(name for _, name in counted)), covered))


def _shown(heading: Heading, allowed: Callable[[str], bool]) -> str:
    """The noun phrase by which a heading is one of several; empty where there is none."""
    for noun in heading.nouns:
        short = short_noun(noun)
        if short and allowed(short):
            return short
    return ""


def _is_guarded(name: str) -> bool:
    """Whether a noun phrase is one of a guarded heading."""
    return any(name in map(short_noun, h.nouns) for h in headings() if h.guarded)


def _said(named: Sequence[str], covered: float) -> tuple[str, str]:
    whole = len(named) > 1 and covered >= NEARLY_ALL
    text = listing(named if whole else [*named, OTHER_THINGS])
    return text[:1].upper() + text[1:], f"People ask about {listing([*named, OTHER_THINGS])}."
