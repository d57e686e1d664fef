"""What no format recognised: read to say why it cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from clio.sources.rows import Origin, Reason, RejectedError, RowFormat

# Names that stand together in the files which come beside the conversations of an export.
_COMPANIONS: Final = (
    # Claude: users, projects, memories
    {"uuid", "full_name", "email_address"},
    {"uuid", "prompt_template", "is_starter_project"},
    {"conversations_memory", "account_uuid"},
    # ChatGPT: user, feedback, shared conversations, comparisons, videos
    {"id", "email", "chatgpt_plus_user"},
    {"conversation_id", "rating"},
    {"conversation_id", "is_anonymous"},
    {"evaluation_name", "conversation_id"},
    {"generations", "tasks"},
)


def _recognises(_record: Mapping[str, Any]) -> bool:
    return True


def _parse(record: Mapping[str, Any], _origin: Origin) -> NoReturn:
    # ChatGPT's group chats have one name alone, which is too common to look for among others.
    companion = record.keys() == {"chats"} or any(record.keys() >= n for n in _COMPANIONS)
    raise RejectedError(Reason.NO_CONVERSATION if companion else Reason.UNKNOWN_FORMAT)


UNKNOWN = RowFormat(name="unknown", recognises=_recognises, parse=_parse)
