"""The order of a group's candidates: by counts and closeness, full phrases before open ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from clio.describing.candidates import EMPTY, TIMES, Candidate
from clio.describing.titles import Scored, commonest, is_thin

# What a fuller phrase must have of the accounts, and of those who used the phrase within it.
FULLER = 0.12
FULLER_SHARE = 0.3
# Share of the accounts under which a phrase that many more used is the better title.
FEW = 0.07
# Share of the accounts from which a full phrase stands before a thin one.
SOLID = 0.06
Embed = Callable[[Sequence[str]], NDArray[np.float32]]


def rerank(lists: Sequence[list[Scored]], centroids: NDArray[np.float32], embed: Embed) -> None:
    """Sort each group's shortlist by counts and by closeness to its centre, in place."""
    texts = sorted({item.core for items in lists for item in items})
    if not texts:
        return
    row = {text: i for i, text in enumerate(texts)}
    vectors = embed(texts)
    for group, items in enumerate(lists):
        if not items:
            continue
        rows = vectors[[row[item.core] for item in items]]
        similar = rows @ centroids.T
        own = similar[:, group].copy()
        similar[:, group] = -1.0
        others = np.sort(similar, axis=1)[:, -3:].mean(axis=1) if len(centroids) > 3 else 0 * own
        best = max(item.score for item in items)
        for item, mine, other in zip(items, own.tolist(), np.asarray(others).tolist(), strict=True):
            item.closeness = mine - other
            item.score = item.score / best + 1.0 * mine + 1.5 * (mine - other)
        items.sort(key=lambda s: (-s.score, s.candidate.order))
        _enrich(items)
        _complete(items)
        _act_first(items)


def _act_first(items: list[Scored]) -> None:
    """Let what most short turns of a group do stand before any phrase that fewer used."""
    for item in items:
        if item.candidate.kind == "act" and item.structure >= max(0.45, items[0].structure):
            items.remove(item)
            items.insert(0, item)
            return


def _is_fuller(one: Candidate, other: Candidate) -> bool:
    """Whether one phrase says all that the other says, and more."""
    if other.kind == "verb" and other.verb == "report" and one.kind == "report":
        return other.lemmas - {"report"} < one.lemmas  # "report a lost card"
    return one.kind == other.kind and one.verb == other.verb and other.lemmas < one.lemmas


def _enrich(items: list[Scored]) -> None:
    """Let a fuller phrase stand before the phrase it contains, where most who used one used it."""
    for position in range(min(3, len(items))):
        chosen = items[position]
        fuller = [
            item
            for item in items[position + 1 :]
            if _is_fuller(item.candidate, chosen.candidate)
            and item.structure >= 0.5 * chosen.structure
            and item.closeness >= chosen.closeness - 0.2
            and item.candidate.lemmas.isdisjoint(TIMES)
        ]
        if fuller:
            best = min(fuller, key=lambda s: (-s.structure * len(s.candidate.lemmas), s.title))
            items.remove(best)
            items.insert(position, best)


def _has_object(candidate: Candidate) -> bool:
    """Whether a verb has its object: not "pay on a bill"."""
    return candidate.kind != "verb" or bool(commonest(candidate)[1])


def _is_solid(item: Scored, first: Scored) -> bool:
    """Whether a phrase may stand before another that is thin: it is full, and no part of it."""
    return (
        not is_thin(item)
        and len(item.candidate.lemmas) > 1
        and _has_object(item.candidate)
        and not (
            item.candidate.lemmas < first.candidate.lemmas
            and item.candidate.kind == first.candidate.kind
        )
    )


def _complete(items: list[Scored]) -> None:
    """Let a phrase that says more stand before one that is incomplete or that few used."""
    first = items[0]
    if _is_incomplete(first.candidate):
        better = [
            item
            for item in items[1:]
            if item.candidate.lemmas > first.candidate.lemmas
            and not _is_incomplete(item.candidate)
            and _has_object(item.candidate)
            and item.structure >= max(FULLER, FULLER_SHARE * first.structure)
            and item.closeness >= first.closeness - 0.1
        ]
        best = min(better, key=lambda s: (-s.structure, s.title), default=None)
    elif first.structure < FEW and first.candidate.kind in ("verb", "noun"):
        better = [
            item
            for item in items[1:]
            if item.candidate.kind in ("verb", "noun")
            and _is_solid(item, first)
            and item.structure >= 2.5 * first.structure
            and item.closeness >= first.closeness - 0.15
        ]
        best = better[0] if better else None
    else:
        best = None
    if best is None and is_thin(first):
        solid = [
            item
            for item in items[1:]
            if _is_solid(item, first)
            and item.structure >= max(SOLID, first.structure)
            and item.score >= first.score - 0.5
        ]
        best = solid[0] if solid else None
    if best is not None:
        items.remove(best)
        items.insert(0, best)


def _is_incomplete(candidate: Candidate) -> bool:
    """Whether a phrase leaves open what it is of: one noun, or a question of one word."""
    if candidate.kind == "noun":
        return len(candidate.lemmas - EMPTY) < 2 and not any(form[2] for form in candidate.forms)
    return candidate.kind == "question" and len(candidate.lemmas) == 1
