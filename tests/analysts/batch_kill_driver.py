"""Runs askers in forks of itself that kill themselves at a named moment; one order a line."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from batch_support import PRICE, QUICK, ask_shards, shards

from clio.analysts import batching
from clio.analysts.cache import Cache
from clio.analysts.deferred import open_deferred
from clio.analysts.ledger import Ledger
from clio.analysts.prices import Model
from clio.analysts.providers.batch_anthropic import AnthropicBatches
from clio.analysts.providers.batch_openai import OpenAIBatches


def die(*arguments, **names):
    os.kill(os.getpid(), signal.SIGKILL)


async def die_later(*arguments, **names):
    die()


def kill_at(moment, asker):
    """Let the process end, without warning, at a moment of its first batch."""
    provider = asker._carrier._provider
    journal = asker._journal
    if moment == "journalled":
        provider.submit = die_later
    elif moment == "uploaded":
        provider._client.batches.create = die_later
    elif moment == "submitted":
        journal.submitted = die
    elif moment == "awaited":
        asker.on_wait = die
    elif moment == "collecting":
        batching._CHUNK = 10
        keep = asker._carrier._keep
        calls = []

        def keep_twice(outcomes):
            keep(outcomes)
            calls.append(outcomes)
            if len(calls) == 2:
                die()

        asker._carrier._keep = keep_twice
    elif moment == "kept":
        journal.collected = die
    elif moment == "collected":
        provider.delete = die_later
    elif moment == "deleted":
        journal.deleted = die


def run(protocol, url, folder, moment):
    name = f"batch:{protocol}:model"
    cache = Cache(Path(folder) / "answers.sqlite")
    ledger = Ledger(cache, name, PRICE)
    asker = open_deferred(
        name, base_url=url, cache=cache, ledger=ledger, known=Model(PRICE), pauses=QUICK
    )
    kill_at(moment, asker)
    ask_shards(asker, shards(3, 15))


def main():
    _ = AnthropicBatches, OpenAIBatches  # imported once, for all forks
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                run(*line.rstrip("\n").split("\t"))
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        sys.stdout.write("killed\n" if killed else "not killed\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
