"""What generated conversations are about: two levels of topics, and the texts to ask for them.

The texts are data. English has ``texts/en.toml`` (openings and the like), a file a domain under
``texts/en/regular`` and ``texts/en/concerning``, the rare themes in ``texts/en/rare.toml`` and
material to paste in ``texts/en/pasted.toml``. Every other language has one file,
``texts/<code>.toml``, with those topics that all languages share.

Each topic has two halves of frames: ``open`` for everybody, ``holdout`` for validation alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final, Literal

from clio.testing.templates import Template, slots_of, templates

Grammar = Literal["open", "holdout"]
Kind = Literal["regular", "concerning", "rare"]

LANGUAGES: Final = (
    *("en", "es", "pt", "fr", "ca", "af", "tr", "uk"),
    *("ru", "ja", "zh", "hi", "ar", "hy", "ka"),
)
"""The fifteen languages of the synthetic data in the Clio paper, Appendix C; English first."""

# Popularity within a domain is steeper than the weights in the files say, so that the whole is
# close to Zipf's law.
_STEEPNESS: Final = 1.3
_SPACELESS: Final = frozenset({"ja", "zh"})


@dataclass(frozen=True, slots=True)
class Topic:
    """The lower level.

    Attributes
    ----------
    name, domain
        The planted truth; a topic's name is unique.
    kind
        Regular and concerning topics make up the mix; a rare theme appears where it is planted.
    share
        Popularity among the topics of its kind, where it sums to 1.
    trend
        ``"steady"``, ``"grow"`` or ``"new"`` (appears half-way).
    """

    name: str
    domain: str
    kind: Kind
    share: float
    trend: str


@dataclass(frozen=True, slots=True)
class Voice:
    """How one topic is talked about in one language.

    Attributes
    ----------
    requests
        What people write first.
    contexts
        What they add to it.
    followups
        What they write after a reply.
    replies, refusals
        What the assistant answers; refusals only where the topic is concerning.
    """

    requests: tuple[Template, ...]
    contexts: tuple[Template, ...]
    followups: tuple[Template, ...]
    replies: tuple[Template, ...]
    refusals: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Material that people paste, with what they ask about it, and the topic of that."""

    kind: str
    topic: str
    text: Template
    asks: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class Language:
    """One language's texts.

    Attributes
    ----------
    code
        BCP 47.
    spaced
        Whether sentences are divided by spaces.
    openings, closings
        What stands around a request.
    again
        What introduces a second request on another subject.
    voices
        By the names of the topics that it has texts for.
    """

    code: str
    spaced: bool
    openings: tuple[Template, ...]
    closings: tuple[Template, ...]
    again: tuple[Template, ...]
    voices: Mapping[str, Voice]


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """All topics in a fixed order; all languages, English first; pasted material; and prompts of
    systems.
    """

    topics: tuple[Topic, ...]
    languages: tuple[Language, ...]
    blocks: tuple[Block, ...]
    prompts: tuple[Template, ...]


@cache
def taxonomy(grammar: Grammar = "open") -> Taxonomy:
    """Topics and texts of one half of the grammars.

    Raises
    ------
    ValueError
        `grammar` is neither half, a text is malformed, or two topics have the same name.
    """
    if grammar not in ("open", "holdout"):
        raise ValueError(f"a grammar is 'open' or 'holdout', not {grammar!r}")
    texts = resources.files(__package__) / "texts"
    topics: list[Topic] = []
    voices: dict[str, Voice] = {}
    common = _table(texts / "en.toml")
    for topic, voice in _english(texts / "en", common, grammar):
        if topic.name in voices:
            raise ValueError(f"two topics are named {topic.name!r}")
        topics.append(topic)
        voices[topic.name] = voice
    languages = [_language(common, voices)]
    for code in LANGUAGES[1:]:
        table = _table(texts / f"{code}.toml")
        languages.append(_language(table, _foreign(table, topics, grammar)))
    return Taxonomy(
        topics=tuple(topics),
        languages=tuple(languages),
        blocks=tuple(_blocks(texts / "en" / "pasted.toml", grammar)),
        prompts=templates(common["system"], {}),
    )


def _table(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _tables(folder: Traversable) -> list[dict[str, Any]]:
    files = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return [_table(file) for file in files if file.name.endswith(".toml")]


def _english(
    folder: Traversable, common: dict[str, Any], grammar: Grammar
) -> Iterator[tuple[Topic, Voice]]:
    kinds: tuple[Kind, ...] = ("regular", "concerning")
    for kind in kinds:
        tables = _tables(folder / kind)
        whole = sum(table["weight"] for table in tables)
        for table in tables:
            yield from _domain(common | table, kind, table["weight"] / whole, grammar)
    yield from _domain(common | _table(folder / "rare.toml"), "rare", 0.0, grammar)


def _domain(
    table: Mapping[str, Any], kind: Kind, share: float, grammar: Grammar
) -> Iterator[tuple[Topic, Voice]]:
    """The topics of one file, with the domain's texts where a topic has none of its own."""
    half = "frames" if grammar == "open" else "holdout"
    weights = [entry.get("weight", 1) ** _STEEPNESS for entry in table["topics"]]
    for entry, weight in zip(table["topics"], weights, strict=True):
        slots = slots_of(table.get("slots", {}), entry.get("slots", {}))
        if grammar == "holdout":
            slots |= slots_of(entry.get("holdout_slots", {}))
        own = {**table, **entry}
        topic = Topic(
            name=entry["name"],
            domain=table["name"],
            kind=kind,
            share=share * weight / sum(weights),
            trend=entry.get("trend", "steady"),
        )
        voice = Voice(
            requests=templates(entry[half], slots),
            contexts=templates(own["contexts"], slots),
            followups=templates(own["followups"], slots),
            replies=templates(own["replies"], slots),
            refusals=templates(own["refusals"], slots) if kind == "concerning" else (),
        )
        yield topic, voice


def _foreign(
    table: Mapping[str, Any], topics: list[Topic], grammar: Grammar
) -> Mapping[str, Voice]:
    contexts, followups, replies, refusals = (
        templates(table[name], {}) for name in ("contexts", "followups", "replies", "refusals")
    )
    kinds = {topic.name: topic.kind for topic in topics}
    return {
        name: Voice(
            requests=templates(entry[grammar], {}),
            contexts=contexts,
            followups=followups,
            replies=replies,
            refusals=refusals if kinds[name] == "concerning" else (),
        )
        for name, entry in table["topics"].items()
    }


def _language(table: Mapping[str, Any], voices: Mapping[str, Voice]) -> Language:
    openings, closings, again = (
        templates(table[name], {}) for name in ("openings", "closings", "again")
    )
    code = table["code"]
    return Language(code, code not in _SPACELESS, openings, closings, again, voices)


def _blocks(file: Traversable, grammar: Grammar) -> Iterator[Block]:
    """Pasted material, with every other of its asks for either half."""
    table = _table(file)
    for entry in table["blocks"]:
        slots = slots_of(table.get("slots", {}), entry.get("slots", {}))
        yield Block(
            kind=entry["kind"],
            topic=entry["topic"],
            text=Template(entry["text"].strip("\n"), slots),
            asks=templates(entry["asks"], slots)[grammar == "holdout" :: 2],
        )
