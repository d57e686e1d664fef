"""Every row format: it takes its own samples and no others, and reads what they say."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from format_samples import (
    FORMATS,
    NAMES,
    ORIGIN,
    SAMPLES,
    UNKNOWN,
    A,
    S,
    T,
    U,
    companions,
    decoded,
    parsed,
    said,
    sample,
    samples,
)

from clio.sources import expand, read
from clio.sources.rows import Origin, Reason, RejectedError

# Which format a row is of


@pytest.mark.parametrize("folder", NAMES)
def test_each_sample_is_recognised_by_its_format_alone(folder: str) -> None:
    found = list(samples(folder))
    assert found
    for record in found:
        assert [known.name for known in FORMATS if known.recognises(record)] == [NAMES[folder]]


def test_other_rows_of_an_export_say_that_they_are_no_conversations() -> None:
    found = list(companions())
    assert len(found) >= 8
    for record in found:
        assert not any(known.recognises(record) for known in FORMATS)
        with pytest.raises(RejectedError, match="provider's export that is no conversation"):
            UNKNOWN.parse(record, ORIGIN)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"text": "private words"},
        {"instruction": "private words", "input": "", "output": "b"},
        {"model": "text-embedding-3-small", "input": "private words"},
        {"custom_id": "1", "body": {"model": "text-embedding-3-small", "input": "private words"}},
        {"items": [{"from": "ann@example.com", "subject": "private words"}]},
        {"conversation": "private words"},
        {"chats": [], "private words": 1},
    ],
)
def test_rows_of_no_known_format_say_what_was_expected(record: dict[str, Any]) -> None:
    assert not any(known.recognises(record) for known in FORMATS)
    with pytest.raises(RejectedError) as caught:
        UNKNOWN.parse(record, ORIGIN)
    assert caught.value.reason is Reason.UNKNOWN_FORMAT
    assert "expected" in str(caught.value)
    assert "private" not in str(caught.value)


# What the samples say


def test_openai_fine_tuning_rows() -> None:
    plain, tools, old = (sample("openai", "fine_tuning.jsonl", at) for at in range(3))
    assert [role for role, _ in said(plain)] == [S, U, A]
    assert said(tools)[2:] == [
        (A, "[tool call]"),
        (T, '{"first": "07:02"}'),
        (A, "At 07:02."),
    ]
    assert said(old) == [(U, "Old style call"), (A, "[tool call]"), (T, "none")]
    assert (plain.user_id, plain.created_at, plain.labels) == (None, None, {})
    assert len(plain.conversation_id) == 64


def test_openai_logs() -> None:
    stored, pair, openpipe = (sample("openai", "logs.jsonl", at) for at in range(3))
    assert stored.conversation_id.startswith("chatcmpl-Bq1-")
    assert stored.user_id == "acct-9"
    assert stored.created_at == datetime(2025, 3, 3, 9, tzinfo=UTC)
    assert stored.labels == {"app": "helpdesk", "tier": "free", "model": "gpt-4o-2024-08-06"}
    assert said(stored) == [(U, "Read this receipt.\n[image]\n[file]"), (A, "The total is 12.40.")]
    assert said(pair) == [(U, "Write a birthday wish."), (A, "I cannot do that.")]
    assert pair.user_id == "acct-10"
    assert said(openpipe) == [(U, "Say it aloud."), (A, "Good morning!")]


def test_batches_of_requests_and_of_answers() -> None:
    chat, response, answer, asked, answered = (
        sample("openai", "batch.jsonl", at) for at in range(5)
    )
    assert said(chat) == [(S, "Be brief."), (U, "Why is the sea salty?")]
    assert said(response) == [(S, "Be brief."), (U, "Name three rivers.")]
    assert said(asked) == [(U, "Suggest a name for a cat.")]
    for alone in (answer, answered):
        assert alone.requester_turns() == []
        assert [role for role, _ in said(alone)] == [A]


def test_ids_of_two_batches_do_not_meet_but_repeated_rows_do() -> None:
    row = {"custom_id": "request-1", "body": {"messages": [{"role": "user", "content": "a"}]}}
    other = {"custom_id": "request-1", "body": {"messages": [{"role": "user", "content": "b"}]}}
    elsewhere = Origin("other.jsonl", 9, "other")
    assert parsed(row).conversation_id == parsed(row, elsewhere).conversation_id
    assert parsed(row).conversation_id != parsed(other).conversation_id


def test_an_answer_that_the_messages_hold_already_comes_once() -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    record = {"messages": turns, "response": {"choices": [{"message": turns[1]}]}}
    assert said(parsed(record)) == [(U, "a"), (A, "b")]


def test_openai_responses() -> None:
    trip, train = (sample("openai", "responses.jsonl", at) for at in range(2))
    assert said(trip) == [
        (S, "You plan trips."),
        (U, "Two days in Porto?\n[image]"),
        (A, "[tool call]"),
        (A, "Day one: Ribeira."),
    ]
    assert said(train) == [(U, "And by train?"), (A, "[tool call]"), (A, "I cannot book.")]
    assert train.created_at == datetime(2025, 3, 3, 9, 4, tzinfo=UTC)


def test_anthropic_messages() -> None:
    found = sample("openai", "anthropic.jsonl", 0)
    assert found.user_id == "acct-11"
    assert said(found) == [
        (S, "You help with spreadsheets."),
        (U, "[file]\nSum the second column."),
        (A, "Let me look.\n[tool call]"),
        (T, "[tool result]"),
        (A, "[tool call]\n[tool result]\nIt is 41."),
    ]


def test_gemini_contents() -> None:
    bird, video = (sample("openai", "gemini.jsonl", at) for at in range(2))
    assert said(bird) == [
        (S, "Answer in German."),
        (U, "What bird is this?\n[image]"),
        (A, "[tool call]"),
        (T, "[tool result]"),
        (A, "Ein Rotkehlchen."),
    ]
    assert said(video)[0] == (U, "Und dieser?\n[video]")


def test_wildchat_rows() -> None:
    rows = [sample("wildchat", "rows.jsonl", at) for at in range(4)]
    first = rows[0]
    assert first.created_at == datetime(2023, 4, 9, 0, 2, 53, tzinfo=UTC)
    assert first.labels == {
        "model": "gpt-3.5-turbo-0301",
        "stated_language": "English",
        "country": "Portugal",
        "state": "Lisbon",
        "toxic": False,
        "redacted": False,
        "flagged": False,
    }
    assert rows[2].labels["flagged"] is True
    assert said(rows[2])[1] == (A, "")
    # The last row has its account on the turns alone.
    assert rows[0].user_id == rows[2].user_id == rows[3].user_id
    assert rows[1].user_id not in (None, rows[0].user_id)
    assert rows[3].labels["country"] == "Portugal"


def test_the_same_text_by_two_accounts_is_no_duplicate_in_wildchat() -> None:
    rows = decoded(SAMPLES / "wildchat" / "rows.jsonl")
    assert rows[0]["conversation_hash"] == rows[1]["conversation_hash"]
    ids = [parsed(row).conversation_id for row in (rows[0], rows[1], rows[0])]
    assert ids[0] == ids[2] != ids[1]
    for row in rows:
        for turn in row["conversation"]:
            del turn["turn_identifier"]
    ids = [parsed(row).conversation_id for row in (rows[0], rows[1], rows[0])]
    assert ids[0] == ids[2] != ids[1]
    assert rows[0]["hashed_ip"] not in ids[0]


def test_the_first_release_of_wildchat() -> None:
    found = sample("wildchat", "first_release.jsonl", 0)
    assert (found.user_id, found.labels["model"]) == (None, "gpt-4")
    assert said(found) == [(U, "Explain tides."), (A, "The moon pulls the sea.")]


def test_lmsys_rows() -> None:
    rows = [sample("lmsys", "rows.jsonl", at) for at in range(3)]
    assert rows[1].labels == {
        "model": "koala-13b",
        "stated_language": "German",
        "redacted": True,
        "flagged": False,
    }
    assert rows[2].labels["flagged"] is True
    assert {row.user_id for row in rows} == {row.created_at for row in rows} == {None}
    assert len({row.conversation_id for row in rows}) == 3


def test_sharegpt_rows() -> None:
    html, tools, items, single, roles = (sample("sharegpt", "rows.json", at) for at in range(5))
    assert said(html)[1][1].startswith("<div class=")
    assert said(html)[2] == (U, "Thanks &amp; bye")
    assert html.conversation_id.startswith("QWxY3kT_0-")
    assert [role for role, _ in said(tools)] == [S, U, A, T, A]
    assert said(tools)[2] == (A, "[tool call]")
    assert [role for role, _ in said(items)] == [U, A, A]
    assert said(single)[0] == (S, "Play.")
    assert said(roles) == [(U, "Count to two."), (A, "One, two.")]


# Exports


def test_chatgpt_follows_the_branch_that_was_shown_last() -> None:
    found = sample("chatgpt", "conversations.json", 0)
    assert said(found) == [
        (U, "When should I repot a Boston fern?"),
        (A, "[tool call]"),
        (T, "[tool result]"),
        (A, "In spring, when roots fill the pot.【1†source】"),
    ]
    assert found.user_id == "chatgpt-export:ann-export.zip"
    assert found.created_at == datetime(2025, 3, 3, 11, 6, 40, 123456, UTC)
    assert found.labels == {"title": "Repotting a fern", "model": "o3"}


def test_chatgpt_images_files_voice_and_tools() -> None:
    found = sample("chatgpt", "conversations.json", 1)
    assert found.labels["custom_gpt"] == "g-Ab12Cd34E"
    assert said(found) == [
        (U, "[image]\nWhat does the chart say?\n[file]"),
        (A, "[tool call]"),
        (T, "mean 4.2"),
        (A, "[tool call]"),
        (T, "[image]"),
        (T, "Error: could not load"),
        (A, "The mean is 4.2."),
        (U, "And the median?"),
        (A, "Four."),
        (U, "[audio]"),
    ]


def test_chatgpt_without_a_current_node_follows_the_last_answer() -> None:
    found = sample("chatgpt", "conversations.json", 2)
    assert said(found) == [(U, "Is the library open on Monday?"), (A, "Yes, from nine.")]
    assert found.labels == {"model": "gpt-4o-mini", "project": "g-p-6789"}
    assert found.created_at == datetime(2025, 3, 5, 11, 6, 41, 123456, UTC)
    assert said(sample("chatgpt", "conversations.json", 3)) == []


def node(text: str, parent: str | None, role: str = "user", **more: Any) -> dict[str, Any]:
    content = {"content_type": "text", "parts": [text]}
    message = {"author": {"role": role}, "content": content, "recipient": "all", **more}
    return {"message": message, "parent": parent, "children": []}


def test_trees_that_are_cyclic_or_broken_end() -> None:
    circle = {"a": node("1", "b"), "b": node("2", "a")}
    assert len(parsed({"mapping": circle, "current_node": "a"}).messages) == 2
    assert len(parsed({"mapping": circle, "current_node": "gone"}).messages) == 2
    orphan = {"a": node("1", "gone"), "b": node("2", "a", "assistant")}
    assert said(parsed({"mapping": orphan, "current_node": "b"})) == [(U, "1"), (A, "2")]
    childless = {"a": {"message": node("1", None)["message"], "children": ["b"]}}
    childless["b"] = {"message": node("2", None, "assistant")["message"]}
    assert said(parsed({"mapping": childless, "current_node": None})) == [(U, "1"), (A, "2")]
    assert parsed({"mapping": {}}).messages == ()
    with pytest.raises(RejectedError, match="tree"):
        parsed({"mapping": []})


def test_trees_may_be_very_deep() -> None:
    depth = 100_000
    tree = {str(n): node("x", str(n - 1) if n else None) for n in range(depth)}
    assert len(parsed({"mapping": tree, "current_node": str(depth - 1)}).messages) == depth
    assert len(parsed({"mapping": tree}).messages) == depth


def test_claude_texts_pastes_files_and_tools() -> None:
    found = sample("claude", "conversations.json", 0)
    notes = (
        "Summarise these notes.\nAnna: we ship on Friday.\nBen: agreed.\n[file]\n[image]\n[file]"
    )
    assert said(found) == [
        (U, notes),
        (A, "They ship on Friday."),
        (U, "Who agreed?"),
        (A, "[tool call]\n[tool result]\nBen agreed."),
    ]
    assert found.user_id == "0a1b2c3d-0000-4000-8000-00000000aaaa"
    assert found.created_at == datetime(2025, 4, 1, 8, 0, 0, 123456, UTC)
    assert found.labels == {"title": "Minutes of a meeting"}


def test_claude_follows_the_last_answer() -> None:
    found = sample("claude", "conversations.json", 1)
    assert said(found) == [
        (U, "Plan a vegetable bed for clay soil."),
        (A, "Potatoes break clay up."),
    ]
    record = decoded(SAMPLES / "claude" / "conversations.json")[1]
    chosen = parsed({**record, "current_leaf_message_uuid": "n4"})
    assert said(chosen)[-1] == (A, "Beans first. (regenerated)")
    # Two messages that call each other their parent end where they began.
    record["chat_messages"][2]["parent_message_uuid"] = "n5"
    assert len(parsed(record).messages) == 3
    assert parsed({**record, "account": None}).user_id == "claude-export:ann-export.zip"


def test_a_paste_alone_is_what_its_sender_said() -> None:
    paste = {"file_name": "paste.txt", "extracted_content": "Is this lease fair?"}
    turn = {"sender": "human", "text": "", "content": [], "attachments": [paste]}
    assert said(parsed({"uuid": "a", "chat_messages": [turn]})) == [(U, "Is this lease fair?")]


@pytest.mark.parametrize(("folder", "count"), [("chatgpt", 4), ("claude", 3)])
def test_exports_as_providers_hand_them_out(tmp_path: Path, folder: str, count: int) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in sorted((SAMPLES / folder).iterdir()):
            archive.write(part, part.name)
    rows = list(read(expand([path])))
    found = [row for row in rows if row.format == NAMES[folder]]
    assert len(found) == count
    assert all(row.conversation is not None for row in found)
    assert {row.reason for row in rows} <= {None, Reason.NO_CONVERSATION.value}
    if folder == "chatgpt":
        accounts = {row.conversation.user_id for row in found if row.conversation is not None}
        assert accounts == {"chatgpt-export:export.zip"}
