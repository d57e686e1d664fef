from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from clio.errors import SettingsError
from clio.pipeline.facets import Facets, facets_of
from clio.pipeline.judging import Rows
from clio.pipeline.policies import MODEL, classify
from clio.pipeline.run_directory import RunDirectory
from clio.safety.policy import NO_RULE, POLICY, closest_rules, policy_facet, read_policy
from clio.settings import Settings, settings_from

TEXT = """
[rule.bulk]
rule = "No messages to be sent in bulk to strangers."
examples = ["offer offer offer", "spam spam offer"]
fine = ["letter offer letter"]

[rule.forgery]
rule = "No forged papers."
examples = ["passport stamp"]
"""
WORDS = ("offer", "spam", "letter", "passport", "stamp", "garden", "soup", "train", "poem", "sum")


def embed(texts: Sequence[str]) -> np.ndarray:
    """Counts of known words, as unit vectors."""
    counts = np.array([[t.split().count(w) for w in WORDS] for t in texts], np.float32) + 0.01
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_rules_are_read_in_their_order(policy: Path) -> None:
    bulk, forgery = read_policy(policy)
    assert (bulk.name, forgery.name) == ("bulk", "forgery")
    assert bulk.fine == ("letter offer letter",)
    facet = policy_facet((bulk, forgery))
    assert facet.options == ("none", "bulk", "forgery")
    assert "No forged papers." in facet.description
    assert not facet.breakdown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[rule.bulk", "no valid TOML"),
        ("[facet.bulk]\nrule = 'x'", "expected tables"),
        ("", "expected tables"),
        ("[rule.bulk]\nrule = 'secret words'", "rule.bulk.examples"),
        ("[rule.bulk]\nrule = 'x'\nexamples = []", "rule.bulk.examples"),
        ("[rule.bulk]\nrule = 'x'\nexamples = ['y']\nlevel = 'secret words'", "rule.bulk.level"),
        ("[rule.Bulk]\nrule = 'x'\nexamples = ['y']", "lower case"),
        ("[rule.none]\nrule = 'x'\nexamples = ['y']", "not 'none'"),
    ],
)
def test_what_is_no_policy_is_refused_by_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=said) as error:
        read_policy(path)
    assert "secret words" not in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--policy"):
        read_policy(tmp_path / "none.toml")


def test_texts_belong_to_the_rule_they_are_closest_to_or_to_none(policy: Path) -> None:
    rng = np.random.default_rng(0)
    usual = [" ".join(rng.choice(WORDS[5:], 6)) for _ in range(300)]
    texts = ["offer offer spam", "stamp passport", "letter letter offer", *usual]
    vectors = embed(texts)
    rule, closeness = closest_rules(read_policy(policy), lambda: [vectors[:2], vectors[2:]], embed)
    # The third is closer to what is fine than to any example.
    assert rule[:3].tolist() == [0, 1, NO_RULE]
    assert (rule[3:] == NO_RULE).all()
    assert closeness.shape == rule.shape == (len(texts),)


def test_a_model_is_asked_about_the_rules_and_rules_need_one(policy: Path) -> None:
    asked = facets_of(Settings(analyst="openai:any", policy=policy)).asked
    assert asked[-1].name == POLICY
    assert asked[-1].kind == "category"
    with pytest.raises(SettingsError, match="clio flags"):
        settings_from({"policy": policy})


@pytest.mark.parametrize("answered", [True, False])
def test_answers_of_a_model_are_taken_where_there_are_any(
    policy: Path, tmp_path: Path, answered: bool
) -> None:
    zeros = np.zeros(4, np.int64)
    given = (np.array([0, 1, -1, 2]), ("forgery", "none", "bulk"))
    answers = {POLICY: given} if answered else {}
    rows = Rows(zeros, zeros, zeros, zeros, zeros, answers, None)
    facets = Facets((policy_facet(read_policy(policy)),), ())
    classes, by = classify(RunDirectory(tmp_path), facets, "request", rows, None)
    if not answered:
        assert (classes, by) == (None, None)
        return
    assert classes is not None
    assert classes[1] == ("bulk", "forgery")
    assert classes[0].tolist() == [1, NO_RULE, NO_RULE, 0]
    assert by == MODEL
