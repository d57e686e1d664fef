"""However a command ends: one line, an exit status, and nothing of the data."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from clio.cli.common import ending
from clio.errors import RunError, SettingsError


def ended(capsys: pytest.CaptureFixture[str], error: BaseException, **options) -> tuple[int, str]:
    with pytest.raises(typer.Exit) as raised, ending(as_json=False, **options):
        raise error
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    return raised.value.exit_code, said.err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (RunError("it is locked"), 1, "it is locked [CLIO-RUN]"),
        (SettingsError("no such setting"), 2, "no such setting [CLIO-SET]"),
        (RunError("the folder :smile: [bold]\nand more"), 1, ":smile: [bold]\ufffdand more"),
        (OSError(errno.ENOSPC, "full", "out.jsonl"), 1, "out.jsonl: no space left"),
        (MemoryError(), 1, "memory ran out"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_an_error_is_one_line(capsys, error, status, said):
    code, line = ended(capsys, error)
    assert code == status
    assert said in line


def test_an_unexpected_error_says_kind_and_place_and_nothing_read(capsys):
    def parse() -> None:
        json.loads("the text of a conversation")

    def fail() -> None:
        try:
            parse()
        except ValueError:
            raise KeyError("the text of a conversation") from None

    with pytest.raises(typer.Exit) as raised, ending(as_json=False):
        fail()
    said = capsys.readouterr().err
    assert raised.value.exit_code == 1
    assert len(said.splitlines()) == 1
    assert said.startswith(f"clio: unexpected KeyError at {__name__}:")
    assert said.rstrip().endswith("[CLIO-BUG]")
    assert "conversation" not in said


def test_the_traceback_is_shown_where_asked_for(monkeypatch):
    monkeypatch.setenv("CLIO_DEBUG", "1")
    with pytest.raises(KeyError), ending(as_json=False):
        raise KeyError("a")


def test_scripts_are_told_the_code(capsys):
    with pytest.raises(typer.Exit), ending(as_json=True):
        raise ValueError("the text of a conversation")
    told = json.loads(capsys.readouterr().out)
    assert told["error"]["code"] == "CLIO-BUG"
    assert "conversation" not in told["error"]["message"]


def test_a_reader_that_leaves_is_no_error():
    code = (
        "from clio.cli.common import ending, print_json\n"
        "with ending(as_json=True):\n"
        "    for _ in range(100_000): print_json({'a': 'b' * 1000})\n"
    )
    read, write = os.pipe()
    process = subprocess.Popen([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    os.read(read, 10)
    os.close(read)
    _, said = process.communicate()
    # Typer turns the exit into its status; here nobody does.
    assert b"BrokenPipeError" not in said
    assert process.returncode != 0


def test_a_full_standard_output_is_one_line():
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    code = (
        "import sys\n"
        "from clio.cli.common import ending, print_json\n"
        "import typer\n"
        "try:\n"
        "    with ending(as_json=True): print_json({'a': 1})\n"
        "except typer.Exit as exit: import os; os._exit(exit.exit_code)\n"
    )
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "no space left" in ended.stderr
