"""Conversations become facets: computed ones, and the analyst's answers, scrubbed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clio.analysts import Analyst, Answer, load_analyst
from clio.conversation import Conversation, Message, Outcome, Role
from clio.errors import FailuresError
from clio.facet import Facet
from clio.facets import ASKED, COMPUTED
from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import Context, Report, Stage, rows_of
from clio.pipeline.stages.read import conversations_folder
from clio.privacy.scrub import scrub

_ARROW = {"text": pa.string(), "category": pa.string(), "number": pa.int64(), "boolean": pa.bool_()}


def all_facets() -> tuple[Facet, ...]:
    """Every facet of a run, asked ones first."""
    return (*ASKED, *(computed.facet for computed in COMPUTED))


FACETS = pa.schema(
    [
        ("conversation_id", pa.string()),
        *((facet.name, _ARROW[facet.kind]) for facet in all_facets()),
    ]
)
FAILURES = pa.schema(
    [("conversation_id", pa.string()), ("outcome", pa.string()), ("reason", pa.string())]
)


def facets_folder(directory: RunDirectory) -> Path:
    """One row a conversation that was answered, one column a facet."""
    return directory.private / "facets.parquet"


def unanswered_folder(directory: RunDirectory) -> Path:
    """Conversations that ended in this stage, with outcome and reason."""
    return directory.work / "unanswered.parquet"


@dataclass(frozen=True)
class _Task:
    source: Path
    facets: Path
    unanswered: Path


def load_conversations(table: pa.Table) -> list[Conversation]:
    """Conversations of a part, without accounts and labels, which facets must not see."""
    return [
        Conversation(
            conversation_id=row["conversation_id"],
            user_id=None,
            created_at=row["created_at"],
            messages=tuple(Message(Role(m["role"]), m["content"]) for m in row["messages"]),
        )
        for row in table.to_pylist()
    ]


def _values(conversation: Conversation, answer: Answer) -> dict[str, Any]:
    values: dict[str, Any] = {"conversation_id": conversation.conversation_id}
    for facet in ASKED:
        value = answer.values.get(facet.name)
        # What an analyst wrote may repeat what a requester let slip.
        values[facet.name] = scrub(value) if isinstance(value, str) else value
    for computed in COMPUTED:
        values[computed.facet.name] = computed.compute(conversation)
    return values


def _facets_of_shard(task: _Task, analyst: Analyst) -> None:
    columns = ["conversation_id", "created_at", "messages"]
    conversations = load_conversations(files.read_table(task.source, columns=columns))
    rows, unanswered = [], []
    for conversation, answer in zip(conversations, analyst.answer(conversations), strict=True):
        if answer.outcome is Outcome.ASSIGNED:
            rows.append(_values(conversation, answer))
        else:
            unanswered.append(
                {
                    "conversation_id": conversation.conversation_id,
                    "outcome": answer.outcome.value,
                    "reason": answer.reason,
                }
            )
    files.write_table(task.unanswered, pa.Table.from_pylist(unanswered, schema=FAILURES))
    files.write_table(task.facets, pa.Table.from_pylist(rows, schema=FACETS))


def _tasks(directory: RunDirectory) -> Iterator[_Task]:
    for source in files.parts(conversations_folder(directory)):
        yield _Task(
            source,
            facets_folder(directory) / source.name,
            unanswered_folder(directory) / source.name,
        )


def _run(context: Context) -> Report:
    directory = context.directory
    analyst = load_analyst(context.settings.analyst)
    todo = []
    for task in _tasks(directory):
        if task.facets.is_file():
            context.progress.advanced(pq.read_metadata(task.source).num_rows)
        else:
            todo.append(task)
    done = context.engine.map(lambda task: _facets_of_shard(task, analyst), todo)
    for task, _ in zip(todo, done, strict=True):
        context.progress.advanced(pq.read_metadata(task.source).num_rows)

    unanswered = files.read_table(unanswered_folder(directory))
    counts = Counter(unanswered["outcome"].to_pylist())
    failed = unanswered.filter(pa.compute.equal(unanswered["outcome"], Outcome.FAILED.value))
    files.write_json_lines(
        directory.private / "failed.jsonl",
        failed.select(["conversation_id", "reason"]).to_pylist(),
    )
    rows_in = rows_of(directory, "read")
    share = counts[Outcome.FAILED.value] / rows_in
    if share > context.settings.max_failed_share:
        raise FailuresError(
            f"{share:.0%} of the conversations failed, more than max_failed_share allows "
            f"({context.settings.max_failed_share:.0%}); see {directory.private / 'failed.jsonl'}"
        )
    return Report(
        rows_in=rows_in,
        rows_out=rows_in - unanswered.num_rows,
        outcomes={Outcome(name): n for name, n in sorted(counts.items())},
    )


def _depends(context: Context) -> dict[str, Any]:
    analyst = load_analyst(context.settings.analyst)
    return {
        "analyst": [analyst.name, analyst.version],
        "facets": [[facet.name, facet.version] for facet in all_facets()],
    }


EXTRACT = Stage(
    name="facets",
    run=_run,
    outputs=lambda d: [
        facets_folder(d),
        unanswered_folder(d),
        d.private / "failed.jsonl",
    ],
    depends=_depends,
    total=lambda c: (rows_of(c.directory, "read"), "conversations"),
)
