"""ChatGPT's export: ``conversations.json``, one tree of messages a conversation.

Every edited question and every regenerated answer is a branch; read is the one that was on the
screen last. What was hidden there is left out: the system's own instructions, custom instructions,
reasoning. An export is one person's, so the archive (or the folder of a loose file) is the account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from clio.conversation import Conversation, Message, Role
from clio.sources import fields
from clio.sources.rows import Origin, Reason, RejectedError, RowFormat

# Custom instructions and reasoning: nobody said them in this conversation.
_UNSAID: Final = frozenset(
    {"user_editable_context", "model_editable_context", "thoughts", "reasoning_recap"}
)
# Pages and passages that a tool fetched; they may be very long, and nobody here wrote them.
_FETCHED: Final = frozenset({"tether_quote", "tether_browsing_display", "sonic_webpage"})
_POINTERS: Final[Mapping[str, str]] = {
    "image_asset_pointer": fields.IMAGE,
    "audio_asset_pointer": fields.AUDIO,
    "real_time_user_audio_video_asset_pointer": fields.AUDIO,
    "video_asset_pointer": fields.VIDEO,
    "video_container_asset_pointer": fields.VIDEO,
}
_TRANSCRIPT: Final = "audio_transcription"


def _recognises(record: Mapping[str, Any]) -> bool:
    return "mapping" in record and "messages" not in record


def _parse(record: Mapping[str, Any], origin: Origin) -> Conversation:
    tree = record.get("mapping")
    if not isinstance(tree, dict):
        raise RejectedError(Reason.BAD_TREE)
    shown = _shown(tree, record.get("current_node"))
    messages = tuple(turn for message in shown for turn in _turns(message))
    given = fields.text_id(record.get("conversation_id") or record.get("id"), Reason.BAD_ID)
    began = record.get("create_time")
    if began is None:
        began = next((t for m in shown if (t := m.get("create_time")) is not None), None)
    gizmo = record.get("gizmo_id")
    project = isinstance(gizmo, str) and gizmo.startswith("g-p-")
    return Conversation(
        conversation_id=fields.made_id(origin, messages) if given is None else given,
        user_id=f"chatgpt-export:{origin.holder}",
        created_at=fields.time(began),
        messages=messages,
        labels=fields.known(
            title=record.get("title"),
            model=_model(shown) or record.get("default_model_slug"),
            custom_gpt=None if project else gizmo,
            project=gizmo if project else None,
        ),
    )


def _shown(tree: Mapping[str, Any], current: Any) -> list[Mapping[str, Any]]:
    """Messages of the branch that was shown last, from its beginning."""
    parents = _parents(tree)
    if isinstance(current, str) and current in tree:
        messages = _branch(tree, parents, current)
        if any(_turns(message) for message in messages):
            return messages
    newest = _newest_leaf(tree, parents)
    return [] if newest is None else _branch(tree, parents, newest)


def _parents(tree: Mapping[str, Any]) -> dict[str, str]:
    parents: dict[str, str] = {}
    for name, node in tree.items():
        if not isinstance(node, dict):
            continue
        parent = node.get("parent")
        if isinstance(parent, str):
            parents[name] = parent
        children = node.get("children")
        for child in children if isinstance(children, list) else ():
            if isinstance(child, str):
                # What the child itself says of its parent counts more, whichever comes first.
                parents.setdefault(child, name)
    return parents


def _branch(
    tree: Mapping[str, Any], parents: Mapping[str, str], leaf: str
) -> list[Mapping[str, Any]]:
    """Messages from the root to `leaf`; from the first known node where the way up breaks off."""
    messages: list[Mapping[str, Any]] = []
    seen: set[str] = set()
    at: str | None = leaf
    while at is not None and at not in seen and at in tree:
        seen.add(at)
        message = _message(tree[at])
        if message is not None:
            messages.append(message)
        at = parents.get(at)
    messages.reverse()
    return messages


def _message(node: Any) -> Mapping[str, Any] | None:
    message = node.get("message") if isinstance(node, dict) else None
    return message if isinstance(message, dict) else None


def _newest_leaf(tree: Mapping[str, Any], parents: Mapping[str, str]) -> str | None:
    """The node without children whose message is latest; the later one in the file on a tie."""
    inner = set(parents.values())
    best: tuple[bool, float, int] | None = None
    found = None
    for place, (name, node) in enumerate(tree.items()):
        message = _message(node)
        if message is None:
            continue
        # A node of a cycle has children; it is taken where no leaf is left.
        key = (name not in inner, _seconds(message.get("create_time")), place)
        if best is None or key > best:
            best, found = key, name
    return found


def _seconds(time: Any) -> float:
    """A time to compare by; -1 where there is none."""
    if isinstance(time, int | float) and 0 <= time < 2**53:
        return float(time)
    return -1.0


def _turns(message: Mapping[str, Any]) -> list[Message]:
    """What a node adds to the conversation: one message, or none where nothing was shown."""
    metadata = message.get("metadata")
    if not isinstance(metadata, dict):
        metadata = {}
    if metadata.get("is_visually_hidden_from_conversation") or message.get("weight") == 0:
        return []
    author, content = message.get("author"), message.get("content")
    if not isinstance(author, dict) or not isinstance(content, dict):
        return []
    kind = content.get("content_type")
    if not isinstance(kind, str) or kind in _UNSAID or message.get("channel") == "analysis":
        return []
    role = fields.role(author.get("role"))
    if role is Role.ASSISTANT and message.get("recipient") not in (None, "all"):
        return [Message(role, fields.TOOL_CALL)]
    text = fields.TOOL_RESULT if kind in _FETCHED else _text(content)
    files = _files(metadata.get("attachments"))
    said = "\n".join([text, *files] if text.strip() else files)
    return [Message(role, said)] if said else []


def _text(content: Mapping[str, Any]) -> str:
    parts = content.get("parts")
    if not isinstance(parts, list):
        text = content.get("text")
        return text if isinstance(text, str) else fields.OTHER_PART
    aloud = any(isinstance(p, dict) and p.get("content_type") == _TRANSCRIPT for p in parts)
    pieces = (_part(part, aloud=aloud) for part in parts)
    return "\n".join(piece for piece in pieces if piece)


def _part(part: Any, *, aloud: bool) -> str:
    """Text or placeholder of a part; the recording of what also stands as text has none."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        raise RejectedError(Reason.BAD_CONTENT)
    kind = part.get("content_type")
    if isinstance(kind, str) and kind in _POINTERS:
        mark = _POINTERS[kind]
        return "" if aloud and mark != fields.IMAGE else mark
    text = part.get("text")
    return text if isinstance(text, str) else fields.OTHER_PART


def _files(attachments: Any) -> list[str]:
    """A placeholder for each attached file; images stand among the parts as well."""
    if not isinstance(attachments, list):
        return []
    kinds = (a.get("mime_type") or a.get("mimeType") for a in attachments if isinstance(a, dict))
    return [mark for kind in kinds if (mark := fields.media_mark(kind)) != fields.IMAGE]


def _model(messages: list[Mapping[str, Any]]) -> str | None:
    """Who wrote the last answer."""
    for message in reversed(messages):
        metadata = message.get("metadata")
        slug = metadata.get("model_slug") if isinstance(metadata, dict) else None
        if isinstance(slug, str) and slug:
            return slug
    return None


CHATGPT = RowFormat(name="ChatGPT export", recognises=_recognises, parse=_parse)
