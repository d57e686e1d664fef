"""The user's own facets: questions for the model, from a TOML file.

One table a facet, named by the column it becomes::

    [facet.audience]
    question = "Who is the text for?"
    kind = "category"
    options = ["children", "students", "professionals"]
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from clio.errors import SettingsError
from clio.facet import UNKNOWN, Facet, Kind
from clio.facets.asked import MODEL_FACETS
from clio.facets.language import LANGUAGE
from clio.facets.shape import CODE, TURNS, WORDS
from clio.facets.time import TIME_OF_DAY, WEEKDAY
from clio.settings import named_tables

MAX_FACETS: Final = 12
"""With more, schemas leave what providers accept: Anthropic allows sixteen nullable fields."""

MAX_OPTIONS: Final = 60
"""Each option is sent with every conversation, and a breakdown of more says little."""

TEXT_CHARACTERS: Final = 240
NUMBER_BOUNDS: Final = (0, 1_000_000)
"""A number has bounds, so that it cannot carry a telephone number or a code."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_COMPUTED: Final = (LANGUAGE, TURNS, WORDS, CODE, WEEKDAY, TIME_OF_DAY)
_TAKEN: Final = frozenset(
    {facet.name for facet in MODEL_FACETS}
    | {computed.facet.name for computed in _COMPUTED}
    | {"conversation_id", "user_id", "account", "created_at", "check", "other", "none", UNKNOWN}
    | {"policy"}
    | {"cluster_id", "level", "parent_id", "outcome", "reason", "facet", "value", "labels"}
)

_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
_Option = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class _OwnFacet(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    question: _Line
    kind: Kind = "text"
    description: str = Field(default="", max_length=600)
    options: list[_Option] = Field(default=[], max_length=MAX_OPTIONS)
    low: int | None = None
    high: int | None = None
    cluster: bool | None = None
    breakdown: bool | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        closed = self.kind in ("category", "categories")
        if closed and len({option.casefold() for option in self.options}) < 2:
            raise ValueError(f"a {self.kind} facet needs at least two options")
        if closed and len({o.casefold() for o in self.options}) < len(self.options):
            raise ValueError("an option is named twice")
        if not closed and self.options:
            raise ValueError(f"a {self.kind} facet has no options")
        bounds = (self.low, self.high)
        if self.kind == "scale" and None in bounds:
            raise ValueError("a scale facet needs low and high")
        if self.kind not in ("scale", "number") and bounds != (None, None):
            raise ValueError(f"a {self.kind} facet has no low or high")
        if self.kind in ("scale", "number"):
            low, high = self._bounds()
            if low >= high:
                raise ValueError("low must be below high")
            if self.kind == "scale" and high - low > 100:
                raise ValueError("a scale has at most 101 steps")
            if low < -NUMBER_BOUNDS[1] or high > NUMBER_BOUNDS[1]:
                raise ValueError("low and high must be within a million of zero")
        if self.cluster and self.kind != "text":
            raise ValueError("only a text facet can be clustered")
        if self.breakdown and self.kind in ("text", "number"):
            raise ValueError(f"a {self.kind} facet cannot be a breakdown")
        return self

    def _bounds(self) -> tuple[int, int]:
        low, high = NUMBER_BOUNDS
        return (low if self.low is None else self.low, high if self.high is None else self.high)

    def facet(self, name: str) -> Facet:
        low: int | None
        high: int | None
        low, high = (None, TEXT_CHARACTERS) if self.kind == "text" else (None, None)
        if self.kind in ("scale", "number"):
            low, high = self._bounds()
        closed = self.kind not in ("text", "number")
        return Facet(
            name=name,
            kind=self.kind,
            question=self.question,
            description=self.description.strip(),
            options=tuple(self.options),
            low=low,
            high=high,
            nullable=True,
            clustered=bool(self.cluster),
            breakdown=closed if self.breakdown is None else self.breakdown,
            measure=self.kind in ("scale", "number"),
        )


def own_facets(path: Path) -> tuple[Facet, ...]:
    """The facets of a user's file, in its order.

    Parameters
    ----------
    path
        TOML: a table ``[facet.NAME]`` each, with ``question``; ``kind`` (text, the default,
        category, categories, boolean, number or scale), ``description``, ``options``, ``low``,
        ``high``, ``cluster`` and ``breakdown`` where they apply.

    Raises
    ------
    SettingsError
        The file cannot be read, or a table is not a facet.
    """
    tables = _tables(path)
    facets = []
    for name, table in tables.items():
        if not _NAME.fullmatch(name):
            raise SettingsError(
                f"{path}: facet '{name[:60]}': a name is lower-case letters, digits and _, "
                "at most 40, a letter first"
            )
        if name in _TAKEN:
            raise SettingsError(f"{path}: facet '{name}': the name is taken; choose another")
        try:
            facets.append(_OwnFacet.model_validate(table).facet(name))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            message = first["msg"].removeprefix("Value error, ")
            where = f"facet '{name}', {field}" if field else f"facet '{name}'"
            raise SettingsError(f"{path}: {where}: {message}") from None
    return tuple(facets)


def _tables(path: Path) -> dict[str, Any]:
    tables = named_tables(path, "facet", unreadable="the file of facets cannot be read")
    if len(tables) > MAX_FACETS:
        raise SettingsError(f"{path}: {len(tables)} facets; at most {MAX_FACETS} can be asked")
    return tables
