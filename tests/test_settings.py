"""Settings: defaults < file < environment < options, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from clio.errors import SettingsError
from clio.settings import PRESETS, Preset, Settings, load_settings


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(text)
    return path


def test_the_later_wins(tmp_path):
    file = config(tmp_path, "seed = 1\nwhere = \"a == 'x'\"\nformat = 'Clio'\nprivacy = 'strict'\n")
    environment = {"CLIO_SEED": "2", "CLIO_WHERE": "b in ['x', 'y']", "OTHER": "1"}
    settings = load_settings({"seed": 3, "where": None}, config=file, environment=environment)
    assert settings.seed == 3
    assert settings.where == "b in ['x', 'y']"
    assert settings.format == "Clio"
    assert settings.privacy is Preset.STRICT


def test_without_anything_the_defaults_hold(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_settings(environment={}) == Settings()
    assert Settings().where is None
    assert Settings().format is None


def test_a_list_in_the_environment_is_parted_by_commas():
    settings = load_settings(environment={"CLIO_BREAKDOWN": "product,country"})
    assert settings.breakdown == ("product", "country")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 3\n", "'colour'"),
        ("seed = -1\n", "'seed'"),
        ("where = 3\n", "'where'"),
        ("privacy = 'loose'\n", "'privacy'"),
        ("seed = \n", "cannot read settings"),
        ("min_accounts = 9\n", "floor of 10"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, text, said):
    with pytest.raises(SettingsError, match=said) as refused:
        load_settings(config=config(tmp_path, text), environment={})
    assert len(refused.value.message.splitlines()) == 1 or "cannot read" in said


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match="cannot read settings"):
        load_settings(config=tmp_path / "nosuch.toml")


@pytest.mark.parametrize("preset", list(Preset))
def test_only_personal_goes_below_the_floor(preset):
    settings = Settings(privacy=preset, min_accounts=1)
    if preset is Preset.PERSONAL:
        assert settings.thresholds().accounts == 1
        assert not settings.thresholds().publishable
    else:
        with pytest.raises(SettingsError, match="--privacy personal"):
            settings.thresholds()
        assert PRESETS[preset].publishable
        assert Settings(privacy=preset, min_accounts=10).thresholds().accounts == 10


def test_the_models_of_a_run():
    assert Settings().models == ()
    both = Settings(analyst="openai:small")
    assert (both.model_for_facets, both.model_for_titles) == ("openai:small", "openai:small")
    assert both.models == ("openai:small",)
    two = Settings(analyst="openai:a", facet_model="openai:b", describe_model="anthropic:c")
    assert two.models == ("openai:b", "anthropic:c")
    assert Settings(analyst="openai:a", describe="extractive").models == ("openai:a",)
    titles = Settings(describe_model="anthropic:c")
    assert (titles.model_for_facets, titles.model_for_titles) == (None, "anthropic:c")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"analyst": "gpt"}, "--analyst names no model"),
        ({"analyst": "openai:"}, "--analyst names no model"),
        ({"analyst": "openai:a", "facet_model": "b"}, "--facet-model names no model"),
        ({"facet_model": "openai:b"}, "--facet-model needs a model"),
        ({"facets": "own.toml"}, "--facets needs a model"),
        ({"screen": "Is it odd?"}, "--screen needs a model"),
        ({"describe": "model"}, "--describe model needs a model"),
        ({"describe": "extractive", "describe_model": "openai:b"}, "contradict"),
        ({"base_url": "http://localhost:8000"}, "--base-url needs"),
        ({"analyst": "files:out", "base_url": "http://localhost:8000"}, "--base-url needs"),
        ({"max_cost": 1.0}, "--max-cost needs a model"),
        ({"max_calls": 1}, "--max-calls needs a model"),
        ({"analyst": "openai:a", "max_cost": 0}, "'max_cost'"),
        ({"analyst": "openai:a", "max_cost": float("inf")}, "'max_cost'"),
        ({"analyst": "openai:a", "concurrency": 0}, "'concurrency'"),
        ({"analyst": "openai:a", "concurrency": 1001}, "at most 1,000"),
    ],
)
def test_settings_that_do_not_fit_together_are_one_line(given, said):
    with pytest.raises(SettingsError, match=said) as refused:
        load_settings(given, environment={})
    assert len(refused.value.message.splitlines()) == 1


@pytest.mark.parametrize("batch", ["", "batch:"])
def test_an_address_is_of_one_protocol(batch):
    url = "http://localhost:8000"
    for name in (f"{batch}openai:a", f"{batch}anthropic:a"):
        assert (
            load_settings({"analyst": name, "base_url": url}, environment={}).address(name) == url
        )
    both = {"analyst": f"{batch}openai:a", "describe_model": f"{batch}anthropic:b", "base_url": url}
    settings = load_settings(both, environment={})
    assert [settings.address(name) for name in settings.models] == [url, None]


def test_paths_are_kept_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load_settings({"analyst": "openai:a", "facets": "own.toml"}, environment={})
    assert settings.facets == tmp_path / "own.toml"
