"""Calls that a run will make of a model beside those about conversations, before it is known what
groups there will be, and what typical answers look like.

Prompts are made by those who make them in a run, filled with typical texts, so that they are as
long as a run's. What answers are like are constants here; ``docs/cost.md`` states them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from clio.analysts.prices import Model
from clio.analysts.tokens import count_tokens
from clio.clustering.choosing import bounds, likely_k
from clio.conversation import Outcome
from clio.describing import Description
from clio.describing.asking import Writer
from clio.describing.model import NEIGHBOURS, SHOWN
from clio.facet import Facet
from clio.hierarchy.assigning import assign
from clio.hierarchy.levels import level_sizes
from clio.hierarchy.nodes import Nodes, unit_rows
from clio.hierarchy.proposing import Asking, deduplicate, propose
from clio.prompting import Prompt, Purpose, Reply, unmarked
from clio.settings import Thresholds

TEXT_SHARE: Final = 0.25
"""Length of a free text that a model writes, as a share of the longest allowed."""

N_TOP: Final = 10
"""Nodes wanted at the top of a hierarchy, as `clio.hierarchy.build_by_model` has it."""

_COMMON_WORDS: Final = 15
"""Words that many of a group use, which its writer is shown."""

_LONGEST_TEXT: Final = 240
_PROSE: Final = (
    "explain how tides work and why their height changes over the month, in plain words and with "
    "an example from daily life, for somebody who never studied physics at school; "
)
_TITLE: Final = "Explain mathematical concepts for school homework"
_SUMMARY: Final = (
    "Users asked for explanations of mathematical concepts that came up in school homework, mostly "
    "in algebra and geometry. Unlike those nearby, they wanted to understand the steps rather than "
    "only to get the result."
)
_CODE: Final = "00f67d3d"
_KEY: Final = bytes(32)
_DIMENSIONS: Final = 8


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls for one purpose, in tokens of the model's.

    Attributes
    ----------
    purpose
        What they are for.
    number
        How many.
    prefix
        Tokens at the beginning of a prompt that are the same in others: system part and schema.
    rest
        The other tokens of a prompt, in the mean.
    output
        Tokens of an answer, in the mean.
    prefixes
        How many beginnings there are.
    """

    purpose: Purpose
    number: int
    prefix: float
    rest: float
    output: float
    prefixes: int = 1


@dataclass(frozen=True, slots=True)
class Meter:
    """Counts tokens as a model does."""

    model: Model

    def text(self, text: str) -> float:
        """Of a text."""
        return count_tokens(text, self.model.tokenizer) * self.model.tokens

    def prefix(self, prompt: Prompt) -> float:
        """Of what a prompt shares with others."""
        return self.text(prompt.system) + self.json(prompt.schema)

    def json(self, value: Any) -> float:
        """Of a JSON value."""
        return self.text(orjson.dumps(value).decode())


def facet_answer(facets: Sequence[Facet]) -> dict[str, Any]:
    """A typical answer to the questions about one conversation."""
    return {facet.name: _typical(facet) for facet in facets} | {"check": _CODE}


def screen_answer() -> dict[str, Any]:
    """A typical answer to the screener's question."""
    return {"answer": True, "check": _CODE}


def expected_leaves(
    conversations: int, texts: int, *, base_clusters: int | None, thresholds: Thresholds
) -> int:
    """Base clusters that are likely, before texts are known.

    Parameters
    ----------
    conversations
        Of the corpus.
    texts
        Distinct ones among their answers, at most.
    base_clusters
        The setting, where it was made.
    thresholds
        Of the release.
    """
    if base_clusters is not None:
        return max(1, min(base_clusters, texts))
    low, high = bounds(
        conversations,
        texts,
        min_accounts=thresholds.accounts,
        min_conversations=thresholds.conversations,
    )
    return min(high, max(low, likely_k(conversations, high)))


def naming_calls(
    facet: Facet, conversations: int, leaves: int, *, language: str, meter: Meter
) -> list[Calls]:
    """Calls that describe the groups of one facet and build the hierarchy above them.

    Parameters
    ----------
    facet
        A clustered facet.
    conversations
        That have an answer to it.
    leaves
        Base clusters.
    language
        Language of titles, by its English name.
    meter
        Of the model that writes them.
    """
    writer = Writer(facet, _KEY, language, None)
    statement = _prose(facet)
    inside = max(1, min(SHOWN, conversations // leaves))
    outside = min(SHOWN, conversations - conversations // leaves) if leaves > 1 else 0
    words = statement.split()[:_COMMON_WORDS]
    leaf = writer.group([statement] * inside, [statement] * outside, words, None)
    described = [_described(leaf, leaves, meter)]
    grouped: list[Calls] = []
    below = leaves
    for wanted in level_sizes(leaves, N_TOP):
        grouped += _grouping_calls(below, wanted, language, meter)
        child = Description(_TITLE, _SUMMARY)
        parent = writer.parent(
            [child] * max(1, min(SHOWN, below // wanted)), [child] * NEIGHBOURS, words, None
        )
        described.append(_described(parent, wanted, meter))
        below = wanted
    return described + grouped


def _described(prompt: Prompt, number: int, meter: Meter) -> Calls:
    answer = {"summary": _SUMMARY, "title": _TITLE, "check": _CODE}
    return Calls(
        "describe", number, meter.prefix(prompt), meter.text(prompt.user), meter.json(answer)
    )


def _grouping_calls(below: int, wanted: int, language: str, meter: Meter) -> list[Calls]:
    """Proposals, deduplication and assignment of one level, made as a run makes them."""
    recorder = _Recorder()
    asking = Asking(recorder, _KEY, language, None, _random_vectors)
    lines = [f"{_TITLE}: {_SUMMARY}"] * below
    titles = [f"{_TITLE} {number}" for number in range(below)]
    nodes = Nodes(titles, lines, _random_vectors(titles), np.ones(below), np.arange(below))
    names, neighbourhoods, _ = propose(nodes, wanted, asking)
    if neighbourhoods > 1:
        names, _ = deduplicate(names, wanted, asking)
    assign(nodes, names, asking, seed=[0])
    calls = []
    for purpose, group in groupby(recorder.prompts, key=lambda prompt: prompt.purpose):
        prompts = list(group)
        if purpose == "assign":
            each = -(-below // len(prompts))
            placed = [{"group": number, "name": _TITLE} for number in range(each)]
            answer: dict[str, Any] = {"assignments": placed, "check": _CODE}
        else:
            answer = {"names": [_TITLE] * -(-wanted // len(prompts)), "check": _CODE}
        user = sum(meter.text(prompt.user) for prompt in prompts) / len(prompts)
        calls.append(
            Calls(purpose, len(prompts), meter.prefix(prompts[0]), user, meter.json(answer))
        )
    return calls


class _Recorder:
    """An asker that notes prompts. It places every group and proposes nothing, so that a level
    gets as many names as are wanted."""

    def __init__(self) -> None:
        self.prompts: list[Prompt] = []

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        self.prompts += prompts
        return [
            Reply(Outcome.ASSIGNED, _everything_placed(prompt))
            if prompt.purpose == "assign"
            else Reply(Outcome.FAILED, reason="only noted")
            for prompt in prompts
        ]

    def wait(self) -> None:
        """Nothing is ever awaited."""


def _everything_placed(prompt: Prompt) -> dict[int, int]:
    groups = unmarked(prompt.user)[0].split("\n")
    return dict.fromkeys(range(len(groups)), 0)


def _random_vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    generator = np.random.default_rng(len(texts))
    return unit_rows(generator.standard_normal((len(texts), _DIMENSIONS)))


def _typical(facet: Facet) -> Any:
    if facet.kind == "text":
        return _prose(facet)
    if facet.kind == "boolean":
        return False
    if facet.kind in ("number", "scale"):
        return facet.low or 0
    middle = sorted(facet.options, key=len)[len(facet.options) // 2]
    return middle if facet.kind == "category" else [middle]


def _prose(facet: Facet) -> str:
    """A typical answer to a facet of free text."""
    length = round((facet.high or _LONGEST_TEXT) * TEXT_SHARE)
    text = _PROSE * (1 + length // len(_PROSE))
    return text[:length].rsplit(" ", 1)[0]
