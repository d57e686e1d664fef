"""Routes beside the release's own: alerts and events, the safety role's, edits and traces."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from restricted_run import PSEUDONYM, UNSAFE_TITLE, restricted_run, with_alerts
from sample_release import sample
from typer.testing import CliRunner

from clio import access
from clio.cli import app as command_line
from clio.errors import ReleaseError, RunError
from clio.pipeline.traces import Traces
from clio.server import create_app, editing, traces
from clio.server.live import Serving

SAFETY = "/api/v1/safety"
ROUTES = ("clusters", "networks", "networks/network-1/accounts", "flags", "combinations", "alerts")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return restricted_run(tmp_path_factory.mktemp("safety") / "run")


def client_of(run: Path, **options: Any) -> TestClient:
    return TestClient(create_app(run, **options), base_url="http://localhost")


@pytest.fixture
def client(run: Path) -> Iterator[TestClient]:
    with client_of(run) as client:
        yield client


@pytest.fixture
def safety(run: Path) -> Iterator[TestClient]:
    with client_of(run, role="safety") as client:
        token = access.issue(run / "restricted")
        client.get(f"{SAFETY}/enter", params={"token": token}, follow_redirects=False)
        yield client


# Alerts and events, by the release alone


def test_alerts_come_surest_first_with_what_their_series_says(client):
    answer = client.get("/api/v1/alerts").json()
    assert (answer["looked"], answer["total"], answer["withheld"]) == (True, 2, 3)
    first, second = answer["alerts"]
    assert first["cluster_title"] == "Debug Python errors"
    assert first["since"] == "2025-03-03"
    assert first["accounts"] % 5 == 0
    assert first["conversations"] > first["accounts"]
    assert second["ratio_high"] is None
    rows = list(csv.DictReader(io.StringIO(client.get("/api/v1/alerts?format=csv").text)))
    assert [row["cluster_id"] for row in rows] == ["request-6", "request-9"]
    assert client.get("/api/v1/alerts?facet=nothing").status_code == 404
    assert client.get("/api/v1/alerts?colour=red").status_code == 400


def test_that_nobody_looked_is_told_apart_from_no_alert(tmp_path):
    sample().write(tmp_path)
    answer = client_of(tmp_path).get("/api/v1/alerts").json()
    assert (answer["looked"], answer["alerts"]) == (False, [])


def rising(factor: float) -> Any:
    made = sample()
    for row in made.tables["trends"]:
        if row["cluster_id"] == "request-6" and str(row["period"]) >= "2025-02-17":
            for name in ("share", "share_low", "share_high"):
                row[name] = min(1.0, row[name] * factor)
    return made


def test_an_event_names_what_surely_changed(tmp_path):
    rising(3.0).write(tmp_path)
    client = client_of(tmp_path)
    answer = client.get("/api/v1/event?date=2025-02-19&periods=3").json()
    # The week that the day cuts through is on neither side.
    assert answer["before"] == {"first": "2025-01-27", "last": "2025-02-16"}
    assert answer["after"] == {"first": "2025-02-24", "last": "2025-03-16"}
    first = answer["rows"][0]
    assert (first["cluster_id"], first["sure"]) == ("request-6", True)
    assert first["ratio_low"] < first["ratio"] < first["ratio_high"]
    assert first["ratio_low"] > 1
    assert first["others"] < 1
    assert answer["sure"] == sum(row["sure"] for row in answer["rows"])
    text = client.get("/api/v1/event?date=2025-02-19&format=csv").text
    assert text.startswith("cluster_id,title,level,before")


def test_an_ordinary_day_changes_nothing_surely(tmp_path):
    made = sample()
    share = {row["cluster_id"]: row["share"] for row in made.tables["clusters"]}
    for row in made.tables["trends"]:
        middle = share[row["cluster_id"]]
        row.update(share=middle, share_low=0.9 * middle, share_high=min(1.0, 1.1 * middle))
    made.write(tmp_path)
    answer = client_of(tmp_path).get("/api/v1/event?date=2025-02-17").json()
    assert (answer["sure"], answer["compared"]) == (0, 16)


@pytest.mark.parametrize("day", ["2024-12-01", "2025-01-06", "2026-01-01"])
def test_a_day_without_a_side_is_said(client, day):
    answer = client.get(f"/api/v1/event?date={day}")
    assert answer.status_code == 404
    assert "the trends go from 2025-01-06 to 2025-03-30" in answer.json()["error"]["message"]


def test_events_need_dates(tmp_path):
    sample(dates=False).write(tmp_path)
    answer = client_of(tmp_path).get("/api/v1/event?date=2025-02-17")
    assert (answer.status_code, "no dates" in answer.text) == (404, True)


def test_alerts_of_a_run_stand_in_its_release(demo_run):
    answer = client_of(demo_run).get("/api/v1/alerts").json()
    assert answer["looked"]
    for alert in answer["alerts"]:
        assert alert["title"].startswith(alert["cluster_title"])


# The safety role


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("role", ["release", "safety"])
def test_without_a_session_each_route_says_401_and_no_more(run, route, role):
    answer = client_of(run, role=role).get(f"{SAFETY}/{route}")
    assert answer.status_code == 401
    assert answer.json() == {"error": {"code": "unauthorized", "message": "Unauthorized"}}


def test_each_look_is_noted(run, safety):
    for route in ROUTES:
        assert safety.get(f"{SAFETY}/{route}").status_code == 200
        assert safety.get(f"{SAFETY}/{route}").headers["cache-control"] == "no-store"
    looked = [look["path"] for look in access.looks(run / "restricted") if look["action"] == "look"]
    for route in ROUTES:
        assert looked.count(f"{SAFETY}/{route}") >= 2


def test_the_whole_tree_has_concern_and_counts_but_no_account(safety):
    answer = safety.get(f"{SAFETY}/clusters")
    rows = {row["cluster_id"]: row for row in answer.json()["clusters"]}
    assert rows["request-1"]["concern"] == 3.5
    assert rows["request-1"]["accounts"] == 3
    assert rows["request-1"]["title"] == UNSAFE_TITLE
    assert PSEUDONYM not in answer.text
    assert safety.get(f"{SAFETY}/clusters?facet=nothing").status_code == 404


def test_pseudonyms_are_given_to_who_asks_for_them_alone(safety):
    answer = safety.get(f"{SAFETY}/networks")
    network = answer.json()["networks"][0]
    assert network["parts"] == {"exclusivity": 0.9, "slots": None}
    assert (network["first"], network["last"]) == ("2025-02-01", "2025-02-09")
    for route in ("networks", "flags", "clusters"):
        assert PSEUDONYM not in safety.get(f"{SAFETY}/{route}").text
    accounts = safety.get(f"{SAFETY}/networks/network-1/accounts").json()["accounts"]
    assert [row["account"] for row in accounts] == [PSEUDONYM]
    assert safety.get(f"{SAFETY}/networks/network-9/accounts").status_code == 404


def test_flags_have_no_number_that_json_lacks(safety):
    answer = safety.get(f"{SAFETY}/flags").json()
    assert answer["looked"]
    assert answer["rows"][1]["kind"] == "likely miss"
    assert answer["rows"][1]["share_high"] is None


def test_what_nobody_has_written_is_said(tmp_path):
    sample().write(tmp_path)
    (tmp_path / "restricted").mkdir()
    with client_of(tmp_path, role="safety") as client:
        token = access.issue(tmp_path / "restricted")
        client.get(f"{SAFETY}/enter", params={"token": token}, follow_redirects=False)
        assert client.get(f"{SAFETY}/clusters").json()["clusters"] == []
        for route in ("networks", "flags", "alerts"):
            assert client.get(f"{SAFETY}/{route}").json()["looked"] is False


def test_damage_is_said_without_a_path(run, tmp_path):
    shutil.copytree(run, tmp_path / "run", symlinks=True)
    (tmp_path / "run/restricted/networks.parquet").write_bytes(b"PAR1")
    with client_of(tmp_path / "run", role="safety") as client:
        token = access.issue(tmp_path / "run/restricted")
        client.get(f"{SAFETY}/enter", params={"token": token}, follow_redirects=False)
        answer = client.get(f"{SAFETY}/networks")
    assert answer.status_code == 404
    assert "networks.parquet is damaged" in answer.text
    assert str(tmp_path) not in answer.text


# Edits


class FakeEditor:
    """Keeps edits in memory; one title may not be shown."""

    def __init__(self) -> None:
        self.made: list[dict[str, Any]] = []

    def edits(self) -> list[dict[str, Any]]:
        return self.made

    def add(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if values.get("title") == "bad":
            raise RunError("the title may not be shown")
        self.made.append({**values, "edit": len(self.made) + 1, "state": "waiting"})
        return self.made[-1]

    def check(self, cluster_id: str, title: str) -> list[str]:
        return ["it has a word"] if title == "bad" else []


@pytest.fixture
def editor(run: Path) -> Iterator[TestClient]:
    routes = editing.router(FakeEditor(), "clio describe RUN")
    with client_of(run, beside=[routes], serving=Serving(edit=True)) as client:
        client.headers["origin"] = "http://localhost"
        yield client


RENAME = {"action": "rename", "cluster_id": "request-1", "title": "Good"}


def test_edits_are_added_and_listed(editor):
    assert editor.get("/api/v1/serving").json()["edit"] is True
    assert editor.post("/api/v1/edits", json=RENAME).json()["state"] == "waiting"
    answer = editor.get("/api/v1/edits")
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    assert answer.json()["command"] == "clio describe RUN"
    assert [edit["title"] for edit in answer.json()["edits"]] == ["Good"]
    bad = editor.post("/api/v1/edits", json={**RENAME, "title": "bad"})
    assert (bad.status_code, bad.json()["error"]["code"]) == (400, "refused")
    asked = {"cluster_id": "request-1", "title": "bad"}
    assert editor.post("/api/v1/edits/check", json=asked).json()["reasons"] == ["it has a word"]
    assert editor.post("/api/v1/edits", json={"action": "paint"}).status_code == 400


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", ""])
def test_no_other_page_may_edit(editor, origin):
    headers = {"origin": origin}
    for path in ("/api/v1/edits", "/api/v1/edits/check"):
        assert editor.post(path, json=RENAME, headers=headers).status_code == 403
    assert editor.get("/api/v1/edits").json()["edits"] == []


def test_the_server_of_a_release_neither_edits_nor_shows_conversations(client):
    assert client.get("/api/v1/serving").json() == {
        **{"role": "release", "edit": False, "traces": False}
    }
    for path in ("edits", "traces/request-1", "traces"):
        assert client.get(f"/api/v1/{path}").status_code == 404
    assert client.post("/api/v1/edits", json=RENAME).status_code in (404, 405)


def test_the_server_of_a_release_has_no_code_that_opens_a_conversation():
    loaded = "import sys, clio.server; print('\\n'.join(m for m in sys.modules if 'clio' in m))"
    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )
    names = set(done.stdout.split())
    assert "clio.server.safety" in names
    assert not names & {"clio.server.traces", "clio.server.editing", "clio.pipeline.traces"}


# Traces


@pytest.fixture(scope="module")
def public_run(demo_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("public") / "run"
    shutil.copytree(demo_run, run, symlinks=True)
    state = json.loads((run / "run.json").read_text())
    state["settings"]["public_data"] = True
    (run / "run.json").write_text(json.dumps(state))
    return run


def test_traces_are_pages_of_a_clusters_conversations(public_run):
    found = Traces(public_run)
    routes = traces.router(found)
    with client_of(public_run, beside=[routes], serving=Serving(traces=True)) as client:
        cluster = client.get("/api/v1/clusters?level=0&limit=1").json()["clusters"][0]
        address = f"/api/v1/traces/{cluster['cluster_id']}"
        answer = client.get(address, params={"limit": 3})
        assert answer.headers["cache-control"] == "no-store"
        page = answer.json()
        assert page["total"] == cluster["conversations"]
        assert len(page["conversations"]) == 3
        rest = client.get(address, params={"offset": 3, "limit": 50}).json()["conversations"]
        ids = [one["conversation_id"] for one in [*page["conversations"], *rest]]
        assert len(set(ids)) == len(ids)
        assert client.get("/api/v1/traces/request-999999").status_code == 404
        assert client.get(address, params={"limit": 500}).status_code == 400
    looks = [look for look in access.looks(public_run / "restricted") if look["action"] == "traces"]
    assert looks[0]["cluster"] == cluster["cluster_id"]
    with pytest.raises(ReleaseError, match="no such cluster"):
        found.page("request-999999", 0, 1)


def test_traces_are_of_public_or_personal_runs_alone(demo_run, tmp_path):
    with pytest.raises(RunError, match="--public-data"):
        Traces(demo_run)
    with pytest.raises(RunError, match="no run"):
        Traces(tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--traces"], "--public-data"),
        (["--edit", "--host", "0.0.0.0"], "this machine alone"),
        (["--traces", "--host", "192.0.2.1"], "this machine alone"),
    ],
)
def test_serve_says_what_it_does_not_do(demo_run, options, said):
    done = CliRunner().invoke(command_line, ["serve", str(demo_run), *options])
    assert done.exit_code != 0
    assert said in done.stderr


def test_alerts_of_a_release_are_read_back_as_written(tmp_path):
    with_alerts(sample()).write(tmp_path)
    table = client_of(tmp_path).get("/api/v1/tables/alerts?format=csv").text
    assert len(table.splitlines()) == 3
