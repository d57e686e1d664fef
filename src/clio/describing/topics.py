"""Nouns that tell a group apart, for titles where no phrase is shared by enough."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from clio.describing.candidates import EMPTY, TIMES, UNITS, Candidate
from clio.describing.lexicon import has_capitals, look_up
from clio.describing.rendering import heading_text
from clio.describing.titles import Counts

TOPICS: Final = 3
KEPT: Final = 12
LEAST_SHARE: Final = 0.05
LEAST_LIFT: Final = 0.35
LEAST_NEW: Final = 0.25
LONGEST: Final = 10


@dataclass(frozen=True, slots=True)
class Topic:
    """A noun or short noun phrase that a group used more than the groups near it.

    Attributes
    ----------
    text
        As a heading, in lower case: "plants", "workout plans".
    lemmas
        Its content lemmas.
    mask
        Bit set of the units that used them.
    share
        Share of units that used them.
    lift
        Log ratio to the share in the groups near it.
    """

    text: str
    lemmas: frozenset[str]
    mask: int
    share: float
    lift: float


def topics_of(
    own: Counts,
    neighbours: Sequence[Counts],
    global_share: Callable[[str], float],
    least: int,
) -> list[Topic]:
    """The nouns that tell a group apart, best first.

    Parameters
    ----------
    own
        The group's counts.
    neighbours
        Those of the groups nearest to it.
    global_share
        Share of all units that used a lemma.
    least
        Accounts that must have used each.

    Returns
    -------
    list[Topic]
        At most `KEPT`.
    """
    evidence = own.evidence
    units = max(evidence.units, 1)
    found: list[tuple[float, tuple[object, ...], Topic]] = []
    for candidate in own.candidates.values():
        if not _is_plain_noun(candidate):
            continue
        mask = evidence.mask(candidate.lemmas)
        share = mask.bit_count() / units
        if mask.bit_count() < least or share < LEAST_SHARE:
            continue
        if len(candidate.units) < 0.4 * mask.bit_count():
            continue  # mostly another part of speech, or two words that merely meet
        content = sorted(candidate.lemmas)
        near = sum(n.share_of(content) for n in neighbours) / max(len(neighbours), 1)
        rare = min(global_share(lemma) for lemma in content)
        background = 0.5 * (near + rare) if neighbours else rare
        lift = math.log((share + 0.01) / (min(background, share) + 0.01))
        if neighbours and lift < LEAST_LIFT:
            continue
        weight = math.sqrt(share) * (0.2 + lift) * (1.2 if len(content) > 1 else 1.0)
        topic = Topic(heading_text(candidate), candidate.lemmas, mask, share, lift)
        found.append((-weight, candidate.order, topic))
    found.sort(key=lambda item: item[:2])
    return [topic for _, _, topic in found[:KEPT]]


def _is_plain_noun(candidate: Candidate) -> bool:
    if candidate.kind != "noun" or not 1 <= len(candidate.lemmas) <= 2:
        return False
    if any(form[2] for form in candidate.forms):
        return False
    if any(len(lemma) < 3 and not has_capitals(lemma) for lemma in candidate.lemmas):
        return False
    said = candidate.lemmas - EMPTY
    if len(said) < len(candidate.lemmas) and all(look_up(lemma).adjective for lemma in said):
        return False  # "best way"
    if not all(lemma.isalpha() for lemma in candidate.lemmas):
        return False  # "3x"
    return candidate.lemmas.isdisjoint(TIMES | UNITS) and bool(said)


def joined(topics: Sequence[Topic], first: Topic | None = None) -> list[Topic]:
    """Topics that together cover most of a group, each adding units to those before.

    Parameters
    ----------
    topics
        Best first.
    first
        One to begin with.
    """
    chosen = [first] if first is not None else []
    covered = first.mask if first is not None else 0
    while len(chosen) < TOPICS:
        best: Topic | None = None
        value = 0.0
        for topic in topics:
            fresh = (topic.mask & ~covered).bit_count()
            if fresh < LEAST_NEW * topic.mask.bit_count() or any(
                not topic.lemmas.isdisjoint(other.lemmas) or topic.text == other.text
                for other in chosen
            ):
                continue
            gain = fresh * topic.lift
            if gain > value:
                best, value = topic, gain
        if best is None:
            break
        chosen.append(best)
        covered |= best.mask
    return chosen
