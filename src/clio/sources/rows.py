"""What a source yields: rows, and the two kinds of plug-in that turn bytes into them.

A *container* takes a file apart into records (JSON Lines, JSON, Parquet); a *row format* reads one
record as a conversation (Clio's own). They are told apart by looking: a container at the first
bytes, a row format at the record. Both are listed in `clio.sources.registry`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

from clio.conversation import Conversation

if TYPE_CHECKING:
    from clio.sources.blobs import Blob
    from clio.sources.compression import Head

MAX_ROW_BYTES: Final = 16 * 2**20
"""A larger row is rejected unread."""


class Reason(StrEnum):
    """Why a row was rejected: stable texts that never hold anything of the row."""

    ROW_TOO_LARGE = "row is over 16 MB"
    BROKEN_UTF8 = "broken UTF-8"
    BROKEN_JSON = "broken JSON"
    NOT_AN_OBJECT = "row is not an object"
    UNKNOWN_FORMAT = (
        "row is of no known format: expected messages, a conversation or a provider's export"
    )
    NO_CONVERSATION = "row of a provider's export that is no conversation"
    NO_MESSAGES = "messages are missing"
    MESSAGES_NOT_A_LIST = "messages are not a list"
    BAD_TREE = "the tree of messages cannot be followed"
    MESSAGE_NOT_AN_OBJECT = "a message is not an object"
    UNKNOWN_ROLE = "a message has an unknown role"
    BAD_CONTENT = "a message's content is neither text nor a list of parts"
    BAD_ID = "conversation_id is neither text nor a whole number"
    BAD_USER = "user_id is neither text nor a whole number"
    BAD_TIME = "created_at is not a time"
    TIME_OUT_OF_RANGE = "created_at is not between 1970 and 2099"
    BAD_LABELS = "labels are not an object"
    LABELS_TOO_DEEP = "labels are nested too deeply"
    UNDECODABLE = "a value cannot be decoded"
    JSON_ENDS_EARLY = "JSON ends early"
    ENDS_EARLY = "archive ends early"
    DAMAGED_ARCHIVE = "archive is damaged"
    EXPANDS_TOO_FAR = "archive expands more than 200-fold"
    DAMAGED_PARQUET = "Parquet file is damaged"


class RejectedError(Exception):
    """Carries the reason of a rejection from a parser to the reader; never reaches a caller."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the input, whatever became of it.

    Attributes
    ----------
    file
        The file's path as the user gave it; a member's stands behind its archive's.
    line
        Line (JSON Lines), element (JSON) or row (Parquet) in the file, from 1.
    conversation
        What was read, or ``None`` where the row was rejected.
    reason
        Why it was rejected, or ``None``.
    format
        Name of the row format that took it, or ``None`` where it could not be decoded.
    """

    file: str
    line: int
    conversation: Conversation | None
    reason: str | None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record stands, for what it does not say itself.

    Attributes
    ----------
    source
        Name of its file, behind its archive's: with the line and the content it makes the id of a
        record without one.
    line
        Its line or row, from 1.
    holder
        Name of what a person was handed: the archive, or the folder of a loose file. A provider's
        export is one person's, so this is the account of its conversations.
    """

    source: str
    line: int
    holder: str


Record = tuple[int, Any, Reason | None]
"""Line, the decoded record, and the reason where it could not be decoded."""


class Block(Protocol):
    """Neighbouring rows of a file, not decoded yet, so that a resumed run passes over them fast."""

    def __len__(self) -> int:
        """Rows in the block."""
        ...

    def records(self, start: int) -> Iterator[Record]:
        """Decode the rows from the `start`-th on."""
        ...


@dataclass(frozen=True)
class Container:
    """How a kind of file is taken apart.

    Attributes
    ----------
    name
        What messages call it.
    suffixes
        Ends of file names that are picked up from a folder.
    recognises
        From the beginning of a file: is it of this kind?
    blocks
        The rows of a file in blocks; raises no error but `OSError`.
    by_name
        Whether text with such a name is of this kind, where nothing else is known of it.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[Head], bool]
    blocks: Callable[[Blob], Iterator[Block]]
    by_name: bool = False


@dataclass(frozen=True)
class RowFormat:
    """How one record is read as a conversation.

    Attributes
    ----------
    name
        What messages call it.
    recognises
        Whether a record is of this format.
    parse
        ``parse(record, origin)``: the conversation; raises `RejectedError`.
    """

    name: str
    recognises: Callable[[Mapping[str, Any]], bool]
    parse: Callable[[Mapping[str, Any], Origin], Conversation]
