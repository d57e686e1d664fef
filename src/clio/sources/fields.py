"""Readers of single fields, shared by all row formats.

Each takes a decoded value and returns what `clio.conversation` wants, or raises `RejectedError`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from clio.conversation import Message, Role, content_digest
from clio.sources.rows import Origin, Reason, RejectedError

_ROLES: Final[Mapping[str, Role]] = {
    "user": Role.USER,
    "human": Role.USER,
    "assistant": Role.ASSISTANT,
    "model": Role.ASSISTANT,
    "bot": Role.ASSISTANT,
    "gpt": Role.ASSISTANT,
    "ai": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "tool": Role.TOOL,
    "function": Role.TOOL,
}

TOOL_CALL: Final = "[tool call]"
_TEXT_PARTS: Final = frozenset({"text", "input_text", "output_text"})
_MARKS: Final[Mapping[str, str]] = {
    "image": "[image]",
    "image_url": "[image]",
    "input_image": "[image]",
    "tool_use": TOOL_CALL,
    "tool_call": TOOL_CALL,
    "function_call": TOOL_CALL,
    "tool_result": "[tool result]",
    "function_call_output": "[tool result]",
    "file": "[file]",
    "input_file": "[file]",
    "document": "[file]",
    "audio": "[audio]",
    "input_audio": "[audio]",
    "video": "[video]",
}
_OTHER_PART: Final = "[part]"

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
# Numbers are read as seconds or milliseconds since 1970 where they mean a day from 2000 to 2099;
# the two ranges do not meet, so a number has one reading or none.
_FIRST_SECOND: Final = 946_684_800
_LAST_SECOND: Final = 4_102_444_800

_MAX_LABEL_DEPTH: Final = 32


def text_id(value: Any, reason: Reason) -> str | None:
    """An id as text; ``None`` where it is absent or blank.

    Whole numbers become their digits, also where a column of numbers with gaps came as floats.
    """
    if isinstance(value, str):
        return value if value.strip() else None
    if value is None or value != value:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    raise RejectedError(reason)


def made_id(origin: Origin, messages: Sequence[Message]) -> str:
    """The id of a conversation that has none: SHA-256 of source, row and content."""
    key = f"{origin.source}\0{origin.line}\0{content_digest(messages)}"
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def time(value: Any) -> datetime | None:
    """A moment in UTC from ISO 8601 text, a date, or seconds or milliseconds since 1970.

    Where no zone is given it is UTC. Numbers count only where they have one plausible reading.
    """
    if value is None or value == "" or value != value:
        return None
    try:
        moment = _moment(value)
    except (ValueError, OverflowError):
        raise RejectedError(Reason.BAD_TIME) from None
    if moment is None:
        raise RejectedError(Reason.BAD_TIME)
    if not _EARLIEST <= moment < _LATEST:
        raise RejectedError(Reason.TIME_OUT_OF_RANGE)
    return moment


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        text = value.strip()
        if text.isascii() and text.isdigit() and len(text) != 8:
            return _from_epoch(int(text[:20]))
        value = datetime.fromisoformat(text)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_epoch(value)
    return None


def _from_epoch(number: float) -> datetime | None:
    if _FIRST_SECOND <= number < _LAST_SECOND:
        return datetime.fromtimestamp(number, UTC)
    if _FIRST_SECOND * 1000 <= number < _LAST_SECOND * 1000:
        return datetime.fromtimestamp(number / 1000, UTC)
    return None


def messages(value: Any) -> tuple[Message, ...]:
    """The turns from a list of ``{role, content}``."""
    if value is None:
        raise RejectedError(Reason.NO_MESSAGES)
    if not isinstance(value, list):
        raise RejectedError(Reason.MESSAGES_NOT_A_LIST)
    turns = []
    for item in value:
        if not isinstance(item, dict):
            raise RejectedError(Reason.MESSAGE_NOT_AN_OBJECT)
        content = item.get("content")
        if not isinstance(content, str) or "tool_calls" in item:
            content = _content(content, item)
        turns.append(Message(role(item.get("role")), content))
    return tuple(turns)


def role(value: Any) -> Role:
    """The role that a name stands for, providers' own names included."""
    if isinstance(value, str):
        found = _ROLES.get(value) or _ROLES.get(value.strip().lower())
        if found is not None:
            return found
    raise RejectedError(Reason.UNKNOWN_ROLE)


def _content(content: Any, item: Mapping[str, Any]) -> str:
    """Text of a message; whatever is not text stands as a marked placeholder."""
    if content is None:
        pieces = []
    elif isinstance(content, str):
        pieces = [content]
    elif isinstance(content, list):
        pieces = [_part(part) for part in content]
    else:
        raise RejectedError(Reason.BAD_CONTENT)
    calls = item.get("tool_calls")
    if isinstance(calls, list):
        pieces.extend(TOOL_CALL for _ in calls)
    elif item.get("function_call"):
        pieces.append(TOOL_CALL)
    return "\n".join(pieces)


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        raise RejectedError(Reason.BAD_CONTENT)
    kind = part.get("type")
    if kind is None or kind in _TEXT_PARTS:
        text = part.get("text")
        if isinstance(text, str):
            return text
        raise RejectedError(Reason.BAD_CONTENT)
    if not isinstance(kind, str):
        raise RejectedError(Reason.BAD_CONTENT)
    mark = _MARKS.get(kind)
    if mark is not None:
        return mark
    # Providers name the parts of their own tools by these endings ("web_search_tool_result").
    if kind.endswith(("_result", "_output")):
        return "[tool result]"
    if kind.endswith(("_use", "_call")):
        return TOOL_CALL
    return _OTHER_PART


def labels(value: Any) -> dict[str, Any]:
    """What the owner knows about a conversation: JSON values by name."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RejectedError(Reason.BAD_LABELS)
    for item in value.values():
        if isinstance(item, dict | list) and _depth_over(item, _MAX_LABEL_DEPTH):
            raise RejectedError(Reason.LABELS_TOO_DEEP)
    return value


def _depth_over(value: Any, limit: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if limit == 0:
        return True
    inner = value.values() if isinstance(value, dict) else value
    return any(_depth_over(item, limit - 1) for item in inner)
