"""What several titles are about together: headings that cover them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from clio.describing.acts import ACT_THEMES
from clio.describing.candidates import EMPTY, TIMES
from clio.describing.description import (
    GUARDED_TITLE,
    MIXED_TITLE,
    OTHER_LANGUAGES,
    Description,
)
from clio.describing.headings import fields, fields_named, heading_of, headings, short_noun
from clio.describing.lexicon import look_up, spelling, word_set
from clio.describing.parsing import parse
from clio.describing.phrases import Noun
from clio.describing.rendering import DEFINITE, MEASURED, heading_plural
from clio.describing.titles import Counts

THEMES: Final = 3
# What a theme must add, as a share of the conversations; a second and third to a theme that all
# but covers the rest must add more.
GAIN: Final = 0.06
GAIN_COVERED: Final = 0.12
COVERED: Final = 0.7
INSIDE: Final = 0.8
MENTIONED: Final = 0.4
# For what a title names first.
LEADING: Final = 0.3
_HOLLOW: Final = word_set("hollow")


@dataclass(frozen=True, slots=True)
class Theme:
    """A heading in lower case, and its lemmas in order."""

    text: str
    lemmas: tuple[str, ...]


def is_mixed(title: str) -> bool:
    """Whether a title says nothing of its group."""
    return title.startswith((MIXED_TITLE, OTHER_LANGUAGES, GUARDED_TITLE)) or not title.isascii()


def themes_of(title: str, counts: Counts) -> list[Theme]:
    """The headings in a title, the fullest of each noun chunk first: what it is about."""
    if title in ACT_THEMES:
        text = ACT_THEMES[title]
        return [Theme(text, tuple(look_up(word).lemma or word for word in text.split()))]
    if is_mixed(title):
        return []
    shipped = heading_of(title)
    if shipped is not None:
        index, noun = shipped
        return [_as_theme(short_noun(noun) or fields()[headings()[index].field].short.lower())]
    named = fields_named(title)
    if named:
        return [_as_theme(fields()[at].short.lower()) for at in named]
    found: list[Theme] = []
    seen: set[tuple[str, ...]] = set()
    for phrase in parse(title).nouns:
        chunk = phrase.noun
        if phrase.complement is not None and chunk.lemmas[-1] in MEASURED:
            chunk = phrase.complement
        chunk = _bare(chunk)
        for start in range(len(chunk.lemmas)):
            lemmas = chunk.lemmas[start:]
            if lemmas in seen or _says_nothing(lemmas):
                continue
            seen.add(lemmas)
            found.append(Theme(_text(chunk.words[start:], lemmas, counts), lemmas))
    return found


def _as_theme(text: str) -> Theme:
    text = text.removeprefix("the ")
    return Theme(text, tuple(look_up(word.lower()).lemma or word for word in text.split()))


def _bare(noun: Noun) -> Noun:
    """The chunk without owners, and without words that only single out one of many."""
    kept = [
        i
        for i, word in enumerate(noun.words)
        if not word.endswith("'s")
        and word not in DEFINITE
        and not (look_up(word).form == "d" and len(noun.words) > 1)
    ]
    return noun._replace(
        words=tuple(noun.words[i] for i in kept), lemmas=tuple(noun.lemmas[i] for i in kept)
    )


def _says_nothing(lemmas: tuple[str, ...]) -> bool:
    head = lemmas[-1]
    return (
        head in _HOLLOW or (len(lemmas) == 1 and (head in EMPTY or head in TIMES)) or len(head) < 2
    )


def _text(words: tuple[str, ...], lemmas: tuple[str, ...], counts: Counts) -> str:
    candidate = counts.candidates.get(("noun", "", frozenset(lemmas)))
    forms = candidate.nouns.get(lemmas) if candidate is not None else None
    text = " ".join([*(spelling(word) for word in words[:-1]), heading_plural(words[-1], forms)])
    return text.replace("day-off", "days off")


def covering(
    children: Sequence[Description],
    sizes: Sequence[int],
    counts: Counts,
    passes: Callable[[str], bool],
) -> list[Theme]:
    """The themes that together cover most of the children, the widest first.

    Parameters
    ----------
    children
        Largest first.
    sizes
        Conversations of each.
    counts
        Of a sample of all their members.
    passes
        Whether a heading's words are used by enough.

    Returns
    -------
    list[Theme]
        At most `THEMES`.
    """
    per_child = [themes_of(child.title, counts) for child in children]
    total = max(sum(sizes), 1)
    weights = [size / total for size in sizes]
    themes: dict[tuple[str, ...], Theme] = {}
    for found in per_child:
        for theme in found:
            themes.setdefault(theme.lemmas, theme)
    bags = [
        parse(child.summary).bag if not is_mixed(child.title) else frozenset() for child in children
    ]
    reach = {
        lemmas: [_strength(lemmas, found, bag) for found, bag in zip(per_child, bags, strict=True)]
        for lemmas, theme in themes.items()
        if passes(theme.text)
    }
    leading = {found[0].lemmas for found in per_child if found}
    quality = {
        lemmas: 1.0
        + min(counts.share_of(lemmas), 0.5)
        + 0.15 * (len(lemmas) - 1)
        + (LEADING if lemmas in leading else 0.0)
        for lemmas in reach
    }
    chosen: list[Theme] = []
    covered = [0.0] * len(children)
    while len(chosen) < THEMES:
        best, value = None, 0.0
        for lemmas, strengths in reach.items():
            if any(_overlap(lemmas, other.lemmas) for other in chosen):
                continue
            gain = sum(
                weight * max(0.0, strength - before)
                for weight, strength, before in zip(weights, strengths, covered, strict=True)
            )
            least = GAIN_COVERED if _sum(weights, covered) >= COVERED else GAIN
            if gain >= least and gain * quality[lemmas] > value:
                best, value = lemmas, gain * quality[lemmas]
        if best is None:
            break
        chosen.append(themes[best])
        covered = [max(pair) for pair in zip(covered, reach[best], strict=True)]
    return chosen


def _sum(weights: Sequence[float], covered: Sequence[float]) -> float:
    return sum(weight * done for weight, done in zip(weights, covered, strict=True))


def _strength(lemmas: tuple[str, ...], found: Sequence[Theme], bag: frozenset[str]) -> float:
    """How well a theme covers a title: named by it, named within a phrase, or only mentioned."""
    for theme in found:
        if theme.lemmas == lemmas:
            return 1.0
    n = len(lemmas)
    for theme in found:
        if any(theme.lemmas[i : i + n] == lemmas for i in range(len(theme.lemmas))):
            return INSIDE
    return MENTIONED if found and bag.issuperset(lemmas) else 0.0


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two headings name the same thing, or one is a kind of the other."""
    return one[-1] == other[-1] or set(one) <= set(other) or set(other) <= set(one)
