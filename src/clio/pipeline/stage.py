"""What a stage is: a step that reads what earlier stages wrote and writes its own tables."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import orjson

from clio.conversation import Outcome
from clio.embedding import Embedder, is_installed, load_embedder
from clio.pipeline import files
from clio.pipeline.progress import Progress
from clio.pipeline.run_directory import RunDirectory
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
    """

    directory: RunDirectory
    settings: Settings
    inputs: Inputs
    progress: Progress
    engine: LocalEngine = field(default_factory=LocalEngine)
    _embedder: Embedder | None = None

    @property
    def embedder(self) -> Embedder:
        """The embedder of the run, loaded when first used."""
        if self._embedder is None:
            self._embedder = load_embedder(embedder_name(self))
        return self._embedder

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
    wanted = wants_multilingual(context.directory)
    return "multilingual" if wanted and is_installed("multilingual") else "minilm"


def wants_multilingual(directory: RunDirectory) -> bool:
    """Whether so many conversations are in other languages that MiniLM does not do."""
    foreign: float = directory.state.stages["texts"].details["foreign_share"]
    return foreign >= MIN_FOREIGN_SHARE


def rows_of(state: RunDirectory, stage: str) -> int:
    """How many rows an earlier stage handed on."""
    return state.state.stages[stage].rows_out
