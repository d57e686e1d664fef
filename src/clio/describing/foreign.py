"""Titles for texts in other languages: a phrase of the texts themselves, whole, in its script.

No grammar is assumed. A phrase is a run of up to four words (or up to eight characters where the
script writes no spaces) that many accounts of the group and few of the others used.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clio.describing.lexicon import word_set

_BREAK: Final = re.compile(r"[\n.,;:!?()\[\]{}\"“”„«»‹›…。、，！？；：「」『』（）।॥؟،؛¿¡/|]+")
_UNSPACED: Final = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff々ー]+"
)
_JAPANESE: Final = re.compile("[\u3040-\u30ff]")
# Particles and pronouns at which a Chinese or Japanese phrase does not begin or end.
_EDGE: Final = frozenset(
    "のをにはがでとへもやかねよてたしいすまれらりる的了吗呢是在我你他她们个请把和这那有么吧啊"
)
_MARKS: Final = re.compile("[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd]")
_LEADING_VOWEL: Final = re.compile("[\u0e40-\u0e44\u0ec0-\u0ec4]")
_HAN: Final = re.compile("[\u3040-\u9fff]")
LONGEST_WORDS: Final = 4
LONGEST_CHARACTERS: Final = 12
LONGEST_CHINESE: Final = 8
WHOLE: Final = 0.75
_FUNCTION_WORDS: Final = word_set("foreign_function_words")

Phrase = tuple[str, ...]


@dataclass(slots=True)
class Phrases:
    """Phrases of one group with the number of accounts that used each."""

    units: int
    language: str
    counts: Counter[Phrase]


def _good_cut(text: str, start: int, end: int) -> bool:
    """Whether a run of an unspaced script may be cut out here."""
    if text[start] in _EDGE or text[end - 1] in _EDGE:
        return False
    if _MARKS.match(text[start]) or _LEADING_VOWEL.match(text[end - 1]):
        return False
    if start and (_LEADING_VOWEL.match(text[start - 1]) or _JAPANESE.search(text)):
        before, first = _kana(text[start - 1]), _kana(text[start])
        if _LEADING_VOWEL.match(text[start - 1]) or before == first:
            return False
    if end == len(text):
        return True
    if _JAPANESE.search(text) and _kana(text[end - 1]) == _kana(text[end]):
        return False
    return not _MARKS.match(text[end])


def _kana(character: str) -> str:
    """Which of the scripts that Japanese mixes a character is of."""
    if "\u3040" <= character < "\u30a0":
        return "hiragana"
    return "katakana" if "\u30a0" <= character <= "\u30ff" else "other"


def phrases_of(text: str) -> set[Phrase]:
    """All runs of a text that could be a phrase; an unspaced run is a tuple of one string."""
    found: set[Phrase] = set()
    first, _, rest = text.strip().partition(" ")
    text = f"{first.lower()} {rest}"
    for clause in _BREAK.split(text):
        for run in _UNSPACED.findall(clause):
            run = run[:60]
            longest = LONGEST_CHINESE if _HAN.match(run) else LONGEST_CHARACTERS
            for start in range(len(run)):
                for end in range(start + 2, min(start + longest, len(run)) + 1):
                    if _good_cut(run, start, end):
                        found.add((run[start:end],))
        words = [w.strip("'’`*_-–—") for w in _UNSPACED.sub(" ", clause).split()]
        words = [w for w in words if w][:60]
        for start in range(len(words)):
            for end in range(start + 1, min(start + LONGEST_WORDS, len(words)) + 1):
                part = words[start:end]
                if not any(c.isdigit() for w in part for c in w):
                    found.add(tuple(part))
    return found


def gather_phrases(texts: Sequence[str], accounts: Sequence[int], language: str) -> Phrases:
    """Count one group's phrases by account; identical texts count once."""
    seen: set[str] = set()
    by_account: dict[int, set[Phrase]] = {}
    for text, account in zip(texts, accounts, strict=True):
        plain = "".join(c for c in text.lower() if c.isalpha())
        if plain in seen:
            continue
        seen.add(plain)
        by_account.setdefault(account, set()).update(phrases_of(text))
    counts: Counter[Phrase] = Counter()
    for used in by_account.values():
        counts.update(used)
    return Phrases(len(by_account), language, counts)


def is_unspaced(phrase: Phrase) -> bool:
    """Whether the phrase is of a script without spaces."""
    return bool(_UNSPACED.fullmatch(phrase[0]))


def best_phrases(groups: Sequence[Phrases], least: int, wanted: int = 4) -> list[list[str]]:
    """The contrastive phrases of each group, best first.

    Parameters
    ----------
    groups
        The groups of texts in other languages.
    least
        Accounts that must have used a phrase.
    wanted
        How many a group at most.

    Returns
    -------
    list[list[str]]
        For each group; empty where nothing was used by enough.
    """
    spread: dict[str, Counter[Phrase]] = {}
    number: Counter[str] = Counter()
    for group in groups:
        number[group.language] += 1
        share = spread.setdefault(group.language, Counter())
        for phrase, count in group.counts.items():
            if count >= 0.08 * group.units:
                share[phrase] += 1
    result: list[list[str]] = []
    for group in groups:
        total, common = number[group.language], spread[group.language]
        result.append(_best(group, least, wanted, total, common))
    return result


def _functional(word: Phrase, total: int, common: Counter[Phrase]) -> bool:
    """Whether a word is of the kind that all groups of the language use."""
    if word[0].lower() in _FUNCTION_WORDS:
        return True
    if len(word[0]) <= 2 or (total < 3 and len(word[0]) <= 3):
        return True
    return total >= 3 and common[word] > max(1.0, 0.4 * total)


def _partial(counts: Counter[Phrase], least: int) -> set[Phrase]:
    """Runs of an unspaced script that mostly stand inside one longer run: pieces, not words."""
    pieces: set[Phrase] = set()
    for phrase, count in counts.items():
        text = phrase[0]
        if count < least or len(phrase) > 1 or not is_unspaced(phrase):
            continue
        for start in range(len(text)):
            for end in range(start + 2, len(text) + 1):
                part = (text[start:end],)
                if part != phrase and count >= WHOLE * counts[part] > 0:
                    pieces.add(part)
    return pieces


def _best(
    group: Phrases, least: int, wanted: int, total: int, common: Counter[Phrase]
) -> list[str]:
    scored: list[tuple[float, str, Phrase]] = []
    longest = max((c for p, c in group.counts.items()), default=0)
    if longest < least:
        return []
    partial = _partial(group.counts, least)
    for phrase, count in group.counts.items():
        if count < least:
            continue
        unspaced = is_unspaced(phrase)
        if not unspaced and (
            _functional(phrase[:1], total, common) or _functional(phrase[-1:], total, common)
        ):
            continue
        if unspaced and phrase in partial:
            continue
        share = count / group.units
        lift = math.log((total + 1) / (common[phrase] + 0.5)) + 0.7
        length = len(phrase[0]) / 2 if unspaced else len(phrase)
        score = share**0.8 * lift * math.sqrt(min(length, 3.0))
        if not unspaced and len(phrase) == 1 and len(phrase[0]) < 5:
            score *= 0.6
        scored.append((-score, " ".join(phrase), phrase))
    scored.sort()
    kept: list[str] = []
    for _, text, _ in scored:
        if len(kept) == wanted:
            break
        if any(text in other or other in text or _overlap(text, other) for other in kept):
            continue
        kept.append(text)
    return kept


def _overlap(one: str, two: str) -> bool:
    """Whether two phrases share most of their words or characters."""
    if " " in one or " " in two:
        first, second = set(one.split()), set(two.split())
    else:
        first, second = set(one), set(two)
    return len(first & second) >= 0.5 * min(len(first), len(second))
