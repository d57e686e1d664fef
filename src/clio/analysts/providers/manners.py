"""How requests are put to a server, as far as it lets one know what it takes.

Servers that speak the same protocol differ in it: some models take no temperature, some servers no
schema. What is turned down is left out from then on, so that it is turned down once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from clio.analysts.providers.base import Request

_FORM_WORDS: Final = ("response_format", "output_config", "output_format", "schema", "grammar")
"""Words by which servers name what constrains an answer."""

_TEMPERATURE: Final = "temperature"


@dataclass(frozen=True, slots=True)
class Manner:
    """How one request is put.

    Attributes
    ----------
    form
        How the answer is held to the schema; what forms there are, the provider knows.
    temperature
        Whether it is sent.
    length
        The parameter for the longest answer.
    """

    form: str
    temperature: bool = True
    length: str = "max_tokens"


class Manners:
    """What a server takes.

    Parameters
    ----------
    forms
        Ways to hold an answer to its schema, the strictest first.
    lengths
        Names of the parameter for the longest answer, the likeliest first.
    """

    def __init__(self, forms: Sequence[str], lengths: Sequence[str] = ("max_tokens",)) -> None:
        self._forms = tuple(forms)
        self._lengths = list(lengths)
        self._common = Manner(self._forms[0], length=self._lengths.pop(0))
        self._form: dict[tuple[str, ...], str] = {}
        self._settled: set[tuple[str, ...]] = set()

    def of(self, request: Request) -> Manner:
        """How to put a request."""
        return replace(self._common, form=self._form.get(_shape(request), self._forms[0]))

    def took(self, request: Request) -> None:
        """The server has answered one of this shape: it takes what was sent."""
        self._settled.add(_shape(request))

    def changed(self, request: Request, used: Manner, error: Any) -> bool:
        """Whether a request that was turned down would now be put in another way.

        Parameters
        ----------
        request, used
            The request, and how it was put.
        error
            What the server said, as parsed. Only names of parameters are looked for.

        Notes
        -----
        Once the server has answered a request of the same shape, nothing is left out any more: an
        error is then about the request, and its text may repeat what somebody wrote into it.
        """
        if self.of(request) != used:
            return True
        shape = _shape(request)
        if shape in self._settled:
            return False
        said = orjson.dumps(error, default=str).decode().lower()
        if used.temperature and _TEMPERATURE in said:
            self._common = replace(self._common, temperature=False)
        elif self._lengths and used.length in said:
            self._common = replace(self._common, length=self._lengths.pop(0))
        elif used.form != self._forms[-1] and any(word in said for word in _FORM_WORDS):
            self._form[shape] = self._forms[self._forms.index(used.form) + 1]
        return self.of(request) != used


def described(request: Request) -> str:
    """The schema in words, for a server that takes none otherwise."""
    schema = orjson.dumps(dict(request.schema)).decode()
    return f"\n\nAnswer with one JSON object that fits this schema, and nothing else:\n{schema}"


def _shape(request: Request) -> tuple[str, ...]:
    """Requests of one purpose have the same properties, whatever they allow as values."""
    return tuple(request.schema.get("properties", ()))
