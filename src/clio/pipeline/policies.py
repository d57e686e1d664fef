"""A usage policy in a run: which rule each conversation is against, by a model or by closeness."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.embedding import load_embedder
from clio.pipeline import files
from clio.pipeline.facets import Facets
from clio.pipeline.judging import Nodes, Rows, shares
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.embed import vector_parts
from clio.release.schema import ROOT_LEVEL
from clio.safety.policy import NO_RULE, POLICY, closest_rules, read_policy

CLOSENESS: Final = "closeness"
MODEL: Final = "model"
_DIGITS: Final = 4

Ids = NDArray[np.int64]
Classes = tuple[Ids, tuple[str, ...]]

RULES: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("rule", "by", "facet", "cluster_id")),
        ("level", pa.int64()),
        ("title", pa.string()),
        *((name, pa.int64()) for name in ("conversations", "accounts")),
        *((name, pa.float64()) for name in ("share", "low", "high")),
    ]
)
"""One row a rule and cluster with any conversation against it, and one a rule for all."""


def rules_file(directory: RunDirectory) -> Path:
    """How often each rule of a policy was met, by cluster."""
    return directory.restricted / "policy.parquet"


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often a rule was met.

    Attributes
    ----------
    rule
        Its name.
    conversations, accounts
        Counts.
    share, low, high
        Of all, with a 95 % interval by account.
    """

    rule: str
    conversations: int
    accounts: int
    share: float
    low: float
    high: float


def classify(
    directory: RunDirectory, facets: Facets, facet: str, rows: Rows, policy: Path | None
) -> tuple[Classes | None, str | None]:
    """Which rule each conversation is against, and who says so.

    Parameters
    ----------
    directory, facets, facet
        The run, its facets, and the one whose texts are compared.
    rows
        Its conversations, with the answers to `POLICY` where the run has any.
    policy
        A file of rules to hold the texts against; without one a model's answers are taken.

    Returns
    -------
    classes
        A number a conversation, `NO_RULE` for none, and the rules' names; ``None`` for no policy.
    by
        ``closeness``, ``model`` or ``None``.

    Raises
    ------
    SettingsError
        The file is no policy.
    """
    if policy is not None:
        rules = read_policy(policy)
        name = directory.state.stages["embed"].details["embedder"]
        numbers, _ = closest_rules(
            rules, lambda: vector_parts(directory, facet), load_embedder(name).embed
        )
        return (numbers[rows.text], tuple(rule.name for rule in rules)), CLOSENESS
    if POLICY not in rows.answers:
        return None, None
    numbers, values = rows.answers[POLICY]
    names = next(f.options for f in facets.asked if f.name == POLICY)[1:]
    at = np.array([names.index(v) if v in names else NO_RULE for v in values] + [NO_RULE])
    return (at[numbers].astype(np.int64), names), MODEL


def write_rules(
    directory: RunDirectory, facet: str, rows: Rows, nodes: Nodes, classes: Classes, by: str
) -> list[RuleCount]:
    """Write the table of rules; how often each was met in all."""
    records, counts = [], []
    for at, name in enumerate(classes[1]):
        against = classes[0] == at
        found = shares(rows.account, rows.leaf, nodes.of_leaf, against)
        for node in range(len(nodes)):
            leaves = nodes.of_leaf[:, [node]].nonzero()[0]
            own = rows.account[against & np.isin(rows.leaf, leaves)]
            is_root = nodes.levels[node] == ROOT_LEVEL
            if not len(own) and not is_root:
                continue
            low, high = float(found.low[node]), float(found.high[node])
            count = RuleCount(
                name,
                len(own),
                len(np.unique(own)),
                *(round(v, _DIGITS) for v in (float(found.value[node]), low, high)),
            )
            if is_root:
                counts.append(count)
            records.append(
                {
                    **asdict(count),
                    "by": by,
                    "facet": facet,
                    "cluster_id": nodes.ids[node],
                    "level": int(nodes.levels[node]),
                    "title": nodes.titles[node],
                }
            )
    files.write_table(rules_file(directory), pa.Table.from_pylist(records, schema=RULES))
    return counts
