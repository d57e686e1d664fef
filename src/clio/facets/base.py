"""A facet together with how it is computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clio.conversation import Conversation
from clio.facet import Facet, Value


@dataclass(frozen=True, slots=True)
class ComputedFacet:
    """A facet whose answer is computed from the conversation, without an analyst."""

    facet: Facet
    compute: Callable[[Conversation], Value]
