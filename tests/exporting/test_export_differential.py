"""Differentially private exports of a whole run: what they open, spend, hide and keep."""

from __future__ import annotations

import csv
import json
import stat
import sys
from pathlib import Path

import pytest

from clio.errors import ClioError, EpsilonError, ReleaseError, RunError, SettingsError
from clio.exporting import exports
from clio.exporting.exports import Privacy, export
from clio.release.read import open_release

DEAR = Privacy(epsilon=8.0, budget=1000.0)


def log_of(run: Path) -> list[dict[str, object]]:
    path = run / "private" / "exports.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_an_export_counts_again_and_says_so(run: Path, tmp_path: Path) -> None:
    before = open_release(run).digest
    made = export(run, tmp_path / "out", form="parquet", privacy=DEAR)
    release, noised = open_release(run), open_release(tmp_path / "out")
    assert release.digest == before
    assert noised.info.privacy.epsilon == 8.0
    assert noised.info.privacy.delta == 1e-8
    assert noised.info.outcomes == {}
    assert noised.facets == release.facets[:1]
    assert not (tmp_path / "out" / "withheld.parquet").exists()
    titles = {(c.level, c.title) for c in release.walk()}
    assert {(c.level, c.title) for c in noised.walk()} <= titles
    assert len(list(noised.walk())) > 5
    # Three conversations an account at most, so fewer than all; noise is far smaller than that.
    root = noised.cluster().conversations
    assert release.info.totals.accounts < root < release.info.totals.conversations
    for cluster in noised.walk():
        below = sum(c.conversations for c in noised.children(cluster.cluster_id))
        assert cluster.level == 0 or cluster.conversations == below + cluster.other_conversations
    guarantee = made.card.differential_privacy
    assert guarantee is not None
    assert guarantee.export == 1
    assert sum(m.epsilon for m in guarantee.measurements) <= 8.0
    assert {m.of for m in guarantee.measurements} >= {"leaves", "trends", "each dimension"}


def test_what_is_spent_is_logged_for_the_owner_alone(run: Path, tmp_path: Path) -> None:
    export(run, tmp_path / "a", form="csv", privacy=Privacy(1.0))
    made = export(run, tmp_path / "b", form="index", privacy=Privacy(1.5, 1e-9))
    guarantee = made.card.differential_privacy
    assert guarantee is not None
    assert guarantee.epsilon_of_run == pytest.approx(2.5)
    assert guarantee.delta_of_run == pytest.approx(1.1e-8)
    lines = log_of(run)
    assert [line["epsilon"] for line in lines] == [1.0, 1.5]
    assert [line["form"] for line in lines] == ["csv", "index"]
    assert stat.S_IMODE((run / "private" / "exports.jsonl").stat().st_mode) == 0o600
    looks = (run / "restricted" / "access.log").read_text().splitlines()
    assert [json.loads(line)["action"] for line in looks[-2:]] == ["export", "export"]


def test_over_the_budget_nothing_is_spent_and_nothing_made(run: Path, tmp_path: Path) -> None:
    export(run, tmp_path / "a", form="csv", privacy=Privacy(2.0, budget=3.0))
    with pytest.raises(EpsilonError, match="over its budget of 3"):
        export(run, tmp_path / "b", form="csv", privacy=Privacy(2.0))
    assert len(log_of(run)) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "run"]
    export(run, tmp_path / "b", form="csv", privacy=Privacy(2.0, budget=4.0))
    assert len(log_of(run)) == 2


def test_what_dies_after_it_was_logged_has_spent(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(exports, "measure", die)
    with pytest.raises(KeyboardInterrupt):
        export(run, tmp_path / "a", form="csv", privacy=Privacy(2.0))
    assert len(log_of(run)) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run"]


def test_a_place_that_cannot_be_written_costs_nothing(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises((OSError, ClioError)):
        export(run, tmp_path / "file" / "out", form="csv", privacy=Privacy(2.0))
    assert log_of(run) == []


def test_another_form_of_an_export_costs_nothing(run: Path, tmp_path: Path) -> None:
    first = export(run, tmp_path / "a", form="parquet", privacy=DEAR)
    again = export(tmp_path / "a", tmp_path / "b", form="csv")
    assert len(log_of(run)) == 1
    assert again.card.differential_privacy == first.card.differential_privacy
    assert again.card.digest is None
    with (tmp_path / "b" / "clusters.csv").open(encoding="utf-8", newline="") as file:
        counts = [int(row["conversations"]) for row in csv.DictReader(file)]
    assert counts == open_release(tmp_path / "a").clusters["conversations"].to_pylist()
    (tmp_path / "a" / "datacard.json").unlink()
    with pytest.raises(ReleaseError, match=r"datacard\.json"):
        export(tmp_path / "a", tmp_path / "c", form="csv")


def test_each_export_has_noise_and_identifiers_of_its_own(run: Path, tmp_path: Path) -> None:
    tables = []
    for name in ("a", "b"):
        export(run, tmp_path / name, form="parquet", privacy=DEAR, seed=5)
        tables.append(open_release(tmp_path / name))
    one, two = tables
    ids = [{c.cluster_id for c in r.walk() if not c.is_root} for r in tables]
    assert not ids[0] & ids[1]
    assert not ids[0] & {c.cluster_id for c in open_release(run).walk()}
    # Some hundred noised cells agree once in more than 10^50 times.
    assert one.trends["conversations"].to_pylist() != two.trends["conversations"].to_pylist()


def test_a_site_is_made_of_noised_numbers(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def write(folder: Path, to: Path) -> None:
        noised = open_release(folder)
        seen.append((noised.info.privacy.epsilon, noised.info.outcomes, folder))
        (to / "index.html").write_text("page")

    monkeypatch.setattr(exports, "write_site", write)
    export(run, tmp_path / "out", privacy=DEAR)
    [(epsilon, outcomes, folder)] = seen
    assert epsilon == 8.0
    assert outcomes == {}
    assert run not in folder.parents
    assert not folder.exists()


def test_only_a_run_that_stands_can_be_counted_again(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is no run"):
        export(run / "release", tmp_path / "out", form="csv", privacy=Privacy())
    (run / "private" / "work" / "request" / "members.parquet").unlink()
    with pytest.raises(RunError, match="what is private in it was removed"):
        export(run, tmp_path / "out", form="csv", privacy=Privacy())
    assert log_of(run) == []
    export(run, tmp_path / "out", form="csv")


def test_a_damaged_log_stops_all(run: Path, tmp_path: Path) -> None:
    export(run, tmp_path / "a", form="csv", privacy=Privacy(0.5))
    path = run / "private" / "exports.jsonl"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(EpsilonError, match="nobody knows"):
        export(run, tmp_path / "b", form="csv", privacy=Privacy(0.5))


@pytest.mark.parametrize(
    "values",
    [(0.0,), (-1.0,), (float("nan"),), (1000.0,), (1.0, 0.0), (1.0, 0.1), (1.0, 1e-8, 0.0)],
)
def test_values_out_of_bounds_are_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(SettingsError):
        Privacy(*values)


def test_the_defaults_are_those_of_the_method() -> None:
    assert (Privacy().epsilon, Privacy().delta, Privacy().budget) == (2.0, 1e-8, None)


def test_without_the_library_nothing_is_opened_or_spent(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opendp", None)
    with pytest.raises(SettingsError, match="OpenDP"):
        export(run, tmp_path / "out", form="csv", privacy=Privacy())
    assert not (run / "restricted" / "access.log").exists()
    assert log_of(run) == []
