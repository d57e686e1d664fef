"""Forgetting an account: nothing of it is left, and nothing else changes that was released."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from released import release_bytes
from small_world import SETTINGS, ZED, holding, rows, write

import clio
from clio.analysts.cache import Cache
from clio.analysts.journal import Item, Journal
from clio.analysts.providers.base import Completion, Usage
from clio.errors import ReleaseError, RunError
from clio.pipeline import files, forgetting, outside
from clio.pipeline.editing import add_edit
from clio.pipeline.forgetting import forget
from clio.pipeline.networks import (
    ACCOUNTS,
    NETWORKS,
    find_networks,
    network_accounts_file,
    networks_file,
)
from clio.pipeline.run_directory import RunDirectory
from clio.privacy import tiers
from clio.privacy.pseudonyms import pseudonym
from clio.privacy.standing import Proposal, restate
from clio.privacy.tiers import Releasable
from clio.privacy.titles import GENERIC_TITLE, Support
from clio.release.read import open_release
from clio.release.schema import TABLES
from clio.settings import Settings

NUMBERS = ("numeric", "breakdowns", "trends", "map")


@pytest.fixture(scope="module")
def small_input(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("small") / "small.jsonl")


@pytest.fixture(scope="module")
def small_run(small_input: Path) -> Path:
    return clio.run(small_input, out=small_input.parent / "run", settings=SETTINGS).path


@pytest.fixture
def run(small_run: Path, tmp_path: Path) -> Path:
    """A run of its own for each test."""
    return Path(shutil.copytree(small_run, tmp_path / "run", symlinks=True))


def state(run: Path) -> dict[str, Any]:
    return orjson.loads((run / "run.json").read_bytes())


def of(account: str, source: Path) -> set[str]:
    """What an account alone wrote or was told, and the ids of its conversations."""
    given = [json.loads(line) for line in source.read_text("utf-8").splitlines()]
    mine, others = set(), set()
    for row in given:
        said = {message["content"] for message in row["messages"]}
        (mine if row["user_id"] == account else others).update({row["conversation_id"], *said})
    known = "\n\n".join(others)
    return {text for text in mine if text not in known}


def test_nothing_of_the_account_is_left_in_any_file(
    demo_run: Path, demo_input: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(demo_run, tmp_path / "run", symlinks=True))
    given = [json.loads(line) for line in demo_input.read_text("utf-8").splitlines()]
    ((account, most),) = Counter(row["user_id"] for row in given).most_common(1)
    key = RunDirectory(run).private_key()
    assert key is not None
    needles = {*of(account, demo_input), account, pseudonym(key, account)}
    assert len(holding(run, needles)) >= 8
    before, old = state(run), open_release(run)

    done = forget(run, account)

    assert 0 < done.conversations <= most
    assert done.outstanding == ()
    assert holding(run, needles) == {}
    assert not RunDirectory(run).forgetting.exists()
    after = state(run)
    assert sum(after["outcomes"].values()) == sum(before["outcomes"].values()) == len(given)
    assert after["outcomes"]["assigned"] == before["outcomes"]["assigned"] - done.conversations
    assert after["stages"]["read"]["details"]["skipped"]["forgotten"] == done.conversations
    assert after["forgotten"]["accounts"] == 1
    new = open_release(run)
    for name in ("clusters", *NUMBERS):
        drop = [c for c in ("title", "summary") if c in old.table(name).column_names]
        assert new.table(name).drop(drop).equals(old.table(name).drop(drop)), name
    assert new.info.model_copy(update={"number": 0}) == old.info.model_copy(update={"number": 0})


def test_what_is_left_adds_up(run: Path, small_input: Path) -> None:
    forget(run, ZED)
    directory = RunDirectory(run)
    directory.load()
    ledger = files.read_table(directory.work / "rows.parquet").to_pylist()
    assert len(ledger) == len(rows())
    assert Counter(row["outcome"] for row in ledger) == {None: 90, "skipped": 7, "duplicate": 1}
    forgotten = [row for row in ledger if row["reason"] == "forgotten"]
    assert all(row["conversation_id"] is row["file"] is row["line"] is None for row in forgotten)
    assert directory.state.outcomes == {"assigned": 90, "duplicate": 1, "skipped": 7}
    members = files.read_table(directory.work / "request" / "members.parquet")
    texts = files.read_table(directory.work / "request" / "texts.parquet")
    weights = Counter(members["text"].to_pylist())
    assert [weights[n] for n in range(texts.num_rows)] == texts["weight"].to_pylist()
    said = texts["text"].to_pylist()
    facets = files.read_table(directory.private / "facets.parquet").to_pylist()
    by_id = {row["conversation_id"]: row["request"] for row in facets}
    for row in members.to_pylist():
        assert said[row["text"]] == by_id[row["conversation_id"]]
    assert any("part 0" in text for text in said), "what others wrote too is still theirs"


def test_other_accounts_vectors_and_places_stay(run: Path) -> None:
    import numpy as np

    folder = run / "private" / "work" / "request"

    def by_text() -> dict[str, tuple[bytes, int]]:
        texts = pq.read_table(folder / "texts.parquet")["text"].to_pylist()
        vectors = np.concatenate([np.load(p) for p in sorted((folder / "vectors").iterdir())])
        leaves = np.load(folder / "text_leaves.npy")
        cells = pq.read_table(folder / "text_cells.parquet").to_pylist()
        places = {c["text"]: (c["cell_x"], c["cell_y"]) for c in cells}
        assert len(texts) == len(vectors) == len(leaves) == len(cells)
        return {t: (vectors[i].tobytes(), leaves[i], places[i]) for i, t in enumerate(texts)}

    before = by_text()
    forget(run, ZED)
    after = by_text()
    assert after.items() <= before.items()
    assert set(before) - set(after) == {text for text in before if "chameleon" in text.lower()}


def test_the_same_input_again_brings_nothing_back(run: Path, small_input: Path) -> None:
    needles = of(ZED, small_input)
    forget(run, ZED)
    before = release_bytes(run)
    again = clio.run(small_input, out=run, settings=SETTINGS)
    assert again.outcomes == {"assigned": 90, "duplicate": 1, "skipped": 7}
    assert release_bytes(run) == before
    assert holding(run, needles) == {}


@pytest.mark.parametrize("changes", [{"shard_rows": 30}, {"seed": 9}, {"where": "turns > 0"}])
def test_numbers_that_would_differ_are_not_made(
    run: Path, small_input: Path, changes: dict[str, Any]
) -> None:
    forget(run, ZED)
    before = release_bytes(run)
    settings = Settings.model_validate({**SETTINGS.model_dump(), **changes})
    with pytest.raises(RunError, match="forgotten 1 accounts"):
        clio.run(small_input, out=run, settings=settings)
    assert release_bytes(run) == before
    assert state(run)["settings"]["seed"] == SETTINGS.seed
    clio.run(small_input, out=run, settings=SETTINGS)


def test_before_anything_is_released_the_run_goes_on_without_the_account(
    small_input: Path, tmp_path: Path
) -> None:
    class Stopping:
        """Progress that ends the run when a stage begins."""

        def __init__(self, stage: str) -> None:
            self.stage = stage

        def stage_started(self, name: str, total: int | None, unit: str) -> None:
            if name == self.stage:
                raise KeyboardInterrupt

        def advanced(self, amount: int) -> None: ...
        def waiting(self, done: int, total: int) -> None: ...
        def stage_finished(self, name: str, seconds: float, *, skipped: bool) -> None: ...

    for stage in ("facets", "embed", "release"):
        run = tmp_path / stage
        with pytest.raises(KeyboardInterrupt):
            clio.run(small_input, out=run, settings=SETTINGS, progress=Stopping(stage))
        assert forget(run, ZED).conversations == 7
        # Other shards: the input is read again, and the account comes by.
        again = Settings.model_validate({**SETTINGS.model_dump(), "shard_rows": 50})
        done = clio.run(small_input, out=run, settings=again if stage == "facets" else SETTINGS)
        assert done.outcomes == {"assigned": 90, "duplicate": 1, "skipped": 7}
        assert done.release().info.totals.conversations == 90
        assert holding(run, of(ZED, small_input)) == {}


class _KilledError(Exception):
    """Stands for the end of the process."""


def _at_call(function: Callable[..., Any], number: int) -> Callable[..., Any]:
    """The function, but the process ends when it is called so often."""
    calls = 0

    def called(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            raise _KilledError
        return function(*args, **kwargs)

    return called


def test_killed_anywhere_it_is_finished_later(
    run: Path, small_input: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path(shutil.copytree(run, tmp_path / "whole", symlinks=True))
    forget(whole, ZED)
    ends = {
        "nothing written": (files, "write_json", 2),
        "in the shadow": (forgetting, "erase", 1),
        "shadow made": (forgetting, "leftovers", 1),
        "plan written": (forgetting, "_commit", 1),
        "first file moved": (Path, "samefile", 2),
        "half of them moved": (Path, "samefile", 20),
        "files moved": (forgetting, "clear_answers", 1),
        "state not saved": (RunDirectory, "save", 1),
        "intent not removed": (forgetting, "record", 1),
    }
    for name, (where, what, number) in ends.items():
        copy = Path(shutil.copytree(run, tmp_path / name, symlinks=True))
        with monkeypatch.context() as patched:
            patched.setattr(where, what, _at_call(getattr(where, what), number))
            with pytest.raises(_KilledError):
                forget(copy, ZED)
        assert ZED.encode() not in b"".join(p.read_bytes() for p in copy.rglob("*.json"))
        with pytest.raises(RunError, match="clio forget"):
            clio.run(small_input, out=copy, settings=SETTINGS)
        with pytest.raises(RunError, match="clio forget"):
            find_networks(copy)
        again = None if name != "nothing written" else ZED
        assert forget(copy, again).conversations == 7, name
        assert holding(copy, of(ZED, small_input)) == {}, name
        for part in ("release", "private/work", "private/conversations.parquet", "restricted"):
            assert _bytes(copy / part) == _bytes(whole / part), (name, part)
        assert _counts(copy) == _counts(whole)
        assert forget(copy, ZED).conversations == 0


def _bytes(folder: Path) -> dict[str, bytes]:
    folder = folder.resolve()
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("access.log", ".lock")
    }


def _counts(run: Path) -> Any:
    found = state(run)
    return found["outcomes"], found["forgotten"], found["release"]


def test_an_account_that_is_not_there_changes_nothing(run: Path) -> None:
    before = _bytes(run)
    for account in ("nobody", ZED.upper(), f"{ZED} ", ""):
        with pytest.raises(RunError, match="to the letter"):
            forget(run, account)
    with pytest.raises(RunError, match="nothing is left to finish"):
        forget(run)
    assert _bytes(run) == before
    with pytest.raises(RunError, match="is no run"):
        forget(run.parent, ZED)


def test_rows_go_even_where_the_audit_keeps_the_release_back(
    run: Path, small_input: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(_: Path) -> None:
        raise ReleaseError("the audit keeps it back")

    table = Releasable(open_release(run).table("clusters"), key=tiers._GATE_KEY)
    monkeypatch.setattr(forgetting, "reword", lambda *_: {"clusters": table})
    monkeypatch.setattr(forgetting, "refuse_unsafe", refusing)
    before = release_bytes(run)
    done = forget(run, ZED)
    assert (done.release, done.kept_back) == (None, "the audit keeps it back [CLIO-REL]")
    assert release_bytes(run) == before
    assert holding(run, of(ZED, small_input)) == {}


def test_a_title_that_loses_its_support_is_replaced_and_no_other(
    run: Path, small_input: Path
) -> None:
    placed = files.read_table(run / "private" / "assignments.parquet").to_pylist()
    ((cluster, _),) = Counter(
        row["cluster_id"] for row in placed if row["conversation_id"].startswith("zed-0")
    ).most_common(1)
    add_edit(run, {"action": "rename", "cluster_id": cluster, "title": "Crickets for a chameleon"})
    renamed = clio.run(small_input, out=run, settings=SETTINGS).release()
    before = {c.cluster_id: c for c in renamed.walk()}
    assert before[cluster].title == "Crickets for a chameleon"

    done = forget(run, ZED)

    assert done.release == renamed.info.number + 1
    after = {c.cluster_id: c for c in open_release(run).walk()}
    assert after.keys() == before.keys()
    for name, old in before.items():
        new = after[name]
        assert (new.conversations, new.accounts, new.share) == (
            *(old.conversations, old.accounts, old.share),
        )
        if name == cluster:
            assert "hameleon" not in new.title + new.summary
        else:
            assert (new.title, new.summary) == (old.title, old.summary)
    shown = {
        row["cluster_id"]: row
        for row in pq.read_table(run / "restricted" / "clusters.parquet").to_pylist()
    }
    assert "hameleon" not in str(shown)
    # The earlier release and the person's own edit are not the account's text to take back.
    left = holding(run, {"hameleon"})
    assert all(
        name.startswith(f"releases/{renamed.info.number:04d}/")
        for name in left
        if name != "edits.jsonl"
    )
    assert release_bytes(run)
    clio.run(small_input, out=run, settings=SETTINGS)


def test_networks_lose_the_account_and_the_text_they_share(run: Path) -> None:
    directory = RunDirectory(run)
    key = directory.private_key()
    assert key is not None
    zed, other = pseudonym(key, ZED), pseudonym(key, "user-1")
    first = files.read_table(run / "private" / "conversations.parquet").to_pylist()
    moments = [row["created_at"] for row in first if row["account"] == zed]
    empty = dict.fromkeys(NETWORKS.names)
    lists = {"evidence": ["text"], "clusters": [], "titles": []}
    networks = [
        {
            **empty,
            **lists,
            "network_id": "network-1",
            "accounts": 2,
            "conversations": 9,
            "template": "Feeding my chameleon",
            "first": min(moments),
            "last": None,
        },
        {
            **empty,
            **lists,
            "network_id": "network-2",
            "accounts": 1,
            "conversations": 1,
            "template": "Prune roses",
        },
    ]
    accounts = [("network-1", zed, 7, 6), ("network-1", other, 3, 3), ("network-2", other, 3, 1)]
    files.write_table(networks_file(directory), pa.Table.from_pylist(networks, schema=NETWORKS))
    rows_ = [dict(zip(ACCOUNTS.names, row, strict=True)) for row in accounts]
    files.write_table(
        network_accounts_file(directory), pa.Table.from_pylist(rows_, schema=ACCOUNTS)
    )
    sheet = directory.restricted / "sheet.md"
    sheet.write_text(
        'A lead: Feeding my chameleon from Zanzibar with crickets\n\non "day" 3, ärger'
    )
    kept = directory.restricted / "notes.md"
    kept.write_text("Nothing of interest.")

    done = forget(run, ZED)

    assert done.removed == ("restricted/sheet.md",)
    assert (sheet.exists(), kept.exists()) == (False, True)
    left = files.read_table(network_accounts_file(directory)).to_pylist()
    assert [(row["network_id"], row["account"]) for row in left] == [
        ("network-1", other),
        ("network-2", other),
    ]
    one, two = files.read_table(networks_file(directory)).to_pylist()
    assert (one["accounts"], one["conversations"], one["template"], one["first"]) == (
        1,
        3,
        None,
        None,
    )
    assert two == networks[1]


def test_answers_of_models_are_deleted_to_the_last_byte(tmp_path: Path) -> None:
    requests = tmp_path / "exchange" / "requests"
    requests.mkdir(parents=True, mode=0o700)
    (tmp_path / "exchange").chmod(0o700)
    (requests / "a.jsonl").write_text("the secret request")
    settings = Settings(analyst=f"files:{tmp_path / 'exchange'}", describe_model="batch:openai:gpt")
    directory = RunDirectory(tmp_path / "run")
    directory.create()
    path = directory.private / "answers.sqlite"
    cache = Cache(path)
    cache.put(
        [(f"{n:064x}", Completion(f"the secret answer {n}" * 50, Usage())) for n in range(99)]
    )
    journal = Journal(cache, "batch:openai:gpt")
    for label in ("one", "two"):
        journal.intend(label, [Item("a" * 64, "facets", 1, 1)])
    journal.submitted("one", "batch-77")
    cache.close()
    with pytest.raises(RunError, match="was being handed in"):
        outside.check_handed_in(directory, settings)
    cache = Cache(path)
    Journal(cache, "batch:openai:gpt").submitted("two", "batch-78")
    cache.close()
    outside.check_handed_in(directory, settings)
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(tmp_path / "exchange", elsewhere)
    directory.state.outstanding = [f"{elsewhere}: 1 files of requests and answers"]
    assert b"secret" in b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())

    outstanding = outside.clear_answers(directory, settings)

    assert outstanding == [
        f"batch batch-{number} at openai:gpt: to be deleted there" for number in (77, 78)
    ]
    assert holding(tmp_path, {"secret"}) == {}
    assert list(requests.iterdir()) == []
    assert outside.clear_answers(directory, settings) == outstanding


def _clusters(titles: dict[str, tuple[int, str | None, str]]) -> pa.Table:
    counts = {"conversations": 60, "accounts": 25, "share": 0.5, "share_low": 0.4}
    more = {"share_high": 0.6, "other_conversations": 0, "x": None, "y": None, "summary": "Help."}
    return pa.Table.from_pylist(
        [
            {
                "facet": "request",
                "cluster_id": name,
                "level": level,
                "parent_id": parent,
                "title": title,
                **counts,
                **more,
            }
            for name, (level, parent, title) in titles.items()
        ],
        schema=TABLES["clusters"],
    )


def test_words_go_down_the_tree_and_numbers_do_not_move() -> None:
    limits = Settings().thresholds()
    tables = {
        "clusters": _clusters(
            {
                "__root__": (-1, None, "All conversations"),
                "top": (1, None, "Chameleon care"),
                "a": (0, "top", "Chameleon care: other requests"),
                "b": (0, "top", "Roses"),
                "c": (0, "top", "Basil"),
            }
        ),
        "withheld": TABLES["withheld"].empty_table(),
        "alerts": pa.Table.from_pylist(
            [
                {
                    "facet": "request",
                    "cluster_id": "top",
                    "kind": "rise",
                    "title": "Chameleon care: more than before",
                    "ratio": 2.0,
                    "ratio_low": 1.5,
                    "ratio_high": 3.0,
                    "q": 0.01,
                    "since": date(2025, 3, 3),
                }
            ],
            schema=TABLES["alerts"],
        ),
    }
    tokens = [("top", "chameleon", 9), ("top", "reptil", 12), ("b", "ros", 12), ("c", "basil", 3)]
    support = Support.of(
        pa.table(
            {
                "cluster_id": [t[0] for t in tokens],
                "token": [t[1] for t in tokens],
                "accounts": [t[2] for t in tokens],
            }
        ),
        pa.table({"window": pa.array([], pa.string()), "accounts": pa.array([], pa.int64())}),
        limits,
    )
    proposals = {
        ("request", name): Proposal(title, "Help.", fallbacks)
        for name, title, fallbacks in (
            ("top", "Chameleon care", ("Chameleon", "Reptiles")),
            ("a", "Crickets", ()),
            ("b", "Roses", ()),
            ("c", "Basil", ()),
        )
    }
    touched = {("request", "top"), ("request", "a"), ("request", "b")}

    new = restate(tables, support, proposals, touched)

    assert new is not None
    titles = {r["cluster_id"]: r["title"] for r in new["clusters"].table.to_pylist()}
    assert titles == {
        "__root__": "All conversations",
        "top": "Reptiles",
        "a": "Reptiles: other requests",
        "b": "Roses",
        "c": "Basil",
    }
    assert new["alerts"].table["title"].to_pylist() == ["Reptiles: more than before"]
    (withheld,) = new["withheld"].table.to_pylist()
    assert (withheld["level"], withheld["reason"], withheld["conversations"]) == (1, "wording", 60)
    words = ["title", "summary"]
    assert new["clusters"].table.drop(words).equals(tables["clusters"].drop(words))
    assert restate(tables, support, proposals, {("request", "b")}) is None
    none = Support.of(
        support_table(),
        pa.table({"window": pa.array([], pa.string()), "accounts": pa.array([], pa.int64())}),
        limits,
    )
    bare = restate(tables, none, proposals, touched)
    assert bare is not None
    assert bare["clusters"].table["title"].to_pylist()[1] == GENERIC_TITLE


def support_table() -> pa.Table:
    return pa.table(
        {
            "cluster_id": pa.array([], pa.string()),
            "token": pa.array([], pa.string()),
            "accounts": pa.array([], pa.int64()),
        }
    )
