"""The data card of an export: what was measured, on what, how it is protected, what it is not.

Written twice: ``datacard.json`` for programs, ``DATACARD.md`` for people who decide with it.
Like the export it is a function of what is published, so it gives nothing further away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict

from clio.exporting.accounting import Parts, Spend
from clio.exporting.content import Content
from clio.exporting.noise import deviation
from clio.pipeline.exporting import ROWS_OF_ACCOUNT
from clio.release.schema import ROOT_ID, ReleaseInfo

JSON: Final = "datacard.json"

_UNITS: Final = {
    "ids": "one account, with all of its conversations",
    "none": "one distinct text: the corpus has no account ids, and one person may stand behind "
    "many texts",
    "mixed": "one account where a conversation has an account id, else one distinct text",
}
_PAPER: Final = (
    "Method after Tamkin et al., Clio: Privacy-Preserving Insights into Real-World AI Use, "
    "arXiv:2412.13678, 2024."
)
_NOT_COVERED: Final = (
    "Whoever did not use this assistant in the period, and conversations left out before the run. "
    "Shares are of conversations with this assistant, not of people and not of all uses of AI.",
    "Uses too rare to be shown safely. They count in their parent's 'other', under no name: what "
    "is not listed is not absent.",
    "Whether a conversation did what it was for, or did any good or harm. Titles and summaries "
    "describe groups of requests, not any single one.",
    "Errors of the grouping. Clusters are made by a computer from the words of requests; a few "
    "members of each fit badly, and another run may draw borders elsewhere.",
    "Change over time beyond what the trends show. Clusters of another run have other borders, and "
    "their counts cannot be compared by name.",
)
_BY_THRESHOLDS: Final = (
    "Protection is by thresholds, suppression and a check of every word. It is tested and "
    "attacked, but it is no mathematical guarantee against someone who knows much already; an "
    "export with --epsilon has one for its counts.",
    "Differences to other publications over overlapping conversations.",
)
_BY_NOISE: Final = (
    "The taxonomy. The guarantee is for counts given the taxonomy: which clusters there are, their "
    "titles, summaries and places, the values of dimensions and the calendar come from the gated "
    "release, and are protected by its thresholds and by its check of every word instead.",
    "Means of measures, alerts, the density map, what was withheld, rows by outcome, other "
    "clustered facets and dimensions of which a conversation has several values: their numbers are "
    "not in this export.",
    "Heavy users' weight. Of each account at most three conversations count, each in another leaf, "
    "so that shares are nearer to shares of people than the release's are.",
    "What other runs over the same conversations publish, and releases without --epsilon: they "
    "spend beside this.",
)


_LARGEST: Final = 10


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Measurement(_Model):
    """One noised measurement: its ε, and the standard deviation of the noise in each count."""

    of: str
    epsilon: float
    noise: float


class Formal(_Model):
    """The guarantee of differential privacy.

    Attributes
    ----------
    epsilon, delta
        Of this export.
    export
        Its number among those of the run.
    epsilon_of_run, delta_of_run
        Of all differentially private exports of the run so far, this one included.
    neighbours
        What the guarantee hides.
    given
        What it does not cover.
    conversations_of_account
        At most so many conversations of an account count.
    measurements
        How ε was split.
    """

    epsilon: float
    delta: float
    export: int
    epsilon_of_run: float
    delta_of_run: float
    neighbours: str = "the presence of any one account, with all of its conversations"
    given: str = "the taxonomy: clusters and their words, values of dimensions, the calendar"
    conversations_of_account: int = ROWS_OF_ACCOUNT
    measurements: list[Measurement]


class Group(_Model):
    """A cluster of the top level: its share of all conversations, with its 95 % interval."""

    title: str
    share: float
    low: float
    high: float


class Part(_Model):
    """A table of the export, and the meaning of its columns."""

    table: str
    holds: str
    rows: int
    columns: dict[str, str]


class DataCard(_Model):
    """Contents of ``datacard.json``.

    Attributes
    ----------
    title
        Of the export.
    form
        ``site``, ``csv``, ``parquet`` or ``index``.
    release
        What the release says of itself, as in ``release.json``.
    digest
        SHA-256 over the release's files, or ``None`` under differential privacy.
    unit_of_privacy
        Whom the protection is for.
    differential_privacy
        The formal guarantee, or ``None``.
    largest
        The largest groups of the primary facet.
    tables
        Of the release; in the forms ``csv`` and ``parquet`` each is a file.
    not_covered
        What must not be read into the numbers, a sentence or two each.
    cite
        How to name this data.
    """

    title: str
    form: str
    release: ReleaseInfo
    digest: str | None
    unit_of_privacy: str
    differential_privacy: Formal | None
    largest: list[Group]
    tables: list[Part]
    not_covered: list[str]
    cite: str


def formal(parts: Parts, spend: Spend, *, export: int, run: tuple[float, float]) -> Formal:
    """The guarantee in the words of a data card.

    Parameters
    ----------
    parts, spend
        Of the export.
    export
        Its number.
    run
        ``(ε, δ)`` of all exports of the run, this one included.
    """
    each = parts.leaves / ROWS_OF_ACCOUNT
    found = [_measurement("leaves", parts.leaves, 1, each)]
    if parts.levels:
        found.append(_measurement("each level above", parts.levels[0], ROWS_OF_ACCOUNT))
    if parts.dimensions:
        found.append(_measurement("each dimension", parts.dimensions[0], ROWS_OF_ACCOUNT))
    if parts.trends:
        found.append(_measurement("trends", parts.trends, ROWS_OF_ACCOUNT))
    return Formal(
        epsilon=spend.epsilon,
        delta=spend.delta,
        export=export,
        epsilon_of_run=round(run[0], 6),
        delta_of_run=run[1],
        measurements=found,
    )


def _measurement(
    of: str, epsilon: float, sensitivity: int, noised: float | None = None
) -> Measurement:
    wide = deviation(sensitivity, epsilon if noised is None else noised)
    return Measurement(of=of, epsilon=round(epsilon, 6), noise=round(wide, 1))


def data_card(content: Content, form: str, guarantee: Formal | None) -> DataCard:
    """The data card of an export.

    Parameters
    ----------
    content
        What is exported.
    form
        As what.
    guarantee
        Of differential privacy, where there is one.
    """
    info = content.info
    further = _BY_THRESHOLDS if info.privacy.epsilon is None else _BY_NOISE
    return DataCard(
        title=f"What an AI assistant was used for{when(info)}",
        form=form,
        release=info,
        digest=content.digest,
        unit_of_privacy=_UNITS[info.account_basis],
        differential_privacy=guarantee,
        largest=_largest(content),
        tables=[
            Part(
                table=name,
                holds=_doc(table.schema.metadata),
                rows=table.num_rows,
                columns={field.name: _doc(field.metadata) for field in table.schema},
            )
            for name, table in content.tables.items()
        ],
        not_covered=[*_NOT_COVERED, *further],
        cite=_cite(info, content.digest),
    )


def _largest(content: Content) -> list[Group]:
    """Clusters right under the root, the largest first."""
    primary = next((facet.name for facet in content.info.facets if facet.primary), None)
    rows = [
        row
        for row in content.tables["clusters"].to_pylist()
        if row["facet"] == primary and row["parent_id"] is None and row["cluster_id"] != ROOT_ID
    ]
    rows.sort(key=lambda row: (-row["conversations"], row["title"]))
    return [
        Group(title=r["title"], share=r["share"], low=r["share_low"], high=r["share_high"])
        for r in rows[:_LARGEST]
    ]


def when(info: ReleaseInfo) -> str:
    """The period as the end of a sentence."""
    if info.period is None:
        return ""
    return f", {info.period.first.isoformat()} to {info.period.last.isoformat()}"


def _cite(info: ReleaseInfo, digest: str | None) -> str:
    kept = f" of at least {info.totals.accounts:,} accounts" if info.totals.accounts else ""
    privacy = info.privacy
    formally = (
        "" if privacy.epsilon is None else f", differential privacy epsilon {privacy.epsilon:g}"
    )
    named = "" if digest is None else f" SHA-256 {digest}."
    return (
        f"Clio {info.clio_version}, release {info.number}: {info.totals.conversations:,} "
        f"conversations{kept}{when(info)}. Analyst {info.analyst}, embedder {info.embedder}, "
        f"privacy preset {info.preset}{formally}.{named} {_PAPER}"
    )


def _doc(metadata: Mapping[bytes, bytes] | None) -> str:
    return (metadata or {}).get(b"doc", b"").decode()
