"""Schemas that a model's answer cannot leave.

Pydantic's JSON schemas, brought into the form that OpenAI's strict mode and Anthropic's
structured outputs both take: objects closed, every property required, what may be missing
nullable, references resolved, and none of the keywords that one of them turns down (lengths,
bounds, patterns, defaults). Bounds are checked afterwards, by the same pydantic model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from clio.prompting.prompt import InvalidAnswerError

_KEPT: Final = ("type", "description", "enum", "const", "items", "properties", "anyOf")

_Model = TypeVar("_Model", bound=BaseModel)

MAX_REASON: Final = 300
"""Longest reason in characters; it is sent back to the model."""


def closed_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of `model` as a closed object.

    Raises
    ------
    ValueError
        The model refers to itself, which neither provider takes.
    """
    schema = model.model_json_schema()
    return _closed(schema, schema.get("$defs", {}), ())


def _closed(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], above: tuple[str, ...]
) -> dict[str, Any]:
    if (reference := schema.get("$ref")) is not None:
        name = str(reference).rpartition("/")[2]
        if name in above:
            raise ValueError("a schema that refers to itself cannot be closed")
        return _closed(definitions[name], definitions, (*above, name))
    closed = {keyword: schema[keyword] for keyword in _KEPT if keyword in schema}
    if "const" in closed:
        closed["enum"] = [closed.pop("const")]
    if "items" in closed:
        closed["items"] = _closed(closed["items"], definitions, above)
    if "anyOf" in closed:
        choices = [_closed(choice, definitions, above) for choice in closed.pop("anyOf")]
        closed = {**_union(choices), **closed}
    if closed.get("type") == "object":
        closed.pop("description", None)  # A class's docstring, which is not for models.
        properties = closed.get("properties", {})
        closed["properties"] = {
            name: _closed(value, definitions, above) for name, value in properties.items()
        }
        closed["required"] = list(properties)
        closed["additionalProperties"] = False
    return closed


def _union(choices: list[dict[str, Any]]) -> dict[str, Any]:
    """A choice between one schema and null as a list of types; any other as it is."""
    null = {"type": "null"}
    rest = [choice for choice in choices if choice != null]
    if len(rest) != 1 or len(choices) != 2 or not isinstance(rest[0].get("type"), str):
        return {"anyOf": choices}
    merged = {**rest[0], "type": [rest[0]["type"], "null"]}
    if "enum" in merged:
        merged["enum"] = [*merged["enum"], None]
    return merged


def validated(model: type[_Model], answer: Mapping[str, Any]) -> _Model:
    """`answer` as an instance of `model`.

    Raises
    ------
    InvalidAnswerError
        It is none. The reason names a property of ours and what is wanted of it; names and values
        that the answer made up are not repeated.
    """
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = first["loc"][0] if first["loc"] else None
        if name not in model.model_fields or "extra_forbidden" in first["type"]:
            raise InvalidAnswerError("there is a property that was not asked for") from None
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidAnswerError(f'"{name}": {message}'[:MAX_REASON]) from None
