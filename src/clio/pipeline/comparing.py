"""A label of the owner's held against concern, or against a policy: columns by cluster."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clio.errors import SettingsError
from clio.pipeline.judging import Label, Nodes, Rows, means, shares
from clio.pipeline.policies import Classes
from clio.release.schema import ROOT_LEVEL
from clio.safety.combinations import CONCERNING, HARMLESS
from clio.safety.flags import LEVEL, Drift, Gaps, Judged, Norm, drift, gaps, norm_of

MISS: Final = "likely miss"
FALSE_ALARM: Final = "likely false alarm"

DEFAULT_THRESHOLD: Final = 0.5
DIGITS: Final = 4
"""Decimal places of what is shown."""

_QUANTILES: Final = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
_COVERED: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a threshold on a score would do; shares are of 1.

    Attributes
    ----------
    threshold
        Conversations at it or above would be flagged.
    flagged
        Share of all.
    caught, harmless
        Share of those with concern 4 or 5, and of those with 1 or 2; ``None`` where none is known.
    misses, false_alarms
        Clusters that would be leads.
    """

    threshold: float
    flagged: float
    caught: float | None
    harmless: float | None
    misses: int
    false_alarms: int


@dataclass(frozen=True)
class Comparison:
    """Everything that was computed of a label, or of concern alone.

    Attributes
    ----------
    columns
        By name of the columns of ``flags.parquet``, ``(nodes,)`` each.
    kinds
        `MISS`, `FALSE_ALARM` or ``None``, by node.
    judged, norm
        What was compared and what is expected; ``None`` without a label.
    rates
        Flagged share by what it is held against.
    threshold, thresholds
        From where on a score is a flag, and what others would do.
    """

    columns: dict[str, NDArray[Any]]
    kinds: list[str | None]
    judged: Judged | None
    norm: Norm | None
    rates: dict[str, float]
    threshold: float | None
    thresholds: list[Threshold]


def compare_label(
    rows: Rows,
    nodes: Nodes,
    label: str | None,
    classes: Classes | None,
    words: tuple[str, ...],
    threshold: float | None,
) -> Comparison:
    """Hold a label against concern, or against the rules of a policy.

    Parameters
    ----------
    rows, nodes
        The conversations, with the label, and their clusters.
    label
        Its name; ``None`` for concern alone.
    classes
        Rules of a policy, to be taken in place of concern.
    words, threshold
        What of a category, and from where on a score, is a flag.

    Raises
    ------
    SettingsError
        The label's kind needs what was not given, or has no use for what was.
    """
    known = rows.concern > 0
    account, leaf = rows.account[known], rows.leaf[known]
    of = rows.concern[known].astype(np.float64)
    mean = means(account, leaf, nodes.of_leaf, of)
    high = shares(account, leaf, nodes.of_leaf, of >= CONCERNING)
    columns: dict[str, NDArray[Any]] = {
        "concern_known": mean.conversations.astype(np.int64),
        **_three("concern", mean.value, mean.low, mean.high),
        **_three("concerning", high.value, high.low, high.high),
    }
    if label is None or rows.label is None:
        return Comparison(columns, [None] * len(nodes), None, None, {}, None, [])
    flag, threshold = _flag(rows.label, label, words, threshold)
    judging = np.isfinite(rows.label.number)
    stratum, names = _strata(rows, classes)
    dated = rows.day >= 0
    middle = float(np.median(rows.day[dated])) if dated.any() else 0.0
    half = np.where(dated, (rows.day > middle).astype(np.int64), -1)
    judged = Judged(rows.account, rows.leaf, flag, stratum, half).take(judging)
    norm, found = _gaps(judged, nodes, ordered=classes is None)
    moved = drift(judged, nodes.of_leaf, norm)
    columns |= _columns(judged, nodes, found, moved)
    rates = {
        name: round(float(norm.rates[at]), DIGITS)
        for at, name in enumerate(names)
        if at < len(norm.rates) and (judged.stratum == at).any()
    }
    thresholds = []
    if rows.label.kind == "score" and threshold is not None:
        score, concern = rows.label.number[judging], rows.concern[judging]
        values = np.unique([threshold, *np.quantile(score, _QUANTILES).tolist()])
        thresholds = [
            _threshold(value, score, concern, judged, nodes, ordered=classes is None)
            for value in values.tolist()
        ]
    return Comparison(columns, _kinds(found), judged, norm, rates, threshold, thresholds)


def _strata(rows: Rows, classes: Classes | None) -> tuple[NDArray[np.int64], list[str]]:
    if classes is None:
        return rows.concern, ["not known", *(str(level) for level in range(1, 6))]
    return classes[0] + 1, ["no rule", *classes[1]]


def _gaps(judged: Judged, nodes: Nodes, *, ordered: bool) -> tuple[Norm, Gaps]:
    norm = norm_of(judged, nodes.of_leaf.shape[0], ordered=ordered)
    # The root is what all is held against; it is shown and not tested.
    found = gaps(judged, nodes.of_leaf, norm, tested=nodes.levels != ROOT_LEVEL)
    return norm, found


def _flag(
    label: Label, name: str, words: tuple[str, ...], threshold: float | None
) -> tuple[NDArray[np.bool_], float | None]:
    """What counts as flagged, and the threshold of a score."""
    if label.kind == "category":
        if not words:
            raise SettingsError(
                f"the label {name!r} is a category of {len(label.values):,} values; say with "
                "--flagged which of them are flags"
            )
        missing = sorted(set(words) - set(label.values))
        if missing:
            raise SettingsError(f"no conversation has the value {missing[0]!r} of {name!r}")
        return np.isin(label.number, [label.values.index(word) for word in words]), None
    if words:
        raise SettingsError(f"--flagged names values of a category; {name!r} is a {label.kind}")
    if label.kind == "boolean":
        if threshold is not None:
            raise SettingsError(f"--threshold is for a score; {name!r} is a yes or no")
        return label.number == 1.0, None
    known = label.number[np.isfinite(label.number)]
    if threshold is None:
        if known.min() < 0 or known.max() > 1:
            raise SettingsError(
                f"the score {name!r} is not between 0 and 1; say with --threshold from where on it "
                "is a flag"
            )
        threshold = DEFAULT_THRESHOLD
    return np.nan_to_num(label.number, nan=-np.inf) >= threshold, threshold


def _three(name: str, value: Any, low: Any, high: Any) -> dict[str, NDArray[Any]]:
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _columns(judged: Judged, nodes: Nodes, found: Gaps, moved: Drift) -> dict[str, NDArray[Any]]:
    share = shares(judged.account, judged.leaf, nodes.of_leaf, judged.flagged)
    change, moving = moved.change, _COVERED * moved.error
    return {
        "conversations": found.conversations,
        "accounts": found.accounts,
        "flagged": found.flagged,
        **_three("share", share.value, share.low, share.high),
        "expected": found.expected,
        **_three("gap", found.gap, share.low - found.expected, share.high - found.expected),
        "q": found.q,
        **_three("drift", change, change - moving, change + moving),
        "drift_q": moved.q,
    }


def _kinds(found: Gaps) -> list[str | None]:
    gap = found.gap
    return [
        None if q > LEVEL else (MISS if gap[at] < 0 else FALSE_ALARM)
        for at, q in enumerate(found.q.tolist())
    ]


def _threshold(
    value: float,
    score: NDArray[np.float64],
    concern: NDArray[np.int64],
    judged: Judged,
    nodes: Nodes,
    *,
    ordered: bool,
) -> Threshold:
    grave, harmless = concern >= CONCERNING, (concern > 0) & (concern <= HARMLESS)
    flagged = score >= value
    kinds = _kinds(_gaps(replace(judged, flagged=flagged), nodes, ordered=ordered)[1])
    return Threshold(
        threshold=value,
        flagged=round(float(flagged.mean()), DIGITS),
        caught=number(flagged[grave].mean() if grave.any() else np.nan),
        harmless=number(flagged[harmless].mean() if harmless.any() else np.nan),
        misses=kinds.count(MISS),
        false_alarms=kinds.count(FALSE_ALARM),
    )


def number(value: Any) -> float | None:
    """A rounded number, or ``None`` for what is not known."""
    return None if np.isnan(value) else round(float(value), DIGITS)
