"""What providers with an official SDK share: the client, and errors without anybody's text."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from clio.analysts.providers.base import (
    Completion,
    FatalError,
    ProviderError,
    Request,
    TransientError,
    UnreachedError,
    UnsupportedError,
)
from clio.analysts.providers.manners import Manner, Manners
from clio.analysts.providers.statuses import retry_after, status_error
from clio.errors import ModelError

# llama-cpp-python answers 500 to a body that it does not understand.
_ABOUT_THE_REQUEST: Final = frozenset({400, 422, 500})

_NO_CREDIT: Final = "credit balance"
"""Anthropic gives this no code of its own."""


def http_client(sdk: ModuleType) -> Any:
    """The SDK's client over aiohttp, which keeps up with many calls at once.

    It follows no redirection: texts go to the host that was shown and to no other.

    Raises
    ------
    ModelError
        The SDK was installed without aiohttp.
    """
    # On debug level the SDKs log what is sent.
    logging.getLogger(sdk.__name__).setLevel(logging.WARNING)
    try:
        return sdk.DefaultAioHttpClient(follow_redirects=False)
    except RuntimeError:
        name = sdk.__name__
        raise ModelError(f"'{name}' needs aiohttp: pip install 'clio-insights[{name}]'") from None


class SDKProvider:
    """Posts bodies through a client of an SDK's, which knows the way, the key and the headers.

    Parameters
    ----------
    sdk
        The SDK's module.
    client
        Its client, which repeats nothing by itself.
    name, host
        As `Provider`.
    path
        Where to post.
    body
        A request as the protocol writes it.
    completion
        The answer in what comes back.
    manners
        How requests are put.
    """

    def __init__(
        self,
        sdk: ModuleType,
        client: Any,
        *,
        name: str,
        host: str,
        path: str,
        body: Callable[[Request, Manner], dict[str, Any]],
        completion: Callable[[Mapping[str, Any]], Completion],
        manners: Manners,
    ) -> None:
        self.name = name
        self.host = host
        self._sdk = sdk
        self._client = client
        self._path = path
        self._body = body
        self._completion = completion
        self._manners = manners

    async def generate(self, request: Request) -> Completion:
        """Send a request; as `Provider.generate`."""
        manner = self._manners.of(request)
        body = self._body(request, manner)
        failure: ProviderError | None = None
        answer: Any = None
        try:
            answer = await self._client.post(self._path, body=body, cast_to=object)
        except self._sdk.APIStatusError as error:
            failure = self._explain(request, manner, error)
        except self._sdk.APIConnectionError:
            failure = UnreachedError(f"{self.host} is not reached")
        except ValueError as error:
            failure = TransientError(f"{self.host} did not send JSON ({type(error).__name__})")
        if failure is not None:
            # Raised here, so that the SDK's error, which holds what was sent, is not chained to it.
            raise failure
        completion = self._completion(answer)
        self._manners.took(request)
        return completion

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    def _explain(self, request: Request, manner: Manner, error: Any) -> ProviderError:
        status = int(error.status_code)
        if status < 400:
            return FatalError(
                f"{self.host} sends elsewhere ({status}); give the right address by --base-url"
            )
        if status in _ABOUT_THE_REQUEST:
            if _NO_CREDIT in str(error.message):
                return FatalError(f"{self.name} answered {status} (no credit)")
            if self._manners.changed(request, manner, error.body):
                return UnsupportedError(f"{self.name} answered {status} to how it was asked")
        code = getattr(error, "code", None) or getattr(error, "type", None)
        return status_error(
            self.name, status, code, retry_after(error.response.headers.get("retry-after"))
        )
