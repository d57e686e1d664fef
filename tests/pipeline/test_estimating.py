"""An estimate: from one pass, the same counts as a run, and prompts as long as a run's."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import clio
from clio.analysts.answers import count_request, first_request
from clio.analysts.prices import Model
from clio.facets import standard_facets
from clio.pipeline import estimate, sampling
from clio.pipeline.expecting import Meter, expected_leaves, facet_answer, naming_calls

WORDS = (
    *("plan", "a", "garden", "for", "the", "spring", "and", "say", "how", "the", "roses", "and"),
    *("the", "beans", "are", "to", "be", "watered"),
)
HAIKU = "anthropic:claude-haiku-4-5"
LOCAL = {"base_url": "http://127.0.0.1:9/v1"}


def record(number: int, text: str, **changes: Any) -> dict[str, Any]:
    return {
        "conversation_id": f"c{number}",
        "user_id": f"u{number % 9}",
        "messages": [{"role": "user", "content": text}, {"role": "assistant", "content": "Yes."}],
    } | changes


def written(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(f"{json.dumps(r)}\n" for r in records))
    return path


def texts(n: int, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.choice((5, 20, 300)))) for _ in range(n)]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    records = [record(n, text) for n, text in enumerate(texts(120))]
    records += [records[3], record(900, "", messages=[{"role": "assistant", "content": "Hello"}])]
    # Another conversation with a text that was there before: one answer does for both.
    records += [records[5] | {"conversation_id": "again"}]
    return written(tmp_path_factory.mktemp("estimate") / "talks.jsonl", records)


def settings(**options: Any) -> clio.Settings:
    return clio.load_settings(options)


def test_without_a_model_there_are_time_and_disk_alone(source):
    found = estimate(source)
    assert (found.rows, found.conversations) == (123, 121)
    assert found.parts == ()
    assert (found.calls, found.input_tokens, found.money) == (0, 0, None)
    assert found.seconds is not None
    assert found.seconds > 0
    assert found.disk_bytes > 10_000


def test_a_run_would_take_in_the_same_conversations(source):
    done = clio.pipeline.inspect(source, settings=settings(where="turns > 1"))
    found = estimate(source, settings=settings(where="turns > 1", analyst=HAIKU))
    assert (found.rows, found.conversations) == (done.rows, done.conversations)


def test_each_distinct_conversation_is_one_call_of_its_prompts_length(source):
    found = estimate(source, settings=settings(analyst="openai:unknown"))
    facets = found.parts[0]
    assert (facets.name, facets.model, facets.calls) == ("facets", "openai:unknown", 120)
    assert found.sampled == 120
    prompter = sampling.prompter(standard_facets(), settings(analyst="openai:unknown"))
    rows = clio.sources.read(clio.sources.expand([str(source)], format=None), format=None)
    seen = {}
    for row in rows:
        if row.conversation is not None:
            for prompt in prompter.prompts([row.conversation]):
                seen[prompt.digest()] = count_request(first_request("openai:unknown", prompt))
    assert facets.input_tokens == pytest.approx(sum(seen.values()), rel=0.01)
    assert facets.money is None
    assert found.cost is None


def test_a_sample_comes_near_all_of_them(tmp_path, monkeypatch):
    source = written(
        tmp_path / "many.jsonl", [record(n, text) for n, text in enumerate(texts(1500, 1))]
    )
    whole = estimate(source, settings=settings(analyst=HAIKU))
    monkeypatch.setattr(sampling, "SAMPLE", 100)
    part = estimate(source, settings=settings(analyst=HAIKU))
    assert 50 <= part.sampled <= 100
    assert whole.sampled == 1500 - (1500 - whole.parts[0].calls)
    assert part.calls == pytest.approx(whole.calls, rel=0.01)
    assert part.input_tokens == pytest.approx(whole.input_tokens, rel=0.01)
    assert any("100" in said or "distinct" in said for said in part.assumptions)
    # In any order of rows.
    lines = source.read_text().splitlines(keepends=True)
    random.Random(2).shuffle(lines)
    source.write_text("".join(lines))
    assert estimate(source, settings=settings(analyst=HAIKU)) == part


def test_prices_make_money_and_a_batch_costs_half(source):
    found = estimate(source, settings=settings(analyst=HAIKU))
    money = found.money
    assert money is not None
    assert money.batch == pytest.approx(money.plain / 2)
    assert money.cached <= money.plain
    assert found.cost == money.cached
    expected = found.input_tokens * 1.0 + found.output_tokens * 5.0
    assert money.plain == pytest.approx(expected / 1e6)
    batch = estimate(source, settings=settings(analyst=f"batch:{HAIKU}"))
    assert batch.cost == pytest.approx(money.batch)
    assert batch.seconds is None
    assert estimate(source, settings=settings(analyst="files:answers")).cost is None


def test_a_long_beginning_is_read_from_the_providers_cache(source, tmp_path):
    table = tmp_path / "prices.toml"
    table.write_text(
        "[anthropic.models]\n"
        "early = { input = 1, output = 5, cached = 0.1, written = 1.25, cacheable = 256 }\n"
        "late = { input = 1, output = 5, cached = 0.1, written = 1.25, cacheable = 9999 }\n"
    )
    early = estimate(source, settings=settings(analyst="anthropic:early", prices=table))
    late = estimate(source, settings=settings(analyst="anthropic:late", prices=table))
    assert early.money is not None
    assert late.money is not None
    assert late.parts[0].cached_tokens == 0
    assert late.money.cached == late.money.plain == early.money.plain
    # Eight beginnings differ in the order of options; each is written once.
    assert 112 * 600 < early.parts[0].cached_tokens < 112 * 1000
    assert early.money.cached < 0.7 * early.money.plain


def test_other_models_screens_and_limits_count(source):
    base = settings(analyst=HAIKU)
    plain = estimate(source, settings=base)
    two = estimate(
        source,
        settings=settings(
            analyst=HAIKU, describe_model="openai:gpt-5-mini", screen="Is it about gardens?"
        ),
    )
    assert [p.name for p in plain.parts][:2] == ["facets", "describe"]
    assert [(p.name, p.model) for p in two.parts][:3] == [
        ("screen", HAIKU),
        ("facets", HAIKU),
        ("describe", "openai:gpt-5-mini"),
    ]
    assert two.parts[0].calls == two.parts[1].calls == 120
    assert two.parts[0].output_tokens < two.parts[1].output_tokens
    offline = estimate(source, settings=settings(analyst=HAIKU, describe="extractive"))
    assert [p.name for p in offline.parts] == ["facets"]
    slow = estimate(source, settings=settings(analyst=HAIKU, requests_per_minute=10))
    assert plain.seconds is not None
    assert slow.seconds is not None
    assert slow.seconds > 60 * slow.calls / 10 > plain.seconds
    short = estimate(source, settings=settings(analyst=HAIKU, conversation_tokens=200))
    assert short.input_tokens < plain.input_tokens


def test_tokens_of_a_private_tokenizer_count_where_the_provider_serves_the_model(source, tmp_path):
    table = tmp_path / "prices.toml"
    table.write_text("[openai.models]\ntwice = { input = 1, output = 1, tokens = 2 }\n")
    theirs = estimate(source, settings=settings(analyst="openai:twice", prices=table))
    own = estimate(source, settings=settings(analyst="openai:twice", prices=table, **LOCAL))
    assert theirs.input_tokens == pytest.approx(2 * own.input_tokens, rel=0.001)


def test_nothing_to_read_costs_nothing(tmp_path):
    source = written(tmp_path / "none.jsonl", [record(1, "x", messages=[])])
    found = estimate(source, settings=settings(analyst=HAIKU))
    assert (found.rows, found.conversations, found.calls) == (1, 0, 0)


@pytest.mark.parametrize(("conversations", "leaves"), [(300, 3), (20_000, 200), (100_000, 1000)])
def test_as_many_calls_as_groups_and_levels_need(conversations, leaves):
    thresholds = clio.Settings().thresholds()
    found = expected_leaves(conversations, conversations, base_clusters=None, thresholds=thresholds)
    assert leaves / 2 <= found <= leaves * 2
    facet = standard_facets()[0]
    calls = naming_calls(facet, conversations, leaves, language="English", meter=Meter(Model()))
    described = sum(each.number for each in calls if each.purpose == "describe")
    assert leaves <= described <= 1.5 * leaves
    placed = [each for each in calls if each.purpose == "assign"]
    if leaves > 12:
        assert placed[0].number == -(-leaves // 20)
    assert all(each.prefix > 100 and each.rest > 50 and each.output > 10 for each in calls)


def test_a_typical_answer_passes_the_form():
    facets = standard_facets()
    answer = facet_answer(facets)
    assert list(answer) == [*(facet.name for facet in facets), "check"]
    for facet in facets:
        if facet.kind == "text":
            assert 0 < len(answer[facet.name]) < (facet.high or 240)
        elif facet.options:
            assert answer[facet.name] in facet.options
