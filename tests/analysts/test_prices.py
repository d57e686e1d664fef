"""Prices by model: the dated table, a user's file before it, and what calls cost."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.analysts.prices import Price, load_prices
from clio.analysts.providers.base import Usage
from clio.errors import SettingsError

PRICE = Price(input=3.0, output=15.0, cached=0.3, written=3.75)
COUNTS = st.integers(0, 10**7)


def test_the_table_is_dated_and_names_models_of_both_providers():
    prices = load_prices()
    for name in ("anthropic:claude-haiku-4-5", "openai:gpt-5-mini"):
        model = prices.model(name)
        assert model.price is not None
        assert model.as_of is not None
        assert model.as_of >= date(2025, 1, 1)
        # In the order in which every provider has them.
        assert 0 < model.price.cached < model.price.input < model.price.output
        assert model.price.batch_factor == 0.5


@pytest.mark.parametrize(
    ("snapshot", "model"),
    [
        ("anthropic:claude-haiku-4-5-20251001", "anthropic:claude-haiku-4-5"),
        ("anthropic:claude-3-5-haiku-latest", "anthropic:claude-3-5-haiku"),
        ("openai:gpt-5-mini-2025-08-07", "openai:gpt-5-mini"),
        ("batch:openai:gpt-5-mini", "openai:gpt-5-mini"),
        ("batch:anthropic:claude-opus-4-1-20250805", "anthropic:claude-opus-4-1"),
    ],
)
def test_a_snapshot_and_a_batch_have_the_models_price(snapshot, model):
    prices = load_prices()
    assert prices.of(model) is not None
    assert prices.model(snapshot) == prices.model(model)


@pytest.mark.parametrize(
    "name",
    [
        "openai:gpt-5-mini-of-another-kind",
        "openai:qwen3-8b",
        "anthropic:gpt-5-mini",
        "anthropic:claude-opus-4-99",
        "files:/tmp/answers",
        "else:claude-haiku-4-5",
        "nonsense",
    ],
)
def test_a_model_that_is_not_in_the_table_has_no_price(name):
    assert load_prices().of(name) is None


def test_a_users_file_goes_before_the_table(tmp_path: Path):
    path = tmp_path / "prices.toml"
    path.write_text(
        "[openai]\nas_of = 2030-01-01\n[openai.models]\n"
        '"qwen3-8b" = { input = 0.1, output = 0.2 }\n'
        '"gpt-5-mini" = { input = 7, output = 8, cached = 1, written = 9, batch = 0.4 }\n'
    )
    prices = load_prices(path)
    assert prices.of("openai:qwen3-8b") == Price(0.1, 0.2, 0.1, 0.1)
    assert prices.of("openai:gpt-5-mini") == Price(7, 8, 1, 9, 0.4)
    assert prices.model("openai:gpt-5-mini").as_of == date(2030, 1, 1)
    assert prices.of("openai:gpt-5-nano") == load_prices().of("openai:gpt-5-nano")


@pytest.mark.parametrize(
    "text",
    [
        "not toml [",
        "[openai.models]\nm = { input = 1 }",
        "[openai.models]\nm = { input = -1, output = 1 }",
        "[openai.models]\nm = { input = nan, output = 1 }",
        "[openai.models]\nm = { input = 1, output = 1, else = 1 }",
        "openai = 3",
    ],
)
def test_a_file_of_another_shape_is_refused_in_one_line(tmp_path: Path, text: str):
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"prices\.toml") as error:
        load_prices(path)
    assert "\n" not in str(error.value)
    with pytest.raises(SettingsError, match="cannot read prices"):
        load_prices(tmp_path / "missing.toml")


def test_each_kind_of_token_is_paid_once():
    usage = Usage(input=1_000_000, output=100_000, cached=600_000, written=200_000)
    cost = PRICE.cost(usage)
    assert cost == pytest.approx(0.2 * 3 + 0.6 * 0.3 + 0.2 * 3.75 + 0.1 * 15)
    assert PRICE.cost(usage, batch=True) == pytest.approx(cost / 2)
    assert PRICE.batched().cost(usage) == pytest.approx(cost / 2)


@given(st.lists(st.builds(Usage, input=COUNTS, output=COUNTS), max_size=8))
def test_costs_add_up(usages):
    whole = Usage(sum(u.input for u in usages), sum(u.output for u in usages))
    assert sum(map(PRICE.cost, usages)) == pytest.approx(PRICE.cost(whole))
