"""Anthropic's Messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import anthropic
import orjson

from clio.analysts.providers.base import Completion, Request
from clio.analysts.providers.bodies import anthropic_body, anthropic_completion
from clio.analysts.providers.endpoints import api_key, endpoint, is_loopback
from clio.analysts.providers.manners import Manner, Manners, described
from clio.analysts.providers.sdk import SDKProvider, http_client

HOME: Final = "https://api.anthropic.com"

FORMS: Final = ("schema", "tool", "text")
"""Models that know no structured outputs take the second."""

_TOOL: Final = "answer"


class AnthropicProvider(SDKProvider):
    """One model of Anthropic's.

    Parameters
    ----------
    model
        The provider's name of it.
    base_url
        Another address of the same interface.

    Raises
    ------
    ModelError
        There is no key, which servers on this machine alone do without, or the address is no
        address or in the open.
    """

    def __init__(self, model: str, base_url: str | None = None) -> None:
        host = endpoint(base_url or HOME)
        client = anthropic.AsyncAnthropic(
            api_key=api_key("ANTHROPIC_API_KEY", required=not is_loopback(host)),
            base_url=base_url or HOME,
            http_client=http_client(anthropic),
            max_retries=0,
            timeout=None,
            open_telemetry=False,
        )
        super().__init__(
            anthropic,
            client,
            name=f"anthropic:{model}",
            host=host,
            path="/v1/messages",
            body=lambda request, manner: put(request, model, manner),
            completion=completion,
            manners=Manners(FORMS),
        )


def put(request: Request, model: str, manner: Manner) -> dict[str, Any]:
    """The body of a request, put as the server takes it."""
    body = anthropic_body(request, model)
    if not manner.temperature:
        del body["temperature"]
    if manner.form == "schema":
        return body
    del body["output_config"]
    if manner.form == "tool":
        body["tools"] = [{"name": _TOOL, "input_schema": dict(request.schema)}]
        body["tool_choice"] = {"type": "tool", "name": _TOOL}
    else:
        body["system"][0]["text"] += described(request)
    return body


def completion(body: Mapping[str, Any]) -> Completion:
    """The answer in a message, be it text or the input of the tool."""
    found = anthropic_completion(body)
    for part in body["content"]:
        if part["type"] == "tool_use":
            return replace(found, text=orjson.dumps(part["input"]).decode())
    return found
