"""From what stands in a prompt to the generated conversation that it is about."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from clio.conversation import Conversation
from clio.errors import InputError
from clio.privacy.scrub import scrub
from clio.prompting import clean

_HEAD: Final = 100
_TAIL: Final = 50
"""Letters by which beginning and end of a turn that was cut are known again."""

_SPEAKER: Final = re.compile(r"(user|assistant|system prompt|tool):")
_NOT_LETTERS: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn as a prompt shows it.

    Attributes
    ----------
    role
        Who speaks, as the prompt names them.
    head
        The text, or its beginning where the middle was cut out.
    tail
        Then its end; else ``None``.
    """

    role: str
    head: str
    tail: str | None


def shown(block: str) -> list[Turn]:
    """Read a block of a conversation: speakers at the margin, what they said moved in."""
    turns: list[tuple[str, list[list[str]]]] = []
    for line in block.split("\n"):
        speaker = _SPEAKER.fullmatch(line)
        if speaker is not None:
            turns.append((speaker[1], [[]]))
        elif turns and (not line or line[0].isspace()):
            turns[-1][1][-1].append(line[1:])
        elif turns:
            turns[-1][1].append([])
    return [
        Turn(role, "\n".join(parts[0]), "\n".join(parts[1]) if len(parts) > 1 else None)
        for role, parts in turns
    ]


class Planted:
    """The truth about generated conversations, by what their requesters write first.

    Parameters
    ----------
    conversations
        With the labels that `clio.testing.generate` gives them. Others are passed over.
    """

    def __init__(self, conversations: Iterable[Conversation]) -> None:
        self._labels: dict[bytes, Mapping[str, Any]] = {}
        for conversation in conversations:
            turns = conversation.requester_turns()
            if turns and "topic" in conversation.labels:
                self._add(turns[0], conversation.labels)

    @classmethod
    def read(cls, paths: Iterable[str | Path]) -> Planted:
        """The truth from files that `clio.testing.write_jsonl` wrote.

        Raises
        ------
        InputError
            A file cannot be read.
        """
        planted = cls(())
        for path in paths:
            for turn, labels in _rows(Path(path)):
                planted._add(turn, labels)
        return planted

    def __len__(self) -> int:
        return len(self._labels)

    def labels(self, conversation: Sequence[Turn]) -> Mapping[str, Any] | None:
        """Labels of the conversation that is shown, or ``None`` where it is not known."""
        for turn in conversation:
            if turn.role == "user":
                head = _letters(turn.head)
                keys = [_key(head), _key(head[:_HEAD])]
                if turn.tail is not None:
                    keys = [_key(head[:_HEAD]), _tail_key(_letters(turn.tail))]
                return next((self._labels[key] for key in keys if key in self._labels), None)
        return None

    def _add(self, turn: str, labels: Mapping[str, Any]) -> None:
        # The pipeline removes identifiers before a model sees a text; who asks this server
        # directly may not.
        for text in {scrub(turn), turn}:
            letters = _letters(clean(text))
            for key in (_key(letters), _key(letters[:_HEAD]), _tail_key(letters)):
                self._labels.setdefault(key, labels)


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """First turn and labels of each conversation of a file that has both."""
    try:
        with path.open("rb") as lines:
            for line in lines:
                row = orjson.loads(line)
                turns = [m["content"] for m in row["messages"] if m["role"] == "user"]
                first = next((turn for turn in turns if turn.strip()), None)
                if first is not None and "topic" in row["labels"]:
                    yield first, row["labels"]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        raise InputError(f"{path}: not a file of generated conversations") from None


def _letters(text: str) -> str:
    return _NOT_LETTERS.sub("", unicodedata.normalize("NFKC", text).casefold())


def _tail_key(letters: str) -> bytes:
    return _key("\0" + letters[-_TAIL:])


def _key(letters: str) -> bytes:
    return hashlib.blake2b(letters.encode("utf-8", "replace"), digest_size=12).digest()
