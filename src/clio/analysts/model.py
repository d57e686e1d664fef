"""The analyst that lets a language model read.

One call a conversation answers all facets (the paper asks one call a facet: Tamkin et al. 2024,
appendix G.4). The model sees the scrubbed text as marked data, fills in a closed form, and what it
wrote is checked before it counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict

from clio.analysts.base import Answer
from clio.analysts.form import ORDERS, Form
from clio.analysts.viewing import View, view
from clio.conversation import Conversation, Outcome, content_digest
from clio.facet import Facet
from clio.prompting import (
    DATA_RULES,
    Asker,
    Guard,
    Prompt,
    Reply,
    check_codes,
    guard,
    marked,
)
from clio.prompting.closed import closed_schema, validated

TEMPERATURE: Final = 0.2
"""The paper's for facets and the screener (appendices G.3, G.4)."""

VERSION: Final = "1"
"""Rises when the wording of the prompts or the checks change."""

SCREEN_TOKENS: Final = 40

_SCREEN: Final = (
    "You answer one question about a conversation between a user and an AI assistant, as a JSON "
    'object: "answer" is true or false, "check" the code for it.'
)

_SKIPPED_SILENT = Answer(Outcome.SKIPPED, reason="no request in words")
_SKIPPED_SCREEN = Answer(Outcome.SKIPPED, reason="screened out")


class _Screened(BaseModel):
    model_config = ConfigDict(extra="forbid")

    answer: bool
    check: str


class ModelAnalyst:
    """Answers facets through a language model.

    Parameters
    ----------
    asker
        Whoever sends prompts to a model.
    facets
        What is asked, the primary facet first.
    key
        Secret of the run that the codes of prompts are made from.
    identifiers
        Whether a text holds personal identifiers; an answer that does is turned down.
    screen
        A question with yes or no that is asked first; conversations with no are skipped.
    language
        English name of the language of the answers.
    max_tokens
        So much of a conversation is shown; of a longer one the head and the tail.
    name
        As in ``--analyst``.
    """

    def __init__(
        self,
        asker: Asker,
        facets: Sequence[Facet],
        *,
        key: bytes,
        identifiers: Callable[[str], bool],
        screen: str | None = None,
        language: str = "English",
        max_tokens: int = 8000,
        name: str = "model",
    ) -> None:
        self._asker = asker
        self._form = Form(facets, language)
        self._key = key
        self._identifiers = identifiers
        self._max_tokens = max_tokens
        self._screen = f"{_SCREEN}\n{DATA_RULES}\nQuestion: {screen}" if screen else ""
        self._screen_schema = closed_schema(_Screened)
        self.name = name
        self.answers = tuple(facet.name for facet in facets)
        asked = [self._form.systems[0], self._form.schema, self._screen, max_tokens]
        self.version = f"{VERSION}-{hashlib.sha256(orjson.dumps(asked)).hexdigest()[:12]}"

    def prompts(self, conversations: Sequence[Conversation]) -> list[Prompt]:
        """The question about each conversation in which a requester says something, in order."""
        return [
            self._prompt(conversation, self._view(conversation))
            for conversation in conversations
            if conversation.requester_turns()
        ]

    def screen_prompts(self, conversations: Sequence[Conversation]) -> list[Prompt]:
        """The screener's question about each of them; none where there is no screener."""
        if not self._screen:
            return []
        return [
            self._screen_prompt(conversation, self._view(conversation))
            for conversation in conversations
            if conversation.requester_turns()
        ]

    def answer(self, conversations: Sequence[Conversation]) -> list[Answer]:
        """One answer a conversation, in order.

        ``SKIPPED`` where nobody asks for anything or the screener says no.

        Raises
        ------
        PendingError
            Answers come later; ask the same again.
        ClioError
            As `Asker.ask`.
        """
        answers: list[Answer] = [_SKIPPED_SILENT] * len(conversations)
        views = {
            i: self._view(conversation)
            for i, conversation in enumerate(conversations)
            if conversation.requester_turns()
        }
        open_ = list(views)
        if self._screen:
            replies = self._asker.ask(
                [self._screen_prompt(conversations[i], views[i]) for i in open_]
            )
            for i, reply in zip(open_, replies, strict=True):
                answers[i] = _screened(reply)
            open_ = [i for i, reply in zip(open_, replies, strict=True) if reply.value is True]
        replies = self._asker.ask([self._prompt(conversations[i], views[i]) for i in open_])
        for i, reply in zip(open_, replies, strict=True):
            answers[i] = _answered(reply, cut=views[i].cut)
        return answers

    def _view(self, conversation: Conversation) -> View:
        return view(conversation, self._max_tokens)

    def _prompt(self, conversation: Conversation, shown: View) -> Prompt:
        digest = content_digest(conversation.messages)
        codes = guard(self._key, f"facets:{digest}")
        return Prompt(
            purpose="facets",
            # One of few orders, by the conversation: see `ORDERS`.
            system=self._form.systems[int(digest[:8], 16) % ORDERS],
            user=_shown(shown, codes),
            schema=self._form.schema,
            check=partial(self._form.check, guard=codes, identifiers=self._identifiers),
            temperature=TEMPERATURE,
            max_tokens=self._form.max_tokens,
        )

    def _screen_prompt(self, conversation: Conversation, shown: View) -> Prompt:
        codes = guard(self._key, f"screen:{content_digest(conversation.messages)}")
        return Prompt(
            purpose="screen",
            system=self._screen,
            user=_shown(shown, codes),
            schema=self._screen_schema,
            check=partial(_check_screen, guard=codes),
            temperature=TEMPERATURE,
            max_tokens=SCREEN_TOKENS,
        )


def _shown(shown: View, codes: Guard) -> str:
    return f"{marked(shown.text, codes, kind='conversation')}\n{codes.reminder()}"


def _check_screen(answer: Mapping[str, Any], guard: Guard) -> bool:
    check_codes(answer, guard)
    return validated(_Screened, answer).answer


def _screened(reply: Reply) -> Answer:
    if reply.outcome is Outcome.ASSIGNED:
        return _SKIPPED_SCREEN
    return Answer(reply.outcome, reason=f"screener: {reply.reason or reply.outcome}")


def _answered(reply: Reply, *, cut: bool) -> Answer:
    if reply.outcome is not Outcome.ASSIGNED:
        return Answer(reply.outcome, reason=reply.reason, cut=cut)
    if reply.value is None:
        return Answer(Outcome.SKIPPED, reason="nothing was asked", cut=cut)
    return Answer(Outcome.ASSIGNED, reply.value, cut=cut)
