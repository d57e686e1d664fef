"""Facets of when a conversation began, in UTC; no answer where no time is known."""

from __future__ import annotations

from clio.conversation import Conversation
from clio.facet import Facet
from clio.facets.base import ComputedFacet

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TIMES_OF_DAY = ("night (0-6 h)", "morning (6-12 h)", "afternoon (12-18 h)", "evening (18-24 h)")


def _weekday(conversation: Conversation) -> str | None:
    began = conversation.created_at
    return None if began is None else WEEKDAYS[began.weekday()]


def _time_of_day(conversation: Conversation) -> str | None:
    began = conversation.created_at
    return None if began is None else TIMES_OF_DAY[began.hour // 6]


WEEKDAY = ComputedFacet(
    Facet(
        name="weekday",
        kind="category",
        question="On which day of the week did it begin (UTC)?",
        breakdown=True,
    ),
    _weekday,
)

TIME_OF_DAY = ComputedFacet(
    Facet(
        name="time_of_day",
        kind="category",
        question="At which time of the day did it begin (UTC)?",
        breakdown=True,
    ),
    _time_of_day,
)
