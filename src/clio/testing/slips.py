"""Slips of the keyboard, as people make them in their script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from clio.testing.templates import Draw

_LATIN: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_CYRILLIC: Final = ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")


def _neighbours(*layouts: Iterable[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for layout in layouts:
        for row in layout:
            for at, key in enumerate(row):
                pairs[key] = row[max(0, at - 1) : at] + row[at + 1 : at + 2]
    return pairs


_NEAR: Final = _neighbours(_LATIN, _CYRILLIC)

_ACCENTED: Final = frozenset({"es", "pt", "fr", "ca", "tr"})
"""Languages in which people leave accents out when they are in a hurry."""

_CONFUSED: Final = {
    "en": (("you're", "your"), ("it's", "its"), ("than", "then"), ("too", "to"), ("lose", "loose")),
    "ja": (
        ("を", "お"),
        ("という", "とゆう"),
        ("ください", "下さい"),
        ("こんにちは", "こんにちわ"),
    ),
    "zh": (("的", "得"), ("在", "再"), ("做", "作"), ("地", "的"), ("帮", "邦")),
    "hi": (("ं", ""), ("़", ""), ("ी", "ि"), ("ू", "ु"), ("ँ", "ं")),
    "ar": (("أ", "ا"), ("إ", "ا"), ("ة", "ه"), ("ى", "ي"), ("ئ", "ى")),
}
"""What is mistaken for what, one place of a text at a time."""

# Letters alone: a word with digits or next to a dot, slash or underscore may be a name or code.
_WORD: Final = re.compile(r"(?<![\w./@\\])[^\W\d_]{4,}(?![\w./@\\(=]\w)")
_SCRIPTS_OF_WORDS: Final = frozenset({"ja", "zh", "hi"})
"""Languages where letters cannot be swapped within a word without writing nonsense."""


def slip(text: str, language: str, draw: Draw) -> str:
    """The text with one slip: a confusion, lost accents, or letters swapped, lost or doubled.

    Parameters
    ----------
    text
        What somebody meant to write.
    language
        Its code.
    draw
        Gives the next uniform number.

    Returns
    -------
    str
        Where the text has no place for a slip, the text itself.
    """
    way = draw()
    if language in _SCRIPTS_OF_WORDS or way < 0.2:
        confused = _confuse(text, language, draw)
        if confused != text or language in _SCRIPTS_OF_WORDS:
            return confused
    if way < 0.4 and language in _ACCENTED:
        bare = _without_accents(text)
        if bare != text:
            return bare
    words = list(_WORD.finditer(text))
    if not words:
        return text
    found = words[int(draw() * len(words))]
    # First letters stay: people see those, and they carry capitals.
    at = found.start() + 1 + int(draw() * (found.end() - found.start() - 2))
    letter = text[at]
    near = _NEAR.get(letter, "")
    manner = draw()
    if manner < 0.3 and letter != text[at + 1]:
        return f"{text[:at]}{text[at + 1]}{letter}{text[at + 2 :]}"
    if manner < 0.55:
        return text[:at] + text[at + 1 :]
    if manner < 0.8 and near:
        return text[:at] + near[int(draw() * len(near))] + text[at + 1 :]
    return text[:at] + letter + text[at:]


def _confuse(text: str, language: str, draw: Draw) -> str:
    """One place where one is taken for the other."""
    pairs = [pair for pair in _CONFUSED.get(language, ()) if pair[0] in text]
    if not pairs:
        return text
    meant, written = pairs[int(draw() * len(pairs))]
    places = [found.start() for found in re.finditer(rf"{meant}(?![a-z])", text)]
    if not places:
        return text
    at = places[int(draw() * len(places))]
    return text[:at] + written + text[at + len(meant) :]


def _without_accents(text: str) -> str:
    bare = unicodedata.normalize("NFD", text.replace("ı", "i"))
    return "".join(letter for letter in bare if not unicodedata.combining(letter))


def carelessly(text: str, language: str) -> str:
    """Without capitals and without the last full stop or question mark."""
    if language == "tr":
        text = text.replace("İ", "i").replace("I", "ı")
    return text.lower().rstrip(".?!。？！؟।։…")
