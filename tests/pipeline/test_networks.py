"""Networks of a whole run: what is found, what is written where, and what is not shown."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import clio
from clio.errors import RunError, SettingsError
from clio.pipeline import files
from clio.pipeline.networks import Coordination, find_networks
from clio.testing import Campaign, Claim, LookAlike, write_jsonl
from clio.testing.schedule import Schedule

ROWS = 5000


@dataclass(frozen=True)
class Niche:
    """Accounts that ask about one rare theme alone, each in other words."""

    accounts: int
    each: int
    theme: str
    kind: str = "niche"

    def claim(self, schedule: Schedule, rng: np.random.Generator) -> Claim:
        window = schedule.within(20, 14)
        rows = rng.permutation(schedule.sample(window, self.accounts * self.each, rng))
        schedule.claim(rows)
        schedule.account[rows] = np.repeat(schedule.add_accounts(self.accounts, rng), self.each)
        schedule.set_topic(rows, schedule.topic_at(self.theme))
        return Claim(rows, lambda _: {"theme": self.theme})


@dataclass(frozen=True)
class Planted:
    path: Path
    found: Coordination
    accounts: dict[str, set[str]]
    """Pseudonyms by kind of plant."""


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    from clio.testing.taxonomy import taxonomy

    folder = tmp_path_factory.mktemp("networks")
    theme = next(topic.name for topic in taxonomy().topics if topic.kind == "rare")
    plants = [
        Campaign(20, 8, 5, 14, "reviews"),
        Campaign(12, 8, 25, 14, "messages"),
        Niche(20, 8, theme),
        LookAlike(40, 10, 5, "river"),
    ]
    truth = folder / "truth.jsonl"
    write_jsonl(folder / "in.jsonl", ROWS, seed=5, plants=plants, truth=truth)
    clio.run(folder / "in.jsonl", out=folder / "run", settings=clio.Settings(seed=1))
    found = find_networks(folder / "run", sources=["product"], nulls=25)
    kinds = {}
    for line in truth.read_text(encoding="utf-8").splitlines():
        fact = json.loads(line)
        if fact["kind"] in ("campaign", "niche", "look-alike"):
            kinds[fact["conversation_id"]] = fact["kind"]
    table = files.read_table(
        folder / "run" / "private" / "conversations.parquet", ["conversation_id", "account"]
    )
    accounts: dict[str, set[str]] = {"campaign": set(), "niche": set(), "look-alike": set()}
    for row in table.to_pylist():
        if row["conversation_id"] in kinds:
            accounts[kinds[row["conversation_id"]]].add(row["account"])
    return Planted(folder / "run", found, accounts)


def table(run: Path, name: str) -> list[dict]:
    return pq.read_table(run / "restricted" / f"{name}.parquet").to_pylist()


def members(run: Path, kind: str) -> set[str]:
    ids = {row["network_id"] for row in table(run, "networks") if row["kind"] == kind}
    return {r["account"] for r in table(run, "network_accounts") if r["network_id"] in ids}


def test_campaigns_are_found_and_look_alikes_are_not_networks(planted: Planted) -> None:
    found = members(planted.path, "network")
    rings = planted.accounts["campaign"] | planted.accounts["niche"]
    assert len(found & planted.accounts["campaign"]) >= 0.9 * len(planted.accounts["campaign"])
    assert len(found & planted.accounts["niche"]) >= 0.9 * len(planted.accounts["niche"])
    assert len(found & rings) >= 0.95 * len(found)
    assert not found & planted.accounts["look-alike"]
    assert planted.found.null_fits


def test_what_is_shown_counts_what_the_tables_hold(planted: Planted) -> None:
    written = table(planted.path, "networks")
    assert [n.network_id for n in planted.found.networks] == [r["network_id"] for r in written]
    for row in written:
        own = [
            r
            for r in table(planted.path, "network_accounts")
            if r["network_id"] == row["network_id"]
        ]
        assert row["accounts"] == len(own)
        assert row["conversations"] == sum(r["common"] for r in own)
        assert all(r["common"] <= r["conversations"] for r in own)
        assert row["first"] <= row["last"]
        assert 0 < row["q"] <= 1
        assert row["titles"]
    campaign = next(r for r in written if "Lumora" in (r["template"] or ""))
    assert "[…]" in campaign["template"]
    assert campaign["evidence"]


def test_both_tables_are_for_the_owner_alone_and_nothing_else_is_written(planted: Planted) -> None:
    for name in ("networks", "network_accounts"):
        path = planted.path / "restricted" / f"{name}.parquet"
        assert path.stat().st_mode & 0o777 == 0o600
    assert (planted.path / "restricted").stat().st_mode & 0o777 == 0o700
    released = list((planted.path / "releases").rglob("*"))
    assert released
    assert not any("network" in path.name for path in released)


def test_what_is_shown_has_no_account_and_no_text(planted: Planted) -> None:
    shown = repr(planted.found)
    for row in table(planted.path, "network_accounts"):
        assert row["account"] not in shown
    assert "Lumora" not in shown
    assert "sceptical" not in shown


def test_the_same_seed_gives_the_same_bytes_and_a_kill_leaves_what_was(
    planted: Planted, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(planted.path, run, symlinks=True)
    paths = [run / "restricted" / f"{n}.parquet" for n in ("networks", "network_accounts")]
    before = [path.read_bytes() for path in paths]
    killed = (
        "import os, signal, sys\n"
        "from clio.pipeline import networks, files\n"
        "def dies(path, write, *, mode=0):\n"
        "    write(path.with_name('.tmp-' + path.name)); os.kill(os.getpid(), signal.SIGKILL)\n"
        "files.atomic_write = dies\n"
        "networks.find_networks(sys.argv[1], seed=9, nulls=19)\n"
    )
    ended = subprocess.run([sys.executable, "-c", killed, str(run)], env=os.environ, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert [path.read_bytes() for path in paths] == before
    find_networks(run, sources=["product"], nulls=25)
    assert [path.read_bytes() for path in paths] == before


def test_a_label_that_nobody_has_is_refused_by_name(planted: Planted) -> None:
    with pytest.raises(SettingsError, match="'no-such'"):
        find_networks(planted.path, labels=["no-such"])


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is no run"):
        find_networks(tmp_path)
