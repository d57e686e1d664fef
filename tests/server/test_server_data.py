"""Trends, dimensions, surprises, tables, and what makes answers cheap to ask for again."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sample_release import FACET, HOSTILE_TITLE, TOTAL, Sample, sample

from clio.release.read import open_release
from clio.release.schema import TABLES
from clio.server import create_app
from clio.server.crossing import interval


def get(client: TestClient, path: str, **parameters: Any) -> Any:
    response = client.get(f"/api/v1/{path}", params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def rows(client: TestClient, path: str, **parameters: Any) -> list[dict[str, str]]:
    response = client.get(f"/api/v1/{path}", params={**parameters, "format": "csv"})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert ".csv" in response.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(response.text)))


def client_of(made: Sample, tmp_path: Path) -> TestClient:
    made.write(tmp_path)
    return TestClient(create_app(tmp_path), base_url="http://localhost")


# Trends


@pytest.mark.parametrize(
    ("granularity", "periods"), [("week", 12), ("month", 3), ("quarter", 1), ("year", 1)]
)
def test_coarser_trends_add_up(
    client: TestClient, run_directory: Path, granularity: str, periods: int
) -> None:
    ids = ["request-0", "request-1", "__root__"]
    answer = get(client, "trends", cluster=ids, granularity=granularity)
    assert answer["granularity"] == granularity
    assert answer["available"] == ["week", "month", "quarter", "year"]
    assert len(answer["periods"]) == len(answer["totals"]) == periods
    release = open_release(run_directory)
    for series in answer["series"]:
        weeks = release.rows("trends", series["cluster_id"])
        points = series["points"]
        assert sum(p["conversations"] for p in points) == sum(w["conversations"] for w in weeks)
        assert sum(p["parts"] - p["withheld"] for p in points) == len(weeks)
        for point in points:
            assert point["share_low"] <= point["share"] <= point["share_high"]
    assert answer["totals"] == [p["conversations"] for p in answer["series"][2]["points"]]


def test_the_releases_own_granularity_is_as_released(client: TestClient) -> None:
    (series,) = get(client, "trends", cluster="request-0")["series"]
    own = get(client, "clusters/request-0")["trend"]["points"]
    for point, released in zip(series["points"], own, strict=True):
        assert point["withheld"] == 0
        assert {name: point[name] for name in released} == pytest.approx(released)


def test_longer_periods_have_narrower_intervals(client: TestClient) -> None:
    def width(granularity: str) -> float:
        answer = get(client, "trends", cluster="request-0", granularity=granularity)
        points = answer["series"][0]["points"]
        return max(float(p["share_high"] - p["share_low"]) for p in points)

    assert width("week") > width("month") > width("quarter")


def test_a_withheld_week_shows_in_its_month(client: TestClient) -> None:
    answer = get(client, "trends", cluster="request-1", granularity="month")
    assert [p["withheld"] for p in answer["series"][0]["points"]] == [0, 1, 0]


def test_trends_as_csv(client: TestClient) -> None:
    found = rows(client, "trends", cluster=["request-0", "request-6"], granularity="month")
    assert [row["cluster_id"] for row in found] == ["request-0"] * 3 + ["request-6"] * 3
    assert found[0]["title"] == "Writing and editing"


def test_no_dates_no_trends(tmp_path: Path) -> None:
    client = client_of(sample(dates=False), tmp_path)
    response = client.get("/api/v1/trends?cluster=request-0")
    assert response.status_code == 404
    assert "no dates" in response.json()["error"]["message"]
    assert all(node["change"] is None for node in get(client, "tree")["nodes"])


# Changes


def change(client: TestClient, cluster: str) -> Any:
    return next(n["change"] for n in get(client, "tree")["nodes"] if n["id"] == cluster)


def test_a_change_is_sure_only_where_intervals_do_not_overlap(tmp_path: Path) -> None:
    made = sample()
    for row in made.tables["trends"]:
        if row["cluster_id"] == "request-6" and row["period"].month == 3:
            for name in ("share", "share_low", "share_high"):
                row[name] *= 3
    client = client_of(made, tmp_path)
    nodes = [n for n in get(client, "tree")["nodes"] if n["change"]]
    assert "__root__" not in {n["id"] for n in nodes}
    for node in nodes:
        c = node["change"]
        apart = c["last_low"] > c["first_high"] or c["first_low"] > c["last_high"]
        assert c["sure"] == apart
    grown = change(client, "request-6")
    assert grown["sure"]
    assert grown["last"] > 2 * grown["first"]


def test_a_change_needs_most_periods_of_both_thirds(tmp_path: Path) -> None:
    made = sample()
    weeks = [r for r in made.tables["trends"] if r["cluster_id"] == "request-6"]
    for missing, known in ((2, True), (3, False)):
        gone = [id(week) for week in weeks[:missing]]
        left = sample()
        left.tables["trends"] = [r for r in made.tables["trends"] if id(r) not in gone]
        client = client_of(left, tmp_path / str(missing))
        assert (change(client, "request-6") is not None) == known


# Dimensions and surprises


def test_dimensions_and_their_distribution(client: TestClient) -> None:
    answer = get(client, "dimensions")
    (language,) = answer["dimensions"]
    assert answer["facet"] == FACET
    assert [v["value"] for v in language["values"]] == ["English", "Spanish", "Chinese", "German"]
    shown = sum(v["conversations"] for v in language["values"])
    assert shown + language["not_shown"] == answer["conversations"] == TOTAL


def test_a_dimension_across_clusters(client: TestClient) -> None:
    answer = get(client, "dimensions/language")
    assert answer["baseline"][0] == pytest.approx(0.62)
    assert answer["total"] == len(answer["clusters"]) == 4
    for row in answer["clusters"]:
        assert len(row["cells"]) == len(answer["values"])
        for cell, base in zip(row["cells"], answer["baseline"], strict=True):
            assert cell["ratio"] == pytest.approx(cell["share"] / base, rel=5e-3)
            assert cell["sure"] == (not cell["low"] <= base <= cell["high"])
    leaves = get(client, "dimensions/language", level=0, offset=10, limit=5)
    assert (leaves["total"], len(leaves["clusters"])) == (12, 2)
    children = get(client, "dimensions/language", parent="request-0")
    assert children["total"] == 4
    assert len(rows(client, "dimensions/language", level=0)) == 12 * 4


def test_withheld_cells_and_base_rates_are_null(tmp_path: Path) -> None:
    made = sample()
    made.tables["breakdowns"] = [
        row
        for row in made.tables["breakdowns"]
        if (row["cluster_id"], row["value"])
        not in {("__root__", "German"), ("request-0", "Spanish")}
    ]
    client = client_of(made, tmp_path)
    answer = get(client, "dimensions/language")
    german, spanish = answer["values"].index("German"), answer["values"].index("Spanish")
    first = answer["clusters"][0]
    assert answer["baseline"][german] is None
    assert first["cells"][german]["ratio"] is None
    assert not first["cells"][german]["sure"]
    assert first["cells"][spanish] is None


def test_a_dimension_may_have_any_name(tmp_path: Path) -> None:
    made = sample()
    for row in made.tables["breakdowns"]:
        row["dimension"] = "team/part ?&"
    client = client_of(made, tmp_path)
    assert get(client, "dimensions/team%2Fpart%20%3F%26")["dimension"] == "team/part ?&"


def test_surprises_are_small_and_sure(tmp_path: Path) -> None:
    made = sample()
    rare = [r for r in made.tables["breakdowns"] if r["value"] == "German"]
    for row in rare:
        if row["cluster_id"] in ("request-4", "request-5"):  # a small one and the largest
            row["share"] = 0.9
    client = client_of(made, tmp_path)
    answer = get(client, "surprises")["surprises"]
    assert answer[0]["cluster"]["cluster_id"] == "request-4"
    assert answer[0]["value"] == "German"
    leaves = sorted(c["conversations"] for c in get(client, "clusters", level=0)["clusters"])
    for one in answer:
        assert one["cluster"]["conversations"] <= leaves[len(leaves) // 2]
        assert one["low"] > one["baseline"]


@given(share=st.floats(0, 1), trials=st.integers(0, 10_000))
def test_an_interval_holds_its_share(share: float, trials: int) -> None:
    low, high = interval(share, trials)
    assert 0 <= low <= share + 1e-9
    assert share - 1e-9 <= high <= 1


def test_an_interval_as_in_the_literature() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263.
    assert interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


# Tables


def test_tables_say_what_they_hold(client: TestClient) -> None:
    tables = get(client, "tables")["tables"]
    assert [table["name"] for table in tables] == list(TABLES)
    clusters = tables[0]
    assert clusters["rows"] == 17
    assert list(clusters["columns"]) == TABLES["clusters"].names
    assert all(clusters["columns"].values())


@pytest.mark.parametrize("name", list(TABLES))
def test_a_table_in_every_format(client: TestClient, name: str) -> None:
    page = get(client, f"tables/{name}", offset=2, limit=3)
    whole = get(client, f"tables/{name}", limit=10_000)
    assert page["rows"] == whole["rows"][2:5]
    assert page["total"] == len(whole["rows"])
    assert len(rows(client, f"tables/{name}")) == page["total"]
    response = client.get(f"/api/v1/tables/{name}?format=parquet")
    table = pq.read_table(io.BytesIO(response.content))
    assert table.schema.names == TABLES[name].names
    assert table.num_rows == page["total"]


def test_tables_of_one_facet(client: TestClient) -> None:
    assert get(client, "tables/clusters", facet=FACET)["total"] == 17
    assert client.get("/api/v1/tables/clusters?facet=nope").status_code == 404


def test_clusters_as_csv(client: TestClient) -> None:
    found = rows(client, "clusters", level=0)
    assert len(found) == 12
    assert HOSTILE_TITLE in {row["title"] for row in found}


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r"])
def test_a_spreadsheet_finds_no_formula(tmp_path: Path, beginning: str) -> None:
    made = sample()
    hostile = f'{beginning}HYPERLINK("http://evil.example")'
    made.tables["clusters"][1]["title"] = hostile
    client = client_of(made, tmp_path)
    for path in ("tables/clusters", "clusters"):
        titles = {row["title"] for row in rows(client, path)}
        assert f"'{hostile}" in titles
        assert hostile not in titles


# Answers that are asked for again


@pytest.mark.parametrize(
    "path",
    ["release", "tree", "clusters/request-0", "tables/trends?format=csv", "openapi.json"],
)
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_an_answer_known_is_not_sent_again(client: TestClient, path: str, encoding: str) -> None:
    headers = {"accept-encoding": encoding}
    first = client.get(f"/api/v1/{path}", headers=headers)
    tag = first.headers["etag"]
    assert tag.startswith('"1-')
    assert client.get(f"/api/v1/{path}", headers=headers).content == first.content
    for named in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(f"/api/v1/{path}", headers={**headers, "if-none-match": named})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["x-content-type-options"] == "nosniff"
    other = client.get(f"/api/v1/{path}", headers={**headers, "if-none-match": '"other"'})
    assert other.status_code == 200


def test_tags_tell_encodings_and_releases_apart(client: TestClient, tmp_path: Path) -> None:
    def tag(of: TestClient, encoding: str) -> str:
        return of.get("/api/v1/tree", headers={"accept-encoding": encoding}).headers["etag"]

    made = sample()
    made.tables["clusters"][1]["title"] = "Renamed"
    other = client_of(made, tmp_path)
    tags = {tag(c, e) for c in (client, other) for e in ("gzip", "identity")}
    assert len(tags) == 4
    assert client.get("/api/v1/tree").headers["vary"] == "Accept-Encoding"


def test_errors_have_no_tag(client: TestClient) -> None:
    for path in ("nothing", "tree?facet=nope", "tree?x=1"):
        response = client.get(f"/api/v1/{path}", headers={"if-none-match": "*"})
        assert response.status_code in (400, 404)
        assert "etag" not in response.headers


VALUES = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=40)


@given(
    headers=st.dictionaries(
        st.sampled_from(
            ["host", "if-none-match", "accept-encoding", "origin", "range", "x-forwarded-host"]
        ),
        VALUES,
        max_size=4,
    )
)
def test_no_header_breaks_it(client_kept: TestClient, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    response = client_kept.get("/api/v1/release", headers=raw)
    assert response.status_code in (200, 304, 400)
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in response.headers


@pytest.fixture(scope="module")
def client_kept(run_directory: Path) -> TestClient:
    return TestClient(create_app(run_directory), base_url="http://localhost")
