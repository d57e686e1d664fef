"""The kind of work that is asked for, by how the wish begins; null where the words do not tell."""

from __future__ import annotations

import re
from functools import cache
from itertools import chain

from clio.analysts.lexicon import Phrases, groups_of, lines_of, tokens_of, words_of

TASKS: tuple[str, ...] = tuple(groups_of("tasks.txt"))
"""The closed list of tasks, in the order of ``words/tasks.txt``."""

_SENTENCE_END = re.compile(r"(?<=[.!?。！？…])\s*|(?<=:)\s")
_QUESTION = ("?", "？", "؟")
_LONGEST = 8
"""Words of a wish's beginning that are compared."""

_CODE = Phrases(groups_of("objects.txt")["code"])
_IMAGE = Phrases(groups_of("objects.txt")["image"])
_PLAN = Phrases(groups_of("objects.txt")["plan"])
_ASKED = frozenset(("inform", "how-to", "recommend"))


def task_of(request: str) -> str | None:
    """The task of a request as one of `TASKS`, or ``None``.

    The first sentence decides that begins as wishes do. What is to be made tells making a program,
    a picture or a plan from writing.
    """
    for at, sentence in enumerate(filter(None, _SENTENCE_END.split(request))):
        tokens, own = _bare(tokens_of(sentence))
        task = _task_of(tokens, sentence)
        # "I want to buy a cable" is no order to buy one.
        if task == "carry out" and (own or at):
            continue
        # Further on, "Start with a joke" or "Who did what" are details of a wish not understood.
        if at and task in _ASKED and not sentence.endswith(_QUESTION):
            continue
        if task is not None:
            return task
    return None


def _task_of(tokens: list[str], sentence: str) -> str | None:
    if not tokens:
        return None
    task, length = None, 0
    for line in _starts().found_in("", tokens[:_LONGEST]):
        if line.count(" ") + 1 > length:
            task, length = _groups()[line], line.count(" ") + 1
    if task is None and not sentence.isascii():
        found = _unspaced().found_in(sentence, [])
        task = _groups()[found[0]] if found else None
    first = tokens[0]
    head = tokens[1:_LONGEST]
    if task == "edit" and _CODE.found_in("", head):
        return "program"
    if first in words_of("making.txt") and task in (None, "write", "find ideas", "recommend"):
        if _CODE.found_in("", head):
            return "program"
        if _IMAGE.found_in("", head):
            return "draw"
        if _PLAN.found_in("", head):
            return "plan"
    return task


def _bare(tokens: list[str]) -> tuple[list[str], bool]:
    """Words without "please", "can you" and the like before a wish; whether it is one's own act."""
    own, begun = False, True
    while begun and tokens:
        begun = False
        for length in range(min(5, len(tokens)), 0, -1):
            opening = " ".join(tokens[:length])
            if opening in _openings():
                tokens, begun = tokens[length:], True
                own = own or (opening[:2] in ("i ", "i'") and opening.endswith(" to"))
                break
    return tokens, own


@cache
def _openings() -> frozenset[str]:
    return frozenset(lines_of("openings.txt"))


@cache
def _groups() -> dict[str, str]:
    """Task by phrase, as `Phrases` gives it back."""
    groups = groups_of("tasks.txt")
    return {
        key: task for task, lines in groups.items() for line in lines for key in (line, f"^{line}")
    }


@cache
def _starts() -> Phrases:
    return Phrases(f"^{line}" for line in chain.from_iterable(groups_of("tasks.txt").values()))


@cache
def _unspaced() -> Phrases:
    return Phrases(chain.from_iterable(groups_of("tasks.txt").values()))
