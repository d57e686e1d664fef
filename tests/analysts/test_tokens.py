"""Estimates of tokens: near known counts, additive, and quick."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.analysts.answers import count_request, first_request, further_request
from clio.analysts.prices import Model
from clio.analysts.providers.base import Completion, Usage
from clio.analysts.tokens import count_tokens
from clio.prompting import Prompt

# Text and its tokens by OpenAI's o200k_base and cl100k_base and by Claude 2's tokenizer.
KNOWN = [
    (
        "Could you help me plan a birthday party for my daughter? She turns seven next month and "
        "loves dinosaurs. We have a small garden and about twelve children will come.",
        *(33, 33, 33),
    ),
    (
        "Können Sie mir bitte erklären, wie ich eine Steuererklärung abgebe, wenn ich im letzten "
        "Jahr den Arbeitgeber gewechselt habe und nur einige Monate angestellt war?",
        *(35, 44, 53),
    ),
    (
        "Объясните, пожалуйста, как работает фотосинтез и почему листья осенью меняют цвет. "
        "Мне нужно подготовить доклад для школы.",
        *(31, 59, 65),
    ),
    (
        "光合作用は植物がどのように行うのか、小学生にもわかるように説明してください。"
        "できれば身近な例を使ってください。",
        *(36, 51, 50),
    ),
    (
        "def fibonacci(n):\n    if n < 2:\n        return n\n    return fibonacci(n - 1) + "
        "fibonacci(n - 2)\n",
        *(30, 30, 33),
    ),
]


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("tokenizer", [(0, "o200k"), (1, "cl100k"), (2, "claude")])
def test_it_is_near_what_tokenizers_count(known, tokenizer):
    text, *counts = known
    place, name = tokenizer
    assert count_tokens(text, name) == pytest.approx(counts[place], rel=0.3)


def test_on_the_whole_it_is_nearer():
    for place, name in enumerate(("o200k", "cl100k", "claude"), start=1):
        guess = sum(count_tokens(known[0], name) for known in KNOWN)
        assert guess == pytest.approx(sum(known[place] for known in KNOWN), rel=0.15)


@given(st.text(max_size=300))
def test_every_text_has_tokens_but_the_empty_one(text):
    count = count_tokens(text)
    assert (count == 0) == (text == "")
    assert count <= 8 * len(text) + 1


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60), st.integers(2, 50))
def test_a_repeated_text_has_about_so_many_times_its_tokens(text, times):
    line = f"{text}\n"
    many = count_tokens(line * times * 10)
    assert many == pytest.approx(times * count_tokens(line * 10), rel=0.35, abs=8 * times)


def test_half_a_character_of_utf_16_and_a_long_text_are_no_trouble():
    assert count_tokens("a\ud800b") > 0
    text = f"{KNOWN[0][0]} " * 6_000
    begin = time.process_time()
    count = count_tokens(text)
    assert len(text) / (time.process_time() - begin) > 10e6
    assert count == pytest.approx(6_000 * KNOWN[0][2], rel=0.1)


def test_a_request_counts_with_its_schema_and_by_the_models_own_tokens():
    text = KNOWN[0][0]
    prompt = Prompt("facets", "Be brief.", text, {"type": "object"}, dict, 0.2, 100)
    request = first_request("scripted:model", prompt)
    parts = (prompt.system, prompt.user, '{"type":"object"}')
    assert count_request(request) == sum(map(count_tokens, parts))
    claude = Model(tokenizer="claude", tokens=1.3)
    expected = 1.3 * sum(count_tokens(part, "claude") for part in parts)
    assert count_request(request, claude) == math.ceil(expected)
    again = further_request(prompt, request, Completion('{"a": 1}', Usage()), "it is too long")
    more = count_tokens('{"a": 1}') + count_tokens("it is too long")
    assert count_request(again) == count_request(request) + more
