"""Providers of models, one a file. To add one: a file here and a line in `PROVIDERS`, or an entry
point of the group ``clio.analysts`` in another package."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Final

from clio.analysts.providers.base import Provider
from clio.errors import ModelError, SettingsError

PROVIDERS: Final[dict[str, tuple[str, str]]] = {
    "anthropic": ("clio.analysts.providers.anthropic", "AnthropicProvider"),
    "openai": ("clio.analysts.providers.openai", "OpenAIProvider"),
}
"""Providers that answer at once: name to module and attribute, called with the model's name and
the address of the server, or ``None``."""

ENTRY_POINTS: Final = "clio.analysts"
"""Group of other packages' providers."""


def check_provider(name: str) -> None:
    """See that a provider has that name.

    Raises
    ------
    SettingsError
        None has.
    """
    names = {*PROVIDERS, *entry_points(group=ENTRY_POINTS).names}
    if name not in names:
        known = ", ".join(f"{known}:MODEL" for known in sorted(names))
        raise SettingsError(f"no provider is called '{name}'; known: {known}")


def load_provider(name: str, model: str, base_url: str | None = None) -> Provider:
    """A provider of a model; its SDK is imported only now.

    Parameters
    ----------
    name, model
        As in ``--analyst``, before and after the colon.
    base_url
        Of a server other than the provider's own.

    Raises
    ------
    SettingsError
        No provider has that name.
    ModelError
        Its SDK is not installed, there is no key, or texts would go over the network in the open.
    """
    check_provider(name)
    try:
        if name in PROVIDERS:
            module, attribute = PROVIDERS[name]
            factory: Callable[[str, str | None], Provider] = getattr(
                import_module(module), attribute
            )
        else:
            (point,) = entry_points(group=ENTRY_POINTS, name=name)
            factory = point.load()
    except ImportError as error:
        if name in PROVIDERS:
            raise ModelError(
                f"'{name}' needs its SDK: pip install 'clio-insights[{name}]'"
            ) from None
        raise ModelError(f"'{name}' cannot be loaded: {type(error).__name__}") from None
    return factory(model, base_url)
