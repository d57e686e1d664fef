"""Conversations of a run as rows of numbers: who wrote when, about what, and in which wording."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clio.conversation import Role
from clio.errors import SettingsError
from clio.pipeline import files
from clio.pipeline.progress import Progress
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stages.cluster import text_leaves_file
from clio.pipeline.stages.read import conversations_folder
from clio.pipeline.stages.texts import members_file
from clio.safety import Rows, Sketcher, alike

Ids = NDArray[np.int64]

DAY: Final = 86_400
"""Seconds of a day."""

SYSTEM_PROMPT: Final = "system prompt"


class Actions:
    """The clustered conversations of a run, read shard by shard; no text is kept.

    Parameters
    ----------
    directory
        The run.
    facet
        Whose clusters count.
    labels, sources
        Labels that are evidence, and labels that say where texts came from.
    seed
        Of the signatures of texts.
    progress
        Told of each shard.

    Attributes
    ----------
    rows
        The conversations, in the order of the table.
    accounts
        Pseudonyms, by number: in the order in which they first appear.
    ids
        Ids of the conversations.
    start
        Midnight of the first day, in seconds since 1970.
    read
        Conversations of the table, with those that have no cluster.

    Raises
    ------
    SettingsError
        No conversation has a label of this name.
    """

    def __init__(
        self,
        directory: RunDirectory,
        facet: str,
        *,
        labels: Sequence[str],
        sources: Sequence[str],
        seed: int,
        progress: Progress,
    ) -> None:
        self._names = tuple(dict.fromkeys([*labels, *sources]))
        self._codes: dict[tuple[str, bytes], int] = {}
        self._sketcher = Sketcher(seed)
        self._members = files.read_table(
            members_file(directory, facet), ["conversation_id", "text", "language"]
        ).combine_chunks()
        self._leaves = np.load(text_leaves_file(directory, facet)).astype(np.int64)
        self.read = 0
        parts = []
        for path in files.parts(conversations_folder(directory)):
            parts.append(self._part(path))
            progress.advanced(len(parts[-1]["leaf"]))
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        for name in self._names:
            if not (columns[name] >= 0).any():
                raise SettingsError(f"no conversation of the run has a label named {name!r}")
        self.ids = pa.chunked_array([pa.array(part["id"]) for part in parts])
        names = pa.chunked_array([pa.array(part["account"]) for part in parts])
        # By first appearance: the order of the pseudonyms would be the key's, and so would draws.
        self.accounts = names.unique()
        account = pc.index_in(names, value_set=self.accounts).to_numpy().astype(np.int64)
        self.rows = self._rows(columns, account, labels, sources)

    def _rows(
        self,
        columns: dict[str, NDArray[Any]],
        account: Ids,
        labels: Sequence[str],
        sources: Sequence[str],
    ) -> Rows:
        group = np.append(alike(self._sketcher.signatures()), -1)
        first, longest = columns["first"], columns["longest"]
        # The turn whose text more accounts have: what follows a template, or goes before it,
        # may be anything.
        users = np.append(_users(np.concatenate([group[first], group[longest]]), account), 0)
        wording = np.where(users[group[longest]] > users[group[first]], longest, first)
        known = columns["second"] >= 0
        seconds = columns["second"][known]
        self.start = int(seconds.min()) // DAY * DAY if len(seconds) else 0
        second = np.where(known, columns["second"] - self.start, -1)
        return Rows(
            account=account,
            accounts=len(self.accounts),
            day=np.where(known, second // DAY, -1),
            second=second,
            leaf=columns["leaf"],
            language=columns["language"],
            text=group[wording],
            wording=wording,
            labels={name: columns[name] for name in labels},
            sources={SYSTEM_PROMPT: columns[SYSTEM_PROMPT], **{n: columns[n] for n in sources}},
        )

    def _part(self, path: Path) -> dict[str, Any]:
        names = ["conversation_id", "account", "created_at", "messages"]
        table = files.read_table(path, [*names, *(["labels"] if self._names else [])])
        self.read += table.num_rows
        ids = self._members["conversation_id"]
        place = pc.index_in(table["conversation_id"], value_set=ids)
        known = pc.is_valid(place)
        table = table.filter(known).combine_chunks()
        member = place.filter(known).to_numpy().astype(np.int64)
        second = table["created_at"].cast(pa.timestamp("s", tz="UTC"), safe=False)
        first, longest, system = self._turns(table["messages"].combine_chunks())
        columns = {
            "id": table["conversation_id"].combine_chunks(),
            "account": table["account"].combine_chunks(),
            "second": pc.fill_null(second.cast(pa.int64()), -1).to_numpy(),
            "leaf": self._leaves[self._members["text"].to_numpy()[member]],
            "language": self._coded("language", self._members["language"].take(pa.array(member))),
            "first": first,
            "longest": longest,
            SYSTEM_PROMPT: system,
        }
        if self._names:
            found = [orjson.loads(text) for text in table["labels"].to_pylist()]
            for name in self._names:
                values = [_value(labels.get(name)) for labels in found]
                columns[name] = self._coded(name, pa.array(values, pa.string()))
        return columns

    def _turns(self, messages: pa.ListArray) -> tuple[Ids, Ids, Ids]:
        """Numbers of each conversation's first and longest request and of its system prompt."""
        count = len(messages)
        lengths = messages.value_lengths().to_numpy(zero_copy_only=False)
        of = np.repeat(np.arange(count), lengths)
        flat = messages.flatten()
        role = flat.field("role")
        asked = np.flatnonzero(pc.equal(role, Role.USER.value).to_numpy(zero_copy_only=False))
        content = flat.field("content").take(pa.array(asked))
        size = pc.utf8_length(content).to_numpy(zero_copy_only=False)
        who = of[asked]
        leading = np.unique(who, return_index=True)
        by_size = np.lexsort((-size, who))
        longest = by_size[np.unique(who[by_size], return_index=True)[1]]
        turns = []
        for at in (leading[1], longest):
            numbers = np.full(count, -1, np.int64)
            numbers[leading[0]] = self._sketcher.add(content.take(pa.array(at)))
            turns.append(numbers)
        prompting = np.flatnonzero(pc.equal(role, Role.SYSTEM.value).to_numpy(zero_copy_only=False))
        where, at = np.unique(of[prompting], return_index=True)
        system = np.full(count, -1, np.int64)
        prompts = flat.field("content").take(pa.array(prompting[at], pa.int64()))
        system[where] = self._coded(SYSTEM_PROMPT, prompts)
        return turns[0], turns[1], system

    def _coded(self, name: str, values: Any) -> Ids:
        """Numbers of values, the same in all shards; -1 for null. Values are hashed, not kept."""
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        encoded = values.dictionary_encode()
        numbers = [self._code(name, value) for value in encoded.dictionary.to_pylist()]
        indices = pc.fill_null(encoded.indices, len(numbers)).to_numpy(zero_copy_only=False)
        return np.asarray(np.array([*numbers, -1], np.int64)[indices])

    def _code(self, name: str, value: str) -> int:
        digest = hashlib.blake2b(value.encode(), digest_size=16).digest()
        return self._codes.setdefault((name, digest), len(self._codes))


def _users(group: Ids, account: Ids) -> Ids:
    """Accounts of each group of texts; the rows are there twice, for two turns."""
    known = group >= 0
    who = np.concatenate([account, account])[known]
    if not len(who):
        return np.empty(0, np.int64)
    width = int(who.max()) + 1
    both = np.unique(group[known] * width + who)
    return np.bincount(both // width, minlength=int(group.max()) + 1).astype(np.int64)


def _value(label: object) -> str | None:
    """A label as one text; lists, objects and what is absent have none."""
    if isinstance(label, str) and label:
        return label
    return str(label) if isinstance(label, int | float) else None


def longest_requests(directory: RunDirectory, wanted: Sequence[str]) -> dict[str, str]:
    """The longest request of conversations, by id.

    Parameters
    ----------
    directory
        The run.
    wanted
        Ids of conversations, few enough to be held.
    """
    ids = pa.array(sorted(set(wanted)), pa.string())
    found: dict[str, str] = {}
    for path in files.parts(conversations_folder(directory)) if len(ids) else []:
        names = files.read_table(path, ["conversation_id"])["conversation_id"]
        place = np.flatnonzero(pc.is_in(names, value_set=ids).to_numpy())
        if not len(place):
            continue
        table = files.read_table(path, ["conversation_id", "messages"]).take(pa.array(place))
        for row in table.to_pylist():
            asked = [m["content"] for m in row["messages"] if m["role"] == Role.USER.value]
            found[row["conversation_id"]] = max(asked, key=len, default="")
    return found
