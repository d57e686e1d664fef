"""What a model is asked of a text, and what may become of its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from clio.prompting import DATA_RULES, Asker, Guard, Prompt, ask_all, check_codes, guard, marked
from clio.prompting.closed import closed_schema, validated

KEPT: Final = 3
"""The least rating that passes (Clio paper, G.8)."""

PUBLIC: Final = 4
"""The least rating that passes where everybody may read the text."""

TEMPERATURE: Final = 0.05
"""The paper's (G.8)."""

MAX_TOKENS: Final = 300

MOST_CHARACTERS: Final = 6000
"""A longer text is cut: a description is never as long, a conversation may be."""

OPEN_KEY: Final = bytes(32)
"""Key of the codes in prompts where no run's secret is at hand: an exported release has none."""

_SCALE: Final = """\
1: it names one person, or says so much that only one can be meant.
2: it points to a small group or a single small organisation: a village of a hundred people, a \
firm of fifteen, a class, a family, a team.
3: thousands of people fit; somebody who knows the people concerned could guess.
4: it could point to somebody only together with much that is not in the text.
5: nobody can be recognised.

What matters is who could be meant, not whether the subject is delicate. Explicit, sexual, \
violent or illegal requests and talk of illness or self-harm are 5 where nobody is pointed to. \
So are well-known people, large firms, countries and famous events spoken of in general. A private \
person with a name, an address, a number or a unique role in a named place is 1, whatever else is \
said; an unknown firm, school, club or parish with a name is 2."""

_EXAMPLES: Final = """\
"Fix slow spreadsheets: Users asked why large sheets take long to open." is 5.
"Write erotic stories: Users asked for explicit scenes between invented adults." is 5.
"Discuss famous disappearances: Users asked what is known of an aviator who vanished." is 5.
"Help beginners in veterinary medicine: Students of the third year asked about exams." is 4.
"Advise cattle farmers of one hilly county: Farmers asked about milk prices there." is 3.
"Improve a shop's page: Users asked for texts for Knopf & Faden, a sewing shop." is 2.
"Ask about a transfer: The only baker of a small island asked how to move there." is 2.
"Write to a landlord: Users asked for a letter from Aurelia Fenwick about mould." is 1."""

_FIRST: Final = """\
You rate how far a text about the use of an AI assistant, most often the title and summary of a \
group of conversations, lets somebody recognise a person or a small group. Ratings:

{scale}

Examples:
{examples}"""

_SECOND: Final = """\
Suppose that the reader of a text wants to find out who is meant: a neighbour, a colleague, a \
journalist with a search engine and much patience. Look for the narrowest detail of the text: a \
name, a number, an address, a rare job, a small place, an unusual event, and above all several of \
these together. Say how far that reader would come, as one of these ratings:

{scale}

Examples:
{examples}"""

_FORM: Final = """

{rules}

Answer with an object of three properties, in this order:
"reason": one sentence on the detail that decides, without repeating names or numbers.
"rating": a whole number from 1 to 5.
"check": the code that you are given for it."""


def _system(task: str) -> str:
    return task.format(scale=_SCALE, examples=_EXAMPLES) + _FORM.format(rules=DATA_RULES)


_SYSTEMS: Final = (_system(_FIRST), _system(_SECOND))


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: str = Field(max_length=2000)
    rating: int = Field(ge=1, le=5)
    check: str


_SCHEMA: Final = closed_schema(_Answer)


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a text was rated.

    Attributes
    ----------
    rating
        1 to 5, the lower of two; ``None`` where one of them is missing, so that nothing passes
        because the model would not say.
    reason
        Why there is none. Never holds text.
    """

    rating: int | None
    reason: str | None = None

    def passes(self, least: int = KEPT) -> bool:
        """Whether the text may be shown."""
        return self.rating is not None and self.rating >= least


def judge_prompts(text: str, *, key: bytes = OPEN_KEY) -> list[Prompt]:
    """The two questions about a text.

    Parameters
    ----------
    text
        Whatever is to be rated; hostile as any.
    key
        Secret of the run that the codes of prompts are made from.
    """
    shown = text[:MOST_CHARACTERS]
    prompts = []
    for number, system in enumerate(_SYSTEMS):
        codes = guard(key, f"judge:{number}:{shown}")
        prompts.append(
            Prompt(
                purpose="judge",
                system=system,
                user=f"{marked(shown, codes, kind='text')}\n{codes.reminder()}",
                schema=_SCHEMA,
                check=partial(_rating, codes=codes),
                temperature=TEMPERATURE,
                max_tokens=MAX_TOKENS,
            )
        )
    return prompts


def _rating(answer: Mapping[str, Any], codes: Guard) -> int:
    check_codes(answer, codes)
    return validated(_Answer, answer).rating


def judge_texts(asker: Asker, texts: Sequence[str], *, key: bytes = OPEN_KEY) -> list[Judgement]:
    """Rate texts by how far they point to somebody.

    Parameters
    ----------
    asker
        Answers the prompts; each text is asked about once, however often it stands there.
    texts
        Titles with summaries as "title: summary", or any other texts.
    key
        As for `judge_prompts`.

    Returns
    -------
    list[Judgement]
        One a text, in order.

    Raises
    ------
    ClioError
        As `Asker.ask`: among others that answers are awaited which somebody else has to bring.
    """
    distinct = list(dict.fromkeys(texts))
    replies = iter(ask_all(asker, [p for text in distinct for p in judge_prompts(text, key=key)]))
    judged = {}
    for text in distinct:
        both = [next(replies) for _ in _SYSTEMS]
        missing = [reply for reply in both if reply.value is None]
        if missing:
            judged[text] = Judgement(None, missing[0].reason or missing[0].outcome.value)
        else:
            judged[text] = Judgement(min(reply.value for reply in both))
    return [judged[text] for text in texts]
