"""Choosing each group's title among its candidates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clio.describing.acts import EITHER_TITLE, NO_TITLE, YES_TITLE
from clio.describing.candidates import EMPTY, LIGHT, TIMES, UNITS, Candidate, Form
from clio.describing.evidence import Evidence
from clio.describing.lexicon import gerund, is_uncountable, look_up, word_set
from clio.describing.rendering import COUNTED, PEOPLE, WORDS, core_text, titles_of

LONGEST = 10
THINKING = word_set("thinking")
# What is asked of many things alike: "how long it takes".
MEASURES = frozenset(("long", "far", "often"))
SHORTLIST = 20
NEIGHBOURS = 10


@dataclass(frozen=True, slots=True)
class Counts:
    """A group's evidence and its candidates by key."""

    evidence: Evidence
    candidates: dict[object, Candidate]

    def share_of(self, lemmas: Sequence[str]) -> float:
        """Share of units that used all lemmas."""
        return self.evidence.coverage(lemmas) / max(self.evidence.units, 1)

    def use_of(self, key: object) -> float:
        """Share of units that used a candidate as such."""
        candidate = self.candidates.get(key)
        return len(candidate.units) / max(self.evidence.units, 1) if candidate else 0.0


@dataclass(slots=True)
class Scored:
    """A candidate with its figures in a group."""

    candidate: Candidate
    core: str
    title: str
    share: float
    structure: float
    lift: float
    score: float
    closeness: float = 0.0
    titles: tuple[str, ...] = ()


def commonest(candidate: Candidate) -> Form:
    """The form in which the phrase was used most."""
    return min(
        ((-count, form) for form, count in candidate.forms.items()),
        default=(0, ("", (), "", ())),
    )[1]


def _is_action(candidate: Candidate, head: tuple[str, ...]) -> bool:
    """Whether the noun is a verb's -ing form: "add cleaning"."""
    word = min(((-n, noun.words[-1]) for noun, n in candidate.nouns[head].items()))[1]
    return look_up(word).form == "g" and not is_uncountable(word) and word not in COUNTED


def _form(candidate: Candidate) -> float:
    """How well the form alone makes a title."""
    content = len(candidate.lemmas)
    uses = sum(candidate.frames.values())
    if candidate.kind == "verb":
        if candidate.verb in LIGHT:
            return 0.3
        if content == 1:
            bare = commonest(candidate)
            if bare[2]:
                return 1.2 if candidate.frames["how"] > 0.5 * uses else 0.5
            return 0.5 if bare[1] else 0.3
        form = commonest(candidate)
        if not candidate.lemmas.isdisjoint(TIMES) or (
            len(form[1]) == 1 and form[1][0] != "*" and _is_action(candidate, form[1])
        ):
            return 0.6
        if not form[1]:
            return 1.0
        return 1.0 if candidate.verb in EMPTY else 1.6
    if candidate.kind == "noun":
        # an object of requests is named better with its verb
        asked = (candidate.frames["about"] + candidate.frames["for"]) / uses
        return (0.75 if content == 1 else 0.95) * (0.5 + 0.5 * min(1.0, 1.5 * asked))
    if candidate.kind == "report":
        return 1.5
    if candidate.kind == "act":
        return 1.6
    if candidate.lemmas and candidate.lemmas <= EMPTY and not candidate.asks_assistant:
        return 0.8
    return 1.6


def _is_doing(candidate: Candidate) -> bool:
    """Whether a noun is no more than a verb's -ing form: "breaking"."""
    head = commonest(candidate)[1]
    return (
        candidate.kind == "noun"
        and len(candidate.lemmas) == len(head) == 1
        and _is_action(candidate, head)
    )


def _is_hollow(candidate: Candidate, structure: float) -> bool:
    """Whether most of the phrase is left open and few accounts used the rest."""
    form = commonest(candidate)
    if candidate.kind != "verb" or form[1] != ("*",):
        return False
    return structure < 0.08 or bool(form[3] and EMPTY.issuperset(form[3]))


def _is_measure(candidate: Candidate) -> bool:
    """Whether a noun is a unit, or said of an amount: "a cm", "a loan at a percent"."""
    form = commonest(candidate)
    if form[2] == "at" and form[3] and form[3][-1] in UNITS:
        return True
    return candidate.kind == "noun" and bool(candidate.lemmas) and candidate.lemmas <= UNITS


def _is_pair(candidate: Candidate, head: tuple[str, ...]) -> bool:
    """Whether two nouns in a row were read as verb and object: "film grain"."""
    uses = candidate.nouns[head]
    bare = sum(n for noun, n in uses.items() if not noun.determiner and not noun.plural)
    return (
        len(head) == 1
        and look_up(candidate.verb).noun
        and not _is_action(candidate, head)
        and not is_uncountable(head[0])
        and bare > 0.95 * sum(uses.values())
    )


def _is_compound(candidate: Candidate, own: Counts) -> bool:
    """Whether verb and object are rather one noun: "cover letter", "gift ideas"."""
    form = commonest(candidate)
    if form[0] or form[1] in ((), ("*",)):
        return False
    if _is_pair(candidate, form[1]):
        return True
    whole = (candidate.verb, *form[1])
    noun = own.candidates.get(("noun", "", frozenset(whole)))
    bare = candidate.nouns[form[1]]
    without = sum(count for chunk, count in bare.items() if not chunk.determiner)
    return (
        noun is not None
        and whole in noun.nouns
        and without > 0.8 * sum(bare.values())
        and len(noun.units) >= 0.3 * len(candidate.units)
    )


def _is_sided(candidate: Candidate, own: Counts) -> bool:
    """Whether an answer is only one of the two that a group gives, or both where it gives one."""
    both = own.use_of(EITHER_TITLE)
    one = max(own.use_of(YES_TITLE), own.use_of(NO_TITLE))
    mixed = one < 0.65 * both
    return candidate.title in ((YES_TITLE, NO_TITLE) if mixed else (EITHER_TITLE,))


def is_open(candidate: Candidate) -> bool:
    """Whether a verb stands alone, or with an object that is another in each request."""
    form = commonest(candidate)
    return (
        candidate.kind == "verb"
        and len(candidate.lemmas) == 1
        and not form[0]
        and not form[2]
        and form[1] in ((), ("*",))
        and candidate.verb not in LIGHT
    )


def is_activity(verb: str) -> bool:
    """Whether a verb's -ing form names a subject by itself: "investing", not "breaking"."""
    done = gerund(verb)
    return is_uncountable(done) or done in COUNTED


def is_bare(candidate: Candidate) -> bool:
    """Whether a verb stands alone that needs an object to say anything: not "invest" or "swim"."""
    form = commonest(candidate)
    return (
        candidate.kind == "verb"
        and len(candidate.lemmas) == 1
        and not any((form[0], form[1], form[2]))
        and not is_activity(candidate.verb)
    )


def is_thin(item: Scored) -> bool:
    """Whether a title says little, or speaks of few in its group."""
    candidate = item.candidate
    if candidate.kind == "noun":
        return item.share < (0.75 if len(candidate.lemmas) == 1 else 0.12)
    if candidate.kind == "verb":
        if candidate.verb in LIGHT or candidate.lemmas <= EMPTY or is_bare(candidate):
            return True
        form = commonest(candidate)
        if len(candidate.lemmas) == 1 and not form[2]:
            if form[1] == ("*",) and candidate.verb not in PEOPLE | WORDS:
                return True
            if candidate.frames["how"] > 0.5 * sum(candidate.frames.values()):
                return item.structure < 0.2
            return item.structure < (0.5 if form[1] else 0.3)
        if "*" in form[1]:
            return item.structure < 0.12
        return item.structure < 0.07 or (item.structure < 0.12 and item.share < 0.12)
    if candidate.kind == "question":
        if len(candidate.lemmas) == 1 and any(w[-1] == "something" for w in candidate.wordings):
            return True
        return not candidate.asks_assistant and (
            item.structure < (0.3 if candidate.lemmas - MEASURES <= EMPTY else 0.08)
        )
    return False


def shortlist(
    own: Counts,
    neighbours: Sequence[Counts],
    global_share: Callable[[str], float],
    least: int,
) -> list[Scored]:
    """The candidates of a group with the best counts, best first.

    Parameters
    ----------
    own
        The group's counts.
    neighbours
        Those of the groups nearest to it.
    global_share
        Share of all units that used a lemma.
    least
        Accounts that must have used each content word.

    Returns
    -------
    list[Scored]
        At most `SHORTLIST`, with their titles.
    """
    evidence = own.evidence
    scored: list[Scored] = []
    units = max(evidence.units, 1)
    floor = max(2, min(least, round(units / 28)))
    for candidate in own.candidates.values():
        content = sorted(candidate.lemmas)
        used = len(candidate.units)
        structure = used / units
        pooled = candidate.kind not in ("question", "act")
        if used < (floor if pooled else least):
            continue
        share = evidence.coverage(content) / units if pooled else structure
        if structure < 0.12 * share or _is_hollow(candidate, structure):
            continue
        if candidate.kind == "verb" and _is_compound(candidate, own):
            continue
        if candidate.kind == "question" and candidate.lemmas and candidate.lemmas <= THINKING:
            continue
        if _is_measure(candidate) or is_bare(candidate) or _is_doing(candidate):
            continue
        if candidate.kind == "act":
            if structure < 0.3 or _is_sided(candidate, own):
                continue
            lift = 3.0
        else:
            rare = min((global_share(lemma) for lemma in content), default=0.02)
            near = sum(
                n.share_of(content) if pooled else n.use_of(candidate.key) for n in neighbours
            ) / max(len(neighbours), 1)
            if not pooled:
                rare = min(rare, structure / 4)
            background = 0.5 * (near + rare) if neighbours and content else rare
            lift = math.log((share + 0.01) / (min(background, share) + 0.01))
        strength = math.sqrt(0.2 * share + 0.8 * structure)
        scored.append(
            Scored(candidate, "", "", share, structure, lift,
                   strength * (0.3 + lift) * _form(candidate))
        )  # fmt: skip
    scored.sort(key=lambda s: (-s.score, s.candidate.order))
    kept: list[Scored] = []
    titles: set[str] = set()
    for item in scored:
        if len(kept) == SHORTLIST:
            break
        item.titles = titles_of(item.candidate)
        item.title = item.titles[0]
        item.core = core_text(item.candidate)
        if item.title in titles or len(item.title.split()) > LONGEST:
            continue
        titles.add(item.title)
        kept.append(item)
    return kept
