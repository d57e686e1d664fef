"""Each node of a level to exactly one of the names above it (Clio paper, G.7, step 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from clio.hierarchy.nodes import Nodes, unit_rows
from clio.hierarchy.proposing import TEMPERATURE, Asking
from clio.prompting import (
    DATA_RULES,
    InvalidAnswerError,
    Prompt,
    ask_all,
    check_codes,
    clean,
    guard,
    marked,
)
from clio.prompting.closed import closed_schema, validated
from clio.prompting.naming import numbered, one_line

TOGETHER: Final = 20
"""Nodes placed in one call. The paper asks about one a call; the list of names, which is most of
the prompt, is then sent twenty times as often."""

MOST_OPTIONS: Final = 100
"""Names to choose from; of more, those nearest to the nodes. With CLINC150's 150 intents as names
and 400 clusters of its requests, 30 left out the right one for 4.0 % of the nodes, 60 for 2.0 %."""

LEAST_PLACED: Final = 0.5
"""Share of the nodes that an answer has to place; the rest is asked about again."""

_TOKENS_A_NODE: Final = 60
_OTHER_TOKENS: Final = 200

_TASK: Final = f"""\
You sort groups of conversations with an AI assistant under broader groups, for people who study \
what it is used for. You see numbered groups, each with a title and a summary, and a list of \
names, one a line, in no order. For each group choose the one name that fits it best, and copy it \
letter by letter; where none fits well, the one that fits least badly. Every group gets one name; \
a name may be used often, or not at all.

{DATA_RULES}

Answer with an object of two properties: "assignments", for each group an object with its number \
as "group" and its "name"; and "check", the code that you are given for it."""


class _Placed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    group: int
    name: str


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    assignments: list[_Placed]
    check: str


_SCHEMA: Final = closed_schema(_Answer)


def assign(
    nodes: Nodes, names: Sequence[str], asking: Asking, *, seed: Sequence[int]
) -> tuple[NDArray[np.int32], int]:
    """The name of each node, (n,) int32, and how many were placed by nearness instead.

    Nodes that an answer left out, or gave a name that is not on the list, are asked about once
    more, in other company; then the nearest name is theirs.

    Parameters
    ----------
    nodes
        The nodes.
    names
        Distinct, whatever their capitals.
    asking
        Whom to ask.
    seed
        Of the order in which names are shown: a model prefers the first ones.
    """
    if len(names) == 1:
        return np.zeros(len(nodes.titles), dtype=np.int32), 0
    nearness = nodes.vectors @ unit_rows(asking.embed(names)).T
    cleaned = [clean(one_line(name)) for name in names]
    chosen = np.full(len(nodes.titles), -1, dtype=np.int32)
    for attempt in range(2):
        missing = nodes.order[chosen[nodes.order] < 0]
        if len(missing) == 0:
            break
        generator = np.random.default_rng([*seed, attempt])
        runs = np.array_split(missing, -(-len(missing) // TOGETHER))
        shown = [generator.permutation(_options(nearness[run])) for run in runs]
        prompts = [
            _prompt([nodes.lines[i] for i in run], [cleaned[o] for o in options], asking)
            for run, options in zip(runs, shown, strict=True)
        ]
        replies = ask_all(asking.asker, prompts)
        for run, options, reply in zip(runs, shown, replies, strict=True):
            for place, option in (reply.value or {}).items():
                chosen[run[place]] = options[option]
    left = chosen < 0
    chosen[left] = nearness[left].argmax(axis=1)
    return chosen, int(left.sum())


def _options(nearness: NDArray[np.float32]) -> list[int]:
    """Up to `MOST_OPTIONS` names: all nodes' nearest ones, then all their second ones, and on."""
    ranked = np.argsort(-nearness, axis=1, kind="stable")
    return list(dict.fromkeys(ranked.T.ravel().tolist()))[:MOST_OPTIONS]


def _prompt(lines: Sequence[str], options: Sequence[str], asking: Asking) -> Prompt:
    codes = guard(asking.key, "\0".join(["assign", *lines, "", *options]))
    place = {option.lower(): number for number, option in enumerate(options)}

    def check(answer: Mapping[str, Any]) -> dict[int, int]:
        written = validated(_Answer, answer)
        check_codes(answer, codes)
        found: dict[int, set[int | None]] = {}
        for item in written.assignments:
            found.setdefault(item.group - 1, set()).add(place.get(clean(item.name).strip().lower()))
        placed = {
            node: option
            for node, choices in found.items()
            if 0 <= node < len(lines) and len(choices) == 1
            for option in choices
            if option is not None
        }
        if len(placed) < LEAST_PLACED * len(lines):
            raise InvalidAnswerError(
                '"assignments" does not give each group exactly one name from the list'
            )
        return placed

    blocks = [
        marked(numbered(lines), codes, kind="groups"),
        marked("\n".join(options), codes, kind="names"),
    ]
    return Prompt(
        purpose="assign",
        system=_TASK,
        user="\n".join([*blocks, codes.reminder()]),
        schema=_SCHEMA,
        check=check,
        temperature=TEMPERATURE,
        max_tokens=_OTHER_TOKENS + _TOKENS_A_NODE * len(lines),
    )
