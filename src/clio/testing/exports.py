"""Records as ChatGPT's and Claude's exports hold them, with all that comes around a conversation.

ChatGPT's are trees: a root without a message, hidden system nodes, custom instructions, reasoning,
calls of tools, and abandoned branches beside the one that was shown last. Claude's newer ones hold
branches too. Which of these a conversation gets depends on its id alone.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from clio.conversation import Conversation, Message, Role

ABANDONED: Final = "(a version that was edited away)"
"""Text of every branch that was not shown last; no reader of an export returns it."""

HIDDEN: Final = "(never shown)"
"""Text of every node that was hidden; no reader of an export returns it."""

_TOOL_CALL: Final = "[tool call]"
_MODEL: Final = "gpt-4o"
_ROOT: Final = "00000000-0000-4000-8000-000000000000"
_TURN: Final = timedelta(seconds=20)


def digest(*parts: str) -> int:
    """A number that depends on the texts alone."""
    key = "\0".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(key).digest()[:8], "big")


def _uuid(*parts: object) -> str:
    key = "\0".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return str(uuid.UUID(bytes=hashlib.sha256(key).digest()[:16], version=4))


def _moment(conversation: Conversation, turn: float) -> datetime | None:
    began = conversation.created_at
    return None if began is None else began + turn * _TURN


def _epoch(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class _Tree:
    """ChatGPT's ``mapping``, grown node by node."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.nodes: dict[str, Any] = {}
        self.at: str | None = None
        self.model = conversation.labels.get("model", _MODEL)
        self._add("client-created-root", None)

    def _add(self, name: str, message: dict[str, Any] | None) -> str:
        self.nodes[name] = {"id": name, "message": message, "parent": self.at, "children": []}
        if self.at is not None:
            self.nodes[self.at]["children"].append(name)
        return name

    def grow(self, *args: Any, **more: Any) -> None:
        """Add a node below the current one and go there."""
        self.at = self.branch(*args, **more)

    def branch(
        self,
        role: str,
        content: dict[str, Any],
        turn: float | None,
        *,
        author: str | None = None,
        recipient: str = "all",
        hidden: bool = False,
        weight: float = 1.0,
        **metadata: Any,
    ) -> str:
        """Add a node below the current one and stay."""
        name = _uuid(self.conversation.conversation_id, len(self.nodes))
        if hidden:
            metadata["is_visually_hidden_from_conversation"] = True
        if role == "assistant":
            metadata |= {"model_slug": self.model, "default_model_slug": self.model}
        message: dict[str, Any] = {
            "id": name,
            "author": {"role": role, "name": author, "metadata": {}},
            "create_time": None if turn is None else _epoch(_moment(self.conversation, turn)),
            "update_time": None,
            "content": content,
            "status": "finished_successfully",
            "end_turn": True if role == "assistant" and recipient == "all" else None,
            "weight": weight,
            "metadata": metadata,
            "recipient": recipient,
            "channel": None,
        }
        return self._add(name, message)


def _said(text: str) -> dict[str, Any]:
    return {"content_type": "text", "parts": [text]}


def _preamble(tree: _Tree, chance: int) -> None:
    """The hidden nodes that a conversation begins with."""
    tree.grow("system", _said(""), None, hidden=True, weight=0.0)
    if chance % 3 == 0:
        context = {
            "content_type": "user_editable_context",
            "user_profile": HIDDEN,
            "user_instructions": HIDDEN,
        }
        about = {"about_user_message": HIDDEN, "about_model_message": HIDDEN}
        tree.grow(
            "user",
            context,
            None,
            hidden=True,
            is_user_system_message=True,
            user_context_message_data=about,
        )
    if chance % 5 == 0:
        tree.grow("system", _said(HIDDEN), None, hidden=True, rebase_system_message=True)


def _grow_user(tree: _Tree, message: Message, turn: int, chance: int) -> None:
    if chance % 3 == 0:
        stem = tree.at
        tree.at = tree.branch("user", _said(ABANDONED), turn - 0.5)
        tree.branch("assistant", _said(ABANDONED), turn - 0.25)
        tree.at = stem
    tree.grow("user", _said(message.content), turn, serialization_metadata={})


def _grow_assistant(tree: _Tree, message: Message, turn: int, chance: int) -> None:
    if message.content == _TOOL_CALL:
        code = {
            "content_type": "code",
            "language": "unknown",
            "response_format_name": None,
            "text": "print(6 * 7)",
        }
        tree.grow("assistant", code, turn, recipient="python")
        return
    if chance % 4 == 0:
        tree.branch("assistant", _said(ABANDONED), turn - 0.5)
    if chance % 5 == 0:
        thought = {"summary": HIDDEN, "content": HIDDEN, "chunks": [], "finished": True}
        thoughts = {"content_type": "thoughts", "thoughts": [thought], "source_analysis_msg_id": ""}
        tree.grow("assistant", thoughts, turn - 0.2, reasoning_status="is_reasoning")
        recap = {"content_type": "reasoning_recap", "content": HIDDEN}
        tree.grow("assistant", recap, turn - 0.1, reasoning_status="reasoning_ended")
    tree.grow("assistant", _said(message.content), turn, finish_details={"type": "stop"})


def chatgpt_record(conversation: Conversation) -> dict[str, Any]:
    """A conversation as an object of ChatGPT's ``conversations.json``.

    Carries the id, the time, messages that are not blank, and of the labels `title`, `model` and
    `custom_gpt`. The account is the export's, so it is not carried.
    """
    chance = digest(conversation.conversation_id)
    tree = _Tree(conversation)
    _preamble(tree, chance)
    turn = 0
    for turn, message in enumerate(conversation.messages):
        draw = digest(conversation.conversation_id, str(turn))
        if not message.content.strip():
            continue
        if message.role is Role.USER:
            _grow_user(tree, message, turn, draw)
        elif message.role is Role.ASSISTANT:
            _grow_assistant(tree, message, turn, draw)
        elif message.role is Role.TOOL:
            output = {"content_type": "execution_output", "text": message.content}
            tree.grow("tool", output, turn, author="python", aggregate_result={"status": "success"})
        else:
            tree.grow("system", _said(message.content), turn)
    labels = conversation.labels
    return {
        "title": labels.get("title"),
        "create_time": _epoch(conversation.created_at),
        "update_time": _epoch(_moment(conversation, turn)),
        "mapping": tree.nodes,
        "moderation_results": [],
        # Some exports do not say which branch was shown last.
        "current_node": None if chance % 7 == 0 else tree.at,
        "plugin_ids": None,
        "conversation_id": conversation.conversation_id,
        "conversation_template_id": labels.get("custom_gpt"),
        "gizmo_id": labels.get("custom_gpt"),
        "gizmo_type": "gpt" if labels.get("custom_gpt") else None,
        "is_archived": False,
        "is_starred": None,
        "safe_urls": [],
        "blocked_urls": [],
        "default_model_slug": tree.model,
        "conversation_origin": None,
        "voice": None,
        "async_status": None,
        "disabled_tool_ids": [],
        "is_do_not_remember": False,
        "memory_scope": "global_enabled",
        "id": conversation.conversation_id,
    }


def _block(text: str, moment: datetime | None) -> dict[str, Any]:
    return {
        "start_timestamp": _iso(moment),
        "stop_timestamp": _iso(moment),
        "flags": None,
        "type": "text",
        "text": text,
        "citations": [],
    }


def claude_record(conversation: Conversation) -> dict[str, Any]:
    """A conversation as an object of Claude's ``conversations.json``.

    Carries the id, the account, the time, what user and assistant said where it is not blank, and
    of the labels `title`. Every other conversation is one of a newer export, with branches.
    """
    branching = digest(conversation.conversation_id) % 2 == 0
    items: list[dict[str, Any]] = []

    def add(sender: str, content: list[dict[str, Any]], turn: float, parent: str) -> str:
        name = _uuid(conversation.conversation_id, len(items))
        moment = _iso(_moment(conversation, turn))
        item = {
            "uuid": name,
            "text": "\n".join(block["text"] for block in content if block["type"] == "text"),
            "content": content,
            "sender": sender,
            "created_at": moment,
            "updated_at": moment,
            "attachments": [],
            "files": [],
        }
        if branching:
            item["parent_message_uuid"] = parent
        items.append(item)
        return name

    at = _ROOT
    for turn, message in enumerate(conversation.messages):
        if message.role not in (Role.USER, Role.ASSISTANT) or not message.content.strip():
            continue
        draw = digest(conversation.conversation_id, str(turn))
        moment = _moment(conversation, turn)
        content = [_block(message.content, moment)]
        sender = "human" if message.role is Role.USER else "assistant"
        if branching and draw % 3 == 0:
            add(sender, [_block(ABANDONED, moment)], turn - 0.5, at)
        if sender == "assistant" and draw % 5 == 0:
            thinking = {**_block("", moment), "type": "thinking", "thinking": HIDDEN}
            thinking |= {"summaries": [{"summary": HIDDEN}], "cut_off": False}
            content = [{k: v for k, v in thinking.items() if k != "text"}, *content]
            content.append({"type": "token_budget"})
        at = add(sender, content, turn, at)
    return {
        "uuid": conversation.conversation_id,
        "name": conversation.labels.get("title", ""),
        "summary": "",
        "created_at": _iso(conversation.created_at),
        "updated_at": _iso(_moment(conversation, len(conversation.messages))),
        "account": {"uuid": conversation.user_id},
        "chat_messages": items,
    }
