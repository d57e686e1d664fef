"""A model's answer on its way out: what an answer that was talked into something looks like.

The checks are structural, so that they hold in every language: codes, shapes of addresses and of
markup, sentences of our own instructions, lengths. Names in titles are the privacy gate's work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from clio.prompting.marking import Guard, hides
from clio.prompting.prompt import InvalidAnswerError

REPEATED_WORDS: Final = 7
"""So many words in a row from our instructions are a repetition; fewer can be chance."""

_WORD = re.compile(r"\w+")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_SPACE = re.compile(r"\s+")

_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]*://|\bwww\.|\b[\w-]+\.(?:com|org|edu|gov|info|biz)\b"
    r"|\b[\w-]+\.[a-z]{2,12}/\w*[/?#=.&]|\b(?:javascript|mailto):\S",
    re.IGNORECASE,
)
_MAIL = re.compile(
    r"[\w.+-][@＠][\w-]|[\w.+-]\s?[@＠]\s?[\w-]+\s?\.\s?[a-z]|\w\s?[\[(]\s?at\s?[\])]\s?\w",
    re.IGNORECASE,
)
_DELIMITER = re.compile(r"<<|>>|\b(?:data|end):\w", re.IGNORECASE)
_ROLE = re.compile(
    r"^\W*(?:system|assistant|user|human|developer)\s*[:：>]|<\|[^|]*\|>|\[/?(?:INST|SYS)\]",
    re.IGNORECASE | re.MULTILINE,
)
_MARKUP = re.compile(
    r"```|~~~|(?<!\w)</?[a-z!?][^<>]*>|!?\[[^\]\n]*\]\(|^\s*#{1,6}\s|\{\s*[\"'{]|\{\{|\*\*|^\s*[-*]\s",
    re.IGNORECASE | re.MULTILINE,
)

_SHAPES: Final = (
    (_ADDRESS, "holds a web address"),
    (_MAIL, "holds an e-mail address"),
    (_DELIMITER, "holds a delimiter"),
    (_ROLE, "holds a role marker"),
    (_MARKUP, "holds markup, code or a list: plain prose is wanted"),
)

Windows = frozenset[tuple[str, ...]]


def windows(instructions: str) -> Windows:
    """All runs of `REPEATED_WORDS` words of our instructions, for `check_text`."""
    words = _WORD.findall(instructions.casefold())
    count = len(words) - REPEATED_WORDS + 1
    return frozenset(tuple(words[i : i + REPEATED_WORDS]) for i in range(count))


def check_codes(answer: Mapping[str, Any], guard: Guard) -> None:
    """The nonce is back in ``check``, and the secret is nowhere.

    Raises
    ------
    InvalidAnswerError
        It is not so.
    """
    if answer.get("check") != guard.nonce:
        raise InvalidAnswerError('"check" does not hold the code that was given for it')
    # All texts at once: a code that is spread over them is found too.
    if _holds(" ".join(_texts(answer)), guard.secret):
        raise InvalidAnswerError("the confidential code is in the answer")


def check_text(
    value: str,
    guard: Guard,
    *,
    max_characters: int,
    identifiers: Callable[[str], bool] | None = None,
    instructions: Windows = frozenset(),
    field: str = "a text",
) -> str:
    """A free text of an answer, white space collapsed, when nothing is wrong with it.

    Parameters
    ----------
    value
        As the model wrote it.
    guard
        The prompt's codes.
    max_characters
        Longest text allowed.
    identifiers
        Whether a text holds personal identifiers.
    instructions
        Runs of words of our own instructions (`windows`), which an answer does not repeat.
    field
        Name of the property, for the reason.

    Raises
    ------
    InvalidAnswerError
        The text is empty, too long, or holds what a description never needs: a web or e-mail
        address, markup, a role marker, a delimiter, one of the codes, hidden characters, an
        identifier, or sentences of the instructions.
    """

    def reject(what: str) -> InvalidAnswerError:
        return InvalidAnswerError(f'"{field}" {what}')

    text = _SPACE.sub(" ", value).strip()
    if not text:
        raise reject("is empty")
    if len(text) > max_characters:
        raise reject(f"is longer than {max_characters} characters")
    if hides(value):
        raise reject("holds control or invisible characters")
    if _holds(value, guard.secret, guard.nonce):
        raise reject("holds a code")
    for shape, what in _SHAPES:
        if shape.search(value):
            raise reject(what)
    if instructions and not instructions.isdisjoint(windows(value)):
        raise reject("repeats the instructions")
    if identifiers is not None and identifiers(text):
        raise reject("holds a personal identifier")
    return text


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
        yield from map(str, value)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _holds(text: str, *codes: str) -> bool:
    """Whether a code stands in the text, forwards or backwards, whatever is put between."""
    bare = _NOT_ALPHANUMERIC.sub("", text).casefold()
    return any(code in bare or code[::-1] in bare for code in codes)
