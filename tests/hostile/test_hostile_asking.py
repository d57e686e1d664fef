"""What becomes of an answer that obeys, on its way through the asker: once more, then failed."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from clio.analysts.answers import RE_ASKS
from clio.analysts.asking import CACHE_FILE, ImmediateAsker
from clio.analysts.model import ModelAnalyst
from clio.analysts.providers.base import Completion, Request, Usage
from clio.conversation import Conversation, Outcome
from clio.facets import standard_facets
from clio.testing.scripted import nonce_of

from .attacks import ATTACKS
from .reading import FAIR, KEY, identifiers

REJECTED = [
    attack
    for attack in ATTACKS
    if attack.family != "describing" and attack.effect.fate == "rejected"
]
CONVERSATIONS: list[Conversation] = [attack.conversation for attack in REJECTED]


class ObeyingProvider:
    """A model that obeys each attack in its first `times` answers, and then answers fairly."""

    name = "obeying:model"
    host = "http://localhost"

    def __init__(self, times: int) -> None:
        self.times = times
        self.requests: list[Request] = []
        self.effects = dict(zip(_users(), [a.effect for a in REJECTED], strict=True))

    async def generate(self, request: Request) -> Completion:
        self.requests.append(request)
        answer = {**FAIR, "check": nonce_of(request)}
        attempt = 1 if request.retry_of is None else 2
        if attempt <= self.times:
            answer = self.effects[request.user].change(answer, request)
        return Completion(orjson.dumps(answer).decode(), Usage(1, 1))

    async def close(self) -> None:
        pass


def _model(asker: ImmediateAsker | None) -> ModelAnalyst:
    return ModelAnalyst(asker, standard_facets(), key=KEY, identifiers=identifiers)  # type: ignore[arg-type]


def _users() -> list[str]:
    return [prompt.user for prompt in _model(None).prompts(CONVERSATIONS)]


@pytest.mark.parametrize(
    ("times", "outcome"), [(1, Outcome.ASSIGNED), (1 + RE_ASKS, Outcome.FAILED)]
)
def test_an_answer_that_obeys_is_asked_for_again(
    tmp_path: Path, times: int, outcome: Outcome
) -> None:
    provider = ObeyingProvider(times)
    with ImmediateAsker(provider, tmp_path / CACHE_FILE) as asker:
        answers = _model(asker).answer(CONVERSATIONS)
    assert {answer.outcome for answer in answers} == {outcome}
    again = [request.retry_of for request in provider.requests if request.retry_of]
    assert len(again) == min(times, RE_ASKS) * len(set(_users()))
    assert len(provider.requests) == len(again) + len(set(_users()))
    if outcome is Outcome.FAILED:
        assert all(answer.reason and not answer.values for answer in answers)
