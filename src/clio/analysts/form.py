"""The form that a model fills in about a conversation: its wording, its schema, its checks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from clio.facet import Facet, Value
from clio.prompting import DATA_RULES, Guard, check_codes, check_text, windows
from clio.prompting.closed import closed_schema, validated

REQUEST: Final = "request"
"""The facet whose answer is empty where a conversation asks for nothing."""

TEXT_CHARACTERS: Final = 240
"""Longest text of a facet that sets no limit."""

ORDERS: Final = 8
"""So many orders of the options are in use.

A model prefers options by their place. Each conversation draws one order, so that no option gains
over many; with few orders a server's prefix cache still holds them all."""

_SHORT_SCALE: Final = 11
"""Scales of at most so many steps stand in the schema step by step."""

_INTRODUCTION: Final = (
    "Fill in a form about a conversation between a user and an AI assistant, as one JSON object."
)
_LAYOUT: Final = "There, only lines at the margin say who speaks."

_RULES: Final = """\
Rules for texts:
- Write {language}, whatever they speak: plain prose, two sentences at most.
- Nobody may be recognised: no names of people, organisations or places, contact details, \
numbers, dates or quotations, but the kind of thing. Technologies may be named.
- Be specific enough to be understood alone.
- Presume neither good nor bad faith; name harm that is sought plainly.
- Begin with the matter; mention neither assistant nor conversation."""


class Form:
    """Questions to a model about one conversation.

    Parameters
    ----------
    facets
        What is asked, in order.
    language
        English name of the language of the texts.

    Attributes
    ----------
    systems
        The system part, with options in each of the `ORDERS` orders.
    schema
        JSON schema of the answer: the facets and ``check``.
    max_tokens
        The longest answer, in any script.
    """

    def __init__(self, facets: Sequence[Facet], language: str) -> None:
        self._facets = tuple(facets)
        self._rules = "\n".join(
            [_INTRODUCTION, DATA_RULES, _LAYOUT, _RULES.format(language=language)]
        )
        self._instructions = windows(self._rules)
        fields: dict[str, Any] = {facet.name: (_type(facet), ...) for facet in self._facets}
        self._model: type[BaseModel] = create_model(
            "Form", __config__=ConfigDict(extra="forbid"), **fields, check=(str, ...)
        )
        self.schema: Mapping[str, Any] = closed_schema(self._model)
        self.max_tokens = sum(map(_longest, self._facets), 40)
        self.systems = tuple(self._system(order) for order in range(ORDERS))

    def _system(self, order: int) -> str:
        lines = (_line(facet, order) for facet in self._facets)
        return "\n".join([self._rules, "Fields:", *lines])

    def check(
        self, answer: Mapping[str, Any], guard: Guard, identifiers: Callable[[str], bool]
    ) -> dict[str, Value] | None:
        """Answers by facet name, those without an answer left out; ``None``: nothing was asked.

        Raises
        ------
        InvalidAnswerError
            The answer leaves the form, or a text holds what it must not.
        """
        check_codes(answer, guard)
        filled = validated(self._model, answer)
        values: dict[str, Value] = {}
        for facet in self._facets:
            value = getattr(filled, facet.name)
            if facet.kind == "text" and not (value or "").strip():
                if facet.name == REQUEST:
                    return None
                if facet.nullable:
                    continue
            if facet.kind == "text":
                value = check_text(
                    value,
                    guard,
                    max_characters=facet.high or TEXT_CHARACTERS,
                    identifiers=identifiers,
                    instructions=self._instructions,
                    field=facet.name,
                )
            elif facet.kind == "categories":
                value = tuple(dict.fromkeys(value)) if value is not None else None
            if value is not None:
                values[facet.name] = value
        return values


def _line(facet: Facet, order: int) -> str:
    described = f" {facet.description}." if facet.description else ""
    return f"{facet.name} ({_wanted(facet, order)}): {facet.question}{described}"


def _wanted(facet: Facet, order: int) -> str:
    """What kind of answer is wanted, in words."""
    if facet.kind == "text":
        wanted = f"text, up to {facet.high or TEXT_CHARACTERS} characters"
    elif facet.kind == "boolean":
        wanted = "true or false"
    elif facet.kind in ("number", "scale"):
        wanted = f"{facet.low} to {facet.high}"
    else:
        options = sorted(facet.options, key=lambda option: _place(order, facet.name, option))
        kind = "one of" if facet.kind == "category" else "all that apply of"
        wanted = f"{kind} {', '.join(options)}"
    return f"{wanted}; null if unclear" if facet.nullable else wanted


def _place(order: int, name: str, option: str) -> bytes:
    return hashlib.sha256(f"{order}:{name}:{option}".encode()).digest()


def _longest(facet: Facet) -> int:
    """Tokens of the longest answer; scripts are down to some two characters a token."""
    if facet.kind == "text":
        return 15 + (facet.high or TEXT_CHARACTERS) // 2
    if facet.kind == "categories":
        return 15 + sum(len(option) for option in facet.options) // 2
    return 12


def _type(facet: Facet) -> Any:
    """The type of a facet's answer, for pydantic."""
    kind: Any
    if facet.kind == "text":
        kind = str
    elif facet.kind == "boolean":
        kind = bool
    elif facet.kind in ("category", "categories"):
        # Without a schema on the server's side, models change case and put blanks around.
        options = facet.options
        by_form = {option.casefold(): option for option in facet.options}
        option = Annotated[
            Literal[options],  # type: ignore[valid-type]
            BeforeValidator(partial(_option, by_form)),
        ]
        kind = option if facet.kind == "category" else list[option]
    else:
        low, high = facet.low or 0, facet.high if facet.high is not None else 0
        if high - low < _SHORT_SCALE:
            steps = tuple(range(low, high + 1))
            kind = Annotated[Literal[steps], BeforeValidator(_whole)]
        else:
            kind = Annotated[int, BeforeValidator(_whole), Field(ge=low, le=high)]
    return kind | None if facet.nullable else kind


def _option(by_form: Mapping[str, str], value: Any) -> Any:
    """The option that is meant; everything else as it is."""
    return by_form.get(value.strip().casefold(), value) if isinstance(value, str) else value


def _whole(value: Any) -> Any:
    """A whole number that was written as a string or a fraction; everything else as it is."""
    if isinstance(value, bool):
        raise ValueError("a number is wanted")
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
