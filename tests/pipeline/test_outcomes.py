"""Every row ends with one outcome, whatever the input; odd inputs, settings and places."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from released import release_bytes

import clio
from clio import filesystem
from clio.errors import InputError, RunError, SettingsError, TooSmallError
from clio.pipeline import NoProgress, default_directory, run_directory
from clio.sources import Reason
from clio.testing import as_record, generate

ROOT = "__root__"


def lines(rows: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def said(number: int | str, text: str, user: str | None = None, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    return {"conversation_id": f"c{number}", "user_id": user, "messages": messages, **more}


def written(path: Path, rows: Iterable[Any]) -> Path:
    path.write_bytes(lines(rows))
    return path


def state_of(run: Path) -> dict[str, Any]:
    return json.loads((run / "run.json").read_text())


@pytest.fixture(scope="module")
def some() -> list[dict[str, Any]]:
    return [as_record(c) for c in generate(400, seed=8, accounts=100)]


# A mixed input


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """Three files of everything, under `strict`, and how many of each outcome are expected."""
    folder = tmp_path_factory.mktemp("mixed")
    rows = [as_record(c) for c in generate(1_400, seed=9, accounts=240)]
    spoken = [row for row in rows if row["messages"][0]["content"].strip()]
    good = list({row["conversation_id"]: row for row in spoken}.values())[:1_300]
    eager = [said(f"eager{n}", f"plan a trip to city number {n % 7}", "eager") for n in range(50)]
    empty = [
        said("none", ""),
        {"conversation_id": "empty", "messages": []},
        {"conversation_id": "system", "messages": [{"role": "system", "content": "Be kind."}]},
        said("smile", "😀 🎉"),
    ]
    changed = {**good[1], "messages": [{"role": "user", "content": "other words"}]}
    bad = [b'{"messages": [', b'{"messages": "\xff"}', b"[1, 2]", b'{"conversation_id": "x"}']
    (folder / "a.jsonl").write_bytes(
        lines(good[:1_000]) + b"\n".join(bad) + b"\n\n   \n" + lines([*empty, good[0], changed])
    )
    (folder / "b.jsonl").write_bytes(lines([*eager, *good[1_000:]]).rstrip(b"\n"))
    whole = gzip.compress(lines(said(f"g{n}", f"say hello {n}", f"g{n}") for n in range(3_000)))
    (folder / "c.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    settings = clio.Settings(privacy="strict", shard_rows=137)
    clio.run(folder, out=folder.parent / "mixed-run", settings=settings)
    per_account = Counter(row["user_id"] for row in good)
    capped = sum(max(0, n - 20) for n in per_account.values()) + 30
    expected = {"duplicate": 1, "skipped": 4, "rejected": 6, "capped": capped}
    return folder.parent / "mixed-run", expected


def test_outcomes_are_those_of_the_rows_and_add_up(mixed) -> None:
    run, expected = mixed
    state = state_of(run)
    outcomes = dict(state["outcomes"])
    assert sum(outcomes.values()) == state["stages"]["read"]["rows_in"]
    assigned = outcomes.pop("assigned")
    assert outcomes == expected
    table = pd.read_parquet(run / "private" / "assignments.parquet")
    assert len(table) == assigned
    assert table["conversation_id"].is_unique


def test_every_stage_hands_on_what_the_next_takes(mixed) -> None:
    stages = state_of(mixed[0])["stages"]
    for name, following in (("read", "facets"), ("facets", "texts"), ("texts", "cluster")):
        assert stages[name]["rows_out"] == stages[following]["rows_in"]
        lost = sum(stages[name]["outcomes"].values())
        assert stages[name]["rows_in"] - lost == stages[name]["rows_out"]
    assert (
        stages["describe"]["rows_in"] == stages["cluster"]["details"]["facets"]["request"]["leaves"]
    )
    assert all(stage["done"] for stage in stages.values())


def test_rejected_rows_are_listed_with_file_line_and_reason(mixed) -> None:
    listed = (mixed[0] / "private" / "rejected.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in listed]
    found = [(Path(r["file"]).name, r["line"], r["reason"]) for r in rows]
    assert found[:5] == [
        ("a.jsonl", 1_001, "broken JSON"),
        ("a.jsonl", 1_002, "broken UTF-8"),
        ("a.jsonl", 1_003, "row is not an object"),
        ("a.jsonl", 1_004, Reason.UNKNOWN_FORMAT.value),
        ("a.jsonl", 1_012, "conversation_id was used before with other content"),
    ]
    assert [(name, reason) for name, _, reason in found[5:]] == [
        ("c.jsonl.gz", "archive ends early")
    ]


# Presets


@pytest.fixture(scope="module")
def base(some, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; tests copy it. Its input lies beside it."""
    folder = tmp_path_factory.mktemp("base")
    return clio.run(written(folder / "in.jsonl", some), out=folder / "run").path


@pytest.fixture
def source(base: Path) -> Path:
    return base.parent / "in.jsonl"


@pytest.fixture
def run(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "run", symlinks=True))


def adds_up(clusters: pd.DataFrame, base: int) -> None:
    up = clusters["parent_id"].fillna(ROOT)
    below = clusters[clusters["cluster_id"] != ROOT]
    sums = below.groupby(up)["conversations"].sum()
    inner = clusters.set_index("cluster_id").loc[sums.index]
    assert ROOT in sums.index
    assert (sums + inner["other_conversations"] == inner["conversations"]).all()
    assert (clusters[["conversations", "other_conversations"]] % base == 0).all(axis=None)


@pytest.mark.parametrize("base_of_rounding", [1, 5, 7])
def test_counts_add_up_to_the_root(source: Path, run: Path, base_of_rounding: int) -> None:
    settings = clio.Settings(round=base_of_rounding)
    release = clio.run(source, out=run, settings=settings).release()
    adds_up(release.table("clusters", as_="pandas"), base_of_rounding)


def test_counts_add_up_under_strict(mixed) -> None:
    adds_up(clio.open_release(mixed[0]).table("clusters", as_="pandas"), 5)


def test_index_shows_what_is_large_and_says_so_where_nothing_is(
    source: Path, run: Path, tmp_path: Path
) -> None:
    settings = clio.Settings(privacy="index")
    with pytest.raises(TooSmallError, match="--min-accounts"):
        clio.run(source, out=run, settings=settings)
    verbs = ("write a poem about spring", "sort a list in python", "plan a trip to rome")
    rows = [said(n, f"{verbs[n % 3]} {n % 2}", f"u{n % 800}") for n in range(2_000)]
    large = written(tmp_path / "large.jsonl", rows)
    release = clio.run(large, out=tmp_path / "large", settings=settings).release()
    assert (release.clusters["conversations"].to_numpy() >= 500).all()


def test_personal_runs_are_not_publishable(some, tmp_path: Path) -> None:
    rows = [{**row, "user_id": None} for row in some[:150]]
    source = written(tmp_path / "mine.jsonl", rows)
    out = tmp_path / "run"
    command = [sys.executable, "-m", "clio", "run", str(source), "--out", str(out)]
    done = subprocess.run(
        [*command, "--privacy", "personal"], capture_output=True, text=True, check=True
    )
    assert "Not anonymous, do not share" in done.stdout
    assert clio.open_release(out).info.publishable is False


# Odd inputs


def outcome(source: Path, out: Path, **options: Any) -> dict[str, int] | str:
    """Outcomes of a run that released something, else its one clear line."""
    try:
        done = clio.run(source, out=out, settings=clio.Settings(**options))
    except clio.ClioError as error:
        lines_said = str(error).splitlines()
        return lines_said[0] if len(lines_said) == 1 else ""
    assert done.release().clusters.num_rows >= 1
    assert sum(done.outcomes.values()) == state_of(done.path)["stages"]["read"]["rows_in"]
    return done.outcomes


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_empty_input_is_one_line(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(content)
    with pytest.raises(InputError, match="is empty"):
        clio.run(source, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_input_of_rejected_rows_is_one_line(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(b"{broken\n" * 3)
    with pytest.raises(InputError, match="3 rejected"):
        clio.run(source, out=tmp_path / "run")
    assert len((tmp_path / "run" / "private" / "rejected.jsonl").read_bytes().splitlines()) == 3


def test_only_what_nobody_said(tmp_path: Path) -> None:
    source = written(tmp_path / "in.jsonl", [said(n, "🎉", f"u{n}") for n in range(5)])
    assert "asks for anything in words" in str(outcome(source, tmp_path / "run"))


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_handful_of_rows(some, tmp_path: Path, rows: int) -> None:
    source = written(tmp_path / "in.jsonl", some[:rows])
    assert "CLIO-SMALL" in str(outcome(source, tmp_path / "run"))
    result = outcome(source, tmp_path / "own", privacy="personal")
    assert result == {"assigned": rows} if rows >= 3 else "CLIO-SMALL" in str(result)


def test_one_account_that_holds_most(some, tmp_path: Path) -> None:
    rows = [{**row, "user_id": "big"} if n % 5 < 3 else row for n, row in enumerate(some)]
    source = written(tmp_path / "in.jsonl", rows)
    done = clio.run(source, out=tmp_path / "run")
    assert any("--privacy personal" in note for note in done.details["release"]["notes"])
    assert outcome(source, tmp_path / "own", privacy="personal") == done.outcomes


@pytest.mark.parametrize("named", [True, False])
def test_all_texts_alike(tmp_path: Path, named: bool) -> None:
    rows = [said(n, "write a poem about spring", f"u{n}" if named else None) for n in range(200)]
    result = outcome(written(tmp_path / "in.jsonl", rows), tmp_path / "run")
    assert result == {"assigned": 200} if named else "CLIO-SMALL" in str(result)


def test_a_conversation_of_five_megabytes(some, tmp_path: Path) -> None:
    rows = [said("words", "many things. " * 400_000, "u"), said("x", "x" * 5_000_000, "v"), *some]
    result = outcome(written(tmp_path / "in.jsonl", rows), tmp_path / "run")
    assert isinstance(result, dict)


@pytest.mark.parametrize(
    "sentences",
    [
        ("请帮我写一首关于春天的诗", "如何用Python排序列表", "翻译这句话成英文", "推荐北京的餐厅"),
        ("اكتب لي قصيدة عن الربيع", "كيف أتعلم البرمجة", "ما هي عاصمة فرنسا"),
        ("मुझे वसंत पर एक कविता लिखो", "इस वाक्य का अनुवाद करें", "आज मौसम कैसा है"),
    ],
)
def test_other_scripts_alone(tmp_path: Path, sentences) -> None:
    k = len(sentences)
    rows = [
        said(n, f"{sentences[n % k]} {sentences[n // k % k]} {n % 50}", f"u{n % 150}")
        for n in range(500)
    ]
    source = written(tmp_path / "in.jsonl", rows)
    assert outcome(source, tmp_path / "run") == {"assigned": 500}


def test_ids_as_numbers_and_dates_for_half(some, tmp_path: Path) -> None:
    rows = []
    for n, row in enumerate(some):
        row = {**row, "conversation_id": n, "user_id": n % 130}
        if n % 2:
            del row["created_at"]
        rows.append(row)
    result = outcome(written(tmp_path / "in.jsonl", rows), tmp_path / "run")
    assert isinstance(result, dict)
    assert "duplicate" not in result


# Labels


def test_labels_of_any_name(some, tmp_path: Path) -> None:
    names = ("it's", 'pro"duct', "a.b", "*", "{x}", "back\\slash", "'); DROP TABLE facts; --")
    rows = [
        {**row, "labels": dict.fromkeys(names, ("odd", "even")[n % 2]) | {"a": {"b": "-"}}}
        for n, row in enumerate(some)
    ]
    source = written(tmp_path / "in.jsonl", rows)
    settings = clio.Settings(breakdown=(*names, *names))
    done = clio.run(source, out=tmp_path / "run", settings=settings)
    table = done.release().table("breakdowns", as_="pandas")
    root = table[table["cluster_id"] == ROOT]
    for name in names:
        assert sorted(root[root["dimension"] == name]["value"]) == ["even", "odd"], name


@pytest.mark.parametrize("name", ["language", "turns", ""])
def test_labels_that_cannot_be_broken_down_by(source: Path, run: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="--breakdown"):
        clio.run(source, out=run, settings=clio.Settings(breakdown=(name,)))


# Places


@pytest.mark.parametrize("name", ["a 'b' [/red]", "account=5:/level=x"])
def test_run_directories_of_any_name(some, tmp_path: Path, name: str) -> None:
    source = written(tmp_path / "in.jsonl", some[:150])
    done = subprocess.run(
        [sys.executable, "-m", "clio", "run", source.name, "--out", name],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert name in done.stdout
    assert clio.open_release(tmp_path / name).info.number == 1


def test_a_file_name_that_is_no_utf8(some, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = written(Path(os.fsdecode(b"caf\xe9.jsonl")), some)
    assert clio.run(source).outcomes["assigned"] > 300


def test_a_pattern_gives_a_run_no_name() -> None:
    assert default_directory(["logs/*.jsonl"]) == Path("clio-run")
    assert default_directory(["logs/may.jsonl.gz"]) == Path("may-clio")


def test_a_run_is_no_input(some, tmp_path: Path) -> None:
    written(tmp_path / "in.jsonl", some)
    first = clio.run(tmp_path, out=tmp_path / "run")
    assert clio.run(tmp_path, out=tmp_path / "run").outcomes == first.outcomes
    assert clio.run(str(tmp_path / "**" / "*.jsonl"), out=tmp_path / "run").outcomes == (
        first.outcomes
    )
    with pytest.raises(InputError, match="clio serve"):
        clio.run(tmp_path / "run", out=tmp_path / "other")


def test_modes_hold_under_any_umask(some, tmp_path: Path) -> None:
    source = written(tmp_path / "in.jsonl", some)
    before = os.umask(0)
    try:
        run = clio.run(source, out=tmp_path / "run").path
    finally:
        os.umask(before)
    assert stat.S_IMODE((run / "run.json").stat().st_mode) == 0o600
    for tier in ("private", "restricted"):
        for path in [run / tier, *(run / tier).rglob("*")]:
            expected = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == expected, path


# Resumption


class _Killed(BaseException):
    """Stands for a signal that ends the process."""


def test_killed_after_its_release_was_written_it_writes_no_second(source, tmp_path: Path) -> None:
    class Killer(NoProgress):
        def stage_started(self, name: str, total: int | None, unit: str) -> None:
            self.name = name

        def advanced(self, amount: int) -> None:
            if self.name == "release":
                raise _Killed

    run = tmp_path / "run"
    with pytest.raises(_Killed):
        clio.run(source, out=run, progress=Killer())
    before = release_bytes(run)
    assert clio.run(source, out=run).release().info.number == 1
    assert release_bytes(run) == before
    assert [p.name for p in (run / "releases").iterdir()] == ["0001"]


def test_killed_among_removals_nothing_half_counts_as_whole(
    source: Path, run: Path, monkeypatch
) -> None:
    before = state_of(run)["outcomes"]
    remove = filesystem.remove
    for count in range(1, 20, 6):
        left = iter(range(count))

        def killing(path: Path, left=left) -> None:
            if path.name != "tmp" and next(left, None) is None:
                raise _Killed
            remove(path)

        monkeypatch.setattr(filesystem, "remove", killing)
        with pytest.raises(_Killed):
            clio.run(source, out=run, settings=clio.Settings(shard_rows=99))
    monkeypatch.setattr(filesystem, "remove", remove)
    again = clio.run(source, out=run)
    assert again.outcomes == before
    # A number once given is not given again, so ids differ; nothing else does.
    first = clio.open_release(run / "releases" / "0001")
    assert shown(again.release()) == shown(first)


def shown(release: clio.Release) -> list[tuple[Any, ...]]:
    """Clusters without their ids, in an order that does not hang on them."""
    columns = ["level", "title", "summary", "conversations", "accounts", "share", "x", "y"]
    return sorted(tuple(str(row[name]) for name in columns) for row in release.clusters.to_pylist())


def test_settings_may_go_forth_and_back(source: Path, run: Path) -> None:
    class Killer(NoProgress):
        def stage_started(self, name: str, total: int | None, unit: str) -> None:
            if name == "describe":
                raise _Killed

    with pytest.raises(_Killed):
        clio.run(source, out=run, settings=clio.Settings(base_clusters=5), progress=Killer())
    clio.run(source, out=run)
    # The tree and the assignments are of one making: the release stage can join them.
    back = clio.run(source, out=run, settings=clio.Settings(breakdown=("product",)))
    leaves = set(pd.read_parquet(run / "private" / "assignments.parquet")["cluster_id"])
    tree = pd.read_parquet(run / "restricted" / "clusters.parquet")
    assert leaves == set(tree[tree["level"] == 0]["cluster_id"])
    assert back.release().info.totals.conversations == back.outcomes["assigned"]


def test_a_release_that_stands_survives_a_lost_link(source: Path, run: Path) -> None:
    (run / "release").unlink()
    changed = clio.run(source, out=run, settings=clio.Settings(breakdown=("product",)))
    assert changed.release().info.number == 2
    assert (run / "releases" / "0001" / "release.json").is_file()


def test_two_runs_at_once_in_one_process(source, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda n: clio.run(source, out=tmp_path / n), ["one", "two"]))
    assert release_bytes(runs[0].path) == release_bytes(runs[1].path)
    with run_directory.RunDirectory(runs[0].path).lock(), pytest.raises(RunError):
        clio.run(source, out=runs[0].path)
