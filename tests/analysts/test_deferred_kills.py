"""A run that waits for a batch is killed: the next start goes on and hands in nothing twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from batch_support import ask_shards, shards
from test_batch_providers import SUFFIX, end_batches, opened, respond

from clio.errors import ModelError
from clio.testing.model_server import BatchTiming, ModelServer

HERE = Path(__file__).parent
MOMENTS = [
    ("openai", "journalled"),
    ("openai", "uploaded"),
    ("openai", "submitted"),
    ("openai", "awaited"),
    ("openai", "collecting"),
    ("openai", "kept"),
    ("openai", "collected"),
    ("openai", "deleted"),
    ("anthropic", "journalled"),
    ("anthropic", "submitted"),
    ("anthropic", "collecting"),
    ("anthropic", "kept"),
]


@pytest.fixture(scope="module")
def driver():
    """Has an asker work in a process of its own until it is killed at a moment."""
    keys = {"ANTHROPIC_API_KEY": "key", "OPENAI_API_KEY": "key"}
    with subprocess.Popen(
        [sys.executable, HERE / "batch_kill_driver.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | keys | {"PYTHONPATH": str(HERE)},
    ) as process:

        def order(*words):
            process.stdin.write("\t".join(map(str, words)) + "\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        yield order
        process.stdin.close()


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
    monkeypatch.setenv("OPENAI_API_KEY", "key")


@pytest.mark.parametrize(("protocol", "moment"), MOMENTS)
def test_after_a_kill_every_prompt_is_answered_once(tmp_path, driver, protocol, moment):
    with ModelServer(respond, batches=BatchTiming(polls=1)) as server:
        assert driver(protocol, server.url + SUFFIX[protocol], tmp_path, moment) == "killed"
        if (protocol, moment) == ("anthropic", "submitted"):
            # Nothing of a batch under way says whose it is: the run stops until it has ended.
            (batch,) = server.state["batches"]
            with (
                opened(tmp_path, server, protocol) as asker,
                pytest.raises(ModelError, match=batch),
            ):
                ask_shards(asker, shards(3, 15))
            end_batches(server, protocol)
            end_batches(server, protocol)
        with opened(tmp_path, server, protocol) as asker:
            replies = ask_shards(asker, shards(3, 15))
            account = asker.ledger.as_dict()
            assert len(asker.outstanding()) == (moment in ("kept", "collected", "deleted"))
        assert [reply.value for reply in replies] == list(range(45))
        assert account["attempts"] == {"answered": 45}
        # Each request came once, and nothing is left there with text in it.
        assert set(server.requests.values()) == {1}
        assert server.state["files"] == []
        assert len(server.state["batches"]) == (1 if protocol == "openai" else 0)
