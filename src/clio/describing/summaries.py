"""Summaries: what people ask for, and how it varies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from clio.describing.acts import SUM_TITLE
from clio.describing.candidates import EMPTY
from clio.describing.lexicon import spelling
from clio.describing.rendering import core_text
from clio.describing.titles import Scored

# Shares of the accounts from which a phrase is told at all, and from which it is told as frequent.
SHOWN: Final = 0.08
OFTEN: Final = 0.25


def listing(items: Sequence[str], last: str = "and") -> str:
    """ "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


_CODE: Final = re.compile(r"[a-z]{2}\d{2}")
_FIRST: Final = re.compile(r"[^\W_]+")


def lower_first(title: str) -> str:
    """The title as part of a sentence."""
    first = _FIRST.match(title)
    if first is None or first[0][1:].lower() != first[0][1:]:
        return title
    return spelling(first[0].lower()) + title[first.end() :]


def opening(item: Scored) -> str:
    """The first sentence, without its stop."""
    if item.candidate.kind == "verb" and not item.title.startswith("Ask "):
        return f"People ask the assistant to {core_text(item.candidate)}"
    if item.candidate.kind == "topics":
        return f"People ask about {lower_first(item.title)}"
    if item.title == SUM_TITLE:
        return f"People ask the assistant to {lower_first(item.title)}"
    return f"People {lower_first(item.title)}"


def summaries(chosen: Scored, others: Sequence[Scored], least: int) -> list[str]:
    """Drafts of a group's summary, the fullest first.

    Parameters
    ----------
    chosen
        The title's candidate.
    others
        Further candidates, best first.
    least
        Accounts that must have used a phrase.

    Returns
    -------
    list[str]
        One or two sentences each.
    """
    often = True
    wants: list[str] = []
    mentions: list[str] = []
    taken = [chosen.candidate.lemmas]
    for item in others:
        candidate = item.candidate
        if item.title == chosen.title or len(candidate.units) < least or not candidate.lemmas:
            continue
        if (
            candidate.kind == "topics"
            or candidate.lemmas <= EMPTY
            or any(
                candidate.lemmas <= lemmas
                or len(candidate.lemmas & lemmas) > 0.5 * len(candidate.lemmas | lemmas)
                for lemmas in taken
            )
        ):
            continue
        core = core_text(candidate)
        if item.structure < SHOWN or _CODE.search(core):
            continue
        bare = candidate.kind == "verb" and (len(candidate.lemmas) < 2 or "something" in core)
        if candidate.kind == "verb" and not bare and len(wants) < 2:
            wants.append(core)
        elif candidate.kind == "noun" and len(mentions) < 3:
            mentions.append(core)
        else:
            continue
        taken.append(candidate.lemmas)
        often = often and item.structure >= OFTEN
    first = opening(chosen) + "."
    who = "Often they" if often else "Some"
    drafts: list[str] = []
    if wants and mentions:
        drafts.append(
            f"{first} {who} also {listing(wants, 'or')}, or mention {listing(mentions, 'or')}."
        )
    if wants:
        drafts.append(f"{first} {who} also {listing(wants, 'or')}.")
    for number in range(len(mentions), 0, -1):
        drafts.append(f"{first} {who} mention {listing(mentions[:number], 'or')}.")
    drafts += [f"{first} {who} mention {mention}." for mention in mentions[1:]]
    # other words around the title, for when the sentence is what some requesters write
    return [*drafts, first, f"The main request is: {lower_first(chosen.title)}."]
