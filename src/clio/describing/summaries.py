"""Summaries: what people ask for, and how it varies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from clio.describing.acts import SUM_TITLE
from clio.describing.candidates import EMPTY
from clio.describing.headings import heading_sentence
from clio.describing.lexicon import spelling
from clio.describing.rendering import core_text, heading_text
from clio.describing.titles import Scored
from clio.describing.topics import Topic

# Shares of the accounts from which a phrase is told at all, and from which it is told as frequent.
SHOWN: Final = 0.08
OFTEN: Final = 0.25
SAID: Final = 3


def listing(items: Sequence[str], last: str = "and") -> str:
    """ "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def _is_new(lemmas: frozenset[str], taken: Sequence[frozenset[str]]) -> bool:
    """Whether a phrase says something that none before it said."""
    return not any(
        lemmas <= other or len(lemmas & other) > 0.5 * len(lemmas | other) for other in taken
    )


_CODE: Final = re.compile(r"[a-z]{2}\d{2}")
_FIRST: Final = re.compile(r"[^\W_]+")


def lower_first(title: str) -> str:
    """The title as part of a sentence."""
    first = _FIRST.match(title)
    if first is None or first[0][1:].lower() != first[0][1:]:
        return title
    return spelling(first[0].lower()) + title[first.end() :]


def _is_telling(item: Scored) -> bool:
    """Whether a noun says what is peculiar to a group: not "quick question", "the first time"."""
    heads = {form[1][-1] for form in item.candidate.forms if form[1]}
    return item.closeness >= 0.0 and heads.isdisjoint(EMPTY)


def opening(item: Scored) -> str:
    """The first sentence, without its stop."""
    if item.candidate.kind == "heading":
        return heading_sentence(item.title)
    if item.candidate.kind == "verb" and not item.title.startswith("Ask "):
        return f"People ask the assistant to {core_text(item.candidate)}"
    if item.candidate.kind == "topics" and not item.title.startswith("Ask "):
        return f"People ask about {lower_first(item.title)}"
    if item.title == SUM_TITLE:
        return f"People ask the assistant to {lower_first(item.title)}"
    return f"People {lower_first(item.title)}"


def summaries(
    chosen: Scored, others: Sequence[Scored], least: int, topics: Sequence[Topic] = ()
) -> list[str]:
    """Drafts of a group's summary, the fullest first.

    Parameters
    ----------
    chosen
        The title's candidate.
    others
        Further candidates, best first.
    least
        Accounts that must have used a phrase.
    topics
        Nouns that tell the group apart, for where the candidates give too little.

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
            candidate.kind in ("topics", "heading")
            or candidate.lemmas <= EMPTY
            or not _is_new(candidate.lemmas, taken)
        ):
            continue
        core = core_text(candidate)
        if item.structure < SHOWN or _CODE.search(core):
            continue
        bare = candidate.kind == "verb" and (len(candidate.lemmas) < 2 or "something" in core)
        if candidate.kind == "verb" and not bare and len(wants) < 2:
            wants.append(core)
        elif candidate.kind == "noun" and len(mentions) < 3 and _is_telling(item):
            mentions.append(
                core if any(form[2] for form in candidate.forms) else heading_text(candidate)
            )
        else:
            continue
        taken.append(candidate.lemmas)
        often = often and item.structure >= OFTEN
    for topic in topics:
        if len(wants) + len(mentions) >= SAID or topic.share < SHOWN:
            continue
        if _is_new(topic.lemmas, taken):
            mentions.append(topic.text)
            taken.append(topic.lemmas)
            often = often and topic.share >= OFTEN
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
