from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from hypothesis import given
from hypothesis import strategies as st
from sample_release import FACET, HOSTILE_TITLE, TREE, sample

from clio.errors import ReleaseError
from clio.release.read import open_release
from clio.server import create_app


def get(client: TestClient, path: str, status: int = 200, **parameters: Any) -> Any:
    response = client.get(path, params=parameters)
    assert response.status_code == status, response.text
    return response.json()


def test_release(client: TestClient) -> None:
    answer = get(client, "/api/v1/release")
    assert answer["info"]["totals"] == {"conversations": 10_000, "accounts": 4810}
    assert answer["info"]["publishable"] is True
    assert {w["table"] for w in answer["withheld"]} == {"clusters", "breakdowns"}


def test_tree_holds_each_cluster_after_its_parent(client: TestClient) -> None:
    answer = get(client, "/api/v1/tree")
    seen: set[str] = set()
    for node in answer["nodes"]:
        assert node["parent"] is None or node["parent"] in seen
        seen.add(node["id"])
    assert len(seen) == 1 + len(TREE) + sum(len(top[2]) for top in TREE)
    assert get(client, "/api/v1/tree", facet=FACET) == answer


def test_clusters_by_parent_level_and_page(client: TestClient) -> None:
    assert get(client, "/api/v1/clusters")["total"] == 17
    tops = get(client, "/api/v1/clusters", level=1)["clusters"]
    assert get(client, "/api/v1/clusters", parent="__root__")["clusters"] == tops
    children = get(client, "/api/v1/clusters", parent=tops[0]["cluster_id"])
    assert {c["parent_id"] for c in children["clusters"]} == {tops[0]["cluster_id"]}
    page = get(client, "/api/v1/clusters", level=0, offset=10, limit=5)
    assert (page["total"], page["offset"], len(page["clusters"])) == (12, 10, 2)


def test_one_cluster_with_its_details(client: TestClient) -> None:
    answer = get(client, "/api/v1/clusters/request-0")
    assert answer["cluster"]["title"] == "Writing and editing"
    assert [step["cluster_id"] for step in answer["path"]] == ["__root__", "request-0"]
    total = sum(c["conversations"] for c in answer["children"])
    assert total + answer["cluster"]["other_conversations"] == answer["cluster"]["conversations"]
    (language,) = answer["breakdowns"]
    shown = sum(cell["conversations"] for cell in language["cells"])
    assert shown + language["not_shown"] == answer["cluster"]["conversations"]
    assert language["cells"][0]["value"] == "English"
    assert language["cells"][0]["baseline"] == pytest.approx(0.62)
    (turns,) = answer["numeric"]
    assert (turns["measure"], turns["baseline"]) == ("turns", 3.0)
    assert answer["trend"]["granularity"] == "week"
    assert len(answer["trend"]["points"]) == len(answer["trend"]["periods"]) == 12


def test_a_withheld_period_is_a_gap(client: TestClient) -> None:
    trend = get(client, "/api/v1/clusters/request-1")["trend"]
    gaps = set(trend["periods"]) - {point["period"] for point in trend["points"]}
    assert gaps == {"2025-02-03"}


def test_a_baseline_that_is_not_released_is_null(tmp_path: Path) -> None:
    made = sample()
    made.tables["breakdowns"] = [
        row
        for row in made.tables["breakdowns"]
        if not (row["cluster_id"] == "__root__" and row["value"] == "German")
    ]
    made.write(tmp_path)
    client = TestClient(create_app(tmp_path), base_url="http://localhost")
    cells = get(client, "/api/v1/clusters/request-0")["breakdowns"][0]["cells"]
    assert {c["value"]: c["baseline"] for c in cells}["German"] is None


def test_no_dates_no_trend(tmp_path: Path) -> None:
    sample(dates=False).write(tmp_path)
    client = TestClient(create_app(tmp_path), base_url="http://localhost")
    assert get(client, "/api/v1/clusters/request-0")["trend"] is None


def test_search(client: TestClient) -> None:
    answer = get(client, "/api/v1/search", q="python")
    assert [hit["cluster"]["title"] for hit in answer["hits"]] == ["Debug Python errors"]
    assert answer["hits"][0]["path"][1]["title"] == "Software development"
    limited = get(client, "/api/v1/search", q="ex", limit=1)
    assert len(limited["hits"]) == 1 < limited["total"]
    assert get(client, "/api/v1/search", q="")["total"] == 0


def test_hostile_text_is_passed_as_data(client: TestClient) -> None:
    response = client.get("/api/v1/search", params={"q": "onerror"})
    assert response.headers["content-type"] == "application/json"
    assert response.json()["hits"][0]["cluster"]["title"] == HOSTILE_TITLE


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/clusters/request-999", 404, "not_found"),
        ("/api/v1/clusters?parent=request-999", 404, "not_found"),
        ("/api/v1/tree?facet=nope", 404, "not_found"),
        ("/api/v1/nothing", 404, "not_found"),
        ("/api/release", 404, "not_found"),
        ("/api/openapi.json", 404, "not_found"),
        ("/api/v1/trends", 400, "invalid_parameter"),
        ("/api/v1/trends?cluster=request-999", 404, "not_found"),
        ("/api/v1/trends?cluster=request-0&granularity=day", 404, "not_found"),
        ("/api/v1/trends?cluster=request-0&granularity=eon", 400, "invalid_parameter"),
        ("/api/v1/trends?" + "cluster=request-0&" * 9, 400, "invalid_parameter"),
        ("/api/v1/dimensions/nope", 404, "not_found"),
        ("/api/v1/dimensions/language?parent=nope", 404, "not_found"),
        ("/api/v1/surprises?facet=nope", 404, "not_found"),
        ("/api/v1/tables/secrets", 404, "not_found"),
        ("/api/v1/tables/..%2Frelease", 404, "not_found"),
        ("/api/v1/tables/trends?format=xml", 400, "invalid_parameter"),
        ("/api/v1/tree?fasset=request", 400, "invalid_parameter"),
        ("/api/v1/release?x=1", 400, "invalid_parameter"),
        ("/api/v1/search", 400, "invalid_parameter"),
        ("/api/v1/clusters?level=high", 400, "invalid_parameter"),
        ("/api/v1/clusters?limit=0", 400, "invalid_parameter"),
    ],
)
def test_errors_have_one_shape(client: TestClient, path: str, status: int, code: str) -> None:
    response = client.get(path)
    assert response.status_code == status
    assert response.json()["error"]["code"] == code
    assert response.json()["error"]["message"]


def test_only_reading(client: TestClient) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        response = client.request(method, "/api/v1/release")
        assert response.status_code == 405
        assert response.json()["error"]["code"] == "method_not_allowed"


def test_a_failure_tells_nothing(run_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = open_release(run_directory)
    client = TestClient(create_app(release), base_url="http://localhost")

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("canary-text")

    monkeypatch.setattr(release, "search", fail)
    response = client.get("/api/v1/search?q=x")
    assert response.status_code == 500
    assert response.headers["cache-control"] == "no-store"
    guarded(response)
    assert response.json()["error"]["code"] == "internal_server_error"
    assert "canary-text" not in response.text


def test_openapi_describes_the_answers(client: TestClient) -> None:
    described = get(client, "/api/v1/openapi.json")
    assert set(described["paths"]) == {
        "/api/v1/release",
        "/api/v1/tree",
        "/api/v1/clusters",
        "/api/v1/clusters/{cluster_id}",
        "/api/v1/search",
        "/api/v1/trends",
        "/api/v1/dimensions",
        "/api/v1/dimensions/{dimension}",
        "/api/v1/surprises",
        "/api/v1/alerts",
        "/api/v1/event",
        "/api/v1/serving",
        "/api/v1/map",
        "/api/v1/shares",
        "/api/v1/compare/periods",
        "/api/v1/compare/values",
        "/api/v1/compare/clusters",
        "/api/v1/tables",
        "/api/v1/tables/{name}",
    }
    for path in described["paths"].values():
        assert "$ref" in path["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert "422" not in path["get"]["responses"]
    for page in ("/docs", "/redoc"):
        assert client.get(page).status_code == 404


def test_nothing_but_the_release_is_needed(tmp_path: Path) -> None:
    directory = sample().write(tmp_path / "run")
    alone = directory.rename(tmp_path / "alone")
    client = TestClient(create_app(alone), base_url="http://localhost")
    assert get(client, "/api/v1/clusters/request-0")["children"]


def test_damage_shows_before_the_first_request(tmp_path: Path) -> None:
    directory = sample().write(tmp_path)
    (directory / "trends.parquet").write_bytes(b"nonsense")
    with pytest.raises(ReleaseError, match="damaged"):
        create_app(tmp_path)


def test_nothing_released(tmp_path: Path) -> None:
    made = sample()
    made.info["facets"] = []
    made.tables = {"clusters": []}
    made.write(tmp_path)
    client = TestClient(create_app(tmp_path), base_url="http://localhost")
    assert get(client, "/api/v1/release")["info"]["facets"] == []
    assert get(client, "/api/v1/tree", status=404)["error"]["code"] == "not_found"


def test_security_headers_are_everywhere(client: TestClient) -> None:
    for path in ("/", "/api/v1/release", "/api/v1/nothing", "/api/v1/tree?x=1"):
        guarded(client.get(path, headers={"origin": "http://evil.example"}))
    guarded(client.get("/", headers={"host": "evil.example"}))


def guarded(response: Response) -> None:
    headers = response.headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8765", 200),
        ("127.0.0.1:8765", 200),
        ("[::1]:8765", 200),
        ("LOCALHOST", 200),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("evil.example:8765", 400),
        ("localhost@evil.example", 400),
        ("[", 400),
        ("", 400),
    ],
)
def test_foreign_hosts_are_refused(client: TestClient, host: str, status: int) -> None:
    response = client.get("/api/v1/release", headers={"host": host})
    assert response.status_code == status
    assert ("info" in response.json()) == (status == 200)


def test_other_hosts_can_be_allowed(run_directory: Path) -> None:
    app = create_app(run_directory, hosts=["clio.internal"])
    client = TestClient(app, base_url="http://clio.internal")
    assert client.get("/api/v1/release").status_code == 200
    assert client.get("/api/v1/release", headers={"host": "localhost"}).status_code == 400


def test_long_answers_are_compressed(client: TestClient) -> None:
    assert client.get("/api/v1/tree").headers["content-encoding"] == "gzip"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html><title>built</title>")
    (static / "assets" / "index-abc.js").write_text("0")
    (tmp_path / "secret.txt").write_text("canary-text")
    return static


def test_the_built_page_is_served(run_directory: Path, page: Path) -> None:
    client = TestClient(create_app(run_directory, static=page), base_url="http://localhost")
    assert "built" in client.get("/").text
    assert client.get("/").headers["cache-control"] == "no-cache"
    assert "immutable" in client.get("/assets/index-abc.js").headers["cache-control"]
    missing = client.get("/assets/missing.js")
    assert missing.status_code == 404
    assert missing.headers["cache-control"] == "no-store"


def test_without_a_built_page_it_says_what_to_run(run_directory: Path, tmp_path: Path) -> None:
    app = create_app(run_directory, static=tmp_path / "none")
    response = TestClient(app, base_url="http://localhost").get("/")
    assert response.status_code == 200
    assert "make web" in response.text


STEPS = [
    *("..", "%2e%2e", "..%2f", "..%5c", "%252e%252e", "%00", ".", "", "~", "C:"),
    *("etc", "passwd", "secret.txt", "static", "assets", "api", "release", "private"),
    *("release.json", "clusters.parquet", "index.html"),
]


@given(steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=8))
def test_no_path_leads_out_of_the_page(steps: list[str]) -> None:
    status, body = asyncio.run(ask(_hostile_app(), "/" + "/".join(steps)))
    assert b"canary-text" not in body
    assert b"schema_version" not in body or steps[-2:] == ["api", "release"]
    if status == 200 and "api" not in steps:
        assert b"built" in body


async def ask(app: FastAPI, path: str) -> tuple[int, bytes]:
    """Ask for a path as it stands: HTTP clients would tidy it first."""
    answers: list[Any] = []

    incoming: list[Any] = [{"type": "http.request", "body": b""}]

    async def receive() -> Any:
        if not incoming:
            await asyncio.Event().wait()  # the client stays connected
        return incoming.pop()

    async def send(message: Any) -> None:
        answers.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return answers[0]["status"], b"".join(answer.get("body", b"") for answer in answers)


_apps: list[FastAPI] = []


def _hostile_app() -> FastAPI:
    return _apps[0]


@pytest.fixture(scope="module", autouse=True)
def _make_app(run_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    base = tmp_path_factory.mktemp("hostile")
    (base / "secret.txt").write_text("canary-text")
    (base / "static").mkdir()
    (base / "static" / "index.html").write_text("<!doctype html><title>built</title>")
    _apps[:] = [create_app(run_directory, static=base / "static")]
