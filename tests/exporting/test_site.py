"""The static site holds what the API answers, exactly, and nothing of anyone else."""

from __future__ import annotations

import codecs
import gzip
import json
import re
import shutil
import sys
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "release"))

from sample_release import HOSTILE_TITLE, sample

from clio.errors import ReleaseError
from clio.exporting.packing import pack
from clio.exporting.site import letters, write_site
from clio.server import create_app
from clio.server.app import STATIC

pytestmark = pytest.mark.skipif(
    not (STATIC / "index.html").is_file(), reason="the page is not built: run `make web`"
)
TAKE = re.compile(r'clioCopy\.take\("([^"]+)",(\d+),"([^"]*)"\);\n')


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "run"
    sample().write(folder)
    return folder


@pytest.fixture(scope="module")
def site(run: Path) -> Path:
    write_site(run, run.parent / "site")
    return run.parent / "site"


def unpack(value: Any) -> Any:
    """The inverse of `pack`, as ``packing.ts`` has it."""
    if isinstance(value, list):
        return [unpack(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "" not in value:
        return {key: unpack(one) for key, one in value.items()}
    kind, *rest = value[""]
    if kind == "decimals":
        exponent, digits = rest
        return [None if n is None else float(f"{n}e{exponent}") for n in digits]
    if kind == "numbered":
        beginning, differences = rest
        return [f"{beginning}{number}" for number in accumulate(differences)]
    keys, columns = rest
    rows = zip(*(unpack(column) for column in columns), strict=True)
    return [dict(zip(keys, row, strict=True)) for row in rows]


def decoded(text: str, size: int) -> bytes:
    bits = "".join(f"{ord(letter) - 0x100:015b}" for letter in text)
    return bytes(int(bits[8 * i : 8 * i + 8], 2) for i in range(size))


def answers(site: Path) -> dict[str, Any]:
    found = {}
    for part in sorted((site / "data").rglob("*.js")):
        if part.name == "index.js":
            continue
        content = part.read_bytes()
        assert content.startswith(codecs.BOM_UTF16_LE)
        taken = TAKE.fullmatch(content[2:].decode("utf-16-le"))
        assert taken is not None
        name, size, text = taken.groups()
        assert name == part.relative_to(site / "data").with_suffix("").as_posix()
        for key, packed in json.loads(gzip.decompress(decoded(text, int(size)))).items():
            assert key not in found
            found[key] = unpack(packed)
    return found


def test_every_answer_is_the_apis(run: Path, site: Path) -> None:
    held = answers(site)
    with TestClient(create_app(run), base_url="http://localhost") as client:
        for key, answer in held.items():
            path, *parameters = key.split("?")
            asked = "&".join(parameters)
            said = client.get(f"/api/v1/{path}?{asked}").json()
            if path.startswith("clusters/"):  # the page takes it from the series
                said["trend"] = None
            assert answer == said, key
    words = {key.split("?")[0].split("/")[0] for key in held}
    assert {"release", "tree", "clusters", "trends", "dimensions", "map", "shares"} <= words
    assert sum(key.startswith("trends") for key in held) == 17


def test_no_name_of_this_machine_and_no_markup_from_the_data(run: Path, site: Path) -> None:
    for path in site.rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            content = path.read_bytes()
            assert str(run.parent).encode() not in content
            if path.suffix != ".csv":
                assert HOSTILE_TITLE.encode() not in content


def test_the_page_is_closed(site: Path) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert not re.search(r"unsafe|https?:|data:|\*", policy[1])
    # Nothing inline, no module, and the policy stands before what it governs.
    assert not re.search(r"<script[^>]*>[^<]", page)
    assert 'type="module"' not in page
    assert "crossorigin" not in page
    assert page.index("Content-Security-Policy") < page.index("<script")
    assert page.index("data/index.js") < page.index("assets/")
    assert not re.search(r'(src|href)="(/|[a-z]+:)', page)


def test_the_same_release_gives_the_same_bytes(run: Path, site: Path, tmp_path: Path) -> None:
    write_site(run / "releases" / "0001", tmp_path / "again")
    one, other = (
        {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        for root in (site, tmp_path / "again")
    )
    assert one == other


def test_a_personal_release_is_not_exported(tmp_path: Path) -> None:
    sample(publishable=False).write(tmp_path / "run")
    with pytest.raises(ReleaseError, match="not anonymous"):
        write_site(tmp_path / "run", tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_what_is_there_is_not_overwritten(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(ReleaseError, match="not empty"):
        write_site(run, tmp_path)
    assert (tmp_path / "mine").read_text() == "x"


def test_a_release_without_dates_or_clusters(tmp_path: Path) -> None:
    sample(dates=False).write(tmp_path / "undated")
    empty = sample()
    empty.info["facets"], empty.tables = [], {"clusters": []}
    empty.write(tmp_path / "empty")
    for name in ("undated", "empty"):
        shutil.rmtree(tmp_path / "site", ignore_errors=True)
        write_site(tmp_path / name, tmp_path / "site")
        assert "release" in answers(tmp_path / "site")


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    folder = sample().write(tmp_path / "run")
    (folder / "trends.parquet").write_bytes(b"damaged")
    with pytest.raises(ReleaseError):
        write_site(tmp_path / "run", tmp_path / "site")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_progress_ends_with_all(run: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_site(run, tmp_path / "site", progress=lambda done, of: told.append((done, of)))
    assert told == [(i, told[-1][1]) for i in range(len(told))]
    assert told[-1][0] == told[-1][1]


plain = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text()
)
numbers = (
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53) | st.none()
)
ids = st.lists(st.from_regex(r"(a-|b)[0-9]{1,3}", fullmatch=True) | st.just("a-7"), max_size=8)
records = st.integers(1, 3).flatmap(
    lambda n: st.lists(
        st.fixed_dictionaries({f"f{i}": numbers | st.text() for i in range(n)}), max_size=6
    )
)
values = st.recursive(
    plain.filter(lambda v: v not in (float("inf"), float("-inf"))),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(min_size=1), inner, max_size=4)
        | st.lists(numbers, max_size=8)
        | ids
        | records
    ),
    max_leaves=30,
)


@given(values)
def test_what_is_packed_comes_back(value: Any) -> None:
    assert unpack(json.loads(json.dumps(pack(value)))) == value


@given(st.binary(min_size=1, max_size=200))
def test_letters_hold_bytes(data: bytes) -> None:
    text = letters(data)
    assert decoded(text, len(data)) == data
    assert all(0x100 <= ord(letter) < 0x8100 for letter in text)


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ValueError, match="empty key"):
        pack({"": 1})
