"""Leaves get titles and summaries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from clio.describing import Description, Members, describe_groups
from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import Context, Report, Stage
from clio.pipeline.stages.cluster import leaf_centroids_file
from clio.pipeline.stages.samples import MIN_USERS, Sample, sample_members
from clio.pipeline.stages.texts import FACET
from clio.privacy.wording import SENSITIVE
from clio.settings import Thresholds


def leaf_descriptions_file(directory: RunDirectory) -> Path:
    """``title``, ``summary``, ``fallback_titles`` of each leaf, in order."""
    return directory.work / FACET.name / "leaf_descriptions.parquet"


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


def _run(context: Context) -> Report:
    directory = context.directory
    centroids = np.load(leaf_centroids_file(directory))
    sample = sample_members(
        directory,
        np.arange(len(centroids), dtype=np.int32),
        thresholds=context.settings.thresholds(),
    )
    descriptions = describe_groups(
        as_members(sample),
        centroids,
        embed=context.embedder.embed,
        min_accounts=max(MIN_USERS, context.settings.thresholds().word_accounts),
        sensitive=sensitive_words(context.settings.thresholds()),
    )
    files.write_table(
        leaf_descriptions_file(directory), pa.table(description_columns(descriptions))
    )
    context.progress.advanced(len(descriptions))
    return Report(rows_in=len(centroids), rows_out=len(descriptions))


DESCRIBE = Stage(
    name="describe",
    run=_run,
    outputs=lambda d: [leaf_descriptions_file(d)],
    depends=lambda c: {
        "describe": c.settings.describe,
        "word_accounts": c.settings.thresholds().word_accounts,
        "sensitive_word_accounts": c.settings.thresholds().sensitive_word_accounts,
        "top1_share": c.settings.thresholds().top1_share,
        "publishable": c.settings.thresholds().publishable,
    },
    version=2,
    total=lambda c: (c.directory.state.stages["cluster"].details["leaves"], "clusters"),
)
