"""How many prompts the conversations of an input make, and how long they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from clio.analysts.model import ModelAnalyst
from clio.conversation import Conversation
from clio.facet import Facet
from clio.pipeline.expecting import Calls, Meter, facet_answer, screen_answer
from clio.pipeline.facets import Facets
from clio.privacy.scrub import scrub
from clio.prompting import Prompt, Reply
from clio.settings import Settings

SAMPLE: Final = 4_000
"""Conversations at most whose prompts are made and counted."""

_CHARACTERS_A_TOKEN: Final = 4


class _Nobody:
    """Stands where an asker must; prompts are made, never asked."""

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        raise NotImplementedError

    def wait(self) -> None:
        raise NotImplementedError


def prompter(facets: Sequence[Facet], settings: Settings) -> ModelAnalyst:
    """An analyst that makes prompts as a run with these settings does."""
    return ModelAnalyst(
        _Nobody(),
        facets,
        key=bytes(32),
        identifiers=lambda _: False,
        screen=settings.screen,
        language=settings.language,
        max_tokens=settings.conversation_tokens,
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    """One conversation of the sample: characters, tokens that differ, and its prompt's digest."""

    characters: int
    tokens: float
    digest: str


class Counts:
    """What is known of the conversations so far.

    Parameters
    ----------
    settings
        Of the run.
    facets
        Of the run.
    meter
        Of the model that answers facets; ``None`` where none does.

    Notes
    -----
    Prompts are made for conversations whose content's hash is small. The bound halves whenever the
    sample is full, so it depends on contents alone, not on their order (Gibbons, Distinct sampling
    for highly-accurate answers to distinct values queries, VLDB 2001).
    """

    def __init__(self, settings: Settings, facets: Facets, meter: Meter | None) -> None:
        self.rows = self.conversations = self.characters = 0
        self.contents: set[int] = set()
        self.sample: dict[int, _Counted] = {}
        self._facets = facets
        self._prompter = prompter(facets.asked, settings) if meter is not None else None
        self._meter = meter
        self._screened = settings.screen is not None
        self._most = settings.conversation_tokens * _CHARACTERS_A_TOKEN
        self._shown = 0
        self._below = 2**64
        self._prompt: Prompt | None = None
        self._screen_prompt: Prompt | None = None
        self._systems: set[str] = set()

    def add(self, conversation: Conversation, content: int) -> None:
        """Take up a conversation, with 64 bits of its content's digest."""
        self.conversations += 1
        characters = sum(len(message.content) for message in conversation.messages)
        self.characters += characters
        # The same content makes the same prompt, which is asked once.
        if content in self.contents:
            return
        self.contents.add(content)
        characters = min(characters, self._most)
        self._shown += characters
        if self._prompter is None or self._meter is None or content >= self._below:
            return
        turns = tuple(replace(m, content=scrub(m.content)) for m in conversation.messages)
        scrubbed = replace(conversation, messages=turns)
        for prompt in self._prompter.prompts([scrubbed]):
            tokens = self._meter.text(prompt.user)
            self.sample[content] = _Counted(characters, tokens, prompt.digest())
            self._systems.add(prompt.system)
            self._prompt = prompt
        if self._screened and self._screen_prompt is None:
            self._screen_prompt = next(iter(self._prompter.screen_prompts([scrubbed])), None)
        while len(self.sample) > SAMPLE:
            self._below //= 2
            self.sample = {key: one for key, one in self.sample.items() if key < self._below}

    def calls(self) -> list[Calls]:
        """Of the screener, where there is one, and for facets."""
        if self._prompt is None or self._meter is None:
            return []
        distinct = len({one.digest for one in self.sample.values()}) / len(self.sample)
        number = max(1, round(len(self.contents) * distinct))
        rest = self._mean_tokens()
        prompt, meter = self._prompt, self._meter
        found = []
        if self._screen_prompt is not None:
            prefix, output = meter.prefix(self._screen_prompt), meter.json(screen_answer())
            found.append(Calls("screen", number, prefix, rest, output))
        output = meter.json(facet_answer(self._facets.asked))
        prefix = meter.prefix(prompt)
        return [*found, Calls("facets", number, prefix, rest, output, len(self._systems))]

    def _mean_tokens(self) -> float:
        """Tokens of a prompt beside its beginning, in the mean over all conversations.

        The sample's mean, corrected by how much longer conversations are in it than in all: their
        characters are known of every one (Cochran, Sampling Techniques, 1977, section 7.1).
        """
        tokens = np.array([one.tokens for one in self.sample.values()])
        characters = np.array([one.characters for one in self.sample.values()], np.float64)
        spread = characters.var()
        if len(self.sample) == len(self.contents) or not spread:
            return float(tokens.mean())
        slope = float(((tokens - tokens.mean()) * (characters - characters.mean())).mean() / spread)
        return float(tokens.mean() + slope * (self._shown / len(self.contents) - characters.mean()))
