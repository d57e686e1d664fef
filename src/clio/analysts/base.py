"""The one interface between a run and whoever answers questions about conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from clio.conversation import Conversation, Outcome
from clio.facet import Value


@dataclass(frozen=True, slots=True)
class Answer:
    """What an analyst says of one conversation.

    Attributes
    ----------
    outcome
        ``ASSIGNED`` where it was answered; ``SKIPPED``, ``REFUSED`` or ``FAILED`` where not.
    values
        Answers by facet name; a facet that is missing has no answer.
    reason
        Why there is no answer. Never holds text of the conversation.
    cut
        The analyst saw the head and the tail only: the conversation was over its budget.
    """

    outcome: Outcome
    values: Mapping[str, Value] = field(default_factory=dict)
    reason: str | None = None
    cut: bool = False


class Analyst(Protocol):
    """Answers the asked facets of conversations.

    An implementation is a function of the conversations alone: the same conversation gets the
    same answer in any company and any order.

    Attributes
    ----------
    name
        As in ``--analyst``; stands in the release.
    version
        Rises when answers change.
    answers
        Names of the facets that it answers.
    """

    name: str
    version: str
    answers: tuple[str, ...]

    def answer(self, conversations: Sequence[Conversation]) -> list[Answer]:
        """One answer a conversation, in order."""
        ...
