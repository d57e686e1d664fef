"""Whole runs with a language model: the stand-in server answers, everything else is real."""

from __future__ import annotations

import json
import shutil
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from answers import FAILING, respond
from released import killed_in_stage, release_bytes

import clio
from clio.analysts.answers import RE_ASKS
from clio.errors import BudgetError, FailuresError, RunError, WaitingError
from clio.pipeline import Run, describe
from clio.testing import as_record, generate
from clio.testing.faults import differences
from clio.testing.model_server import Faults, ModelServer, ShownRequest

ROOT = "__root__"
OWN = """
[facet.blocker]
question = "What kept the user from doing it alone?"
cluster = true

[facet.artifacts]
question = "What does the user take away?"
kind = "categories"
options = ["code", "document", "message", "plan"]

[facet.expertise]
question = "How much does the user know?"
kind = "scale"
low = 1
high = 5
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An input with conversations that fail and one that stands twice; own facets beside it."""
    path = tmp_path_factory.mktemp("models")
    rows = [as_record(c) for c in generate(380, seed=5, accounts=90)]
    for number in range(3):
        text = f"{FAILING} number {number}"
        rows.insert(
            50 * number,
            {"conversation_id": f"f{number}", "messages": [{"role": "user", "content": text}]},
        )
    rows.append({**rows[7], "conversation_id": "again"})
    (path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (path / "own.toml").write_text(OWN)
    return path


def settings(server: ModelServer, folder: Path, **more: Any) -> clio.Settings:
    options = {
        "analyst": "openai:stand-in",
        "base_url": f"{server.url}/v1",
        "facets": folder / "own.toml",
        "min_accounts": 10,
        "min_conversations": 12,
        "base_clusters": 20,
        "shard_rows": 80,
        "concurrency": 16,
    }
    return clio.Settings(**(options | more))


def state_of(run: Path) -> dict[str, Any]:
    return json.loads((run / "run.json").read_text())


@pytest.fixture(scope="module")
def server():
    """One for all tests: what it answers depends on what it is shown alone."""
    with ModelServer(respond) as running:
        yield running


@pytest.fixture(scope="module")
def whole(server: ModelServer, folder: Path) -> Run:
    """A run that nobody stopped."""
    hosts: list[str] = []
    before = server.state["calls"]
    run = clio.run(
        folder / "in.jsonl",
        out=folder / "whole",
        settings=settings(server, folder),
        sending=hosts.append,
    )
    assert hosts == [server.url]
    calls = sum(stage["model_calls"] for stage in state_of(run.path)["stages"].values())
    assert server.state["calls"] - before == calls
    return run


@pytest.fixture(scope="module")
def private(whole: Run) -> pd.DataFrame:
    """Conversations with their facets and the leaves they are in, by facet."""
    found = pd.read_parquet(whole.path / "private" / "facets.parquet")
    placed = pd.read_parquet(whole.path / "private" / "assignments.parquet")
    accounts = pd.read_parquet(whole.path / "private" / "conversations.parquet")
    found = found.merge(accounts[["conversation_id", "account"]], on="conversation_id")
    return placed.merge(found, on="conversation_id")


def test_outcomes_add_up_and_failures_are_listed(whole: Run) -> None:
    outcomes = whole.outcomes
    assert sum(outcomes.values()) == state_of(whole.path)["stages"]["read"]["rows_in"]
    assert outcomes["failed"] == 3
    lines = (whole.path / "private" / "failed.jsonl").read_text().splitlines()
    assert {json.loads(line)["conversation_id"] for line in lines} == {"f0", "f1", "f2"}
    assert not any(FAILING in line for line in lines)


def test_a_secondary_facet_has_a_tree_of_those_who_answered_it(private: pd.DataFrame) -> None:
    by_facet = private.groupby("facet")
    assert set(by_facet.groups) == {"request", "blocker"}
    assert private[private["facet"] == "blocker"]["blocker"].notna().all()
    request = private[private["facet"] == "request"]
    assert request["conversation_id"].is_unique
    assert 0 < (private["facet"] == "blocker").sum() < len(request)
    assert (private["cluster_id"].str.rsplit("-", n=1).str[0] == private["facet"]).all()
    numbers = private.groupby("cluster_id")["facet"].nunique()
    assert (numbers == 1).all()


def test_the_release_names_its_facets_and_says_which_is_proven(whole: Run) -> None:
    info = whole.release().info
    assert [(f.name, f.primary) for f in info.facets] == [("blocker", False), ("request", True)]
    assert (info.analyst, info.describer) == ("openai:stand-in", None)
    assert any("Only the tree of request is proven" in note for note in info.notes)
    said = (whole.path / "release" / "release.json").read_text()
    assert "127.0.0.1" not in said
    assert str(whole.path) not in said


def test_breakdowns_and_means_of_model_facets_are_those_of_the_rows(
    whole: Run, private: pd.DataFrame
) -> None:
    release = whole.release()
    cells = release.table("breakdowns", as_="pandas").query("cluster_id == @ROOT")
    means = release.table("numeric", as_="pandas").query("cluster_id == @ROOT")
    assert set(means["measure"]) >= {"concern", "words"}
    for facet, rows in private.groupby("facet"):
        base = 1 if facet == "request" else 5
        shown = cells[cells["facet"] == facet].set_index(["dimension", "value"])["conversations"]
        assert {"artifacts", "concern", "domain"} <= set(shown.index.get_level_values(0))
        artifacts = Counter(value for given in rows["artifacts"].dropna() for value in given)
        concern = Counter(rows["concern"].astype(str))
        for (dimension, value), count in shown.items():
            if dimension in ("artifacts", "concern"):
                exact = {"artifacts": artifacts, "concern": concern}[dimension][value]
                assert abs(count - exact) < max(base, 1)
        assert (shown % base == 0).all()
        mean = means[(means["facet"] == facet) & (means["measure"] == "concern")]["mean"].item()
        assert mean == pytest.approx(rows["concern"].mean(), rel=5e-3)


def test_free_text_is_no_dimension(whole: Run) -> None:
    dimensions = set(whole.release().breakdowns["dimension"].to_pylist())
    assert not dimensions & {"request", "task", "topic", "blocker"}


def test_the_safety_role_sees_the_mean_concern(whole: Run, private: pd.DataFrame) -> None:
    tree = pd.read_parquet(whole.path / "restricted" / "clusters.parquet").set_index("cluster_id")
    expected = private.groupby("cluster_id")["concern"].mean()
    assert tree["concern"].notna().all()
    leaves = tree["concern"][expected.index].astype(float)
    pd.testing.assert_series_equal(leaves, expected, check_dtype=False)


def test_what_was_asked_is_told_and_the_answers_are_private(whole: Run) -> None:
    models = whole.models["openai:stand-in"]
    assert set(models["purposes"]) >= {"facets", "describe", "propose", "assign"}
    # The twin of another conversation is not asked about; each of the failing ones is, again.
    asked = models["purposes"]["facets"]["attempts"]
    rows = state_of(whole.path)["stages"]["facets"]["rows_in"]
    assert asked["answered"] == rows - 1 - 3
    assert asked["malformed"] == (1 + RE_ASKS) * 3
    for name in ("answers.sqlite", "guard"):
        assert stat.S_IMODE((whole.path / "private" / name).stat().st_mode) == 0o600


def test_answers_that_are_kept_give_the_same_bytes_and_ask_nothing(
    server: ModelServer, folder: Path, whole: Run, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(whole.path, tmp_path / "run", symlinks=True))
    shutil.rmtree(out / "private" / "facets.parquet")
    shutil.rmtree(out / "releases")
    (out / "release").unlink()
    (out / "run.json").unlink()
    before = server.state["calls"]
    clio.run(folder / "in.jsonl", out=out, settings=settings(server, folder))
    assert server.state["calls"] == before
    assert release_bytes(out) == release_bytes(whole.path)


def test_killed_while_a_model_is_asked_it_ends_in_the_same_bytes(
    server: ModelServer, folder: Path, whole: Run, tmp_path: Path
) -> None:
    out, own = tmp_path / "killed", settings(server, folder)
    before = server.state
    killed = [
        killed_in_stage(folder / "in.jsonl", out, own, stage, seconds)
        for stage, seconds in (("facets", 0.4), ("describe", 0.1))
    ]
    assert any(killed)
    clio.run(folder / "in.jsonl", out=out, settings=own)
    # Answers and codes are of this run alone, and nothing else shows them.
    assert differences(out, whole.path) == ["private/answers.sqlite", "private/guard"]
    repeated = server.state["repeated"] - before["repeated"]
    assert repeated <= len(killed) * own.concurrency + 3


def test_descriptions_are_made_again_without_the_input(
    server: ModelServer, folder: Path, whole: Run, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(whole.path, tmp_path / "run", symlinks=True))
    stages = state_of(out)["stages"]
    offline = describe(out, {"describe": "extractive"})
    assert offline.release().info.number == 2
    assert offline.release().info.describer == "extractive"
    titles = [run.release().clusters["title"].to_pylist() for run in (whole, offline)]
    assert titles[0] != titles[1]
    assert not any(title.startswith("Help with") for title in titles[1])
    hosts: list[str] = []
    other = {"describe_model": "openai:other", "base_url": f"{server.url}/v1"}
    by_other = describe(out, other, sending=hosts.append)
    assert hosts == [server.url]
    assert by_other.release().info.number == 3
    assert by_other.release().info.describer == "openai:other"
    assert any(t.startswith("Help with") for t in by_other.release().clusters["title"].to_pylist())
    now = state_of(out)
    assert now["settings"]["describe_model"] == "openai:other"
    for name in ("read", "facets", "texts", "embed", "cluster"):
        assert now["stages"][name] == stages[name]


def test_a_run_that_does_not_stand_is_not_described(whole: Run, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run"):
        describe(tmp_path)
    out = Path(shutil.copytree(whole.path, tmp_path / "run", symlinks=True))
    shutil.rmtree(out / "private" / "facets.parquet")
    with pytest.raises(RunError, match="run it again"):
        describe(out, {"describe": "extractive"})


def test_a_limit_on_calls_stops_cleanly_and_a_higher_one_goes_on(
    server: ModelServer, folder: Path, tmp_path: Path
) -> None:
    rows = (folder / "in.jsonl").read_text().splitlines(keepends=True)[60:100]
    source = tmp_path / "few.jsonl"
    source.write_text("".join(rows))
    own = {"facets": None, "describe": "extractive", "privacy": "personal"}
    before = server.state
    with pytest.raises(BudgetError, match="--max-calls 10"):
        clio.run(
            source, out=tmp_path / "run", settings=settings(server, folder, **own, max_calls=10)
        )
    assert server.state["calls"] - before["calls"] <= 10
    done = clio.run(source, out=tmp_path / "run", settings=settings(server, folder, **own))
    assert done.outcomes["assigned"] == 40
    assert server.state["repeated"] == before["repeated"]
    assert state_of(done.path)["stages"]["facets"]["model_calls"] == 40


def test_refusals_are_an_outcome_and_too_many_failures_end_the_run(
    folder: Path, tmp_path: Path
) -> None:
    rows = (folder / "in.jsonl").read_text().splitlines(keepends=True)[60:100]
    source = tmp_path / "few.jsonl"
    source.write_text("".join(rows))
    own = {"facets": None, "describe": "extractive", "privacy": "personal"}
    with ModelServer(respond, faults=Faults(refusals=0.2, overloaded=0.1)) as refusing:
        run = clio.run(source, out=tmp_path / "refused", settings=settings(refusing, folder, **own))
        told = run.models["openai:stand-in"]["attempts"]
        assert told == {k: n for k, n in refusing.counts.items() if n}
    assert run.outcomes["refused"] == told["refused"] > 0
    assert run.outcomes["refused"] + run.outcomes["assigned"] == 40
    with (
        ModelServer(lambda _: {"wrong": 1}) as hopeless,
        pytest.raises(FailuresError, match="max_failed_share"),
    ):
        clio.run(source, out=tmp_path / "failed", settings=settings(hopeless, folder, **own))
    assert (tmp_path / "failed" / "private" / "failed.jsonl").read_text()


def test_a_screener_narrows_the_run(folder: Path, tmp_path: Path) -> None:
    rows = (folder / "in.jsonl").read_text().splitlines(keepends=True)[60:100]
    source = tmp_path / "few.jsonl"
    source.write_text("".join(rows))

    def screening(shown: ShownRequest) -> Any:
        answer = dict(respond(shown))
        if set(answer) == {"answer", "check"}:
            answer["answer"] = len(shown.user) % 3 > 0
        return answer

    own = {"facets": None, "describe": "extractive", "privacy": "personal", "screen": "Is it odd?"}
    with ModelServer(screening) as server:
        run = clio.run(source, out=tmp_path / "run", settings=settings(server, folder, **own))
    assert run.outcomes["skipped"] == run.details["facets"]["skipped"]["screened out"] > 0
    assert run.outcomes["skipped"] + run.outcomes["assigned"] == 40


def test_files_that_somebody_else_answers_give_the_same_tables(
    server: ModelServer, folder: Path, whole: Run, tmp_path: Path
) -> None:
    place, out = tmp_path / "exchange", tmp_path / "run"
    own = settings(server, folder, analyst=f"files:{place}", base_url=None)
    for number in range(20):
        try:
            run = clio.run(folder / "in.jsonl", out=out, settings=own)
            break
        except WaitingError:
            answer_files(place, number)
    assert number > 2
    assert run.release().info.analyst == "files"
    for name in ("clusters", "breakdowns", "numeric", "trends", "map", "withheld"):
        assert run.release().table(name).equals(whole.release().table(name))
    # Taken up again there is nothing to ask, and what was asked is still known.
    assert run.models[f"files:{place}"]["calls"] > 0
    assert clio.run(folder / "in.jsonl", out=out, settings=own).models == run.models


def answer_files(place: Path, number: int) -> None:
    """Answer what lies in ``requests``, as another program would."""
    answers = place / "responses" / f"{number}.jsonl"
    done = {
        json.loads(line)["custom_id"]
        for path in (place / "responses").glob("*.jsonl")
        for line in path.read_text().splitlines()
    }
    lines = []
    for path in sorted((place / "requests").glob("*.jsonl")):
        for request in map(json.loads, path.read_text().splitlines()):
            if request["custom_id"] not in done:
                lines.append(json.dumps(answer_of(request)) + "\n")
    assert lines
    answers.write_text("".join(lines))


def answer_of(request: dict[str, Any]) -> dict[str, Any]:
    body = request["body"]
    system, *turns = [(m["role"], m["content"]) for m in body["messages"]]
    shown = ShownRequest(
        model=body["model"],
        system=system[1],
        turns=tuple(turns),
        schema=body["response_format"]["json_schema"]["schema"],
        temperature=body.get("temperature", 0.0),
        max_tokens=1000,
    )
    message = {"role": "assistant", "content": json.dumps(respond(shown))}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    completion = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
    response = {"status_code": 200, "request_id": "r", "body": completion}
    return {"custom_id": request["custom_id"], "response": response, "error": None}
