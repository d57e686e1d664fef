"""What would be seen if accounts did not act together: traits exchanged where that is fair.

Texts and labels move between conversations of one stratum (fine cluster, language, time), so every
account keeps its volume and its topics, every text its popularity within its topic, and the
calendar stays. Where one text fills a cluster, the exchange reaches into its sisters, or it would
change nothing. Days move with their account, all by the same number around the period, so accounts
keep topics and rhythm and lose only the moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clio.safety.pairs import Traits

Ids = NDArray[np.int64]

MIN_ROWS: Final = 200
"""Conversations of a stratum's cluster; smaller ones are exchanged with their sisters."""

MAX_TEXT_SHARE: Final = 0.2
"""A text with more of a cluster would be exchanged with itself."""

BLOCK_ROWS: Final = 50
"""Conversations of a stratum at least, as far as longer stretches of time give so many."""

WEEK: Final = 7

MAX_AGAIN: Final = 16
"""Days of use of one text that count; more say no more."""


@dataclass(frozen=True)
class Rows:
    """Conversations, as far as coordination goes. All arrays are (n,) int64, -1 where unknown.

    Attributes
    ----------
    account, accounts
        Numbers from 0, and how many there are.
    day
        Days since the first one.
    second
        Seconds since the first day.
    leaf
        Fine cluster.
    language
        A number a language.
    text
        Group of texts that are alike.
    wording
        A number a distinct text.
    labels
        By name, a number a value: evidence where few accounts share it.
    sources
        By name, a number a value: what shows that texts came from one place, as system prompts do.
    """

    account: Ids
    accounts: int
    day: Ids
    second: Ids
    leaf: Ids
    language: Ids
    text: Ids
    wording: Ids
    labels: dict[str, Ids] = field(default_factory=dict)
    sources: dict[str, Ids] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.account)

    @property
    def days(self) -> int:
        """Days of the period."""
        return int(self.day.max(initial=0)) + 1


TEXT: Final = "text"
TEXT_DAY: Final = "text on a day"
CLUSTER_DAY: Final = "cluster on a day"
LABEL: Final = "label"


def layers(rows: Rows, cluster_day: Ids | None = None) -> list[Traits]:
    """Traits of every kind that the conversations have.

    Parameters
    ----------
    rows
        The conversations.
    cluster_day
        Days that count for the clusters; those of the rows where not given.
    """
    moved = rows.day if cluster_day is None else cluster_day
    found = [
        Traits(TEXT, rows.account, _again(rows)),
        Traits(TEXT_DAY, rows.account, _both(rows.text, rows.day, rows.days)),
        Traits(CLUSTER_DAY, rows.account, _both(rows.leaf, moved, rows.days)),
    ]
    if rows.labels:
        values = [
            _both(value, np.full(len(rows), at), len(rows.labels))
            for at, value in enumerate(rows.labels.values())
        ]
        who = np.tile(rows.account, len(values))
        found.append(Traits(LABEL, who, np.concatenate(values)))
    return found


def _again(rows: Rows) -> Ids:
    """Text and on how many days its account has used it by then.

    So a single text that some accounts use again and again is a trait each time; trying the same
    again at once is not. Without dates nobody can tell the two apart, and each time counts.
    """
    order = np.lexsort((rows.day, rows.text, rows.account))
    account, text, day = rows.account[order], rows.text[order], rows.day[order]
    other = (np.diff(account, prepend=-1) != 0) | (np.diff(text, prepend=-2) != 0)
    step = np.cumsum(other | (np.diff(day, prepend=-2) != 0) | (day < 0))
    nth = np.empty(len(rows), np.int64)
    nth[order] = step - np.maximum.accumulate(np.where(other, step, 0))
    return _both(rows.text, np.minimum(nth, MAX_AGAIN - 1), MAX_AGAIN)


def _both(trait: Ids, other: Ids, width: int) -> Ids:
    return np.where((trait >= 0) & (other >= 0), trait * width + other, -1)


def strata(rows: Rows, parents: Sequence[NDArray[np.int32]]) -> Ids:
    """Which conversations may exchange their texts.

    Parameters
    ----------
    rows
        The conversations.
    parents
        Level by level, the parent's index of each node; the first level's nodes are the leaves.

    Returns
    -------
    (n,) int64.
    """
    leaves = int(rows.leaf.max(initial=0)) + 1
    above = np.arange(leaves)
    group = above.copy()
    for parent in [*parents, np.zeros(int(above.max()) + 1, np.int32)]:
        above = np.asarray(parent, np.int64)[above] if len(parent) > above.max() else above * 0
        poor = _poor(group[rows.leaf], rows.text)
        widened = np.isin(above, above[np.isin(group, poor)])
        # Groups of a level are numbered after those of the level before.
        group = np.where(widened, above + leaves + int(group.max()) + 1, group)
        group = np.unique(group, return_inverse=True)[1]
    place = group[rows.leaf] * (int(rows.language.max(initial=0)) + 1) + rows.language
    place = np.unique(place, return_inverse=True)[1]
    weeks = max(1, -(-rows.days // WEEK))
    length = np.ceil(weeks * BLOCK_ROWS / np.bincount(place)).clip(1, weeks).astype(np.int64)
    block = np.maximum(rows.day, 0) // WEEK // length[place]
    return np.unique(place * weeks + block, return_inverse=True)[1].astype(np.int64)


def _poor(group: Ids, text: Ids) -> Ids:
    """Groups that are small, or that one text fills."""
    sizes = np.bincount(group)
    known = text >= 0
    width = int(text.max(initial=0)) + 1
    pairs, counts = np.unique(group[known] * width + text[known], return_counts=True)
    largest = np.zeros(len(sizes), np.int64)
    np.maximum.at(largest, pairs // width, counts)
    return np.flatnonzero((sizes > 0) & ((sizes < MIN_ROWS) | (largest > MAX_TEXT_SHARE * sizes)))


def exchanged(rows: Rows, stratum: Ids, rng: np.random.Generator) -> list[Traits]:
    """Traits of every kind as they would be if accounts did not act together.

    Parameters
    ----------
    rows
        The conversations.
    stratum
        Of each of them.
    rng
        Where chance comes from.
    """
    order = np.argsort(stratum, kind="stable")
    drawn = np.lexsort((rng.random(len(rows)), stratum))
    source = np.empty(len(rows), np.int64)
    source[order] = drawn
    moved = (rows.day + rng.integers(0, rows.days, rows.accounts)[rows.account]) % rows.days
    labels = {name: value[source] for name, value in rows.labels.items()}
    mixed = replace(rows, text=rows.text[source], labels=labels)
    return layers(mixed, np.where(rows.day >= 0, moved, -1))
