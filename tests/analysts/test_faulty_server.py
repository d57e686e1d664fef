"""The whole way to a server that fails as servers do: nothing is lost, everything is counted."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from number_prompts import number_prompt

from clio.analysts.asking import open_asker
from clio.analysts.limits import Limits
from clio.conversation import Outcome
from clio.testing.model_server import Faults, ModelServer

ROWS = 300
FAULTS = {
    "overloaded": 0.10,
    "errors": 0.05,
    "disconnects": 0.01,
    "malformed": 0.03,
    "out_of_schema": 0.02,
    "truncated": 0.01,
    "refusals": 0.01,
    "retry_after": 0.01,
}
OUTCOMES = {
    "out_of_schema": "malformed",
    "error": "transient",
    "disconnect": "transient",
    "stall": "timeout",
}
LIMITS = Limits(concurrency=32, backoff=0.02, timeout=3.0)


def answer(_: Any) -> dict[str, int]:
    return {"number": 3}


@pytest.mark.parametrize(("provider", "stalls"), [("openai", 0.01), ("anthropic", 0.0)])
def test_every_row_ends_and_the_counts_are_the_servers(tmp_path, provider, stalls):
    prompts = [number_prompt(number) for number in range(ROWS)]
    faults = Faults(stalls=stalls, stall_seconds=30.0, **FAULTS)
    with ModelServer(answer, latency=0.002, faults=faults, seed=4) as server:
        base_url = f"{server.url}/v1" if provider == "openai" else server.url
        name = f"{provider}:stand-in"
        with open_asker(name, folder=tmp_path, base_url=base_url, limits=LIMITS) as asker:
            replies = asker.ask(prompts)
            account = asker.ledger.as_dict()
        asked = server.counts.total()
        with open_asker(name, folder=tmp_path, base_url=base_url, limits=LIMITS) as asker:
            assert asker.ask(prompts) == replies
        assert server.counts.total() == asked
        counts, usage = server.counts, server.usage
    outcomes = Counter(reply.outcome for reply in replies)
    assert outcomes.total() == ROWS
    assert outcomes[Outcome.REFUSED] == counts["refused"] > 0
    assert all(reply.value == 3 for reply in replies if reply.outcome is Outcome.ASSIGNED)
    # A second bad answer to the same question: about one in two hundred.
    assert outcomes[Outcome.FAILED] <= 8
    expected: Counter[str] = Counter()
    for outcome, count in counts.items():
        expected[OUTCOMES.get(outcome, outcome)] += count
    assert account["attempts"] == {name: count for name, count in expected.items() if count}
    assert account["tokens"] == {
        "input": usage.input,
        "output": usage.output,
        "cached": usage.cached,
        "written": usage.written,
    }
    assert account["unanswered"]["calls"] == expected["transient"] + expected["timeout"]
