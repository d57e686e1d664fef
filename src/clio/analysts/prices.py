"""What models cost: a dated table, and a file of the user's that goes before it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clio.analysts.providers.base import Usage
from clio.analysts.tokens import DEFAULT_TOKENIZER, Tokenizer
from clio.errors import SettingsError

_MILLION: Final = 1_000_000

_SNAPSHOT: Final = re.compile(r"[-@](latest|\d{8}|\d{4}-\d{2}-\d{2})")
"""What providers put behind a model's name for one of its snapshots."""


CACHEABLE: Final = 1024
"""Tokens from which on a prompt's beginning is kept by providers, where nothing else is known."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens.

    Attributes
    ----------
    input, output
        Fresh tokens.
    cached, written
        Tokens read from the provider's prompt cache, and put into it.
    batch_factor
        Factor on all of them in the provider's batch interface.
    """

    input: float
    output: float
    cached: float
    written: float
    batch_factor: float = 0.5

    def cost(self, usage: Usage, *, batch: bool = False) -> float:
        """US dollars for tokens as a provider counts them."""
        fresh = usage.input - usage.cached - usage.written
        dollars = (
            fresh * self.input
            + usage.cached * self.cached
            + usage.written * self.written
            + usage.output * self.output
        ) / _MILLION
        return dollars * self.batch_factor if batch else dollars

    def batched(self) -> Price:
        """The price in the provider's batch interface."""
        factor = self.batch_factor
        return Price(
            self.input * factor,
            self.output * factor,
            self.cached * factor,
            self.written * factor,
            batch_factor=1.0,
        )


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of a model.

    Attributes
    ----------
    price
        ``None`` where it is unknown, or where answers come by files.
    as_of
        The day on which the price was read; ``None`` where nobody says.
    tokenizer, tokens
        Whose tokens come nearest to the model's, and its tokens for one of them.
    cacheable
        Tokens from which on the provider keeps the beginning of a prompt.
    """

    price: Price | None = None
    as_of: date | None = None
    tokenizer: Tokenizer = DEFAULT_TOKENIZER
    tokens: float = 1.0
    cacheable: int = CACHEABLE


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    cached: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    written: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    batch: float = Field(default=0.5, ge=0, le=1)
    tokens: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    cacheable: int = Field(default=CACHEABLE, ge=0)

    def price(self) -> Price:
        cached = self.input if self.cached is None else self.cached
        written = self.input if self.written is None else self.written
        return Price(self.input, self.output, cached, written, self.batch)


class _Provider(BaseModel):
    model_config = ConfigDict(extra="forbid")

    as_of: date | None = None
    source: str | None = None
    tokenizer: Tokenizer = DEFAULT_TOKENIZER
    models: dict[str, _Entry]

    def model(self, name: str) -> Model | None:
        """The model of that name, or of which that is a snapshot."""
        for known, entry in self.models.items():
            if name == known or (
                name.startswith(known) and _SNAPSHOT.fullmatch(name, pos=len(known))
            ):
                return Model(
                    entry.price(), self.as_of, self.tokenizer, entry.tokens, entry.cacheable
                )
        return None


class Prices:
    """Models by name.

    Parameters
    ----------
    tables
        Providers by name, in each of some tables; an earlier table goes before a later one.
    """

    def __init__(self, tables: tuple[Mapping[str, _Provider], ...]) -> None:
        self._tables = tables

    def of(self, name: str) -> Price | None:
        """The price of a model, ``None`` where it is unknown, or answers come by files.

        Parameters
        ----------
        name
            As in ``--analyst``: ``anthropic:MODEL``, ``batch:openai:MODEL``, ``files:DIR``.

        Notes
        -----
        A server of one's own has no price, since no table knows the models it serves; a gateway
        that passes a provider's model on has the provider's.
        """
        return self.model(name).price

    def model(self, name: str) -> Model:
        """What is known of a model; for an unknown one what is likely, without a price."""
        provider, _, model = name.removeprefix("batch:").partition(":")
        for table in self._tables:
            found = table[provider].model(model) if provider in table else None
            if found is not None:
                return found
        return Model(tokenizer="claude" if provider == "anthropic" else DEFAULT_TOKENIZER)


def load_prices(override: Path | None = None) -> Prices:
    """The table that comes with Clio, and before it a file of the same shape.

    Raises
    ------
    SettingsError
        The file cannot be read, or is not of that shape.
    """
    tables = (_shipped(),) if override is None else (_read(override), _shipped())
    return Prices(tables)


@cache
def _shipped() -> Mapping[str, _Provider]:
    text = files("clio.analysts").joinpath("prices.toml").read_text(encoding="utf-8")
    return {name: _Provider.model_validate(value) for name, value in tomllib.loads(text).items()}


def _read(path: Path) -> Mapping[str, _Provider]:
    try:
        parsed = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(f"cannot read prices from {path}: {error}") from None
    found = {}
    for name, value in parsed.items():
        try:
            found[name] = _Provider.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join((name, *map(str, first["loc"])))
            raise SettingsError(
                f"prices in {path}: '{place}': {first['msg']}; a price looks like this: "
                '[openai.models] "NAME" = { input = 1.0, output = 2.0 }'
            ) from None
    return found
