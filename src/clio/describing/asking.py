"""What a language model is asked about a group, and what it may answer.

The order is the paper's (Clio, G.5): first the summary, so that the title follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from clio.describing.description import Description
from clio.facet import Facet
from clio.prompting import (
    DATA_RULES,
    InvalidAnswerError,
    Prompt,
    check_codes,
    guard,
    marked,
    windows,
)
from clio.prompting.checking import Windows
from clio.prompting.closed import closed_schema, validated
from clio.prompting.naming import check_summary, check_title, numbered

TEMPERATURE: Final = 1.0
"""As the paper's (G.5)."""

MAX_TOKENS: Final = 600

_REQUESTS: Final = ("request", "task")
"""Facets whose answers are things to do."""

_TASK: Final = """\
You name groups for people who study what an AI assistant is used for, without reading anybody's \
conversations. {shown}

{rules}

Answer in {language}, with an object of three properties, in this order:
"summary": two sentences in the past tense, at most 50 words: first what most of the group have in \
common, then what sets them apart from the others that are shown for contrast.
"title": at most ten words, no full stop. {form} As specific as the group allows, so that it \
does not fit the contrast as well; never vague.
"check": the code that you are given for it.

Say nothing that only a few of the group say, and prefer words that many of them use. Leave out \
names of people, places, companies and products that few know, and every number or detail that \
could point to a person. Take no side and suppose neither good nor bad intent; but where the group \
is about something harmful, illegal or sexual, name it plainly: not "Write creative content" but \
"Write sexually explicit stories", not "Help with marketing" but "Produce spam links for gambling \
sites". Plain prose: no lists, no markup, no addresses."""

_WORDS: Final = (
    "You also see words that many of the group use. A title or summary can only be published where "
    "each of its specific words is one of these, in any form, beside everyday words such as help, "
    "write or plan."
)

_STATEMENTS: Final = (
    "Each statement that you see answers, for one conversation of one user, the question: "
    "{question} You see statements of one group, and statements near the group that are not part "
    f"of it, for contrast. {_WORDS}"
)

_CHILDREN: Final = (
    "The groups are made of smaller groups, each with a title and a summary; these came from "
    "statements that answer the question: {question} You see the smaller groups of one group, "
    "and others near it that are not part of it, for contrast. Title and summary must cover all "
    f"the smaller groups of the group, and the title must not be one of theirs. {_WORDS}"
)

_KEYWORDS: Final = (
    "You see keywords of one group, each with how many of the group's users wrote it when asked, "
    "for one conversation each: {question} You see keywords of other groups, for contrast, and "
    "nothing else. Say only what the keywords say; where they leave open how they belong together, "
    "leave it open too."
)

_IMPERATIVE: Final = (
    'An imperative phrase that says what is asked for, such as "Debug React components".'
)
_PHRASE: Final = "A phrase that answers the question."


@lru_cache(maxsize=8)
def _instructions(system: str) -> Windows:
    """Once for all groups: thousands of prompts are held at a time."""
    return windows(system)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    summary: str
    title: str
    check: str


_SCHEMA: Final = closed_schema(_Answer)


@dataclass(frozen=True, slots=True)
class Writer:
    """How groups are asked about.

    Attributes
    ----------
    facet
        The clustered facet; its question is shown, its name decides the form of titles.
    key
        The run's secret key, from which each prompt's codes are made.
    language
        Language of titles and summaries, by its English name.
    identifiers
        Whether a text holds personal identifiers.
    """

    facet: Facet
    key: bytes
    language: str
    identifiers: Callable[[str], bool] | None

    def group(
        self,
        inside: Sequence[str],
        outside: Sequence[str],
        words: Sequence[str],
        taken: str | None,
    ) -> Prompt:
        """What to call a group of statements.

        Parameters
        ----------
        inside, outside
            Its statements, and others for contrast.
        words
            What many of the group say.
        taken
            A title that another group has.
        """
        return self._prompt(_STATEMENTS, inside, outside, words, taken, ())

    def parent(
        self,
        inside: Sequence[Description],
        outside: Sequence[Description],
        words: Sequence[str],
        taken: str | None,
    ) -> Prompt:
        """What to call a group of smaller groups; arguments as for `group`."""
        return self._prompt(
            _CHILDREN,
            [f"{child.title}: {child.summary}" for child in inside],
            [child.title for child in outside],
            words,
            taken,
            {child.title.lower() for child in inside},
        )

    def keywords(self, inside: Sequence[str], outside: Sequence[str], taken: str | None) -> Prompt:
        """What to call a group of which keywords are all that is shown; arguments as for `group`.

        `inside` are the group's, each with how many used it.
        """
        return self._prompt(_KEYWORDS, inside, outside, (), taken, ())

    def _prompt(
        self,
        shown: str,
        inside: Sequence[str],
        outside: Sequence[str],
        words: Sequence[str],
        taken: str | None,
        forbidden: Collection[str],
    ) -> Prompt:
        system = _TASK.format(
            shown=shown.format(question=self.facet.question),
            rules=DATA_RULES,
            language=self.language,
            form=_IMPERATIVE if self.facet.name in _REQUESTS else _PHRASE,
        )
        codes = guard(
            self.key, "\0".join(["describe", *inside, "", *outside, "", *words, "", taken or ""])
        )
        instructions = _instructions(system)
        blocks = ["The group:", marked(numbered(inside), codes, kind="group")]
        if outside:
            blocks += [
                "Not part of the group, for contrast:",
                marked(numbered(outside), codes, kind="contrast"),
            ]
        if words:
            blocks += ["Words of the group:", marked(" ".join(words), codes, kind="words")]
        if taken is not None:
            forbidden = {*forbidden, taken.lower()}
            blocks += [
                "Another group has this title already, so find one that tells the two apart:",
                marked(numbered([taken]), codes, kind="taken"),
            ]

        def check(answer: Mapping[str, Any]) -> Description:
            written = validated(_Answer, answer)
            check_codes(answer, codes)
            title = check_title(
                written.title, codes, identifiers=self.identifiers, instructions=instructions
            )
            if title.lower() in forbidden:
                raise InvalidAnswerError('"title" is one that another group has')
            summary = check_summary(
                written.summary, codes, identifiers=self.identifiers, instructions=instructions
            )
            return Description(title, summary)

        return Prompt(
            purpose="describe",
            system=system,
            user="\n".join([*blocks, codes.reminder()]),
            schema=_SCHEMA,
            check=check,
            temperature=TEMPERATURE,
            max_tokens=MAX_TOKENS,
        )
