"""Rows of the input become conversations under pseudonyms; every row gets an entry in a ledger."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from clio.conversation import Conversation, Outcome, content_digest, normalise_text
from clio.errors import InputError
from clio.pipeline import files
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import Context, Report, Stage
from clio.privacy.pseudonyms import make_key, pseudonym, text_account
from clio.sources import Row, read

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


def _hash64(text: str) -> int:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big")


class _Shard:
    """Rows gathered for one part of the ledger and of the conversations."""

    def __init__(self) -> None:
        self.ledger: list[dict[str, Any]] = []
        self.conversations: list[dict[str, Any]] = []
        self.size = 0

    def write(self, directory: RunDirectory, index: int) -> None:
        # The ledger's part comes last: it says that the shard is whole.
        name = files.part_name(index, ".parquet")
        files.write_table(
            conversations_folder(directory) / name,
            pa.Table.from_pylist(self.conversations, schema=CONVERSATIONS),
        )
        files.write_table(
            ledger_folder(directory) / name, pa.Table.from_pylist(self.ledger, schema=LEDGER)
        )


class _Reader:
    def __init__(self, context: Context, key: bytes) -> None:
        self.context = context
        self.directory = context.directory
        self.key = key
        self.contents: dict[int, int] = {}
        self.rows = 0
        self.shards = 0

    def restore(self) -> None:
        """Take up the shards that an interrupted attempt finished."""
        for part in files.parts(ledger_folder(self.directory)):
            table = files.read_table(part, columns=["id_hash", "content_hash"])
            for identity, content in zip(*(c.to_pylist() for c in table.columns), strict=True):
                if identity is not None:
                    self.contents.setdefault(identity, content)
            self.rows += table.num_rows
            self.shards += 1
        for part in files.parts(conversations_folder(self.directory))[self.shards :]:
            files.remove(part)

    def run(self) -> None:
        self.restore()
        progress = self.context.progress
        progress.advanced(self.rows)
        shard = _Shard()
        for row in read(self.context.inputs, skip=self.rows):
            self.add(shard, row)
            if len(shard.ledger) >= self.context.settings.shard_rows or shard.size >= SHARD_BYTES:
                shard.write(self.directory, self.shards)
                self.shards += 1
                progress.advanced(len(shard.ledger))
                shard = _Shard()
        if shard.ledger or self.shards == 0:
            shard.write(self.directory, self.shards)
            progress.advanced(len(shard.ledger))

    def add(self, shard: _Shard, row: Row) -> None:
        conversation = row.conversation
        entry: dict[str, Any] = {
            "row": self.rows,
            "file": row.file,
            "line": row.line,
            "conversation_id": conversation.conversation_id if conversation else None,
            "id_hash": None,
            "content_hash": None,
            "named_account": None,
            "outcome": None,
            "reason": row.reason,
        }
        self.rows += 1
        shard.ledger.append(entry)
        if conversation is None:
            entry["outcome"] = Outcome.REJECTED.value
            return
        identity = _hash64(conversation.conversation_id)
        content = int(content_digest(conversation.messages)[:16], 16)
        known = self.contents.get(identity)
        if known is not None:
            same = known == content
            entry["outcome"] = (Outcome.DUPLICATE if same else Outcome.REJECTED).value
            entry["reason"] = (
                "same id and content as an earlier row"
                if same
                else "conversation_id was used before with other content"
            )
            return
        self.contents[identity] = content
        entry["id_hash"], entry["content_hash"] = identity, content
        entry["named_account"] = conversation.user_id is not None
        if not conversation.requester_turns():
            entry["outcome"] = Outcome.SKIPPED.value
            entry["reason"] = "nothing a requester said"
            return
        stored = self._stored(conversation)
        shard.conversations.append(stored)
        shard.size += sum(len(m["content"]) for m in stored["messages"])

    def _stored(self, conversation: Conversation) -> dict[str, Any]:
        if conversation.user_id is not None:
            account = conversation.user_id
            name = pseudonym(self.key, account)
        else:
            text = normalise_text("\n".join(conversation.requester_turns()))
            name = pseudonym(self.key, text_account(text))
        created_at = conversation.created_at
        return {
            "conversation_id": conversation.conversation_id,
            "account": name,
            "created_at": None if created_at is None else created_at.astimezone(UTC),
            "messages": [
                {"role": m.role.value, "content": m.content} for m in conversation.messages
            ],
            "labels": orjson.dumps(dict(conversation.labels), option=orjson.OPT_SORT_KEYS).decode(),
        }


def _run(context: Context) -> Report:
    directory = context.directory
    key = directory.private_key()
    if key is None:
        key = make_key()
        directory.write_private_key(key)
    reader = _Reader(context, key)
    reader.run()

    ledger = files.read_table(ledger_folder(directory))
    counts = Counter(ledger["outcome"].to_pylist())
    rejected = ledger.filter(pa.compute.equal(ledger["outcome"], Outcome.REJECTED.value))
    files.write_json_lines(
        directory.private / "rejected.jsonl",
        rejected.select(["file", "line", "conversation_id", "reason"]).to_pylist(),
    )
    accepted = counts.pop(None, 0)
    if accepted == 0:
        found = ", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items())) or "no rows"
        raise InputError(
            f"no conversation in the input: {found}; "
            f"the reasons stand in {directory.private / 'rejected.jsonl'}"
        )
    live = ledger.filter(pa.compute.is_null(ledger["outcome"]))
    named = pa.compute.sum(live["named_account"]).as_py() or 0
    basis = "ids" if named == accepted else "none" if named == 0 else "mixed"
    return Report(
        rows_in=ledger.num_rows,
        rows_out=accepted,
        outcomes={Outcome(name): n for name, n in sorted(counts.items())},
        details={"account_basis": basis},
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
        "shard_rows": c.settings.shard_rows,
    },
    total=lambda _: (None, "rows"),
)
