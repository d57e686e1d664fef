"""ShareGPT rows: ``conversations`` of ``{from, value}``, and what data sets made of them.

Turns may also stand under ``conversation`` or ``items``, and be ``{role, content}``. Texts are left
as they are, HTML included.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from clio.conversation import Conversation, Message, Role
from clio.sources import fields
from clio.sources.rows import Origin, Reason, RejectedError, RowFormat

_PLACES: Final = ("conversations", "conversation", "items")
_CALLS: Final = frozenset({"function_call", "function-call", "tool_call", "tool_calls"})
# Research data sets keep ``{role, content}`` under ``conversation`` too, with these beside it.
_OTHERS: Final = frozenset({"conversation_hash", "conversation_id", "timestamp"})


def _place(record: Mapping[str, Any]) -> str | None:
    """Where the turns are, or ``None`` in a row of another format."""
    for name in _PLACES:
        turns = record.get(name)
        if not isinstance(turns, list):
            continue
        if not turns:
            return name if name == "conversations" else None
        first = turns[0]
        if not isinstance(first, dict):
            return None
        if "from" in first and "value" in first:
            return name
        if "role" in first and (
            name == "conversations" or (name == "conversation" and _OTHERS.isdisjoint(record))
        ):
            return name
    return None


def _recognises(record: Mapping[str, Any]) -> bool:
    return "messages" not in record and _place(record) is not None


def _parse(record: Mapping[str, Any], origin: Origin) -> Conversation:
    place = _place(record)
    if place is None:
        raise RejectedError(Reason.NO_MESSAGES)
    turns: list[Message] = []
    system = record.get("system")
    if isinstance(system, str) and system.strip():
        turns.append(Message(Role.SYSTEM, system))
    for item in record[place]:
        if not isinstance(item, dict):
            raise RejectedError(Reason.MESSAGE_NOT_AN_OBJECT)
        turns.extend([_turn(item)] if "from" in item else fields.turn(item))
    messages = tuple(turns)
    given = fields.text_id(record.get("id"), Reason.BAD_ID)
    return Conversation(
        conversation_id=fields.made_id(origin, messages)
        if given is None
        else fields.content_id(given, messages),
        user_id=None,
        created_at=None,
        messages=messages,
        labels=fields.known(
            model=record.get("model"),
            stated_language=record.get("lang") or record.get("language"),
        ),
    )


def _turn(item: Mapping[str, Any]) -> Message:
    speaker = item["from"]
    if isinstance(speaker, str) and speaker in _CALLS:
        return Message(Role.ASSISTANT, fields.TOOL_CALL)
    if isinstance(speaker, str):
        speaker = speaker.replace("-", "_")
    return Message(fields.role(speaker), fields.text(item.get("value")))


SHAREGPT = RowFormat(name="ShareGPT", recognises=_recognises, parse=_parse)
