"""Runs without options on real data sets, where they lie beside the checkout."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

import clio
from clio.release.schema import ROOT_ID

SHARED_DATA = Path(__file__).parents[2].parent / "shared" / "data"


def real(name: str) -> Path:
    path = SHARED_DATA / f"{name}.jsonl.gz"
    if not path.is_file():
        pytest.skip("the folder shared/data beside the checkout is absent")
    return path


def test_leaves_find_the_intents_of_short_requests(tmp_path):
    source = real("clinc150")
    clio.run(source, out=tmp_path / "run")
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        intents = {
            row["conversation_id"]: row["labels"]["intent"] for row in map(json.loads, lines)
        }
    assigned = pd.read_parquet(tmp_path / "run" / "private" / "assignments.parquet")
    truth = assigned["conversation_id"].map(intents)
    assert len(assigned) == len(intents)
    assert normalized_mutual_info_score(truth, assigned["cluster_id"]) >= 0.87
    assert adjusted_rand_score(truth, assigned["cluster_id"]) >= 0.60


@pytest.mark.parametrize(("name", "rows"), [("hh_harmless", 2312), ("wildchat_agency_a", 2080)])
def test_long_and_hostile_conversations_need_no_option(tmp_path, name, rows):
    result = clio.run(real(name), out=tmp_path / "run")
    assert sum(result.outcomes.values()) == rows
    release = result.release()
    assert release.cluster(ROOT_ID).conversations == result.outcomes["assigned"]
    assert len(release.children()) >= 5
