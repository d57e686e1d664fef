"""What tells a ring from a class, a popular prompt or a product: parts, and innocent explanations.

Statistics of common traits do not: a class that was set four tasks has them in common as surely as
a ring has its templates. What differs is how much else an account does, on how many days, how often
again, and who else uses the same (the table of signs in ``docs/safety.md``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clio.safety.finding import Group
from clio.safety.nulls import CLUSTER_DAY, LABEL, TEXT, TEXT_DAY, Rows, layers
from clio.safety.pairs import MIN_SHARED, SIZES, Traits

Ids = NDArray[np.int64]
Bools = NDArray[np.bool_]

COMMON: Final = 0.2
"""A trait is common to a group if at least so many of its members have it, and two."""

EVIDENCE: Final = 0.5
"""A kind is evidence if so many members have two common traits of it."""

JOINS: Final = 3
"""Common traits of one kind with which an account counts to a group."""

JOINS_SHARE: Final = 0.3
"""... where it does so little else."""

INNOCENT: Final = 0.5
"""From this fit on, a group is set apart as a shared source."""

MARKED: Final = 0.8
"""So many conversations with the same system prompt, or source, mark it as the origin."""

_MIN_GAPS: Final = 3
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Parts:
    """What is measured of a group. "Common" conversations are those with a common trait.

    Attributes
    ----------
    exclusivity
        Mean share of a member's conversations that are common.
    devoted
        Share of the members for whom that is at least half.
    acts
        Median number of common conversations of a member.
    days
        Days on which at least two members had common conversations.
    texts
        Common texts.
    repeats
        How often a member uses a common text that it uses at all; NaN without texts.
    variation
        Different wordings among the common texts' conversations: 0 for copies of one, near 1 where
        each differs.
    outside
        Accounts outside that use a common text, for each member that does: the median over the
        members' conversations; NaN without texts.
    crowd
        Conversations of others in the common clusters on the same days, for each of the members'.
    regularity
        Median variation of the gaps between a member's common conversations, standard deviation by
        mean: about 1 by chance, under .3 as by a clock; NaN where there are too few.
    same_hour
        Share of the common conversations within an hour of another member's.
    marked
        Largest share of one system prompt, or source, that most of the run does not have.
    growth
        Common conversations in the second half of the group's period, for one in the first.
    """

    exclusivity: float
    devoted: float
    acts: float
    days: int
    texts: int
    repeats: float
    variation: float
    outside: float
    crowd: float
    regularity: float
    same_hour: float
    marked: float
    growth: float

    def as_dict(self) -> dict[str, float]:
        """By name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Lead:
    """A group with what is known of it.

    Attributes
    ----------
    group
        Who, and how surprising.
    evidence
        Kinds of traits that its members have in common.
    rows
        The members' conversations that have a common trait: row numbers.
    text
        The most frequent common text, or -1.
    parts
        What is measured.
    explanation, fit
        The nearest innocent explanation, and how well it fits, 0 to 1.
    """

    group: Group
    evidence: tuple[str, ...]
    rows: Ids
    text: int
    parts: Parts
    explanation: str
    fit: float

    @property
    def is_network(self) -> bool:
        """Whether no innocent explanation fits well."""
        return self.fit < INNOCENT


def explain(rows: Rows, groups: Sequence[Group]) -> list[Lead]:
    """Measure groups and find what else they may be.

    Parameters
    ----------
    rows
        All conversations.
    groups
        As `clio.safety.finding.find_groups` finds them.

    Returns
    -------
    Networks first, each part by falling score.
    """
    kinds = layers(rows)
    order = np.argsort(rows.account, kind="stable")
    starts = np.searchsorted(rows.account[order], np.arange(rows.accounts + 1))
    leads = []
    for group in groups:
        group = _joined(rows, kinds, group)
        own = np.concatenate([order[starts[a] : starts[a + 1]] for a in group.accounts])
        lead = _explained(rows, kinds, group, np.sort(own))
        if lead is not None:
            leads.append(lead)
    return sorted(leads, key=lambda x: (not x.is_network, -x.group.score, x.group.accounts[0]))


def _joined(rows: Rows, kinds: Sequence[Traits], group: Group) -> Group:
    """The group with those who do what it does, and whom weaker ties had left out."""
    member = np.zeros(rows.accounts, bool)
    member[group.accounts] = True
    acts = np.zeros(len(rows), bool)
    held = np.zeros(rows.accounts, np.int64)
    for traits in kinds:
        if traits.kind == LABEL:
            continue
        account, trait = traits.distinct
        holders = np.bincount(trait[member[account]], minlength=int(trait.max(initial=0)) + 1)
        common = holders >= max(2, COMMON * len(group.accounts))
        held = np.maximum(held, np.bincount(account[common[trait]], minlength=rows.accounts))
        known = traits.trait >= 0
        at = np.unique(traits.trait[known], return_inverse=True)[1]
        acts[known] |= common[at]
    doing = np.bincount(rows.account[acts], minlength=rows.accounts)
    share = doing / np.maximum(np.bincount(rows.account, minlength=rows.accounts), 1)
    join = member | ((held >= JOINS) & (share >= JOINS_SHARE))
    return replace(group, accounts=np.flatnonzero(join).astype(np.int64))


def _explained(rows: Rows, kinds: Sequence[Traits], group: Group, own: Ids) -> Lead | None:
    account = rows.account[own]
    common: dict[str, Bools] = {}
    evidence = []
    for traits in kinds:
        # Labels have several traits a row, one block of rows after the other.
        blocks = [traits.trait[at + own] for at in range(0, len(traits.trait), len(rows))]
        marks = [_common(account, block, len(group.accounts)) for block in blocks]
        common[traits.kind] = np.any(marks, axis=0)
        who = np.concatenate([account[mark] for mark in marks])
        what = np.concatenate([block[mark] for block, mark in zip(blocks, marks, strict=True)])
        holders = Traits(traits.kind, who, what).distinct[0]
        several = np.count_nonzero(np.bincount(holders) >= MIN_SHARED) if len(holders) else 0
        if several >= EVIDENCE * len(group.accounts):
            evidence.append(traits.kind)
    told = common[TEXT] if common[TEXT].any() else np.zeros(len(own), bool)
    inside = told | (common[CLUSTER_DAY] if CLUSTER_DAY in evidence else False)
    inside |= common.get(LABEL, np.zeros(len(own), bool)) & (LABEL in evidence)
    acts = np.bincount(account[inside], minlength=rows.accounts)[group.accounts]
    if not evidence or np.count_nonzero(acts >= MIN_SHARED) < SIZES[0]:
        return None
    if acts.min() < MIN_SHARED:
        # Who does little of what is common came in by ties of another kind.
        staying = group.accounts[acts >= MIN_SHARED]
        rest = own[np.isin(account, staying)]
        return _explained(rows, kinds, replace(group, accounts=staying), rest)
    parts = _measured(rows, group, own, told, inside)
    fits = explanations(parts, textual=TEXT in evidence or TEXT_DAY in evidence)
    nearest = max(fits, key=lambda name: fits[name])
    texts = rows.text[own[told]]
    text = int(np.bincount(texts).argmax()) if len(texts) else -1
    return Lead(group, tuple(evidence), own[inside], text, parts, nearest, round(fits[nearest], 3))


def _common(account: Ids, trait: Ids, size: int) -> Bools:
    """Which rows have a trait that enough members have."""
    what = Traits("", account, trait).distinct[1]
    known = trait >= 0
    if not len(what):
        return known
    number = np.full(len(trait), -1)
    number[known] = np.unique(trait[known], return_inverse=True)[1]
    holders = np.bincount(what)
    return np.asarray(known & (holders[number] >= max(2, COMMON * size)))


def _measured(rows: Rows, group: Group, own: Ids, told: Bools, inside: Bools) -> Parts:
    account, acting = rows.account[own], own[inside]
    place = np.searchsorted(group.accounts, account)
    acts = np.bincount(place[inside], minlength=len(group.accounts))
    share = acts / np.bincount(place, minlength=len(group.accounts))
    member = np.zeros(rows.accounts, bool)
    member[group.accounts] = True
    texts = np.unique(rows.text[own[told]])
    dated = acting[rows.day[acting] >= 0]
    day_account = np.unique(rows.day[dated] * rows.accounts + rows.account[dated])
    per_day = np.unique(day_account // rows.accounts, return_counts=True)[1]
    return Parts(
        exclusivity=float(share.mean()),
        devoted=float((share >= 0.5).mean()),
        acts=float(np.median(acts)),
        days=int(np.count_nonzero(per_day >= 2)),
        texts=len(texts),
        repeats=_repeats(rows.account[own[told]], rows.text[own[told]]),
        variation=_variation(rows.wording[own[told]], texts),
        outside=_outside(rows, member, rows.text[own[told]]),
        crowd=_crowd(rows, member, acting),
        regularity=_regularity(rows.second[dated], rows.account[dated]),
        same_hour=_same_hour(rows.second[dated], rows.account[dated]),
        marked=_marked(rows, acting),
        growth=_growth(rows.second[dated]),
    )


def _repeats(account: Ids, text: Ids) -> float:
    if not len(text):
        return float("nan")
    return float(len(text) / len(np.unique(text * (int(account.max()) + 1) + account)))


def _variation(wording: Ids, texts: Ids) -> float:
    if len(wording) <= len(texts) or not len(texts):
        return float("nan")
    return float((len(np.unique(wording)) - len(texts)) / (len(wording) - len(texts)))


def _outside(rows: Rows, member: Bools, used: Ids) -> float:
    """The median over what members sent, since two of them may share some popular text too."""
    if not len(used):
        return float("nan")
    texts, counts = np.unique(used, return_counts=True)
    among = np.isin(rows.text, texts)
    pairs = np.unique(
        np.searchsorted(texts, rows.text[among]) * rows.accounts + rows.account[among]
    )
    text, inside = pairs // rows.accounts, member[pairs % rows.accounts]
    own = np.bincount(text[inside], minlength=len(texts))
    others = np.bincount(text[~inside], minlength=len(texts))
    return float(np.median(np.repeat(others / np.maximum(own, 1), counts)))


def _crowd(rows: Rows, member: Bools, acting: Ids) -> float:
    """Only clusters that hold a good part of what the group does count."""
    known = acting[rows.day[acting] >= 0]
    if not len(known):
        return float("nan")
    leaves, counts = np.unique(rows.leaf[known], return_counts=True)
    main = leaves[counts >= COMMON * len(known)]
    place = rows.leaf * rows.days + rows.day
    counted = known[np.isin(rows.leaf[known], main)]
    if not len(counted):
        return float("nan")
    there = np.isin(place, place[counted]) & (rows.day >= 0)
    others = int(np.count_nonzero(there & ~member[rows.account]))
    return float(others / len(counted))


def _regularity(second: Ids, account: Ids) -> float:
    order = np.lexsort((second, account))
    gaps = np.diff(second[order])
    same = account[order][1:] == account[order][:-1]
    gap, who = gaps[same].astype(np.float64), account[order][1:][same]
    names, counts = np.unique(who, return_counts=True)
    found = [gap[who == name] for name in names[counts >= _MIN_GAPS].tolist()]
    varied = [float(g.std() / g.mean()) for g in found if g.mean() > 0]
    return float(np.median(varied)) if varied else float("nan")


def _same_hour(second: Ids, account: Ids) -> float:
    if len(second) < 2:
        return float("nan")
    order = np.argsort(second, kind="stable")
    near = (np.diff(second[order]) <= _HOUR) & (np.diff(account[order]) != 0)
    return float((np.concatenate([[False], near]) | np.concatenate([near, [False]])).mean())


def _marked(rows: Rows, acting: Ids) -> float:
    best = 0.0
    for value in rows.sources.values():
        known = value[acting][value[acting] >= 0]
        if not len(known):
            continue
        top = int(np.bincount(known).argmax())
        if np.count_nonzero(value == top) < 0.5 * len(rows):
            best = max(best, float(np.count_nonzero(known == top) / len(acting)))
    return best


def _growth(second: Ids) -> float:
    if len(second) < 2:
        return float("nan")
    middle = (int(second.min()) + int(second.max())) / 2
    early = int(np.count_nonzero(second <= middle))
    return float((len(second) - early) / max(1, early))


TASKS: Final = "people who were set the same tasks"
POPULAR: Final = "a popular text"
SOURCE: Final = "one product or prompt that all came through"
EVENT: Final = "something that many asked about at the time"


def explanations(parts: Parts, *, textual: bool) -> Mapping[str, float]:
    """How well each innocent explanation fits, 0 to 1.

    Parameters
    ----------
    parts
        What is measured.
    textual
        Whether texts are evidence, and not clusters alone.
    """
    own_use = _ramp(0.6 - parts.exclusivity, 0.4)
    seldom = _ramp(6.0 - parts.acts, 4.0)
    brief = _ramp(8.0 - parts.days, 5.0)
    # Tasks are done once each; that says nothing of accounts that do little else.
    once = _ramp(1.5 - parts.repeats, 0.5) if textual and not np.isnan(parts.repeats) else 0.0
    once *= min(1.0, 2.0 * own_use)
    others = 0.0 if np.isnan(parts.outside) else parts.outside
    crowd = 0.0 if np.isnan(parts.crowd) else parts.crowd / 2.0
    return {
        TASKS: min(1.0, 0.4 * own_use + 0.3 * seldom + 0.3 * brief + 0.3 * once),
        POPULAR: min(1.0, others) if textual else 0.0,
        SOURCE: parts.marked if parts.marked >= MARKED else 0.0,
        EVENT: 0.0 if textual else min(1.0, crowd),
    }


def _ramp(value: float, full: float) -> float:
    return float(np.clip(value / full, 0.0, 1.0))
