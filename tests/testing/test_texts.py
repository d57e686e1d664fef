"""The texts of the test bed are complete, well-formed, and in their language's script."""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.testing.canaries import sentences
from clio.testing.canary_values import KINDS
from clio.testing.slips import carelessly, slip
from clio.testing.taxonomy import LANGUAGES, Grammar, Language, taxonomy
from clio.testing.templates import Template, slots_of, templates

# Shared by all languages: three topics of each regular domain, two of each concerning one.
SHARED = {"regular": (20, 60), "concerning": (18, 36)}
SCRIPTS = {
    **dict.fromkeys(("en", "es", "pt", "fr", "ca", "af", "tr"), ("LATIN",)),
    **dict.fromkeys(("uk", "ru"), ("CYRILLIC",)),
    **{"ja": ("HIRAGANA", "KATAKANA", "CJK"), "zh": ("CJK",), "hi": ("DEVANAGARI",)},
    **{"ar": ("ARABIC",), "hy": ("ARMENIAN",), "ka": ("GEORGIAN",)},
}
_MARKUP = re.compile(r"\{\w+!?\}|\[[^\]\n]*\||¶| \| |[^\W\d]\|[^\W\d]")
HALVES: tuple[Grammar, ...] = ("open", "holdout")


def frames(language: Language) -> Iterator[tuple[str, Template]]:
    for name, voice in language.voices.items():
        for template in voice.requests:
            yield name, template


def around(language: Language) -> Iterator[Template]:
    """All texts but the requests."""
    yield from chain(language.openings, language.closings, language.again)
    for voice in language.voices.values():
        yield from chain(voice.contexts, voice.followups, voice.replies, voice.refusals)


@pytest.mark.parametrize("grammar", HALVES)
def test_all_languages_have_all_shared_topics(grammar: Grammar) -> None:
    known = taxonomy(grammar)
    assert [language.code for language in known.languages] == list(LANGUAGES)
    shared = [set(language.voices) for language in known.languages[1:]]
    assert all(names == shared[0] for names in shared)
    for kind, (domains, topics) in SHARED.items():
        of_kind = [t for t in known.topics if t.kind == kind]
        assert len({t.domain for t in of_kind}) == domains
        assert sum(t.name in shared[0] for t in of_kind) == topics
        assert sum(t.share for t in of_kind) == pytest.approx(1)
    assert sum(topic.kind == "rare" for topic in known.topics) == 10
    assert len(shared[0]) == sum(topics for _, topics in SHARED.values())


def test_both_halves_have_the_same_topics() -> None:
    first, second = (taxonomy(grammar).topics for grammar in HALVES)
    assert first == second
    assert Counter(topic.trend for topic in first)["new"] >= 1


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_frame_is_in_both_halves(code: str) -> None:
    halves = [
        {template.source for _, template in frames(language)}
        for grammar in HALVES
        for language in taxonomy(grammar).languages
        if language.code == code
    ]
    assert halves
    assert all(halves)
    assert not halves[0] & halves[1]


@pytest.mark.parametrize("grammar", HALVES)
def test_no_markup_is_left_over(grammar: Grammar) -> None:
    chance = random.Random(0)
    for language in taxonomy(grammar).languages:
        for name, template in frames(language):
            assert len(list(template.pieces())) > 1 or language.code == "en", name
        for template in chain((t for _, t in frames(language)), around(language)):
            assert not _MARKUP.search("\n".join(template.pieces())), template.source
            for _ in range(3):
                text = template.render({}, chance.random)
                assert text.strip(), template.source
                assert not re.search(r"\S  +\S|\s[,.]\s", text), text


@pytest.mark.parametrize("grammar", HALVES)
def test_texts_are_in_the_script_of_their_language(grammar: Grammar) -> None:
    for language in taxonomy(grammar).languages:
        whole = inside = 0
        for template in chain((t for _, t in frames(language)), around(language)):
            letters = [c for piece in template.pieces() for c in piece if c.isalpha()]
            own = sum(unicodedata.name(c).startswith(SCRIPTS[language.code]) for c in letters)
            # Names of tools, commands and error messages are in Latin letters everywhere.
            assert own > 0.15 * len(letters), (language.code, template.source)
            whole, inside = whole + len(letters), inside + own
        assert inside > 0.85 * whole, language.code


def test_pasted_material_is_there_in_several_kinds() -> None:
    blocks = taxonomy().blocks
    assert len({block.kind for block in blocks}) >= 6
    for block in blocks:
        assert block.asks
        assert "¶" not in "".join(block.text.pieces())


def test_details_have_a_sentence_in_each_language() -> None:
    assert set(sentences()) == set(LANGUAGES)
    for code, by_kind in sentences().items():
        assert tuple(by_kind) == KINDS
        for template in chain.from_iterable(by_kind.values()):
            text = template.render({"value": "*"}, lambda: 0.0)
            assert text.count("*") == 1
            letters = [c for c in text if c.isalpha()]
            own = sum(unicodedata.name(c).startswith(SCRIPTS[code]) for c in letters)
            assert own > 0.4 * len(letters), text


def test_a_slot_keeps_its_value_through_a_conversation() -> None:
    slots = {"thing": ("one a", "one b", "an oak")}
    bound: dict[str, str] = {}
    numbers = iter([0.5, 0.9, 0.0])
    text = Template("[x|y] {thing}, {thing!} [1|2] [literal]", slots).render(
        bound, numbers.__next__
    )
    assert text == "y an oak, oak 1 [literal]"
    assert bound == {"thing": "an oak"}


def test_a_slot_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match="no values for the slot 'b'"):
        Template("{a} and {b}", {"a": ("x",)})


def test_tables_of_texts_are_lines_and_later_slots_count_more() -> None:
    assert [t.source for t in templates("\na\n\n b¶c\n", {})] == ["a", "b\nc"]
    assert slots_of({"a": "1 | 2", "b": "3"}, {"a": "4"}) == {"a": ("4",), "b": ("3",)}


@given(
    text=st.text(max_size=60),
    code=st.sampled_from(LANGUAGES),
    numbers=st.lists(st.floats(0, 1, exclude_max=True), min_size=6, max_size=6),
)
def test_a_slip_changes_little(text: str, code: str, numbers: list[float]) -> None:
    slipped = slip(text, code, iter(numbers).__next__)
    assert abs(len(slipped) - len(text)) <= max(
        2, len(unicodedata.normalize("NFD", text)) - len(text)
    )
    assert slip(text, code, iter(numbers).__next__) == slipped


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "Could you explain this sentence?"),
        ("uk", "Поясніть, будь ласка, це речення."),
        ("ja", "この文を説明してください。"),
        ("zh", "请帮我做一个简单的计划。"),
        ("hi", "मुझे यह बात समझाइए और उदाहरण दीजिए।"),
        ("ar", "أريد شرحا لهذه المسألة"),
        ("hy", "Խնդրում եմ բացատրել այս նախադասությունը։"),
        ("ka", "გთხოვთ ამიხსნათ ეს წინადადება."),
    ],
)
def test_every_script_has_slips(code: str, text: str) -> None:
    slipped = {
        slip(text, code, iter([a, b, c, 0.5, 0.5]).__next__)
        for a in (0.1, 0.9)
        for b in (0.1, 0.5, 0.9)
        for c in (0.1, 0.5, 0.9)
    }
    assert slipped - {text}


def test_slips_leave_names_with_digits_and_paths_alone() -> None:
    text = "/home/user42/data.csv v2.0 x1y2z3"
    assert slip(text, "en", iter([0.9, 0.5, 0.5, 0.5, 0.5]).__next__) == text


def test_careless_writing_has_no_capitals_and_no_last_mark() -> None:
    assert carelessly("Is IT so?", "en") == "is it so"
    assert carelessly("İstanbul'da IŞIK var mı?", "tr") == "istanbul'da ışık var mı"
    assert carelessly("这是什么？", "zh") == "这是什么"
