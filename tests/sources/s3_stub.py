"""As much of S3's interface as reading needs, on this machine: list, head, get with ranges."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

MODIFIED = datetime(2024, 5, 1, 12, tzinfo=UTC)


class Bucket:
    """Objects by key; `modified` counts up by a day when an object is put anew."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.objects: dict[str, bytes] = {}
        self.refused: set[str] = set()
        self.gets: list[str] = []
        self.address = ""

    def url(self, key: str) -> str:
        return f"s3://{self.name}/{key}?endpoint_override={self.address}&scheme=http&region=here"


@contextmanager
def serving(bucket: Bucket) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 2**16  # head and body in one packet

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            parts = urlsplit(self.path)
            _, name, *rest = unquote(parts.path).split("/", 2)
            key = rest[0] if rest else ""
            query = {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
            if name != bucket.name:
                self.send(404, b"", body)
            elif "list-type" in query:
                self.send(200, listing(bucket, query), body, kind="application/xml")
            elif not key:
                self.send(200, b"", body)
            elif key in bucket.refused:
                self.send(403, b"", body)
            elif key not in bucket.objects:
                self.send(404, b"", body)
            else:
                self.send_object(key, body=body)

        def send_object(self, key: str, *, body: bool) -> None:
            content = bucket.objects[key]
            if body:
                bucket.gets.append(key)
            asked = self.headers.get("Range")
            if asked is None:
                self.send(200, content, body, etag=etag(content))
                return
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last or len(content)), len(content) - 1)
            span = f"bytes {start}-{end}/{len(content)}"
            self.send(206, content[start : end + 1], body, etag=etag(content), span=span)

        def send(
            self,
            status: int,
            content: bytes,
            body: bool,
            *,
            kind: str = "binary/octet-stream",
            etag: str = "",
            span: str = "",
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Last-Modified", format_datetime(MODIFIED, usegmt=True))
            if etag:
                self.send_header("ETag", etag)
            if span:
                self.send_header("Content-Range", span)
            self.end_headers()
            if body:
                self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    bucket.address = f"127.0.0.1:{server.server_port}"
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def etag(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'


def listing(bucket: Bucket, query: dict[str, str]) -> bytes:
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    entries, folders = [], set()
    for key in sorted(k for k in bucket.objects if k.startswith(prefix)):
        below = key[len(prefix) :]
        if delimiter and delimiter in below:
            folders.add(prefix + below.partition(delimiter)[0] + delimiter)
            continue
        content = bucket.objects[key]
        entries.append(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(content)}</Size>"
            f"<LastModified>{MODIFIED:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f"<ETag>{escape(etag(content))}</ETag></Contents>"
        )
    common = "".join(
        f"<CommonPrefixes><Prefix>{escape(f)}</Prefix></CommonPrefixes>" for f in sorted(folders)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult '
        'xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{bucket.name}</Name><Prefix>{escape(prefix)}</Prefix>"
        f"<KeyCount>{len(entries) + len(folders)}</KeyCount><MaxKeys>1000</MaxKeys>"
        f"<IsTruncated>false</IsTruncated>{''.join(entries)}{common}</ListBucketResult>"
    ).encode()
