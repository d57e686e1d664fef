"""Runs with a language model from the command line; the stand-in server answers."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console
from typer.testing import CliRunner

from clio.analysts.batching import Pauses
from clio.cli import app, progress
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
    out = ("--out", tmp_path / "run")
    status, _, messages = invoke("run", source, "--analyst", f"files:{place}", *out, "--json")
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


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("anthropic:stand-in", ""), ("batch:anthropic:stand-in", ""), ("batch:openai:a", "/v1")],
)
def test_every_protocol_goes_to_the_address(server, source, tmp_path, monkeypatch, name, suffix):
    # What a batch is awaited with has to be short here.
    monkeypatch.setattr(Pauses.__init__, "__defaults__", (0.01, 0.02, 0.0))
    model = ("--analyst", name, "--base-url", server.url + suffix)
    more = ("--privacy", "personal", "--out", tmp_path / "run", "--describe", "extractive")
    before = server.state["calls"]
    status, said, messages = invoke("run", source, *model, *more)
    assert status == 0, messages
    assert f"sent to {server.url}" in messages
    assert f"Asked {name}: 40 calls" in said
    assert f"by extractive, all other answers by {name}" in " ".join(said.split())
    assert server.state["calls"] - before == 40


@pytest.mark.parametrize("command", ["run", "describe", "estimate"])
@pytest.mark.parametrize(
    ("name", "address", "said"),
    [
        ("anthropic:a", None, "set ANTHROPIC_API_KEY"),
        ("batch:openai:a", None, "set OPENAI_API_KEY"),
        ("openai:a", "http://example.com/v1", "in the open"),
        ("nobody:a", None, "no provider is called"),
    ],
)
def test_what_a_model_lacks_is_said_before_anything_is_read(
    source, described, tmp_path, monkeypatch, command, name, address, said
):
    for variable in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("clio.pipeline.runner.fingerprint", never_called)
    where = ("--base-url", address) if address else ()
    if command == "describe":
        status, _, messages = invoke(command, described, "--describe-model", name, *where)
    else:
        out = ("--out", tmp_path / "run") if command == "run" else ("--quiet",)
        status, _, messages = invoke(command, source, "--analyst", name, *where, *out)
    if command == "estimate" and "KEY" in said:
        assert (status, messages) == (0, "")
        return
    assert status == (2 if name == "nobody:a" else 1)
    assert said in messages
    assert len(messages.splitlines()) == 1


def never_called(*_: object) -> None:
    raise AssertionError("the input was read")


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run without a model."""
    folder = tmp_path_factory.mktemp("described")
    write_jsonl(folder / "in.jsonl", 40, seed=3)
    assert (
        invoke("run", folder / "in.jsonl", "--privacy", "personal", "--out", folder / "run")[0] == 0
    )
    return folder / "run"


class Refusing(Console):
    """A terminal at which somebody says no, and how often they were asked."""

    def __init__(self) -> None:
        super().__init__(file=io.StringIO(), force_terminal=True, color_system=None, width=200)
        self.asked = 0

    def input(self, prompt: object = "", **_: object) -> str:
        self.asked += 1
        return "n"


def test_who_says_no_is_asked_once_and_told_in_one_line(server, source, tmp_path, monkeypatch):
    screen = Refusing()
    monkeypatch.setattr("clio.cli.run.messages", screen)
    monkeypatch.setattr(
        "clio.cli.asking.sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    )
    before = server.state["calls"]
    model = ("--describe-model", "openai:stand-in", "--base-url", f"{server.url}/v1")
    more = ("--privacy", "personal", "--out", tmp_path / "run")
    status, said, messages = invoke("run", source, *model, *more)
    assert status == 1
    assert screen.asked == 1
    assert said == ""
    told = [line for line in messages.splitlines() if line.startswith("clio: ")]
    assert told == messages.splitlines()[-1:]
    assert f"not sent to {server.url}" in told[0]
    assert server.state["calls"] == before


def test_describing_again_says_first_what_it_costs(server, source, tmp_path, monkeypatch):
    run = tmp_path / "run"
    assert invoke("run", source, "--privacy", "personal", "--out", run, "--quiet")[0] == 0
    screen = Refusing()
    monkeypatch.setattr("clio.cli.run.messages", screen)
    monkeypatch.setattr(
        "clio.cli.asking.sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    )
    model = ("--describe-model", "openai:stand-in", "--base-url", f"{server.url}/v1")
    before = server.state["calls"]
    status, _, messages = invoke("describe", run, *model)
    assert status == 1
    assert f"not sent to {server.url}" in messages
    shown = screen.file.getvalue()
    assert f"Answers to facets, to be described, are sent to {server.url}" in shown
    expected = int(re.search(r"(\d+) calls, .* tokens sent", shown)[1])
    assert server.state["calls"] == before
    assert screen.asked == 1

    status, _, messages = invoke("describe", run, *model, "--yes")
    assert status == 0, messages
    assert screen.asked == 1
    asked = json.loads((run / "run.json").read_text())["models"]["openai:stand-in"]["calls"]
    assert expected <= asked <= 3 * expected, "the stand-in's names are refused and asked again"


def test_while_a_batch_is_awaited_the_display_and_the_lines_say_so(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("clio.cli.progress.time.monotonic", lambda: now[0])
    console = Console(file=io.StringIO(), width=200)
    lines = progress._Lines(console)
    lines.stage_started("facets", 4000, "conversations")
    for done in range(0, 130, 10):
        lines.waiting(done, 4000)
        now[0] += 10
    shown = console.file.getvalue().splitlines()
    assert shown[0] == "facets: waiting for the batch: 0 of 4,000"
    assert shown[-1] == "facets: waiting for the batch: 120 of 4,000"
    assert len(shown) == 5
    bars = progress._Bars(console)
    bars.stage_started("facets", 4000, "conversations")
    bars.waiting(120, 4000)
    assert (
        bars.bars.tasks[0].description == "Extracting facets: waiting for the batch: 120 of 4,000"
    )
    bars.stage_started("texts", 3, "texts")
    assert bars.bars.tasks[0].description == "Gathering texts"


def test_a_run_without_one_answer_names_the_failures(source, tmp_path):
    settings = tmp_path / "own.toml"
    settings.write_text("max_failed_share = 1.0\n")
    with ModelServer(lambda _: {"wrong": 1}) as hopeless:
        model = ("--analyst", "openai:stand-in", "--base-url", f"{hopeless.url}/v1")
        more = ("--out", tmp_path / "run", "--config", settings)
        status, _, messages = invoke("run", source, *model, *more)
    assert status == 1
    assert "no conversation was answered, and 40 of 40 failed; see " in messages
    assert "failed.jsonl [CLIO-FAIL]" in messages


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("command", ["run", "estimate"])
def test_help_groups_the_options_and_fits(command, width):
    done = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": str(width)})
    for group in ("Input", "Language model", "Clusters", "Privacy"):
        assert f"─ {group} ─" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= width
