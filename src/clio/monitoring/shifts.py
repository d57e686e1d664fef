"""What changed inside a cluster: its languages, its concern, the ways in which people work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from clio.monitoring.activity import Activity, Floats, Ints, Tree
from clio.monitoring.descending import declared, named
from clio.monitoring.ratios import Measured, Shift, shift


@dataclass(frozen=True)
class Answers:
    """Answers to one question, beside the rows of an activity.

    Attributes
    ----------
    name
        Of the facet.
    number
        Shape ``(rows,)``: the number answered, or of a closed question the index in `values`; NaN
        where there is no answer.
    values
        The closed answers; none for a measure, whose mean is what counts.
    """

    name: str
    number: Floats
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class MeanChange:
    """A mean or a share that changed, named once.

    Attributes
    ----------
    node
        Where in the tree.
    name, value
        The facet, and which of its answers became more or less frequent; none for a measure.
    before, after
        The means, or shares.
    ratio, low, high
        Of them, with its 95 % interval.
    q
        False discovery rate at which it is declared, over the tree and all answers of a facet.
    """

    node: int
    name: str
    value: str | None
    before: float
    after: float
    ratio: float
    low: float
    high: float
    q: float


def changed_answers(
    activity: Activity,
    tree: Tree,
    answers: Answers,
    before: tuple[int, int],
    after: tuple[int, int],
) -> list[MeanChange]:
    """Which clusters answer a question otherwise than before, each named once.

    All answers of a cluster count as one test: the smallest p value times their number.

    Parameters
    ----------
    activity
        One row a conversation.
    tree
        Of its clusters.
    answers
        To the question, row by row.
    before, after
        Days: first, and the one after the last.
    """
    known = np.isfinite(answers.number)
    accounts = int(activity.account.max(initial=0)) + 1
    levels: Mapping[str | None, Floats] = (
        {v: (answers.number == i).astype(np.float64) for i, v in enumerate(answers.values)}
        if answers.values
        else {None: np.where(known, answers.number, 0.0)}
    )
    names = list(levels)
    found: list[Shift] = []
    for measure in levels.values():
        sides = [
            _measured(activity, tree, accounts, known, measure, span) for span in (before, after)
        ]
        found.append(shift(*sides, share=bool(answers.values)))
    p = np.stack([s.p for s in found])
    which: Ints = p.argmin(axis=0)
    changed, q = declared(tree, np.minimum(p.min(axis=0) * len(found), 1.0))
    if not changed.any():
        return []
    up = np.stack([np.where(s.after >= s.before, 1, -1) for s in found])
    columns = np.arange(tree.nodes)
    # Of one mind is only who moves the same answer the same way.
    direction = up[which, columns] * (1 + which)
    size = np.asarray(
        _measured(
            activity, tree, accounts, known, known.astype(float), (before[0], after[1])
        ).counts.sum(axis=0)
    ).ravel()
    nodes = named(tree, changed, direction, size, lambda *_: False)
    changes = []
    for node in nodes:
        one = found[which[node]]
        values = (one.before, one.after, one.ratio, one.low, one.high, q)
        changes.append(
            MeanChange(node, answers.name, names[which[node]], *(float(v[node]) for v in values))
        )
    return sorted(changes, key=lambda c: (c.q, c.node))


def _measured(
    activity: Activity,
    tree: Tree,
    accounts: int,
    known: np.ndarray,
    measure: Floats,
    days: tuple[int, int],
) -> Measured:
    rows = known & (activity.day >= days[0]) & (activity.day < days[1])
    part = activity.take(rows)
    summed = Activity(part.account, part.leaf, part.day, measure[rows])
    return Measured(summed.by_account(tree, accounts), part.by_account(tree, accounts))
