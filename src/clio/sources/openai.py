"""Rows of providers' programming interfaces: ``messages``, alone or in a log of what was sent.

Read are fine-tuning files, requests beside their responses (``request`` and ``response``, ``input``
and ``output``, a batch's ``body``, ``params``, ``response``, ``result``), OpenAI's Chat Completions
and Responses, Anthropic's Messages and Gemini's ``contents``. Of several choices the first counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from clio.conversation import Conversation, Message, Role
from clio.sources import fields
from clio.sources.own import OWN_NAMES
from clio.sources.rows import Origin, Reason, RejectedError, RowFormat

_REQUESTS: Final = ("request", "body", "params", "input")
_ANSWERS: Final = ("response", "output", "result", "completion")
_SYSTEM: Final = ("system", "instructions", "systemInstruction", "system_instruction")
_TIMES: Final = ("created_at", "created", "timestamp", "start_time", "startTime")
_IDS: Final = ("id", "custom_id", "request_id")
_USERS: Final = ("user", "safety_identifier", "end_user", "user_id")


def _recognises(record: Mapping[str, Any]) -> bool:
    if "messages" in record:
        return OWN_NAMES.isdisjoint(record)
    return _asks(record) or _envelope(record) is not None or _only_answers(record)


def _asks(record: Mapping[str, Any]) -> bool:
    """Whether the record itself is a request, or holds its fields."""
    if "messages" in record or isinstance(record.get("contents"), list):
        return True
    if not isinstance(record.get("input"), str | list):
        return False
    return record.get("object") == "response" or isinstance(record.get("output"), list)


def _envelope(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The request inside a log's row."""
    for name in _REQUESTS:
        inner = record.get(name)
        if isinstance(inner, dict) and (_asks(inner) or _asks_for_text(inner)):
            return inner
    return None


def _asks_for_text(request: Mapping[str, Any]) -> bool:
    """Whether it is a request of the Responses interface; embeddings are asked for alike."""
    model = request.get("model")
    return isinstance(model, str) and "embed" not in model and "input" in request


def _only_answers(record: Mapping[str, Any]) -> bool:
    """Whether it is an answer stored without its request, in which no requester says anything."""
    if "custom_id" in record:
        return "response" in record or "result" in record
    return record.get("object") == "chat.completion" and "choices" in record


def _parse(record: Mapping[str, Any], origin: Origin) -> Conversation:
    request = record if _asks(record) else _envelope(record) or {}
    reply = _reply(record)
    turns = [*_instructions(request), *_sent(request)]
    turns.extend(turn for turn in _answer(reply) if turn != (turns[-1] if turns else None))
    messages = tuple(turns)
    holders = (record, request, reply)
    given = fields.text_id(_first(holders, _IDS), Reason.BAD_ID)
    metadata = _metadata(record, request)
    account = _first(holders[:2], _USERS)
    if account is None:
        account = metadata.get("user_id")
    return Conversation(
        conversation_id=fields.made_id(origin, messages)
        if given is None
        else fields.content_id(given, messages),
        user_id=fields.text_id(account, Reason.BAD_USER),
        # Servers write 0 for a time that they do not know.
        created_at=fields.time(_first(holders, _TIMES) or None),
        messages=messages,
        labels={
            **fields.known(**{name: metadata[name] for name in metadata if name != "user_id"}),
            **fields.known(model=_first(holders, ("model",))),
        },
    )


def _first(holders: Iterable[Mapping[str, Any]], names: Iterable[str]) -> Any:
    """The first value that is there."""
    found = (holder.get(name) for holder in holders for name in names)
    return next((value for value in found if value is not None and value != ""), None)


def _metadata(*holders: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for holder in reversed(holders):
        metadata = holder.get("metadata")
        if isinstance(metadata, dict):
            merged.update((name, value) for name, value in metadata.items() if type(name) is str)
    return merged


def _instructions(request: Mapping[str, Any]) -> list[Message]:
    """What stands outside the messages as the system's part."""
    for name in _SYSTEM:
        value = request.get(name)
        if isinstance(value, dict):
            value = value.get("parts")
        if isinstance(value, str | list):
            text = fields.text(value)
            return [Message(Role.SYSTEM, text)] if text.strip() else []
    return []


def _sent(request: Mapping[str, Any]) -> Iterable[Message]:
    if "messages" in request:
        return fields.messages(request["messages"])
    contents = request.get("contents")
    if isinstance(contents, list):
        return _items(contents, Role.USER)
    return _items(request.get("input"), Role.USER)


def _items(value: Any, speaker: Role) -> list[Message]:
    """Messages of a list of the Responses interface: turns, calls and results beside each other."""
    if isinstance(value, str):
        return [Message(speaker, value)]
    if not isinstance(value, list):
        return []
    turns: list[Message] = []
    for item in value:
        if isinstance(item, str):
            turns.append(Message(speaker, item))
            continue
        if not isinstance(item, dict):
            raise RejectedError(Reason.MESSAGE_NOT_AN_OBJECT)
        kind = item.get("type", "message")
        if kind == "message":
            turns.extend(fields.turn(item, default=speaker))
        elif isinstance(kind, str) and (mark := fields.tool_mark(kind)) is not None:
            called = mark == fields.TOOL_CALL
            turns.append(Message(Role.ASSISTANT if called else Role.TOOL, mark))
    return turns


def _reply(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """What came back, out of its wrapping."""
    reply: Any = record
    if not any(name in record for name in ("choices", "candidates")):
        reply = next((record[name] for name in _ANSWERS if record.get(name) is not None), None)
    for wrapping in ("body", "message"):
        if isinstance(reply, dict) and isinstance(reply.get(wrapping), dict):
            reply = reply[wrapping]
    if isinstance(reply, dict):
        return reply
    # A bare text or list of items is what the Responses interface calls its output.
    return {"output": reply}


def _answer(reply: Mapping[str, Any]) -> list[Message]:
    """The assistant's turns; an error, or a shape that nobody knows, has none."""
    choices = reply.get("choices")
    if isinstance(choices, list):
        choice = choices[0] if choices and isinstance(choices[0], dict) else {}
        if isinstance(choice.get("message"), dict):
            return fields.turn(choice["message"], default=Role.ASSISTANT)
        return _items(choice.get("text"), Role.ASSISTANT)
    candidates = reply.get("candidates")
    if isinstance(candidates, list):
        first = candidates[0] if candidates and isinstance(candidates[0], dict) else {}
        content = first.get("content")
        return fields.turn(content, default=Role.ASSISTANT) if isinstance(content, dict) else []
    if reply.get("role") == "assistant" and "content" in reply:
        return fields.turn(reply)
    return _items(reply.get("output"), Role.ASSISTANT)


OPENAI = RowFormat(name="OpenAI messages", recognises=_recognises, parse=_parse)
