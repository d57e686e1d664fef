"""Any conversation, written in any format that Clio reads.

What each format can carry differs; the functions say it. Text, order and role of the messages that
a format can hold are always kept.
"""

from __future__ import annotations

import gzip
import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from clio.conversation import Conversation, Message, Role, content_digest
from clio.testing.exports import chatgpt_record, claude_record, digest

_TOOL_CALL: Final = "[tool call]"
_CALL: Final[Mapping[str, Any]] = {"name": "look_up", "arguments": '{"query": "weather"}'}
_FIRST_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_SCALARS: Final = (str, bool, int, float)
_CATEGORIES: Final = ("harassment", "hate", "self-harm", "sexual", "violence")
_BATCH: Final = 1024

Record = dict[str, Any]


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def clio_record(conversation: Conversation) -> Record:
    """Clio's own row; carries everything."""
    return {
        "conversation_id": conversation.conversation_id,
        "user_id": conversation.user_id,
        "created_at": _iso(conversation.created_at),
        "messages": [{"role": m.role.value, "content": m.content} for m in conversation.messages],
        "labels": dict(conversation.labels),
    }


def _openai_message(message: Message, place: int) -> Record:
    if message.role is Role.ASSISTANT and message.content == _TOOL_CALL:
        call = {"id": f"call_{place}", "type": "function", "function": dict(_CALL)}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    if message.role is Role.TOOL:
        return {"role": "tool", "tool_call_id": f"call_{place - 1}", "content": message.content}
    if place % 3 == 1:
        return {"role": message.role.value, "content": [{"type": "text", "text": message.content}]}
    return {"role": message.role.value, "content": message.content}


def openai_record(conversation: Conversation) -> Record:
    """A stored conversation of OpenAI's Chat Completions.

    Carries the account, the time to the second and from 2000 on, labels that are single values,
    and the id with the content's digest behind it.
    """
    moment = conversation.created_at
    labels = {k: v for k, v in conversation.labels.items() if isinstance(v, _SCALARS)}
    record: Record = {
        "id": conversation.conversation_id,
        "messages": [_openai_message(m, place) for place, m in enumerate(conversation.messages)],
        "model": labels.pop("model", "gpt-4o-mini"),
        "metadata": labels,
    }
    if moment is not None and moment >= _FIRST_EPOCH:
        record["created"] = int(moment.timestamp())
    if conversation.user_id is not None:
        record["user"] = conversation.user_id
    return record


def openai_log_record(conversation: Conversation) -> Record:
    """The same as a row of a log: the request, and the last answer as its response."""
    whole = openai_record(conversation)
    messages = whole.pop("messages")
    answered = bool(messages) and messages[-1]["role"] == "assistant"
    answer = messages.pop() if answered else {"role": "assistant", "content": None}
    request = {"model": whole["model"], "messages": messages, "metadata": whole["metadata"]}
    if "user" in whole:
        request["user"] = whole["user"]
    choice = {"index": 0, "message": answer, "finish_reason": "stop", "logprobs": None}
    response = {
        "id": whole["id"],
        "object": "chat.completion",
        "created": whole.get("created", 0),
        "model": whole["model"],
        "choices": [choice] if answered else [],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }
    return {"request": request, "response": response}


def _moderation(conversation: Conversation, turns: int) -> list[Record]:
    flagged = bool(conversation.labels.get("flagged", False))
    verdict = {
        "categories": dict.fromkeys(_CATEGORIES, flagged),
        "category_scores": dict.fromkeys(_CATEGORIES, 0.9 if flagged else 0.01),
        "flagged": flagged,
    }
    return [verdict] * turns


def _dialogue(conversation: Conversation) -> list[Message]:
    return [m for m in conversation.messages if m.role in (Role.USER, Role.ASSISTANT)]


def wildchat_record(conversation: Conversation) -> Record:
    """A row of WildChat-1M.

    Carries the account, the time, what user and assistant said, and of the labels those of the
    format. Its hash is of the content, so ids differ where the given ones do but are not the same.
    """
    labels, said = conversation.labels, _dialogue(conversation)
    about = {
        "country": labels.get("country"),
        "state": labels.get("state"),
        "hashed_ip": conversation.user_id,
        "header": {"accept-language": "en-US,en;q=0.9", "user-agent": "Mozilla/5.0"},
    }
    nobody = {**dict.fromkeys(about), "header": {"accept-language": None, "user-agent": None}}
    first = digest(conversation.conversation_id) % 2**40
    shared = {
        "language": labels.get("stated_language", "English"),
        "toxic": bool(labels.get("toxic", False)),
        "redacted": bool(labels.get("redacted", False)),
    }
    moment = _iso(conversation.created_at)
    return {
        "conversation_hash": content_digest(said)[:32],
        "model": labels.get("model", "gpt-3.5-turbo-0301"),
        "timestamp": moment,
        "conversation": [
            {
                "content": message.content,
                "role": message.role.value,
                **shared,
                **(about if message.role is Role.USER else nobody),
                "timestamp": None if message.role is Role.USER else moment,
                "turn_identifier": first + place,
            }
            for place, message in enumerate(said)
        ],
        "turn": (len(said) + 1) // 2,
        **shared,
        "openai_moderation": _moderation(conversation, len(said)),
        "detoxify_moderation": [{"toxicity": 0.01, "insult": 0.01}] * len(said),
        **about,
    }


def lmsys_record(conversation: Conversation) -> Record:
    """A row of LMSYS-Chat-1M; carries the id, what user and assistant said, the format's labels."""
    labels, said = conversation.labels, _dialogue(conversation)
    return {
        "conversation_id": conversation.conversation_id,
        "model": labels.get("model", "vicuna-13b"),
        "conversation": [{"content": m.content, "role": m.role.value} for m in said],
        "turn": (len(said) + 1) // 2,
        "language": labels.get("stated_language", "English"),
        "openai_moderation": _moderation(conversation, len(said)),
        "redacted": bool(labels.get("redacted", False)),
    }


def _sharegpt_turn(message: Message) -> Record:
    if message.role is Role.ASSISTANT and message.content == _TOOL_CALL:
        return {"from": "function_call", "value": orjson.dumps(dict(_CALL)).decode()}
    names = {Role.USER: "human", Role.ASSISTANT: "gpt", Role.TOOL: "observation"}
    return {"from": names.get(message.role, "system"), "value": message.content}


def sharegpt_record(conversation: Conversation) -> Record:
    """A row of ShareGPT; carries the messages, and the id with the content's digest behind it."""
    return {
        "id": conversation.conversation_id,
        "conversations": [_sharegpt_turn(message) for message in conversation.messages],
    }


Writer = Callable[[Iterable[Conversation]], Iterator[Record]]


def _each(record: Callable[[Conversation], Record]) -> Writer:
    def writer(conversations: Iterable[Conversation]) -> Iterator[Record]:
        return map(record, conversations)

    return writer


WRITERS: Final[Mapping[str, Writer]] = {
    "clio": _each(clio_record),
    "openai": _each(openai_record),
    "openai-log": _each(openai_log_record),
    "wildchat": _each(wildchat_record),
    "lmsys": _each(lmsys_record),
    "sharegpt": _each(sharegpt_record),
    "chatgpt": _each(chatgpt_record),
    "claude": _each(claude_record),
}
"""Records of each format, one a conversation, as a stream."""


def write(path: str | Path, conversations: Iterable[Conversation], format: str) -> None:
    """Write conversations to a file whose name says how its records are held.

    Parameters
    ----------
    path
        Ends with ``.jsonl``, ``.jsonl.gz``, ``.jsonl.zst``, ``.json`` (one array), ``.parquet``
        (Clio's, WildChat and LMSYS-Chat-1M) or ``.zip`` (an export with its other files; for other
        formats an archive of one ``.jsonl``).
    conversations
        May be a stream; only Parquet's row groups are held in memory.
    format
        One of `WRITERS`.

    Raises
    ------
    ValueError
        The name of the file or of the format is none of these.
    """
    path = Path(path)
    if format not in WRITERS:
        raise ValueError(f"format is one of {', '.join(WRITERS)}")
    records = WRITERS[format](conversations)
    if path.name.endswith(".parquet"):
        _write_parquet(path, records, format)
        return
    if path.name.endswith(".zip"):
        _write_zip(path, records, format)
        return
    with path.open("wb") as raw:
        if path.name.endswith(".jsonl"):
            _write_lines(raw, records)
        elif path.name.endswith(".jsonl.gz"):
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
                _write_lines(packed, records)
        elif path.name.endswith(".jsonl.zst"):
            with zstandard.ZstdCompressor().stream_writer(raw) as packed:
                _write_lines(packed, records)
        elif path.name.endswith(".json"):
            _write_array(raw, records)
        else:
            raise ValueError(f"{path.name} does not say how the records are to be held")


def _write_lines(file: IO[bytes] | gzip.GzipFile, records: Iterable[Record]) -> None:
    for record in records:
        file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def _write_array(file: IO[bytes], records: Iterable[Record]) -> None:
    separator = b"["
    for record in records:
        file.write(separator + orjson.dumps(record))
        separator = b","
    file.write(b"[]" if separator == b"[" else b"]")


def _companions(format: str) -> dict[str, Any]:
    """The files that come beside the conversations of an export."""
    person = hashlib.sha256(format.encode()).hexdigest()[:24]
    if format == "claude":
        user = {"uuid": person, "full_name": "A Person", "email_address": "person@example.com"}
        project = {
            "uuid": person,
            "name": "How to use Claude",
            "description": "",
            "is_private": False,
            "is_starter_project": True,
            "prompt_template": "",
            "created_at": "2024-08-01T09:00:00Z",
            "creator": {"uuid": person, "full_name": "A Person"},
            "docs": [],
        }
        return {"users.json": [user], "projects.json": [project]}
    return {
        "user.json": {
            "id": f"user-{person}",
            "email": "person@example.com",
            "chatgpt_plus_user": False,
            "phone_number": None,
        },
        "message_feedback.json": [
            {"id": person, "conversation_id": person, "rating": "thumbsUp", "content": "{}"}
        ],
        "shared_conversations.json": [
            {"id": person, "conversation_id": person, "title": "Shared", "is_anonymous": True}
        ],
        "model_comparisons.json": [],
    }


def _write_zip(path: Path, records: Iterable[Record], format: str) -> None:
    export = format in ("chatgpt", "claude")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        if not export:
            with archive.open(_member(f"{path.stem}.jsonl"), "w") as file:
                _write_lines(file, records)
            return
        with archive.open(_member("conversations.json"), "w") as file:
            _write_array(file, records)
        for name, content in _companions(format).items():
            archive.writestr(_member(name), orjson.dumps(content))
        if format == "chatgpt":
            archive.writestr(_member("chat.html"), "<html><body>ChatGPT Data Export</body></html>")


def _member(name: str) -> zipfile.ZipInfo:
    """A member with a fixed date, so that the same records make the same bytes."""
    member = zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0))
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


_MOMENT: Final = pa.timestamp("us", tz="UTC")
_TURN: Final = [("content", pa.string()), ("role", pa.string())]
_VERDICT: Final = pa.struct(
    [
        ("categories", pa.struct([(name, pa.bool_()) for name in _CATEGORIES])),
        ("category_scores", pa.struct([(name, pa.float64()) for name in _CATEGORIES])),
        ("flagged", pa.bool_()),
    ]
)
_ABOUT: Final = [
    ("country", pa.string()),
    ("state", pa.string()),
    ("hashed_ip", pa.string()),
    ("header", pa.struct([("accept-language", pa.string()), ("user-agent", pa.string())])),
]
_FLAGS: Final = [("language", pa.string()), ("toxic", pa.bool_()), ("redacted", pa.bool_())]
_SCORES: Final = pa.struct([("toxicity", pa.float64()), ("insult", pa.float64())])
_SCHEMAS: Final[Mapping[str, pa.Schema]] = {
    "clio": pa.schema(
        [
            ("conversation_id", pa.string()),
            ("user_id", pa.string()),
            ("created_at", _MOMENT),
            ("messages", pa.list_(pa.struct(_TURN))),
            ("labels", pa.string()),
        ]
    ),
    "wildchat": pa.schema(
        [
            ("conversation_hash", pa.string()),
            ("model", pa.string()),
            ("timestamp", _MOMENT),
            (
                "conversation",
                pa.list_(
                    pa.struct(
                        [
                            *_TURN,
                            *_FLAGS,
                            *_ABOUT,
                            ("timestamp", _MOMENT),
                            ("turn_identifier", pa.int64()),
                        ]
                    )
                ),
            ),
            ("turn", pa.int64()),
            *_FLAGS,
            ("openai_moderation", pa.list_(_VERDICT)),
            ("detoxify_moderation", pa.list_(_SCORES)),
            *_ABOUT,
        ]
    ),
    "lmsys": pa.schema(
        [
            ("conversation_id", pa.string()),
            ("model", pa.string()),
            ("conversation", pa.list_(pa.struct(_TURN))),
            ("turn", pa.int64()),
            ("language", pa.string()),
            ("openai_moderation", pa.list_(_VERDICT)),
            ("redacted", pa.bool_()),
        ]
    ),
}


def _write_parquet(path: Path, records: Iterator[Record], format: str) -> None:
    schema = _SCHEMAS.get(format)
    if schema is None:
        raise ValueError(f"in Parquet come {', '.join(_SCHEMAS)}, not {format}")
    with pq.ParquetWriter(path, schema) as file:
        batch: list[Record] = []
        for record in records:
            batch.append(_typed(record))
            if len(batch) == _BATCH:
                file.write_table(pa.Table.from_pylist(batch, schema=schema))
                batch = []
        if batch:
            file.write_table(pa.Table.from_pylist(batch, schema=schema))


def _typed(record: Record) -> Record:
    """A record with its times as times and, where it is Clio's, its labels as JSON text."""
    typed = dict(record)
    for name in ("created_at", "timestamp"):
        if isinstance(typed.get(name), str):
            typed[name] = datetime.fromisoformat(typed[name])
    if "labels" in typed:
        typed["labels"] = orjson.dumps(typed["labels"]).decode()
    if "conversation" in typed:
        typed["conversation"] = [_typed(turn) for turn in typed["conversation"]]
    return typed
