"""An asker whose answers are a function of the prompt, for tests without a model or a server."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clio.conversation import Outcome
from clio.prompting import InvalidAnswerError, Prompt, Reply

_BLOCK = re.compile(r"<<data:([a-z_]+) ([0-9a-f]+)>>\n(.*?)\n<<end:\1 \2>>", re.DOTALL)
_NONCE = re.compile(r'Write ([0-9a-f]+) into "check"')


class ScriptedAsker:
    """Answers prompts as `respond` says, and checks the answers as any asker does.

    Parameters
    ----------
    respond
        From a prompt to the answer's JSON object; ``None`` refuses.

    Attributes
    ----------
    asked
        All prompts so far.
    """

    def __init__(self, respond: Callable[[Prompt], Mapping[str, Any] | None]) -> None:
        self._respond = respond
        self.asked: list[Prompt] = []

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order."""
        self.asked += prompts
        return [self._reply(prompt) for prompt in prompts]

    def wait(self) -> None:
        """Nothing is ever awaited."""

    def _reply(self, prompt: Prompt) -> Reply:
        answer = self._respond(prompt)
        if answer is None:
            return Reply(Outcome.REFUSED, reason="refused")
        try:
            return Reply(Outcome.ASSIGNED, prompt.check(answer))
        except InvalidAnswerError as error:
            return Reply(Outcome.FAILED, reason=error.reason)


def nonce_of(prompt: Prompt) -> str:
    """The code that has to come back in the answer's ``check``."""
    found = _NONCE.findall(prompt.user)
    return str(found[-1])


def lines_of(prompt: Prompt, kind: str) -> list[str]:
    """The lines of a prompt's block of data, without marks and numbers; none where it has none."""
    for name, _, text in _BLOCK.findall(prompt.user):
        if name == kind:
            lines = [line.removeprefix("| ") for line in text.split("\n")]
            return [re.sub(r"^\d+\. ", "", line) for line in lines]
    return []
