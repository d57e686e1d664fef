"""What is new, what rises or falls, and what an event changed: statistics on private counts."""

from clio.monitoring.activity import Activity, Tree
from clio.monitoring.alerts import SHORTEST, Change, Look, look
from clio.monitoring.descending import DECLARED_RATE
from clio.monitoring.events import Comparison, EventChange, compare
from clio.monitoring.shifts import Answers, MeanChange, changed_answers

__all__ = [
    "DECLARED_RATE",
    "SHORTEST",
    "Activity",
    "Answers",
    "Change",
    "Comparison",
    "EventChange",
    "Look",
    "MeanChange",
    "Tree",
    "changed_answers",
    "compare",
    "look",
]
