"""``clio inspect``, ``--where`` and ``--format`` as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clio.cli import app

TEXT = "zymurgy"


def clio(*arguments: str | Path, **variables: str) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "80"} | variables)


def talk(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "conversation_id": f"c{number}",
        "user_id": f"u{number % 40}",
        "created_at": f"2025-03-{1 + number % 28:02}T09:00:00Z",
        "messages": [{"role": "user", "content": f"Please explain {TEXT} to me, part {number}"}],
        "labels": {"country": "DE" if number % 4 else "AT"},
    } | changes


def written(path: Path, talks: list[dict[str, Any]], *more: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in [*map(json.dumps, talks), *more]))
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("talks") / "talks.jsonl"
    return written(path, [talk(n) for n in range(200)], "{broken")


def test_inspect_says_what_would_be_read_and_what_to_type_next(source):
    result = clio("inspect", source)
    assert result.exit_code == 0
    text = result.stdout
    for said in (
        *("201 rows", "200 conversations", "1 rejected", "broken JSON", "talks.jsonl:201"),
        *("40 by id", "2025-03-01 to 2025-03-28", "by day", "en 100.0%", "country", "median 1"),
        *(f"clio run {source}", "--breakdown country"),
    ):
        assert said in " ".join(text.split()) or said in text
    assert TEXT not in text
    assert "AT" not in text.split()


def test_inspect_fits_80_columns(source, tmp_path):
    folder = tmp_path / ("a long name of a folder " * 4).strip() / "deep"
    folder.mkdir(parents=True)
    labels = {"a label with a long name " * 4: 1, "evil\x1b[31m\n": 2}
    written(folder / "a.jsonl", [talk(n, labels=labels) for n in range(30)], *"{[" * 8)
    text = clio("inspect", folder).stdout
    before = text[: text.index("Next:")]
    assert max(map(len, before.splitlines())) <= 80
    assert "\x1b" not in text


def test_inspect_as_json_is_one_object_with_the_same_facts(source):
    result = clio("inspect", source, "--json", "--quiet")
    value = json.loads(result.stdout)
    assert value["rows"] == 201
    assert value["conversations"] == 200
    assert value["outcomes"] == {"rejected": {"broken JSON": 1}}
    assert value["files"][0]["rows"] == 201
    assert value["accounts"] == {"basis": "ids", "count": 40, "largest_share": 0.025}
    assert value["dates"]["periods"][0] == {"period": "2025-03-01", "conversations": 8}
    assert value["labels"][0]["distinct"] == 2
    assert value["advice"]["command"].startswith("clio run ")
    assert TEXT not in result.stdout


def test_inspect_quiet_prints_nothing(source):
    result = clio("inspect", source, "--quiet")
    assert (result.exit_code, result.stdout) == (0, "")


def test_inspect_offers_personal_for_one_person(tmp_path):
    path = written(tmp_path / "mine.jsonl", [talk(n, user_id="me") for n in range(60)])
    text = clio("inspect", path).stdout
    assert f"clio run {path} --privacy personal" in text
    assert "not anonymous" in " ".join(text.split())


@pytest.mark.parametrize("command", ["inspect", "run"])
def test_where_narrows(command, source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    more = ["--privacy", "personal"] if command == "run" else []
    result = clio(command, source, "--where", "country == 'AT'", "--json", "--quiet", *more)
    assert result.exit_code == 0
    value = json.loads(result.stdout)
    if command == "inspect":
        assert value["outcomes"]["skipped"] == {"outside --where": 150}
    else:
        assert value["outcomes"] == {"assigned": 50, "skipped": 150, "rejected": 1}
        assert value["skipped"] == {"outside --where": 150}


def test_where_comes_from_the_environment_and_the_settings_file_too(source, tmp_path):
    by_environment = clio("inspect", source, "--json", "--quiet", CLIO_WHERE="country == 'AT'")
    assert json.loads(by_environment.stdout)["conversations"] == 50
    config = tmp_path / "clio.toml"
    config.write_text("where = \"country == 'DE'\"\n")
    by_file = clio("inspect", source, "--json", "--quiet", "--config", config)
    assert json.loads(by_file.stdout)["conversations"] == 150


@pytest.mark.parametrize("command", ["inspect", "run"])
def test_a_wrong_expression_is_wrong_usage_and_leaves_nothing(
    command, source, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    result = clio(command, source, "--where", "country == DE")
    assert result.exit_code == 2
    assert "character 12" in result.stderr
    assert "CLIO-SET" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["inspect", "run"])
def test_help_names_the_formats_and_an_example(command):
    text = " ".join(clio(command, "--help").stdout.split())
    for said in ("--where", "--format", "ChatGPT", "Claude", "WildChat", "standard input", "s3://"):
        assert said in text
    assert "country == 'DE'" in text


def test_a_missing_file_is_one_line():
    result = clio("inspect", "nosuch.jsonl")
    assert result.exit_code == 1
    assert "CLIO-IN" in result.stderr


def test_files_that_hold_no_conversations_are_named_by_both_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    written(tmp_path / "in" / "a.jsonl", [talk(n) for n in range(40)])
    (tmp_path / "in" / "table.csv").write_text("a,b\n1,2\n")
    inspected = json.loads(clio("inspect", "in", "--json", "--quiet").stdout)
    assert inspected["passed_over"] == [{"file": "in/table.csv", "reason": "a .csv file"}]
    assert "in/table.csv: a .csv file" in clio("inspect", "in").stdout
    ran = clio("run", "in", "--privacy", "personal")
    assert "Passed over, a .csv file: in/table.csv" in ran.stdout
    again = json.loads(clio("run", "in", "--privacy", "personal", "--json", "--quiet").stdout)
    assert again["passed_over"] == inspected["passed_over"]


@pytest.mark.parametrize("command", ["inspect", "run"])
def test_format_overrides_looking_and_an_unknown_one_names_those_there_are(
    command, source, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    more = ["--privacy", "personal"] if command == "run" else []
    value = json.loads(clio(command, source, "--format", "clio", "--json", "--quiet", *more).stdout)
    assert value["outcomes"]["rejected"]
    wrong = clio(command, source, "--format", "nosuch", "--out" if more else "--seed", "1")
    assert wrong.exit_code == 2
    for name in ("Clio", "WildChat", "ChatGPT export"):
        assert name in wrong.stderr
    assert not (tmp_path / "1").exists()
    other = clio(command, source, "--format", "ShareGPT", "--json", "--quiet")
    if command == "inspect":
        assert json.loads(other.stdout)["conversations"] == 0
    else:
        assert other.exit_code == 1
