"""Tokens of a request, and one tag for each: closed class, verb, noun or adjective.

The tags are D determiner, S possessive, P pronoun, I preposition, T "to" before a verb, Q particle,
C conjunction, X auxiliary, W question word, R adverb, # number, V verb, N noun, A adjective, and
. or , for punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from clio.describing.lexicon import DO, HAVE, PARTICLES, Word

_TOKEN: Final = re.compile(r"[^\W_]+(?:['\-.,:/][^\W_]+)*|[^\s\w]|\n")
_JOINED: Final = re.compile(
    r"\b(jump) (start)|\b(day)s? (off)\b|\b(to) ?(do)(?= list)|"
    r"\b(carry) (ons?)(?= (?:bag|luggage|bags|item|items|"
    r"policy|restriction|restrictions|limit|limits|rule|rules|size|suitcase)|\W|$)"
)
_SPLIT: Final = re.compile(r"([.,:/])")
_EXPAND: Final[dict[str, tuple[str, ...]]] = {
    "what's": ("what", "is"), "whats": ("what", "is"), "where's": ("where", "is"),
    "wheres": ("where", "is"), "who's": ("who", "is"), "whos": ("who", "is"),
    "how's": ("how", "is"), "hows": ("how", "is"), "when's": ("when", "is"),
    "why's": ("why", "is"), "it's": ("it", "is"), "that's": ("that", "is"),
    "there's": ("there", "is"), "here's": ("here", "is"), "he's": ("he", "is"),
    "she's": ("she", "is"), "i'm": ("i", "am"), "im": ("i", "am"), "i'd": ("i", "would"),
    "i'll": ("i", "will"), "i've": ("i", "have"), "ive": ("i", "have"), "you're": ("you", "are"),
    "we're": ("we", "are"), "they're": ("they", "are"), "you've": ("you", "have"),
    "we've": ("we", "have"), "you'd": ("you", "would"), "you'll": ("you", "will"),
    "we'll": ("we", "will"), "don't": ("do", "not"), "dont": ("do", "not"),
    "doesn't": ("does", "not"), "didn't": ("did", "not"), "isn't": ("is", "not"),
    "aren't": ("are", "not"), "can't": ("can", "not"), "cant": ("can", "not"),
    "won't": ("will", "not"), "wouldn't": ("would", "not"), "shouldn't": ("should", "not"),
    "couldn't": ("could", "not"), "wasn't": ("was", "not"), "haven't": ("have", "not"),
    "hasn't": ("has", "not"), "let's": ("let", "us"), "lets": ("let", "us"), "ur": ("your",),
    "gimme": ("give", "me"), "lemme": ("let", "me"), "wanna": ("want", "to"),
    "gonna": ("going", "to"), "id": ("id",), "u": ("you",), "r": ("r",), "pls": ("please",),
}  # fmt: skip

# What a verb that only frames a request leaves to be asked for or about.
RECIPIENTS: Final = frozenset(["me", "us", "him", "them", "myself", "you"])
MAX_TOKENS: Final = 90


def tokenize(text: str) -> list[str]:
    """Lower-case tokens with contractions opened; a possessive stays on its noun."""
    tokens: list[str] = []
    lowered = text.lower().replace("’", "'")
    lowered = _JOINED.sub(lambda m: "-".join(part for part in m.groups() if part), lowered)
    for token in _TOKEN.findall(lowered):
        opened = _EXPAND.get(token)
        if opened:
            tokens.extend(opened)
        elif not token[0].isdigit() and not token.isalpha() and _SPLIT.search(token):
            tokens.extend(part for part in _SPLIT.split(token) if part)
        else:
            tokens.append(token)
        if len(tokens) >= MAX_TOKENS:
            break
    return tokens


def tag_all(tokens: Sequence[str], words: Sequence[Word | None]) -> list[str]:
    """One tag for each token; ``words`` holds their readings, None for punctuation."""
    tags: list[str] = []
    n = len(tokens)
    previous = "."
    for i in range(n):
        word = words[i]
        if word is None:
            tag = "," if tokens[i] in ',"()[]' else "."
        elif word.closed:
            tag = _tag_closed(i, tokens, words, previous, word)
        else:
            tag = _tag_open(i, tokens, words, previous, word)
        tags.append(tag)
        if tag != "R" or previous == ".":
            previous = tag if tag != "R" else "."
    return tags


def _next(i: int, words: Sequence[Word | None]) -> Word | None:
    j = i + 1
    while j < len(words):
        word = words[j]
        if word is None or word.closed != "R":
            return word
        j += 1
    return None


def _tag_closed(
    i: int, tokens: Sequence[str], words: Sequence[Word | None], previous: str, word: Word
) -> str:
    written = tokens[i]
    closed = word.closed
    following = _next(i, words)
    if written == "to":
        is_base = following is not None and (
            following.form == "b" or (i + 1 < len(tokens) and tokens[i + 1] in ("be", "do", "have"))
        )
        return "T" if is_base else "I"
    if written == "like":
        return "V" if previous in "PX" and previous != "." else "I"
    if written in HAVE or written in DO:
        if (
            following is not None
            and (
                following.closed in ("D", "S", "#")
                or (not following.closed and not following.verb)
                or (written in HAVE and not following.closed and following.form not in "d")
            )
            and previous != "."
        ):
            return "V"
        return "X"
    if written == "that" and (following is None or following.closed):
        return "C"
    if written in PARTICLES and previous == "V":
        return "Q" if written not in ("in", "on", "over") else closed
    return closed


def _tag_open(
    i: int,
    tokens: Sequence[str],
    words: Sequence[Word | None],
    previous: str,
    word: Word,
) -> str:
    following = words[i + 1] if i + 1 < len(words) else None
    if not word.verb:
        if word.adjective:
            return "A"
        # an unknown word that opens a request and takes an object is a verb: "erase my list"
        if previous == "." and following is not None and following.closed in ("D", "S"):
            return "V"
        return "N"
    form, noun = word.form, word.noun
    if (
        word.adjective
        and form == "b"
        and following is not None
        and not following.closed
        and (previous not in "TX")
    ):
        return "A"
    if form == "b":
        if previous in "TX":
            return "V"
        if previous == "P":
            before = words[i - 2] if i >= 2 else None
            if (
                noun
                and tokens[i - 1] in RECIPIENTS
                and before is not None
                and before.verb
                in (
                    "give",
                    "get",
                    "show",
                    "tell",
                    "send",
                    "find",
                    "buy",
                    "bring",
                    "need",
                )
            ):
                return "N"
            return "V"
        if previous in ".,CR":
            if not noun:
                return "V"
            if following is None or following.closed in ("X", "C"):
                return "N"
            return "V" if following.closed not in ("X",) else "N"
        if previous in "DSA#G":
            return "A" if word.adjective and not noun else "N"
        if previous == "I":
            return "N" if noun or tokens[i - 1] != "to" else "V"
        if previous == "N":
            if following is not None and following.adjective and not following.noun:
                return "V"  # "steam engines change everyday life"
            return "N" if noun else "V"
        if previous == "W":
            return "N" if noun else "V"
        return "N" if noun else "V"
    if form == "g":
        if previous == "X":
            return "V"
        if previous in "DSAG#":
            return "N"
        if previous in "N":
            return "N" if following is None or following.closed not in ("D", "S") else "V"
        if previous == "V":
            return "V" if following is not None and following.closed in ("D", "S", "P") else "N"
        if previous == "W":
            return "N"
        if (
            following is not None
            and not following.closed
            and (following.noun or not following.verb)
            and (previous == "I" and not following.plural and not following.adjective)
        ):
            return "N"  # "of baking soda": a verb's object would have an article
        return "V"
    if form == "d":
        if previous in "XP":
            return "V"
        if previous in "DSAI#":
            return "A"
        if previous == "N":
            return "V"
        if previous in ".,":
            return "A" if following is not None and not following.closed else "V"
        return "V"
    # third person or plural
    if previous == "P" or not noun:
        return "V"
    if previous == "W" and following is not None and following.closed in ("D", "S"):
        return "V"
    return "N"
