"""A run small enough to be forgotten in part many times, and a search that shares no code."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import clio

ZED = "zed@example.org"
"""An account that alone writes of one subject."""

SETTINGS = clio.Settings(privacy="personal", shard_rows=40)
_TOPICS = (
    ("How do I prune roses in winter", "When do tomatoes go outside", "Why is my basil yellow"),
    ("Why does my Python loop not end", "Explain a merge conflict in git", "Sort a list in Python"),
    ("Plan three days in Lisbon", "Cheap trains from Berlin to Prague", "What to pack for a hike"),
)


def conversation(name: str, account: str, text: str, day: int) -> dict[str, Any]:
    return {
        "conversation_id": name,
        "user_id": account,
        "created_at": f"2025-03-{1 + day % 28:02d}T10:00:00Z",
        "messages": [
            {"role": "user", "content": text},
            {"role": "assistant", "content": f"About {text.lower()}: here is what helps."},
        ],
    }


def rows() -> list[dict[str, Any]]:
    found = []
    for number in range(30):
        for topic, questions in enumerate(_TOPICS):
            text = f"{questions[number % 3]} please, part {number}"
            found.append(
                conversation(f"c-{topic}-{number:03d}", f"user-{number}", text, len(found))
            )
    # Text that others wrote too is theirs as well; the rest of Zed's is nobody else's.
    found.append(conversation("zed-same", ZED, "How do I prune roses in winter please, part 0", 1))
    for number in range(6):
        text = f'Feeding my chameleon from Zanzibar with crickets\n\non "day" {number}, ärger'
        found.append(conversation(f"zed-{number:03d}", ZED, text, number))
    found.append(found[-1])
    return found


def write(path: Path) -> Path:
    path.write_text("\n".join(map(json.dumps, rows())), encoding="utf-8")
    return path


def contents(run: Path) -> Iterator[tuple[Path, str]]:
    """Every file of a run as text: as it is, and tables and databases value by value."""
    for path in sorted(p for p in run.rglob("*") if p.is_file()):
        raw = path.read_bytes()
        found = [raw.decode("latin-1"), raw.decode("utf-8", "replace")]
        if path.suffix == ".parquet":
            found.append(_said(pq.read_table(path, partitioning=None).to_pylist()))
        elif raw.startswith(b"SQLite format 3"):
            database = sqlite3.connect(path)
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (name,) in tables.fetchall():
                found.append(_said(database.execute(f"SELECT * FROM {name}").fetchall()))
            database.close()
        elif path.suffix in (".json", ".jsonl"):
            found.append(
                _said(
                    [json.loads(line) for line in raw.splitlines()]
                    if path.suffix == ".jsonl"
                    else json.loads(raw)
                )
            )
        yield path, "\n".join(found)


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(_said(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return "\n".join(map(_said, value))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def holding(run: Path, needles: set[str]) -> dict[str, list[str]]:
    """Files that hold any of the needles."""
    found = {
        str(path.relative_to(run)): [needle for needle in needles if needle in text]
        for path, text in contents(run)
    }
    return {name: held for name, held in found.items() if held}
