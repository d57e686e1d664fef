"""Answers that fit a schema and mean nothing."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from clio.testing.model_server.shown import ShownRequest

_WORDS: Final = (
    *("plan", "compare", "explain", "write", "repair", "choose", "review", "sort", "improve"),
    *("a", "the", "small", "weekly", "long", "simple", "new", "second", "shared"),
    *("garden", "budget", "letter", "report", "recipe", "journey", "program", "lesson", "table"),
)
_MOST_ITEMS: Final = 3


class SchemaResponder:
    """Fills any closed JSON schema with valid values, the same for the same request.

    Parameters
    ----------
    seed
        Other seeds give other values.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def __call__(self, request: ShownRequest) -> Mapping[str, Any]:
        """Values for every required property; ``{"text": ...}`` where no schema is given."""
        rng = random.Random(self._seed.to_bytes(8) + request.question)  # noqa: S311
        if request.schema is None:
            return {"text": words(rng, 8)}
        filled: dict[str, Any] = fill(request.schema, rng, request.schema)
        return filled


def words(rng: random.Random, number: int) -> str:
    """So many words, a capital first."""
    return " ".join(rng.choices(_WORDS, k=number)).capitalize()


def fill(schema: Mapping[str, Any], rng: random.Random, root: Mapping[str, Any]) -> Any:
    """A value that fits a schema.

    Parameters
    ----------
    schema
        Types, ``enum``, ``const``, ``anyOf``, ``$ref``, bounds of numbers, lengths of texts and
        arrays, and distinct items. Patterns are not looked at.
    rng
        Which value.
    root
        The whole schema, for its ``$defs``.

    Raises
    ------
    ValueError
        The schema uses something else.
    """
    if "$ref" in schema:
        target: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return fill(target, rng, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return rng.choice(schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return fill(rng.choice(schema[key]), rng, root)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = rng.choice(kind)
    if kind == "object":
        wanted = schema.get("required", schema.get("properties", {}))
        return {name: fill(schema["properties"][name], rng, root) for name in wanted}
    if kind == "array":
        return _array(schema, rng, root)
    if kind == "string":
        return _string(schema, rng)
    if kind in ("integer", "number"):
        low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
        high = schema.get("maximum", schema.get("exclusiveMaximum", low + 101) - 1)
        return rng.randint(int(low), int(max(low, high)))
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "null":
        return None
    raise ValueError("the schema has a type that cannot be filled")


def _array(schema: Mapping[str, Any], rng: random.Random, root: Mapping[str, Any]) -> list[Any]:
    least = schema.get("minItems", 0)
    most = schema.get("maxItems", max(least, _MOST_ITEMS))
    items = schema.get("items", {"type": "string"})
    if schema.get("uniqueItems") or "enum" in items:
        choices: Sequence[Any] = items.get("enum", ())
        most = min(most, len(choices)) if choices else most
    number = rng.randint(least, max(least, min(most, least + _MOST_ITEMS)))
    if "enum" in items:
        return rng.sample(items["enum"], min(number, len(items["enum"])))
    return [fill(items, rng, root) for _ in range(number)]


def _string(schema: Mapping[str, Any], rng: random.Random) -> str:
    text = words(rng, 6)
    least, most = schema.get("minLength", 0), schema.get("maxLength", 200)
    while len(text) < least:
        text = f"{text} {words(rng, 4).lower()}"
    return re.sub(r"\s+$", "x", text[:most]) if len(text) > most else text
