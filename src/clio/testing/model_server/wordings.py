"""How the stand-in speaks of what generated conversations are about, and knows it again.

A model does not say the same of every conversation about one topic, and what it said comes back
to it later: as statements to be described, as groups to be sorted. So every topic, domain and
broad field has several wordings, and every wording leads back to what it means.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Final, Literal

from clio.testing.taxonomy import taxonomy

Level = Literal["topic", "domain", "broad"]

_NOT_WORDS: Final = re.compile(r"[\W_]+")
_TITLE_WORDS: Final = 10
_SHORT_WORDS: Final = 6

_REQUESTS: Final = ("{}", "{}", "Get help to {}", "Learn how to {}", "Find a way to {}")
_ENDINGS: Final = (
    *("", "", "", "", ", step by step", " for the first time", " and avoid common mistakes"),
)
_TASKS: Final = ("Explain how to {}", "Advise on how to {}", "Work out how to {}")
_TITLES: Final = ("{}", "Get help to {}", "Learn how to {}", "Find a way to {}")
_FIELD_TITLES: Final = (
    *("Get help with {}", "Seek advice on {}", "Handle tasks of {}", "Ask about {}", "Discuss {}"),
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that conversations, groups or names are about.

    Attributes
    ----------
    name
        As planted; of a broad field as in the table of wordings.
    level
        How wide it is.
    domain
        The planted upper level; empty for a broad field.
    broad
        What the domain belongs to.
    field, concern, concern_class
        Answers to the standard facets ``domain``, ``concern`` and ``concern_class``.
    """

    name: str
    level: Level
    domain: str
    broad: str
    field: str = "other"
    concern: int = 1
    concern_class: str = "none"


@dataclass(frozen=True, slots=True)
class Wordings:
    """All subjects, and what is said of them.

    Attributes
    ----------
    topics, domains, broads
        By name.
    alternatives
        Two imperative phrases a topic.
    """

    topics: dict[str, Subject]
    domains: dict[str, Subject]
    broads: dict[str, Subject]
    alternatives: dict[str, tuple[str, ...]]

    def titles(self, subject: Subject) -> list[str]:
        """What a group about the subject can be called, the plainest first; ten words at most."""
        if subject.level == "topic":
            phrases = self.alternatives[subject.name]
            titles = [subject.name, *phrases]
            titles += [framed(title, phrase) for title in _TITLES[1:] for phrase in phrases]
        else:
            titles = [framed(title, subject.name) for title in _FIELD_TITLES]
        return [title for title in dict.fromkeys(titles) if len(title.split()) <= _TITLE_WORDS]

    def request(self, subject: Subject, at: float) -> str:
        """What the user of a conversation about a topic asks for; `at` in [0, 1) says how."""
        phrases = (subject.name, *self.alternatives[subject.name])
        choice = int(at * len(phrases) * len(_REQUESTS) * len(_ENDINGS))
        choice, phrase = divmod(choice, len(phrases))
        ending, frame = divmod(choice, len(_REQUESTS))
        if phrase == 0:
            return subject.name + _ENDINGS[ending]
        return framed(_REQUESTS[frame], phrases[phrase]) + _ENDINGS[ending]

    def task(self, subject: Subject, at: float) -> str:
        """What the assistant does in a conversation about a topic."""
        phrases = self.alternatives[subject.name]
        frame, phrase = divmod(int(at * len(phrases) * len(_TASKS)), len(phrases))
        return framed(_TASKS[frame], phrases[phrase])

    def short(self, subject: Subject) -> str:
        """A topic in six words at most."""
        phrases = (subject.name, *self.alternatives[subject.name])
        return next(phrase for phrase in phrases if len(phrase.split()) <= _SHORT_WORDS)

    def subject_of(self, text: str) -> tuple[Subject, str] | None:
        """What a text is about and the wording that says so, or ``None``."""
        return _found(text)


@cache
def wordings() -> Wordings:
    """The table of wordings."""
    file = resources.files(__package__) / "wordings.toml"
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    domains = {
        name: Subject(
            name,
            "domain",
            name,
            entry["broad"],
            entry["field"],
            entry.get("concern", 1),
            entry.get("class", "none"),
        )
        for name, entry in table["domains"].items()
    }
    broads = {
        domain.broad: Subject(domain.broad, "broad", "", domain.broad)
        for domain in domains.values()
    }
    topics = {}
    for topic in taxonomy().topics:
        above = domains[topic.domain]
        topics[topic.name] = Subject(
            *(topic.name, "topic", topic.domain, above.broad),
            *(above.field, above.concern, above.concern_class),
        )
    alternatives = {name: tuple(phrases) for name, phrases in table["topics"].items()}
    return Wordings(topics, domains, broads, alternatives)


def framed(frame: str, phrase: str) -> str:
    """The phrase within a frame, without its capital where words stand before it."""
    return frame.format(phrase if frame.startswith("{}") else _lowered(phrase))


def _lowered(phrase: str) -> str:
    """Without the capital of an ordinary first word."""
    return phrase if phrase[1:2].isupper() else phrase[0].lower() + phrase[1:]


def plain(text: str) -> str:
    """Words alone, in lower case, with a blank around each."""
    return f" {_NOT_WORDS.sub(' ', text.casefold()).strip()} "


@cache
def _known() -> list[tuple[str, Subject, str]]:
    """Every wording in its plain form with what it means, the longest first."""
    table = wordings()
    known = [
        (plain(phrase), subject, phrase)
        for subject in table.topics.values()
        for phrase in (subject.name, *table.alternatives[subject.name])
    ]
    wider = (*table.domains.values(), *table.broads.values())
    known += [(plain(subject.name), subject, subject.name) for subject in wider]
    return sorted(known, key=lambda entry: -len(entry[0]))


@lru_cache(maxsize=65_536)
def _found(text: str) -> tuple[Subject, str] | None:
    said = plain(text)
    for phrase, subject, wording in _known():
        if phrase in said:
            return subject, wording
    return None
