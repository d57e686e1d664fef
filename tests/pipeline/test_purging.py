"""Purging leaves the releases alone, and nothing else; revealing needs what a purge deletes."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from released import release_bytes

import clio
from clio import access
from clio.errors import RunError
from clio.pipeline import describe, files, purging, revealing
from clio.pipeline.forgetting import forget
from clio.pipeline.networks import (
    ACCOUNTS,
    NETWORKS,
    find_networks,
    network_accounts_file,
    networks_file,
)
from clio.pipeline.purging import purge
from clio.pipeline.revealing import CASE_FILE, Revealed, export_case, reveal
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.tokens import issue_token
from clio.privacy.pseudonyms import pseudonym
from clio.server import create_app


@pytest.fixture
def run(demo_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo_run, tmp_path / "run", symlinks=True))


def _served(run: Path) -> list[object]:
    client = TestClient(create_app(run), base_url="http://localhost")
    return [client.get(f"/api/v1/{path}").json() for path in ("release", "tree", "tables/trends")]


def test_a_purged_run_serves_its_release_as_before(run: Path) -> None:
    before, shown = release_bytes(run), _served(run)
    private = [p for tier in ("private", "restricted") for p in (run / tier).rglob("*")]
    count = sum(path.is_file() for path in private)

    done = purge(run)

    assert (done.files, done.outstanding) == (count, ())
    assert done.release == 1
    assert sorted(path.name for path in run.iterdir()) == ["release", "releases", "run.json"]
    assert (release_bytes(run), _served(run)) == (before, shown)
    assert (purge(run).files, purge(run).release) == (0, 1)


def test_a_purged_run_is_at_its_end(run: Path, demo_input: Path) -> None:
    purge(run)
    for attempt in (
        lambda: clio.run(demo_input, out=run),
        lambda: describe(run),
        lambda: forget(run, "u-000001"),
        lambda: find_networks(run),
        lambda: reveal(run, "network-1", [demo_input]),
        lambda: issue_token(run),
    ):
        with pytest.raises(RunError, match="was purged"):
            attempt()
    assert sorted(path.name for path in run.iterdir()) == ["release", "releases", "run.json"]


def test_a_purge_that_was_killed_is_finished(
    run: Path, demo_input: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(purging.filesystem, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            purge(run)
    with pytest.raises(RunError, match="was purged"):
        clio.run(demo_input, out=run)
    purge(run)
    assert not (run / "private").exists()
    assert not (run / "restricted").exists()


def test_only_a_run_is_purged(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    with pytest.raises(RunError, match="is no run"):
        purge(tmp_path)
    assert (tmp_path / "private").is_dir()


def _with_case(run: Path, ids: list[str]) -> None:
    """Two networks, one of these accounts and one of some of them, as the search would write."""
    directory = RunDirectory(run)
    key = directory.private_key()
    assert key is not None
    rows = [
        {"network_id": name, "account": pseudonym(key, account), "conversations": 11, "common": 2}
        for name, members in (("network-1", ids), ("network-2", ids[:2]))
        for account in members
    ]
    networks = [
        {
            **dict.fromkeys(NETWORKS.names),
            **{"network_id": name, "kind": "network", "parts": '{"texts": 0.5}'},
            **{"evidence": ["texts"], "clusters": ["request-1"], "titles": ["Taxes"]},
        }
        for name in ("network-1", "network-2")
    ]
    files.write_table(network_accounts_file(directory), pa.Table.from_pylist(rows, schema=ACCOUNTS))
    files.write_table(networks_file(directory), pa.Table.from_pylist(networks, schema=NETWORKS))


def _ids(source: Path) -> list[str]:
    with source.open(encoding="utf-8") as file:
        return sorted({json.loads(line)["user_id"] for line in file})


def test_the_owners_own_files_name_the_accounts_of_a_case(
    run: Path, demo_input: Path, tmp_path: Path
) -> None:
    known = _ids(demo_input)[:3]
    _with_case(run, [*known, "somebody else"])
    with demo_input.open(encoding="utf-8") as file:
        counts = [json.loads(line)["user_id"] for line in file]

    found = reveal(run, "network-1", [demo_input])

    expected = [Revealed(account, counts.count(account)) for account in known]
    assert sorted(found.accounts, key=lambda row: row.account) == expected
    assert found.missing == 1
    (look,) = access.looks(run / "restricted")
    assert (look["action"], look["case"]) == ("reveal", "network-1")
    assert not any(account in str(look) for account in known)


def test_what_cannot_be_logged_is_not_revealed(run: Path, demo_input: Path) -> None:
    _with_case(run, _ids(demo_input)[:1])
    (run / "restricted" / access.LOG_FILE).mkdir()
    with pytest.raises(clio.ClioError):
        reveal(run, "network-1", [demo_input])


@pytest.mark.parametrize("case", ["network-3", "", "NETWORK-1", "__root__"])
def test_there_is_no_other_case(run: Path, demo_input: Path, tmp_path: Path, case: str) -> None:
    _with_case(run, _ids(demo_input)[:1])
    for attempt in (
        lambda: reveal(run, case, [demo_input]),
        lambda: export_case(run, case, tmp_path / "to"),
    ):
        with pytest.raises(RunError, match="no case of that name"):
            attempt()
    assert not (tmp_path / "to").exists()


def test_two_exports_cannot_be_joined(run: Path, demo_input: Path, tmp_path: Path) -> None:
    _with_case(run, _ids(demo_input)[:20])
    names = []
    for number, case in enumerate(("network-1", "network-1", "network-2")):
        path = export_case(run, case, tmp_path / f"case-{number}")
        assert path == tmp_path / f"case-{number}" / CASE_FILE
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        value = json.loads(path.read_bytes())
        assert value["network"]["parts"] == {"texts": 0.5}
        assert {row["conversations"] for row in value["accounts"]} == {"10 to 29"}
        names.append([row["account"] for row in value["accounts"]])
        assert names[-1] == sorted(names[-1])
    inside = {
        row["account"]
        for row in files.read_table(run / "restricted" / "network_accounts.parquet").to_pylist()
    }
    assert (len(names[0]), len(names[2])) == (20, 2)
    pools = [*map(set, names), inside]
    assert all(a.isdisjoint(b) for i, a in enumerate(pools) for b in pools[:i])
    assert [look["action"] for look in access.looks(run / "restricted")] == ["export"] * 3
    with pytest.raises(RunError, match="stands already"):
        export_case(run, "network-1", tmp_path / "case-0")


@settings(deadline=None)
@given(st.integers(0, 10**7))
def test_every_count_is_in_one_band(count: int) -> None:
    band = revealing._band(count)
    numbers = [int(word) for word in band.split() if word.isdigit()]
    assert numbers[0] <= count
    assert "more" in band or count <= numbers[-1]
