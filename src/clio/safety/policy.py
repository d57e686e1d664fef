"""A usage policy as an input: rules in words with examples, from a TOML file.

One table a rule, named as it is called in every report::

    [rule.bulk_messages]
    rule = "No messages to be sent in bulk to people who did not ask for them."
    examples = ["Write fifty versions of this offer to strangers"]
    fine = ["Write a newsletter for my subscribers"]

A model is asked about the rules in words. Without one a conversation belongs to the rule that it is
closest to, if it is close to an example and closer than to anything that is fine: a first sieve,
and marked as such wherever it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from clio.errors import SettingsError
from clio.facet import Facet
from clio.settings import named_tables

POLICY: Final = "policy"
"""Column of a model's answers: the rules that a conversation is against."""

MAX_RULES: Final = 30
MAX_EXAMPLES: Final = 50
NO_RULE: Final = -1

MIN_CLOSENESS: Final = 5.5
"""Standard deviations of the run's own texts, over their median, from which on a text is close."""

_NORMAL: Final = 1.4826
"""Standard deviations in a median absolute deviation of the normal law."""

_SAMPLE: Final = 20_000
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]
Vectors = NDArray[np.float32]


class _Rule(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    rule: _Line
    examples: list[_Line] = Field(min_length=1, max_length=MAX_EXAMPLES)
    fine: list[_Line] = Field(default=[], max_length=MAX_EXAMPLES)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a policy.

    Attributes
    ----------
    name, rule
        What it is called, and what it says.
    examples, fine
        Requests that are against it, and requests that look so and are not.
    """

    name: str
    rule: str
    examples: tuple[str, ...]
    fine: tuple[str, ...]


def read_policy(path: Path) -> tuple[Rule, ...]:
    """The rules of a policy.

    Parameters
    ----------
    path
        A TOML file with one table ``[rule.NAME]`` a rule.

    Raises
    ------
    SettingsError
        It cannot be read, or a rule of it is not as it should be; nothing of its text is repeated.
    """
    rules = []
    for name, table in _tables(path).items():
        if not _NAME.fullmatch(name) or name == "none":
            raise SettingsError(
                f"{path}: a rule's name is lower case letters, digits, - and _, forty at most, "
                "and not 'none'"
            )
        try:
            found = _Rule.model_validate(table)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in ("rule", name, *first["loc"]))
            raise SettingsError(f"{path}: {where}: {first['msg']}") from None
        rules.append(Rule(name, found.rule, tuple(found.examples), tuple(found.fine)))
    return tuple(rules)


def _tables(path: Path) -> dict[str, Any]:
    tables = named_tables(path, "rule", unreadable="cannot be read; name a TOML file with --policy")
    if len(tables) > MAX_RULES:
        raise SettingsError(f"{path}: {len(tables)} rules; at most {MAX_RULES} can be asked about")
    return tables


def policy_facet(rules: Sequence[Rule]) -> Facet:
    """What a model is asked: which of the rules a conversation is against, if any."""
    told = "; ".join(
        f"{rule.name}: {rule.rule} Against it: {' | '.join(rule.examples[:3])}"
        + (f" Not against it: {' | '.join(rule.fine[:2])}" if rule.fine else "")
        for rule in rules
    )
    return Facet(
        name=POLICY,
        kind="category",
        question="Which of these rules is it against?",
        description=f"none for most; of several the gravest. {told}",
        options=("none", *(rule.name for rule in rules)),
    )


def closest_rules(
    rules: Sequence[Rule],
    parts: Callable[[], Iterable[Vectors]],
    embed: Callable[[Sequence[str]], Vectors],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The rule that each text is closest to.

    Closeness to an example is counted in standard deviations over what a text of this run usually
    has to it, so that it means the same for any embedder and for a vague example.

    Parameters
    ----------
    rules
        Of the policy.
    parts
        Gives the texts' unit vectors, ``(m, dimension)`` at a time, as often as it is called.
    embed
        What made them.

    Returns
    -------
    rule : (texts,) int64
        Its number; `NO_RULE` for texts that are close to none.
    closeness : (texts,) float64
        To the closest example of any rule.
    """
    examples = [(at, text) for at, rule in enumerate(rules) for text in rule.examples]
    fine = [text for rule in rules for text in rule.fine]
    anchors = embed([text for _, text in examples] + fine)
    first = np.concatenate([part @ anchors.T for part in _up_to(parts(), _SAMPLE)])
    middle = np.median(first, axis=0)
    width = np.maximum(_NORMAL * np.median(np.abs(first - middle), axis=0), 1e-6)
    of = np.array([at for at, _ in examples])
    chosen, heights = [], []
    for part in parts():
        close = (part @ anchors.T - middle) / width
        against, harmless = close[:, : len(of)], close[:, len(of) :]
        best = against.argmax(axis=1)
        height = against[np.arange(len(part)), best].astype(np.float64)
        hit = height >= MIN_CLOSENESS
        if fine:
            hit &= height > harmless.max(axis=1)
        chosen.append(np.where(hit, of[best], NO_RULE))
        heights.append(height)
    return np.concatenate(chosen).astype(np.int64), np.concatenate(heights)


def _up_to(parts: Iterable[Vectors], count: int) -> Iterable[Vectors]:
    for part in parts:
        yield part[:count]
        count -= len(part)
        if count <= 0:
            return
