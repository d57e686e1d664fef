"""What counts as a time, an id, a role and a text."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from clio.conversation import Conversation, Role
from clio.sources import Reason, read


def parsed(tmp_path: Path, **fields: Any) -> Conversation:
    path = tmp_path / "x.jsonl"
    path.write_bytes(orjson.dumps({"messages": [], **fields}))
    (row,) = read([path])
    assert row.conversation is not None, row.reason
    return row.conversation


def content(tmp_path: Path, value: Any, **more: Any) -> str:
    message = {"role": "assistant", "content": value, **more}
    return parsed(tmp_path, messages=[message]).messages[0].content


@pytest.mark.parametrize(
    "value",
    [
        "2024-03-01T12:00:00Z",
        "2024-03-01T14:00:00+02:00",
        "2024-03-01 12:00",
        " 20240301T120000 ",
        1709294400,
        1709294400.0,
        1709294400000,
        "1709294400",
        "1709294400000",
    ],
)
def test_times_are_read_as_utc(tmp_path: Path, value: Any) -> None:
    moment = parsed(tmp_path, created_at=value).created_at
    assert moment == datetime(2024, 3, 1, 12, tzinfo=UTC)
    assert moment is not None
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(("given", "kept"), [(7, "7"), (7.0, "7"), ("u", "u"), (None, None)])
def test_ids_become_text(tmp_path: Path, given: Any, kept: str | None) -> None:
    assert parsed(tmp_path, user_id=given).user_id == kept
    made = parsed(tmp_path, conversation_id=given).conversation_id
    assert made == kept or (kept is None and len(made) == 64)


def test_provider_names_of_roles(tmp_path: Path) -> None:
    names = ["human", "model", "bot", "gpt", "function", "developer", "System", "tool", "user"]
    names += ["bing", "chatgpt", "bard", "observation", "ipython", "prompter"]
    turns = parsed(tmp_path, messages=[{"role": n, "content": ""} for n in names]).messages
    u, a, s, t = Role.USER, Role.ASSISTANT, Role.SYSTEM, Role.TOOL
    assert [turn.role for turn in turns] == [u, a, a, a, t, s, s, t, u, a, a, a, t, t, u]


def test_parts_become_text_and_placeholders(tmp_path: Path) -> None:
    parts = [
        "plain",
        {"type": "text", "text": "typed"},
        {"text": "bare"},
        {"type": "image_url", "image_url": {"url": "data:..."}},
        {"type": "tool_use", "input": {}},
        {"type": "web_search_tool_result", "content": []},
        {"type": "something_new"},
    ]
    assert content(tmp_path, parts).split("\n") == [
        "plain",
        "typed",
        "bare",
        "[image]",
        "[tool call]",
        "[tool result]",
        "[part]",
    ]


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        ({"type": "input_text", "text": "typed"}, "typed"),
        ({"type": "refusal", "refusal": "No."}, "No."),
        ({"type": "document", "source": {}}, "[file]"),
        ({"type": "input_audio", "input_audio": {}}, "[audio]"),
        ({"type": "server_tool_use", "name": "web_search"}, "[tool call]"),
        ({"type": "web_search_tool_result", "content": []}, "[tool result]"),
        ({"type": "tool-call", "toolName": "f"}, "[tool call]"),
        ({"inlineData": {"mimeType": "image/png"}}, "[image]"),
        ({"fileData": {"mimeType": "application/pdf"}}, "[file]"),
        ({"functionCall": {"name": "f"}}, "[tool call]"),
    ],
)
def test_parts_of_all_providers(tmp_path: Path, part: Any, shown: str) -> None:
    assert content(tmp_path, [part]) == shown


@pytest.mark.parametrize(
    "part",
    [
        {"type": "thinking", "thinking": "hidden", "signature": "s"},
        {"type": "redacted_thinking", "data": "AA=="},
        {"type": "reasoning", "summary": []},
        {"type": "text", "text": None},
        {"text": "hidden", "thought": True},
    ],
)
def test_reasoning_is_left_out(tmp_path: Path, part: Any) -> None:
    assert content(tmp_path, [part, {"type": "text", "text": "said"}]) == "said"
    assert content(tmp_path, [part]) == ""


def test_results_of_tools_are_not_what_a_user_said(tmp_path: Path) -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "41"}
    for parts, turns in (
        ([result], [(Role.TOOL, "[tool result]")]),
        ([result, "And now?"], [(Role.TOOL, "[tool result]"), (Role.USER, "And now?")]),
        ([], [(Role.USER, "")]),
    ):
        found = parsed(tmp_path, messages=[{"role": "user", "content": parts}]).messages
        assert [(turn.role, turn.content) for turn in found] == turns


def test_contents_that_are_neither_text_nor_parts_are_refused(tmp_path: Path) -> None:
    for value in (7, {"text": "a"}, [7], [{}], [{"type": {}}], [{"type": "text", "text": 1}]):
        path = tmp_path / "x.jsonl"
        path.write_bytes(orjson.dumps({"messages": [{"role": "user", "content": value}]}))
        assert [row.reason for row in read([path])] == [Reason.BAD_CONTENT.value]


def test_what_a_message_keeps_beside_its_content(tmp_path: Path) -> None:
    assert content(tmp_path, None, refusal="I cannot.") == "I cannot."
    assert content(tmp_path, None, audio={"transcript": "Hello."}) == "Hello."
    assert content(tmp_path, "Hello.", refusal=None, audio=None) == "Hello."
    assert content(tmp_path, "", function_call={"name": "f"}) == "[tool call]"


def test_calls_beside_the_content_are_marked(tmp_path: Path) -> None:
    assert content(tmp_path, None, tool_calls=[{}, {}]) == "[tool call]\n[tool call]"
    assert content(tmp_path, "So:", tool_calls=[{}]) == "So:\n[tool call]"
    assert content(tmp_path, None) == ""


def test_lone_surrogates_are_replaced_and_pairs_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    text = r"a \ud800 b \udc00\ud83d\ude00 c \\ud800 \ud83d"
    path.write_text(f'{{"messages": [{{"role": "user", "content": "{text}"}}]}}')
    (row,) = read([path])
    assert row.conversation is not None
    assert row.conversation.messages[0].content == "a \ufffd b \ufffd\U0001f600 c \\ud800 \ufffd"
