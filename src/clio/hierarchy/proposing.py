"""Names for the groups of a level: proposed by neighbourhood, then made distinct.

Steps 2, 3 and 5 of the paper's hierarchizer (Clio, G.7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from clio.hierarchy.nodes import Embed, Nodes, central_of, unit_rows
from clio.prompting import (
    DATA_RULES,
    Asker,
    InvalidAnswerError,
    Prompt,
    Purpose,
    ask_all,
    check_codes,
    guard,
    marked,
    windows,
)
from clio.prompting.closed import closed_schema, validated
from clio.prompting.naming import check_title, numbered, one_line

NEIGHBOURHOOD: Final = 40
"""Nodes shown in one call, on average (Clio paper, G.7)."""

BORDER: Final = 10
"""Near nodes of other neighbourhoods shown with them."""

MOST_NAMES: Final = 200
"""Names compared in one call; more are compared in two rounds of overlapping runs."""

TEMPERATURE: Final = 1.0
"""As the paper's (G.7)."""

_NAME_TOKENS: Final = 60
_OTHER_TOKENS: Final = 200

_RULES: Final = """
A name has at most ten words, is written in {language}, and says what the groups under it have in \
common, in the form of their titles; it is specific, never a remainder such as "Other requests". \
Harmful themes keep names of their own that say plainly what they are. Leave out names of people, \
places and companies. Plain words: no lists, no markup, no addresses.

{data}

Answer with an object of two properties: "names", and "check", the code that is given for it."""

_PROPOSE: Final = (
    """\
You sort groups of conversations with an AI assistant under broader groups, for people who study \
what it is used for. You see some groups, each with a title and a summary. Propose names of \
broader groups, so that every one of the shown groups would belong to one of them and no two of \
them mean the same. Groups from the border of the neighbourhood may be shown too: mind that \
broader groups reach across the border, but propose none for their sake alone."""
    + _RULES
)

_DEDUPLICATE: Final = (
    """\
You put in order a list of names for groups of conversations with an AI assistant, which several \
people proposed independently for different parts of a collection. Make one list of it in which \
no two names mean the same or overlap: join names by what they mean, not by the words they share. \
Of names that mean the same keep the more specific, not the vaguer; where one must give way to \
another, prefer the one that names a harm clearly. Everything on the old list must still have its \
place under a name of the new one."""
    + _RULES
)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    names: list[str]
    check: str


_SCHEMA: Final = closed_schema(_Answer)


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask, and how.

    Attributes
    ----------
    asker
        Answers the prompts.
    key
        The run's secret key, from which each prompt's codes are made.
    language
        Language of names, by its English name.
    identifiers
        Whether a text holds personal identifiers.
    embed
        From texts to vectors.
    """

    asker: Asker
    key: bytes
    language: str
    identifiers: Callable[[str], bool] | None
    embed: Embed


def bounds(wanted: float) -> tuple[int, int]:
    """Fewest and most names where so many are wanted: half of it to half more, at least one."""
    return max(1, int(0.5 * wanted)), max(1, int(1.5 * wanted))


def propose(nodes: Nodes, wanted: int, asking: Asking) -> tuple[list[str], int, int]:
    """About `wanted` distinct names for the groups above `nodes`.

    Returns
    -------
    names
        At most one and a half times `wanted`.
    neighbourhoods
        How many were asked about.
    failed
        Those for which titles of their most central nodes were taken instead.
    """
    count = max(1, round(len(nodes.titles) / NEIGHBOURHOOD))
    runs = [run.tolist() for run in np.array_split(nodes.order, count)]
    shares = [wanted * len(run) / len(nodes.titles) for run in runs]
    prompts = [_propose(nodes, run, share, asking) for run, share in zip(runs, shares, strict=True)]
    names: list[str] = []
    failed = 0
    for run, share, reply in zip(runs, shares, ask_all(asking.asker, prompts), strict=True):
        if reply.value is None:
            failed += 1
            central = central_of(nodes.vectors[run], max(1, round(share)))
            names += [nodes.titles[run[place]] for place in central]
        else:
            names += reply.value
    return distinct(names), count, failed


def distinct(names: Sequence[str]) -> list[str]:
    """Names without those that differ from an earlier one in capitals alone."""
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.lower(), name)
    return list(first.values())


def deduplicate(names: list[str], wanted: int, asking: Asking) -> tuple[list[str], int]:
    """About `wanted` names out of those that neighbourhoods proposed, and calls that failed.

    Up to `MOST_NAMES` are compared in one call. More are cut into runs; neighbours propose like
    names, so a second round, whose runs lie across the borders of the first, finds most of the
    rest. Where the model fails, the most central of like names are kept.
    """
    failed = 0
    rounds = 1 if len(names) <= MOST_NAMES else 2
    for number in range(rounds):
        runs = _runs(names, shifted=number == 1)
        shares = [min(1.0, wanted / len(names)) * len(run) for run in runs]
        prompts = [
            _deduplicate(run, share, asking) for run, share in zip(runs, shares, strict=True)
        ]
        kept: list[str] = []
        for run, share, reply in zip(runs, shares, ask_all(asking.asker, prompts), strict=True):
            failed += reply.value is None
            kept += _central(run, round(share), asking) if reply.value is None else reply.value
        names = distinct(kept)
    return names, failed


def _central(names: list[str], count: int, asking: Asking) -> list[str]:
    central = central_of(unit_rows(asking.embed(names)), max(1, count))
    return [names[place] for place in central]


def _runs(names: list[str], *, shifted: bool) -> list[list[str]]:
    """Runs of at most `MOST_NAMES`; shifted ones lie across the borders of those that are not."""
    if len(names) <= MOST_NAMES:
        return [names]
    length = -(-len(names) // -(-len(names) // MOST_NAMES))
    cuts = [0, *range(length // 2 if shifted else length, len(names), length), len(names)]
    return [names[start:end] for start, end in pairwise(cuts)]


def _propose(nodes: Nodes, run: list[int], share: float, asking: Asking) -> Prompt:
    middle = nodes.vectors[run].mean(axis=0)
    outside = np.setdiff1d(np.arange(len(nodes.titles)), run)
    near = outside[np.argsort(-(nodes.vectors[outside] @ middle), kind="stable")[:BORDER]]
    blocks = {"groups": numbered([nodes.lines[i] for i in run])}
    if len(near):
        blocks["border"] = numbered([nodes.titles[i] for i in near])
    return _prompt("propose", _PROPOSE, blocks, share, asking)


def _deduplicate(names: list[str], share: float, asking: Asking) -> Prompt:
    listed = "\n".join(one_line(name) for name in names)
    return _prompt("deduplicate", _DEDUPLICATE, {"names": listed}, share, asking)


def _prompt(
    purpose: Purpose, task: str, blocks: Mapping[str, str], share: float, asking: Asking
) -> Prompt:
    system = task.format(language=asking.language, data=DATA_RULES)
    codes = guard(asking.key, "\0".join([purpose, *blocks.values(), str(share)]))
    fewest, most = bounds(share)
    instructions = windows(system)

    def check(answer: Mapping[str, Any]) -> list[str]:
        written = validated(_Answer, answer)
        check_codes(answer, codes)
        names = distinct(
            [
                check_title(
                    name,
                    codes,
                    identifiers=asking.identifiers,
                    instructions=instructions,
                    field="names",
                )
                for name in written.names
            ]
        )
        if not fewest <= len(names) <= most:
            raise InvalidAnswerError(f'"names" does not hold {_between(fewest, most)}')
        return names

    shown = "\n".join(marked(text, codes, kind=kind) for kind, text in blocks.items())
    return Prompt(
        purpose=purpose,
        system=system,
        user=f"{shown}\nWrite {_between(fewest, most)}, best about {max(1, round(share))}.\n"
        f"{codes.reminder()}",
        schema=_SCHEMA,
        check=check,
        temperature=TEMPERATURE,
        max_tokens=_OTHER_TOKENS + _NAME_TOKENS * most,
    )


def _between(fewest: int, most: int) -> str:
    if fewest == most:
        return f"{most} different name{'' if most == 1 else 's'}"
    return f"{fewest} to {most} different names"
