"""Conversations become facets: computed ones, and the analyst's answers, scrubbed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clio.analysts import Answer
from clio.conversation import Conversation, Message, Outcome, Role
from clio.errors import FailuresError
from clio.facet import Value
from clio.pipeline import files
from clio.pipeline.facets import Facets
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import Context, Report, Stage, rows_of
from clio.pipeline.stages.answering import answered
from clio.pipeline.stages.read import conversations_folder
from clio.privacy.scrub import scrub

FAILURES = pa.schema(
    [("conversation_id", pa.string()), ("outcome", pa.string()), ("reason", pa.string())]
)
CUT = pa.schema([("conversation_id", pa.string())])


def facets_folder(directory: RunDirectory) -> Path:
    """One row a conversation that was answered, one column a facet."""
    return directory.private / "facets.parquet"


def unanswered_folder(directory: RunDirectory) -> Path:
    """Conversations that ended in this stage, with outcome and reason."""
    return directory.work / "unanswered.parquet"


def cut_folder(directory: RunDirectory) -> Path:
    """Conversations of which the analyst saw the head and the tail only."""
    return directory.work / "cut.parquet"


@dataclass(frozen=True)
class _Task:
    source: Path
    facets: Path
    unanswered: Path
    cut: Path

    @property
    def rows(self) -> int:
        return int(pq.read_metadata(self.source).num_rows)


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


def scrubbed(conversation: Conversation) -> Conversation:
    """The conversation as a model may see it."""
    messages = tuple(Message(m.role, scrub(m.content)) for m in conversation.messages)
    return replace(conversation, messages=messages)


def _scrubbed(value: Value) -> Any:
    """An answer as it is kept: what an analyst wrote may repeat what a requester let slip."""
    if isinstance(value, tuple):
        return [scrub(part) for part in value]
    return scrub(value) if isinstance(value, str) else value


def _values(conversation: Conversation, answer: Answer, facets: Facets) -> dict[str, Any]:
    values: dict[str, Any] = {"conversation_id": conversation.conversation_id}
    for facet in facets.asked:
        values[facet.name] = _scrubbed(answer.values.get(facet.name))
    for computed in facets.computed:
        values[computed.facet.name] = computed.compute(conversation)
    return values


def _outcome(answer: Answer, facets: Facets) -> tuple[Outcome, str | None]:
    """How a conversation ends here: without the primary facet it has no place in any tree."""
    if answer.outcome is Outcome.ASSIGNED and not answer.values.get(facets.primary.name):
        return Outcome.SKIPPED, f"no answer to {facets.primary.name}"
    return answer.outcome, answer.reason


def _load(task: _Task) -> list[Conversation]:
    columns = ["conversation_id", "created_at", "messages"]
    return load_conversations(files.read_table(task.source, columns=columns))


def _write(
    task: _Task,
    conversations: Sequence[Conversation],
    answers: Sequence[Answer],
    facets: Facets,
) -> int:
    """Keep the answers of a shard; how many conversations failed."""
    rows, unanswered, cut = [], [], []
    for conversation, answer in zip(conversations, answers, strict=True):
        identity = conversation.conversation_id
        outcome, reason = _outcome(answer, facets)
        if outcome is Outcome.ASSIGNED:
            rows.append(_values(conversation, answer, facets))
        else:
            unanswered.append(
                {"conversation_id": identity, "outcome": outcome.value, "reason": reason}
            )
        if answer.cut:
            cut.append({"conversation_id": identity})
    files.write_table(task.cut, pa.Table.from_pylist(cut, schema=CUT))
    files.write_table(task.unanswered, pa.Table.from_pylist(unanswered, schema=FAILURES))
    # Last: it says that the shard is done.
    files.write_table(task.facets, pa.Table.from_pylist(rows, schema=facets.schema()))
    return sum(row["outcome"] == Outcome.FAILED.value for row in unanswered)


def _tasks(directory: RunDirectory) -> Iterator[_Task]:
    for source in files.parts(conversations_folder(directory)):
        yield _Task(
            source,
            facets_folder(directory) / source.name,
            unanswered_folder(directory) / source.name,
            cut_folder(directory) / source.name,
        )


class _Failures:
    """Counts failures, and ends the run as soon as there are more than it allows."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._rows = rows_of(context.directory, "read")
        self._failed = 0

    def add(self, failed: int) -> None:
        self._failed += failed
        share, allowed = self._failed / self._rows, self._context.settings.max_failed_share
        if share > allowed:
            directory = self._context.directory
            _write_failed(directory)
            raise FailuresError(
                f"{share:.0%} of the conversations failed, more than max_failed_share allows "
                f"({allowed:.0%}); see {directory.private / 'failed.jsonl'}"
            )


def _write_failed(directory: RunDirectory) -> pa.Table:
    """Write ``failed.jsonl``; all conversations that ended in this stage so far."""
    unanswered = files.read_table(unanswered_folder(directory))
    failed = unanswered.filter(pa.compute.equal(unanswered["outcome"], Outcome.FAILED.value))
    files.write_json_lines(
        directory.private / "failed.jsonl",
        failed.select(["conversation_id", "reason"]).to_pylist(),
    )
    return unanswered


def _answer_offline(context: Context, todo: Sequence[_Task], failures: _Failures) -> None:
    analyst, facets = context.analyst, context.facets

    def answer(task: _Task) -> int:
        conversations = _load(task)
        return _write(task, conversations, analyst.answer(conversations), facets)

    for task, failed in zip(todo, context.engine.map(answer, todo), strict=True):
        context.progress.advanced(task.rows)
        failures.add(failed)


def _answer_by_model(
    context: Context, model: str, todo: Sequence[_Task], failures: _Failures
) -> None:
    """Ask about all shards, and about those with awaited answers again when some have come."""
    settings, analyst = context.settings, context.analyst
    asker = context.models.open(model)
    told, lock = set[str](), Lock()

    def answer(conversations: Sequence[Conversation]) -> list[Answer]:
        found = analyst.answer([scrubbed(conversation) for conversation in conversations])
        with lock:
            if conversations[0].conversation_id not in told:
                told.add(conversations[0].conversation_id)
                context.progress.advanced(len(found))
        return found

    while todo:
        shards = answered(
            todo,
            load=_load,
            answer=answer,
            at_once=settings.concurrency,
            shard_rows=settings.shard_rows,
            stop=context.models.close,
        )
        waiting = []
        with closing(shards):
            for task, conversations, answers in shards:
                if answers is None:
                    waiting.append(task)
                else:
                    failures.add(_write(task, conversations, answers, context.facets))
        if waiting:
            asker.wait()
        todo = waiting


def _run(context: Context) -> Report:
    directory = context.directory
    failures = _Failures(context)
    todo = []
    for task in _tasks(directory):
        if task.facets.is_file():
            outcomes = files.read_table(task.unanswered, columns=["outcome"])["outcome"]
            failures.add(outcomes.to_pylist().count(Outcome.FAILED.value))
            context.progress.advanced(task.rows)
        else:
            todo.append(task)
    model = context.settings.model_for_facets
    if model is None:
        _answer_offline(context, todo, failures)
    elif todo:
        _answer_by_model(context, model, todo, failures)

    unanswered = _write_failed(directory)
    reasons = Counter(zip(*(unanswered[c].to_pylist() for c in ("outcome", "reason")), strict=True))
    counts = Counter(unanswered["outcome"].to_pylist())
    rows_in = rows_of(directory, "read")
    if counts[Outcome.FAILED.value] and unanswered.num_rows == rows_in:
        raise FailuresError(
            f"no conversation was answered, and {counts[Outcome.FAILED.value]:,} of {rows_in:,} "
            f"failed; see {directory.private / 'failed.jsonl'}"
        )
    cut = files.read_table(cut_folder(directory)).num_rows
    return Report(
        rows_in=rows_in,
        rows_out=rows_in - unanswered.num_rows,
        outcomes={Outcome(name): n for name, n in sorted(counts.items())},
        details={
            "skipped": {
                reason: n
                for (outcome, reason), n in sorted(reasons.items())
                if outcome == Outcome.SKIPPED.value
            },
            "cut": cut,
            "cut_share": round(cut / rows_in, 4),
        },
    )


EXTRACT = Stage(
    name="facets",
    run=_run,
    outputs=lambda d: [
        facets_folder(d),
        unanswered_folder(d),
        cut_folder(d),
        d.private / "failed.jsonl",
    ],
    depends=lambda c: {
        "analyst": [c.analyst.name, c.analyst.version],
        "facets": [[facet.name, facet.version] for facet in c.facets.all],
    },
    version=3,
    total=lambda c: (rows_of(c.directory, "read"), "conversations"),
)
