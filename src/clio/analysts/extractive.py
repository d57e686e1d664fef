"""The default analyst: finds a conversation's request in its own words, and sorts it by rules.

It needs no model and no network. It answers `request` with the sentences in which the requester
says what they want, and `task`, `topic` and `concern` from the words of these where they tell; it
leaves everything else without an answer: it never invents.
"""

from __future__ import annotations

from collections.abc import Sequence

from clio.analysts.base import Answer
from clio.analysts.concern import concern_of
from clio.analysts.requests import extract_request
from clio.analysts.tasks import task_of
from clio.analysts.topics import topic_of
from clio.conversation import Conversation, Outcome


class ExtractiveAnalyst:
    """Answers from the requester's own words; nothing leaves the machine."""

    name = "extractive"
    version = "2"
    answers = ("request", "task", "topic", "concern")

    def answer(self, conversations: Sequence[Conversation]) -> list[Answer]:
        """One answer a conversation; ``SKIPPED`` where the requester asked for nothing."""
        return [_answer(conversation) for conversation in conversations]


def _answer(conversation: Conversation) -> Answer:
    request = extract_request(conversation)
    if request is None:
        return Answer(Outcome.SKIPPED, reason="no request in words")
    return Answer(
        Outcome.ASSIGNED,
        {
            "request": request,
            "task": task_of(request),
            "topic": topic_of(request),
            "concern": concern_of(request),
        },
    )
