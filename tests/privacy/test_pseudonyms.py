from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.privacy.pseudonyms import make_key, pseudonym, text_account

KEY = bytes(range(32))


def test_keys_are_random_and_long() -> None:
    assert len(make_key()) == 32
    assert make_key() != make_key()


@given(st.text(), st.text())
def test_pseudonyms_tell_accounts_apart_and_hide_them(one: str, two: str) -> None:
    first = pseudonym(KEY, one)
    assert len(first) == 32
    assert int(first, 16) >= 0
    assert (first == pseudonym(KEY, two)) == (one == two)
    assert first != pseudonym(KEY[::-1], one)


@given(st.text())
def test_an_id_never_equals_a_text(text: str) -> None:
    account = pseudonym(KEY, text_account(text))
    assert account != pseudonym(KEY, text)
    assert account != pseudonym(KEY, f"text:{text}")


def test_texts_count_by_their_normal_form() -> None:
    assert text_account(" Hello\u3000WORLD ") == text_account("hello world")


def test_surrogates_are_accepted_and_short_keys_are_not() -> None:
    assert pseudonym(KEY, "\ud800") != pseudonym(KEY, "\ud801")
    with pytest.raises(ValueError, match="32 bytes"):
        pseudonym(b"short", "a")
