"""LMSYS-Chat-1M rows: conversations of the Vicuna demo and Chatbot Arena, without accounts.

Zheng et al., "LMSYS-Chat-1M: A Large-Scale Real-World LLM Conversation Dataset", ICLR 2024.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clio.conversation import Conversation
from clio.sources import fields
from clio.sources.rows import Origin, Reason, RowFormat


def _recognises(record: Mapping[str, Any]) -> bool:
    if "conversation" not in record or "conversation_id" not in record:
        return False
    if "conversation_hash" in record or "timestamp" in record:
        return False
    turns = record["conversation"]
    told = isinstance(turns, list) and turns and isinstance(turns[0], dict) and "from" in turns[0]
    return not told and ("model" in record or "openai_moderation" in record)


def _parse(record: Mapping[str, Any], origin: Origin) -> Conversation:
    messages = fields.messages(record.get("conversation"))
    given = fields.text_id(record.get("conversation_id"), Reason.BAD_ID)
    return Conversation(
        conversation_id=fields.made_id(origin, messages) if given is None else given,
        user_id=None,
        created_at=None,
        messages=messages,
        labels=fields.known(
            model=record.get("model"),
            stated_language=record.get("language"),
            redacted=record.get("redacted"),
            flagged=fields.flagged(record.get("openai_moderation")),
        ),
    )


LMSYS = RowFormat(name="LMSYS-Chat-1M", recognises=_recognises, parse=_parse)
