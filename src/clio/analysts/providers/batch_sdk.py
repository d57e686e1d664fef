"""What batch interfaces behind an official SDK share: manners, and errors without any text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from types import ModuleType
from typing import Concatenate, Final, ParamSpec, TypeVar

from clio.analysts.providers.base import (
    Completion,
    FatalError,
    ProviderError,
    Request,
    TransientError,
    UnanswerableError,
    UnreachedError,
    UnsupportedError,
)
from clio.analysts.providers.manners import Manner, Manners
from clio.analysts.providers.statuses import retry_after, status_error

_ANY: Final = Request("", "", "", {}, 0.0, 1)
"""Stands for all requests: those of a batch are put in one way."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


class SDKBatches:
    """A batch interface that is spoken to through an SDK.

    Parameters
    ----------
    sdk
        The SDK's module.
    name, host
        As `BatchProvider`.
    manners
        How requests are put.
    """

    def __init__(self, sdk: ModuleType, name: str, host: str, manners: Manners) -> None:
        self.name = name
        self.host = host
        self._sdk = sdk
        self._manners = manners
        self._first = manners.of(_ANY)
        self._used: dict[str, Manner] = {}

    @property
    def manner(self) -> Manner:
        """How requests are put now."""
        return self._manners.of(_ANY)

    def used(self, batch: str, manner: Manner) -> None:
        """Remember how the requests of a batch were put."""
        self._used[batch] = manner

    async def told_apart(
        self, batch: str, outcomes: AsyncIterator[tuple[str, Completion | ProviderError, object]]
    ) -> AsyncIterator[tuple[str, Completion | ProviderError]]:
        """Outcomes of a batch; those that are due to how requests were put may come again.

        Parameters
        ----------
        batch
            The provider's id.
        outcomes
            Key and outcome of each request, and what the provider said where there is no answer.

        Notes
        -----
        Where any was answered, what was turned down was turned down for its own sake.
        """
        turned_down = []
        answered = False
        async for key, outcome, said in outcomes:
            if isinstance(outcome, UnanswerableError):
                turned_down.append((key, outcome, said))
                continue
            answered |= isinstance(outcome, Completion)
            yield key, outcome
        if not turned_down:
            return
        used = self._used.get(batch, self._first)
        changed = not answered and self._manners.changed(_ANY, used, turned_down[0][2])
        unsupported = UnsupportedError(f"{self.name} does not take how it was asked")
        for key, outcome, _ in turned_down:
            yield key, unsupported if changed else outcome

    def explain(self, error: Exception) -> ProviderError:
        """An error of the SDK's as one of ours."""
        if isinstance(error, self._sdk.APIStatusError):
            status = int(error.status_code)
            if status < 400:
                return FatalError(
                    f"{self.host} sends elsewhere ({status}); give the right address by --base-url"
                )
            code = getattr(error, "code", None) or getattr(error, "type", None)
            after = retry_after(error.response.headers.get("retry-after"))
            return status_error(self.name, status, code, after)
        if isinstance(error, self._sdk.APIConnectionError):
            return UnreachedError(f"{self.host} is not reached")
        return TransientError(f"{self.host} answered in an unknown form ({type(error).__name__})")


_Self = TypeVar("_Self", bound=SDKBatches)


def explained(
    method: Callable[Concatenate[_Self, _P], Awaitable[_T]],
) -> Callable[Concatenate[_Self, _P], Awaitable[_T]]:
    """A method whose errors are ours alone: the SDK's hold what was sent, so none is chained."""

    @wraps(method)
    async def careful(self: _Self, /, *arguments: _P.args, **names: _P.kwargs) -> _T:
        try:
            return await method(self, *arguments, **names)
        except ProviderError as error:
            failure = error
        except Exception as error:
            failure = self.explain(error)
        raise failure

    return careful


def explained_each(
    method: Callable[Concatenate[_Self, _P], AsyncIterator[_T]],
) -> Callable[Concatenate[_Self, _P], AsyncIterator[_T]]:
    """As `explained`, for a method that yields."""

    @wraps(method)
    async def careful(self: _Self, /, *arguments: _P.args, **names: _P.kwargs) -> AsyncIterator[_T]:
        failure: ProviderError | None = None
        try:
            async for item in method(self, *arguments, **names):
                yield item
        except ProviderError as error:
            failure = error
        except Exception as error:
            failure = self.explain(error)
        if failure is not None:
            raise failure

    return careful
