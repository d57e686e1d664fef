"""Titles and summaries of groups of groups."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clio.describing.description import MIXED_TITLE, Description, Embed, Members
from clio.describing.groups import (
    FALLBACKS,
    MIXED_SUMMARY,
    Group,
    contrast,
    describe_foreign,
    read_groups,
    unused,
)
from clio.describing.lexicon import stem
from clio.describing.summaries import listing, lower_first
from clio.describing.tagging import tokenize
from clio.describing.themes import covering, is_mixed
from clio.describing.topics import joined
from clio.describing.wording import Wording

SHOWN: Final = 4
LONGEST: Final = 10


def describe_parents(
    children: Sequence[Description],
    child_parent: NDArray[np.int32],
    members: Members,
    centroids: NDArray[np.float32],
    *,
    child_sizes: NDArray[np.int64],
    embed: Embed,
    min_accounts: int = 10,
    sensitive: Callable[[str], bool] | None = None,
    counted: int = 1000,
) -> list[Description]:
    """Title and summary of each parent, from its children and a sample of its members.

    The headings that together cover most of the children's titles name the parent: one where they
    share it ("Savings accounts"), else up to three ("Flights, hotels and car rentals").

    Parameters
    ----------
    children
        The children's descriptions.
    child_parent
        The parent of each child, (c,) int32, from 0.
    members
        A sample of texts; ``members.group`` is the parent, in the same numbering.
    centroids
        Unit centres of the parents, (p, d) float32.
    child_sizes
        Conversations of each child, (c,) int64.
    embed
        From texts to unit vectors; called once.
    min_accounts
        Accounts that must have used each content word.
    sensitive
        Whether a word needs as many accounts as a name does. ``None``: no word but names.
    counted
        Members of each parent among whom the accounts will be counted, where it has as many: a
        word is proposed where so large a sample is likely to hold enough.

    Returns
    -------
    list[Description]
        One a parent; the titles are distinct.
    """
    groups, wording = read_groups(members, len(centroids), min_accounts, sensitive)
    contrast(groups, centroids, None, embed, min_accounts)
    ratios = _ratios(members, child_parent, child_sizes, len(centroids), counted)
    below: list[list[Description]] = []
    titles: list[list[str]] = []
    for index, group in enumerate(groups):
        own = np.flatnonzero(child_parent == index)
        order = own[np.lexsort((own, -child_sizes[own]))].tolist()
        below.append([children[i] for i in order])
        sizes = [int(child_sizes[i]) for i in order]
        titles.append(_titles(group, below[-1], sizes, wording, ratios[index]))
    wording.prepare(title for own_titles in titles for title in own_titles)
    taken: set[str] = set()
    chosen: list[list[str]] = []
    for index, group in enumerate(groups):
        if group.foreign is not None:
            passing = [describe_foreign(group, taken).title]
        else:
            passing = [
                title
                for title in dict.fromkeys(titles[index])
                if title.lower() not in taken
                and wording.passes(title, group.evidence, ratios[index])
            ] or [unused(MIXED_TITLE, taken)]
        taken.add(passing[0].lower())
        chosen.append(passing)
    drafts = [
        _drafts(own_titles[0], below[index], groups[index], wording, ratios[index])
        for index, own_titles in enumerate(chosen)
    ]
    wording.prepare(text for texts in drafts for text in texts)
    result: list[Description] = []
    for index, group in enumerate(groups):
        title, *further = chosen[index]
        if group.foreign is not None:
            others = {other.lower() for other, *_ in chosen if other != title}
            result.append(describe_foreign(group, others))
            continue
        passing = [t for t in drafts[index] if wording.passes(t, group.evidence, ratios[index])]
        result.append(
            Description(
                wording.spell(title),
                wording.spell(passing[0] if passing else MIXED_SUMMARY),
                tuple(wording.spell(other) for other in further[:FALLBACKS]),
            )
        )
    return result


def _ratios(
    members: Members,
    child_parent: NDArray[np.int32],
    child_sizes: NDArray[np.int64],
    number: int,
    counted: int,
) -> list[float]:
    """How many times the sample of each parent its words will be counted on, at least.

    Accounts of a parent are expected as if its conversations were drawn from the accounts seen.
    """
    sampled = np.bincount(members.group, minlength=number)
    accounts = len(np.unique(members.account))
    conversations = np.bincount(child_parent, weights=child_sizes, minlength=number)
    ratios = []
    for index in range(number):
        ratio = 1.0
        if 0 < sampled[index] == sampled.max():  # a smaller one was taken whole
            expected = accounts * -math.expm1(-float(conversations[index]) / accounts)
            ratio = max(1.0, min(float(counted), expected) / float(sampled[index]))
        ratios.append(ratio)
    return ratios


def _titles(
    group: Group,
    children: Sequence[Description],
    sizes: Sequence[int],
    wording: Wording,
    ratio: float,
) -> list[str]:
    """Titles to choose from, best first."""
    named = [child for child in children if not is_mixed(child.title)]
    titles: list[str] = []
    if len(children) == 1:
        titles += [children[0].title, *children[0].fallback]

    def passes(text: str) -> bool:
        # a heading is too short for copied runs to be looked for
        return wording.has_support(text, group.evidence, ratio)

    themes = [theme.text for theme in covering(children, sizes, group.counts, passes)]
    topics = [topic.text for topic in joined([t for t in group.topics if passes(t.text)])]
    word = stem(themes[0].split()[-1].lower()) if len(themes) == 1 else ""
    saying = sum(any(stem(w) == word for w in tokenize(child.title)) for child in children)
    if len(themes) == 1 and len(children) > 1 and 2 * saying <= len(children) and topics:
        themes += [text for text in topics if text not in themes[0] and themes[0] not in text][:1]
    for texts in (themes, themes[:2], topics, themes[:1] if len(named) > 1 else []):
        text = listing(texts)
        if texts and len(text.split()) <= LONGEST:
            titles.append(text[:1].upper() + text[1:])
    return [*titles, *(child.title for child in named), *(f for c in named for f in c.fallback[:1])]


def _clause(child: Description) -> str:
    """A child's title as something that is asked for."""
    about = child.summary.startswith(("People ask about ", "The main requests are"))
    text = lower_first(child.title)
    return f"ask about {text}" if about and not child.title.startswith("Ask ") else text


def _topic(child: Description) -> str:
    """A child's title as something that is asked about; empty where it is another request."""
    clause = _clause(child)
    return clause.removeprefix("ask about ") if clause.startswith("ask about ") else ""


def _several(items: Sequence[str]) -> str:
    """A listing; with semicolons where the items are listings themselves."""
    if len(items) < 2 or not any(", " in item or " and " in item for item in items):
        return listing(items)
    return f"{'; '.join(items[:-1])}; and {items[-1]}"


def _drafts(
    title: str, children: Sequence[Description], group: Group, wording: Wording, ratio: float
) -> list[str]:
    """Summaries to choose from, the fullest first."""
    drafts: list[str] = []
    if len(children) == 1 and title == children[0].title:
        drafts.append(children[0].summary)
    named = [
        child
        for child in children
        if not is_mixed(child.title) and wording.has_support(child.title, group.evidence, ratio)
    ]
    for number in range(min(SHOWN, len(named)), 1, -1):
        shown = named[:number]
        more = ", among other things" if number < len(children) else ""
        topics = [_topic(child) for child in shown]
        if all(topics):
            drafts.append(f"People ask about {_several(topics)}{more}.")
        else:
            # not "want to": "want to book a flight" is what single requesters write
            clauses = [_clause(child) for child in shown]
            drafts.append(f"The main requests are: {_several(clauses)}{more}.")
    return [*drafts, *_plain(title, children)]


def _plain(title: str, children: Sequence[Description]) -> list[str]:
    """Summaries that say little more than the title."""
    same = next((child for child in children if child.title == title), None)
    text = lower_first(title)
    if is_mixed(title):
        return []
    if title.startswith("Ask "):
        return [f"People {text}, among other things."]
    if same is not None and _topic(same) == "":
        return [f"The main request is: {text}."]
    return [f"People ask about {text}.", f"Many ask about {text}."]
