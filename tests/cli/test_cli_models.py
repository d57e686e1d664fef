"""Runs with a language model from the command line; the stand-in server answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clio.cli import app
from clio.cli.run import asking
from clio.errors import ModelError
from clio.pipeline import Estimate, NoProgress
from clio.testing import write_jsonl
from clio.testing.model_server import ModelServer, SchemaResponder, ShownRequest

CODE = "Write "


def respond(shown: ShownRequest) -> dict[str, object]:
    """Values that fit, with the code that has to come back."""
    answer = dict(SchemaResponder()(shown))
    answer["check"] = shown.user.rsplit(CODE, 1)[1].split()[0]
    return answer


@pytest.fixture(scope="module")
def server():
    with ModelServer(respond) as running:
        yield running


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "mine.jsonl", 40, seed=3)
    return tmp_path / "mine.jsonl"


def invoke(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [*map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def test_a_run_says_where_texts_go_and_what_was_asked(server, source, tmp_path):
    model = ("--analyst", "openai:stand-in", "--base-url", f"{server.url}/v1")
    more = ("--privacy", "personal", "--out", tmp_path / "run")
    status, said, messages = invoke("run", source, *model, *more)
    assert status == 0, messages
    assert f"sent to {server.url}" in messages
    assert "Asked openai:stand-in: " in said
    status, said, messages = invoke("run", source, *model, *more, "--json")
    assert status == 0
    assert server.url not in messages, "nothing was sent"
    told = json.loads(said)
    assert told["models"]["openai:stand-in"]["calls"] == server.state["calls"]
    assert told["outstanding"] == []

    source.unlink()
    status, said, messages = invoke("describe", tmp_path / "run", "--describe", "extractive")
    assert status == 0, messages
    assert "Release 2 lies in" in said


def test_answers_that_somebody_else_brings_are_awaited(source, tmp_path):
    place = tmp_path / "exchange"
    status, _, messages = invoke("run", source, "--analyst", f"files:{place}", "--json")
    assert status == 3
    assert "CLIO-WAIT" in messages
    assert list((place / "requests").glob("*.jsonl"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--facets", "own.toml"), "--facets needs a model"),
        (("--analyst", "openai:a", "--facets", "nosuch.toml"), "cannot be read"),
        (("--analyst", "nobody:a"), "no provider is called"),
        (("--describe", "model"), "--describe model needs a model"),
    ],
)
def test_what_cannot_be_asked_is_one_line(source, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    status, _, messages = invoke("run", source, *arguments, "--quiet")
    assert status == 2
    assert said in messages
    assert len(messages.splitlines()) == 1


def test_who_says_no_ends_the_run(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        import typer

        raise typer.Exit(1)

    def never() -> Estimate:
        raise AssertionError

    monkeypatch.setattr("clio.cli.run.confirm", refuse)
    sending = asking(never, NoProgress(), yes=False, quiet=False)
    with pytest.raises(ModelError, match=r"not sent to https://host"):
        sending("https://host")
