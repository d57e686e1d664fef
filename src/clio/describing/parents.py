"""Titles and summaries of groups of groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clio.describing.acts import ACT_THEMES
from clio.describing.candidates import EMPTY, TIMES, Candidate
from clio.describing.description import Description, Embed, Members
from clio.describing.evidence import Evidence
from clio.describing.groups import contrast, describe_foreign, read_groups, unused
from clio.describing.lexicon import is_uncountable, look_up, plural, spelling, stem
from clio.describing.parsing import parse
from clio.describing.rendering import DEFINITE, MEASURED, core_text
from clio.describing.summaries import listing, lower_first
from clio.describing.titles import Counts

COVERED: Final = 0.6
USED: Final = 0.3
THEMES: Final = 3
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
) -> list[Description]:
    """Title and summary of each parent, from its children and a sample of its members.

    A noun phrase that most children share names the parent; where there is none, the themes of its
    largest children do: "Flights, hotels and car rentals".

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
        Accounts of the sample that must have used each content word.

    Returns
    -------
    list[Description]
        One a parent; the titles are distinct.
    """
    groups, _ = read_groups(members, len(centroids), min_accounts, None)
    contrast(groups, centroids, None, embed, min_accounts)
    taken: set[str] = set()
    result: list[Description] = []
    for index, group in enumerate(groups):
        own = np.flatnonzero(child_parent == index)
        order = own[np.lexsort((own, -child_sizes[own]))].tolist()
        below = [children[i] for i in order]
        sizes = [int(child_sizes[i]) for i in order]
        titles: list[str] = []
        if len(below) == 1:
            titles += [below[0].title, *below[0].fallback]
        titles += _shared(group.counts, below, sizes, min_accounts)
        titles += _joined(below, group.evidence, min_accounts)
        titles += [child.title for child in below[:2]]
        if group.foreign is not None:
            description = describe_foreign(group, taken)
        else:
            free = list(dict.fromkeys(t for t in titles if t.lower() not in taken))
            title = free[0] if free else unused("Requests of many kinds", taken)
            description = Description(title, _summary(below), tuple(free[1:5]))
        taken.add(description.title.lower())
        result.append(description)
    return result


def _summary(children: Sequence[Description]) -> str:
    shown = [lower_first(child.title) for child in children[:SHOWN]]
    if not shown:
        return "People ask for many different things."
    if len(children) == 1:
        return children[0].summary
    more = ", among other things" if len(children) > SHOWN else ""
    # not "want to": "want to book a flight" is what single requesters write
    return f"The main requests are: {listing(shown)}{more}."


def _shared(
    counts: Counts, children: Sequence[Description], sizes: Sequence[int], least: int
) -> list[str]:
    """Noun phrases that many members used and most of the children's titles share, as headings."""
    if len(children) < 2:
        return []
    bags = [parse(f"{child.title}. {child.summary}").bag for child in children]
    total = sum(sizes)
    found: list[tuple[float, str]] = []
    for candidate in counts.candidates.values():
        lemmas = candidate.lemmas
        share = counts.share_of(sorted(lemmas))
        if candidate.kind != "noun" or share < USED or not lemmas.isdisjoint(EMPTY | TIMES):
            continue
        covered = sum(s for bag, s in zip(bags, sizes, strict=True) if lemmas <= bag)
        if covered >= COVERED * total:
            found.append((-share * (1 + len(lemmas)), _heading(candidate, counts.evidence, least)))
    return [heading for _, heading in sorted(found)][:2]


def _heading(candidate: Candidate, evidence: Evidence, least: int) -> str:
    words = core_text(candidate).split()
    if words[0] in ("a", "an", "the") and words[1:] and words[1] not in ("assistant's", "user's"):
        words = words[1:]
    if len(words) <= 3:
        words = _plural(words, evidence, least)
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _plural(words: list[str], evidence: Evidence, least: int) -> list[str]:
    """A heading's plural where the accounts used it, else the singular as it is."""
    head = words[-1].lower()
    word = look_up(head)
    if is_uncountable(head) or word.plural or words[-1] != head or word.form == "g":
        return words
    many = plural(head)
    if evidence.stems[stem(many)] >= least:
        return [*words[:-1], spelling(many)]
    return words


def theme(title: str, evidence: Evidence, least: int) -> str:
    """What a child's title is about, as a heading in lower case; empty where it has no noun."""
    if title in ACT_THEMES:
        return ACT_THEMES[title]
    if not title.isascii():
        return ""
    best: tuple[str, ...] = ()
    for phrase in parse(title).nouns:
        noun = phrase.noun
        if phrase.complement is not None and noun.lemmas[-1] in MEASURED:
            noun = phrase.complement
        if noun.lemmas[-1] in ("assistant", "user", "place", "something") or (
            noun.lemmas[-1] in EMPTY and len(noun.lemmas) == 1
        ):
            continue
        words = tuple(
            word for word in noun.words
            if word not in ("assistant's", "user's") and word not in DEFINITE
            and not word.endswith("'s") and not (look_up(word).form == "d" and len(noun.words) > 1)
        )  # fmt: skip
        if len(words) > len(best):
            best = words
    return " ".join(_plural([spelling(word) for word in best], evidence, least)) if best else ""


def _joined(children: Sequence[Description], evidence: Evidence, least: int) -> list[str]:
    """The themes of the largest children, joined."""
    themes: list[str] = []
    heads: Counter[str] = Counter()
    for child in children:
        text = theme(child.title, evidence, least)
        if not text:
            continue
        head = look_up(text.split()[-1].lower()).lemma or text
        if heads[head] or any(text in other or other in text for other in themes):
            continue
        heads[head] += 1
        themes.append(text)
        if len(themes) == THEMES:
            break
    titles: list[str] = []
    for number in range(len(themes), 1, -1):
        text = listing(themes[:number])
        if len(text.split()) <= LONGEST:
            titles.append(text[:1].upper() + text[1:])
    return titles
