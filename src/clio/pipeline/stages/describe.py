"""Leaves get titles and summaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clio.analysts.ledger import public_name
from clio.describing import (
    Description,
    Members,
    describe_groups,
    describe_groups_by_model,
)
from clio.facet import Facet
from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import (
    Context,
    Report,
    Stage,
    answered_facets,
    facet_details,
    facet_outputs,
    facets_report,
)
from clio.pipeline.stages.cluster import leaf_centroids_file
from clio.pipeline.stages.contrasts import sample_outsiders
from clio.pipeline.stages.keywords import describe_from_keywords
from clio.pipeline.stages.samples import MIN_USERS, Sample, sample_members
from clio.privacy.scrub import finds
from clio.privacy.wording import SENSITIVE
from clio.settings import KEYWORDS, Thresholds


def leaf_descriptions_file(directory: RunDirectory, facet: str) -> Path:
    """``title``, ``summary``, ``fallback_titles`` of each leaf, in order."""
    return directory.work / facet / "leaf_descriptions.parquet"


def description_columns(descriptions: Sequence[Description]) -> dict[str, pa.Array]:
    """Descriptions as columns of a table."""
    return {
        "title": pa.array([d.title for d in descriptions], pa.string()),
        "summary": pa.array([d.summary for d in descriptions], pa.string()),
        "fallback_titles": pa.array(
            [list(d.fallback) for d in descriptions], pa.list_(pa.string())
        ),
    }


def as_members(sample: Sample) -> Members:
    """A sample in the form that the writers take."""
    return Members(
        texts=sample.texts, group=sample.group, account=sample.account, language=sample.language
    )


def sensitive_words(thresholds: Thresholds) -> Callable[[str], bool] | None:
    """Which words need more accounts than others; none where the conversations are one's own."""
    return SENSITIVE.__contains__ if thresholds.publishable else None


def stood_in(reasons: Iterable[str]) -> dict[str, Any]:
    """How many groups the offline writer describes in a model's place, by reason."""
    return {"stood_in": dict(sorted(Counter(reasons).items()))}


def _describe(context: Context, facet: Facet) -> Report:
    centroids = np.load(leaf_centroids_file(context.directory, facet.name))
    if context.settings.describe == KEYWORDS:
        leaves = np.arange(len(centroids), dtype=np.int32)
        descriptions, reasons = describe_from_keywords(context, facet, leaves)
        details = stood_in(reasons) if context.settings.model_for_titles is not None else {}
    else:
        descriptions, details = _from_members(context, facet, centroids)
    files.write_table(
        leaf_descriptions_file(context.directory, facet.name),
        pa.table(description_columns(descriptions)),
    )
    context.progress.advanced(len(descriptions))
    return Report(rows_in=len(centroids), rows_out=len(descriptions), details=details)


def _from_members(
    context: Context, facet: Facet, centroids: NDArray[np.float32]
) -> tuple[list[Description], dict[str, Any]]:
    """Descriptions by a writer that sees a sample of members, and what is recorded of it."""
    directory, thresholds = context.directory, context.settings.thresholds()
    members = as_members(
        sample_members(
            directory,
            facet.name,
            np.arange(len(centroids), dtype=np.int32),
            thresholds=thresholds,
        )
    )
    descriptions = describe_groups(
        members,
        centroids,
        embed=context.embedder.embed,
        min_accounts=max(MIN_USERS, thresholds.word_accounts),
        sensitive=sensitive_words(thresholds),
    )
    model, details = context.settings.model_for_titles, {}
    if model is not None:
        written = describe_groups_by_model(
            members,
            as_members(sample_outsiders(directory, facet.name, thresholds=thresholds)),
            centroids,
            embed=context.embedder.embed,
            asker=context.models.asker(model),
            key=context.models.key(),
            stand_ins=descriptions,
            facet=facet,
            min_accounts=max(MIN_USERS, thresholds.word_accounts),
            sensitive=sensitive_words(thresholds),
            language=context.settings.language,
            identifiers=finds,
            seed=context.settings.seed,
        )
        descriptions, details = written.descriptions, stood_in(written.stood_in.values())
    return descriptions, details


def _run(context: Context) -> Report:
    return facets_report({f.name: _describe(context, f) for f in answered_facets(context)})


def writer(context: Context) -> list[str | None]:
    """Who writes, for fingerprints: from keywords or not, the model and its language, or Clio."""
    settings, model = context.settings, context.settings.model_for_titles
    found: list[str | None] = [None]
    if model is not None:
        found = [public_name(model), settings.language]
    return [KEYWORDS, *found] if settings.describe == KEYWORDS else found


def _clusters(context: Context) -> int:
    """Leaves of all facets."""
    leaves = (
        facet_details(context.directory, "cluster", facet.name)["leaves"]
        for facet in answered_facets(context)
    )
    return sum(leaves)


DESCRIBE = Stage(
    name="describe",
    run=_run,
    outputs=lambda d: facet_outputs(d, "leaf_descriptions.parquet"),
    depends=lambda c: {
        "writer": writer(c),
        "seed": c.settings.seed if c.settings.model_for_titles else None,
        "facets": [[f.name, f.question] for f in answered_facets(c)],
        "word_accounts": c.settings.thresholds().word_accounts,
        "sensitive_word_accounts": c.settings.thresholds().sensitive_word_accounts,
        "top1_share": c.settings.thresholds().top1_share,
        "publishable": c.settings.thresholds().publishable,
    },
    version=5,
    total=lambda c: (_clusters(c), "clusters"),
)
