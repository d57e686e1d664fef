"""Texts with slots and choices.

``{slot}`` stands for a value drawn once a conversation, so that a follow-up speaks of the same
thing as the first request, ``{slot!}`` for the value without its article, ``[a|b]`` for one of
the choices, and ``¶`` for a line break. Anything else in brackets or braces is plain text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

Draw = Callable[[], float]
"""Gives the next uniform number in [0, 1)."""

Slots = Mapping[str, tuple[str, ...]]
"""Values by slot."""

_MARKUP: Final = re.compile(r"\{(\w+)(!?)\}|\[([^\[\]]*\|[^\[\]]*)\]")
_ARTICLE: Final = re.compile(r"^(?:an?|the) ")


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str
    values: tuple[str, ...]
    bare: bool


class Template:
    """A text with slots and choices.

    Parameters
    ----------
    text
        The template's source.
    slots
        Values by slot.

    Raises
    ------
    ValueError
        The text has a slot without values.
    """

    __slots__ = ("_parts", "source")

    def __init__(self, text: str, slots: Slots) -> None:
        parts: list[str | tuple[str, ...] | _Slot] = []
        end = 0
        text = text.replace("¶", "\n")
        for found in _MARKUP.finditer(text):
            parts.append(text[end : found.start()])
            name, bare, choices = found.groups()
            if choices is not None:
                parts.append(tuple(choices.split("|")))
            elif name in slots:
                parts.append(_Slot(name, slots[name], bool(bare)))
            else:
                raise ValueError(f"no values for the slot {name!r} in {text!r}")
            end = found.end()
        parts.append(text[end:])
        self.source = text
        self._parts = tuple(part for part in parts if part != "")

    def render(self, bound: dict[str, str], draw: Draw) -> str:
        """The text with slots and choices filled.

        Parameters
        ----------
        bound
            Values of slots so far; those drawn here are added.
        draw
            Gives the next uniform number.
        """
        pieces: list[str] = []
        for part in self._parts:
            if type(part) is str:
                pieces.append(part)
            elif type(part) is tuple:
                pieces.append(part[int(draw() * len(part))])
            else:
                assert isinstance(part, _Slot)  # noqa: S101 (for the type checker)
                value = bound.get(part.name)
                if value is None:
                    value = part.values[int(draw() * len(part.values))]
                    bound[part.name] = value
                pieces.append(_ARTICLE.sub("", value) if part.bare else value)
        return "".join(pieces)

    def pieces(self) -> Iterator[str]:
        """Every plain text, choice and value that some rendering contains."""
        for part in self._parts:
            if isinstance(part, str):
                yield part
            else:
                yield from part if isinstance(part, tuple) else part.values


def templates(text: str, slots: Slots) -> tuple[Template, ...]:
    """The templates of a table's text, one a line."""
    lines = (line.strip() for line in text.strip().splitlines())
    return tuple(Template(line, slots) for line in lines if line)


def slots_of(*sources: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Values by slot from tables of values divided by bars; later tables count more."""
    return {name: tuple(s[name].split(" | ")) for s in sources for name in s}
