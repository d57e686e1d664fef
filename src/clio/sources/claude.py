"""Claude's export: ``conversations.json`` with ``chat_messages``.

Newer exports hold every branch of a conversation, told by ``parent_message_uuid``; read is the one
that ends with the last message. The export names its account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from clio.conversation import Conversation, Message, Role
from clio.sources import fields
from clio.sources.rows import Origin, Reason, RejectedError, RowFormat

# A long text pasted into the box is kept as an attachment without a name of the user's own.
_PASTE: Final = re.compile(r"\s*|paste(-\d+)?\.txt")
_IMAGES: Final = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".heic", ".bmp", ".svg")
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def _recognises(record: Mapping[str, Any]) -> bool:
    return "chat_messages" in record and "messages" not in record


def _parse(record: Mapping[str, Any], origin: Origin) -> Conversation:
    items = record.get("chat_messages")
    if items is None:
        raise RejectedError(Reason.NO_MESSAGES)
    if not isinstance(items, list):
        raise RejectedError(Reason.MESSAGES_NOT_A_LIST)
    if not all(isinstance(item, dict) for item in items):
        raise RejectedError(Reason.MESSAGE_NOT_AN_OBJECT)
    shown = _shown(items, record.get("current_leaf_message_uuid"))
    messages = tuple(
        Message(role, said) for item in shown for role, said in [_said(item)] if said.strip()
    )
    given = fields.text_id(record.get("uuid"), Reason.BAD_ID)
    account = record.get("account")
    owner = account.get("uuid") if isinstance(account, dict) else None
    project = record.get("project")
    return Conversation(
        conversation_id=fields.made_id(origin, messages) if given is None else given,
        user_id=fields.text_id(owner, Reason.BAD_USER) or f"claude-export:{origin.holder}",
        created_at=fields.time(record.get("created_at")),
        messages=messages,
        labels=fields.known(
            title=record.get("name"),
            model=record.get("model"),
            project=project.get("name") if isinstance(project, dict) else None,
        ),
    )


def _shown(items: list[dict[str, Any]], leaf: Any) -> list[dict[str, Any]]:
    """Messages of the branch that was shown last; all of them where there are no branches."""
    if not any("parent_message_uuid" in item for item in items):
        return items
    known = {item["uuid"]: item for item in items if isinstance(item.get("uuid"), str)}
    if not (isinstance(leaf, str) and leaf in known):
        leaf = _newest_leaf(items, known)
    branch: list[dict[str, Any]] = []
    seen: set[str] = set()
    while isinstance(leaf, str) and leaf in known and leaf not in seen:
        seen.add(leaf)
        branch.append(known[leaf])
        leaf = known[leaf].get("parent_message_uuid")
    branch.reverse()
    return branch or items


def _newest_leaf(items: list[dict[str, Any]], known: Mapping[str, Any]) -> str | None:
    """The message without replies that is latest; the later one in the file on a tie."""
    parents = (item.get("parent_message_uuid") for item in items)
    inner = {parent for parent in parents if isinstance(parent, str)}
    # A message of a cycle has replies; one is taken where no leaf is left.
    keys = [
        (name not in inner, _time(item.get("created_at")), place, name)
        for place, (name, item) in enumerate(known.items())
    ]
    return max(keys)[-1] if keys else None


def _time(value: Any) -> datetime:
    try:
        return fields.time(value) or _NEVER
    except RejectedError:
        return _NEVER


def _said(item: Mapping[str, Any]) -> tuple[Role, str]:
    """Who speaks and what: the text, the pasted texts, and a placeholder for each file."""
    content = item.get("content")
    said = fields.text(content) if isinstance(content, list) else ""
    if not said.strip():
        text = item.get("text")
        said = text if isinstance(text, str) else ""
    pieces = [said] if said.strip() else []
    for attachment in _objects(item.get("attachments")):
        name, pasted = attachment.get("file_name"), attachment.get("extracted_content")
        unnamed = name is None or (isinstance(name, str) and _PASTE.fullmatch(name))
        pieces.append(pasted if unnamed and isinstance(pasted, str) and pasted else fields.FILE)
    for file in _objects(item.get("files")):
        name = file.get("file_name")
        image = isinstance(name, str) and name.lower().endswith(_IMAGES)
        pieces.append(fields.IMAGE if image else fields.FILE)
    return fields.role(item.get("sender")), "\n".join(pieces)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


CLAUDE = RowFormat(name="Claude export", recognises=_recognises, parse=_parse)
