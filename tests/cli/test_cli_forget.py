"""``clio forget``, ``purge``, ``token``, ``reveal``, and a run that keeps nothing private."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from clio import access
from clio.cli import app
from clio.pipeline import files
from clio.pipeline.networks import (
    ACCOUNTS,
    NETWORKS,
    network_accounts_file,
    networks_file,
)
from clio.pipeline.run_directory import RunDirectory
from clio.privacy.pseudonyms import pseudonym
from clio.testing import write_jsonl

ACCOUNT = "ann\x1b[2J"
"""Ids come from outside: this one would clear a terminal."""


@pytest.fixture
def run(demo_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo_run, tmp_path / "run", symlinks=True))


def clio(*arguments: str | Path, status: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result.output


def json_of(*arguments: str | Path, status: int = 0) -> Any:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def test_forget(run: Path, demo_input: Path) -> None:
    with demo_input.open(encoding="utf-8") as file:
        counts = Counter(json.loads(line)["user_id"] for line in file)
    first, second = [name for name, count in counts.items() if count == 2][:2]
    error = json_of("forget", run, "--account", "nobody", status=1)["error"]
    assert error["code"] == "CLIO-RUN"
    assert "nobody" not in error["message"]
    assert json_of("forget", run, "--account", first)["conversations"] == 2
    assert "2 conversations are gone" in clio("forget", run, "--account", second)
    assert "forgotten before" in clio("forget", run, "--account", second)
    assert clio("forget", run, "--account", second, "--quiet") == ""
    assert "--account" in clio("forget", run, status=1)


def test_purge(run: Path) -> None:
    assert "release 1 stands" in clio("purge", run)
    assert json_of("purge", run)["files"] == 0
    assert not (run / "private").exists()
    assert "is no run" in json_of("purge", run.parent, status=1)["error"]["message"]


def test_a_run_may_keep_nothing_private(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "few.jsonl", 60, seed=2)
    arguments = ("run", tmp_path / "few.jsonl", "--out", tmp_path / "run", "--ephemeral")
    assert json_of(*arguments, "--privacy", "personal")["release"] == 1
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        *("release", "releases", "run.json")
    ]
    assert "was purged" in json_of(*arguments, status=1)["error"]["message"]


def test_a_run_that_fails_keeps_what_it_has(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "few.jsonl", 60, seed=2)
    arguments = ("run", tmp_path / "few.jsonl", "--out", tmp_path / "run", "--ephemeral")
    assert json_of(*arguments, status=1)["error"]["code"] == "CLIO-SMALL"
    assert (tmp_path / "run" / "private").is_dir()


def test_token(run: Path) -> None:
    found = json_of("token", run, "--url", "https://clio.internal:8765/")
    link, _, token = found["link"].partition("?token=")
    assert link == "https://clio.internal:8765/api/v1/safety/enter"
    assert access.redeem(run / "restricted", token)
    assert clio("token", run, "--quiet").startswith("http://127.0.0.1:8765/api/v1/safety/enter?")
    assert token not in (run / "restricted" / access.LOG_FILE).read_text()
    assert "--url" in json_of("token", run, "--url", "clio.internal", status=2)["error"]["message"]
    assert "is no run" in json_of("token", run.parent, status=1)["error"]["message"]


def test_reveal_and_case_export(run: Path, tmp_path: Path) -> None:
    source = tmp_path / "own.jsonl"
    row = {"user_id": ACCOUNT, "messages": [{"role": "user", "content": "hello"}]}
    again = tmp_path / "again.jsonl"
    for path in (source, again):
        path.write_text(json.dumps(row))
    directory = RunDirectory(run)
    key = directory.private_key()
    assert key is not None
    accounts = [
        {"network_id": "network-1", "account": pseudonym(key, name), "conversations": 4}
        for name in (ACCOUNT, "gone")
    ]
    network = {
        **dict.fromkeys(NETWORKS.names),
        **{"network_id": "network-1", "parts": "{}", "clusters": [], "titles": []},
    }
    files.write_table(
        network_accounts_file(directory),
        pa.Table.from_pylist([{**a, "common": 1} for a in accounts], schema=ACCOUNTS),
    )
    files.write_table(networks_file(directory), pa.Table.from_pylist([network], schema=NETWORKS))
    found = json_of("reveal", run, "network-1", "--from", source, again)
    assert found["accounts"] == [{"account": ACCOUNT, "conversations": 2}]
    assert found["missing"] == 1
    said = clio("reveal", run, "network-1", "--from", source)
    assert "ann\ufffd[2J" in said
    assert "\x1b" not in said
    assert "no case" in json_of("reveal", run, "n", "--from", source, status=1)["error"]["message"]
    written = json_of("networks", run, "--case", "network-1", "--to", tmp_path / "case")
    assert json.loads(Path(written["file"]).read_bytes())["network"]["network_id"] == "network-1"
    assert (
        "together" in json_of("networks", run, "--case", "network-1", status=2)["error"]["message"]
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--role", "owner"), "release or safety"),
        (("--tls-cert", "cert.pem"), "belong together"),
        (("--host", "0.0.0.0"), "--in-the-open"),
        (("--host", "0.0.0.0", "--in-the-open", "yes"), "--in-the-open"),
    ],
)
def test_serve_refuses(run: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in json_of("serve", run, *arguments, status=2)["error"]["message"]
