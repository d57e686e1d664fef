from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.describing.lexicon import (
    gerund,
    look_up,
    participle,
    plural,
    singular,
    stem,
    third_person,
)
from clio.describing.parsing import parse
from clio.describing.tagging import MAX_TOKENS, tokenize


@pytest.mark.parametrize(
    ("verb", "ing", "past", "third"),
    [
        ("book", "booking", "booked", "books"),
        ("cancel", "canceling", "canceled", "cancels"),
        ("carry", "carrying", "carried", "carries"),
        ("change", "changing", "changed", "changes"),
        ("find", "finding", "found", "finds"),
        ("get", "getting", "gotten", "gets"),
        ("lie", "lying", "lain", "lies"),
        ("stop", "stopping", "stopped", "stops"),
        ("watch", "watching", "watched", "watches"),
    ],
)
def test_verb_forms(verb: str, ing: str, past: str, third: str) -> None:
    assert (gerund(verb), participle(verb), third_person(verb)) == (ing, past, third)
    assert {look_up(form).verb for form in (verb, ing, past, third)} == {verb}


@pytest.mark.parametrize(
    ("one", "many"),
    [("flight", "flights"), ("city", "cities"), ("box", "boxes"), ("person", "people"),
     ("calorie", "calories"), ("wish", "wishes"), ("day", "days")],
)  # fmt: skip
def test_plurals(one: str, many: str) -> None:
    assert plural(one) == many
    assert singular(many) == one


@given(st.from_regex(r"[bcdfgk][aeio][bdklmnprt]{1,2}", fullmatch=True))
def test_regular_plurals_share_their_stem(noun: str) -> None:
    assert stem(plural(noun)) == stem(noun)


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    found = parse(text)
    assert len(found.words) <= MAX_TOKENS
    assert found.words == tuple(tokenize(text))
    assert all(token == token.lower() or not token.islower() for token in found.words)


def test_what_is_read_from_a_request() -> None:
    found = parse("Hi! Can you please help me change the PIN of my bank card?")
    (phrase,) = (p for p in found.verbs if p.verb == "change")
    assert phrase.frame == "do"
    assert phrase.object is not None
    assert phrase.object.lemmas == ("pin",)
    assert phrase.preposition == "of"
    assert phrase.complement is not None
    assert phrase.complement.lemmas == ("bank", "card")
