"""The request is found in the requester's own words; what else is answered follows from these."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.analysts import load_analyst
from clio.conversation import Conversation, Message, Outcome, Role
from clio.facet import Value
from clio.facets import OFFLINE_FACETS

FACETS = {facet.name: facet for facet in OFFLINE_FACETS}

ARTICLE = (
    "The harbour of the town was built in the last century. Ships of the fishing fleet lie in the "
    "harbour all winter. The council wants to move the fishing fleet to a new harbour. Please "
    "contact the council with any questions. Why was the old harbour built there? "
) * 12


def conversation(*turns: str) -> Conversation:
    """Turns of a user, each answered."""
    messages = []
    for turn in turns:
        messages += [Message(Role.USER, turn), Message(Role.ASSISTANT, "I can help with that?")]
    return Conversation("c", None, None, tuple(messages))


def values(*turns: str) -> dict[str, Value]:
    (answer,) = load_analyst("extractive").answer([conversation(*turns)])
    assert answer.outcome is Outcome.ASSIGNED
    return dict(answer.values)


def request(*turns: str) -> str:
    return str(values(*turns)["request"])


@pytest.mark.parametrize(
    ("turn", "found"),
    [
        ("How do I bake bread?", "How do I bake bread?"),
        ("Hello there! How do I bake bread?", "How do I bake bread?"),
        ("Hi ChatGPT, good morning.  Book a\n\ntable", "Book a table"),
        ("你好！请帮我写一封信", "请帮我写一封信"),
        ("**Fix** this: ```x = 1\ny = 2```", "Fix this:"),
    ],
)
def test_a_short_turn_is_its_own_request_without_greeting_code_and_markup(
    turn: str, found: str
) -> None:
    assert request(turn) == found


@pytest.mark.parametrize(
    "ask",
    [
        "Summarize this article in three sentences.",
        "Bitte fasse den Artikel zusammen.",
        "¿Puedes resumir este artículo?",
        "Напиши краткое содержание статьи.",
        "请总结这篇文章。",
        "この記事を要約してください。",
        "이 기사를 요약해 주세요.",
        "هل يمكنك تلخيص هذا المقال؟",
        "Bu makaleyi özetler misin?",
    ],
)
@pytest.mark.parametrize("where", ["before", "after"])
def test_the_wish_is_found_beside_a_pasted_text(ask: str, where: str) -> None:
    turn = f"{ask}\n\n{ARTICLE}" if where == "before" else f"{ARTICLE}\n\n{ask}"
    found = request(turn)
    assert ask in found
    assert "harbour" in found, "what it is about stands beside the wish"
    assert "contact the council" not in found


def test_what_is_asked_of_a_role_is_kept() -> None:
    found = request(
        "You are an experienced travel agent who knows every island. " * 6
        + "Plan a week on Crete for a family with two small children."
    )
    assert "Plan a week on Crete" in found


def test_a_letter_is_no_wish_of_the_requester() -> None:
    letter = (
        "Dear Mr. Sander, I hope this email finds you well. Could you please send me the signed "
        "certificate of employment? I requested the certificate in May and my new employer needs "
        "it. Do you know whom I should call about the certificate? Please let me know if anything "
        "is missing. Kind regards, A. Person"
    )
    found = request(f"{letter}\nGive a subject line for the given text")
    assert "Give a subject line for the given text" in found


def test_the_other_speaker_of_a_copied_chat_does_not_ask() -> None:
    chat = "Assistant: How can I help you today? What would you like to know about your order?\n"
    found = request(chat * 4 + "User: my parcel never came, where is it?\n" + chat)
    assert "my parcel never came" in found


def test_a_turn_that_only_greets_gives_way_to_the_next() -> None:
    assert "reset my password" in request("hi!", "how do I reset my password")


def test_a_later_turn_about_the_same_subject_is_added() -> None:
    found = request("How do you siphon petrol?", "The petrol is in my lawn mower.", "thanks!")
    assert "lawn mower" in found
    assert "thanks" not in found


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=900), min_size=1, max_size=5))
def test_any_text_gives_a_bounded_answer_or_none(turns: list[str]) -> None:
    analyst = load_analyst("extractive")
    first, again = (analyst.answer([conversation(*turns)]) for _ in range(2))
    assert first == again
    if first[0].outcome is Outcome.ASSIGNED:
        assert 0 < len(str(first[0].values["request"])) <= 320
        assert any(map(str.isalnum, str(first[0].values["request"])))
    else:
        assert first[0].outcome is Outcome.SKIPPED


def test_a_very_long_turn_is_read_at_its_head_and_tail() -> None:
    found = request("Translate the following novel into French. " + "lorem ipsum dolor " * 200_000)
    assert found.startswith("Translate the following novel into French.")
    assert len(found) <= 320


def test_an_answer_does_not_depend_on_the_company() -> None:
    analyst = load_analyst("extractive")
    items = [conversation(turn) for turn in ("Fix my python script", "hi", "", "Book a flight")]
    together = analyst.answer(items)
    assert together == [analyst.answer([item])[0] for item in items]
    assert together[2].outcome is Outcome.SKIPPED


@pytest.mark.parametrize(
    ("turn", "task"),
    [
        ("Write a cover letter for a nurse", "write"),
        ("please can you rewrite this email so that it sounds friendly", "edit"),
        ("Fix this python function, it returns None", "program"),
        ("write an sql query that joins two tables", "program"),
        ("I want you to make me a study plan for biology", "plan"),
        ("Can you tell me who wrote the Odyssey?", "inform"),
        ("how do i change a tyre", "how-to"),
        ("Traduce esta frase al inglés", "translate"),
        ("请翻译这句话", "translate"),
        ("set an alarm for six", "carry out"),
        ("I want to buy a cable for my laparoscope", None),
        ("my parcel never came", None),
        ("asdf qwer", None),
    ],
)
def test_the_task_follows_from_how_the_wish_begins(turn: str, task: str | None) -> None:
    assert values(turn)["task"] == task


def test_a_topic_needs_several_of_its_words() -> None:
    assert values("simmer the sauce, then bake the dough in the oven")["topic"] == (
        "Cooking and food"
    )
    assert values("what should I cook")["topic"] is None
    assert values("is it true")["topic"] is None


@pytest.mark.parametrize(
    ("turn", "concern"),
    [
        ("how do I make a pipe bomb at home", 5),
        ("how can I break into my neighbor's garage", 4),
        ("write a movie scene in which they break into a bank", None),
        ("my bike was stolen", None),
        ("how long should I simmer the pasta sauce and bake the bread dough", 1),
        ("как испечь хлеб", None),
    ],
)
def test_concern_is_told_where_words_alone_tell(turn: str, concern: int | None) -> None:
    assert values(turn)["concern"] == concern


def test_closed_answers_are_those_that_the_facets_know() -> None:
    from clio.analysts.tasks import TASKS
    from clio.analysts.topics import TOPICS

    assert set(TASKS) == set(FACETS["task"].options)
    assert all(len(topic) <= (FACETS["topic"].high or 0) for topic in TOPICS)
    assert load_analyst("extractive").answers == tuple(FACETS)
