"""Files at addresses, on this machine: S3's interface through Arrow, others through fsspec."""

from __future__ import annotations

import gzip
import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clio.errors import InputError
from clio.pipeline import default_directory
from clio.sources import Reason, expand, fingerprint, read, shown

sys.path.insert(0, str(Path(__file__).parent))

from s3_stub import Bucket, serving

LINE = b'{"messages": [{"role": "user", "content": "hello"}]}\n'


def packed(**members: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return sink.getvalue()


def parquet(rows: int) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"messages": [[{"role": "user", "content": "x"}]] * rows}), sink)
    return sink.getvalue()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    made = Bucket("logs")
    made.objects = {
        "may/1.jsonl": LINE * 3,
        "may/2.jsonl.gz": gzip.compress(LINE * 2),
        "may/4.zip": packed(**{"a.jsonl": LINE}),
        "may/x/3.parquet": parquet(5),
        "may/.hidden.jsonl": LINE,
        "may/t.csv": b"a,b\n1,2\n",
        "june/1.jsonl": LINE,
    }
    with serving(made):
        yield made


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("may/1.jsonl", ["may/1.jsonl"]),
        ("may", ["may/1.jsonl", "may/2.jsonl.gz", "may/4.zip/a.jsonl", "may/x/3.parquet"]),
        ("may/", ["may/1.jsonl", "may/2.jsonl.gz", "may/4.zip/a.jsonl", "may/x/3.parquet"]),
        ("may/*.jsonl*", ["may/1.jsonl", "may/2.jsonl.gz"]),
        ("*/[!2].jsonl", ["june/1.jsonl", "may/1.jsonl"]),
        ("**/*.parquet", ["may/x/3.parquet"]),
    ],
)
def test_objects_folders_and_patterns(bucket: Bucket, key: str, names: list[str]) -> None:
    found = expand([bucket.url(key)])
    assert [item.name for item in found] == [f"s3://logs/{name}" for name in names]
    rows = list(read(found))
    sizes = {"1.jsonl": 3, "2.jsonl.gz": 2, "a.jsonl": 1, "3.parquet": 5}
    expected = sum(sizes[name.rpartition("/")[2]] for name in names if "june" not in name)
    assert len(rows) == expected + ("june" in names[0])
    assert not any(row.reason for row in rows)
    folder = key.rstrip("/") == "may"
    assert found.passed_over == ((("s3://logs/may/t.csv", "a .csv file"),) if folder else ())


def test_ids_and_holders_come_from_the_last_parts_of_an_address(bucket: Bucket) -> None:
    (item,) = expand([bucket.url("may/1.jsonl")])
    assert (item.blob.source, item.blob.holder) == ("1.jsonl", "may")
    assert default_directory([bucket.url("may/1.jsonl")]) == Path("1-clio")
    assert default_directory([bucket.url("may/*.jsonl")]) == Path("clio-run")
    assert default_directory([bucket.url("may/")]) == Path("may-clio")
    assert default_directory(["-"]) == Path("clio-run")


def test_a_fingerprint_costs_no_download_and_knows_what_changed(bucket: Bucket) -> None:
    found = expand([bucket.url("may")])
    bucket.gets.clear()
    before = fingerprint(found)
    assert bucket.gets == []
    assert fingerprint(expand([bucket.url("may")])) == before
    bucket.objects["may/1.jsonl"] += LINE
    assert fingerprint(expand([bucket.url("may")])) != before


def test_what_is_not_there_or_refused_is_one_line(bucket: Bucket) -> None:
    bucket.refused.add("may/1.jsonl")
    for key, said in (
        ("none.jsonl", "nothing is at"),
        ("may/1.jsonl", "cannot read s3://logs/may/1"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            expand([bucket.url(key)])
        assert "endpoint_override" not in str(caught.value)
    bucket.refused.clear()
    found = expand([bucket.url("may/x/3.parquet"), bucket.url("may/1.jsonl")])
    bucket.refused |= {"may/x/3.parquet"}
    # A table that cannot be fetched any more is not a damaged one.
    with pytest.raises(InputError, match=r"cannot read s3://logs/may/x/3\.parquet"):
        list(read(found))


def test_passwords_are_not_shown() -> None:
    address = "s3://key:secret@bucket/a/b.jsonl?session_token=x"
    assert shown(address) == "s3://bucket/a/b.jsonl"
    assert shown("a@b://c?d") == "a@b://c?d"
    with pytest.raises(InputError) as caught:
        expand(["unknown+x://key:secret@host/a?token=secret"])
    assert "secret" not in str(caught.value)


def test_file_addresses_are_local_paths(tmp_path: Path) -> None:
    path = tmp_path / "a b.jsonl"
    path.write_bytes(LINE)
    address = path.as_uri()
    assert [item.name for item in expand([address, path])] == [str(path)]
    assert len(expand([tmp_path.as_uri() + "/*.jsonl"])) == 1
    with pytest.raises(InputError, match="another machine"):
        expand(["file://there/a.jsonl"])


def test_other_addresses_through_fsspec() -> None:
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    system.store.clear()
    for name, content in (("/in/1.jsonl", LINE), ("/in/d/2.json", b"[" + LINE + b"]")):
        system.pipe_file(name, content)
    system.pipe_file("/in/d/3.zip", packed(**{"x.jsonl": LINE[:-9], "y.parquet": parquet(2)}))
    found = expand(["memory://in"])
    assert [item.name for item in found] == [
        "memory://in/1.jsonl",
        "memory://in/d/2.json",
        "memory://in/d/3.zip/x.jsonl",
        "memory://in/d/3.zip/y.parquet",
    ]
    reasons = [row.reason for row in read(found)]
    assert reasons == [None, None, Reason.BROKEN_JSON.value, None, None]
    assert [item.name for item in expand(["memory://in/**/*.json"])] == ["memory://in/d/2.json"]
    before = fingerprint(found)
    assert fingerprint(expand(["memory://in"])) == before
    system.pipe_file("/in/1.jsonl", LINE.replace(b"hello", b"Hello"))
    assert fingerprint(expand(["memory://in"])) != before
    with pytest.raises(InputError, match="nothing is at memory://none"):
        expand(["memory://none"])
    with pytest.raises(InputError, match="no kind of address"):
        expand(["nothing://none"])


def test_without_fsspec_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(InputError, match=r"pip install 'clio-insights\[remote\]'"):
        expand(["memory://in"])
