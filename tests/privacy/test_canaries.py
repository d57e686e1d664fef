"""Invented details planted in a corpus: none may come out, and each layer stops some."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

import clio
from clio.cli import app
from clio.errors import InputError, ReleaseError
from clio.pipeline.canaries import (
    COPIES,
    CanaryReport,
    Detail,
    canary_report,
    check_canaries,
    folded,
    search,
)
from clio.testing import write_jsonl
from clio.testing.canaries import details, sentences, traces
from clio.testing.canary_values import KINDS

NUMBER = 48


def planted(number: int = NUMBER) -> list[Detail]:
    return [Detail(*each) for each in details(number, seed=3)]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("canaries") / "in.jsonl"
    write_jsonl(path, 1_000, seed=4, accounts=300)
    return path


@pytest.fixture(scope="module")
def run(source: Path) -> Path:
    settings = clio.Settings(embedder="static", base_clusters=8)
    return clio.run(source, out=source.with_name("run"), settings=settings).path


@pytest.fixture(scope="module")
def before(run: Path) -> dict[str, bytes]:
    return _bytes(run)


@pytest.fixture(scope="module")
def report(run: Path, before: dict[str, bytes], source: Path) -> CanaryReport:
    assert canary_report(run) is None
    options = ["--embedder", "static", "--base-clusters", "8", "--canaries", str(NUMBER), "--json"]
    done = CliRunner().invoke(app, ["run", str(source), "--out", str(run), *options])
    assert done.exit_code == 0, done.output
    found = canary_report(run)
    assert found is not None
    assert json.loads(done.stdout)["canaries"] == found.as_dict()
    return found


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_details_are_of_all_kinds_and_differ() -> None:
    found = planted(5 * len(KINDS))
    assert {detail.kind for detail in found} == set(KINDS)
    assert len({detail.value for detail in found}) == len(found)
    for detail in found:
        assert detail.value in detail.sentence
        assert detail.traces[0] == detail.value


def test_nothing_planted_comes_out_of_a_run(report: CanaryReport) -> None:
    assert report.total == NUMBER
    assert set(report.planted) == set(KINDS)
    assert report.found == ()


def test_the_run_is_untouched_and_the_shadow_gone(
    report: CanaryReport, run: Path, before: dict[str, bytes]
) -> None:
    after = _bytes(run)
    # The same command looks at what stands, and writes down that it was there.
    before, after = ({k: v for k, v in of.items() if k != "run.json"} for of in (before, after))
    assert set(after) - set(before) == {"private/canaries.json"}
    assert {name: after[name] for name in before} == before
    assert (run / "private" / "canaries.json").stat().st_mode & 0o777 == 0o600
    assert canary_report(run) == report
    kept = after["private/canaries.json"].decode()
    hidden = [Detail(*each) for each in details(NUMBER)]
    assert not any(trace in kept for detail in hidden for trace in detail.traces)


def test_what_comes_out_is_found_however_it_is_spelled(tmp_path: Path) -> None:
    spelled = {
        "plain": "Alma Brandingby",
        "spread": "Alma\u00a0 Brandingby",
        "wide": "Ａｌｍａ Brandingby",
        "hidden": "Alma Brand\u200bingby",
        "shouted": "ALMA BRANDINGBY",
    }
    for name, text in spelled.items():
        (tmp_path / name).write_text(f"Ask for {text}, please", encoding="utf-8")
    (tmp_path / "other").write_text("Ask for Alma, please")
    found = search(sorted(tmp_path.iterdir()), [traces("Alma Brandingby")])
    assert {place for _, place in found} == set(spelled)


def test_a_leaking_writer_is_caught(
    run: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the gate's wording check taken out and a writer that copies, canaries come out."""
    import numpy as np

    from clio.describing import Description
    from clio.pipeline.stages import describe as stage
    from clio.pipeline.stages.samples import sample_members

    def copying(context, facet, centroids):
        members = sample_members(
            context.directory,
            facet.name,
            np.arange(len(centroids), dtype=np.int32),
            thresholds=context.settings.thresholds(),
        )
        said = [
            " ".join(
                t for t, g in zip(members.texts, members.group.tolist(), strict=True) if g == n
            )
            for n in range(len(centroids))
        ]
        return [Description(f"Group {n}", text) for n, text in enumerate(said)], {}

    monkeypatch.setattr(stage, "_from_members", copying)
    again = check_canaries([source], run, planted())
    assert again.found == (), "the wording check stops what a writer copies"
    monkeypatch.setattr("clio.privacy.titles.check", lambda *_: [])
    with pytest.raises(ReleaseError, match="audit keeps"):
        check_canaries([source], run, planted())
    monkeypatch.setattr("clio.pipeline.stages.release.refuse_unsafe", lambda *_: None)
    leaked = check_canaries([source], run, planted())
    assert {"full name", "small firm", "rare disease"} <= {kind for kind, _, _ in leaked.found}
    # What has a shape was scrubbed before any writer saw it.
    assert not {"email", "credit card", "iban"} & {kind for kind, _, _ in leaked.found}


def test_standard_input_cannot_be_read_twice(run: Path) -> None:
    with pytest.raises(InputError, match="twice"):
        check_canaries(["-"], run, planted())


def test_the_report_holds_no_detail() -> None:
    report = CanaryReport({"email": 2}, (("email", 5, "clusters.parquet"),))
    record = orjson.loads(orjson.dumps(report.as_dict()))
    assert record["found"] == [{"kind": "email", "accounts": 5, "place": "clusters.parquet"}]
    assert max(COPIES) < 10
    assert folded("A b\u200b") == "ab"
    assert set(sentences()["en"]) == set(KINDS)
