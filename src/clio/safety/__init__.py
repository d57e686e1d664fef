"""Accounts that act together: evidence, what chance would give, and innocent explanations."""

from clio.safety.explaining import INNOCENT, Lead, Parts, explain
from clio.safety.finding import (
    DECLARED_RATE,
    LEAST_NULLS,
    MAX_INFLATION,
    Found,
    Group,
    find_groups,
)
from clio.safety.nulls import Rows
from clio.safety.templates import template_of
from clio.safety.texts import Sketcher, alike

__all__ = [
    "DECLARED_RATE",
    "INNOCENT",
    "LEAST_NULLS",
    "MAX_INFLATION",
    "Found",
    "Group",
    "Lead",
    "Parts",
    "Rows",
    "Sketcher",
    "alike",
    "explain",
    "find_groups",
    "template_of",
]
