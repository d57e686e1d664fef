"""Prompts that ask for a number, and a provider that answers as a test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from clio.analysts.providers.base import Completion, Provider, Request, Usage
from clio.prompting import InvalidAnswerError, Prompt

SCHEMA = {
    "type": "object",
    "properties": {"number": {"type": "integer"}},
    "required": ["number"],
    "additionalProperties": False,
}


def check_number(answer: Mapping[str, Any]) -> int:
    number = answer.get("number")
    if set(answer) != {"number"} or not isinstance(number, int):
        raise InvalidAnswerError("number must be a whole number")
    return number


def number_prompt(number: int, *, purpose: str = "facets") -> Prompt:
    """Asks for a number that the user part states."""
    return Prompt(
        purpose=purpose,  # type: ignore[arg-type]
        system="Say the number.",
        user=str(number),
        schema=SCHEMA,
        check=check_number,
        temperature=0.2,
        max_tokens=50,
    )


def number_answer(request: Request) -> Completion:
    text = orjson.dumps({"number": int(request.user)}).decode()
    return Completion(text, Usage(input=10 + len(request.user), output=5, cached=4))


class ScriptedProvider(Provider):
    """Answers as a function says, or raises what it raises; keeps what it was sent."""

    name = "scripted:model"
    host = "https://scripted.invalid"

    def __init__(self, answer: Callable[[Request], Any] = number_answer) -> None:
        self._answer = answer
        self.requests: list[Request] = []
        self.under_way = 0
        self.most = 0
        self.closed = False

    async def generate(self, request: Request) -> Completion:
        self.requests.append(request)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            answer = self._answer(request)
            if hasattr(answer, "__await__"):
                answer = await answer
        finally:
            self.under_way -= 1
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def close(self) -> None:
        self.closed = True
