"""Rows of the input become conversations under pseudonyms; every row gets an entry in a ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from clio import filesystem
from clio.conversation import Conversation, Outcome, normalise_text
from clio.errors import InputError
from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.sifting import Sifter, condition
from clio.pipeline.stage import Context, Report, Stage
from clio.pipeline.tombstones import FORGOTTEN, Tombstones
from clio.privacy.pseudonyms import make_key, pseudonym, text_account
from clio.sources import Row, read

_REASONS_NAMED = 4
_NAMED_OF_A_KIND = 10

SHARD_BYTES = 32 * 1024 * 1024
"""A shard ends early when its messages reach this size, so that memory stays bounded."""

CONVERSATIONS = pa.schema(
    [
        ("conversation_id", pa.string()),
        ("account", pa.string()),
        ("created_at", pa.timestamp("us", tz="UTC")),
        (
            "messages",
            pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])),
        ),
        ("labels", pa.string()),
    ]
)
"""`labels` is the object as JSON text, since its keys differ from row to row."""

LEDGER = pa.schema(
    [
        ("row", pa.int64()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("conversation_id", pa.string()),
        ("id_hash", pa.uint64()),
        ("content_hash", pa.uint64()),
        ("named_account", pa.bool_()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
    ]
)
"""`outcome` is null for a row that goes on to the next stage."""


def ledger_folder(directory: RunDirectory) -> Path:
    """Where the entry of every row of the input lies."""
    return directory.work / "rows.parquet"


def conversations_folder(directory: RunDirectory) -> Path:
    """Where the conversations lie."""
    return directory.private / "conversations.parquet"


class _Shard:
    """Rows gathered for one part of the ledger and of the conversations."""

    def __init__(self) -> None:
        self.ledger: list[tuple[Any, ...]] = []
        self.conversations: list[tuple[Any, ...]] = []
        self.size = 0

    def write(self, directory: RunDirectory, index: int) -> None:
        # The ledger's part comes last: it says that the shard is whole.
        name = files.part_name(index, ".parquet")
        files.write_table(
            conversations_folder(directory) / name, _table(self.conversations, CONVERSATIONS)
        )
        files.write_table(ledger_folder(directory) / name, _table(self.ledger, LEDGER))


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


class _Reader:
    def __init__(self, context: Context, key: bytes) -> None:
        self.context = context
        self.directory = context.directory
        self.key = key
        self.sifter = Sifter(condition(context.settings))
        self.forgotten = Tombstones(context.directory)
        self.rows = 0
        self.shards = 0

    def restore(self) -> None:
        """Take up the shards that an interrupted attempt finished."""
        for part in files.parts(ledger_folder(self.directory)):
            table = files.read_table(part, columns=["id_hash", "content_hash"])
            for identity, content in zip(*(c.to_pylist() for c in table.columns), strict=True):
                if identity is not None:
                    self.sifter.remember(identity, content)
            self.rows += table.num_rows
            self.shards += 1
        for part in files.parts(conversations_folder(self.directory))[self.shards :]:
            filesystem.remove(part)

    def run(self) -> None:
        self.restore()
        progress = self.context.progress
        progress.advanced(self.rows)
        shard = _Shard()
        settings = self.context.settings
        for row in read(self.context.inputs, skip=self.rows, format=settings.format):
            self.add(shard, row)
            if len(shard.ledger) >= settings.shard_rows or shard.size >= SHARD_BYTES:
                shard.write(self.directory, self.shards)
                self.shards += 1
                progress.advanced(len(shard.ledger))
                shard = _Shard()
        if shard.ledger or self.shards == 0:
            shard.write(self.directory, self.shards)
            progress.advanced(len(shard.ledger))

    def add(self, shard: _Shard, row: Row) -> None:
        conversation = row.conversation
        sifted = self.sifter.sift(row)
        if conversation is not None and self.forgotten.holds(conversation.user_id):
            # Counted as when it was forgotten, and named no more than then.
            outcome, reason = sifted.outcome or Outcome.SKIPPED, sifted.reason or FORGOTTEN
            shard.ledger.append((self.rows, *[None] * (len(LEDGER) - 3), outcome.value, reason))
            self.rows += 1
            return
        shard.ledger.append(
            (
                self.rows,
                row.file,
                row.line,
                conversation.conversation_id if conversation else None,
                sifted.id_hash,
                sifted.content_hash,
                conversation.user_id is not None
                if conversation is not None and sifted.id_hash is not None
                else None,
                None if sifted.outcome is None else sifted.outcome.value,
                sifted.reason,
            )
        )
        self.rows += 1
        if conversation is None or sifted.outcome is not None:
            return
        shard.conversations.append(self._stored(conversation))
        shard.size += sum(len(message.content) for message in conversation.messages)

    def _stored(self, conversation: Conversation) -> tuple[Any, ...]:
        if conversation.user_id is not None:
            account = conversation.user_id
            name = pseudonym(self.key, account)
        else:
            text = normalise_text("\n".join(conversation.requester_turns()))
            name = pseudonym(self.key, text_account(text))
        created_at = conversation.created_at
        return (
            conversation.conversation_id,
            name,
            None if created_at is None else created_at.astimezone(UTC),
            [{"role": m.role.value, "content": m.content} for m in conversation.messages],
            orjson.dumps(dict(conversation.labels), option=orjson.OPT_SORT_KEYS).decode(),
        )


class _Tally:
    """Rows by outcome and reason, from the ledger's parts one after the other.

    Attributes
    ----------
    rows, accepted, named
        All rows, those that go on, and those of them whose account is known.
    reasons
        For each other outcome, rows by reason.
    """

    def __init__(self, directory: RunDirectory) -> None:
        self.rows = self.accepted = self.named = 0
        self.reasons: dict[str, Counter[str]] = {}
        for part in files.parts(ledger_folder(directory)):
            table = files.read_table(part, columns=["named_account", "outcome", "reason"])
            live = table.filter(pa.compute.is_null(table["outcome"]))
            self.rows += table.num_rows
            self.accepted += live.num_rows
            self.named += pa.compute.sum(live["named_account"]).as_py() or 0
            for row in (
                table.group_by(["outcome", "reason"]).aggregate([([], "count_all")]).to_pylist()
            ):
                if row["outcome"] is not None:
                    found = self.reasons.setdefault(row["outcome"], Counter())
                    found[row["reason"]] += row["count_all"]

    def of(self, outcome: Outcome) -> dict[str, int]:
        """Rows of an outcome by reason."""
        return dict(sorted(self.reasons.get(outcome.value, Counter()).items()))

    def sentence(self) -> str:
        """What the rows were, where none goes on: outcomes, each with its commonest reasons."""
        told = []
        for outcome, reasons in sorted(self.reasons.items()):
            common = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
            named = [f"{n:,} {reason}" for reason, n in common[:_REASONS_NAMED]]
            if len(common) == 1:
                named = [common[0][0]]
            more = ["others"] if len(common) > _REASONS_NAMED else []
            told.append(f"{reasons.total():,} {outcome} ({', '.join(named + more)})")
        return ", ".join(told) or "no rows"


def _rejected(directory: RunDirectory) -> Iterator[dict[str, Any]]:
    columns = ["file", "line", "conversation_id", "reason", "outcome"]
    for part in files.parts(ledger_folder(directory)):
        table = files.read_table(part, columns=columns)
        rows = table.filter(pa.compute.equal(table["outcome"], Outcome.REJECTED.value))
        yield from rows.select(columns[:-1]).to_pylist()


def _told(passed_over: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Name and kind of each file that was passed over; many of a kind are one entry."""
    names: dict[str, list[str]] = {}
    for name, what in passed_over:
        names.setdefault(what, []).append(name)
    return [
        [name, what]
        for what, found in names.items()
        for name in (found if len(found) <= _NAMED_OF_A_KIND else [f"{len(found):,} files"])
    ]


def _run(context: Context) -> Report:
    directory = context.directory
    key = directory.private_key()
    if key is None:
        key = make_key()
        directory.write_private_key(key)
    reader = _Reader(context, key)
    reader.run()

    files.write_json_lines(directory.private / "rejected.jsonl", _rejected(directory))
    tally = _Tally(directory)
    if tally.accepted == 0:
        raise InputError(
            f"no conversation in the input: {tally.sentence()}; "
            f"rejected rows are named in {directory.private / 'rejected.jsonl'}"
        )
    return Report(
        rows_in=tally.rows,
        rows_out=tally.accepted,
        outcomes={Outcome(name): n.total() for name, n in sorted(tally.reasons.items())},
        details={
            "account_basis": "ids"
            if tally.named == tally.accepted
            else "mixed"
            if tally.named
            else "none",
            "skipped": tally.of(Outcome.SKIPPED),
            "rejected": tally.of(Outcome.REJECTED),
            "passed_over": _told(context.inputs.passed_over),
        },
    )


READ = Stage(
    name="read",
    run=_run,
    outputs=lambda d: [
        conversations_folder(d),
        ledger_folder(d),
        d.private / "rejected.jsonl",
        d.private / "key",
    ],
    depends=lambda c: {
        "input": c.directory.state.input_fingerprint,
        "where": None if (found := condition(c.settings)) is None else found.expression,
        "format": c.settings.format,
        "shard_rows": c.settings.shard_rows,
    },
    total=lambda _: (None, "rows"),
)
