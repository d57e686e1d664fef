from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clio.safety import Sketcher, alike, template_of
from clio.safety.texts import MIN_WORDS, WIDTHS

WORDS = [
    f"{a}{b}" for a in "bdfgklmnprst" for b in ("abo", "ine", "uro", "eka", "osi", "uvi", "aje")
]


def grouped(texts: list[str], *, batch: int = 1000) -> list[int]:
    sketcher = Sketcher(0)
    numbers = [sketcher.add(pa.array(texts[at : at + batch])) for at in range(0, len(texts), batch)]
    groups = np.append(alike(sketcher.signatures()), -1)
    return groups[np.concatenate(numbers)].tolist()


def filled(skeleton: list[str], slots: set[int], rng: np.random.Generator) -> str:
    return " ".join(str(rng.choice(WORDS)) if at in slots else w for at, w in enumerate(skeleton))


def test_texts_from_one_template_are_alike_and_others_are_not() -> None:
    rng = np.random.default_rng(0)
    skeletons = [rng.choice(WORDS, 40).tolist() for _ in range(5)]
    slots = {3, 9, 15, 22, 28, 35}
    texts = [filled(skeletons[at % 5], slots, rng) for at in range(100)]
    groups = np.array(grouped(texts))
    for at in range(5):
        assert len(set(groups[at::5].tolist())) == 1
    assert len(set(groups.tolist())) == 5


def test_copies_differ_in_case_numbers_addresses_and_marks_alone() -> None:
    base = "Please write to {} about order {} and ask WHEN the {} parcel comes at last"
    texts = [
        base.format("anna@example.org", "12", "red"),
        base.format("bob@example.net", "9,731", "red").lower() + "!!!",
    ]
    first, second = grouped(texts)
    assert first == second >= 0


def test_texts_without_spaces_are_compared_too() -> None:
    same = "请帮我写一封信给房东说暖气坏了已经三天没有热水"
    other = "今天股票市场为什么下跌请解释主要原因和影响谢谢"
    one, again, third = grouped([same, same + "了", other])
    assert one == again != third


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from(["a", "bb", "ccc"]), max_size=MIN_WORDS - 1))
def test_short_texts_have_no_group(words: list[str]) -> None:
    assert grouped([" ".join(words)]) == [-1]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.text(max_size=80), min_size=1, max_size=20), st.integers(1, 7))
def test_batches_do_not_matter_and_equal_texts_are_in_one_group(
    texts: list[str], batch: int
) -> None:
    texts = [text + " and some more words that make it long enough" for text in texts] * 2
    groups = grouped(texts, batch=batch)
    assert groups == grouped(texts)
    half = len(texts) // 2
    assert groups[:half] == groups[half:]
    assert min(groups) >= 0


def test_signatures_estimate_jaccard() -> None:
    rng = np.random.default_rng(1)
    words = [f"{a}{b}{c}o" for a in "bdfgklm" for b in "aeiouy" for c in "npqrstvw"][:300]
    sketcher = Sketcher(3)
    sketcher.add(pa.array([" ".join(words[:200]), " ".join(rng.permutation(words[100:]))]))
    one, other = sketcher.signatures()[WIDTHS.index(1)]
    assert (one == other).mean() == pytest.approx(1 / 3, abs=0.13)


def test_a_chain_of_texts_is_no_group() -> None:
    words = [f"{a}{b}{c}o" for a in "bdfgklmz" for b in "aeiouy" for c in "npqrstvwx"]
    chain = [" ".join(words[at : at + 40]) for at in range(0, 300, 4)]
    groups = grouped(chain)
    assert groups[0] != groups[-1]
    assert sum(one == other for one, other in pairwise(groups)) > 30


def test_a_template_has_slots_for_what_varies() -> None:
    texts = [
        f"Write a {a} review of the lamp from {b} in few words"
        for a, b in zip(
            ("kind", "warm", "fair", "good", "glad"),
            ("Leeds", "Cork", "Perth", "Ohio", "Lyon"),
            strict=True,
        )
    ]
    assert template_of(texts) == "Write a […] review of the lamp from […] in few words"
    assert template_of(texts[:1] * 3) == texts[0]
    assert template_of([]) == ""
