"""Clio's own row: ``conversation_id``, ``user_id``, ``created_at``, ``messages``, ``labels``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from clio.conversation import Conversation
from clio.sources import fields
from clio.sources.rows import Origin, Reason, RowFormat

OWN_NAMES: Final = frozenset({"conversation_id", "user_id", "labels"})
"""Names that no other format puts beside ``messages``.

A row without them means the same to the format for providers' messages, which takes it.
"""


def _recognises(record: Mapping[str, Any]) -> bool:
    return "messages" in record and not OWN_NAMES.isdisjoint(record)


def _parse(record: Mapping[str, Any], origin: Origin) -> Conversation:
    messages = fields.messages(record.get("messages"))
    given = fields.text_id(record.get("conversation_id"), Reason.BAD_ID)
    return Conversation(
        conversation_id=fields.made_id(origin, messages) if given is None else given,
        user_id=fields.text_id(record.get("user_id"), Reason.BAD_USER),
        created_at=fields.time(record.get("created_at")),
        messages=messages,
        labels=fields.labels(record.get("labels")),
    )


OWN = RowFormat(name="Clio", recognises=_recognises, parse=_parse)
