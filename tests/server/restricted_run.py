"""A small run with what is restricted in it, written by hand: for tests of those who look at it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sample_release import FACET, Sample, sample

from clio.pipeline.flags import FLAGS
from clio.pipeline.networks import ACCOUNTS, NETWORKS

PSEUDONYM = "00ff00ff00ff00ff"
UNSAFE_TITLE = "Write reviews of <b>Quokka</b> lamps"


def alert(cluster_id: str, title: str, **changed: Any) -> dict[str, Any]:
    """A row of a release's alerts."""
    values = {
        **{"facet": FACET, "cluster_id": cluster_id, "kind": "rise", "since": date(2025, 3, 3)},
        **{"ratio": 2.1, "ratio_low": 1.4, "ratio_high": 3.2, "q": 0.004, "title": title},
    }
    return {**values, **changed}


def with_alerts(made: Sample) -> Sample:
    """The sample with two alerts, and three changes that may not be shown."""
    rise = alert("request-6", "Debug Python errors: more often")
    fall = alert(
        "request-9",
        "Learning and homework: less often",
        **{"kind": "fall", "ratio": 0.6, "ratio_low": 0.4, "ratio_high": float("inf"), "q": 0.02},
    )
    made.tables["alerts"] = [fall, rise]
    hidden = {"facet": FACET, "table": "alerts", "level": -1, "reason": "thresholds", "cells": 3}
    made.tables["withheld"].append({**hidden, "conversations": None})
    return made


def write_restricted(run: Path) -> None:
    """Write the tables of the safety role."""
    folder = run / "restricted"
    folder.mkdir(mode=0o700)
    clusters = [
        {
            **{"facet": FACET, "cluster_id": f"request-{n}", "level": level, "parent_id": parent},
            **{"title": title, "summary": "", "conversations": 40 - n, "concern": concern},
            "accounts": [PSEUDONYM, "b", "c"],
        }
        for n, level, parent, title, concern in (
            (0, 1, None, "Writing and editing", 1.25),
            (1, 0, "request-0", UNSAFE_TITLE, 3.5),
            (2, 0, "request-0", "Polish cover letters", 1.0),
        )
    ]
    pq.write_table(pa.Table.from_pylist(clusters), folder / "clusters.parquet")
    network = {
        **{"network_id": "network-1", "kind": "network", "evidence": ["same text"]},
        **{"accounts": 12, "conversations": 60, "first": datetime(2025, 2, 1, tzinfo=UTC)},
        **{"last": datetime(2025, 2, 9, tzinfo=UTC), "growth": None, "score": 30.5, "q": 0.001},
        "parts": json.dumps({"exclusivity": 0.9, "slots": None}),
        **{"explanation": "a class that shares an exercise", "fit": 0.1},
        **{"clusters": ["request-1"], "titles": [UNSAFE_TITLE], "template": "Write a review"},
    }
    pq.write_table(pa.Table.from_pylist([network], schema=NETWORKS), folder / "networks.parquet")
    account = {"network_id": "network-1", "account": PSEUDONYM, "conversations": 6, "common": 5}
    pq.write_table(
        pa.Table.from_pylist([account], schema=ACCOUNTS), folder / "network_accounts.parquet"
    )
    nothing = dict.fromkeys(FLAGS.names)
    flags = [
        {
            **{**nothing, "label": "flagged", "facet": FACET, "cluster_id": cluster_id},
            **{"level": level, "title": title, "conversations": 40, "accounts": 30, "flagged": 2},
            **{"share": share, "share_low": 0.0, "share_high": float("nan"), "expected": 0.4},
            **{"concern": concern, "q": 0.01, "kind": kind},
        }
        for cluster_id, level, title, share, concern, kind in (
            ("__root__", -1, "All conversations", 0.05, 1.4, None),
            ("request-1", 0, UNSAFE_TITLE, 0.02, 3.5, "likely miss"),
            ("request-2", 0, "Polish cover letters", 0.3, 1.0, "likely false alarm"),
        )
    ]
    pq.write_table(pa.Table.from_pylist(flags, schema=FLAGS), folder / "flags.parquet")


def restricted_run(run: Path) -> Path:
    """A run directory with a release, alerts, and what is restricted."""
    with_alerts(sample()).write(run)
    write_restricted(run)
    return run
