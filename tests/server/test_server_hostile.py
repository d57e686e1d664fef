"""Five hundred hostile requests: none gets a file but the built page's, none an internal error.

They are sent byte by byte over a socket, since clients tidy up what they are asked for.
"""

from __future__ import annotations

import random
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from fastapi.testclient import TestClient
from sample_release import sample
from served import served

from clio.server import create_app

SECRET = "no-server-may-say-this-7f3a"
"""Written into every file that must stay where it is."""

CLOSE = b"Connection: close\r\n\r\n"
GOOD = ["/", "/favicon.svg", "/index.html", "/third-party-licenses.md"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with everything that a server could be tricked into giving away."""
    folder = tmp_path_factory.mktemp("hostile") / "run"
    sample().write(folder)
    for name in ("run.json", "private/conversations.parquet", "restricted/clusters.parquet"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(SECRET)
    (folder.parent / "outside.txt").write_text(SECRET)
    (folder / "releases" / "0001" / "note.txt").write_text(SECRET)
    return folder


@pytest.fixture(scope="module")
def server(run: Path) -> Iterator[tuple[str, int]]:
    with served(run) as url:
        split = urlsplit(url)
        assert split.hostname is not None
        assert split.port is not None
        yield split.hostname, split.port


def paths(run: Path) -> list[str]:
    """Ways to name files outside, in every spelling that has fooled a server."""
    targets = [
        "etc/passwd",
        "run.json",
        "private/conversations.parquet",
        "restricted/clusters.parquet",
        "release/release.json",
        "releases/0001/note.txt",
        "src/clio/server/app.py",
        str(run / "run.json")[1:],
        str(run.parent / "outside.txt")[1:],
    ]
    ups = [
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "..%252f",
        "%252e%252e/",
        "..\\",
        "..%5c",
        "%c0%ae%c0%ae/",
        "..%c0%af",
        "%uff0e%uff0e/",
        "....//",
        "..;/",
        ".%00./",
        "/..//",
        "%e2%80%a5/",
        "%2e./",
        "..%5c%2f",
    ]
    made = [
        f"/{start}{up * depth}{target}"
        for target in targets
        for up in ups
        for start, depth in (("", 8), ("assets/", 9))
    ]
    made += [f"//{target}" for target in targets]
    made += [
        f"/{scheme}{target}" for target in targets for scheme in ("file:///", "file:%2f%2f%2f")
    ]
    made += [f"/assets/..%00/{t}" for t in targets] + [f"/{t}%00.js" for t in targets]
    made += [f"/api/v1/tables/{quote('../' * 6 + t, safe='')}" for t in targets]
    made += [f"/api/v1/clusters/{quote('../' * 6 + t, safe='')}" for t in targets]
    made += [f"/api/v1/dimensions/{'..%2f' * 6}{t}" for t in targets]
    made += ["//server/share/file", "/\\\\server\\share\\file", "/C:/Windows/win.ini", "/c$/x"]
    made += ["/" + "a" * 60_000, "/" + "../" * 15_000, "/" + "%2e%2e%2f" * 6_000]
    made += [
        "/.git/config",
        "/.env",
        "/assets",
        "/assets/",
        "/assets/.",
        "/api",
        "/api/v1/",
        "/~root",
    ]
    made += [f"/api/v1/search?q={quote(x)}" for x in ("\0", "a" * 501, "\ud7ff", "' OR 1=1 --")]
    made += [
        "/api/v1/tree?facet=../../x",
        "/api/v1/tree?" + "&".join(f"a{i}=1" for i in range(999)),
    ]
    return made


def heads(run: Path) -> list[bytes]:
    """Whole requests whose first line or headers are hostile."""
    host = b"Host: localhost\r\n"
    end = CLOSE
    made = [f"GET {path} HTTP/1.1\r\n".encode() + host + end for path in paths(run)]
    made += [
        b"GET / HTTP/1.1\r\nHost: " + name + b"\r\n" + end
        for name in (
            b"evil.example",
            b"localhost.evil.example",
            b"127.0.0.1.nip.io",
            b"localhost@evil.example",
            b"evil.example:80#localhost",
            b"[::ffff:1.2.3.4]",
            b"0x7f.1",
            b"2130706433",
            b"localhost, evil.example",
            b"\xff\xfe",
            b"[",
            b"]",
            b"",
            b"a" * 9000,
        )
    ]
    made.append(b"GET / HTTP/1.1\r\n" + end)
    made.append(b"GET / HTTP/1.1\r\nHost: evil.example\r\n" + host + end)
    made += [
        method + b" " + path + b" HTTP/1.1\r\n" + host + b"Content-Length: 2\r\n" + end + b"{}"
        for method in (
            b"POST",
            b"PUT",
            b"DELETE",
            b"PATCH",
            b"TRACE",
            b"CONNECT",
            b"PROPFIND",
            b"X",
        )
        for path in (b"/", b"/favicon.svg", b"/api/v1/release", b"/../run.json")
    ]
    made += [
        b"GET " + path + b" HTTP/1.1\r\n" + host + header + b"\r\n" + end
        for path in (b"/", b"/api/v1/release", b"/favicon.svg")
        for header in (
            b"X-Original-URL: /../run.json",
            b"X-Rewrite-URL: /private/conversations.parquet",
            b"X-Forwarded-Host: evil.example",
            b"X-Forwarded-For: 127.0.0.1\r\nForwarded: host=evil.example",
            b"X-Sendfile: /etc/passwd",
            b"Range: bytes=0-1,-1,5-2,999999999999-",
            b"Range: bytes=" + b"0-," * 500,
            b"If-None-Match: " + b'"a",' * 500,
            b"If-Modified-Since: never",
            b"Accept-Encoding: ../../run.json, gzip;q=nan",
            b"Cookie: clio=../../run.json",
            b"Authorization: Basic " + b"=" * 200,
            b"Origin: null",
            b"Origin: https://evil.example",
            b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13",
            b"X: a\r\n b: folded",
            b"Transfer-Encoding: chunked\r\nContent-Length: 4",
            b"\x00: x",
            b"X: \x0bvertical",
        )
    ]
    made += [
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n" + end,
        b"GET http://localhost/../run.json HTTP/1.1\r\n" + host + end,
        b"GET /%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\n" + host + end,
        b"GET /?x=%0d%0aX-Injected:%201 HTTP/1.1\r\n" + host + end,
        b"GET /api/v1/clusters/%0d%0aX-Injected:%201 HTTP/1.1\r\n" + host + end,
        b"GET / HTTP/9.9\r\n" + host + end,
        b"GET /\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 200,
        b"\r\n\r\n",
    ]
    random.Random(0).shuffle(made)
    return made


def ask(server: tuple[str, int], request: bytes) -> bytes:
    """All that the server says to these bytes, until it closes."""
    said = b""
    # It may have had enough before all is said, or wait for what never comes.
    with socket.create_connection(server, timeout=5) as connection, suppress(OSError):
        connection.sendall(request)
        if CLOSE not in request:
            connection.shutdown(socket.SHUT_WR)
        while more := connection.recv(1 << 16):
            said += more
    return said


def get(server: tuple[str, int], path: str) -> bytes:
    return ask(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n".encode() + CLOSE)


def wrong(request: bytes, said: bytes, bodies: set[bytes], run: Path) -> str | None:
    """What is wrong with an answer; none at all is right: it hung up."""
    head, _, body = said.partition(b"\r\n\r\n")
    for word in (SECRET.encode(), b"root:", b"Traceback"):
        if word in said:
            return f"it says {word!r}"
    here = str(run)[1:].encode()
    if here in said and here not in request:
        return "it says where it lies"
    if re.search(rb"(?im)^(x-injected|set-cookie|access-control-\S+):", head):
        return "a header that was put in"
    if not said:
        return None
    status = int(head.split(b" ", 2)[1])
    if status >= 500:
        return f"status {status}"
    kind = re.search(rb"(?im)^content-type: *([^\r;]+)", head)
    if status == 200 and body and kind and kind[1] != b"application/json" and body not in bodies:
        return "a file that is none of the page's"
    refused_unread = status == 400 and b"nvalid HTTP" in body
    if not refused_unread and b"content-security-policy" not in head.lower():
        return "no content policy"
    return None


def test_no_request_gets_what_it_should_not(server: tuple[str, int], run: Path) -> None:
    requests = heads(run)
    assert len(requests) >= 500
    problems: list[tuple[str, bytes]] = []
    bodies = {get(server, path).partition(b"\r\n\r\n")[2] for path in GOOD}
    for request in requests:
        if problem := wrong(request, ask(server, request), bodies, run):
            problems.append((problem, request[:100]))
    assert problems == []
    # It still stands.
    assert get(server, "/").startswith(b"HTTP/1.1 200")


def test_the_page_and_every_view_need_nothing_but_the_release(run: Path) -> None:
    alone = run.parent / "alone"
    shutil.copytree(run, alone, symlinks=True)
    for name in ("private", "restricted"):
        shutil.rmtree(alone / name)
    (alone / "run.json").unlink()
    asked = [
        "release",
        "tree",
        "clusters",
        "clusters/__root__",
        "clusters/request-1",
        "search?q=write",
        "trends?cluster=request-1",
        "map",
        "dimensions",
        "dimensions/language",
        "shares?dimension=language&value=Spanish",
        "compare/clusters?first=request-0&second=request-5",
        "alerts",
        "surprises",
        "tables",
        "tables/clusters?format=parquet",
    ]
    with (
        TestClient(create_app(alone), base_url="http://localhost") as one,
        TestClient(create_app(run), base_url="http://localhost") as other,
    ):
        for path in asked:
            answer = one.get(f"/api/v1/{path}")
            assert answer.status_code == 200, path
            assert answer.content == other.get(f"/api/v1/{path}").content, path
