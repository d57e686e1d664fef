"""``--where``: which conversations an expression takes in, and what is refused."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.conversation import Conversation, Message, Role
from clio.errors import SettingsError
from clio.sources.where import MAX_CHARACTERS, compile_where

LABELS: dict[str, Any] = {
    "country": "DE",
    "score": 0.7,
    "toxic": False,
    "tags": ["billing", 2],
    "geo": {"city": {"name": "Bonn"}},
    "my label": 3,
    "nothing": None,
}


def conversation(*texts: str, labels: Any = None, at: datetime | None = None) -> Conversation:
    messages = [Message(Role.USER, text) for text in texts or ("How do I renew my visa?",)]
    return Conversation("c", "u", at, (*messages, Message(Role.ASSISTANT, "Cake")), labels or {})


def holds(expression: str, talk: Conversation, language: str = "en") -> bool:
    return compile_where(expression, language=lambda _: language)(talk)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("country == 'DE'", True),
        ("country != 'DE'", False),
        ("'DE' == country", True),
        ("country in ['AT', 'DE']", True),
        ("country not in ('AT', 'DE')", False),
        ("0.5 < score <= 0.7", True),
        ("1 > score", True),
        ("score >= -1", True),
        ("not toxic", True),
        ("toxic == false and toxic == False", True),
        ("'billing' in tags and 2 in tags", True),
        ("'bill' in tags", False),
        ("'D' in country", True),
        ("labels['my label'] == 3", True),
        ("labels['geo']['city']['name'] == 'Bonn'", True),
        ("geo['city']['name'] == 'Bonn'", True),
        ("'city' in geo", True),
        ("'country' in labels", True),
        ("'nothing' in labels", False),
        ("'nosuch' not in labels", True),
    ],
)
def test_labels(expression, expected):
    assert holds(expression, conversation(labels=LABELS)) is expected


@pytest.mark.parametrize(
    "comparison",
    [
        *("nosuch == 'a'", "nosuch != 'a'", "nosuch < 3", "nosuch in ['a']", "nosuch not in ['a']"),
        *("'a' in nosuch", "'a' not in nosuch", "nosuch['a']['b'] != 3", "country['a'] == 3"),
        *("nosuch", "nothing == 0", "date == '2025'", "date != '2025'", "date not in ['2025']"),
    ],
)
def test_a_comparison_with_what_is_missing_is_false_and_its_negation_true(comparison):
    talk = conversation(labels=LABELS)
    assert holds(comparison, talk) is False
    assert holds(f"not ({comparison})", talk) is True


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        *[("country < 3", False), ("country == 3", False), ("country != 3", True)],
        *[("score < 'a'", False), ("geo == 'a'", False), ("3 in country", False)],
        *[("tags > 1", False), ("1 in score", False)],
    ],
)
def test_values_of_other_types_never_raise(comparison, expected):
    assert holds(comparison, conversation(labels=LABELS)) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("date == '2025-03-01'", True),
        ("date == '20250301'", True),
        ("date <= '2025-03-01'", True),
        ("date < '2025-03-01'", False),
        ("date > '2025-03-01'", False),
        ("date >= '2025-03-02'", False),
        ("date != '2025-03-01'", False),
        ("created_at == '2025-03'", True),
        ("'2025-02' < date < '2025-04'", True),
        ("date == '2025'", True),
        ("date in ['2024', '2025-03']", True),
        ("date >= '2025-03-01T23:59:59.999999'", True),
        ("date > '2025-03-01T23:59:59.999999Z'", False),
        ("date == '2025-03-02T00:59:59.999999+01:00'", True),
    ],
)
def test_a_date_counts_as_the_whole_day_month_or_year_in_utc(expression, expected):
    at = datetime(2025, 3, 1, 23, 59, 59, 999_999, UTC)
    assert holds(expression, conversation(at=at)) is expected


@pytest.mark.parametrize(
    ("text", "phrase", "expected"),
    [
        ("How do I renew my Visa?", "visa", True),
        ("How do I renew my Visa?", "RENEW  my", True),
        ("visas and advisable", "visa", False),
        ("advisa, visa", "visa", True),
        ("Is C++ or C# better?", "c++", True),
        ("the ﬁle", "file", True),
        ("ビザの申請方法", "申請", True),
        ("私はvisaを申請", "visa", True),
        ("비자를 신청", "비자", True),
        ("नमस्ते", "नमस", False),
        ("Straße", "STRASSE", True),
        ("e-mail", "mail", True),
    ],
)
def test_words_are_looked_up_in_what_the_requester_said(text, phrase, expected):
    assert holds(f"{phrase!r} in words", conversation(text)) is expected
    assert holds(f"{phrase!r} not in words", conversation(text)) is not expected


def test_a_phrase_stands_within_one_turn_and_the_assistant_does_not_count():
    talk = conversation("my visa", "expired")
    assert holds("'visa expired' in words", talk) is False
    assert holds("'cake' in words", talk) is False
    assert holds("turns == 2 and turns in [1, 2]", talk) is True


def test_the_language_is_asked_for_once_and_only_where_the_expression_needs_it():
    asked = []

    def language(talk: Conversation) -> str:
        asked.append(talk.conversation_id)
        return "de"

    talk = conversation(labels={"language": "French"})
    assert compile_where("labels['language'] == 'French'", language=language)(talk)
    assert asked == []
    either = compile_where("language == 'en' or language in ['fr', 'DE']", language=language)
    assert either(talk)
    assert asked == ["c"]


def test_an_expression_says_which_labels_it_needs_and_has_one_canonical_form():
    first = compile_where("b == 'x'  and labels['a']['z'] > 1\n or 'd' in labels", language=str)
    again = compile_where('b=="x" and labels["a"]["z"]>1 or "d" in labels', language=str)
    assert first.labels == ("a", "b", "d")
    assert first.expression == again.expression


@pytest.mark.parametrize(
    ("expression", "at", "said"),
    [
        ("country = 'DE'", 9, "=="),
        ("country == DE", 12, "quotes"),
        ("'ü' == country and geo.city == 'x'", 20, r"labels\['a'\]\['b'\]"),
        ("__import__('os').system('x')", 1, "not allowed"),
        ("country.__class__ == 'x'", 1, "nested as"),
        ("[x for x in labels] == 'a'", 1, "not allowed"),
        ("(lambda: 1) == country", 2, "not allowed"),
        ("f'{country}' == 'a'", 1, "not allowed"),
        ("country is 'DE'", 12, "'is'"),
        ("country == None", 12, "not allowed"),
        ("country == 1j", 12, "not allowed"),
        ("country == b'x'", 12, "not allowed"),
        ("score + 1 == 2", 1, "not allowed"),
        ("country == ['DE']", 12, "'in'"),
        ("country in 'DE'", 12, "list"),
        ("country in [geo]", 13, "list holds"),
        ("'a' in 'b'", 1, "reads"),
        ("'a' == 'a'", 1, "must be a name"),
        ("1", 1, "condition"),
        ("date", 1, "condition"),
        ("date == 'yesterday'", 9, "a date reads"),
        ("date == '2025-W10'", 9, "a date reads"),
        ("date == 2025", 9, "a date reads"),
        ("turns > 'a'", 9, "number"),
        ("language > 'en'", 12, "codes"),
        ("words == 'visa'", 1, "'in'"),
        ("3 in words", 1, "quotes"),
        ("' ' in words", 1, "quotes"),
        ("'a' in language", 8, "search"),
        ("labels == 'a'", 1, "name a label"),
        ("country[0] == 'a'", 1, "quotes"),
        ("user_id == 'u-1'", 1, "cannot be asked for"),
        ("not " * 40 + "toxic", 133, "deep"),
        ("country == 'DE' &&", 18, "invalid syntax"),
    ],
)
def test_what_is_refused_is_named_with_its_place(expression, at, said):
    with pytest.raises(SettingsError, match=said) as refused:
        compile_where(expression, language=str)
    assert f"character {at}:" in refused.value.message
    assert len(refused.value.message.splitlines()) == 1


@pytest.mark.parametrize(
    "expression",
    [
        *("", "  \n", "a" * (MAX_CHARACTERS + 1), "(" * 300, "-" * 3000 + "1", "'a\0' in words"),
        *(
            "not " * 900 + "a",
            "a" + "['b']" * 700,
            "a == '\ud800' and b.c",
            "a == 1e",
            "'\\N{x' == a",
        ),
    ],
)
def test_nothing_breaks_the_parser(expression):
    with pytest.raises(SettingsError):
        compile_where(expression, language=str)


NAMES = ("a", "b", "c")
VALUES = st.one_of(st.integers(-3, 3), st.sampled_from(["x", "y", ""]), st.booleans())
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def plainly(symbol: str, left: Any, right: Any) -> bool:
    """The documented meaning: false where something is missing or cannot be put in order."""
    if left is None or right is None:
        return False
    if symbol in ("==", "!=") or isinstance(left, str) == isinstance(right, str):
        return OPERATORS[symbol](left, right)
    return False


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[str, Callable[[dict[str, Any]], bool]]:
    name, value = draw(st.sampled_from(NAMES)), draw(VALUES)
    symbol = draw(st.sampled_from(sorted(OPERATORS)))
    if draw(st.booleans()):
        return f"{name} {symbol} {value!r}", lambda known: plainly(symbol, known.get(name), value)
    if draw(st.booleans()):
        return (
            f"{value!r} {symbol} labels[{name!r}]",
            lambda known: plainly(symbol, value, known.get(name)),
        )
    values = draw(st.lists(VALUES, max_size=3))
    return f"{name} in {values!r}", lambda known: known.get(name) in values and name in known


def combined(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        parts.map(lambda p: (f"not ({p[0]})", lambda known: not p[1](known))),
        st.tuples(parts, parts).map(
            lambda p: (f"({p[0][0]}) and ({p[1][0]})", lambda k: p[0][1](k) and p[1][1](k))
        ),
        st.tuples(parts, parts).map(
            lambda p: (f"({p[0][0]}) or ({p[1][0]})", lambda k: p[0][1](k) or p[1][1](k))
        ),
    )


@given(
    st.recursive(comparisons(), combined, max_leaves=8),
    st.dictionaries(st.sampled_from(NAMES), VALUES),
)
def test_an_expression_means_what_its_parts_mean(written, known):
    expression, meaning = written
    assert holds(expression, conversation(labels=known)) == meaning(known)


@given(
    st.recursive(comparisons(), combined, max_leaves=8),
    st.fixed_dictionaries(dict.fromkeys(NAMES, st.integers(-3, 3))),
)
def test_with_numbers_alone_it_means_what_python_means(written, known):
    expression = written[0].replace("labels", "known")
    try:
        expected = eval(expression, {"known": known, **known})
    except TypeError:  # a number against text has no order in Python
        return
    assert holds(written[0], conversation(labels=known)) == bool(expected)


@given(st.text(max_size=80), st.dictionaries(st.text(max_size=3), VALUES, max_size=3))
def test_any_text_is_an_expression_or_a_clear_refusal(expression, known):
    try:
        condition = compile_where(expression, language=lambda _: "en")
    except SettingsError as error:
        said = error.message
    else:
        said = "--where"
        assert condition(conversation(labels=known)) in (True, False)
    assert said.startswith("--where")
    assert len(said.splitlines()) == 1
