"""The types between those who have questions and whoever answers them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import orjson

from clio.conversation import Outcome

Purpose = Literal["facets", "screen", "describe", "propose", "deduplicate", "assign", "judge"]


class InvalidAnswerError(Exception):
    """An answer that cannot be used.

    Parameters
    ----------
    reason
        One line that says what is wrong, fit to be sent back to the model and to be written into
        ``failed.jsonl``. It never repeats text of the answer or of a conversation.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PendingError(Exception):
    """Some prompts have been handed in and their answers are not there yet."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question to a model, with a closed schema for its answer.

    Attributes
    ----------
    purpose
        What it is for: decides the model, and sums up costs.
    system
        The same for all prompts of a purpose, so that a provider can cache it.
    user
        What differs. Text of conversations stands here alone, marked as data.
    schema
        JSON schema of the answer: an object, closed, every property required.
    check
        From the answer's JSON object to the value that is wanted. Called before anything is
        counted as answered, so an answer that does not pass is asked once more with the reason.
        Raises `InvalidAnswerError`. It depends on nothing but the prompt and the answer.
    temperature
        0 to 1, as the paper's for the purpose.
    max_tokens
        The longest answer.
    """

    purpose: Purpose
    system: str
    user: str
    schema: Mapping[str, Any]
    check: Callable[[Mapping[str, Any]], Any]
    temperature: float
    max_tokens: int

    def digest(self) -> str:
        """SHA-256 (hex) over everything that is sent: equal prompts are asked once."""
        parts = (
            self.purpose,
            self.system,
            self.user,
            self.schema,
            self.temperature,
            self.max_tokens,
        )
        return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Reply:
    """How a prompt ended.

    Attributes
    ----------
    outcome
        ``ASSIGNED`` where it was answered, ``REFUSED`` where the model would not, ``FAILED``.
    value
        What the prompt's check made of the answer; ``None`` where there is none.
    reason
        Why there is no value. Never holds text of a conversation.
    """

    outcome: Outcome
    value: Any = None
    reason: str | None = None


class Asker(Protocol):
    """Whoever answers prompts: a model behind a provider, with retries, cache and budget around.

    Safe to call from several threads at once.
    """

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order.

        Raises
        ------
        PendingError
            Answers are awaited that come later (a batch, files). All prompts have been handed in;
            call `wait`, then ask the same again.
        ClioError
            Nothing more can be asked: a wrong key, the budget is used up, the server is gone.
        """
        ...

    def wait(self) -> None:
        """Return when some of the awaited answers have come.

        Raises
        ------
        WaitingError
            Somebody else has to bring them, so that it is no use to wait here.
        """
        ...


def ask_all(asker: Asker, prompts: Sequence[Prompt]) -> list[Reply]:
    """One reply a prompt, in order, however long it takes.

    Raises
    ------
    WaitingError
        Answers are awaited that somebody else has to bring.
    ClioError
        As `Asker.ask`.
    """
    while True:
        try:
            return asker.ask(prompts)
        except PendingError:
            asker.wait()
