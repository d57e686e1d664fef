"""The text view of a conversation: what a model gets to read.

A turn is a line that says who speaks and then the text, each line of it moved in by a space. What
somebody wrote can therefore never pass for a turn or for a remark of ours: those stand at the
margin. Where a conversation is longer than the budget its head and tail are shown, cut between
turns, or inside a turn that alone is too long (Tamkin et al. 2024, appendix G.2, leaves open how;
the request stands mostly at the beginning, the outcome at the end).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from clio.analysts.tokens import count_tokens
from clio.conversation import Conversation, Role
from clio.prompting.marking import MARK, clean

SIDE_TOKENS: Final = 80
"""So much of a system prompt or of a tool's message is shown: they are context, not the request."""

_NAMES: Final = {
    Role.USER: "user:",
    Role.ASSISTANT: "assistant:",
    Role.SYSTEM: "system prompt:",
    Role.TOOL: "tool:",
}
_GAP: Final = "(part of this turn left out)"
_REMARK_TOKENS: Final = 10
_TRIES: Final = 4
_CHARACTERS: Final = 16
"""No ordinary text has more characters a token; bounds the work on texts far over the budget."""

_SENTENCE_END = re.compile(r"[.!?](?=\s)|[。！？؟।]|\n")
_SPACE = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class View:
    """What a model is shown of a conversation.

    Attributes
    ----------
    text
        Turns in order, each headed by who speaks.
    cut
        Something was left out to keep within the budget. System prompts and tools' messages are
        always shortened and do not count.
    """

    text: str
    cut: bool


@dataclass(frozen=True, slots=True)
class _Turn:
    name: str
    text: str

    def whole(self) -> str:
        return f"{self.name}\n{_moved_in(self.text)}"

    def without_middle(self, tokens: int) -> str:
        """Head and tail of the turn in at most so many tokens, with a remark between."""
        half = max(1, (tokens - 2 * _REMARK_TOKENS) // 2)
        head, tail = _beginning(self.text, half), _ending(self.text, half)
        return f"{self.name}\n{_moved_in(head)}\n{_GAP}\n{_moved_in(tail)}"

    def shortened(self, tokens: int) -> str:
        """The turn, or its head with a remark behind."""
        head = _beginning(self.text, tokens)
        return self.whole() if head == self.text else f"{self.name}\n{_moved_in(head)}\n{_GAP}"


def view(conversation: Conversation, max_tokens: int) -> View:
    """The text view of a conversation, in about `max_tokens` tokens at most.

    Tokens are those of `clio.analysts.tokens.count_tokens`, the marks of lines included that the
    view gets where it is shown as data.
    """
    turns: list[_Turn] = []
    texts: list[str] = []
    for message in conversation.messages:
        if text := clean(message.content).strip():
            turn = _Turn(_NAMES[message.role], text)
            aside = message.role in (Role.SYSTEM, Role.TOOL)
            turns.append(turn)
            texts.append(turn.shortened(SIDE_TOKENS) if aside else turn.whole())
    whole = "\n".join(texts)
    if _fits(whole, max_tokens):
        return View(whole, cut=False)
    sizes = [_tokens(text) for text in texts]
    budget = max_tokens
    # Tokens of parts do not add up exactly to those of the whole.
    for _ in range(_TRIES):
        text = _head_and_tail(turns, texts, sizes, budget)
        size = _tokens(text)
        if size <= max_tokens:
            break
        budget = budget * max_tokens // size - 1
    return View(text, cut=True)


def _tokens(text: str) -> int:
    return count_tokens(_with_marks(text))


def _with_marks(text: str) -> str:
    return MARK + text.replace("\n", f"\n{MARK}")


def _fits(text: str, max_tokens: int) -> bool:
    marked = _with_marks(text)
    # No tokenizer has more tokens than bytes: most conversations need no closer look.
    return len(marked.encode("utf-8")) <= max_tokens or count_tokens(marked) <= max_tokens


def _head_and_tail(turns: list[_Turn], texts: list[str], sizes: list[int], max_tokens: int) -> str:
    if len(turns) == 1:
        return turns[0].without_middle(max_tokens)
    max_tokens -= _REMARK_TOKENS
    half = max_tokens // 2
    head = _fitting(sizes[:-1], half)
    if head:
        beginning = texts[:head]
        spent = sum(sizes[:head])
    else:
        head, beginning = 1, [turns[0].without_middle(half)]
        spent = _tokens(beginning[0])
    tail = _fitting(sizes[: head - 1 : -1], max_tokens - spent)
    if tail:
        end = texts[-tail:]
    else:
        tail, end = 1, [turns[-1].without_middle(max_tokens - spent)]
    left = len(turns) - head - tail
    remark = [f"({left} {'turn' if left == 1 else 'turns'} left out)"] if left else []
    return "\n".join([*beginning, *remark, *end])


def _fitting(sizes: list[int], budget: int) -> int:
    """How many of the first turns fit the budget together."""
    return sum(1 for total in accumulate(sizes) if total <= budget)


def _moved_in(text: str) -> str:
    return "\n".join(f" {line}" if line else "" for line in text.split("\n"))


def _beginning(text: str, tokens: int) -> str:
    """The longest beginning in so many tokens that ends a sentence, else a word."""
    size = _fitting_size(text, tokens, lambda piece, size: piece[:size])
    if size == len(text):
        return text
    piece = text[:size]
    ends = [match.end() for match in _SENTENCE_END.finditer(piece, size * 2 // 3)]
    ends = ends or [match.start() for match in _SPACE.finditer(piece, size * 2 // 3)]
    return piece[: ends[-1]].rstrip() if ends else piece


def _ending(text: str, tokens: int) -> str:
    """The longest ending in so many tokens that begins a sentence, else a word."""
    size = _fitting_size(text, tokens, lambda piece, size: piece[-size:])
    if size == len(text):
        return text
    piece = text[-size:]
    start = _SENTENCE_END.search(piece, 0, size // 3) or _SPACE.search(piece, 0, size // 3)
    return piece[start.end() :].lstrip() if start else piece


def _fitting_size(text: str, tokens: int, part: Callable[[str, int], str]) -> int:
    """Characters of a part of `text` that has at most so many tokens."""
    size = min(len(text), tokens * _CHARACTERS)
    while size > 1 and (count := _tokens(part(text, size))) > tokens:
        size = max(1, min(size - 1, size * tokens // count))
    return size
