"""Schemas that an answer cannot leave."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from clio.analysts.form import Form
from clio.facets import own_facets, standard_facets
from clio.prompting import InvalidAnswerError
from clio.prompting.closed import closed_schema, validated

KEYWORDS = {"type", "enum", "items", "properties", "required", "additionalProperties", "anyOf"}


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=5, pattern="a+")]
    kind: Literal["a", "b"] | None = None


class Outer(BaseModel):
    """Not for the model's eyes."""

    model_config = ConfigDict(extra="forbid")

    one: Literal["only"]
    inner: Inner
    many: list[Inner] = Field(default=[], max_length=3)
    number: Annotated[int, Field(ge=1, le=9)] | None
    either: int | str


def test_a_schema_is_closed_all_the_way_down() -> None:
    inner = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "kind": {"type": ["string", "null"], "enum": ["a", "b", None]},
        },
        "required": ["name", "kind"],
        "additionalProperties": False,
    }
    assert closed_schema(Outer) == {
        "type": "object",
        "properties": {
            "one": {"type": "string", "enum": ["only"]},
            "inner": inner,
            "many": {"type": "array", "items": inner},
            "number": {"type": ["integer", "null"]},
            "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        },
        "required": ["one", "inner", "many", "number", "either"],
        "additionalProperties": False,
    }


class Node(BaseModel):
    children: list[Node]


def test_recursion_is_refused() -> None:
    with pytest.raises(ValueError, match="itself"):
        closed_schema(Node)


def _objects(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for item in schema for found in _objects(item)]
    if not isinstance(schema, dict):
        return []
    return [schema, *(found for value in schema.values() for found in _objects(value))]


def test_the_form_is_what_both_providers_take(request: pytest.FixtureRequest) -> None:
    own = own_facets(request.config.rootpath / "examples" / "facets.toml")
    schema = Form((*standard_facets(), *own), "English").schema
    assert schema["required"] == list(schema["properties"])
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    unions = [p for p in properties.values() if isinstance(p["type"], list)]
    assert len(unions) <= 16
    for part in _objects(list(properties.values())):
        assert set(part) <= KEYWORDS


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"name": "aa", "kind": "a", "SAID": 1}, "there is a property that was not asked for"),
        ({"name": "SAID", "kind": "a"}, '"name": String should match pattern'),
        ({"name": "aa", "kind": "SAID"}, "\"kind\": Input should be 'a' or 'b'"),
        ({"kind": "a"}, '"name": Field required'),
        ({"name": {"SAID": "SAID"}}, '"name": Input should be a valid string'),
    ],
)
def test_reasons_say_what_is_wanted_and_quote_nothing(answer: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidAnswerError) as caught:
        validated(Inner, answer)
    assert caught.value.reason.startswith(reason)
    assert "SAID" not in caught.value.reason
