"""Requests and answers as the two protocols write them, without any SDK.

What is sent at once, in a batch or in a file has one form, so that it is made in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from clio.analysts.providers.base import (
    Completion,
    ProviderError,
    Request,
    TransientError,
    Usage,
)
from clio.analysts.providers.statuses import code_word, status_error


def openai_body(request: Request, model: str) -> dict[str, Any]:
    """The body of ``POST /v1/chat/completions``."""
    return {
        "model": model,
        "messages": [{"role": "system", "content": request.system}, *_turns(request)],
        "temperature": request.temperature,
        "max_completion_tokens": request.max_tokens,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": dict(request.schema)},
        },
    }


def anthropic_body(request: Request, model: str) -> dict[str, Any]:
    """The body of ``POST /v1/messages``; the system part is marked as one to be cached."""
    return {
        "model": model,
        "system": [
            {"type": "text", "text": request.system, "cache_control": {"type": "ephemeral"}}
        ],
        "messages": _turns(request),
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "output_config": {"format": {"type": "json_schema", "schema": dict(request.schema)}},
    }


def openai_completion(body: Mapping[str, Any]) -> Completion:
    """The answer in a chat completion.

    Raises
    ------
    TransientError
        It is not one.
    """
    try:
        choice = body["choices"][0]
        message = choice["message"]
        usage = body.get("usage") or {}
        reading = usage.get("prompt_tokens_details") or {}
        return Completion(
            text=_text(message.get("content") or ""),
            usage=Usage(
                input=_count(usage, "prompt_tokens"),
                output=_count(usage, "completion_tokens"),
                cached=_count(reading, "cached_tokens"),
            ),
            refused=bool(message.get("refusal")) or choice.get("finish_reason") == "content_filter",
            truncated=choice.get("finish_reason") == "length",
        )
    except (KeyError, IndexError, TypeError, AttributeError):
        raise TransientError("the answer is no chat completion") from None


def anthropic_completion(body: Mapping[str, Any]) -> Completion:
    """The answer in a message.

    Raises
    ------
    TransientError
        It is not one.
    """
    try:
        usage = body["usage"]
        cached = _count(usage, "cache_read_input_tokens")
        written = _count(usage, "cache_creation_input_tokens")
        return Completion(
            text=_text(body["content"]),
            usage=Usage(
                # The provider counts what the cache gave and took apart from the rest.
                input=_count(usage, "input_tokens") + cached + written,
                output=_count(usage, "output_tokens"),
                cached=cached,
                written=written,
            ),
            refused=body.get("stop_reason") == "refusal",
            truncated=body.get("stop_reason") == "max_tokens",
        )
    except (KeyError, TypeError, AttributeError):
        raise TransientError("the answer is no message") from None


def openai_line(custom_id: str, body: Mapping[str, Any]) -> bytes:
    """A line of a file of requests, as OpenAI's batch interface and ``vllm run-batch`` read it."""
    record = {
        "custom_id": custom_id,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": body,
    }
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def openai_outcome(name: str, record: Mapping[str, Any]) -> Completion | ProviderError:
    """What a line of a file of answers says.

    Parameters
    ----------
    name
        Who answered, for errors.
    record
        The line, parsed.
    """
    response, error = record.get("response"), record.get("error")
    status = response.get("status_code", 200) if isinstance(response, Mapping) else None
    body = response.get("body") if isinstance(response, Mapping) else None
    inner = body.get("error") if isinstance(body, Mapping) and "error" in body else error
    code = inner.get("code") if isinstance(inner, Mapping) else None
    if isinstance(status, int) and status >= 400:
        return status_error(name, status, code)
    if error or not isinstance(body, Mapping):
        return TransientError(f"{name} has no answer ({code_word(code) or 'without a code'})")
    try:
        return openai_completion(body)
    except TransientError as without:
        return without


def _turns(request: Request) -> list[dict[str, str]]:
    turns = [{"role": "user", "content": request.user}]
    if request.retry_of is not None:
        answer, reason = request.retry_of
        # Neither protocol takes an empty turn.
        turns.append({"role": "assistant", "content": answer.strip() or "{}"})
        turns.append(
            {
                "role": "user",
                "content": f"That answer cannot be used: {reason}. Answer again, in full.",
            }
        )
    return turns


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part["type"] == "text")


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and value > 0 else 0
