"""OpenAI's chat completions: what bodies say to the stand-in, how its answers and errors look."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from clio.testing.model_server.engine import Call, CallError, Written
from clio.testing.model_server.faults import draw
from clio.testing.model_server.shown import ShownRequest

_REFUSAL: Final = "I'm sorry, but I can't help with that."
_DEFAULT_TOKENS: Final = 4096
_KINDS: Final[Mapping[int, tuple[str, str | None]]] = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


def read(body: Any) -> Call:
    """A body of ``POST /v1/chat/completions``, or that of a batch's line.

    Raises
    ------
    CallError
        Status 400: it is not as the interface wants it.
    """
    if not isinstance(body, dict):
        raise invalid("We could not parse the JSON body of your request.")
    model, messages = body.get("model"), body.get("messages")
    if not isinstance(model, str) or not model:
        raise invalid("you must provide a model parameter")
    if not isinstance(messages, list) or not messages:
        raise invalid("Invalid 'messages': empty array.")
    most = body.get("max_completion_tokens") or body.get("max_tokens") or _DEFAULT_TOKENS
    if not isinstance(most, int) or most < 1:
        raise invalid("Invalid 'max_completion_tokens': integer below minimum value.")
    temperature = body.get("temperature", 1.0)
    if not isinstance(temperature, int | float) or not 0 <= temperature <= 2:
        raise invalid("Invalid 'temperature': must lie between 0 and 2.")
    if body.get("stream"):
        raise invalid("this server does not stream")
    system, turns = [], []
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        text = _text_of(message)
        if role in ("system", "developer"):
            system.append(text)
        elif role in ("user", "assistant"):
            turns.append((role, text))
        else:
            raise invalid("Invalid value for 'messages': unknown role.")
    if not turns:
        turns.append(("user", ""))
    schema = _schema(body.get("response_format"), "\n".join(text for _, text in turns), system)
    shown = ShownRequest(model, "\n".join(system), tuple(turns), schema, float(temperature), most)
    prefix = "\n".join(system) + (orjson.dumps(schema).decode() if schema else "")
    return Call(shown, prefix, "\n".join(text for _, text in turns), automatic=True)


def write(call: Call, written: Written, number: int) -> dict[str, Any]:
    """The completion that answers a call."""
    used = written.usage
    refusal = None
    finish = "stop"
    content: str | None = written.text
    if written.outcome == "truncated":
        finish = "length"
    elif written.outcome == "refused":
        content = None
        # Either the model says so, or a filter before it.
        if draw(0, "filter", call.shown.question) < 0.25:
            finish = "content_filter"
        else:
            refusal = _REFUSAL
    return {
        "id": f"chatcmpl-{number:024d}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": call.shown.model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": refusal},
                "logprobs": None,
                "finish_reason": finish,
            }
        ],
        "usage": {
            "prompt_tokens": used.input,
            "completion_tokens": used.output,
            "total_tokens": used.input + used.output,
            "prompt_tokens_details": {"cached_tokens": used.cached, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "system_fingerprint": "fp_stand_in",
    }


def error(problem: CallError, number: int) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers of a call that is not answered."""
    status = 429 if problem.status == 529 else problem.status
    kind, code = _KINDS.get(status, ("server_error", None))
    headers = {"x-request-id": f"req_{number:024d}"}
    if problem.retry_after is not None:
        headers["retry-after"] = f"{problem.retry_after:g}"
    body = {"message": problem.message, "type": kind, "param": None, "code": code}
    return status, {"error": body}, headers


def invalid(message: str) -> CallError:
    """A body that is not as the interface wants it."""
    return CallError(400, "unanswerable", message)


def _text_of(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if content is None and message.get("role") == "assistant":
        return str(message.get("refusal") or "")
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(
        isinstance(part, dict) and part.get("type") == "text" for part in content
    ):
        return "\n".join(str(part.get("text", "")) for part in content)
    raise invalid("Invalid value for 'content': must be text or parts of type text.")


def _schema(wanted: Any, said: str, system: list[str]) -> Mapping[str, Any] | None:
    """Schema of the answer; an open one for a JSON object of any kind."""
    kind = wanted.get("type", "text") if isinstance(wanted, dict) else "text"
    if kind == "json_schema":
        described = wanted.get("json_schema") or {}
        schema = described.get("schema")
        if not isinstance(described.get("name"), str) or not isinstance(schema, dict):
            raise invalid("Missing required parameter: 'response_format.json_schema'.")
        if described.get("strict"):
            _closed_as(orjson.dumps(schema))
        return schema
    if kind == "json_object":
        if "json" not in f"{said} {' '.join(system)}".lower():
            raise invalid("'messages' must contain the word 'json' in some form.")
        return {"type": "object"}
    if kind != "text":
        raise invalid("Invalid value: 'response_format.type'.")
    return None


@lru_cache(maxsize=64)
def _closed_as(described: bytes) -> None:
    """As `_closed`; a schema that is asked with again is not looked at again."""
    _closed(orjson.loads(described))


def _closed(schema: Any) -> None:
    """Raise `CallError` for a schema that is not as strict mode wants it."""
    if isinstance(schema, list):
        for part in schema:
            _closed(part)
    elif isinstance(schema, dict):
        if schema.get("type") == "object":
            if schema.get("additionalProperties") is not False:
                raise invalid("Invalid schema: 'additionalProperties' must be false.")
            if set(schema.get("required", ())) != set(schema.get("properties", {})):
                raise invalid("Invalid schema: 'required' must name every property.")
        for name, part in schema.items():
            if name == "properties":
                for inner in part.values():
                    _closed(inner)
            elif name not in ("enum", "const", "required", "description"):
                _closed(part)
