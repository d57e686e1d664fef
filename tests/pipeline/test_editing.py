"""A person's edits: read and added without loss, applied with stable ids, gated, undone."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clio
from clio.errors import RunError
from clio.pipeline import describe, files
from clio.pipeline.editing import (
    Change,
    Hide,
    Merge,
    Move,
    Rename,
    Undo,
    add_edit,
    apply_edits,
    edits_file,
    in_force,
    read_edits,
)
from clio.pipeline.editor import RunEditor


def write(run: Path, *lines: object) -> None:
    rows = (line if isinstance(line, bytes) else orjson.dumps(line) for line in lines)
    edits_file(run).write_bytes(b"\n".join(rows) + b"\n")


# The file


def test_edits_are_numbered_kept_and_undone(tmp_path):
    first = add_edit(tmp_path, {"action": "hide", "cluster_id": "request-1"})
    second = add_edit(tmp_path, {"action": "rename", "cluster_id": "request-2", "title": "Bees"})
    before = edits_file(tmp_path).read_bytes()
    undo = add_edit(tmp_path, {"action": "undo", "undoes": 1})
    assert [e.edit for e in (first, second, undo)] == [1, 2, 3]
    assert edits_file(tmp_path).read_bytes().startswith(before)
    assert in_force(read_edits(tmp_path)) == [second]
    add_edit(tmp_path, {"action": "undo", "undoes": 3})
    assert in_force(read_edits(tmp_path)) == [first, second]
    assert stat.S_IMODE(edits_file(tmp_path).stat().st_mode) == 0o600


HIDE = {"edit": 1, "action": "hide", "cluster_id": "request-1"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"edit": 2, "action"', "line 3 is no JSON object"),
        ({"edit": 2, "action": "paint", "cluster_id": "secret words"}, "'action' is rename"),
        ({"edit": 2, "action": "rename", "cluster_id": "a"}, "'title': is missing"),
        ({"edit": 2, "action": "hide", "cluster_id": "a", "secret words": 1}, "a field: is not"),
        ({"edit": 2, "action": "hide", "cluster_id": 7}, "'cluster_id': is not of the right kind"),
        ({"edit": 2, "action": "rename", "cluster_id": "a", "title": " x"}, "begins or ends"),
        ({"edit": 1, "action": "hide", "cluster_id": "a"}, "edit 1 stands twice"),
        ({"edit": 2, "action": "undo", "undoes": 9}, "it undoes edit 9"),
        ([1, 2], "is not of the right kind"),
        (b"\xff\xfe", "is no JSON object"),
    ],
)
def test_a_malformed_line_is_named_and_loses_nothing(tmp_path, line, said):
    write(tmp_path, HIDE, b"", line)
    before = edits_file(tmp_path).read_bytes()
    with pytest.raises(RunError, match=said) as caught:
        read_edits(tmp_path)
    assert "line 3" in str(caught.value)
    assert "secret words" not in str(caught.value)
    with pytest.raises(RunError):
        add_edit(tmp_path, HIDE)
    assert edits_file(tmp_path).read_bytes() == before


def test_what_is_no_edit_is_not_added(tmp_path):
    for values in ({"action": "hide"}, {"action": "undo", "undoes": 4}, {}):
        with pytest.raises(RunError):
            add_edit(tmp_path, values)
    assert not edits_file(tmp_path).exists()


# The tree


def tree() -> dict[str, pa.Table]:
    """Two facets; in the first, parents 10 (leaves 0, 1) and 11 (leaves 2, 3)."""
    rows = [
        *((0, i, 10 + i // 2 - 10, f"a-{i}", f"a-{10 + i // 2}") for i in range(4)),
        *((1, i, None, f"a-{10 + i}", None) for i in range(2)),
    ]
    schema = pa.schema(
        [
            *((name, pa.int32()) for name in ("level", "index", "parent")),
            *((name, pa.string()) for name in ("cluster_id", "parent_id", "title")),
            ("fallback_titles", pa.list_(pa.string())),
        ]
    )

    def table(rows: list[tuple[int, int, int | None, str, str | None]]) -> pa.Table:
        found = [
            {**dict(zip(schema.names, row, strict=False)), "title": row[3], "fallback_titles": []}
            for row in rows
        ]
        return pa.Table.from_pylist(found, schema=schema)

    return {"a": table(rows), "b": table([(0, 0, None, "b-0", None)])}


def after(*edits: Change) -> tuple[dict[str, dict[str, object]], dict[int, str]]:
    done = apply_edits(tree(), edits)
    rows = {r["cluster_id"]: r for table in done.tables.values() for r in table.to_pylist()}
    return rows, done.set_aside


def test_a_merged_leaf_follows_its_cluster(tmp_path):
    rows, aside = after(
        Merge(edit=1, cluster_id="a-0", into="a-1"),
        Merge(edit=2, cluster_id="a-1", into="a-2"),
        Move(edit=3, cluster_id="a-2", parent_id="a-10"),
    )
    assert aside == {}
    for leaf in ("a-0", "a-1"):
        assert (rows[leaf]["into"], rows[leaf]["parent_id"]) == ("a-2", "a-10")
    assert rows["a-2"]["into"] is None


def test_a_merged_parent_hands_its_children_on():
    rows, _ = after(Merge(edit=1, cluster_id="a-10", into="a-11"))
    assert {rows[f"a-{i}"]["parent_id"] for i in range(4)} == {"a-11"}
    assert {rows[f"a-{i}"]["parent"] for i in range(4)} == {1}


def test_a_new_title_keeps_the_old_one_to_fall_back_on():
    rows, _ = after(Rename(edit=1, cluster_id="a-0", title="Bees"))
    assert (rows["a-0"]["title"], rows["a-0"]["fallback_titles"]) == ("Bees", ["a-0"])


@pytest.mark.parametrize(
    "edit",
    [
        Hide(edit=1, cluster_id="a-99"),
        Merge(edit=1, cluster_id="a-0", into="a-0"),
        Merge(edit=1, cluster_id="a-0", into="a-10"),
        Merge(edit=1, cluster_id="a-0", into="b-0"),
        Move(edit=1, cluster_id="a-10", parent_id="a-11"),
        Move(edit=1, cluster_id="a-0", parent_id="b-0"),
    ],
)
def test_what_does_not_fit_is_set_aside_with_its_reason(edit):
    rows, aside = after(edit)
    assert list(aside) == [1]
    assert rows == after()[0]


IDS = [*(f"a-{i}" for i in range(4)), "a-10", "a-11", "b-0", "a-99"]
some_id = st.sampled_from(IDS)
changes = st.one_of(
    st.builds(Rename, edit=st.just(1), cluster_id=some_id, title=st.just("Bees")),
    st.builds(Merge, edit=st.just(1), cluster_id=some_id, into=some_id),
    st.builds(Move, edit=st.just(1), cluster_id=some_id, parent_id=some_id),
    st.builds(Hide, edit=st.just(1), cluster_id=some_id),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(changes, max_size=8))
def test_any_edits_leave_one_tree_with_the_same_ids(edits):
    numbered = [edit.model_copy(update={"edit": i}) for i, edit in enumerate(edits, start=1)]
    done = apply_edits(tree(), numbered)
    assert sorted([*done.applied, *done.set_aside]) == [e.edit for e in numbered]
    for facet, table in done.tables.items():
        assert table.drop_columns(["into", "hidden"]).schema == tree()[facet].schema
        rows = table.to_pylist()
        known = {row["cluster_id"]: row for row in rows}
        assert list(known) == tree()[facet]["cluster_id"].to_pylist()
        for row in rows:
            above = known.get(row["parent_id"])
            assert (above is None) == (row["parent"] is None)
            if above is not None:
                assert above["level"] == row["level"] + 1
                assert above["index"] == row["parent"]
                assert above["into"] is None
            if row["into"] is not None:
                target = known[row["into"]]
                assert target["into"] is None
                assert target["parent_id"] == row["parent_id"]


# A run


@pytest.fixture(scope="module")
def edited(demo_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The demo with one edit of each kind applied, and one title that the gate refuses."""
    run = tmp_path_factory.mktemp("edited") / "run"
    shutil.copytree(demo_run, run, symlinks=True)
    release = clio.open_release(demo_run)
    one, other = release.children()[:2]
    leaves = release.children(one.cluster_id)[:3]
    word = leaves[0].title.split()[-1]
    ids = [one.cluster_id, other.cluster_id, *(leaf.cluster_id for leaf in leaves)]
    write(
        run,
        {"edit": 1, "action": "rename", "cluster_id": ids[2], "title": f"All about {word}"},
        {"edit": 2, "action": "rename", "cluster_id": ids[3], "title": "Zygotic quokkas"},
        {"edit": 3, "action": "merge", "cluster_id": ids[3], "into": ids[2]},
        {"edit": 4, "action": "move", "cluster_id": ids[4], "parent_id": ids[1]},
        {"edit": 5, "action": "hide", "cluster_id": release.children(ids[1])[0].cluster_id},
        {"edit": 6, "action": "rename", "cluster_id": ids[1], "title": "Zygotic quokkas"},
        {"edit": 7, "action": "hide", "cluster_id": "request-999999"},
    )
    describe(run)
    return run, ids


def test_edits_are_applied_and_numbers_add_up(demo_run, edited):
    run, (one, other, first, second, third) = edited
    before, now = clio.open_release(demo_run), clio.open_release(run)
    assert now.info.number == 2
    assert now.info.totals == before.info.totals
    shown = {c.cluster_id: c for c in now.walk()}
    hidden = before.children(other)[0]
    assert second not in shown
    assert hidden.cluster_id not in shown
    merged = before.cluster(first).conversations + before.cluster(second).conversations
    assert shown[first].conversations == merged
    assert shown[first].title.startswith("All about ")
    assert shown[third].parent_id == other
    assert shown[other].title == before.cluster(other).title
    moved = before.cluster(third).conversations
    assert shown[one].conversations == before.cluster(one).conversations - moved
    assert shown[other].conversations == before.cluster(other).conversations + moved
    assert shown[other].other_conversations >= hidden.conversations
    for cluster in shown.values():
        children = now.children(cluster.cluster_id)
        if children:
            inside = sum(child.conversations for child in children)
            assert inside + cluster.other_conversations == cluster.conversations


def test_what_became_of_each_edit_is_said(edited):
    run, ids = edited
    states = {row["edit"]: row for row in RunEditor(run).edits()}
    assert {n: row["state"] for n, row in states.items()} == {
        **dict.fromkeys((1, 2, 3, 4, 5), "applied"),
        **dict.fromkeys((6, 7), "set aside"),
    }
    assert "too few accounts" in states[6]["reasons"][0]
    assert "no cluster request-999999" in states[7]["reasons"][0]
    restricted = pq.read_table(run / "restricted/clusters.parquet").to_pylist()
    assert ids[3] not in {row["cluster_id"] for row in restricted}


def test_undone_and_interrupted_anywhere_the_release_is_as_before(
    demo_run, edited, tmp_path, monkeypatch
):
    run = tmp_path / "run"
    shutil.copytree(edited[0], run, symlinks=True)
    editor = RunEditor(run)
    for number in range(1, 8):
        editor.add({"action": "undo", "undoes": number})
    write = files.atomic_write
    for after in (0, 1, 3):
        calls = iter(range(after))

        def stopped(*arguments: Any, calls: Iterator[int] = calls, **options: Any) -> None:
            if next(calls, None) is None:
                raise KeyboardInterrupt
            write(*arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(files, "atomic_write", stopped)
            with pytest.raises(KeyboardInterrupt):
                describe(run)
    describe(run)
    assert clio.open_release(run).info.number == 3
    now, before = ((path / "release").resolve() for path in (run, demo_run))
    for path in sorted(before.glob("*.parquet")):
        assert (now / path.name).read_bytes() == path.read_bytes(), path.name


def test_titles_are_checked_at_once_and_each_look_is_noted(edited):
    run, ids = edited
    editor = RunEditor(run)
    good = clio.open_release(run).cluster(ids[4]).title
    assert editor.check(ids[4], good) == []
    assert editor.check(ids[4], "Zygotic quokkas") == [
        "it has a word that too few accounts of the cluster used"
    ]
    before = edits_file(run).read_bytes()
    with pytest.raises(RunError, match="may not be shown") as caught:
        editor.add({"action": "rename", "cluster_id": ids[4], "title": "Zygotic quokkas"})
    assert "quokkas" not in str(caught.value)
    with pytest.raises(RunError, match="no such cluster"):
        editor.add({"action": "hide", "cluster_id": "request-999999"})
    assert edits_file(run).read_bytes() == before
    log = (run / "restricted/access.log").read_text()
    assert ids[4] in log
    assert "quokkas" not in log


def test_a_malformed_file_stops_a_run_before_it_works(edited, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(edited[0], run, symlinks=True)
    write(run, b"{")
    with pytest.raises(RunError, match="line 1 is no JSON object"):
        describe(run)
    assert clio.open_release(run).info.number == 2


def test_only_a_finished_run_is_edited(tmp_path):
    with pytest.raises(RunError, match="is no run"):
        RunEditor(tmp_path)


def test_an_undo_of_an_undo_counts_as_often_as_it_stands():
    hide = Hide(edit=1, cluster_id="a")
    undos = [Undo(edit=i, undoes=i - 1) for i in range(2, 6)]
    for n in range(5):
        assert in_force([hide, *undos[:n]]) == ([hide] if n % 2 == 0 else [])
