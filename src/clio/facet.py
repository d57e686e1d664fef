"""What a facet is: one question asked of every conversation, and how its answers are used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "category", "categories", "boolean", "number", "scale"]
Value = str | int | float | bool | tuple[str, ...] | None

UNKNOWN = "unknown"
"""The breakdown value of a conversation for which a facet has no answer."""


@dataclass(frozen=True, slots=True)
class Facet:
    """One question asked of every conversation.

    Attributes
    ----------
    name
        Column in ``facets.parquet``; a Python identifier.
    kind
        Type of the answer: free text, one of `options`, several of `options`, yes or no, a whole
        number, or a whole number between two anchors.
    question
        What it answers, for people and for a model.
    description
        How to answer it, for a model: rules, or what the ends of a scale mean.
    options
        The closed answers of a category.
    low, high
        The ends of a scale or the bounds of a number, where it has any. Of a text, `high` is its
        longest in characters.
    nullable
        A model may leave it without an answer: the conversation does not tell.
    clustered
        A free text whose answers are grouped by meaning.
    breakdown
        Its answers are a dimension of the release's breakdowns. Free text never is.
    measure
        Its mean by cluster is released in ``numeric.parquet``. Only integers, whose sums are
        exact in any order.
    bins
        Lower edges of the breakdown's bins for a number, ascending.
    unit
        What a number counts, for labels of bins.
    version
        Rises when answers change; part of fingerprints and cache keys.
    """

    name: str
    kind: Kind
    question: str
    description: str = ""
    options: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    clustered: bool = False
    breakdown: bool = False
    measure: bool = False
    bins: tuple[int, ...] = ()
    unit: str = ""
    nullable: bool = False
    version: int = 1

    def bin_labels(self) -> tuple[str, ...]:
        """Names of the bins, in order: ``"1"``, ``"2-4"``, ``"10+"`` with the unit behind."""
        suffix = f" {self.unit}" if self.unit else ""
        labels = []
        for low, high in zip(self.bins, (*self.bins[1:], None), strict=True):
            if high is None:
                labels.append(f"{low}+{suffix}")
            elif high - low == 1:
                labels.append(f"{low}{suffix}")
            else:
                labels.append(f"{low}-{high - 1}{suffix}")
        return tuple(labels)
