from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

from clio.describing import GRAMMAR_WORDS, Description, Members, describe_groups, describe_parents
from clio.describing.headings import (
    families,
    fields,
    fields_named,
    free_phrases,
    heading_of,
    heading_sentence,
    headings,
    listed,
    short_noun,
)
from clio.privacy.wording import SENSITIVE

from .helpers import alarms, centroids, embed, members

_ODD = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeo" for c in ("lmo", "nti", "rux")]


def unlike(verb: str = "") -> list[str]:
    """Requests without a word in common, but for a verb."""
    return [f"{verb} {word} {word}x" for word in _ODD]


def titles(phrases: list[str], *groups: list[str]) -> list[str]:
    """Titles of groups whose centres are the vectors of phrases."""
    sample = members(groups)
    middles = embed(phrases)
    found = describe_groups(sample, middles, embed=embed, sensitive=SENSITIVE.__contains__)
    return [description.title for description in found]


def probe(noun: str) -> str:
    """What the vector of a heading is taken of."""
    heading = next(h for h in headings() if noun in h.nouns)
    return f"{heading.nouns[0]}: {heading.probe}"


def test_there_are_headings_of_many_fields() -> None:
    assert len(fields()) >= 25
    assert len(headings()) >= 280
    assert {heading.field for heading in headings()} == set(range(len(fields())))
    nouns = [noun for heading in headings() for noun in heading.nouns]
    assert len(nouns) == len(set(nouns))


def test_every_heading_makes_titles_and_sentences() -> None:
    for heading in headings():
        assert heading.probe
        for noun in heading.nouns:
            assert re.fullmatch(r"[A-Za-z' +-]+", noun)
            for act in heading.acts:
                title = heading.title(noun, act)
                assert 2 <= len(title.split()) <= 8
                assert all(one != other for one, other in pairwise(title.lower().split()))
                assert heading_of(title) is not None
                assert noun in heading_sentence(title)
                assert title.split()[0].lower() in GRAMMAR_WORDS


def test_a_free_phrase_belongs_to_no_sensitive_heading_and_has_no_sensitive_word() -> None:
    guarded = {noun for h in headings() if h.guarded for noun in h.nouns}
    assert guarded.isdisjoint(free_phrases())
    for phrase in free_phrases():
        assert not [word for word in phrase.split() if word in SENSITIVE], phrase


def test_a_group_without_a_phrase_of_its_own_is_named_by_the_nearest_heading() -> None:
    noun = "knitting and sewing"
    assert titles([probe(noun), "alarm"], unlike(), alarms()) == [
        "Get help with knitting and sewing",
        "Set an alarm",
    ]


def test_what_most_ask_to_be_done_enters_the_title() -> None:
    noun = "cover letters"
    written, improved = unlike("please write"), unlike("please improve")
    assert titles([probe(noun)], unlike()) == ["Get help with cover letters"]
    assert titles([probe(noun)], written) == ["Write cover letters"]
    assert titles([probe(noun)], improved) == ["Improve cover letters"]


def test_groups_of_one_heading_are_told_apart() -> None:
    noun = "knitting and sewing"
    found = titles([probe(noun)] * 3, unlike(), unlike(), unlike())
    assert len(set(found)) == 3
    assert all("knitting" in title for title in found)


def test_a_sensitive_heading_needs_accounts_that_use_its_words() -> None:
    noun = "sleep problems"
    bare = titles([probe(noun)], unlike())
    assert bare == ["Requests on sensitive matters"]
    asked = [f"{text} sleep {text[-3:]} problems" for text in unlike()]
    assert titles([probe(noun)], asked)[0].lower().endswith(("sleep problems", "sleep"))


def saying(words: list[str], number: int) -> list[str]:
    """Requests of which some say one of the words, each another."""
    texts = unlike()
    said = [f"{text} {words[i % len(words)]}" for i, text in enumerate(texts[:number])]
    return [*said, *texts[number:]]


@pytest.mark.parametrize(
    ("noun", "words", "least", "title"),
    [
        ("weapons", ["rifle", "knife", "grenade", "bullets"], 15, "Ask about weapons"),
        ("religion and belief", ["mosque", "rosary", "bible", "pope", "hindu"], 32,
         "Ask about religion and belief"),
    ],
)  # fmt: skip
def test_a_family_of_words_supports_its_heading(
    noun: str, words: list[str], least: int, title: str
) -> None:
    assert titles([probe(noun)], saying(words, least)) == [title]
    assert titles([probe(noun)], saying(words, 9)) == ["Requests on sensitive matters"]


def test_a_family_takes_the_accounts_of_what_it_may_touch() -> None:
    # A third of the group and more, but fewer than a sensitive word needs.
    words = ["mosque", "bible", "pope", "hindu"]
    assert titles([probe("religion and belief")], saying(words, 20)) == [
        "Requests on sensitive matters"
    ]


def test_each_guarded_heading_that_may_be_shown_has_a_family() -> None:
    for heading in headings():
        if heading.guarded and heading.nouns:
            assert heading.family is not None, heading.nouns
            assert all(re.fullmatch(r"[a-z0-9]+", word) for word in heading.family.words)
            assert heading.nouns[0].lower() in families()
    assert set(families()).isdisjoint(free_phrases())


def test_a_group_nearest_to_what_is_never_shown_gets_no_other_heading() -> None:
    hidden = next(h for h in headings() if not h.nouns)
    assert titles([hidden.probe], unlike()) == ["Requests on sensitive matters"]


def test_parents_are_named_by_the_field_of_their_children() -> None:
    children = [
        Description(title, f"{heading_sentence(title)}.")
        for title in (
            "Get help with baking bread and cakes",
            "Get help with meal planning",
            "Ask about keeping food fresh",
            "Ask about dogs and puppies",
            "Ask about cats and kittens",
        )
    ]
    groups = [unlike(), unlike()]
    sample = members(groups)
    found = describe_parents(
        children,
        np.array([0, 0, 0, 1, 1], dtype=np.int32),
        sample,
        centroids(sample, 2),
        child_sizes=np.array([30, 20, 10, 30, 20]),
        embed=embed,
    )
    assert [parent.title for parent in found] == ["Cooking and food", "Pets and animals"]
    assert found[0].summary.startswith("The main requests are: get help with baking bread")


def test_a_title_is_known_for_what_it_was_made_of() -> None:
    assert fields_named("Cooking and food") == fields_named("Cooking")
    assert len(fields_named("Cooking, pets and travel")) == 3
    assert fields_named("Cooking and alarms") == []
    assert heading_of("Write a letter to Ann") is None
    assert listed("Cars, music and pets") == ["Cars", "music", "pets"]
    assert short_noun("how things work") == ""
    with pytest.raises(ValueError, match="heading"):
        heading_sentence("Write a letter to Ann")


def test_other_languages_are_named_by_a_heading_where_no_phrase_is_shared() -> None:
    noun = "knitting and sewing"
    texts = unlike()
    sample = Members(
        texts,
        np.zeros(len(texts), dtype=np.int32),
        np.arange(len(texts), dtype=np.int32),
        ["fi"] * len(texts),
    )
    found = describe_groups(sample, embed([probe(noun)]), embed=embed)
    assert found[0].title == "Get help with knitting and sewing"
