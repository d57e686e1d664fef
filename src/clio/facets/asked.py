"""Facets that an analyst answers."""

from __future__ import annotations

from clio.facet import Facet

REQUEST = Facet(
    name="request",
    kind="text",
    question="What does the user ask the assistant for?",
    clustered=True,
)
