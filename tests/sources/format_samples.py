"""The samples of each row format, and short ways to read them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clio.conversation import Conversation, Role
from clio.sources.registry import ROW_FORMATS
from clio.sources.rows import Origin, RowFormat

SAMPLES = Path(__file__).parent / "samples"
NAMES = {
    "clio": "Clio",
    "wildchat": "WildChat",
    "lmsys": "LMSYS-Chat-1M",
    "chatgpt": "ChatGPT export",
    "claude": "Claude export",
    "sharegpt": "ShareGPT",
    "openai": "OpenAI messages",
}
*FORMATS, UNKNOWN = ROW_FORMATS
ORIGIN = Origin("conversations.json", 3, "ann-export.zip")
U, A, S, T = Role.USER, Role.ASSISTANT, Role.SYSTEM, Role.TOOL


def decoded(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    found = json.loads(path.read_text("utf-8"))
    return found if isinstance(found, list) else [found]


def samples(folder: str) -> Iterator[dict[str, Any]]:
    """Rows of conversations; exports keep other things in other files."""
    for path in sorted((SAMPLES / folder).glob("*.json*")):
        if folder not in ("chatgpt", "claude") or path.name == "conversations.json":
            yield from decoded(path)


def companions() -> Iterator[dict[str, Any]]:
    for folder in ("chatgpt", "claude"):
        for path in sorted((SAMPLES / folder).glob("*.json")):
            if path.name != "conversations.json":
                yield from decoded(path)


def format_of(record: Mapping[str, Any]) -> RowFormat:
    (found,) = [known for known in FORMATS if known.recognises(record)]
    return found


def parsed(record: Mapping[str, Any], origin: Origin = ORIGIN) -> Conversation:
    return format_of(record).parse(record, origin)


def said(conversation: Conversation) -> list[tuple[Role, str]]:
    return [(message.role, message.content) for message in conversation.messages]


def sample(folder: str, name: str, at: int) -> Conversation:
    return parsed(decoded(SAMPLES / folder / name)[at])
