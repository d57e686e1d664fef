"""The command line as a user meets it: in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from clio.testing import write_jsonl


def clio(
    *arguments: str | Path, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clio", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1"} | variables,
    )


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "talks.jsonl"
    write_jsonl(path, 900, seed=2)
    return path


@pytest.fixture(scope="module")
def printed(source: Path) -> subprocess.CompletedProcess[str]:
    """A run without options, in the input's folder."""
    return clio("run", source.name, cwd=source.parent)


def test_bare_clio_says_what_to_type_first():
    result = clio()
    assert result.returncode == 0
    assert "clio demo" in result.stdout
    assert "clio run FILE" in result.stdout


@pytest.mark.parametrize("command", ["demo", "describe", "inspect", "estimate", "run", "serve"])
def test_every_command_has_help_and_the_shared_options(command):
    text = clio(command, "--help").stdout
    for option in ("--config", "--seed", "--quiet", "--json"):
        assert option in text


def test_a_run_says_what_came_out_and_what_to_type_next(printed, source):
    assert printed.returncode == 0
    text = printed.stdout
    assert "900 rows read" in text
    assert "assigned" in text
    assert "95 % interval" in text
    assert "clio serve talks-clio" in text
    assert "embed:" in printed.stderr
    assert (source.parent / "talks-clio" / "release").is_symlink()


def test_private_and_restricted_files_are_for_the_owner_alone(printed, source):
    run = source.parent / "talks-clio"
    assert stat.S_IMODE((run / "run.json").stat().st_mode) == 0o600
    for tier in ("private", "restricted"):
        for path in [run / tier, *(run / tier).rglob("*")]:
            expected = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_quiet_prints_nothing_and_json_one_object(printed, source):
    quiet = clio("run", source.name, "--quiet", cwd=source.parent)
    assert (quiet.stdout, quiet.stderr, quiet.returncode) == ("", "", 0)
    as_json = clio("run", source.name, "--json", cwd=source.parent)
    value = json.loads(as_json.stdout)
    assert sum(value["outcomes"].values()) == 900
    assert value["top"]
    assert {"title", "share", "share_low", "share_high"} <= set(value["top"][0])


def test_a_missing_file_is_one_clear_line():
    result = clio("run", "nosuch.jsonl")
    assert result.returncode == 1
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1
    assert "CLIO-IN" in result.stderr
    assert "Traceback" not in result.stderr


def test_errors_are_json_where_asked():
    value = json.loads(clio("run", "nosuch.jsonl", "--json").stdout)
    assert value["error"]["code"] == "CLIO-IN"


def test_too_low_a_threshold_is_wrong_usage(source):
    result = clio("run", source, "--min-accounts", "3")
    assert result.returncode == 2
    assert "--privacy personal" in result.stderr


def test_too_small_a_corpus_says_what_would_show_something(tmp_path):
    write_jsonl(tmp_path / "few.jsonl", 20, seed=3)
    result = clio("run", "few.jsonl", cwd=tmp_path)
    assert result.returncode == 1
    assert "CLIO-SMALL" in result.stderr
    assert len(result.stderr.strip().splitlines()[-1]) < 400


def test_settings_come_from_a_file_the_environment_and_options(tmp_path, source):
    (tmp_path / "clio.toml").write_text('privacy = "personal"\nmin_conversations = 4\n')
    run = tmp_path / "out"
    value = json.loads(
        clio("run", source, "--out", run, "--json", cwd=tmp_path, CLIO_MIN_CONVERSATIONS="5").stdout
    )
    assert value["publishable"] is False
    info = json.loads((run / "release" / "release.json").read_text())
    assert info["thresholds"]["conversations"] == 5
    (tmp_path / "clio.toml").write_text("colour = 3\n")
    wrong = clio("run", source, "--out", run, cwd=tmp_path)
    assert wrong.returncode == 2
    assert "colour" in wrong.stderr


def test_serving_needs_the_release_alone(printed, source, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(source.parent / "talks-clio", copy, symlinks=True)
    shutil.rmtree(copy / "private")
    shutil.rmtree(copy / "restricted")
    process = subprocess.Popen(
        [sys.executable, "-m", "clio", "serve", str(copy), "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = ""
        while not said.rstrip().endswith("}"):
            said += process.stdout.readline()
        url = json.loads(said)["url"]
        with urllib.request.urlopen(url + "api/v1/release", timeout=20) as answer:
            info = json.load(answer)
        assert info["info"]["preset"] == "default"
        with urllib.request.urlopen(url + "api/v1/clusters/__root__", timeout=20) as answer:
            root = json.load(answer)
        assert root["children"]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        process.stdout.close()


def test_demo_generates_runs_and_says_where(tmp_path):
    result = clio("demo", "--conversations", "600", "--no-serve", "--out", "demo", cwd=tmp_path)
    assert result.returncode == 0
    assert "600 rows read" in result.stdout
    again = clio("demo", "--conversations", "600", "--no-serve", "--out", "demo", cwd=tmp_path)
    assert "as before" in again.stderr
