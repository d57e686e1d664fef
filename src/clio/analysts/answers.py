"""From a prompt to a request, and from what came back to a reply."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import orjson

from clio.analysts.prices import Model
from clio.analysts.providers.base import Completion, Request
from clio.analysts.tokens import Tokenizer, count_tokens
from clio.conversation import Outcome
from clio.prompting import InvalidAnswerError, Prompt, Reply

Ending = Literal["answered", "refused", "truncated", "malformed"]

_FENCED: Final = re.compile(r"```(?:json)?\s*\n(.*)\n\s*```", re.DOTALL | re.IGNORECASE)

_NO_OBJECT: Final = "it is not one JSON object"

RE_ASKS: Final = 2
"""How often an answer that does not pass is asked for again. Once would lose one row in 400 of a
model that goes wrong at every twentieth answer."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a completion says.

    Attributes
    ----------
    ending
        How the call ended, for the ledger.
    reply
        The reply; where `again` holds, the one that stands if this was the last try.
    """

    ending: Ending
    reply: Reply

    @property
    def again(self) -> bool:
        """Whether the answer did not pass, so that it may be asked for again."""
        return self.ending in {"truncated", "malformed"}


def read_answer(prompt: Prompt, completion: Completion) -> Reading:
    """What a completion says to a prompt; a function of the two alone."""
    if completion.refused:
        return Reading("refused", Reply(Outcome.REFUSED, reason="the model would not answer"))
    if completion.truncated:
        reason = f"the answer is longer than {prompt.max_tokens} tokens"
        return Reading("truncated", Reply(Outcome.FAILED, reason=reason))
    try:
        value = prompt.check(parse_object(completion.text))
    except InvalidAnswerError as error:
        return Reading("malformed", Reply(Outcome.FAILED, reason=error.reason))
    return Reading("answered", Reply(Outcome.ASSIGNED, value))


def parse_object(text: str) -> Mapping[str, Any]:
    """The one JSON object in a text, which may be fenced or have words around it.

    Raises
    ------
    InvalidAnswerError
        There is none, there are several, or it is not JSON.
    """
    fenced = _FENCED.search(text)
    body = fenced.group(1) if fenced is not None else text
    begin, end = body.find("{"), body.rfind("}")
    try:
        value = orjson.loads(body[begin : end + 1]) if begin >= 0 else None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise InvalidAnswerError(_NO_OBJECT)
    return value


def first_request(model: str, prompt: Prompt) -> Request:
    """What is sent for a prompt, named by the SHA-256 of the model's name and all that is sent."""
    return _request(prompt, _digest(model, prompt.digest()), None)


def further_request(prompt: Prompt, request: Request, answer: Completion, reason: str) -> Request:
    """What is sent when the answer to a request did not pass."""
    key = _digest(request.key, answer.text, reason)
    return _request(prompt, key, (answer.text, reason))


def count_request(request: Request, model: Model = Model()) -> int:
    """About how many tokens are sent for a request, the schema of its answer included.

    Parameters
    ----------
    request
        What is sent.
    model
        Whose tokens: by its tokenizer, and by how many it makes of one of that one's.
    """
    schema = orjson.dumps(dict(request.schema)).decode()
    stable = _stable(request.system, model.tokenizer) + _stable(schema, model.tokenizer)
    differing = (request.user, *(request.retry_of or ()))
    rest = sum(count_tokens(text, model.tokenizer) for text in differing)
    return math.ceil((stable + rest) * model.tokens)


@lru_cache(maxsize=64)
def _stable(text: str, tokenizer: Tokenizer) -> int:
    return count_tokens(text, tokenizer)


def _request(prompt: Prompt, key: str, retry_of: tuple[str, str] | None) -> Request:
    return Request(
        key=key,
        system=prompt.system,
        user=prompt.user,
        schema=prompt.schema,
        temperature=prompt.temperature,
        max_tokens=prompt.max_tokens,
        retry_of=retry_of,
    )


def _digest(*parts: str) -> str:
    # A model may write lone surrogates, which UTF-8 does not take.
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()
