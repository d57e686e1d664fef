"""Facets that an analyst answers."""

from __future__ import annotations

from clio.facets.base import Facet

REQUEST = Facet(
    name="request",
    kind="text",
    question="What does the user ask the assistant for?",
    clustered=True,
)
