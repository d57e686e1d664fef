"""The safety role: one-time links, sessions, and the log of looks."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_release import sample

from clio import access
from clio.errors import ReleaseError, SettingsError
from clio.release.read import open_release
from clio.server import IN_THE_OPEN, Certificate, check_exposure, create_app, roles
from clio.server.roles import SAFETY, SafetyAccess, require_safety

ORIGIN = "http://localhost"
UNAUTHORIZED = {"error": {"code": "unauthorized", "message": "Unauthorized"}}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    sample().write(tmp_path)
    (tmp_path / "restricted").mkdir(mode=0o700)
    return tmp_path


@pytest.fixture
def app(run: Path) -> FastAPI:
    """A server with a route of the safety role that tells what it was asked."""
    app = create_app(run, role="safety", static=run / "none")

    @app.get(f"{SAFETY}/cases/{{case}}")
    def case(case: str, who: Annotated[SafetyAccess, Depends(require_safety)]) -> dict[str, str]:
        return {"case": case, "folder": who.restricted.name}

    @app.post(f"{SAFETY}/cases/{{case}}")
    def close(
        case: str, note: dict[str, str], who: Annotated[SafetyAccess, Depends(require_safety)]
    ) -> None:
        pass

    @app.get("/outside")
    def outside(who: Annotated[SafetyAccess, Depends(require_safety)]) -> None:
        pass

    return app


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, base_url=ORIGIN, follow_redirects=False)


def enter(client: TestClient, run: Path) -> None:
    token = access.issue(run / "restricted")
    assert client.get(roles.ENTRANCE, params={"token": token}).status_code == 303


METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
PATHS = ("", "/cases/network-1", "/session", "/nothing", "/cases/..%2f", "//", "%2fsession")


def test_without_a_session_every_path_says_401_and_no_more(client: TestClient, run: Path) -> None:
    for method, path, content in product(METHODS, PATHS, (b"", b"{not json")):
        response = client.request(method, SAFETY + path, content=content)
        assert response.status_code == 401
        assert response.headers["cache-control"] == "no-store"
        if method != "HEAD":
            assert response.json() == UNAUTHORIZED
    assert access.looks(run / "restricted") == []


def test_a_server_of_the_release_alone_knows_no_safety_role(run: Path) -> None:
    token = access.issue(run / "restricted")
    client = TestClient(create_app(run), base_url=ORIGIN)
    for path in ("/session", "/cases/network-1", f"/enter?token={token}", "/enter"):
        assert client.get(SAFETY + path).json() == UNAUTHORIZED
    assert access.redeem(run / "restricted", token)


def test_a_link_opens_once(client: TestClient, run: Path) -> None:
    token = access.issue(run / "restricted")
    response = client.get(roles.ENTRANCE, params={"token": token})
    assert (response.status_code, response.headers["location"]) == (303, roles.HOME)
    cookie = response.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=strict", f"Path={SAFETY}", "Max-Age=28800"):
        assert part in cookie
    assert token not in cookie
    assert client.get(f"{SAFETY}/session").json()["role"] == "safety"
    again = TestClient(client.app, base_url=ORIGIN)
    refused = again.get(roles.ENTRANCE, params={"token": token})
    assert (refused.status_code, refused.json()) == (401, UNAUTHORIZED)
    assert again.get(f"{SAFETY}/session").status_code == 401


def test_tokens_are_kept_hashed_and_expire(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    restricted = run / "restricted"
    monkeypatch.setattr(access, "TOKEN_LIFE", timedelta(0))
    late = access.issue(restricted)
    assert not access.redeem(restricted, late)
    monkeypatch.undo()
    good = access.issue(restricted)
    (kept,) = (restricted / "tokens").iterdir()
    assert good not in kept.name + kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert access.redeem(restricted, good)
    assert not access.redeem(restricted, good)


@settings(max_examples=25, deadline=None)
@given(st.text())
def test_no_other_text_is_a_token(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    access.issue(folder)
    assert not access.redeem(folder, text)


def test_every_look_is_logged_before_it_is_answered(client: TestClient, run: Path) -> None:
    enter(client, run)
    answer = client.get(f"{SAFETY}/cases/network-3", params={"page": "2", "q": "my secret words"})
    assert answer.json() == {"case": "network-3", "folder": "restricted"}
    assert answer.headers["cache-control"] == "no-store"
    assert client.get(f"{SAFETY}/nothing").status_code == 404
    entered, look, other = access.looks(run / "restricted")
    assert entered["action"] == "enter"
    assert look["session"] == other["session"] == entered["session"]
    assert (look["path"], look["query"]) == (f"{SAFETY}/cases/network-3", {"page": "2"})
    assert datetime.now(UTC) - datetime.fromisoformat(look["at"]) < timedelta(minutes=5)
    log = run / "restricted" / access.LOG_FILE
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "secret" not in log.read_text()


def test_what_cannot_be_logged_is_not_shown(client: TestClient, run: Path) -> None:
    enter(client, run)
    (run / "restricted" / access.LOG_FILE).unlink()
    (run / "restricted" / access.LOG_FILE).mkdir()
    answer = client.get(f"{SAFETY}/cases/network-3")
    assert answer.status_code == 500
    assert "network-3" not in answer.text


def test_each_look_is_answered_anew(client: TestClient, run: Path) -> None:
    enter(client, run)
    for _ in range(2):
        assert client.get(f"{SAFETY}/cases/network-3").headers.get("etag") is None
    assert len(access.looks(run / "restricted")) == 3


def test_changes_come_from_the_page_itself(client: TestClient, run: Path) -> None:
    enter(client, run)
    for origin, status in (
        (ORIGIN, 200),
        (None, 403),
        ("null", 403),
        ("https://localhost", 403),
        ("http://localhost:81", 403),
        ("http://evil.example", 403),
    ):
        headers = {} if origin is None else {"Origin": origin}
        answer = client.post(f"{SAFETY}/cases/network-3", json={}, headers=headers)
        assert answer.status_code == status


def test_a_session_ends(client: TestClient, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(client, run)
    assert client.post(f"{SAFETY}/leave", headers={"Origin": ORIGIN}).status_code == 204
    assert client.get(f"{SAFETY}/session").status_code == 401
    monkeypatch.setattr(roles, "SESSION_LIFE", timedelta(0))
    enter(client, run)
    assert client.get(f"{SAFETY}/session").status_code == 401


def test_a_session_of_another_server_is_none(app: FastAPI, client: TestClient, run: Path) -> None:
    enter(client, run)
    other = TestClient(create_app(run, role="safety"), base_url=ORIGIN, cookies=client.cookies)
    assert other.get(f"{SAFETY}/session").status_code == 401
    for cookie in ('clio="', "\x00", "a" * 9000):
        assert client.get(f"{SAFETY}/session", headers={"Cookie": cookie}).status_code == 401


def test_a_route_outside_the_wall_lets_nobody_in(client: TestClient, run: Path) -> None:
    enter(client, run)
    assert client.get("/outside").json() == UNAUTHORIZED


def test_the_release_is_open_to_all_as_before(client: TestClient) -> None:
    assert client.get("/api/v1/release").status_code == 200


def test_a_release_alone_has_no_safety_role(run: Path) -> None:
    with pytest.raises(ReleaseError, match="safety role"):
        create_app(run / "release", role="safety")
    with pytest.raises(ReleaseError, match="safety role"):
        create_app(open_release(run), role="safety")


def test_a_torn_line_of_the_log_hides_no_other(run: Path) -> None:
    restricted = run / "restricted"
    access.record(restricted, "look", {"path": "a"})
    with (restricted / access.LOG_FILE).open("ab") as file:
        file.write(b'{"at": "2026-\n')
    access.record(restricted, "look", {"path": "b\nc"})
    assert [look["path"] for look in access.looks(restricted)] == ["a", "b\nc"]
    assert b'"b\\nc"' in (restricted / access.LOG_FILE).read_bytes()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_this_machine_alone_needs_no_words(host: str) -> None:
    check_exposure(host, encrypted=False, said=None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org", "localhost.evil"])
def test_without_tls_others_are_let_in_only_if_told_so_in_words(host: str) -> None:
    for said in (None, "", "yes", "true"):
        with pytest.raises(SettingsError, match="--in-the-open"):
            check_exposure(host, encrypted=False, said=said)
    check_exposure(host, encrypted=False, said=f" {IN_THE_OPEN.upper()} ")
    check_exposure(host, encrypted=True, said=None)


def test_what_is_no_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("none")
    for chain in (tmp_path / "cert.pem", tmp_path / "missing.pem"):
        with pytest.raises(SettingsError, match="certificate"):
            Certificate(chain, tmp_path / "cert.pem").check()
