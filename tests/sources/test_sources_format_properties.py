"""Whatever is written in a format reads back; whatever comes ends as a conversation or a reason."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from format_samples import FORMATS, NAMES, ORIGIN, A, U, format_of, samples
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from clio.conversation import Conversation, Message, Role
from clio.sources import expand, read
from clio.sources.registry import ROW_FORMATS
from clio.sources.rows import RejectedError
from clio.testing.exports import ABANDONED, HIDDEN
from clio.testing.formats import WRITERS, write

# Machines that build are busy: no test fails for being slow.
unhurried = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


# Round trips


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ids = texts.filter(lambda text: bool(text.strip()))
times = st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 31), timezones=st.just(UTC))
names = st.sampled_from(["alpha", "beta-2", "g-Xy12"])
conversations = st.builds(
    Conversation,
    conversation_id=ids,
    user_id=st.none() | ids,
    created_at=st.none() | times,
    messages=st.lists(
        st.builds(Message, st.sampled_from(Role), texts | st.just("[tool call]")), max_size=6
    ).map(tuple),
    labels=st.fixed_dictionaries(
        {},
        optional={
            "model": names,
            "title": ids,
            "custom_gpt": names,
            "country": names,
            "state": names,
            "stated_language": names,
            "toxic": st.booleans(),
            "redacted": st.booleans(),
            "flagged": st.booleans(),
        },
    ),
)


def dialogue(item: Conversation) -> tuple[Message, ...]:
    return tuple(m for m in item.messages if m.role in (U, A))


def filled(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return tuple(m for m in messages if m.content.strip())


def some(item: Conversation, *kept: str, **defaults: Any) -> dict[str, Any]:
    labels = {name: item.labels[name] for name in kept if name in item.labels}
    return {**defaults, **labels}


def clio_keeps(item: Conversation) -> Conversation:
    return item


def openai_keeps(item: Conversation) -> Conversation:
    moment = item.created_at
    return replace(
        item,
        created_at=None if moment is None else moment.replace(microsecond=0),
        labels={**item.labels, **some(item, "model", model="gpt-4o-mini")},
    )


def openai_log_keeps(item: Conversation) -> Conversation:
    kept = openai_keeps(item)
    # An answer equal to the turn before it is taken for that turn.
    last = kept.messages[-2:]
    if len(last) == 2 and last[0] == last[1] and last[1].role is A:
        kept = replace(kept, messages=kept.messages[:-1])
    return kept


def wildchat_keeps(item: Conversation) -> Conversation:
    shared = {"toxic": False, "redacted": False, "stated_language": "English"}
    labels = some(
        item,
        *("model", "stated_language", "toxic", "redacted", "state", "country"),
        **shared,
        model="gpt-3.5-turbo-0301",
    )
    labels |= some(item, "flagged", flagged=False) if dialogue(item) else {}
    return replace(item, messages=dialogue(item), labels=labels)


def lmsys_keeps(item: Conversation) -> Conversation:
    labels = some(
        item,
        *("model", "stated_language", "redacted"),
        model="vicuna-13b",
        stated_language="English",
        redacted=False,
    )
    labels |= some(item, "flagged", flagged=False) if dialogue(item) else {}
    kept = replace(item, messages=dialogue(item), labels=labels)
    return replace(kept, user_id=None, created_at=None)


def sharegpt_keeps(item: Conversation) -> Conversation:
    return replace(item, user_id=None, created_at=None, labels={})


def chatgpt_keeps(item: Conversation) -> Conversation:
    return replace(
        item,
        user_id="chatgpt-export:ann-export.zip",
        messages=filled(item.messages),
        labels=some(item, "model", "title", "custom_gpt", model="gpt-4o"),
    )


def claude_keeps(item: Conversation) -> Conversation:
    return replace(
        item,
        user_id=item.user_id or "claude-export:ann-export.zip",
        messages=filled(dialogue(item)),
        labels=some(item, "title"),
    )


KEEPS: dict[str, Callable[[Conversation], Conversation]] = {
    "clio": clio_keeps,
    "openai": openai_keeps,
    "openai-log": openai_log_keeps,
    "wildchat": wildchat_keeps,
    "lmsys": lmsys_keeps,
    "sharegpt": sharegpt_keeps,
    "chatgpt": chatgpt_keeps,
    "claude": claude_keeps,
}
IDS_CHANGE = {"openai", "openai-log", "sharegpt", "wildchat"}


def test_every_format_has_a_writer_and_a_property() -> None:
    assert KEEPS.keys() == WRITERS.keys()
    assert {name.partition("-")[0] for name in WRITERS} == NAMES.keys()
    assert {known.name for known in FORMATS} == set(NAMES.values())


@unhurried
@given(data=st.data())
@pytest.mark.parametrize("name", WRITERS)
def test_what_is_written_is_recognised_by_its_format_alone(name: str, data: st.DataObject) -> None:
    item = data.draw(conversations.filter(lambda item: bool(dialogue(item))))
    (record,) = WRITERS[name]([item])
    expected = NAMES[name.partition("-")[0]]
    assert [known.name for known in FORMATS if known.recognises(record)] == [expected]


@pytest.mark.parametrize("name", WRITERS)
@unhurried
@given(item=conversations)
def test_what_is_written_reads_back(name: str, item: Conversation) -> None:
    (record,) = WRITERS[name]([item])
    record = orjson.loads(orjson.dumps(record))
    (row_format,) = [f for f in FORMATS if f.name == NAMES[name.partition("-")[0]]]
    found = row_format.parse(record, ORIGIN)
    expected = KEEPS[name](item)
    if name in IDS_CHANGE:
        if name != "wildchat":
            assert found.conversation_id.startswith(f"{item.conversation_id}-")
        found = replace(found, conversation_id=item.conversation_id)
    assert found == expected
    everything = repr([message.content for message in found.messages])
    said = repr([message.content for message in item.messages])
    assume(ABANDONED not in said and HIDDEN not in said)
    assert ABANDONED not in everything
    assert HIDDEN not in everything


@unhurried
@given(items=st.lists(conversations, max_size=4), data=st.data())
def test_files_read_back(items: list[Conversation], data: st.DataObject) -> None:
    name, suffix = data.draw(
        st.sampled_from(
            [(name, suffix) for name in WRITERS for suffix in (".jsonl", ".jsonl.gz", ".jsonl.zst")]
            + [("clio", ".parquet"), ("wildchat", ".parquet"), ("lmsys", ".parquet")]
        )
    )
    items = [item for item in items if dialogue(item)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"input{suffix}"
        write(path, items, name)
        rows = list(read([path]))
    found = [row.conversation for row in rows]
    assert [item and item.messages for item in found] == [KEEPS[name](i).messages for i in items]
    assert {row.format for row in rows} <= {NAMES[name.partition("-")[0]]}
    if suffix == ".parquet":
        for item, kept in zip(found, map(KEEPS[name], items), strict=True):
            assert item is not None
            assert (item.user_id, item.created_at) == (kept.user_id, kept.created_at)
            assert item.labels == kept.labels


@pytest.mark.parametrize("name", ["chatgpt", "claude", "openai", "clio"])
@pytest.mark.parametrize("suffix", [".json", ".zip"])
def test_arrays_and_archives_read_back(tmp_path: Path, name: str, suffix: str) -> None:
    turns = (Message(U, "Why?"), Message(A, "Because."))
    items = [Conversation(str(n), "u", None, turns) for n in range(30)]
    path = tmp_path / f"export{suffix}"
    write(path, items, name)
    first = path.read_bytes()
    write(path, items, name)
    assert path.read_bytes() == first
    rows = [row for row in read(expand([path])) if row.conversation is not None]
    assert [row.conversation and row.conversation.messages for row in rows] == [turns] * 30


def test_writers_refuse_what_they_cannot_hold(tmp_path: Path) -> None:
    for name, file in (("chatgpt", "a.parquet"), ("clio", "a.csv"), ("other", "a.jsonl")):
        with pytest.raises(ValueError, match=r"Parquet|held|format"):
            write(tmp_path / file, [], name)


# Whatever comes


KEYS = sorted(
    {key for folder in NAMES for record in samples(folder) for key in record}
    | {"role", "content", "type", "text", "parts", "from", "value", "parent", "children", "author"}
    | {"message", "metadata", "content_type", "choices", "sender", "uuid", "attachments", "weight"}
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(
        [
            *(10**30, -(10**400), float("nan"), float("inf"), 1741000000, 0),
            *("\ud800", "user", "human", "assistant", "all", "text", "tool_result", "a", "b"),
            *(datetime(1, 1, 1), datetime.max.replace(tzinfo=UTC), date(2024, 2, 29), b"x"),
        ]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=24,
)
SAMPLE_ROWS = [record for folder in NAMES for record in samples(folder)]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inner:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from places(item, (*path, key))


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    record = copy.deepcopy(draw(st.sampled_from(SAMPLE_ROWS)))
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(record))
        if not found:
            break
        *path, last = draw(st.sampled_from(found))
        holder: Any = record
        for key in path:
            holder = holder[key]
        if draw(st.integers(0, 3)) == 0:
            del holder[last]
        else:
            holder[last] = draw(values)
    return record


def ends_well(record: dict[str, Any]) -> None:
    for known in ROW_FORMATS:
        assert known.recognises(record) in (True, False)
        try:
            found = known.parse(record, ORIGIN)
        except RejectedError:
            continue
        assert isinstance(found, Conversation)
        assert isinstance(found.conversation_id, str)
        assert found.conversation_id
        assert found.user_id is None or isinstance(found.user_id, str)
        assert found.created_at is None or found.created_at.tzinfo is UTC
        assert all(type(m.content) is str and type(m.role) is Role for m in found.messages)
        assert all(isinstance(name, str) for name in found.labels)


def deep() -> Any:
    value: Any = "x"
    for _ in range(3_000):
        value = [value]
    return value


ODD = {
    "null": None,
    "huge number": 10**5_000,
    "deep list": deep(),
    "empty list": [],
    "empty object": {},
    "list of objects": [{}],
    "number": 7,
    "text": "x",
}


@pytest.mark.parametrize("odd", ODD)
def test_any_one_value_of_a_sample_may_be_odd(odd: str) -> None:
    for record in SAMPLE_ROWS:
        row_format = format_of(record)
        for *path, last in list(places(record)):
            holder: Any = record
            for key in path:
                holder = holder[key]
            whole, holder[last] = holder[last], ODD[odd]
            try:
                found = row_format.parse(record, ORIGIN)
            except RejectedError:
                pass
            else:
                assert isinstance(found, Conversation)
            holder[last] = whole


@settings(unhurried, max_examples=300)
@given(record=mutated())
def test_mutated_rows_end_as_conversations_or_reasons(record: dict[str, Any]) -> None:
    ends_well(record)


@settings(unhurried, max_examples=200)
@given(record=st.dictionaries(st.sampled_from(KEYS), values, max_size=8))
def test_any_values_end_as_conversations_or_reasons(record: dict[str, Any]) -> None:
    ends_well(record)
