"""Who answers the asked facets: an offline analyst, or a language model.

To add an offline analyst: one file here and one line in `ANALYSTS`. To add a provider of models:
one file in `clio.analysts.providers`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from clio.analysts.base import Analyst, Answer
from clio.errors import SettingsError

ANALYSTS: dict[str, tuple[str, str]] = {
    "extractive": ("clio.analysts.extractive", "ExtractiveAnalyst"),
}


def load_analyst(name: str) -> Analyst:
    """The offline analyst of that name; its module is imported only now.

    Raises
    ------
    SettingsError
        No analyst has that name.
    """
    if name not in ANALYSTS:
        known = ", ".join(sorted(ANALYSTS))
        raise SettingsError(f"no analyst is called '{name}'; known: {known}")
    module, attribute = ANALYSTS[name]
    factory: Callable[[], Analyst] = getattr(import_module(module), attribute)
    return factory()


__all__ = ["ANALYSTS", "Analyst", "Answer", "load_analyst"]
