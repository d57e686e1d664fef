from __future__ import annotations

import builtins
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_release import FACET, TREE, cluster_row, sample

from clio.errors import ReleaseError
from clio.release.read import Release, open_release
from clio.release.schema import INFO_FILE, ROOT_ID, TABLES


@pytest.fixture
def release(run_directory: Path) -> Release:
    return open_release(run_directory)


def test_a_run_and_the_release_itself_open_the_same(run_directory: Path) -> None:
    for path in (run_directory, run_directory / "release", run_directory / "releases" / "0001"):
        assert open_release(path).directory == run_directory.resolve() / "releases" / "0001"
    assert open_release(str(run_directory)).info.totals.conversations == 10_000


def test_it_keeps_to_the_release_that_was_the_latest(run_directory: Path) -> None:
    before = open_release(run_directory)
    sample().write(run_directory, number=2)
    assert before.info.number == 1
    assert before.cluster().conversations == 10_000
    assert open_release(run_directory).info.number == 2


def test_a_release_works_wherever_it_is_copied(run_directory: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "a=b"
    shutil.copytree(run_directory / "releases" / "0001", copy)
    shutil.rmtree(run_directory)
    assert open_release(copy).trends.schema.names == TABLES["trends"].names


def test_tables_have_exactly_the_schema(release: Release) -> None:
    for name, schema in TABLES.items():
        assert release.table(name).schema.equals(schema)
    assert release.clusters.num_rows == 1 + len(TREE) + sum(len(t[2]) for t in TREE)
    assert release.table("alerts").num_rows == 0
    assert release.breakdowns.num_rows > 0
    assert release.numeric.num_rows > 0
    assert release.withheld.num_rows > 0


def test_tables_as_pandas_and_polars(release: Release) -> None:
    frame = release.table("clusters", as_="pandas")
    assert isinstance(frame, pd.DataFrame)
    other = release.table("clusters", as_="polars")
    assert isinstance(other, pl.DataFrame)
    expected = release.clusters["conversations"].to_pylist()
    assert frame["conversations"].tolist() == expected
    assert other["conversations"].to_list() == expected
    with pytest.raises(ValueError, match="as_"):
        release.table("clusters", as_="excel")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_a_missing_extra_is_named(
    release: Release, name: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(module: str, *args: Any, **kwargs: Any) -> Any:
        if module == name:
            raise ModuleNotFoundError(module)
        return real(module, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=rf"clio-insights\[{name}\]"):
        release.table("clusters", as_=name)


def test_a_table_may_be_a_folder_of_parts(run_directory: Path, release: Release) -> None:
    whole = release.clusters
    path = release.directory / "clusters.parquet"
    path.unlink()
    path.mkdir()
    pq.write_table(whole.slice(0, 5), path / "part-0.parquet")
    pq.write_table(whole.slice(5), path / "part-1.parquet")
    assert open_release(run_directory).clusters.equals(whole)


def test_the_tree_can_be_walked(release: Release) -> None:
    root = release.cluster()
    assert root.is_root
    assert root.parent_id is None
    top = release.children()
    assert [c.title for c in top] == sorted(
        (t[0] for t in TREE),
        key=lambda title: -next(c.conversations for c in top if c.title == title),
    )
    assert {c.parent_id for c in top} == {ROOT_ID}
    leaf = release.children(top[0].cluster_id)[0]
    assert [c.cluster_id for c in release.path(leaf.cluster_id)] == [
        ROOT_ID,
        top[0].cluster_id,
        leaf.cluster_id,
    ]
    walked = [c.cluster_id for c in release.walk()]
    assert sorted(walked) == sorted(release.clusters["cluster_id"].to_pylist())
    assert walked[:3] == [ROOT_ID, top[0].cluster_id, leaf.cluster_id]
    assert release.facets == [FACET]


def test_children_and_other_sum_to_the_cluster(release: Release) -> None:
    for cluster in release.walk():
        if children := release.children(cluster.cluster_id):
            total = sum(c.conversations for c in children) + cluster.other_conversations
            assert total == cluster.conversations


def test_unknown_names_say_so(release: Release) -> None:
    with pytest.raises(ReleaseError, match="no cluster 'request-999'"):
        release.cluster("request-999")
    with pytest.raises(ReleaseError, match="no clustered facet 'nope'"):
        release.cluster(facet="nope")
    with pytest.raises(ReleaseError, match="no table 'secrets'"):
        release.table("secrets")


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("python", "Debug Python errors"),
        ("PYTH deb", "Debug Python errors"),
        ("tracebacks", "Debug Python errors"),
        ("e-mails", "Translate e-mails"),
        ("ｐｏｅｍｓ", "Write poems for birthdays"),  # full-width forms of the same letters
    ],
)
def test_search(release: Release, words: str, title: str) -> None:
    assert [c.title for c in release.search(words)] == [title]


def test_search_ranks_titles_first_and_needs_all_words(release: Release) -> None:
    hits = release.search("ex")
    in_title = ["ex" in c.title.lower() for c in hits]
    assert in_title == sorted(in_title, reverse=True)
    assert len(hits) > 2
    assert release.search("python poems") == []
    assert release.search("ython") == []
    assert release.search(" ?! ") == []
    assert release.search("python", facet="other") == []


def test_search_in_scripts_without_spaces(tmp_path: Path) -> None:
    made = sample()
    made.tables["clusters"][2]["title"] = "如何学习编程"
    made.write(tmp_path)
    assert [c.title for c in open_release(tmp_path).search("编程")] == ["如何学习编程"]


@given(st.text(max_size=40))
def test_search_never_fails(words: str) -> None:
    for hit in _shared_release().search(words):
        assert not hit.is_root


_made: list[Release] = []


def _shared_release() -> Release:
    return _made[0]


@pytest.fixture(scope="module", autouse=True)
def _make(tmp_path_factory: pytest.TempPathFactory) -> None:
    run = tmp_path_factory.mktemp("shared")
    sample().write(run)
    _made[:] = [open_release(run)]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(parents=st.lists(st.integers(0, 30), max_size=30))
def test_any_tree_is_walked_once(
    parents: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    # Cluster i hangs under one with a lower number, or the root; levels fall with the number.
    made = sample(dates=False)
    rows = [made.tables["clusters"][0]]
    for i, choice in enumerate(parents):
        up = choice % (i + 1)
        parent = f"{FACET}-{up - 1}" if up else None
        rows.append(cluster_row(f"{FACET}-{i}", 100 - i, parent, "t", "s", 10 + i, 0))
    made.tables = {"clusters": rows}
    run = tmp_path_factory.mktemp("tree")
    made.write(run)
    release = open_release(run)
    walked = [c.cluster_id for c in release.walk()]
    assert len(walked) == len(set(walked)) == len(rows)
    for cluster_id in walked:
        assert release.path(cluster_id)[0].is_root
        assert all(c.parent_id == cluster_id for c in release.children(cluster_id))


def test_rows_of_a_cluster_are_its_rows(release: Release) -> None:
    for name in ("breakdowns", "numeric", "trends"):
        table = release.table(name)
        for cluster in release.walk():
            mine = table.filter(pc.equal(table["cluster_id"], cluster.cluster_id))
            assert release.rows(name, cluster.cluster_id) == mine.to_pylist()
    assert release.rows("lineage") == []


def test_repr_tells_what_it_is(release: Release) -> None:
    said = repr(release)
    assert "10,000 conversations of at least 4,810 accounts" in said
    assert "not anonymous" not in said


def test_repr_of_a_personal_release(tmp_path: Path) -> None:
    sample(publishable=False).write(tmp_path)
    assert "not anonymous" in repr(open_release(tmp_path))


def test_nothing_released(tmp_path: Path) -> None:
    made = sample()
    made.info["facets"] = []
    made.tables = {"clusters": []}
    made.write(tmp_path)
    release = open_release(tmp_path)
    assert release.search("python") == []
    with pytest.raises(ReleaseError, match="nothing is released"):
        release.cluster()


class TestDamage:
    def test_no_directory(self, tmp_path: Path) -> None:
        with pytest.raises(ReleaseError, match="no directory"):
            open_release(tmp_path / "missing")

    def test_no_release(self, tmp_path: Path) -> None:
        with pytest.raises(ReleaseError, match="holds no release"):
            open_release(tmp_path)

    def test_other_schema_version(self, run_directory: Path) -> None:
        _change_info(run_directory, schema_version=99)
        with pytest.raises(ReleaseError, match="schema version 99"):
            open_release(run_directory)

    def test_info_is_not_json(self, run_directory: Path) -> None:
        (run_directory / "release" / INFO_FILE).write_text("{")
        with pytest.raises(ReleaseError, match="unreadable"):
            open_release(run_directory)

    def test_info_lacks_a_field(self, run_directory: Path) -> None:
        _change_info(run_directory, totals={"conversations": "canary-text"})
        with pytest.raises(ReleaseError, match="totals") as caught:
            open_release(run_directory)
        assert "canary-text" not in str(caught.value)

    def test_clusters_are_missing(self, run_directory: Path) -> None:
        (run_directory / "release" / "clusters.parquet").unlink()
        with pytest.raises(ReleaseError, match=r"clusters\.parquet is missing"):
            open_release(run_directory)

    def test_a_table_is_no_parquet(self, run_directory: Path) -> None:
        (run_directory / "release" / "trends.parquet").write_bytes(b"nonsense")
        with pytest.raises(ReleaseError, match="damaged"):
            _ = open_release(run_directory).trends

    def test_a_column_is_missing(self, run_directory: Path) -> None:
        path = run_directory / "release" / "trends.parquet"
        pq.write_table(pa.table({"facet": ["request"]}), path)
        with pytest.raises(ReleaseError, match="damaged"):
            _ = open_release(run_directory).trends

    @pytest.mark.parametrize("parent", ["request-999", "request-1"])
    def test_a_cluster_out_of_place(self, tmp_path: Path, parent: str) -> None:
        made = sample()
        made.tables["clusters"][2]["parent_id"] = parent  # request-1: itself
        made.write(tmp_path)
        with pytest.raises(ReleaseError, match="no place in the tree"):
            open_release(tmp_path).cluster()


def _change_info(run: Path, **changes: Any) -> None:
    path = run / "release" / INFO_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
