"""OpenAI's chat completions, and servers that speak them (vLLM, Ollama, llama.cpp)."""

from __future__ import annotations

from typing import Any, Final

import openai

from clio.analysts.providers.base import Request
from clio.analysts.providers.bodies import openai_body, openai_completion
from clio.analysts.providers.endpoints import api_key, endpoint, is_loopback
from clio.analysts.providers.manners import Manner, Manners, described
from clio.analysts.providers.sdk import SDKProvider, http_client

HOME: Final = "https://api.openai.com/v1"

FORMS: Final = ("schema", "object by schema", "object", "text")
"""OpenAI and vLLM take the first, llama.cpp's servers one of the first two, older ones the rest."""

_LENGTHS: Final = ("max_completion_tokens", "max_tokens")


class OpenAIProvider(SDKProvider):
    """One model of OpenAI's or of a compatible server.

    Parameters
    ----------
    model
        The server's name of it.
    base_url
        Of a server other than OpenAI's, with its ``/v1``.

    Raises
    ------
    ModelError
        There is no key, which servers on this machine alone do without, or the address is no
        address or in the open.
    """

    def __init__(self, model: str, base_url: str | None = None) -> None:
        host = endpoint(base_url or HOME)
        client = openai.AsyncOpenAI(
            api_key=api_key("OPENAI_API_KEY", required=not is_loopback(host)),
            base_url=base_url or HOME,
            http_client=http_client(openai),
            max_retries=0,
            timeout=None,
        )
        super().__init__(
            openai,
            client,
            name=f"openai:{model}",
            host=host,
            path="/chat/completions",
            body=lambda request, manner: put(request, model, manner),
            completion=openai_completion,
            manners=manners(host),
        )


def put(request: Request, model: str, manner: Manner) -> dict[str, Any]:
    """The body of a request, put as the server takes it."""
    body = openai_body(request, model)
    body[manner.length] = body.pop("max_completion_tokens")
    if not manner.temperature:
        del body["temperature"]
    if manner.form == "schema":
        return body
    del body["response_format"]
    body["messages"][0]["content"] += described(request)
    if manner.form == "object":
        body["response_format"] = {"type": "json_object"}
    elif manner.form == "object by schema":
        body["response_format"] = {"type": "json_object", "schema": dict(request.schema)}
    return body


def manners(host: str) -> Manners:
    """What a server takes, to begin with.

    The newer parameter for the longest answer is the only one that OpenAI's reasoning models take,
    and unknown to many other servers.
    """
    own = host == endpoint(HOME)
    return Manners(FORMS, _LENGTHS if own else tuple(reversed(_LENGTHS)))
