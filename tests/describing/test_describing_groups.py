from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.describing import TEMPLATE_WORDS, Members, describe_groups

from .helpers import alarms, centroids, embed, flights, members, rates

CLINC = Path(__file__).parents[3] / "shared" / "data" / "clinc150.jsonl.gz"


def describe(*groups: list[str], language: str = "en", **options: int) -> list[str]:
    sample = members(groups, language)
    found = describe_groups(sample, centroids(sample, len(groups)), embed=embed, **options)
    return [description.title for description in found]


def test_requests_become_imperatives_and_questions_become_topics() -> None:
    assert describe(flights(), alarms(), rates()) == [
        "Book a flight",
        "Set an alarm",
        "Ask about the exchange rate",
    ]


@pytest.mark.parametrize(
    ("frames", "title"),
    [
        (["how do i reset my router? {}", "what is the best way to reset my router? {}"],
         "Ask how to reset a router"),
        (["i lost my luggage? {}", "my luggage was lost? {}"], "Report lost luggage"),
        (["how old are you? {}", "hey how old are you? {}"], "Ask how old the assistant is"),
        (["what is your name? {}", "tell me your name? {}"], "Ask about the assistant's name"),
        (["how do you spell {}", "please tell me how to spell {}"], "Ask how to spell a word"),
        (["i need a visa for {}", "i want a visa {}"], "Ask for a visa"),
        (["turn the volume up? {}", "please turn up the volume? {}"], "Turn up the volume"),
        (["thank you? {}", "thanks? {}"], "Thank the assistant"),
        (["what does {} mean", "define {}"], "Ask what a word means"),
        (["play music {}", "please play music? {}"], "Ask the assistant to play music"),
        (["clean my carpets? {}", "please clean the carpets? {}"], "Clean the carpets"),
        (["is it safe to travel to {}", "is it safe to fly to {}"],
         "Ask whether it is safe to travel to a place"),
        (["how do i sneak into {}", "how can i sneak into {}"], "Ask how to sneak into a place"),
        (["tell me where you are from? {}", "where are you from? {}"],
         "Ask where the assistant is from"),
        (["when is my next day off? {}", "tell me about my next day off? {}"],
         "Ask about the next day off"),
        (["yes? {}", "no? {}"], "Answer yes or no"),
    ],
)  # fmt: skip
def test_each_way_of_asking_has_its_form(frames: list[str], title: str) -> None:
    slots = [
        "xylo",
        "brem",
        "cade",
        "dolt",
        "erno",
        "fisk",
        "gral",
        "hund",
        "ilex",
        "jorn",
        "kral",
        "lumb",
        "morn",
        "nerg",
    ]
    texts = [frame.format(slot) for slot in slots for frame in frames]
    assert describe(texts, flights())[0] == title


def test_a_bare_verb_is_no_title() -> None:
    slots = [f"{a}{b}" for a in ("xy", "br", "do", "fi", "gr") for b in ("lo", "em", "sk", "lt")]
    frames = ["how do i break {}", "breaking {}", "is breaking {} bad"]
    texts = [frame.format(slot) for slot in slots for frame in frames]
    assert describe(texts, flights())[0] not in ("Ask about breaking", "Ask how to break")


def test_summaries_are_sentences_that_say_how_requests_vary() -> None:
    texts = [f"{text}. a window seat" if i % 2 else text for i, text in enumerate(flights(120))]
    sample = members([texts, alarms(), rates()])
    found = describe_groups(sample, centroids(sample, 3), embed=embed)
    assert found[0].summary.startswith("People ask the assistant to book a flight.")
    assert "window seat" in found[0].summary
    assert all(d.summary.endswith(".") and d.summary[0].isupper() for d in found)


def test_titles_of_like_groups_are_told_apart() -> None:
    titles = describe(flights(), flights(), flights(), alarms())
    assert len(set(titles)) == 4


def test_copies_count_as_one_account() -> None:
    copied = (
        "transfer the inheritance of aunt petunia to the offshore account of the lawyer at once"
    )
    texts = [*flights(), *(f"{copied} {i % 3}" for i in range(60))]
    sample = members([texts, alarms()])
    found = describe_groups(sample, centroids(sample, 2), embed=embed)
    said = " ".join([found[0].title, found[0].summary, *found[0].fallback]).lower()
    assert not {"inheritance", "petunia", "offshore", "lawyer"} & set(said.split())


def test_one_account_cannot_bring_a_phrase() -> None:
    loud = [
        f"renovate the {word} castle now"
        for word in ["old", "red", "big", "tall", "dark", "cold"] * 5
    ]
    texts = [*flights(), *loud]
    accounts = np.concatenate([np.arange(40), np.full(30, 99), 200 + np.arange(40)])
    sample = Members(
        [*texts, *alarms()],
        np.repeat(np.array([0, 1], dtype=np.int32), [70, 40]),
        accounts.astype(np.int32),
        ["en"] * 110,
    )
    found = describe_groups(sample, centroids(sample, 2), embed=embed)
    assert "castle" not in f"{found[0].title} {found[0].summary} {found[0].fallback}".lower()


def test_names_need_many_accounts() -> None:
    def texts(number: int) -> list[str]:
        days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        return [
            f"write a {'short' if i % 2 else 'long'} letter to Zarniwoop about {days[i % 7]} {i}"
            for i in range(number)
        ]

    lower = [text.replace("Zarniwoop", "bob") for text in texts(12)]
    assert not any("bob" in title.lower() for title in describe(lower, alarms()))
    assert not any("Zarniwoop" in t or "zarniwoop" in t for t in describe(texts(12), alarms()))


def test_no_five_words_in_a_row_of_few_accounts() -> None:
    texts = [f"{lead} the status of the orange parcel {i}" for i in range(6)
             for lead in ("what is", "tell me", "check")]  # fmt: skip
    texts = [f"{text} {'abcdefghijklmnopqr'[i]}x" for i, text in enumerate(texts)]
    title = describe(texts, alarms(), flights())[0].lower()
    assert "the status of the orange" not in title
    assert "status of the orange parcel" not in title


def test_groups_without_a_shared_phrase_get_a_plain_title() -> None:
    odd = [f"{a}{b} {b}{a}{a}" for a in "bcdfgh" for b in "klmnp"]
    titles = describe(odd, odd[::-1], flights())
    assert titles[0].startswith("Requests of many kinds")
    assert len(set(titles)) == 3


def test_a_lone_group_and_an_empty_one() -> None:
    sample = members([flights(), []])
    middle = embed(["book a flight", "nothing"])
    found = describe_groups(sample, middle, embed=embed)
    assert found[0].title == "Book a flight"
    assert found[1].title == "Requests of many kinds"


@pytest.mark.parametrize(
    ("language", "frames", "phrase"),
    [
        ("es", ["quiero restablecer mi contraseña {}", "olvidé mi contraseña {}"], "contraseña"),
        (
            "zh",
            ["请帮我修改银行卡密码{}", "银行卡密码忘了{}", "怎么找回银行卡密码{}"],
            "银行卡密码",
        ),
        ("ja", ["履歴書を書いて{}", "私の履歴書の直し方{}"], "履歴書"),
        ("th", ["ช่วยเขียนอีเมล{}", "อยากเขียนอีเมล{}"], "เขียนอีเมล"),
        ("ru", ["напиши резюме {}", "нужно резюме {}"], "резюме"),
    ],
)
def test_other_languages_keep_their_own_words(
    language: str, frames: list[str], phrase: str
) -> None:
    endings = ["一", "二"] if language in ("zh", "ja") else ["qa", "zu"]
    texts = [frame.format(endings[i % 2] * (i // 2 + 1)) for i in range(12) for frame in frames]
    sample = members([texts], language)
    found = describe_groups(sample, embed(["x"]), embed=embed, min_accounts=5)
    assert phrase in found[0].title.lower()
    assert any(found[0].title.lower() in text for text in texts)
    assert found[0].summary.startswith("People write in ")


words = st.sampled_from(
    [
        "book",
        "flight",
        "set",
        "alarm",
        "the",
        "a",
        "my",
        "to",
        "how",
        "what",
        "is",
        "card",
        "lost",
        "12345",
        "¿",
        "密码",
        "ok",
    ]
)


@given(
    st.lists(
        st.tuples(st.lists(words, max_size=9).map(" ".join), st.integers(0, 2), st.integers(0, 9)),
        max_size=40,
    )
)
@settings(max_examples=60, deadline=None)
def test_any_texts_get_distinct_short_supported_titles(rows: list[tuple[str, int, int]]) -> None:
    sample = Members(
        [row[0] for row in rows],
        np.array([row[1] for row in rows], dtype=np.int32),
        np.array([row[2] for row in rows], dtype=np.int32),
        ["unknown"] * len(rows),
    )
    middle = embed(["flight", "alarm", "card"])
    found = describe_groups(sample, middle, embed=embed, min_accounts=3)
    again = describe_groups(sample, middle, embed=embed, min_accounts=3)
    assert found == again
    assert len({d.title for d in found}) == 3
    for description in found:
        for title in (description.title, *description.fallback):
            assert 0 < len(title.split()) <= 10
            assert "12345" not in title
            assert not title.endswith(".")
            assert title[0] == title[0].upper()


@pytest.mark.skipif(not CLINC.exists(), reason="CLINC150 is not beside the repository")
def test_real_intents_get_titles_that_members_share() -> None:
    with gzip.open(CLINC, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    intents = sorted({row["labels"]["intent"] for row in rows})[::4]
    groups = [
        [r["messages"][0]["content"] for r in rows if r["labels"]["intent"] == intent][:100]
        for intent in intents
    ]
    sample = members(groups)
    found = describe_groups(sample, centroids(sample, len(groups)), embed=embed)
    assert len({d.title for d in found}) == len(groups)
    shared = 0
    for description, texts in zip(found, groups, strict=True):
        content = [w for w in description.title.lower().split() if w not in TEMPLATE_WORDS]
        used = [sum(w[:4] in text for text in texts) / len(texts) for w in content]
        shared += all(share >= 0.1 for share in used)
    assert shared >= 0.9 * len(groups)


def test_sensitive_words_need_as_many_accounts_as_names() -> None:
    slots = [
        "brem",
        "cade",
        "dolt",
        "erno",
        "fisk",
        "gral",
        "hund",
        "ilex",
        "jorn",
        "kral",
        "lumb",
        "morn",
        "nerg",
        "opal",
    ]
    texts = [f"{verb} the {slot} lawsuit" for slot in slots[:10] for verb in ("settle", "drop")]
    sample = members([texts, alarms()])
    middle = centroids(sample, 2)
    open_title = describe_groups(sample, middle, embed=embed)[0].title
    found = describe_groups(sample, middle, embed=embed, sensitive=lambda w: "lawsuit" in w)[0]
    assert "lawsuit" in open_title.lower()
    assert "lawsuit" not in f"{found.title} {found.summary} {found.fallback}".lower()


def test_where_no_request_is_shared_the_nouns_that_are_make_the_title() -> None:
    verbs = [
        "buy",
        "sell",
        "move",
        "water",
        "cut",
        "trim",
        "pot",
        "turn",
        "sow",
        "dry",
        "feed",
        "wash",
        "spray",
        "shade",
    ]
    texts = [f"when would i {v} {n} near {v}x" for v in verbs for n in ("orchids", "cacti")]
    title = describe(texts, flights(), alarms(), min_accounts=5)[0]
    assert "something" not in title
    assert "orchids" in title.lower()


def test_a_noun_that_looks_like_a_verb_stays_a_noun() -> None:
    slots = [
        "brem",
        "cade",
        "dolt",
        "erno",
        "fisk",
        "gral",
        "hund",
        "ilex",
        "jorn",
        "kral",
        "lumb",
        "morn",
    ]
    frames = ["cover letter for {}", "improve my cover letter, {}", "a cover letter {}"]
    texts = [frame.format(slot) for slot in slots for frame in frames]
    assert "cover letter" in describe(texts, flights())[0].lower()
    assert describe(texts, flights())[0].lower() != "cover letter"
