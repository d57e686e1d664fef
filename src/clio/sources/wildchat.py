"""WildChat rows (WildChat, WildChat-1M, WildChat-4.8M): requests to a public chatbot.

Zhao et al., "WildChat: 1M ChatGPT Interaction Logs in the Wild", ICLR 2024. The hashed address of
the sender is the account. ``conversation_hash`` is of the content alone, so accounts that sent the
same text share it; ``turn_identifier`` of the first turn tells them apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from clio.conversation import Conversation
from clio.sources import fields
from clio.sources.rows import Origin, Reason, RowFormat


def _recognises(record: Mapping[str, Any]) -> bool:
    return "conversation" in record and (
        "conversation_hash" in record or ("timestamp" in record and "toxic" in record)
    )


def _parse(record: Mapping[str, Any], origin: Origin) -> Conversation:
    messages = fields.messages(record.get("conversation"))
    turns: list[Mapping[str, Any]] = record["conversation"]
    account = fields.text_id(_first(record, turns, "hashed_ip"), Reason.BAD_USER)
    created_at = fields.time(_first(record, turns, "timestamp"))
    given = fields.text_id(
        record.get("conversation_hash") or record.get("conversation_id"), Reason.BAD_ID
    )
    if given is None:
        conversation_id = fields.made_id(origin, messages)
    else:
        tail = fields.text_id(_first({}, turns, "turn_identifier"), Reason.BAD_ID)
        if tail is None:
            # The account itself has no place in an id, which stands where accounts are pseudonyms.
            key = f"{given}\0{account}\0{created_at}".encode("utf-8", "replace")
            tail = hashlib.sha256(key).hexdigest()[:12]
        conversation_id = f"{given}-{tail}"
    return Conversation(
        conversation_id=conversation_id,
        user_id=account,
        created_at=created_at,
        messages=messages,
        labels=fields.known(
            model=record.get("model"),
            stated_language=record.get("language"),
            country=_first(record, turns, "country"),
            state=_first(record, turns, "state"),
            toxic=record.get("toxic"),
            redacted=record.get("redacted"),
            flagged=fields.flagged(record.get("openai_moderation")),
        ),
    )


def _first(record: Mapping[str, Any], turns: list[Mapping[str, Any]], name: str) -> Any:
    """The row's own value, or that of the first turn that has one."""
    values = (holder.get(name) for holder in (record, *turns))
    return next((value for value in values if value is not None and value != ""), None)


WILDCHAT = RowFormat(name="WildChat", recognises=_recognises, parse=_parse)
