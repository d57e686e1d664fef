"""What a stage is: a step that reads what earlier stages wrote and writes its own tables."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import orjson

from clio.analysts import Analyst, load_analyst
from clio.analysts.ledger import public_name
from clio.analysts.model import ModelAnalyst
from clio.conversation import Outcome
from clio.embedding import Embedder, is_installed, load_embedder
from clio.facet import Facet
from clio.pipeline import files
from clio.pipeline.facets import Facets, facets_of
from clio.pipeline.models import Models
from clio.pipeline.progress import Progress
from clio.pipeline.run_directory import RunDirectory
from clio.privacy.scrub import finds
from clio.settings import Settings
from clio.sources import Inputs

SQL_MEMORY = "1GB"
"""SQL spills to disk beyond this."""

Task = TypeVar("Task")
Result = TypeVar("Result")


class LocalEngine:
    """Runs a function over shards, one after the other, in this process.

    The function must depend on its task alone, so that another engine can run it elsewhere. The
    heavy parts of a shard (matrix products, the embedder, SQL) use all cores by themselves.
    """

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Results of `function` over `tasks`, in order."""
        return map(function, tasks)


@dataclass
class Context:
    """What a stage is given.

    Attributes
    ----------
    directory
        The run: paths and recorded state.
    settings
        Settings of the run.
    inputs
        Files of the input, in order, and what was passed over among them.
    progress
        Told of what happens.
    engine
        Runs functions over shards.
    sending
        Told where texts go, before the first one leaves the machine.
    """

    directory: RunDirectory
    settings: Settings
    inputs: Inputs
    progress: Progress
    engine: LocalEngine = field(default_factory=LocalEngine)
    sending: Callable[[str], None] | None = None

    @cached_property
    def embedder(self) -> Embedder:
        """The embedder of the run, loaded when first used."""
        return load_embedder(embedder_name(self))

    @cached_property
    def facets(self) -> Facets:
        """The facets of the run."""
        return facets_of(self.settings)

    @cached_property
    def models(self) -> Models:
        """The language models of the run; none is opened before it is asked."""
        return Models(self.settings, self.directory.private, self.sending, self.progress.waiting)

    @cached_property
    def analyst(self) -> Analyst:
        """Who answers facets."""
        settings, name = self.settings, self.settings.model_for_facets
        if name is None:
            return load_analyst(settings.analyst)
        return ModelAnalyst(
            self.models.asker(name),
            self.facets.asked,
            key=self.models.key(),
            identifiers=finds,
            screen=settings.screen,
            language=settings.language,
            max_tokens=settings.conversation_tokens,
            name=public_name(name),
        )

    def sql(self) -> duckdb.DuckDBPyConnection:
        """A fresh in-memory database that spills to the run's private folder."""
        files.make_private(self.directory.temporary)
        return duckdb.connect(
            ":memory:",
            config={
                "temp_directory": str(self.directory.temporary),
                "memory_limit": SQL_MEMORY,
            },
        )

    def cluster_id(self, facet: str, number: int) -> str:
        """The opaque, public id of a cluster."""
        return f"{facet}-{number}"


@dataclass(frozen=True)
class Report:
    """What a stage says when its output stands."""

    rows_in: int
    rows_out: int
    outcomes: dict[Outcome, int] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """A step of the pipeline.

    Attributes
    ----------
    name
        In ``run.json`` and on the progress display.
    run
        Does the work. It finds shards of an earlier, interrupted attempt with the same
        fingerprint in place and keeps them.
    outputs
        Paths that it writes; removed before it starts over.
    depends
        Values that change its result, beside the stages before it.
    total
        How many units it will go through and what they are called; for progress.
    version
        Rises when the code gives other results.
    """

    name: str
    run: Callable[[Context], Report]
    outputs: Callable[[RunDirectory], list[Path]]
    depends: Callable[[Context], dict[str, Any]]
    total: Callable[[Context], tuple[int | None, str]]
    version: int = 1

    def fingerprint(self, context: Context, previous: str) -> str:
        """Digest of all that decides the stage's output, earlier stages included."""
        parts = {
            "stage": self.name,
            "version": self.version,
            "depends": self.depends(context),
            "previous": previous,
        }
        return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def facet_outputs(directory: RunDirectory, *names: str) -> list[Path]:
    """Files of these names in the working folders of all facets, also of those asked no more."""
    return [path for name in names for path in sorted(directory.work.glob(f"*/{name}"))]


def facet_details(directory: RunDirectory, stage: str, facet: str) -> dict[str, Any]:
    """What a stage recorded of one facet."""
    details: dict[str, Any] = directory.state.stages[stage].details["facets"][facet]
    return details


def answered_facets(context: Context) -> list[Facet]:
    """The clustered facets that any conversation has an answer to, the primary one first."""
    known = context.directory.state.stages["texts"].details["facets"]
    return [f for f in context.facets.clustered if known[f.name]["distinct_texts"]]


def distinct_texts(context: Context) -> int:
    """Distinct answers to all clustered facets together."""
    known = context.directory.state.stages["texts"].details["facets"]
    return sum(details["distinct_texts"] for details in known.values())


def facets_report(reports: Mapping[str, Report], **details: Any) -> Report:
    """The report of a stage that went through several facets: the rows are the first one's."""
    first = next(iter(reports.values()))
    parts = {facet: report.details for facet, report in reports.items()}
    return Report(
        first.rows_in, first.rows_out, first.outcomes, details={"facets": parts, **details}
    )


MIN_FOREIGN_SHARE = 0.2
"""From this share of conversations in other languages than English on, ``auto`` wants an embedder
that knows them."""


def embedder_name(context: Context) -> str:
    """The embedder of a run: the one that was named, or what ``auto`` finds fit.

    ``auto`` is MiniLM, which ships and knows English, unless many conversations are in other
    languages and the embedder that knows them is installed.
    """
    if context.settings.embedder != "auto":
        return context.settings.embedder
    wanted = wants_multilingual(context)
    return "multilingual" if wanted and is_installed("multilingual") else "minilm"


def wants_multilingual(context: Context) -> bool:
    """Whether so many conversations are in other languages that MiniLM does not do."""
    return foreign_share(context) >= MIN_FOREIGN_SHARE


def foreign_share(context: Context) -> float:
    """The share of answers to the primary facet that are in other languages than English."""
    details = facet_details(context.directory, "texts", context.facets.primary.name)
    return float(details["foreign_share"])


def rows_of(state: RunDirectory, stage: str) -> int:
    """How many rows an earlier stage handed on."""
    return state.state.stages[stage].rows_out
