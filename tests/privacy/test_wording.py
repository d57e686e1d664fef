from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.describing import free_phrases
from clio.privacy import titles, wording
from clio.privacy.titles import Support
from clio.privacy.wording import (
    check,
    content_tokens,
    fold,
    token_counts,
    window_counts,
    windows,
)
from clio.settings import Thresholds

LIMITS = Thresholds()


def supported(*texts: str, accounts: int = 10) -> dict[str, int]:
    return {token: accounts for text in texts for token in content_tokens(text)}


def unseen(*texts: str) -> dict[str, int]:
    return {window: 0 for text in texts for window in windows(text)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("flights", "flight"),
        ("booking", "booked"),
        ("planning", "plan"),
        ("making", "make"),
        ("countries", "country"),
        ("boxes", "box"),
        ("user's", "users"),
        ("calls", "calling"),
    ],
)
def test_inflections_meet(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_tokens_of_many_scripts() -> None:
    assert content_tokens("Ask about flights in Zürich") == ["flight", "zürich"]
    assert content_tokens("写一首诗") == ["写一", "一首", "首诗"]
    assert content_tokens("हिन्दी भाषा") == ["हिन्दी", "भाषा"]
    assert content_tokens("[email] [phone]") == []


def test_no_free_word_is_sensitive() -> None:
    assert len(wording.FREE) > 400
    for word in wording._read("free.txt"):
        assert word not in wording.SENSITIVE or fold(word) not in wording.FREE
    for word in ("diabetes", "HIV", "Muslims", "lesbian", "voting", "immigrants", "suicide"):
        assert word.casefold() in wording.SENSITIVE


def test_passes_with_support() -> None:
    title, summary = "Book cheap flights", "People asked for help with flights and hotels."
    assert check(title, summary, supported(title, summary), unseen(title, summary), LIMITS) == []


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("", "empty"),
        ("!!!", "empty"),
        ("Ask about Kowalczyk", "word"),
        ("Ask about diabetes", "sensitive"),
        ("Ask about 1987", "number"),
        ("Ask about 12-34", "number"),
        ("Ask about [email]", "placeholder"),
        ("Write to ann@example.org", "identifier"),
        ("Ask about \u200bit", "characters"),
        ("Ask about it \U0001f355", "characters"),
        ("Ask " * 300, "length"),
    ],
)
def test_refusals(title: str, reason: str) -> None:
    assert reason in check(title, "", {}, unseen(title), LIMITS)


def test_sensitive_words_need_more_accounts() -> None:
    title = "Ask about diabetes"
    for accounts, passes in ((24, False), (25, True)):
        found = check(title, "", {"diabete": accounts, fold("diabetes"): accounts}, {}, LIMITS)
        assert (found == []) is passes


def test_copied_runs_are_refused_and_so_are_unchecked_ones() -> None:
    title = "Get help with the other thing"
    first = windows(title)[0]
    assert check(title, "", {}, unseen(title), LIMITS) == []
    for accounts, passes in ((0, True), (1, False), (24, False), (25, True)):
        counted = unseen(title) | {first: accounts}
        assert (check(title, "", {}, counted, LIMITS) == []) is passes
    assert check(title, "", {}, {}, LIMITS) == ["copied"]


@given(st.text(st.characters(categories=["L"]), min_size=3, max_size=12))
def test_a_planted_word_never_passes(secret: str) -> None:
    title = f"Ask about {secret}"
    tokens = [t for t in content_tokens(secret) if t]
    if tokens and content_tokens(title):
        nine = dict.fromkeys(content_tokens(title), 9)
        assert check(title, "", nine, unseen(title), LIMITS)


@given(st.text(max_size=200))
def test_any_text_can_be_checked(text: str) -> None:
    for window in windows(text):
        assert 5 <= len(window.split(" ")) <= 10
    assert isinstance(check(text, text, {}, {}, LIMITS), list)


def counts(texts: list[str], accounts: list[int], token: str) -> int:
    table = token_counts(
        texts, np.zeros(len(texts), dtype=np.int64), np.array(accounts), [{fold(token)}]
    )
    return sum(table.column("accounts").to_pylist())


def test_support_counts_accounts_and_not_copies() -> None:
    assert counts(["book a flight"] * 10, list(range(10)), "flights") == 1
    assert counts([f"book flight {i}" for i in range(10)], [0] * 10, "flights") == 1
    assert counts([f"Flights {i}!" for i in range(10)], list(range(10)), "flights") == 10
    # One account with many texts does not vouch for nine that paste one text.
    many = [f"book flight {i}" for i in range(9)] + ["book a flight"] * 9
    assert counts(many, [0] * 9 + list(range(1, 10)), "flights") == 2


def test_support_is_counted_in_its_own_cluster() -> None:
    texts = [f"plant roses {i}" for i in range(20)]
    cluster = np.array([0] * 12 + [1] * 7 + [-1])
    rose = fold("rose")
    table = token_counts(texts, cluster, np.arange(20), [{rose}, {rose, "plant"}])
    assert table.to_pydict()["accounts"] == [12, 7, 7]


@given(
    st.lists(
        st.tuples(st.sampled_from(["a b", "b c", "c", "a c"]), st.integers(0, 4)), max_size=30
    ),
    st.integers(0, 30),
)
def test_support_merges_over_shards(rows: list[tuple[str, int]], cut: int) -> None:
    wanted = [{"a", "b"}, {"c"}]

    def occurrences(part: list[tuple[str, int]]) -> pa.Table:
        cluster = np.array([who % 2 for _, who in part], dtype=np.int64)
        accounts = np.array([who for _, who in part], dtype=np.int64)
        return wording.token_occurrences([t for t, _ in part], cluster, accounts, wanted)

    whole = wording.count_tokens(occurrences(rows))
    parts = pa.concat_tables([occurrences(rows[cut:]), occurrences(rows[:cut])])
    assert wording.count_tokens(parts).equals(whole)
    for row in whole.to_pylist():
        users = {w for t, w in rows if w % 2 == row["cluster"] and row["token"] in t}
        assert 1 <= row["accounts"] <= len(users)


def test_windows_are_counted_by_account() -> None:
    texts = ["please Help me, book a flight!", "help me book a flight", "nothing"] * 2
    target = "help me book a flight"
    found = window_counts(texts, np.array([1, 2, 3, 1, 4, 3]), {target, "one two three four five"})
    assert found == {target: 3, "one two three four five": 0}
    chinese = "请帮我写一首关于春天的诗"
    assert windows(chinese)[0] == " ".join(chinese[:10])
    assert window_counts([chinese], np.array([1]), windows(chinese)[:1]) == {windows(chinese)[0]: 1}


def test_parents_words_then_generic_ones() -> None:
    words = Support({}, {}, LIMITS).words
    assert words("c", "Smith", "Smith.", None, "Book flights", set())[:1] == (
        "Book flights: other requests",
    )
    taken = {titles.GENERIC_TITLE}
    title, summary, own = words("c", "Smith", "Smith.", ["Jones"], None, taken)
    assert (title, own) == (f"{titles.GENERIC_TITLE} (2)", False)
    assert summary == titles.GENERIC_SUMMARY


def test_shipped_phrases_need_no_support_but_as_they_are() -> None:
    shipped = frozenset({"house plants", "poems and rhymes", "house"})
    for title in ("Ask about house plants", "Write poems and rhymes", "House plants"):
        assert check(title, "", {}, unseen(title), LIMITS, shipped) == []
        assert check(title, "", {}, unseen(title), LIMITS) == ["word"]
    for title in ("Ask about plants", "House plants of Zebulon", "Greenhouse plants", "Rhymes"):
        assert check(title, "", {}, unseen(title), LIMITS, shipped) == ["word"]


def test_no_shipped_phrase_frees_a_sensitive_word_or_what_was_copied() -> None:
    title = "Ask about diabetes and sugar today"
    shipped = frozenset({"diabetes and sugar today"})
    assert check(title, "", {}, unseen(title), LIMITS, shipped) == ["sensitive"]
    assert check(title, "", {fold("diabetes"): 25}, unseen(title), LIMITS, shipped) == []
    own = LIMITS.model_copy(update={"publishable": False})
    assert check(title, "", {}, unseen(title), own, shipped) == []
    written = dict.fromkeys(windows(title), 3)
    assert "copied" in check(title, "", {fold("diabetes"): 25}, written, LIMITS, shipped)


def test_what_the_writers_ship_touches_nothing_sensitive() -> None:
    for phrase in free_phrases():
        assert not [word for word in wording._words(phrase) if word in wording.SENSITIVE], phrase


def test_what_a_model_says_of_many_in_the_same_words_counts_for_each():
    texts = ["Bake sourdough bread"] * 12
    cluster, account = np.zeros(12, np.int64), np.arange(12)
    wanted = [{"sourdough"}]
    alike = token_counts(texts, cluster, account, wanted)
    assert alike["accounts"].to_pylist() == [1]
    apart = token_counts(texts, cluster, account, wanted, np.arange(12))
    assert apart["accounts"].to_pylist() == [12]
    pasted = token_counts(texts, cluster, account, wanted, np.array([7] * 10 + [8, 9]))
    assert pasted["accounts"].to_pylist() == [3]


def test_of_a_summary_the_sentences_that_pass_are_kept():
    tokens = pa.table({"cluster_id": ["a"], "token": ["bread"], "accounts": [40]})
    windows_ = pa.table({"window": pa.array([], pa.string()), "accounts": pa.array([], pa.int64())})
    support = Support.of(tokens, windows_, Thresholds())
    found = support.words(
        "a", "Ask about bread", "People ask about bread. Some mention Zelenka.", [], None, ()
    )
    assert found == ("Ask about bread", "People ask about bread.", True)
