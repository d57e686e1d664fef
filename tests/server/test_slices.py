"""The map, shares of a value, comparisons and the search by meaning, over the API."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from sample_release import FACET, sample

from clio.release.read import open_release
from clio.server import create_app

WORDS = ("python", "sql", "poem", "recipe", "dinner", "meal", "trip", "holiday")
SAME = {"meal": "recipe", "dinner": "recipe", "holiday": "trip"}


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Words that mean the same get the same axis; all texts have one axis in common."""
    vectors = np.zeros((len(texts), len(WORDS) + 1), dtype=np.float32)
    vectors[:, -1] = 0.5
    for row, text in zip(vectors, texts, strict=True):
        for i, word in enumerate(WORDS):
            if word in text.lower():
                row[WORDS.index(SAME.get(word, WORDS[i]))] = 1
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("slices") / "run"
    made = sample()
    for i, row in enumerate(made.tables["clusters"][1:]):
        row["x"], row["y"] = 0.05 * i, None if i == 3 else 0.5
    made.tables["map"] = [{"facet": FACET, "cell_x": 3, "cell_y": 4, "conversations": 77}]
    for row in made.tables["breakdowns"]:  # much more Spanish in one cluster
        if (row["cluster_id"], row["value"]) == ("request-1", "Spanish"):
            row["conversations"], row["share"] = 700, 700 / 1240
    for row in made.tables["trends"]:  # one that grows threefold
        if row["cluster_id"] == "request-5" and row["period"].month == 3:
            for name in ("share", "share_low", "share_high"):
                row[name] *= 3
    made.write(run)
    return run


@pytest.fixture(scope="module")
def client(run: Path) -> Iterator[TestClient]:
    with TestClient(create_app(run, embed=embed), base_url="http://localhost") as client:
        yield client


def test_the_map_holds_every_placed_cluster_and_the_cells(client: TestClient, run: Path) -> None:
    answer = client.get("/api/v1/map")
    assert answer.headers["etag"]
    body = answer.json()
    places = body["places"]
    placed = {c.cluster_id: c for c in open_release(run).walk() if not c.is_root and c.y}
    assert set(places["id"]) == set(placed)
    assert places["x"] == pytest.approx([placed[one].x for one in places["id"]])
    assert body["cells"] == {"x": [3], "y": [4], "conversations": [77]}
    assert body["grid"] == 64


def test_shares_of_a_value_are_those_of_the_breakdowns(client: TestClient, run: Path) -> None:
    body = client.get("/api/v1/shares?dimension=language&value=Spanish").json()
    release = open_release(run)
    for one, share, low, high in zip(
        body["id"], body["share"], body["low"], body["high"], strict=True
    ):
        rows = release.rows("breakdowns", one)
        assert share == pytest.approx(
            next(row["share"] for row in rows if row["value"] == "Spanish"), abs=1e-4
        )
        assert low <= share <= high
    assert body["baseline"] == pytest.approx(0.14)
    assert client.get("/api/v1/shares?dimension=language&value=Latin").status_code == 404


def test_periods_are_ranked_by_how_sure_the_difference_is(client: TestClient) -> None:
    asked = {
        "first_from": "2025-01-01",
        "first_to": "2025-01-31",
        "second_from": "2025-03-01",
        "second_to": "2025-03-31",
    }
    body = client.get("/api/v1/compare/periods", params=asked).json()
    first, *rest = body["rows"]
    assert first["cluster_id"] == "request-5"
    assert first["sure"]
    assert first["low"] > 0
    assert not any(row["sure"] and row["low"] <= 0 <= row["high"] for row in rest)
    for row in body["rows"]:
        assert row["difference"] == pytest.approx(row["second"] - row["first"], abs=1e-4)
        assert row["low"] <= row["difference"] <= row["high"]
    table = client.get("/api/v1/compare/periods", params={**asked, "format": "csv"}).text
    assert len(list(csv.DictReader(io.StringIO(table)))) == len(body["rows"])
    nowhen = {**asked, "first_from": "2019-01-01", "first_to": "2019-02-01"}
    assert client.get("/api/v1/compare/periods", params=nowhen).status_code == 404


def test_a_slice_against_itself_is_never_surely_different(client: TestClient) -> None:
    for path in (
        "values?dimension=language&first=Spanish&second=Spanish&level=0",
        "clusters?first=request-0&second=request-0",
        "periods?first_from=2025-01-01&first_to=2025-02-01"
        "&second_from=2025-01-01&second_to=2025-02-01",
    ):
        rows = client.get(f"/api/v1/compare/{path}").json()["rows"]
        assert rows
        assert not any(row["sure"] or row["difference"] for row in rows)


def test_values_and_clusters_find_the_planted_difference(client: TestClient) -> None:
    values = client.get(
        "/api/v1/compare/values?dimension=language&first=English&second=Spanish&level=0"
    ).json()
    assert [side["name"] for side in values["sides"]] == ["English", "Spanish"]
    assert values["rows"][0]["cluster_id"] == "request-1"
    assert values["rows"][0]["sure"]
    pair = client.get("/api/v1/compare/clusters?first=__root__&second=request-1").json()
    assert (pair["rows"][0]["dimension"], pair["rows"][0]["title"]) == ("language", "Spanish")
    assert pair["rows"][0]["sure"]
    assert pair["sides"][0]["name"] == "All conversations"


def test_the_search_finds_by_meaning(client: TestClient, run: Path) -> None:
    body = client.get("/api/v1/search?q=a meal for the family&by=meaning").json()
    assert [hit["cluster"]["title"] for hit in body["hits"]] == ["Suggest dinner recipes"]
    assert client.get("/api/v1/search?q=%20&by=meaning").json()["hits"] == []
    with TestClient(create_app(run), base_url="http://localhost") as without:
        assert without.get("/api/v1/search?q=meal&by=meaning").json()["hits"] == []
