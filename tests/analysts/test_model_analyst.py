"""The analyst that asks a model: what it asks, what it makes of answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from clio.analysts.model import ModelAnalyst
from clio.analysts.tokens import count_tokens
from clio.conversation import Conversation, Message, Outcome, Role
from clio.facet import Facet
from clio.facets import standard_facets
from clio.prompting import InvalidAnswerError, PendingError, Prompt, Reply, unmarked

KEY = b"key of the run"

ANSWER: Mapping[str, Any] = {
    "request": "Plan a week of vegetarian dinners on a small budget.",
    "task": "Draw up a meal plan with a shopping list.",
    "topic": "cheap vegetarian cooking",
    "domain": "household",
    "concern": 1,
    "concern_class": "none",
    "refused": False,
    "interaction": "directive",
    "sentiment_start": "neutral",
    "sentiment_end": "positive",
    "success": None,
}

Answering = Callable[[Prompt], Mapping[str, Any] | Reply]


def code_of(prompt: Prompt) -> str:
    return prompt.user.split("\n", 1)[0].split(" ")[1].removesuffix(">>")


def answering(**changes: Any) -> Answering:
    """A model that answers everything, with some answers of its own."""
    return lambda prompt: {**ANSWER, "check": code_of(prompt), **changes}


class FakeAsker:
    """Asks a function in the model's place, once."""

    def __init__(self, model: Answering) -> None:
        self.model = model
        self.asked: list[Prompt] = []

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        self.asked.extend(prompts)
        return [self._reply(prompt) for prompt in prompts]

    def _reply(self, prompt: Prompt) -> Reply:
        answer = self.model(prompt)
        if isinstance(answer, Reply):
            return answer
        try:
            return Reply(Outcome.ASSIGNED, prompt.check(answer))
        except InvalidAnswerError as error:
            return Reply(Outcome.FAILED, reason=error.reason)

    def wait(self) -> None:
        raise AssertionError("nothing is awaited")


def conversation(*turns: str, name: str = "c") -> Conversation:
    roles = (Role.USER, Role.ASSISTANT)
    messages = tuple(Message(roles[i % 2], text) for i, text in enumerate(turns))
    return Conversation(name, "u", None, messages)


def analyst(model: Answering, **settings: Any) -> tuple[ModelAnalyst, FakeAsker]:
    asker = FakeAsker(model)
    settings.setdefault("facets", standard_facets())
    settings.setdefault("identifiers", lambda text: "@" in text)
    return ModelAnalyst(asker, key=KEY, **settings), asker


DINNER = conversation("Plan my dinners, please. I don't eat meat.", "Here is a plan.")


def test_all_facets_come_from_one_call() -> None:
    model, asker = analyst(answering())
    (answer,) = model.answer([DINNER])
    assert answer.outcome is Outcome.ASSIGNED
    assert answer.values == {name: value for name, value in ANSWER.items() if value is not None}
    assert len(asker.asked) == 1
    assert model.answers == tuple(ANSWER)


def test_the_prompt_keeps_to_its_budget() -> None:
    """900 tokens beside the conversation, schema included, and 220 of answer.

    The count is an estimate, so it may be a tenth over; real tokenizers' figures stand in
    docs/facets.md.
    """
    model, _ = analyst(answering())
    (prompt,) = model.prompts([conversation("x")])
    sent = [prompt.system, prompt.user, json.dumps(prompt.schema, separators=(",", ":"))]
    assert sum(map(count_tokens, sent)) <= 990
    filled = {**ANSWER, "check": "0123abcd", "success": True}
    full = {"request": 240, "task": 180, "topic": 60}
    for name, size in full.items():
        filled[name] = ("explain how the new heating pays off in an old house " * 9)[:size]
    assert count_tokens(json.dumps(filled)) <= 242 <= prompt.max_tokens


def test_the_model_sees_turns_as_data() -> None:
    model, asker = analyst(answering())
    model.answer([DINNER])
    (block,) = unmarked(asker.asked[0].user)
    assert block == (
        "user:\n Plan my dinners, please. I don't eat meat.\nassistant:\n Here is a plan."
    )
    assert "dinners" not in asker.asked[0].system


def test_conversations_without_a_requester_are_not_asked_about() -> None:
    silent = Conversation("s", None, None, (Message(Role.SYSTEM, "Be kind."),))
    model, asker = analyst(answering())
    answers = model.answer([silent, DINNER, conversation(" ", "Hello?")])
    assert [a.outcome for a in answers] == [Outcome.SKIPPED, Outcome.ASSIGNED, Outcome.SKIPPED]
    assert len(asker.asked) == 1


def test_nothing_asked_is_skipped() -> None:
    model, _ = analyst(answering(request=" "))
    (answer,) = model.answer([DINNER])
    assert (answer.outcome, answer.reason) == (Outcome.SKIPPED, "nothing was asked")


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.FAILED])
def test_what_the_asker_says_is_passed_on(outcome: Outcome) -> None:
    model, _ = analyst(lambda prompt: Reply(outcome, reason="the server said so"))
    (answer,) = model.answer([DINNER])
    assert (answer.outcome, answer.reason) == (outcome, "the server said so")
    assert not answer.values


def test_pending_passes_through() -> None:
    def later(prompt: Prompt) -> Reply:
        raise PendingError

    model, _ = analyst(later)
    with pytest.raises(PendingError):
        model.answer([DINNER])


def test_prompts_are_the_same_again_and_differ_by_key_and_text() -> None:
    model, _ = analyst(answering())
    other, _ = analyst(answering())
    other._key = b"another run"
    turned = conversation(*[message.content for message in DINNER.messages], name="other id")
    same, again = model.prompts([DINNER, turned])
    assert same.digest() == again.digest()
    assert code_of(same) != code_of(other.prompts([DINNER])[0])
    assert code_of(same) != code_of(model.prompts([conversation("Plan my lunches.")])[0])


def test_options_stand_in_several_orders_and_the_schema_in_one() -> None:
    model, _ = analyst(answering())
    prompts = model.prompts([conversation(f"Question {i}") for i in range(100)])
    assert len({prompt.system for prompt in prompts}) == 8
    assert len({json.dumps(prompt.schema) for prompt in prompts}) == 1
    first = [prompt.system.split("domain (one of ")[1].split(",")[0] for prompt in prompts]
    assert len(set(first)) > 3


def test_the_version_follows_what_is_asked() -> None:
    versions = {
        analyst(answering(), **settings)[0].version
        for settings in (
            {},
            {"language": "German"},
            {"screen": "Is it about food?"},
            {"facets": standard_facets()[:3]},
            {"max_tokens": 100},
        )
    }
    assert len(versions) == 5
    assert analyst(answering())[0].version == analyst(answering())[0].version


def test_the_screener_is_asked_first() -> None:
    def model(prompt: Prompt) -> Mapping[str, Any]:
        if prompt.purpose == "screen":
            return {"answer": "dinners" in unmarked(prompt.user)[0], "check": code_of(prompt)}
        return answering()(prompt)

    screened, asker = analyst(model, screen="Is it about food?")
    answers = screened.answer([conversation("Fix my car."), DINNER])
    assert [(a.outcome, a.reason) for a in answers] == [
        (Outcome.SKIPPED, "screened out"),
        (Outcome.ASSIGNED, None),
    ]
    assert [prompt.purpose for prompt in asker.asked] == ["screen", "screen", "facets"]
    assert all("Is it about food?" in p.system for p in asker.asked if p.purpose == "screen")
    assert [p.digest() for p in screened.screen_prompts([DINNER])] == [asker.asked[1].digest()]
    assert analyst(model)[0].screen_prompts([DINNER]) == []


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.FAILED])
def test_a_screener_without_an_answer_decides_nothing(outcome: Outcome) -> None:
    model, asker = analyst(lambda prompt: Reply(outcome, reason="no"), screen="Food?")
    (answer,) = model.answer([DINNER])
    assert (answer.outcome, answer.reason) == (outcome, "screener: no")
    assert len(asker.asked) == 1


def test_long_conversations_are_cut_and_told() -> None:
    long = conversation(*(f"Turn {i}. " + "The oven is hot. " * 40 for i in range(40)))
    model, asker = analyst(answering(), max_tokens=1000)
    cut, whole = model.answer([long, DINNER])
    assert (cut.cut, whole.cut) == (True, False)
    (block,) = unmarked(asker.asked[0].user)
    assert "turns left out)" in block
    assert "Turn 0." in block
    assert "Turn 39." in block
    assert count_tokens(block) <= 1100


OWN = (
    Facet("goal", "text", "Why?", high=80, clustered=True, nullable=True),
    Facet("for_whom", "category", "For whom?", options=("Me", "Others"), nullable=True),
    Facet("tools", "categories", "With what?", options=("pen", "paper", "both"), nullable=True),
    Facet("hurry", "boolean", "In a hurry?", nullable=True),
    Facet("tries", "number", "How often?", low=0, high=100, nullable=True),
    Facet("skill", "scale", "How skilled?", low=1, high=5, nullable=True),
)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({}, {"goal": "To save money", "for_whom": "Me", "tools": ("pen",), "hurry": True,
              "tries": 7, "skill": 3}),
        (dict.fromkeys(("goal", "for_whom", "tools", "hurry", "tries", "skill")), {}),
        ({"goal": "  "}, {"for_whom": "Me", "tools": ("pen",), "hurry": True, "tries": 7,
                          "skill": 3}),
        ({"for_whom": " others ", "tools": ["PEN", "paper", "pen"], "tries": "12", "skill": 4.0},
         {"goal": "To save money", "for_whom": "Others", "tools": ("pen", "paper"), "hurry": True,
          "tries": 12, "skill": 4}),
        ({"tools": []}, {"goal": "To save money", "for_whom": "Me", "tools": (), "hurry": True,
                         "tries": 7, "skill": 3}),
    ],
)  # fmt: skip
def test_own_facets_of_every_kind(given: dict[str, Any], kept: dict[str, Any]) -> None:
    full = {"goal": "To save money", "for_whom": "Me", "tools": ["pen"], "hurry": True,
            "tries": 7, "skill": 3}  # fmt: skip
    model, _ = analyst(answering(**{**full, **given}), facets=(*standard_facets(), *OWN))
    (answer,) = model.answer([DINNER])
    assert answer.outcome is Outcome.ASSIGNED, answer.reason
    assert {name: v for name, v in answer.values.items() if name not in ANSWER} == kept


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"check": "00000000"}, '"check" does not hold the code that was given for it'),
        ({"check": None}, '"check" does not hold the code that was given for it'),
        ({"rating": 1}, "there is a property that was not asked for"),
        ({"concern": 6}, '"concern": Input should be 1, 2, 3, 4 or 5'),
        ({"concern": True}, '"concern": a number is wanted'),
        ({"concern": {"value": 1}}, '"concern": Input should be 1, 2, 3, 4 or 5'),
        ({"domain": "pwned"}, '"domain": Input should be'),
        ({"refused": "perhaps"}, '"refused": Input should be a valid boolean'),
        ({"request": None}, '"request": Input should be a valid string'),
        ({"request": ["x"]}, '"request": Input should be a valid string'),
        ({"request": "x" * 241}, '"request" is longer than 240 characters'),
        ({"task": ""}, '"task" is empty'),
        ({"topic": "a@b.de"}, '"topic" holds an e-mail address'),
        ({"topic": "so@meone"}, '"topic" holds a'),
    ],
)
def test_answers_outside_the_form_are_turned_down(changes: dict[str, Any], reason: str) -> None:
    model, _ = analyst(answering(**changes))
    (answer,) = model.answer([DINNER])
    assert answer.outcome is Outcome.FAILED
    assert answer.reason is not None
    assert answer.reason.startswith(reason)


def test_a_missing_property_is_named() -> None:
    model, _ = analyst(
        lambda prompt: {k: v for k, v in answering()(prompt).items() if k != "topic"}  # type: ignore[union-attr]
    )
    (answer,) = model.answer([DINNER])
    assert answer.reason == '"topic": Field required'


def test_reasons_never_repeat_the_answer() -> None:
    said = "Zebra7"
    for changes in (
        {said: 1},
        {"domain": said},
        {"concern": said},
        {"refused": said},
        {"success": [said]},
        {"request": f"{said}@b.de"},
        {"request": said * 60},
        {"interaction": {said: said}},
        {"check": said},
    ):
        (answer,) = analyst(answering(**changes))[0].answer([DINNER])
        assert answer.outcome is Outcome.FAILED
        assert answer.reason is not None
        assert said not in answer.reason
