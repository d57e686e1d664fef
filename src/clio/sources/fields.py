"""Readers of single fields, shared by all row formats.

Each takes a decoded value and returns what `clio.conversation` wants, or raises `RejectedError`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from clio.conversation import Message, Role, content_digest
from clio.sources.rows import Origin, Reason, RejectedError

_ROLES: Final[Mapping[str, Role]] = {
    "user": Role.USER,
    "human": Role.USER,
    "prompter": Role.USER,
    "assistant": Role.ASSISTANT,
    "model": Role.ASSISTANT,
    "bot": Role.ASSISTANT,
    "chatbot": Role.ASSISTANT,
    "ai": Role.ASSISTANT,
    "gpt": Role.ASSISTANT,
    "chatgpt": Role.ASSISTANT,
    "bing": Role.ASSISTANT,
    "bard": Role.ASSISTANT,
    "claude": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "tool": Role.TOOL,
    "function": Role.TOOL,
    "ipython": Role.TOOL,
    "observation": Role.TOOL,
    "function_response": Role.TOOL,
    "tool_response": Role.TOOL,
    "tool_result": Role.TOOL,
}

TOOL_CALL: Final = "[tool call]"
TOOL_RESULT: Final = "[tool result]"
IMAGE: Final = "[image]"
AUDIO: Final = "[audio]"
VIDEO: Final = "[video]"
FILE: Final = "[file]"
OTHER_PART: Final = "[part]"

_TEXT_PARTS: Final = frozenset({"text", "input_text", "output_text", "refusal", "voice_note"})
# What a model thought, and a provider's bookkeeping: nobody said it to anybody.
_UNSAID_PARTS: Final = frozenset(
    {
        *("thinking", "redacted_thinking", "reasoning", "summary_text"),
        *("token_budget", "flag", "step-start"),
    }
)
_MARKS: Final[Mapping[str, str]] = {
    "image": IMAGE,
    "image_url": IMAGE,
    "image_file": IMAGE,
    "input_image": IMAGE,
    "file": FILE,
    "input_file": FILE,
    "document": FILE,
    "container_upload": FILE,
    "audio": AUDIO,
    "input_audio": AUDIO,
    "output_audio": AUDIO,
    "video": VIDEO,
    "video_url": VIDEO,
}
# Names that say what a part is where it has no type (Gemini).
_TYPELESS_MARKS: Final[Mapping[str, str]] = {
    "functionCall": TOOL_CALL,
    "function_call": TOOL_CALL,
    "executableCode": TOOL_CALL,
    "executable_code": TOOL_CALL,
    "functionResponse": TOOL_RESULT,
    "function_response": TOOL_RESULT,
    "codeExecutionResult": TOOL_RESULT,
    "code_execution_result": TOOL_RESULT,
}
# What OpenAI keeps beside a content.
_BESIDE: Final = frozenset({"tool_calls", "function_call", "refusal", "audio"})
_TYPELESS_MEDIA: Final = ("inlineData", "inline_data", "fileData", "file_data")

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
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**64:
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    raise RejectedError(reason)


def made_id(origin: Origin, messages: Sequence[Message]) -> str:
    """The id of a conversation that has none: SHA-256 of source, row and content."""
    key = f"{origin.source}\0{origin.line}\0{content_digest(messages)}"
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def content_id(given: str, messages: Sequence[Message]) -> str:
    """An id that is unique within its file only, made unique by the content.

    Rows that share the id and the content stay duplicates of each other; rows of two files that
    merely share a number do not meet.
    """
    return f"{given}-{content_digest(messages)[:12]}"


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
    """The turns from a list of ``{role, content}``, providers' own shapes included."""
    if value is None:
        raise RejectedError(Reason.NO_MESSAGES)
    if not isinstance(value, list):
        raise RejectedError(Reason.MESSAGES_NOT_A_LIST)
    turns: list[Message] = []
    for item in value:
        if not isinstance(item, dict):
            raise RejectedError(Reason.MESSAGE_NOT_AN_OBJECT)
        content = item.get("content")
        if isinstance(content, str) and _BESIDE.isdisjoint(item):
            turns.append(Message(role(item.get("role")), content))
        else:
            turns.extend(turn(item))
    return tuple(turns)


def turn(item: Mapping[str, Any], *, default: Role | None = None) -> list[Message]:
    """The message of a ``{role, content}``; two where a tool's results came with the user's words.

    Parameters
    ----------
    item
        Content stands under `content` or, as Gemini has it, `parts`; calls of tools may stand
        beside it.
    default
        The role where none is named.
    """
    named = item.get("role")
    speaker = default if named is None and default is not None else role(named)
    content = item.get("content")
    if content is None and "parts" in item:
        content = item["parts"]
    turns = []
    if speaker is Role.USER and isinstance(content, list):
        # Anthropic's and Gemini's users hand in the results of tools; they did not say them.
        results = [part for part in content if _is_result(part)]
        if results:
            turns.append(Message(Role.TOOL, text(results)))
            content = [part for part in content if not _is_result(part)]
            if not content:
                return turns
    pieces = [text(content)] if content is not None else []
    pieces.extend(_beside(item, spoken=bool(pieces and pieces[0])))
    turns.append(Message(speaker, "\n".join(piece for piece in pieces if piece)))
    return turns


def _beside(item: Mapping[str, Any], *, spoken: bool) -> list[str]:
    """What OpenAI's messages keep beside the content: calls, a refusal, what was said aloud."""
    calls = item.get("tool_calls")
    pieces = []
    if not spoken:
        refusal, audio = item.get("refusal"), item.get("audio")
        transcript = audio.get("transcript") if isinstance(audio, dict) else None
        pieces = [said for said in (refusal, transcript) if isinstance(said, str)]
    if isinstance(calls, list):
        pieces.extend(TOOL_CALL for _ in calls)
    elif item.get("function_call"):
        pieces.append(TOOL_CALL)
    return pieces


def role(value: Any) -> Role:
    """The role that a name stands for, providers' own names included."""
    if isinstance(value, str):
        found = _ROLES.get(value) or _ROLES.get(value.strip().lower())
        if found is not None:
            return found
    raise RejectedError(Reason.UNKNOWN_ROLE)


def text(content: Any) -> str:
    """Text of a content: itself, or of its parts; what is no text is a marked placeholder."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        pieces = (_part(part) for part in content)
        return "\n".join(piece for piece in pieces if piece is not None)
    raise RejectedError(Reason.BAD_CONTENT)


def _part(part: Any) -> str | None:
    """Text or placeholder of a part; ``None`` where nobody said it."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        raise RejectedError(Reason.BAD_CONTENT)
    kind = part.get("type")
    if kind is None:
        return _typeless(part)
    if not isinstance(kind, str):
        raise RejectedError(Reason.BAD_CONTENT)
    if kind in _TEXT_PARTS:
        said = part.get("refusal" if kind == "refusal" else "text")
        if said is None or isinstance(said, str):
            return said
        raise RejectedError(Reason.BAD_CONTENT)
    if kind in _UNSAID_PARTS:
        return None
    return _MARKS.get(kind) or tool_mark(kind) or OTHER_PART


def _typeless(part: Mapping[str, Any]) -> str | None:
    if part.get("thought") is True:
        return None
    said = part.get("text")
    if isinstance(said, str):
        return said
    for name, mark in _TYPELESS_MARKS.items():
        if part.get(name) is not None:
            return mark
    for name in _TYPELESS_MEDIA:
        media = part.get(name)
        if isinstance(media, dict):
            return media_mark(media.get("mimeType") or media.get("mime_type"))
    raise RejectedError(Reason.BAD_CONTENT)


def tool_mark(kind: str) -> str | None:
    """The placeholder of a tool's part, or ``None``.

    Providers name the parts of their own tools by these endings (``web_search_tool_result``).
    """
    kind = kind.replace("-", "_")
    if kind.endswith(("_result", "_output")):
        return TOOL_RESULT
    if kind.endswith(("_use", "_call")):
        return TOOL_CALL
    return None


def _is_result(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    kind = part.get("type")
    if isinstance(kind, str):
        return tool_mark(kind) is TOOL_RESULT
    return any(part.get(n) is not None for n, m in _TYPELESS_MARKS.items() if m is TOOL_RESULT)


def media_mark(mime: Any) -> str:
    """The placeholder of a file by its media type."""
    family = mime.partition("/")[0].lower() if isinstance(mime, str) else ""
    return {"image": IMAGE, "audio": AUDIO, "video": VIDEO}.get(family, FILE)


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


def known(**values: Any) -> dict[str, Any]:
    """Labels from fields of a foreign format: texts, numbers and truth values that are there."""
    return {name: value for name, value in values.items() if _is_known(value)}


def _is_known(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and abs(value) < 2**63


def flagged(moderation: Any) -> bool | None:
    """Whether any turn was flagged, from OpenAI's moderation of each; ``None`` without one."""
    if not isinstance(moderation, list):
        return None
    verdicts = [item.get("flagged") for item in moderation if isinstance(item, dict)]
    known_verdicts = [verdict for verdict in verdicts if isinstance(verdict, bool)]
    return any(known_verdicts) if known_verdicts else None


def _depth_over(value: Any, limit: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if limit == 0:
        return True
    inner = value.values() if isinstance(value, dict) else value
    return any(_depth_over(item, limit - 1) for item in inner)
