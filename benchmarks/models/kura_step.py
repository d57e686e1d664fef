"""kura's summarise step over texts, timed; carried out by ``throughput.py`` in kura's environment.

    python kura_step.py TEXTS CONCURRENCY

``TEXTS`` is a JSON list. The last word that is printed are the seconds. kura's client is told to
ask by JSON schema instead of by a tool, since the stand-in server knows no tools.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import instructor
from kura.summarisation import SummaryModel
from kura.types import Conversation, Message


def main() -> None:
    texts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    now = datetime.now(UTC)
    conversations = [
        Conversation(
            chat_id=str(number),
            created_at=now,
            messages=[Message(created_at=now, role="user", content=text)],
            metadata={},
        )
        for number, text in enumerate(texts)
    ]
    instructor.from_provider = partial(instructor.from_provider, mode=instructor.Mode.JSON_SCHEMA)
    model = SummaryModel("openai/stand-in", max_concurrent_requests=int(sys.argv[2]))
    begin = time.perf_counter()
    summaries = asyncio.run(model.summarise(conversations))
    seconds = time.perf_counter() - begin
    if len(summaries) < len(texts):
        raise SystemExit("some were not answered")
    print(seconds)


if __name__ == "__main__":
    main()
