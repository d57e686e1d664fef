"""A classifier's flags beside what Clio sees: likely misses and false alarms of a finished run.

The statistics are `clio.safety`'s. Here the private tables are read, everything found goes to
``restricted/``, and what comes back has released titles alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

from clio import access
from clio.errors import RunError
from clio.pipeline import files
from clio.pipeline.comparing import DIGITS, Comparison, Threshold, compare_label, number
from clio.pipeline.facets import Facets, restored
from clio.pipeline.failures import explained
from clio.pipeline.judging import REFUSED, Nodes, Rows, read_nodes, read_rows
from clio.pipeline.policies import RuleCount, classify, write_rules
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.hierarchy import CONCERN, nodes_file
from clio.pipeline.stages.read import conversations_folder
from clio.release.read import open_release
from clio.release.schema import ROOT_LEVEL
from clio.safety.combinations import Asked, Combination, combinations
from clio.safety.policy import POLICY
from clio.settings import settings_from

LANGUAGE: Final = "language"

_FLOATS: Final = (
    *("share", "share_low", "share_high", "expected", "gap", "gap_low", "gap_high", "q"),
    *("concern", "concern_low", "concern_high"),
    *("concerning", "concerning_low", "concerning_high"),
    *("drift", "drift_low", "drift_high", "drift_q"),
)
FLAGS: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("label", "facet", "cluster_id")),
        ("level", pa.int64()),
        ("title", pa.string()),
        *((name, pa.int64()) for name in ("conversations", "accounts", "flagged", "concern_known")),
        *((name, pa.float64()) for name in _FLOATS),
        ("kind", pa.string()),
    ]
)
"""One row a cluster and one for all. `kind` is ``likely miss``, ``likely false alarm`` or null."""

COMBINATIONS: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("facet", "cluster_id")),
        ("level", pa.int64()),
        *((name, pa.string()) for name in ("title", "kind", "value")),
        ("accounts", pa.int64()),
        ("of", pa.int64()),
        *((name, pa.float64()) for name in ("expected", "ratio", "low", "high", "surprise", "q")),
    ]
)


def flags_file(directory: RunDirectory) -> Path:
    """The contract's table of flags."""
    return directory.restricted / "flags.parquet"


def combinations_file(directory: RunDirectory) -> Path:
    """Combinations that are worth a look."""
    return directory.restricted / "combinations.parquet"


@dataclass(frozen=True, slots=True)
class Compared:
    """A cluster's flagged share beside its concern; shares are of 1.

    Attributes
    ----------
    cluster_id, level, title
        Which one; the title is the released one, of itself or above, or ``None``.
    kind
        ``likely miss``, ``likely false alarm`` or ``None``.
    conversations, accounts, flagged
        Counts of what the classifier judged.
    share, share_low, share_high
        Flagged, with a 95 % interval by account.
    expected, gap, gap_low, gap_high, q
        What is expected, the difference, the share's interval less that, and how sure it is.
    concern, concerning
        Mean concern, and the share at 4 and 5, where it is known; else ``None``.
    drift, drift_q
        How the gap changed from the earlier half of the time to the later, and how sure that is.
    """

    cluster_id: str
    level: int
    title: str | None
    kind: str | None
    conversations: int
    accounts: int
    flagged: int
    share: float
    share_low: float
    share_high: float
    expected: float
    gap: float
    gap_low: float
    gap_high: float
    q: float
    concern: float | None
    concerning: float | None
    drift: float | None
    drift_q: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How flagged shares and mean concern of one level's clusters go together.

    Attributes
    ----------
    level, clusters
        Which level, and how many clusters were judged and have a concern.
    pearson, spearman
        Correlations; ``None`` with fewer than three clusters, or where one of both is the same in
        all.
    """

    level: int
    clusters: int
    pearson: float | None
    spearman: float | None


@dataclass(frozen=True, slots=True)
class Worth:
    """A combination worth a look; `title` as in `Compared`, the rest as in the table."""

    cluster_id: str
    level: int
    title: str | None
    kind: str
    value: str | None
    accounts: int
    of: int
    expected: float
    ratio: float
    low: float
    high: float
    q: float


@dataclass(frozen=True, slots=True)
class Flags:
    """What `find_flags` found and may show.

    Attributes
    ----------
    label, label_kind
        What was compared, and ``boolean``, ``score`` or ``category``; ``None`` without a label.
    threshold, flagged_values
        From where on a score is a flag, and which words of a category are.
    concern_by
        ``model``, ``rules``, or ``None`` where nobody answered.
    expected_by
        What flags are held against: ``concern``, or ``policy``.
    conversations, judged, concern_known
        How many were looked at, how many of them have the label, and an answer of concern.
    rates
        Flagged share by what it is held against, where nothing is out of the way.
    spread, correlation
        Standard deviation between clusters beside chance; likeness of an account's conversations.
    clusters
        Leads first, the surest first, then all others.
    agreement
        By level, the highest first.
    thresholds
        Of a score.
    combinations
        Worth a look, the most surprising first.
    policy_by, rules
        ``model`` or ``closeness``, and how often each rule of a policy was met.
    """

    label: str | None
    label_kind: str | None
    threshold: float | None
    flagged_values: tuple[str, ...]
    concern_by: str | None
    expected_by: str | None
    conversations: int
    judged: int
    concern_known: int
    rates: dict[str, float]
    spread: float | None
    correlation: float | None
    clusters: list[Compared]
    agreement: list[Agreement]
    thresholds: list[Threshold]
    combinations: list[Worth]
    policy_by: str | None
    rules: list[RuleCount]

    @property
    def leads(self) -> list[Compared]:
        """Clusters that are a likely miss or a likely false alarm."""
        return [cluster for cluster in self.clusters if cluster.kind is not None]


def find_flags(
    path: str | Path,
    *,
    label: str | None = None,
    flagged: Sequence[str] = (),
    threshold: float | None = None,
    policy: Path | None = None,
    seed: int | None = None,
) -> Flags:
    """Hold a classifier's flags against what Clio sees in a finished run, for the safety role.

    Parameters
    ----------
    path
        The run directory.
    label
        The classifier's label: a yes or no, a score, or a category. Without one, concern and
        combinations are looked at alone.
    flagged
        Values of a category that are a flag.
    threshold
        From where on a score is a flag; `DEFAULT_THRESHOLD` for scores between 0 and 1.
    policy
        A file of rules; flags are then held against them in place of concern. Where a model has
        answered to a policy in the run, its answers are taken without this.
    seed
        Of the order in which an account's conversations stand; the run's where not given.

    Returns
    -------
    What may be shown; the tables in ``restricted/`` have the titles of all clusters beside it.

    Raises
    ------
    ClioError
        With one line that says what to do: the run is not finished, has no such label, or the
        label's kind needs a threshold or words that are not given.
    """
    directory = RunDirectory(Path(path))
    with explained(directory), directory.opened():
        release = open_release(directory.path)
        facet = next(f.name for f in release.info.facets if f.primary)
        if (
            not conversations_folder(directory).is_dir()
            or not nodes_file(directory, facet).exists()
        ):
            raise RunError(
                f"{directory.path} is not finished, or what is private in it was removed; "
                f"run it again first: clio run INPUT... --out {directory.path}"
            )
        facets = restored(directory.state.facets)
        seed = directory.state.seed if seed is None else seed
        rows = read_rows(
            *(directory, facets, facet), seed=seed, label=label, closed=(LANGUAGE, REFUSED, POLICY)
        )
        nodes = read_nodes(directory, facet, release)
        classes, by = classify(directory, facets, facet, rows, policy)
        worth = _worth(rows, nodes)
        counts = (
            write_rules(directory, facet, rows, nodes, classes, by)
            if classes is not None and by is not None
            else []
        )
        compared = compare_label(rows, nodes, label, classes, tuple(flagged), threshold)
        if label is not None:
            files.write_table(flags_file(directory), _table(label, facet, nodes, compared))
        table = pa.Table.from_pylist(
            [{**w, "facet": facet} for w in _combined(worth, rows, nodes, nodes.titles)],
            schema=COMBINATIONS,
        )
        files.write_table(combinations_file(directory), table)
        access.record(directory.restricted, "look", {"what": "flags"})
    shown = [
        Worth(**{name: w[name] for name in Worth.__dataclass_fields__})
        for w in _combined(worth, rows, nodes, nodes.shown)
    ]
    return Flags(
        label=label,
        label_kind=None if rows.label is None else rows.label.kind,
        threshold=compared.threshold,
        flagged_values=tuple(flagged),
        concern_by=_concern_by(directory, facets),
        expected_by=None if label is None else ("policy" if classes is not None else CONCERN),
        conversations=len(rows),
        judged=0 if compared.judged is None else len(compared.judged),
        concern_known=int(np.count_nonzero(rows.concern)),
        rates=compared.rates,
        spread=None if compared.norm is None else round(compared.norm.spread, DIGITS),
        correlation=None if compared.norm is None else round(compared.norm.correlation, DIGITS),
        clusters=_clusters(nodes, compared),
        agreement=_agreement(nodes, compared),
        thresholds=compared.thresholds,
        combinations=shown,
        policy_by=by,
        rules=counts,
    )


def _concern_by(directory: RunDirectory, facets: Facets) -> str | None:
    if CONCERN not in {f.name for f in facets.asked}:
        return None
    settings = settings_from(directory.state.settings)
    return "rules" if settings.model_for_facets is None else "model"


def _worth(rows: Rows, nodes: Nodes) -> list[Combination]:
    none = np.full(len(rows), -1)
    refused, values = rows.answers.get(REFUSED, (none, ()))
    yes = values.index("True") if "True" in values else -2
    asked = Asked(
        account=rows.account,
        leaf=rows.leaf,
        concern=np.where(rows.concern > 0, rows.concern, -1),
        language=rows.answers.get(LANGUAGE, (none, ()))[0],
        refused=np.where(refused >= 0, (refused == yes).astype(np.int64), -1),
        day=rows.day,
    )
    return combinations(asked, nodes.of_leaf, nodes.levels)


def _combined(
    worth: Sequence[Combination], rows: Rows, nodes: Nodes, titles: Sequence[str | None]
) -> list[dict[str, Any]]:
    languages = rows.answers.get(LANGUAGE, (None, ()))[1]
    return [
        {
            "cluster_id": nodes.ids[c.node],
            "level": int(nodes.levels[c.node]),
            "title": titles[c.node],
            "kind": c.kind,
            "value": languages[c.value] if c.value >= 0 else None,
            "accounts": c.accounts,
            "of": c.of,
            **{
                name: round(getattr(c, name), DIGITS)
                for name in ("expected", "ratio", "low", "high", "surprise", "q")
            },
        }
        for c in worth
    ]


def _table(label: str, facet: str, nodes: Nodes, compared: Comparison) -> pa.Table:
    def filled(values: NDArray[Any]) -> pa.Array:
        # What is not known is null in the file and not a number that sorts.
        return pa.array(
            np.round(values, 6) if values.dtype.kind == "f" else values, from_pandas=True
        )

    size = len(nodes)
    return (
        pa.table(
            {
                "label": pa.array([label] * size),
                "facet": pa.array([facet] * size),
                "cluster_id": pa.array(nodes.ids),
                "level": pa.array(nodes.levels),
                "title": pa.array(nodes.titles),
                **{
                    name: filled(compared.columns[name])
                    for name in FLAGS.names
                    if name in compared.columns
                },
                "kind": pa.array(compared.kinds, pa.string()),
            }
        )
        .select(FLAGS.names)
        .cast(FLAGS)
    )


def _clusters(nodes: Nodes, compared: Comparison) -> list[Compared]:
    if compared.norm is None:
        return []
    columns = compared.columns

    def shown(name: str, at: int) -> float:
        return round(float(columns[name][at]), DIGITS)

    found = [
        Compared(
            cluster_id=nodes.ids[at],
            level=int(nodes.levels[at]),
            title=nodes.shown[at],
            kind=compared.kinds[at],
            conversations=int(columns["conversations"][at]),
            accounts=int(columns["accounts"][at]),
            flagged=int(columns["flagged"][at]),
            share=shown("share", at),
            share_low=shown("share_low", at),
            share_high=shown("share_high", at),
            expected=shown("expected", at),
            gap=shown("gap", at),
            gap_low=shown("gap_low", at),
            gap_high=shown("gap_high", at),
            q=round(float(columns["q"][at]), 6),
            concern=number(columns["concern"][at]),
            concerning=number(columns["concerning"][at]),
            drift=number(columns["drift"][at]),
            drift_q=number(columns["drift_q"][at]),
        )
        for at in range(len(nodes))
        if columns["conversations"][at] > 0
    ]
    return sorted(found, key=lambda c: (c.kind is None, c.q, -abs(c.gap), c.cluster_id))


def _agreement(nodes: Nodes, compared: Comparison) -> list[Agreement]:
    if compared.norm is None:
        return []
    share, concern = compared.columns["share"], compared.columns["concern"]
    known = np.isfinite(share) & np.isfinite(concern)
    found = []
    for level in sorted(set(nodes.levels.tolist()) - {ROOT_LEVEL}, reverse=True):
        at = known & (nodes.levels == level)
        x, y = concern[at], share[at]
        told = len(x) >= 3 and len(np.unique(x)) > 1 and len(np.unique(y)) > 1
        found.append(
            Agreement(
                level=level,
                clusters=len(x),
                pearson=number(stats.pearsonr(x, y).statistic) if told else None,
                spearman=number(stats.spearmanr(x, y).statistic) if told else None,
            )
        )
    return found
