"""Groups and their names: how they are listed for a model, and what passes as a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from clio.prompting.checking import Windows, check_text
from clio.prompting.marking import Guard
from clio.prompting.prompt import InvalidAnswerError

TITLE_WORDS: Final = 10
"""Longest title (Clio paper, G.5)."""

TITLE_CHARACTERS: Final = 120
"""Ten long words; also holds where words are not written apart."""

SUMMARY_CHARACTERS: Final = 400
SUMMARY_SENTENCES: Final = 2

LINE_CHARACTERS: Final = 600
"""A text shown in a list is cut here."""

_QUOTES: Final = " \"'“”„‘’«»「」`"
_STOPS: Final = ".。．।"
# Behind a single letter a stop abbreviates: "e.g. Python", "the U.S. Congress".
_SENTENCE_END = re.compile(r"(?<!\b\w)[.!?…]+[\"'”’»)]*\s+(?![a-z])|[。！？।]+(?=\s*\w)")

Identifiers = Callable[[str], bool]


def numbered(texts: Sequence[str]) -> str:
    """Texts as a numbered list, each on one line, so that none can pass for several."""
    return "\n".join(f"{number}. {one_line(text)}" for number, text in enumerate(texts, start=1))


def one_line(text: str) -> str:
    """The text's beginning, on one line."""
    return " ".join(text[: 2 * LINE_CHARACTERS].split())[:LINE_CHARACTERS]


def check_title(
    value: str,
    guard: Guard,
    *,
    identifiers: Identifiers | None = None,
    instructions: Windows = frozenset(),
    field: str = "title",
) -> str:
    """A title without quotation marks around it and without a final stop.

    Raises
    ------
    InvalidAnswerError
        It holds more than ten words or no letter, or fails `check_text`.
    """
    text = check_text(
        value,
        guard,
        max_characters=TITLE_CHARACTERS,
        identifiers=identifiers,
        instructions=instructions,
        field=field,
    )
    text = text.strip(_QUOTES).rstrip(_STOPS).strip(_QUOTES)
    if len(text.split()) > TITLE_WORDS:
        raise InvalidAnswerError(f'"{field}" has more than {TITLE_WORDS} words')
    if not any(character.isalpha() for character in text):
        raise InvalidAnswerError(f'"{field}" says nothing')
    return text


def check_summary(
    value: str,
    guard: Guard,
    *,
    identifiers: Identifiers | None = None,
    instructions: Windows = frozenset(),
    field: str = "summary",
) -> str:
    """A summary of one or two sentences.

    Raises
    ------
    InvalidAnswerError
        It has more sentences or no letter, or fails `check_text`.
    """
    text = check_text(
        value,
        guard,
        max_characters=SUMMARY_CHARACTERS,
        identifiers=identifiers,
        instructions=instructions,
        field=field,
    )
    if len(_SENTENCE_END.findall(text)) >= SUMMARY_SENTENCES:
        raise InvalidAnswerError(f'"{field}" has more than {SUMMARY_SENTENCES} sentences')
    if not any(character.isalpha() for character in text):
        raise InvalidAnswerError(f'"{field}" says nothing')
    return text
