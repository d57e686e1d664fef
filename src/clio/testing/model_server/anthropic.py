"""Anthropic's Messages: what bodies say to the stand-in, and how its answers and errors look."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from clio.testing.model_server.engine import Call, CallError, Written
from clio.testing.model_server.shown import ShownRequest

LONGEST_BODY: Final = 32 * 1024 * 1024
"""Bytes of a body of ``POST /v1/messages``."""

_KINDS: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}

# What a schema of a structured output must not hold.
_UNSUPPORTED: Final = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    | {"minLength", "maxLength", "maxItems", "uniqueItems"}
)


def read(body: Any) -> Call:
    """A body of ``POST /v1/messages``, or the parameters of a batch's item.

    Raises
    ------
    CallError
        Status 400: it is not as the interface wants it.
    """
    if not isinstance(body, dict):
        raise invalid("the body must be a JSON object")
    model, most, messages = body.get("model"), body.get("max_tokens"), body.get("messages")
    if not isinstance(model, str) or not model:
        raise invalid("model: Field required")
    if not isinstance(most, int) or most < 1:
        raise invalid("max_tokens: Input should be greater than or equal to 1")
    if not isinstance(messages, list) or not messages:
        raise invalid("messages: at least one message is required")
    temperature = body.get("temperature", 1.0)
    if not isinstance(temperature, int | float) or not 0 <= temperature <= 1:
        raise invalid("temperature: range: 0..1")
    if body.get("stream"):
        raise invalid("stream: this server does not stream")
    prompt = _Prompt()
    schema, tool = _schema(body, prompt)
    system = prompt.add(body.get("system") or "")
    turns = []
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("user", "assistant"):
            raise invalid("messages: role must be user or assistant")
        turns.append((role, prompt.add(message.get("content"))))
    if turns[0][0] != "user":
        raise invalid("messages: the first message must be the user's")
    shown = ShownRequest(model, system, tuple(turns), schema, float(temperature), most)
    return Call(shown, prompt.prefix(), prompt.rest(), tool)


def write(call: Call, written: Written, number: int) -> dict[str, Any]:
    """The message that answers a call."""
    used = written.usage
    stop = "end_turn"
    if written.outcome == "refused":
        stop = "refusal"
    elif written.outcome == "truncated":
        stop = "max_tokens"
    content = [] if stop == "refusal" else _content(call, written, number)
    if stop == "end_turn" and content[0]["type"] == "tool_use":
        stop = "tool_use"
    refusal = {"type": "refusal", "category": None, "explanation": None}
    return {
        "id": f"msg_{number:024d}",
        "type": "message",
        "role": "assistant",
        "model": call.shown.model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "stop_details": refusal if stop == "refusal" else None,
        "usage": {
            "input_tokens": used.input - used.cached - used.written,
            "cache_creation_input_tokens": used.written,
            "cache_read_input_tokens": used.cached,
            "output_tokens": used.output,
            "service_tier": "standard",
        },
    }


def error(problem: CallError, number: int) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers of a call that is not answered."""
    request = f"req_{number:024d}"
    headers = {"request-id": request}
    if problem.retry_after is not None and problem.status == 429:
        headers["retry-after"] = f"{problem.retry_after:g}"
    kind = _KINDS.get(problem.status, "api_error")
    body = {
        "type": "error",
        "error": {"type": kind, "message": problem.message},
        "request_id": request,
    }
    return problem.status, body, headers


def invalid(message: str) -> CallError:
    """A body that is not as the interface wants it."""
    return CallError(400, "unanswerable", message)


class _Prompt:
    """What is billed, in the order in which the provider reads it, and how far it may be cached."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._cached = 0

    def add(self, content: Any) -> str:
        """Add a message's content, text or blocks; its text."""
        if isinstance(content, str):
            self._parts.append(content)
            return content
        if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
            raise invalid("content: must be text or a list of blocks")
        texts = []
        for block in content:
            text = _text_of(block)
            texts.append(text)
            self.put(text, block)
        return "\n".join(texts)

    def put(self, text: str, block: Mapping[str, Any]) -> None:
        """Add what a block is billed as."""
        self._parts.append(text)
        if block.get("cache_control") is not None:
            if block["cache_control"].get("type") != "ephemeral":
                raise invalid("cache_control: type must be ephemeral")
            self._cached = len(self._parts)

    def prefix(self) -> str:
        return "\n".join(self._parts[: self._cached])

    def rest(self) -> str:
        return "\n".join(self._parts[self._cached :])


def _text_of(block: Mapping[str, Any]) -> str:
    kind = block.get("type")
    if kind == "text" and isinstance(block.get("text"), str):
        return str(block["text"])
    if kind == "tool_use":
        return orjson.dumps(block.get("input")).decode()
    if kind == "tool_result":
        content = block.get("content", "")
        if isinstance(content, str):
            return content
        return "\n".join(_text_of(part) for part in content)
    raise invalid("content: a block must be text, tool_use or tool_result")


def _schema(body: Mapping[str, Any], prompt: _Prompt) -> tuple[dict[str, Any] | None, str | None]:
    """Schema of the answer, and the tool that it must be given to, where one is forced."""
    wanted = (body.get("output_config") or {}).get("format") or body.get("output_format")
    if wanted is not None:
        schema = wanted.get("schema")
        if wanted.get("type") != "json_schema" or not isinstance(schema, dict):
            raise invalid("output_config.format: type must be json_schema, with a schema")
        described = orjson.dumps(schema).decode()
        _supported_as(described)
        prompt.put(described, {})
        return schema, None
    tools = body.get("tools") or []
    for tool in tools:
        if not isinstance(tool.get("input_schema"), dict):
            raise invalid("tools: input_schema: Field required")
        prompt.put(orjson.dumps([tool["name"], tool["input_schema"]]).decode(), tool)
    choice = body.get("tool_choice") or {}
    named = [tool for tool in tools if tool["name"] == choice.get("name")]
    if choice.get("type") == "tool" and not named:
        raise invalid("tool_choice: there is no tool of that name")
    forced = named if choice.get("type") == "tool" else tools
    if choice.get("type") in ("tool", "any") and len(forced) == 1:
        return forced[0]["input_schema"], forced[0]["name"]
    return None, None


@lru_cache(maxsize=64)
def _supported_as(described: str) -> None:
    """As `_supported`; a schema that is asked with again is not looked at again."""
    _supported(orjson.loads(described))


def _supported(schema: Any) -> None:
    """Raise `CallError` for a schema that structured outputs do not take."""
    if isinstance(schema, list):
        for part in schema:
            _supported(part)
    elif isinstance(schema, dict):
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
            raise invalid("schema: for 'object', additionalProperties must be false")
        properties = schema.get("properties", {})
        keywords = set(schema) & _UNSUPPORTED
        if keywords or schema.get("minItems", 0) > 1:
            named = ", ".join(sorted(keywords or {"minItems"}))
            raise invalid(f"schema: properties {named} are not supported")
        for name, part in schema.items():
            if name not in ("properties", "enum", "const", "required", "description"):
                _supported(part)
        for part in properties.values():
            _supported(part)


def _content(call: Call, written: Written, number: int) -> list[dict[str, Any]]:
    """Text; or the input of a forced tool, where the answer is a JSON object."""
    text = {"type": "text", "text": written.text}
    if call.tool is None:
        return [text]
    used = {"type": "tool_use", "id": f"toolu_{number:024d}", "name": call.tool}
    try:
        value = orjson.loads(written.text)
    except orjson.JSONDecodeError:
        # A tool's input that was cut off arrives without what was not finished.
        return [used | {"input": {}}] if written.outcome == "truncated" else [text]
    return [used | {"input": value}]
