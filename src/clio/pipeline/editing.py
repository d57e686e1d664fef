"""A person's edits of a run's tree: ``edits.jsonl``, one JSON object a line, and what they do.

Lines are only ever added: what is undone stays in the file, and says so. An edit that names a
cluster which a new tree no longer has is set aside, not lost: it holds again where the cluster
does.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import orjson
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from clio.errors import RunError
from clio.pipeline import files

TITLE_CHARS: Final = 120
"""A title is a few words."""

Title = Annotated[str, Field(min_length=1, max_length=TITLE_CHARS, pattern=r"^\S(?:.*\S)?$")]
ClusterId = Annotated[str, Field(min_length=1, max_length=200)]


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    edit: int = Field(ge=1, description="number of the edit, given once")


class Rename(_Line):
    """Another title for a cluster, where its words pass the gate."""

    action: Literal["rename"] = "rename"
    cluster_id: ClusterId
    title: Title


class Merge(_Line):
    """A cluster becomes a part of another one of its level, whose id and title stay."""

    action: Literal["merge"] = "merge"
    cluster_id: ClusterId
    into: ClusterId


class Move(_Line):
    """A cluster comes under another parent, one level above it."""

    action: Literal["move"] = "move"
    cluster_id: ClusterId
    parent_id: ClusterId


class Hide(_Line):
    """A cluster is not shown, nor what lies under it: it counts in its parent's others."""

    action: Literal["hide"] = "hide"
    cluster_id: ClusterId


class Undo(_Line):
    """An earlier edit does not hold; one that undoes may be undone too."""

    action: Literal["undo"] = "undo"
    undoes: int = Field(ge=1, description="number of an earlier edit")


Change = Rename | Merge | Move | Hide
Edit = Change | Undo

_EDIT: Final[TypeAdapter[Edit]] = TypeAdapter(
    Annotated[Rename | Merge | Move | Hide | Undo, Field(discriminator="action")]
)


def edits_file(run: Path) -> Path:
    """The contract's file of a person's edits."""
    return run / "edits.jsonl"


def read_edits(run: Path) -> list[Edit]:
    """All edits of a run, undone ones too, in the order in which they were made.

    Parameters
    ----------
    run
        The run directory; a file that is not there holds no edits.

    Raises
    ------
    RunError
        A line is no edit; the message names the line, and the file is left as it is.
    """
    path = edits_file(run)
    found: dict[int, Edit] = {}
    lines = path.read_bytes().splitlines() if path.is_file() else []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        edit = parse(line, f"{path}, line {number}")
        if edit.edit in found:
            raise RunError(f"{path}, line {number}: edit {edit.edit} stands twice; renumber one")
        if isinstance(edit, Undo) and edit.undoes not in found:
            raise RunError(
                f"{path}, line {number}: it undoes edit {edit.undoes}, which does not stand before "
                "it; correct the number or remove the line"
            )
        found[edit.edit] = edit
    return list(found.values())


def parse(line: bytes, where: str) -> Edit:
    """One edit.

    Raises
    ------
    RunError
        It is none; the message begins with `where` and quotes nothing of the line.
    """
    try:
        values = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise RunError(f"{where} is no JSON object; correct or remove it") from None
    return parse_values(values, where)


def parse_values(values: Any, where: str = "the edit") -> Edit:
    """One edit from JSON values; raises as `parse`."""
    try:
        return _EDIT.validate_python(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        if first["type"].startswith("union_tag"):
            raise RunError(
                f"{where}: 'action' is rename, merge, move, hide or undo; correct or remove it"
            ) from None
        name = str(first["loc"][-1]) if len(first["loc"]) > 1 else "it"
        known = {key for model in (Rename, Merge, Move, Hide, Undo) for key in model.model_fields}
        what = f"'{name}'" if name in known else "a field"
        raise RunError(f"{where}: {what}: {_said(first['type'])}; correct or remove it") from None


def _said(kind: str) -> str:
    return {
        "missing": "is missing",
        "extra_forbidden": "is not known",
        "string_pattern_mismatch": "is empty, or begins or ends with a space",
        "string_too_long": "is too long",
        "string_too_short": "is empty",
    }.get(kind, "is not of the right kind")


def add_edit(run: Path, values: Mapping[str, Any]) -> Edit:
    """Add an edit to a run's file, under the next number.

    Parameters
    ----------
    run
        The run directory.
    values
        ``action`` and what it needs, without a number.

    Raises
    ------
    RunError
        It is no edit, or the file holds a line that is none; nothing is written then.
    """
    path = edits_file(run)
    with _alone(run):
        before = read_edits(run)
        number = 1 + max((edit.edit for edit in before), default=0)
        edit = parse_values({**values, "edit": number})
        if isinstance(edit, Undo) and edit.undoes not in {e.edit for e in before}:
            raise RunError(f"there is no edit {edit.undoes} to undo")
        known = path.read_bytes() if path.is_file() else b""
        if known and not known.endswith(b"\n"):
            known += b"\n"
        line = orjson.dumps(edit.model_dump(), option=orjson.OPT_SORT_KEYS) + b"\n"
        files.write_bytes(path, known + line)
    return edit


@contextmanager
def _alone(run: Path) -> Iterator[None]:
    """No other process adds an edit meanwhile. The file itself is replaced, so the folder locks."""
    descriptor = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def in_force(edits: Sequence[Edit]) -> list[Change]:
    """Edits that are not undone, in order."""
    undone: set[int] = set()
    for edit in reversed(edits):
        if isinstance(edit, Undo) and edit.edit not in undone:
            undone.add(edit.undoes)
    return [e for e in edits if not isinstance(e, Undo) and e.edit not in undone]


REFUSED: Final = {
    "word": "it has a word that too few accounts of the cluster used",
    "sensitive": "it has a sensitive word that too few accounts of the cluster used",
    "copied": "it repeats what too few accounts wrote",
    "identifier": "it looks like a name, an address or a number of somebody",
    "number": "it has a number of four or more digits",
    "placeholder": "it has a placeholder of the scrubber",
    "characters": "it has characters that no title has",
    "length": "it is too long",
    "empty": "it has no word",
}
"""Why the wording gate keeps a title back, in words that quote nothing of it."""


def refusal(reasons: Iterable[str]) -> str:
    """That a title may not be shown, by reasons of `clio.privacy.wording.check`."""
    return f"the title may not be shown: {'; '.join(REFUSED[reason] for reason in reasons)}"


@dataclass
class Edited:
    """What became of a tree.

    Attributes
    ----------
    tables
        Nodes by facet: all rows and columns that were given, with ``into`` (id of the cluster that
        a merged one became a part of) and ``hidden``.
    applied
        Numbers of the edits that hold.
    set_aside
        Numbers of those that do not, with the reason.
    """

    tables: dict[str, pa.Table]
    applied: list[int] = field(default_factory=list)
    set_aside: dict[int, str] = field(default_factory=dict)


_ADDED: Final = (("into", pa.string()), ("hidden", pa.bool_()))


def apply_edits(nodes: Mapping[str, pa.Table], edits: Iterable[Change]) -> Edited:
    """Apply edits to the trees of a run, one after the other.

    Parameters
    ----------
    nodes
        By facet; see `clio.pipeline.stages.hierarchy.built_file`.
    edits
        Those in force, in order.

    Returns
    -------
    Edited
        Ids and indices are as they were.
    """
    trees = {
        facet: [{**row, "into": None, "hidden": False} for row in table.to_pylist()]
        for facet, table in nodes.items()
    }
    places = {row["cluster_id"]: (facet, row) for facet, rows in trees.items() for row in rows}
    done = Edited({})
    for edit in edits:
        reason = _apply(edit, places, trees)
        if reason is None:
            done.applied.append(edit.edit)
        else:
            done.set_aside[edit.edit] = reason
    for facet, table in nodes.items():
        _follow(trees[facet], places)
        schema = table.schema
        for name, kind in _ADDED:
            schema = schema.append(pa.field(name, kind))
        done.tables[facet] = pa.Table.from_pylist(trees[facet], schema=schema)
    return done


_Row = dict[str, Any]


def _apply(
    edit: Change, places: Mapping[str, tuple[str, _Row]], trees: Mapping[str, list[_Row]]
) -> str | None:
    """Apply one edit in place, or say why it cannot be."""
    others = {Merge: "into", Move: "parent_id"}
    named = [edit.cluster_id]
    if type(edit) in others:
        named.append(getattr(edit, others[type(edit)]))
    for cluster_id in named:
        if cluster_id not in places:
            return f"the tree has no cluster {cluster_id}"
        into = places[cluster_id][1]["into"]
        if into is not None:
            return f"{cluster_id} was merged into {into} before"
    facet, row = places[edit.cluster_id]
    match edit:
        case Rename():
            row["fallback_titles"] = [row["title"], *row["fallback_titles"]]
            row["title"] = edit.title
        case Hide():
            row["hidden"] = True
        case Merge():
            return _merge(row, places[edit.into], facet, trees)
        case Move():
            above_facet, above = places[edit.parent_id]
            if above_facet != facet or above["level"] != row["level"] + 1:
                return f"{edit.parent_id} is not one level above {edit.cluster_id}"
            row["parent"], row["parent_id"] = above["index"], above["cluster_id"]
    return None


def _merge(
    row: _Row, target: tuple[str, _Row], facet: str, trees: Mapping[str, list[_Row]]
) -> str | None:
    other_facet, other = target
    if other is row:
        return f"{row['cluster_id']} cannot be merged into itself"
    if other_facet != facet or other["level"] != row["level"]:
        return f"{other['cluster_id']} is not of the level of {row['cluster_id']}"
    row["into"] = other["cluster_id"]
    for child in trees[facet]:
        if child["parent_id"] == row["cluster_id"]:
            child["parent"], child["parent_id"] = other["index"], other["cluster_id"]
    return None


def _follow(rows: Iterable[_Row], places: Mapping[str, tuple[str, _Row]]) -> None:
    """Lead what was merged to where its cluster is now, however often that was merged on."""
    for row in rows:
        if row["into"] is None:
            continue
        target = places[row["into"]][1]
        while target["into"] is not None:
            target = places[target["into"]][1]
        row["into"] = target["cluster_id"]
        row["parent"], row["parent_id"] = target["parent"], target["parent_id"]
