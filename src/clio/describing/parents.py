"""Titles and summaries of groups of groups."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clio.describing.description import (
    GUARDED_TITLE,
    MIXED_TITLE,
    Description,
    Embed,
    Members,
)
from clio.describing.groups import (
    FALLBACKS,
    MIXED_SUMMARY,
    Group,
    contrast,
    describe_foreign,
    read_groups,
    spelled,
    unused,
)
from clio.describing.headings import (
    Nearness,
    fields,
    fields_named,
    heading_of,
    headings,
    listed,
    short_noun,
    without_parts,
)
from clio.describing.lexicon import stem
from clio.describing.summaries import listing, lower_first
from clio.describing.tagging import tokenize
from clio.describing.themes import covering, is_mixed
from clio.describing.topics import joined
from clio.describing.wording import Wording

SHOWN: Final = 4
LONGEST: Final = 10
# Closeness from which a title belongs to a field; shares of the conversations from which a field
# names a parent, a heading does, a field is one of several, and several name it together.
NEAR: Final = 0.38
MOSTLY: Final = 0.7
NEARLY_ALL: Final = 0.85
PARTLY: Final = 0.15
TOGETHER: Final = 0.75
# Children, and fields, of which a listing of nouns says more than one of fields.
MANY: Final = 3


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

    The broad field to which most of the children belong names the parent ("Cooking and food"),
    where no other parent belongs to it; else the nouns that together cover most of the children's
    titles: one where they share it ("Savings accounts"), or up to three ("Flights, hotels and car
    rentals"); or, for many children, the fields to which nearly all of them belong.

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
        From texts to unit vectors; called twice.
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
    broad = _broad(children, child_parent, child_sizes, len(centroids), embed)
    below: list[list[Description]] = []
    titles: list[list[str]] = []
    for index, group in enumerate(groups):
        own = np.flatnonzero(child_parent == index)
        order = own[np.lexsort((own, -child_sizes[own]))].tolist()
        below.append([children[i] for i in order])
        sizes = [int(child_sizes[i]) for i in order]
        titles.append(_titles(group, below[-1], sizes, broad[index], wording, ratios[index]))
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
            ] or [unused(_plainest(below[index]), taken)]
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
                spelled(title, wording),
                spelled(passing[0] if passing else MIXED_SUMMARY, wording),
                tuple(spelled(other, wording) for other in further[:FALLBACKS]),
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
    broad: Sequence[str],
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

    covered = covering(children, sizes, group.counts, passes)
    themes = without_parts([theme.text for theme in covered])
    guarded = _plainest(children) == GUARDED_TITLE
    shown = [] if guarded else [topic for topic in group.topics if passes(topic.text)]
    topics = [topic.text for topic in joined(shown)]
    word = stem(themes[0].split()[-1].lower()) if len(themes) == 1 else ""
    saying = sum(any(stem(w) == word for w in tokenize(child.title)) for child in children)
    if len(themes) == 1 and len(children) > 1 and 2 * saying <= len(children) and topics:
        said = {stem(part) for part in tokenize(themes[0])}
        themes += [t for t in topics if said.isdisjoint(map(stem, tokenize(t)))][:1]
    if len(children) > 1 and not (len(themes) == 1 and 2 * saying > len(children)):
        titles += broad
    for texts in (themes, themes[:2], topics, themes[:1] if len(named) > 1 else []):
        text = listing(texts)
        if texts and len(text.split()) <= LONGEST:
            titles.append(text[:1].upper() + text[1:])
    return [*titles, *(child.title for child in named), *(f for c in named for f in c.fallback[:1])]


def _plainest(children: Sequence[Description]) -> str:
    """What is said of children of whom nothing is said."""
    guarded = sum(child.title.startswith(GUARDED_TITLE) for child in children)
    return GUARDED_TITLE if 2 * guarded > len(children) else MIXED_TITLE


def _broad(
    children: Sequence[Description],
    child_parent: NDArray[np.int32],
    child_sizes: NDArray[np.int64],
    number: int,
    embed: Embed,
) -> list[list[str]]:
    """Titles of fields for each parent; none where others would get the same."""
    items = [_items(child.title) for child in children]
    texts = sorted({item for own in items for item in own})
    nearness = Nearness(embed, texts)
    similar = nearness.further @ nearness.headings.T
    nearest: dict[str, int] = {}
    for text, row in zip(texts, similar, strict=True):
        shipped = heading_of(text)
        best = int(row.argmax())
        if shipped is not None or row[best] >= NEAR:
            nearest[text] = shipped[0] if shipped is not None else best
    by_heading = np.zeros((number, len(headings())))
    by_field = np.zeros((number, len(fields())))
    totals = np.maximum(np.bincount(child_parent, weights=child_sizes, minlength=number), 1.0)
    for child, own, parent, size in zip(children, items, child_parent, child_sizes, strict=True):
        share = float(size / totals[parent])
        named = fields_named(child.title)
        for at in named:
            by_field[parent, at] += share / len(named)
        for item in own if not named else ():
            if item in nearest:
                by_heading[parent, nearest[item]] += share / len(own)
                heading = headings()[nearest[item]]
                if not heading.guarded or fields()[heading.field].guarded:
                    by_field[parent, heading.field] += share / len(own)
    leading = by_field.argmax(axis=1).tolist()
    counts = np.bincount(child_parent, minlength=number)
    return [
        _broad_title(
            by_heading[index],
            by_field[index],
            alone=leading.count(leading[index]) == 1,
            many=bool(counts[index] > MANY),
        )
        for index in range(number)
    ]


def _broad_title(
    by_heading: NDArray[np.float64], by_field: NDArray[np.float64], *, alone: bool, many: bool
) -> list[str]:
    """The title that one heading, one field or several fields give a parent, if any."""
    heading, first = headings()[int(by_heading.argmax())], int(by_field.argmax())
    text = ""
    if by_heading.max() >= NEARLY_ALL and heading.nouns and short_noun(heading.nouns[0]):
        text = heading.nouns[0]
    elif by_field[first] >= MOSTLY and alone:
        text = fields()[first].title
    elif by_field[first] < MOSTLY and many:
        several = [at for at in np.argsort(-by_field, kind="stable") if by_field[at] >= PARTLY]
        if 1 < len(several) < MANY + 1 and by_field[several].sum() >= TOGETHER:
            text = listing([fields()[at].short.lower() for at in several])
    return [text[:1].upper() + text[1:]] if text else []


def _items(title: str) -> list[str]:
    """What a title names, one by one."""
    if is_mixed(title):
        return []
    title = title.removeprefix("Ask the assistant to ")
    if heading_of(title) is not None or title.split(" ", 1)[0] in ("Ask", "Get"):
        return [title]
    return listed(title)


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
