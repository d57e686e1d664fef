"""Each group's title: a phrase of its own where one says what it is about, else a heading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clio.describing.candidates import EMPTY, Candidate
from clio.describing.evidence import Evidence
from clio.describing.headings import Heading, acts_by, fields, headings
from clio.describing.lexicon import look_up, word_set
from clio.describing.summaries import listing
from clio.describing.titles import Scored, is_open, is_thin
from clio.describing.topics import Topic
from clio.describing.wording import Wording

# Closeness from which a heading names a group, and from which it does where nothing else could.
NEAR: Final = 0.38
LAST: Final = 0.33
# The same for texts that are not English, which lie farther from the probes, and by how much the
# heading must be nearer than all others then.
LOOSE: Final = 0.25
LEAD: Final = 0.03
# How much nearer a heading must be than a sensitive one.
MARGIN: Final = 0.03
# How much farther than the nearest a heading may be that stands in for it.
FURTHER: Final = 0.1
KEPT: Final = 3
LOOKED_AT: Final = 12
# What it adds to a heading's closeness that all accounts use one of its words.
USED: Final = 0.05
# Closeness under which a group's own phrase does not name it: words in a row or of few; others.
WEAK_LOOSE: Final = 0.42
WEAK: Final = 0.28
WEAK_GUARDED: Final = 0.65
# Share of the accounts from which a noun names a group however far it is.
COMMON: Final = 0.45
# Closeness from which a phrase may stand in for a heading that another group has.
OWN: Final = 0.45
# Share of the accounts from which what they ask to be done enters the title.
ACT: Final = 0.3
ALSO: Final = 0.1
# Share of the accounts from which a family speaks for a group, and under which the group is not
# about it.
SPOKEN_FOR: Final = 1 / 3
ELSEWHERE: Final = 0.1
# Share of the accounts from which a noun phrase of a guarded heading is the group's own.
COMMON_NOUN: Final = 0.25
# Share of the accounts that must use a word of a heading or of its probe; and closeness from which
# neither this nor a family is asked for.
UNSPOKEN: Final = 0.1
SURE: Final = 0.5
GENERIC: Final = word_set("generic")
_LANGUAGES: Final = "Languages and translation"


@dataclass(slots=True)
class Near:
    """Headings for a group.

    Attributes
    ----------
    items, closeness
        Titles and their closeness to the group's centre, nearest first.
    guarded
        Whether one that may not be shown is nearest.
    variants
        Titles of the nearest heading by further acts.
    """

    items: list[Scored] = field(default_factory=list)
    closeness: list[float] = field(default_factory=list)
    guarded: bool = False
    variants: list[str] = field(default_factory=list)


def noun_for(
    heading: Heading, wording: Wording, evidence: Evidence, ratio: float = 1.0
) -> str | None:
    """The noun phrase of a heading that may be shown for a group, if any.

    The first; but of a guarded heading one that many use comes before one that only its family
    supports, and that family must speak for a good part of the group.
    """
    first, *others = [n for n in heading.nouns if wording.has_support(n, evidence, ratio)] or [""]
    if not first or not heading.guarded or wording.everything:
        return first or None
    broad = first == heading.nouns[0]
    for noun in others if broad else ():
        if evidence.coverage(_lemmas(noun)) >= COMMON_NOUN * evidence.units:
            return noun
    if broad and _use(heading, evidence) < SPOKEN_FOR:
        return others[0] if others else None
    return first


def _use(heading: Heading, evidence: Evidence) -> float:
    """Share of the accounts that used a word of the heading's family, or of its noun phrases."""
    if heading.family is not None:
        lemmas = heading.family.lemmas
    else:
        lemmas = frozenset(lemma for noun in heading.nouns for lemma in _lemmas(noun))
    return evidence.any_of(lemmas) / max(evidence.units, 1)


def _is_elsewhere(heading: Heading, value: float, evidence: Evidence) -> bool:
    """Whether so few use a guarded heading's family that it is not what the group is about.

    Not where the group is very near: then its members may use other words for it.
    """
    return heading.family is not None and value < SURE and _use(heading, evidence) < ELSEWHERE


@lru_cache(maxsize=1024)
def _all_lemmas(heading: Heading) -> frozenset[str]:
    """What a heading and its probe say."""
    return frozenset(x for text in (*heading.nouns, heading.probe) for x in _lemmas(text))


def near_headings(
    closeness: NDArray[np.float32], evidence: Evidence, wording: Wording, *, foreign: bool = False
) -> Near:
    """The headings that may name a group.

    Parameters
    ----------
    closeness
        Of the group's centre to each heading, (h,) float32.
    evidence
        The group's counts.
    wording
        The checks.
    foreign
        Whether its texts are not English: then its language alone brings it near to languages.
    """
    found = Near()
    best = -1.0
    nearest = _nearest(closeness, evidence)
    leads = foreign and nearest[0][0] >= nearest[1][0] + LEAD
    last = min(LAST, nearest[0][0]) if leads and nearest[0][0] >= LOOSE else LAST
    for value, index in nearest:
        heading = headings()[index]
        if value < last or len(found.items) == KEPT or value < best - FURTHER:
            break
        if foreign and fields()[heading.field].title == _LANGUAGES:
            continue
        noun = noun_for(heading, wording, evidence)
        if noun is None:
            if best < 0.0 and (foreign or not _is_elsewhere(heading, value, evidence)):
                return Near(guarded=True)
            continue
        spoken = evidence.any_of(_all_lemmas(heading)) >= UNSPOKEN * evidence.units
        if not foreign and value < SURE and not spoken:
            continue
        best = max(best, value)
        acts = _acts(heading, evidence)
        title = heading.title(noun, acts[0])
        if not found.items:
            found.variants = [heading.title(noun, act) for act in acts[1:]]
        found.items.append(_as_scored(title, noun, value))
        found.closeness.append(value)
    return found


def _nearest(closeness: NDArray[np.float32], evidence: Evidence) -> list[tuple[float, int]]:
    """The nearest headings, best first.

    Those whose words the group uses count as a little nearer, and so do sensitive ones, lest a
    harmless heading be put on what is not.
    """
    found = []
    for index in np.argsort(-closeness, kind="stable")[:LOOKED_AT].tolist():
        used = _use(headings()[index], evidence)
        guarded = MARGIN if headings()[index].guarded else 0.0
        found.append((float(closeness[index]) + USED * used + guarded, index))
    return sorted(found, key=lambda item: (-item[0], item[1]))


@lru_cache(maxsize=4096)
def _lemmas(text: str) -> frozenset[str]:
    words = [look_up(word.strip("',.:?")) for word in text.lower().split()]
    return frozenset(word.lemma for word in words if word.lemma and word.lemma not in EMPTY)


def _acts(heading: Heading, evidence: Evidence) -> list[str]:
    """What most ask to be done with what the heading names, then the plain act, then others."""
    used = [
        (letter, mask.bit_count() / max(evidence.units, 1))
        for letter, mask in acts_by(evidence.lemmas)
        if letter in heading.acts
    ]
    first = [letter for letter, share in used if share >= ACT]
    rest = [letter for letter, share in used if ALSO <= share < ACT]
    return list(dict.fromkeys([*first, heading.acts[0], *rest]))


def _as_scored(title: str, noun: str, value: float) -> Scored:
    candidate = Candidate("heading", "", _lemmas(noun), title, title)
    return Scored(candidate, title, title, 0.0, 0.0, 0.0, value, value, (title,))


def _slack(item: Scored) -> float:
    """By how much less near a heading may be than a group's own phrase, to be the better title."""
    candidate = item.candidate
    if candidate.kind == "act" or "assistant" in item.title:
        return -1.0
    if candidate.kind == "topics":
        # words in a row are near to what they name in any order
        return 0.1 + 0.1 * (" and " in item.title) + 0.1 * ("," in item.title)
    if candidate.kind == "noun" and len(candidate.lemmas) == 1:
        return 0.05
    return 0.05 if is_thin(item) else -0.05


def _is_weak(item: Scored, closeness: float, guarded: bool) -> bool:
    """Whether a phrase is too far from its group's centre to name it."""
    if item.candidate.kind == "act" or "assistant" in item.title:
        return False
    if guarded and item.candidate.kind == "topics":
        return closeness < WEAK_GUARDED
    if item.candidate.kind == "topics" and item.share >= COMMON:
        return False
    loose = item.candidate.kind == "topics" or is_thin(item)
    return closeness < (WEAK_LOOSE if loose else WEAK)


def says_nothing(item: Scored) -> bool:
    """Whether a title is a generic verb and nothing else: "Write something"."""
    candidate = item.candidate
    return (
        "something" in item.core
        and is_open(candidate)
        and (candidate.verb in EMPTY or candidate.verb in GENERIC)
    )


def ordered(
    own: Sequence[Scored], closeness: float, near: Near, topics: Sequence[Topic]
) -> list[Scored]:
    """All titles of a group, the best first.

    Parameters
    ----------
    own
        Phrases of the group, best first.
    closeness
        Of the best to the group's centre.
    near
        Its headings.
    topics
        Nouns that tell it apart, to tell two groups of one heading apart.
    """
    phrases = [item for item in own if not says_nothing(item)]
    first = phrases[0] if phrases else None
    if first is not None and _is_weak(own[0], closeness, near.guarded):
        first, phrases = None, []
    if not near.items:
        return phrases
    if first is not None and near.closeness[0] < max(NEAR, closeness - _slack(first)):
        return [*phrases, *near.items]
    heading = near.items[0]
    further = [_as_scored(title, title, heading.score) for title in near.variants]
    for number in (2, 1):
        added = [topic for topic in topics if topic.lemmas.isdisjoint(heading.candidate.lemmas)]
        text = f"{heading.title}: {listing([topic.text for topic in added[:number]])}"
        if first is not None and len(added) >= number and len(text.split()) <= 10:
            further.append(_as_scored(text, text, heading.score))
    strong = (
        first is not None
        and closeness >= OWN
        and first.candidate.kind != "topics"
        and not is_thin(first)
    )
    if strong:
        return [heading, *phrases, *near.items[1:], *further]
    return [heading, *near.items[1:], *further, *phrases]
