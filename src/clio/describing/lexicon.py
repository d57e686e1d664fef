"""What is known of English words: closed classes, verbs and their forms, nouns and adjectives.

The open classes are small shipped lists; forms follow from rules. A word on no list is a noun,
unless its ending says that it is an adjective.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final


@cache
def _sets() -> dict[str, frozenset[str]]:
    text = (files(__package__) / "words" / "sets.toml").read_text(encoding="utf-8")
    return {name: frozenset(words.split()) for name, words in tomllib.loads(text).items()}


def word_set(name: str) -> frozenset[str]:
    """One of the closed sets of ``words/sets.toml``."""
    return _sets()[name]


_CLOSED: Final[dict[str, str]] = {
    "D": "a an the this that these those some any all every each another no both several many "
    "much enough such few various",
    "S": "my your our his her their its whose",
    "P": "i you he she it we they me him us them myself yourself itself ourselves themselves "
    "someone somebody anyone anybody everyone everybody something anything everything nothing "
    "mine yours theirs one ones u y'all",
    "I": "of in on at for from with about by between into through during before after without "
    "under over near around off out up down via per against toward towards within across behind "
    "upon onto inside outside above below beyond regarding concerning than as since until till "
    "except despite like versus vs using along beside plus",
    "C": "and or but because if so while although unless whether nor though & whereas",
    "X": "is are am was were be been being do does did have has had having can could will would "
    "shall should may might must ought cannot gonna gotta wanna",
    "W": "what which who whom when where why how",
    "R": "not",
    "T": "to",
}
BE: Final = frozenset(["is", "are", "am", "was", "were", "be", "been", "being"])
DO: Final = frozenset(["do", "does", "did"])
HAVE: Final = frozenset(["have", "has", "had", "having"])
MODAL: Final = frozenset(
    ["can", "could", "will", "would", "shall", "should", "may", "might", "must"]
)
PARTICLES: Final = word_set("particles")
PARTICLE_VERBS: Final = word_set("particle_verbs")


def _read(name: str) -> list[str]:
    text = (files(__package__) / "words" / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _words(name: str) -> list[str]:
    return [word for line in _read(name) for word in line.split()]


@dataclass(frozen=True, slots=True)
class Word:
    """A word's readings.

    Attributes
    ----------
    closed
        Tag of its closed class, or empty for an open-class word.
    lemma
        What its forms are pooled under; empty for closed classes.
    verb
        Base form where it can be a verb, else empty.
    form
        Verb form: ``b`` base, ``s`` third person, ``g`` -ing, ``d`` past or participle.
    noun, adjective
        Whether it can be one.
    plural
        Whether it is a plural, read as a noun.
    """

    closed: str
    lemma: str = ""
    verb: str = ""
    form: str = ""
    noun: bool = False
    adjective: bool = False
    plural: bool = False


@dataclass(frozen=True, slots=True)
class _Tables:
    closed: dict[str, str]
    verb_forms: dict[str, tuple[str, str]]
    participles: dict[str, str]
    noun_verbs: frozenset[str]
    adjectives: frozenset[str]
    uncountable: frozenset[str]
    capitals: dict[str, str]
    third: dict[str, str]
    gerunds: dict[str, str]


_IRREGULAR_PLURALS: Final = {
    "people": "person", "men": "man", "women": "woman", "children": "child", "feet": "foot",
    "teeth": "tooth", "mice": "mouse", "wives": "wife", "lives": "life", "knives": "knife",
    "leaves": "leaf", "halves": "half", "criteria": "criterion", "analyses": "analysis",
    "hypotheses": "hypothesis", "theses": "thesis", "shelves": "shelf", "movies": "movie",
    "cookies": "cookie", "calories": "calorie", "selfies": "selfie", "zombies": "zombie",
    "shoes": "shoe", "ties": "tie", "pies": "pie", "lies": "lie", "headaches": "headache",
    "caches": "cache", "thieves": "thief", "geese": "goose",
}  # fmt: skip
_NOT_PLURAL: Final = word_set("not_plural")


def _third(verb: str) -> str:
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


def _doubles(verb: str, multi: frozenset[str]) -> bool:
    if verb in multi:
        return True
    vowels = sum(c in "aeiou" for c in verb)
    return (
        vowels == 1 and len(verb) >= 3 and verb[-1] not in "aeiouwxyh" and verb[-2] in "aeiou"
    ) or verb in {"quit", "equip", "quiz"}


def _regular(verb: str, multi: frozenset[str]) -> tuple[str, str]:
    """Gerund and past of a regular verb."""
    if verb.endswith("ie"):
        return verb[:-2] + "ying", verb + "d"
    if verb.endswith("ee") or verb in {"dye", "singe"}:
        return verb + "ing", verb + "d"
    if verb.endswith("e"):
        return verb[:-1] + "ing", verb + "d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb + "ing", verb[:-1] + "ied"
    stem = verb + verb[-1] if _doubles(verb, multi) else verb
    return stem + "ing", stem + "ed"


@cache
def _tables() -> _Tables:
    multi = frozenset(_words("doubling.txt"))
    pure, mixed = _words("verbs.txt"), frozenset(_words("verbs_nouns.txt"))
    irregular = {parts[0]: parts[1:] for parts in (line.split() for line in
                                                   _read("irregular_verbs.txt"))}  # fmt: skip
    forms: dict[str, tuple[str, str]] = {}
    participles: dict[str, str] = {}
    third: dict[str, str] = {}
    gerunds: dict[str, str] = {}
    verbs = sorted({*pure, *mixed, *irregular} - {"be", "do", "have", "means"})
    for verb in verbs:
        gerund, past = _regular(verb, multi)
        pasts = irregular.get(verb, [past, past])
        participles[verb] = pasts[1]
        third[verb] = _third(verb)
        gerunds[verb] = gerund
        if verb in {"cancel", "travel", "label", "model", "level"}:
            pasts = [verb + "ed", verb + "led"]
            forms.setdefault(verb + "ing", (verb, "g"))
            forms.setdefault(verb + "ling", (verb, "g"))
            participles[verb] = verb + "ed"
            gerunds[verb] = verb + "ing"
        for form in pasts:
            forms.setdefault(form, (verb, "d"))
        forms.setdefault(third[verb], (verb, "s"))
        forms.setdefault(gerund, (verb, "g"))
    for verb in verbs:
        forms[verb] = (verb, "b")
    closed = {word: tag for tag, words in _CLOSED.items() for word in words.split()}
    for word in _words("adverbs.txt"):
        closed.setdefault(word, "R")
    return _Tables(
        closed=closed,
        verb_forms=forms,
        participles=participles,
        noun_verbs=mixed,
        adjectives=frozenset(_words("adjectives.txt")),
        uncountable=frozenset(_words("uncountable.txt")),
        capitals={word.lower(): word for word in _words("capitals.txt")},
        third=third,
        gerunds=gerunds,
    )


def singular(noun: str) -> str:
    """Singular of a noun (the noun itself where it is none or unknown)."""
    irregular = _IRREGULAR_PLURALS.get(noun)
    if irregular:
        return irregular
    if len(noun) < 4 or not noun.endswith("s") or noun.endswith(("ss", "us", "is", "'s")):
        return noun
    if noun in _NOT_PLURAL:
        return noun
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    if noun.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return noun[:-2]
    return noun[:-1]


_NAMED_NUMBER: Final = re.compile(
    r"\d{1,3}[^\W\d_]{1,2}(?<!am|pm|st|nd|rd|th|ft|kg|cm|mm|km|mb|gb)"
)
_ADJECTIVE_ENDINGS: Final = ("able", "ible", "ful", "ous", "less", "ish", "ical")


def _compared(word: str) -> str:
    """The adjective of which a word may be the comparative or superlative."""
    rest = word[:-2] if word.endswith("er") else word[:-3] if word.endswith("est") else ""
    if len(rest) > 3 and rest.endswith("i"):
        return rest[:-1] + "y"
    return rest


@lru_cache(maxsize=200_000)
def look_up(word: str) -> Word:
    """Readings of a lower-case word."""
    tables = _tables()
    closed = tables.closed.get(word)
    if closed:
        return Word(closed)
    if word[0].isdigit() and not _NAMED_NUMBER.fullmatch(word):
        return Word("#")
    verb, form = tables.verb_forms.get(word, ("", ""))
    one = singular(word)
    if verb:
        noun = form == "g" or (verb in tables.noun_verbs and form in "bs")
        return Word("", verb, verb, form, noun, word in tables.adjectives, form == "s")
    if word.endswith("ed") and len(word) > 5 and not word.endswith("eed"):
        return Word("", one, adjective=True)
    if word.endswith("ly") and len(word) > 4 and word not in tables.adjectives:
        noun_like = word in {
            "family",
            "reply",
            "supply",
            "assembly",
            "anomaly",
            "italy",
            "butterfly",
        }
        if not noun_like:
            return Word("R")
    adjective = (
        word in tables.adjectives
        or _compared(word) in tables.adjectives
        or (word.endswith(_ADJECTIVE_ENDINGS) and word not in tables.uncountable and len(word) > 5)
    )
    lemma = one
    stem = tables.verb_forms.get(one)
    if one != word and stem:  # "savings", "meetings", "drawings"
        lemma = stem[0]
    return Word("", lemma, "", "", not adjective, adjective, one != word)


def participle(verb: str) -> str:
    """Past participle of a verb."""
    return _tables().participles.get(verb, verb + "ed")


def gerund(verb: str) -> str:
    """The -ing form of a verb."""
    return {"have": "having", "do": "doing", "be": "being"}.get(verb) or _tables().gerunds.get(
        verb, verb + "ing"
    )


def third_person(verb: str) -> str:
    """Third person singular of a verb."""
    return {"have": "has", "do": "does", "be": "is"}.get(verb) or _tables().third.get(
        verb, verb + "s"
    )


def is_uncountable(noun: str) -> bool:
    """Whether a noun takes no article by itself."""
    tables = _tables()
    return noun in tables.uncountable


def spelling(word: str) -> str:
    """The word with its capitals, where it has any."""
    if word.endswith("'s"):
        return spelling(word[:-2]) + "'s"
    if look_up(word).closed:
        return word
    return _tables().capitals.get(word, word)


def has_capitals(word: str) -> bool:
    """Whether the word is on the list of those with capitals of their own."""
    return word in _tables().capitals


def closed_words() -> frozenset[str]:
    """All function words: determiners, pronouns, prepositions, conjunctions, auxiliaries."""
    return frozenset(word for words in _CLOSED.values() for word in words.split())


def plural(noun: str) -> str:
    """Plural of a noun."""
    for many, one in _IRREGULAR_PLURALS.items():
        if one == noun:
            return many
    if noun.endswith(("eo", "io", "oo", "oto")):
        return noun + "s"
    return noun if look_up(noun).plural else _third(noun)


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """What the regular forms of a word share: flights and flight; booked, booking and book.

    Irregular forms stay apart, as whoever counts the words of a title again may not know them.
    """
    word = word.removesuffix("'s")
    if not word.isalpha() or not word.isascii():
        return word
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        rest = word[: -len(ending)]
        if word.endswith(ending) and len(rest) >= 3 and any(c in "aeiouy" for c in rest):
            word = rest
            break
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word


_INSIDE: Final = re.compile(r"[^\w']+|_")


def parts(token: str) -> list[str]:
    """The words of a token: "jump-start" is two."""
    return [part for part in _INSIDE.split(token) if part]


@cache
def first_names() -> frozenset[str]:
    """Common first names, lower case."""
    return frozenset(_words("first_names.txt"))
