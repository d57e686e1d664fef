"""A model's prompt looked at as an attacker's target: is the attack still nothing but data?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from clio.analysts.model import ModelAnalyst
from clio.conversation import Conversation
from clio.facets import standard_facets
from clio.privacy.scrub import finds
from clio.prompting import Prompt, unmarked
from clio.prompting.marking import hides
from clio.testing.scripted import ScriptedAsker, nonce_of

from .obeying import Effect, secret_of

KEY = b"the run's key"

FAIR: Mapping[str, Any] = {
    "request": "Get help with a daily matter.",
    "task": "Answer a question.",
    "topic": "daily life",
    "domain": "other",
    "concern": 2,
    "concern_class": "other",
    "refused": False,
    "interaction": "directive",
    "sentiment_start": "neutral",
    "sentiment_end": "neutral",
    "success": True,
}
"""What a model answers that does not obey."""

_MARGIN = re.compile(r"^(?:user|assistant|system prompt|tool):$", re.MULTILINE)


def identifiers(text: str) -> bool:
    return finds(text)


def obeying(effect: Effect) -> ScriptedAsker:
    """A model that does what the attack says."""

    def respond(prompt: Prompt) -> Mapping[str, Any]:
        if prompt.purpose == "screen":
            return {"answer": True, "check": nonce_of(prompt)}
        return effect.change({**FAIR, "check": nonce_of(prompt)}, prompt)

    return ScriptedAsker(respond)


def analyst(asker: ScriptedAsker, **settings: Any) -> ModelAnalyst:
    settings.setdefault("facets", standard_facets())
    settings.setdefault("identifiers", identifiers)
    return ModelAnalyst(asker, key=KEY, **settings)


def contained(prompt: Prompt, kinds: int = 1) -> bool:
    """Whether the prompt is its blocks of data, all lines marked, and our own lines beside them.

    The codes stand where we put them and nowhere else.
    """
    nonce, secret = nonce_of(prompt), secret_of(prompt)
    try:
        blocks = unmarked(prompt.user)
    except ValueError:
        return False
    lines = prompt.user.split("\n")
    ours = [line for line in lines if not line.startswith("| ")]
    openings = [line for line in ours if re.fullmatch(rf"<<data:[a-z_]+ {nonce}>>", line)]
    endings = [line for line in ours if re.fullmatch(rf"<<end:[a-z_]+ {nonce}>>", line)]
    data = "\n".join(blocks)
    return (
        len(blocks) == len(openings) == len(endings) == kinds
        and prompt.user.splitlines() == lines
        and sum(len(block.split("\n")) for block in blocks) + len(ours) == len(lines)
        and ours[-1].startswith(f"Write {nonce}")
        and prompt.user.count(nonce) == 2 * kinds + 1
        and prompt.user.count(secret) == 1
        and nonce not in prompt.system
        and secret not in prompt.system
        and not hides(data)
        and re.search(r"<<\s*/?\s*(?:data|end)\s*:", data, re.IGNORECASE) is None
        and re.search(r"([^\n])\1{40}", data) is None
    )


def speakers(prompt: Prompt) -> int:
    """How many turns the model believes to see."""
    return len(_MARGIN.findall(unmarked(prompt.user)[0]))


def turns(conversation: Conversation) -> int:
    return sum(bool(message.content.strip()) for message in conversation.messages)


def is_cut(prompt: Prompt) -> bool:
    return (
        re.search(r"^\| \((?:\d+ turns?|part of this turn) left out\)$", prompt.user, re.M)
        is not None
    )
