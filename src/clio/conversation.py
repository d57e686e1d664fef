"""What a conversation is, and the views of its text that later stages use."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

_SPACE = re.compile(r"\s+")


class Role(StrEnum):
    """Who speaks in a message."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


class Outcome(StrEnum):
    """How a row of the input ended; every row ends with exactly one."""

    ASSIGNED = "assigned"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    REFUSED = "refused"
    REJECTED = "rejected"
    FAILED = "failed"
    CAPPED = "capped"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: who speaks and the text. Images and other parts stand as marked placeholders."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation as read from a source, before anything private is removed.

    Attributes
    ----------
    conversation_id
        Unique within a run.
    user_id
        The account as the owner knows it, or ``None``; replaced by a pseudonym before storage.
    created_at
        When it began, timezone-aware UTC, or ``None``.
    messages
        The turns in order.
    labels
        Whatever the owner knows about it: JSON values by name.
    """

    conversation_id: str
    user_id: str | None
    created_at: datetime | None
    messages: tuple[Message, ...]
    labels: Mapping[str, Any] = field(default_factory=dict)

    def requester_turns(self) -> list[str]:
        """Texts of the user's turns that are not blank, in order."""
        return [m.content for m in self.messages if m.role is Role.USER and m.content.strip()]


def normalise_text(text: str) -> str:
    """Fold a text for comparison: NFKC, case-folded, white space collapsed.

    Two texts with the same normal form count as the same text, and, where no account is known,
    as the same account.
    """
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def content_digest(messages: Sequence[Message]) -> str:
    """SHA-256 (hex) over roles and contents of `messages`, exact to the byte."""
    digest = hashlib.sha256()
    for message in messages:
        content = message.content.encode("utf-8", "surrogatepass")
        digest.update(f"{message.role.value}:{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()
