"""From a candidate to words a person would write."""

from __future__ import annotations

from collections import Counter
from typing import Final

from clio.describing.candidates import Candidate
from clio.describing.lexicon import (
    gerund,
    is_uncountable,
    look_up,
    participle,
    plural,
    singular,
    spelling,
    word_set,
)
from clio.describing.phrases import Noun

DEFINITE: Final = word_set("definite")
LEAST: Final = 3
"""Words of the shortest title."""

BOTH: Final = 0.2
"""Share from which what is the user's and what is the assistant's are told together."""

KNOWN: Final = 0.3
"""Share of a noun's uses with "the" or "my" from which it may be called "the" one."""

_PERSONAL: Final = word_set("personal")
COUNTED: Final = word_set("counted")
PEOPLE: Final = word_set("people")
# Nouns that "of" makes definite: "the type of gas".
MEASURED: Final = word_set("measured")
_TRANSITIVE: Final = word_set("transitive")
WORDS: Final = frozenset(["spell", "define", "pronounce"])
_VOWEL_SOUND: Final = word_set("vowel_sound")
_CONSONANT_SOUND: Final = (
    "uni",
    "use",
    "usa",
    "usd",
    "usu",
    "eur",
    "one",
    "once",
    "uti",
    "ub",
    "uk",
)


def article(word: str) -> str:
    """ "a" or "an", as the word sounds."""
    if word in _VOWEL_SOUND or word == "uber":
        return "an"
    if word[0] in "aeiou" and not word.startswith(_CONSONANT_SOUND):
        return "an"
    return "a"


def noun_text(forms: Counter[Noun], generic: bool = False) -> str:
    """The chunk in its commonest number, with the article that its use asks for.

    ``generic``: in the plural where it would take "a".
    """
    numbers: Counter[bool] = Counter()
    words: Counter[tuple[bool, tuple[str, ...]]] = Counter()
    for noun, count in forms.items():
        numbers[noun.plural] += count
        words[noun.plural, noun.words] += count
    many = numbers[True] > numbers[False]
    chosen = min((-count, text) for (p, text), count in words.items() if p == many)[1]
    chosen = (*chosen[:-1], chosen[-1].removesuffix("'s"))
    used: Counter[str] = Counter()
    for noun, count in forms.items():
        if noun.plural == many:
            used[noun.determiner] += count
    total = sum(used.values())
    text = " ".join(spelling(word) for word in chosen).replace("day-off", "day off")
    if used["your"] > total / 2:
        return "the assistant's " + text
    if used["my"] > total / 2 and len(chosen) == 1 and singular(chosen[0]) in _PERSONAL:
        return "the user's " + text
    if (
        len(chosen) == 1
        and singular(chosen[0]) in _PERSONAL
        and min(used["your"], used["my"]) >= BOTH * total
    ):
        return "the user's or assistant's " + text
    definite = not DEFINITE.isdisjoint(chosen)
    if many:
        return "the " + text if definite or used["the"] > 0.75 * total else text
    if definite:
        return "the " + text
    head = chosen[-1]
    if used["a"] < 0.15 * total and used["my"] < 0.3 * total and used["the"] > 0.3 * total:
        return "the " + text
    if is_uncountable(head) or (look_up(head).form == "g" and head not in COUNTED):
        return text
    if spelling(head)[0].isupper() and used["a"] < 0.1 * total and not spelling(head).isupper():
        return text
    countable = numbers[True] + used["a"] > 0.05 * sum(numbers.values())
    if used[""] > 0.6 * total and total >= 5 and used["a"] < 0.1 * total and not countable:
        return text
    if generic and not head.isupper() and not spelling(head).isupper():
        many_of = " ".join([*text.split()[:-1], plural(text.split()[-1])])
        return many_of.replace("day offs", "days off")
    return f"{article(chosen[0])} {text}"


def core_text(candidate: Candidate, verb: str = "", generic: bool = False) -> str:
    """The phrase itself, without what the title puts around it; with another form of its verb."""
    kind = candidate.kind
    if kind in ("act", "topics", "heading"):
        return candidate.title
    if kind == "question":
        words = min((-count, words) for words, count in candidate.wordings.items())[1]
        return " ".join(
            article(words[i + 1]) if word == "a" and i + 1 < len(words) else spelling(word)
            for i, word in enumerate(words)
        )
    form = min((-count, form) for form, count in candidate.forms.items())[1]
    particle, head, preposition, tail = form
    forms = candidate.nouns.get(head, Counter())
    if kind == "noun" and preposition == "of" and head[-1] in MEASURED:
        forms = Counter({noun._replace(determiner="the"): n for noun, n in forms.items()})
    elided = "things" if tail else "something"
    if candidate.verb in WORDS:
        elided = "a word"
    if candidate.verb in PEOPLE:
        elided = "someone"
    if kind == "verb" and not head and tail and candidate.verb in _TRANSITIVE:
        head = ("*",)
    obj = elided if head == ("*",) else noun_text(forms, generic) if head else ""
    complement = (
        noun_text(candidate.nouns[tail], generic) if tail else "a place" if preposition else ""
    )
    if kind == "report":
        past = participle(candidate.verb)
        lead, _, bare = obj.partition(" ")
        if lead in ("a", "an"):
            return f"{article(past)} {past} {bare}"
        return f"{past} {bare if lead == 'the' else obj}"
    parts = [verb or candidate.verb, particle, obj, preposition, complement]
    return " ".join(part for part in parts if part)


def titles_of(candidate: Candidate) -> tuple[str, ...]:
    """The title in its wordings, the best first: a request, or what is asked about."""
    core, form = core_text(candidate), ""
    kind = candidate.kind
    total = sum(candidate.frames.values())
    leads: tuple[str, ...]
    if kind == "question":
        leads = ("ask ", "find out ")
    elif kind == "report":
        leads = ("report ",)
    elif kind == "noun":
        leads = ("ask for ",) if candidate.frames["for"] > 0.4 * total else ("ask about ",)
        leads = (*leads, "discuss ")
    elif kind == "verb" and candidate.frames["how"] > 0.5 * total:
        leads = ("ask how to ", "")
    elif kind == "verb" and (
        core == candidate.verb or candidate.frames["do"] + candidate.frames["can"] < 0.45 * total
    ):
        form = gerund(candidate.verb)
        core = core_text(candidate, form)
        leads = ("ask about ", "discuss ")
    else:
        leads = ("",)
    if kind == "verb" and leads[-1] == "" and len(core.split()) < LEAST:
        core, short = _at_length(candidate, core)
        leads = (*(lead for lead in leads if lead), short)
    texts = [lead + core for lead in leads]
    if kind == "noun" and leads[0] == "ask about " and not _owned(candidate):
        texts.insert(0, leads[0] + core_text(candidate, generic=True))
    if kind in ("noun", "verb"):
        texts.append(leads[0] + core_text(candidate, form, generic=True))
    long_enough = [text for text in texts if len(text.split()) >= LEAST] or texts
    return tuple(text[:1].upper() + text[1:] for text in long_enough)


def _at_length(candidate: Candidate, core: str) -> tuple[str, str]:
    """A verb and a noun as a title of three words or more, and what leads it."""
    form = min((-count, form) for form, count in candidate.forms.items())[1]
    words, used = core.split(), candidate.nouns.get(form[1], Counter())
    known = sum(n for noun, n in used.items() if noun.determiner in ("the", "my", "this"))
    if len(words) == 2 and known >= KNOWN * sum(used.values()) > 0:
        return f"{words[0]} the {words[1]}", ""
    if candidate.frames["how"] >= max(1, candidate.frames["do"]):
        return core, "ask how to "
    if candidate.frames["do"] < 0.5 * sum(candidate.frames.values()):
        return core_text(candidate, gerund(candidate.verb)), "ask about "
    return core, "ask the assistant to "


def _owned(candidate: Candidate) -> bool:
    """Whether many speak of the head as theirs ("my balance"), or it is one of a kind."""
    form = min((-count, form) for form, count in candidate.forms.items())[1]
    if form[2] or spelling(form[1][-1]) != form[1][-1]:
        return True
    used = candidate.nouns[form[1]]
    mine = sum(count for noun, count in used.items() if noun.determiner in ("my", "your"))
    return mine >= (0.3 if len(form[1]) > 1 else 0.5) * sum(used.values())


def heading_text(candidate: Candidate) -> str:
    """A noun candidate as one topic among several: "dogs", "health insurance"."""
    words = core_text(candidate, generic=True).split()
    owned = len(words) > 1 and words[1] in ("assistant's", "user's")
    if words[0] in ("a", "an", "the") and len(words) > 1 and not owned:
        words = words[1:]
    form = min((-count, form) for form, count in candidate.forms.items())[1]
    if not owned and not form[2]:
        words[-1] = heading_plural(words[-1], candidate.nouns.get(form[1]))
    return " ".join(words).replace("day offs", "days off")


def heading_plural(word: str, forms: Counter[Noun] | None) -> str:
    """A heading's last word: in the plural where it is countable by its uses, where known."""
    low = word.lower()
    entry = look_up(low)
    if (
        is_uncountable(low)
        or entry.plural
        or not entry.noun
        or spelling(low) != low
        or not low.isascii()
        or not low.isalpha()
        or len(low) < 3
        or (entry.form == "g" and low not in COUNTED)
    ):
        return spelling(word)
    if forms:
        uses = sum(forms.values())
        several = sum(n for noun, n in forms.items() if noun.plural or noun.determiner == "a")
        bare = sum(n for noun, n in forms.items() if not noun.plural and not noun.determiner)
        if several < 0.05 * uses and bare > 0.5 * uses:
            return word
    return plural(low)
