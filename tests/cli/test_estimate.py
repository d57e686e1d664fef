"""``clio estimate``, the question before a run, and exit status 3."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner, Result

from clio.cli import app, asking
from clio.cli.common import ending
from clio.cli.estimation import dollars, duration
from clio.errors import BudgetError, ModelError, SettingsError, WaitingError
from clio.pipeline import Estimate, estimate
from clio.settings import Settings

TEXT = "zymurgy"
MODEL = "anthropic:claude-haiku-4-5"


def clio(*arguments: str | Path, **variables: str) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "80"} | variables)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("talks") / "talks.jsonl"
    talks = (
        {
            "conversation_id": f"c{number}",
            "messages": [{"role": "user", "content": f"Please explain {TEXT}, part {number}"}],
        }
        for number in range(60)
    )
    path.write_text("".join(f"{json.dumps(talk)}\n" for talk in talks))
    return path


def test_it_says_calls_tokens_money_time_and_disk_and_never_a_text(source):
    result = clio("estimate", source, "--analyst", MODEL)
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    for said in ("60 rows", "60 conversations", "facets", "describe", MODEL, "in all", "$0.0"):
        assert said in text
    for said in ("without the provider's prompt cache", "batch interface", "prices as of 20"):
        assert said in text
    for said in ("time", "disk", "1 MB", "2.3 ms a conversation"):
        assert said in text
    assert TEXT not in result.output
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_without_a_model_nothing_is_paid(source):
    result = clio("estimate", source)
    assert result.exit_code == 0
    assert "nothing: no model is asked" in result.stdout
    assert json.loads(clio("estimate", source, "--json").stdout)["cost"] == 0


def test_json_holds_the_same(source):
    found = json.loads(clio("estimate", source, "--analyst", MODEL, "--json").stdout)
    assert found["rows"] == found["conversations"] == 60
    assert found["calls"] == sum(part["calls"] for part in found["parts"])
    assert found["cost"] == found["money"]["cached"] <= found["money"]["plain"]
    assert found["money"]["batch"] < found["money"]["plain"]
    assert found["seconds"] > 0
    assert found["disk_bytes"] > 0


def test_an_unknown_price_says_what_to_give(source, tmp_path):
    result = clio("estimate", source, "--analyst", "openai:qwen3-8b")
    assert result.exit_code == 0
    assert "unknown: give --prices" in result.stdout
    table = tmp_path / "prices.toml"
    table.write_text('[openai.models]\n"qwen3-8b" = { input = 100, output = 200 }\n')
    result = clio("estimate", source, "--analyst", "openai:qwen3-8b", "--prices", table)
    assert "unknown" not in result.stdout
    result = clio("estimate", source, "--analyst", "openai:qwen3-8b", "--prices", tmp_path / "no")
    assert result.exit_code == 2


def test_wrong_usage_is_said_in_one_line(source):
    result = clio("estimate", source, "--analyst", "nonsense")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "status"), [(WaitingError, 3), (SettingsError, 2), (BudgetError, 1)]
)
def test_the_exit_status_tells_waiting_from_failing(error, status):
    with pytest.raises(typer.Exit) as exit_, ending(as_json=False):
        raise error("awaited")
    assert exit_.value.exit_code == status


class Screen(Console):
    """A terminal at which somebody types an answer."""

    def __init__(self, answer: str | None, *, terminal: bool = True) -> None:
        super().__init__(file=io.StringIO(), force_terminal=terminal, color_system=None, width=200)
        self._answer = answer

    def input(self, prompt: Any = "", **_: Any) -> str:
        self.print(prompt, end="")
        if self._answer is None:
            raise EOFError
        return self._answer

    @property
    def shown(self) -> str:
        assert isinstance(self.file, io.StringIO)
        return self.file.getvalue()


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)


@pytest.fixture(scope="module")
def found(source: Path) -> Estimate:
    return estimate(source, settings=Settings(analyst=MODEL))


HOST = "https://api.anthropic.com"


@pytest.mark.usefixtures("at_a_terminal")
@pytest.mark.parametrize("answer", ["y", "Yes "])
def test_on_a_terminal_calls_tokens_money_and_time_are_shown_and_asked(found, answer):
    screen = Screen(answer)
    asking.confirm(lambda: found, HOST, yes=False, quiet=False, console=screen)
    for said in (HOST, f"{found.calls:,} calls", "tokens sent", "cost $", "about", "Go on?"):
        assert said in screen.shown
    assert screen.shown.index(HOST) < screen.shown.index("Go on?")


@pytest.mark.usefixtures("at_a_terminal")
@pytest.mark.parametrize("answer", ["", "n", "what", None])
def test_anything_else_than_yes_stops(found, answer):
    screen = Screen(answer)
    with pytest.raises(ModelError, match=f"not sent to {HOST}"):
        asking.confirm(lambda: found, HOST, yes=False, quiet=False, console=screen)


def never() -> Estimate:
    raise AssertionError("the input is read for nothing")


@pytest.mark.usefixtures("at_a_terminal")
def test_nobody_is_asked_where_nobody_can_answer_or_wants_to(found):
    for screen, yes in ((Screen("n", terminal=False), False), (Screen("n"), True)):
        asking.confirm(never, HOST, yes=yes, quiet=False, console=screen)
        assert HOST in screen.shown
        assert "Go on?" not in screen.shown
    silent = Screen("n")
    asking.confirm(never, HOST, yes=False, quiet=True, console=silent)
    assert silent.shown == ""
    folder = Screen("n")
    asking.confirm(never, "/data/answers", yes=True, quiet=False, console=folder)
    assert "written to /data/answers" in folder.shown


def test_numbers_read_well():
    assert [dollars(value) for value in (0, 0.0012, 0.5, 1234.5)] == [
        *("$0.00", "$0.0012", "$0.50", "$1,234.50")
    ]
    assert [duration(value) for value in (0.2, 89, 600, 7200)] == ["1 s", "89 s", "10 min", "2.0 h"]
