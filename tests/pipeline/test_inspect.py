"""An inspection: what a run would read, the same counts, and never a text."""

from __future__ import annotations

import json
import random
import shlex
from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import clio
from clio.errors import InputError, SettingsError
from clio.pipeline import advise, inspect, inspecting

CANARY = "xylophone"


def record(number: int, **changes: Any) -> dict[str, Any]:
    day = 1 + number % 28
    return {
        "conversation_id": f"c{number}",
        "user_id": f"u{number % 7}",
        "created_at": f"2025-0{1 + number % 3}-{day:02}T12:00:00Z",
        "messages": [
            {"role": "user", "content": f"How do I water my {CANARY} plant, part {number}?"}
        ],
        "labels": {"country": ["DE", "AT", f"{CANARY}"][number % 3], "score": number / 10},
    } | changes


def written(path: Path, records: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [r if isinstance(r, str) else json.dumps(r) for r in records]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inspect") / "input"
    first = [record(n) for n in range(120)]
    first += [record(3), record(4), record(5, messages=[{"role": "user", "content": "Changed"}])]
    first += [record(200, messages=[{"role": "system", "content": "Be kind"}])]
    first += ["{broken", '{"messages": 3}', "{broken too", record(201, created_at=None)]
    written(folder / "a.jsonl", first)
    written(folder / "b.jsonl", [record(n, user_id=None) for n in range(300, 340)])
    return folder


@pytest.mark.parametrize("where", [None, "country == 'DE' and 'plant' in words", "turns > 1"])
def test_it_counts_what_a_run_counts(mixed, tmp_path, where):
    chosen = clio.Settings(privacy="personal", where=where)
    found = inspect(mixed, settings=chosen)
    counted = {outcome: sum(reasons.values()) for outcome, reasons in found.outcomes.items()}
    assert sum(counted.values()) + found.conversations == found.rows == 168
    assert sum(file.rows for file in found.files) == found.rows
    assert sum(file.conversations for file in found.files) == found.conversations
    if where == "turns > 1":
        assert found.conversations == 0
        with pytest.raises(InputError, match="outside --where"):
            clio.run(mixed, out=tmp_path / "run", settings=chosen)
        return
    done = clio.run(mixed, out=tmp_path / "run", settings=chosen)
    assert done.outcomes == counted | {"assigned": found.conversations}
    assert done.details["read"]["skipped"] == found.outcomes["skipped"]


def test_the_facts(mixed):
    found = inspect(mixed)
    assert found.outcomes["duplicate"] == {"same id and content as an earlier row": 2}
    assert found.outcomes["rejected"]["broken JSON"] == 2
    assert found.rejects[0].first == [f"{mixed / 'a.jsonl'}:125", f"{mixed / 'a.jsonl'}:127"]
    accounts = Counter(f"u{n % 7}" for n in [*range(120), 201])
    assert found.accounts.basis == "mixed"
    assert found.accounts.count == 7 + 40
    assert found.accounts.largest_share == max(accounts.values()) / found.conversations
    assert found.dates.without == 1
    assert sum(n for _, n in found.dates.periods) == found.conversations - 1
    assert (str(found.dates.first), str(found.dates.last)) == ("2025-01-01", "2025-03-28")
    assert found.turns == inspecting.Spread(1, 1, 1, 1)
    country, score = found.labels
    assert (country.name, country.types, country.distinct, country.share) == (
        "country",
        ["text"],
        3,
        1,
    )
    assert (score.name, score.types, score.distinct) == ("score", ["number"], 161)


def test_no_text_and_no_value_of_a_label_is_in_it(mixed):
    found = inspect(mixed)
    everything = json.dumps([asdict(found), asdict(advise(found, [mixed]))], default=str)
    assert CANARY not in everything
    assert '"AT"' not in everything


def test_labels_of_many_values_and_many_labels_are_not_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(inspecting, "MAX_LABELS", 5)
    rows = [
        record(n, labels={"id": n, "flag": n % 2 == 0, "kind": [1, "one", [1]][n % 3], f"x{n}": 1})
        for n in range(inspecting.MAX_VALUES + 1)
    ]
    found = inspect(written(tmp_path / "a.jsonl", rows))
    labels = {label.name: label for label in found.labels}
    assert labels["id"].distinct is None
    assert labels["flag"].types == ["true or false"]
    assert labels["kind"].types == ["list", "number", "text"]
    assert len(labels) == 5
    assert found.more_labels
    assert advise(found, ["a"]).breakdowns == ["flag"]


def test_the_sample_of_languages_depends_on_the_ids_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(inspecting, "LANGUAGE_SAMPLE", 40)
    german = [{"role": "user", "content": "Wie gieße ich meine Pflanzen im Sommer richtig?"}]
    rows = [record(n, **({"messages": german} if n % 4 == 0 else {})) for n in range(400)]
    first = inspect(written(tmp_path / "a.jsonl", rows)).languages
    random.Random(5).shuffle(rows)
    assert inspect(written(tmp_path / "b.jsonl", rows)).languages == first
    assert 10 < first.looked_at <= 40
    assert 0.05 < first.shares["de"] < 0.5
    assert sum(first.shares.values()) == pytest.approx(1)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 40)), min_size=1, max_size=30))
def test_spreads_and_periods_are_those_of_plain_counting(tmp_path, drawn):
    rows = [
        record(
            number,
            created_at=f"{np.datetime64('2020-01-01') + days}",
            messages=[{"role": "user", "content": "word " * words}],
        )
        for number, (days, words) in enumerate(drawn)
    ]
    found = inspect(written(tmp_path / "a.jsonl", rows))
    words = sorted(words for _, words in drawn)
    assert (found.words.lowest, found.words.highest) == (words[0], words[-1])
    assert found.words.median == np.quantile(words, 0.5, method="inverted_cdf")
    assert found.words.ninety_percent == np.quantile(words, 0.9, method="inverted_cdf")
    starts = [start for start, _ in found.dates.periods]
    assert starts == sorted(set(starts))
    assert len(starts) <= 70
    assert found.dates.first is not None
    assert starts[0] <= found.dates.first < starts[0] + timedelta(days=31)
    assert sum(n for _, n in found.dates.periods) == len(drawn)


def test_advice_for_one_person(tmp_path):
    path = written(tmp_path / "my talks.jsonl", [record(n, user_id="me") for n in range(60)])
    advice = advise(inspect(path), [path])
    assert advice.command == f"clio run '{path}' --privacy personal"
    assert any("not anonymous" in note for note in advice.notes)


def test_advice_repeats_what_narrows_and_names_labels_that_are_not_there(mixed):
    chosen = clio.Settings(where="contry == 'DE' or turns > 0", format=None)
    advice = advise(inspect(mixed, settings=chosen), [mixed], chosen)
    assert advice.command is not None
    assert """ --where "contry == 'DE' or turns > 0\"""" in advice.command
    assert shlex.split(advice.command)[-1] == chosen.where
    assert any("contry" in note for note in advice.notes)


def test_advice_for_too_few(tmp_path):
    path = written(tmp_path / "a.jsonl", [record(n) for n in range(30)])
    advice = advise(inspect(path), [path])
    assert any("fewer than a release needs" in note for note in advice.notes)


def test_nothing_to_run_on_gives_no_command(tmp_path):
    path = written(tmp_path / "a.jsonl", ["{", "["])
    found = inspect(path)
    assert found.conversations == 0
    advice = advise(found, [path])
    assert advice.command is None
    assert any("cannot be read" in note for note in advice.notes)


def test_a_wrong_expression_fails_before_anything_is_read_or_written(mixed, tmp_path):
    wrong = clio.Settings(where="country = 'DE'")
    with pytest.raises(SettingsError, match="--where, character 9"):
        inspect(mixed, settings=wrong)
    with pytest.raises(SettingsError, match="--where, character 9"):
        clio.run(mixed, out=tmp_path / "run", settings=wrong)
    assert not (tmp_path / "run").exists()


def test_another_expression_repeats_the_run_and_spaces_do_not(mixed, tmp_path):
    def outcomes(where: str) -> dict[str, int]:
        chosen = clio.Settings(privacy="personal", where=where)
        return clio.run(mixed, out=tmp_path / "run", settings=chosen).outcomes

    first = outcomes("country == 'DE'")
    assert outcomes('country=="DE"') == first
    assert (tmp_path / "run" / "release").readlink().name == "0001"
    assert outcomes("country != 'DE'") != first
    assert (tmp_path / "run" / "release").readlink().name == "0002"
