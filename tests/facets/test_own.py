"""Own facets: what a file may say, and what is said about one that it may not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clio.errors import SettingsError
from clio.facet import Facet
from clio.facets import COMPUTED, MODEL_FACETS, own_facets, standard_facets

EXAMPLE = Path(__file__).parents[2] / "examples" / "facets.toml"


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "facets.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_example_loads_with_one_facet_of_each_kind() -> None:
    facets = {facet.name: facet for facet in own_facets(EXAMPLE)}
    assert {facet.kind for facet in facets.values()} == {
        "text",
        "category",
        "categories",
        "boolean",
        "number",
        "scale",
    }
    assert [name for name, facet in facets.items() if facet.clustered] == ["blocker"]
    assert [name for name, facet in facets.items() if facet.breakdown] == [
        "audience",
        "artifacts",
        "deadline",
    ]
    assert [name for name, facet in facets.items() if facet.measure] == ["attempts", "expertise"]
    assert all(facet.nullable for facet in facets.values())


def test_only_a_question_is_needed(tmp_path: Path) -> None:
    (facet,) = own_facets(_file(tmp_path, '[facet.goal]\nquestion = "  Why?  "\n'))
    assert facet == Facet(name="goal", kind="text", question="Why?", high=240, nullable=True)


def test_a_number_is_bounded(tmp_path: Path) -> None:
    (facet,) = own_facets(_file(tmp_path, '[facet.n]\nquestion = "How many?"\nkind = "number"\n'))
    assert (facet.low, facet.high) == (0, 1_000_000)


TABLE = '[facet.x]\nquestion = "Why?"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected tables"),
        ("facet = 3", "expected tables"),
        ('[[facet]]\nquestion = "Why?"', "expected tables"),
        (TABLE + "[other]\nx = 1", "expected tables"),
        ("[facet", "no valid TOML"),
        ("[facet.x]\n", "'x', question: Field required"),
        ('[facet.x]\nquestion = " "\n', "'x', question"),
        ("[facet.x]\nquestion = 3\n", "'x', question"),
        (TABLE + 'kind = "poem"', "'x', kind"),
        (TABLE + 'colour = "red"', "'x', colour"),
        (TABLE + 'kind = "category"', "at least two options"),
        (TABLE + 'kind = "category"\noptions = ["a"]', "at least two options"),
        (TABLE + 'kind = "category"\noptions = ["a", "A"]', "at least two options"),
        (TABLE + 'kind = "categories"\noptions = ["a", "b", "B"]', "named twice"),
        (TABLE + 'kind = "boolean"\noptions = ["a", "b"]', "has no options"),
        (TABLE + 'kind = "category"\noptions = ["a", " "]', "options.1"),
        (TABLE + 'kind = "scale"', "needs low and high"),
        (TABLE + 'kind = "scale"\nlow = 5\nhigh = 1', "low must be below high"),
        (TABLE + 'kind = "scale"\nlow = 0\nhigh = 1000', "at most 101 steps"),
        (TABLE + 'kind = "number"\nlow = 0\nhigh = 9000000000', "within a million"),
        (TABLE + "low = 1", "has no low or high"),
        (TABLE + 'kind = "boolean"\ncluster = true', "only a text facet can be clustered"),
        (TABLE + "breakdown = true", "a text facet cannot be a breakdown"),
        (TABLE + 'kind = "number"\nbreakdown = true', "a number facet cannot be a breakdown"),
        (TABLE + "cluster = 1", "'x', cluster"),
        ('[facet."a b"]\nquestion = "Why?"', "a name is lower-case letters"),
        ('[facet.Goal]\nquestion = "Why?"', "a name is lower-case letters"),
        ("[facet]\n" + "\n".join(f'f{i} = {{question = "Why?"}}' for i in range(13)), "at most 12"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        own_facets(path)
    assert said in caught.value.message
    assert caught.value.message.startswith(f"{path}: ")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "name",
    [
        *(facet.name for facet in MODEL_FACETS),
        *(computed.facet.name for computed in COMPUTED),
        "conversation_id",
        "check",
        "unknown",
    ],
)
def test_taken_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="name is taken"):
        own_facets(_file(tmp_path, f'[facet.{name}]\nquestion = "Why?"\n'))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        own_facets(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="no valid TOML"):
        own_facets(tmp_path / "binary.toml")


def test_standard_facets_cluster_what_is_asked() -> None:
    assert [facet.name for facet in standard_facets() if facet.clustered] == ["request"]
    both = standard_facets(clustered=("request", "task", "domain"))
    assert [facet.name for facet in both if facet.clustered] == ["request", "task"]
    assert not any(facet.breakdown for facet in both if facet.kind == "text")
    assert [facet.name for facet in both if facet.measure] == ["concern"]


_KEYS = st.sampled_from(
    ["question", "kind", "description", "options", "low", "high", "cluster", "breakdown", "other"]
)
_WORDS = st.sampled_from(["", "Why?", "text", "scale", "number", "category", "boolean", "x" * 400])
_VALUES = st.one_of(_WORDS, st.integers(-9, 9), st.booleans(), st.lists(_WORDS, max_size=3))
_NAMES = st.sampled_from(["goal", "mood", "Goal", "check", "a b"])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables=st.dictionaries(_NAMES, st.dictionaries(_KEYS, _VALUES, max_size=5), max_size=3))
def test_any_file_is_facets_or_one_line(
    tmp_path: Path, tables: dict[str, dict[str, object]]
) -> None:
    lines = []
    for name, table in tables.items():
        lines.append(f"[facet.{json.dumps(name)}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    try:
        facets = own_facets(_file(tmp_path, "\n".join(lines)))
    except SettingsError:
        return
    assert [facet.name for facet in facets] == list(tables)
    for facet in facets:
        assert facet.question
        assert not (facet.breakdown and facet.kind in ("text", "number"))
        assert not (facet.clustered and facet.kind != "text")
