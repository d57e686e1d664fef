"""What the stand-in server answers in tests of whole runs: sensible enough to be grouped."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from clio.testing.model_server import ShownRequest
from clio.testing.model_server.filling import fill

FAILING = "zebra crossing"
"""A conversation that holds this never gets an answer that can be used."""

_BLOCK = re.compile(r"<<data:([a-z_]+) ([0-9a-f]+)>>\n(.*?)\n<<end:\1 \2>>", re.DOTALL)
_NONCE = re.compile(r'Write ([0-9a-f]+) into "check"')
_WANTED = re.compile(r"\nWrite (\d+)(?: to \d+)? different name")
_WORD = re.compile(r"[^\W\d_]{3,}")
_COMMON = {"the", "and", "for", "with", "that", "this", "you", "your", "help", "users", "asked"}


def respond(shown: ShownRequest) -> Mapping[str, Any]:
    """Words of what is shown, in the form that is asked for."""
    assert shown.schema is not None
    blocks = {kind: _lines(text) for kind, _, text in _BLOCK.findall(shown.user)}
    if FAILING in shown.user:
        return {"request": "an answer that leaves the form"}
    # Of what is shown alone, not of the codes around it, which differ from run to run.
    rng = random.Random(repr(sorted(blocks.items())))
    answer: dict[str, Any] = fill(shown.schema, rng, shown.schema)
    answer["check"] = _NONCE.findall(shown.user)[-1]
    if "request" in answer:
        said = " ".join(line for line in blocks["conversation"] if ":" not in line)
        answer["request"] = "Help with " + " ".join(_WORD.findall(said)[:8])
        answer["task"] = answer["topic"] = "Help with something"
    elif "title" in answer:
        words = " and ".join(_top(blocks["group"], 3))
        answer |= {"title": f"Help with {words}", "summary": f"Users asked for {words}."}
    elif "assignments" in answer:
        names = blocks["names"]
        answer["assignments"] = [
            {"group": number, "name": names[number % len(names)]}
            for number in range(1, 1 + len(blocks["groups"]))
        ]
    elif "names" in answer:
        fewest = int(_WANTED.findall(shown.user)[-1])
        words = _top(blocks.get("groups", blocks.get("names", [])), 4 * fewest)
        answer["names"] = [f"Work on {word}" for word in words][:fewest]
    return answer


def _lines(text: str) -> list[str]:
    return [re.sub(r"^\d+\. ", "", line.removeprefix("| ").strip()) for line in text.split("\n")]


def _top(lines: Sequence[str], count: int) -> list[str]:
    words = Counter(w for line in lines for w in {w.lower() for w in _WORD.findall(line)})
    ranked = sorted(words.items(), key=lambda pair: (-pair[1], pair[0]))
    return [word for word, _ in ranked if word not in _COMMON][:count]
