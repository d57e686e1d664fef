"""What generated conversations are about: two levels of topics, with the texts to ask for them.

The texts are data, in ``texts/en/regular/*.toml`` (a file a domain) and ``foreign.toml``. A text is a
template: ``{slot}`` stands for a value drawn once a conversation, so that a follow-up speaks of
the same thing as the first request, ``{slot!}`` for the value without its article, and ``[a|b]``
for one of the choices.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

_MARKUP: Final = re.compile(r"\{(\w+)(!?)\}|\[([^\[\]]*\|[^\[\]]*)\]")
_ARTICLE: Final = re.compile(r"^(?:an?|the) ")
# Popularity within a domain is steeper than the weights in the files say, so that the whole is
# close to Zipf's law.
_STEEPNESS: Final = 1.3


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
    """

    __slots__ = ("_parts",)

    def __init__(self, text: str, slots: Mapping[str, tuple[str, ...]]) -> None:
        parts: list[str | tuple[str, ...] | _Slot] = []
        end = 0
        for found in _MARKUP.finditer(text):
            parts.append(text[end : found.start()])
            name, bare, choices = found.groups()
            if choices:
                parts.append(tuple(choices.split("|")))
            else:
                parts.append(_Slot(name, slots[name], bool(bare)))
            end = found.end()
        parts.append(text[end:])
        self._parts = tuple(part for part in parts if part != "")

    def render(self, bound: dict[str, str], draw: Callable[[], float]) -> str:
        """The text with slots and choices filled.

        Parameters
        ----------
        bound
            Values of slots so far; those drawn here are added.
        draw
            Gives the next uniform number in [0, 1).
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


@dataclass(frozen=True, slots=True)
class Topic:
    """The lower level.

    Attributes
    ----------
    name, domain
        The planted truth.
    share
        Popularity; sums to 1 over all topics.
    trend
        ``"steady"``, ``"grow"`` or ``"new"`` (appears half-way).
    requests, contexts, followups, replies
        What people write first, what they add to it, what they write after a reply, and the
        replies. All but the requests are the domain's where the topic has none of its own.
    """

    name: str
    domain: str
    share: float
    trend: str
    requests: tuple[Template, ...]
    contexts: tuple[Template, ...]
    followups: tuple[Template, ...]
    replies: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class Foreign:
    """Requests in another language than English, by topic."""

    code: str
    countries: frozenset[str]
    requests: tuple[tuple[str, Template], ...]
    replies: tuple[Template, ...]


def _templates(text: str, slots: Mapping[str, tuple[str, ...]]) -> tuple[Template, ...]:
    lines = (line.strip() for line in text.strip().splitlines())
    return tuple(Template(line.replace("¶", "\n"), slots) for line in lines)


def _slots(*sources: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(s[name].split(" | ")) for s in sources for name in s}


def _tables() -> Iterable[dict[str, Any]]:
    folder = resources.files(__package__) / "texts" / "en" / "regular"
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            yield tomllib.loads(file.read_text(encoding="utf-8"))


@cache
def topics() -> tuple[Topic, ...]:
    """All topics, in a fixed order."""
    tables = list(_tables())
    whole = sum(table["weight"] for table in tables)
    found: list[Topic] = []
    for table in tables:
        weights = [entry["weight"] ** _STEEPNESS for entry in table["topics"]]
        for entry, weight in zip(table["topics"], weights, strict=True):
            slots = _slots(table.get("slots", {}), entry["slots"])
            own = table | entry
            found.append(
                Topic(
                    name=entry["name"],
                    domain=table["name"],
                    share=table["weight"] / whole * weight / sum(weights),
                    trend=entry.get("trend", "steady"),
                    requests=_templates(entry["frames"], slots),
                    contexts=_templates(own["contexts"], slots),
                    followups=_templates(own["followups"], slots),
                    replies=_templates(own["replies"], slots),
                )
            )
    return tuple(found)


@cache
def foreign() -> tuple[Foreign, ...]:
    """Requests in other languages."""
    source = resources.files(__package__) / "foreign.toml"
    return tuple(
        Foreign(
            code=table["code"],
            countries=frozenset(table["countries"]),
            requests=tuple(
                (topic, template)
                for topic, text in table["requests"].items()
                for template in _templates(text, {})
            ),
            replies=_templates(table["replies"], {}),
        )
        for table in tomllib.loads(source.read_text(encoding="utf-8"))["languages"]
    )
