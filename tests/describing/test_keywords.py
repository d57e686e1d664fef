"""The strictest writer: it sees keywords that enough accounts used, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clio
from clio.describing import (
    Description,
    Histogram,
    Writer,
    describe_by_keywords,
    describe_keywords_by_model,
)
from clio.facets.asked import REQUEST
from clio.pipeline import describe
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.keywords import keyword_histograms
from clio.pipeline.stages.samples import sample_members
from clio.privacy.wording import SENSITIVE, content_words
from clio.settings import Preset, Settings, settings_from
from clio.testing.scripted import ScriptedAsker, lines_of, nonce_of

FLIGHTS = Histogram(40, {"flights": 38, "tickets": 30, "airport": 14, "cheap": 12})
RECIPES = Histogram(40, {"recipes": 36, "dinner": 25, "cheap": 13})
NOTHING = Histogram(40, {})


def test_titles_are_made_of_what_tells_a_group_from_the_others() -> None:
    flights, recipes, nothing = describe_by_keywords([FLIGHTS, RECIPES, NOTHING])
    assert flights.title == "Requests about flights, tickets and airport"
    assert recipes.title.startswith("Requests about recipes, dinner")
    assert nothing == Description("Requests of many kinds", nothing.summary)
    assert flights.fallback[-1] == "Requests about flights"


words = st.dictionaries(
    st.text("abcdefghij", min_size=3, max_size=6), st.integers(10, 200), max_size=12
)


@given(st.lists(words, min_size=1, max_size=8))
def test_nothing_is_said_but_keywords_and_titles_are_distinct(found: list[dict[str, int]]) -> None:
    histograms = [Histogram(200, each) for each in found]
    written = describe_by_keywords(histograms)
    assert len({description.title.lower() for description in written}) == len(written)
    for histogram, description in zip(histograms, written, strict=True):
        for text in (description.title, description.summary, *description.fallback):
            # The templates' own words are free; everything else is a keyword of this very group.
            assert set(content_words(text).values()) <= set(histogram.words)


def test_a_model_sees_keywords_without_their_counts() -> None:
    asker = ScriptedAsker(
        lambda prompt: {
            "summary": "Users asked for it.",
            "title": f"Find {lines_of(prompt, 'group')[0].split(':')[0]}",
            "check": nonce_of(prompt),
        }
    )
    plain = describe_by_keywords([FLIGHTS, RECIPES, NOTHING])
    written = describe_keywords_by_model(
        [FLIGHTS, RECIPES, NOTHING],
        asker=asker,
        writer=Writer(REQUEST, b"key", "English", None),
        stand_ins=plain,
    )
    titles = [description.title for description in written.descriptions]
    assert titles == ["Find flights", "Find recipes", plain[2].title]
    assert list(written.stood_in) == [2]
    assert lines_of(asker.asked[0], "group") == [
        "flights: most",
        "tickets: most",
        "airport: many",
        "cheap: many",
    ]
    assert "recipes" in lines_of(asker.asked[0], "contrast")


def test_histograms_hold_what_enough_accounts_used(demo_run: Path) -> None:
    directory, thresholds = RunDirectory(demo_run), Settings().thresholds()
    leaves = len(np.load(directory.work / "request" / "leaf_centroids.npy"))
    group = np.zeros(leaves, dtype=np.int32)  # all leaves together
    (found,) = keyword_histograms(directory, "request", group, thresholds=thresholds)
    sample = sample_members(directory, "request", group, thresholds=thresholds, per_group=1000)
    users: dict[str, set[int]] = {}
    for text, account in zip(sample.texts, sample.account.tolist(), strict=True):
        for token in content_words(text):
            users.setdefault(token, set()).add(account)
    assert found.accounts == len(sample.texts)
    assert found.words
    for word, accounts in found.words.items():
        (token,) = content_words(word)
        least = 25 if word in SENSITIVE else 10
        assert least <= accounts <= len(users[token])
    assert not any(character.isdigit() for word in found.words for character in word)


def test_a_run_described_from_keywords_says_nothing_else(demo_run: Path, tmp_path: Path) -> None:
    shutil.copytree(demo_run, tmp_path / "run", symlinks=True)
    run = describe(tmp_path / "run", {"describe": "keywords"})
    release = run.release()
    assert release.info.describer == "keywords"
    nodes = pq.read_table(tmp_path / "run" / "private" / "work" / "request" / "nodes.parquet")
    proposed = {row["cluster_id"]: row for row in nodes.to_pylist()}
    own = 0
    for row in release.table("clusters").to_pylist():
        if row["level"] >= 0:
            of = proposed[row["cluster_id"]]
            own += row["title"] in (of["title"], *of["fallback_titles"])
    assert own >= 0.8 * nodes.num_rows
    # Whoever describes again with the offline writer gets its titles back.
    assert describe(tmp_path / "run", {"describe": "extractive"}).release().info.describer is None


def test_a_model_writes_from_keywords_only_where_it_is_named() -> None:
    asked = {"analyst": "openai:m", "describe": "keywords"}
    assert settings_from(asked).model_for_titles is None
    assert settings_from({**asked, "describe_model": "openai:w"}).model_for_titles == "openai:w"


@pytest.mark.parametrize("preset", list(Preset))
def test_every_preset_needs_some_accounts(demo_run: Path, preset: Preset) -> None:
    thresholds = clio.Settings(privacy=preset).thresholds()
    directory = RunDirectory(demo_run)
    leaves = len(np.load(directory.work / "request" / "leaf_centroids.npy"))
    found = keyword_histograms(
        directory, "request", np.arange(leaves, dtype=np.int32), thresholds=thresholds
    )
    assert len(found) == leaves
    assert min(n for histogram in found for n in histogram.words.values()) >= 3
