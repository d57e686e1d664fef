"""A small release written by hand from the schema, for tests of what reads releases."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from clio.release.schema import INFO_FILE, ROOT_ID, ROOT_LEVEL, SCHEMA_VERSION, TABLES

FACET = "request"
TOTAL = 10_000
HOSTILE_TITLE = '<img src=x onerror=alert(1)> & "quotes"'

# title, summary, leaves: (title, summary, conversations)
TREE: list[tuple[str, str, list[tuple[str, str, int]]]] = [
    (
        "Writing and editing",
        "People draft, shorten and polish texts, from letters to essays.",
        [
            ("Polish cover letters", "Job applications are rewritten to sound confident.", 1240),
            ("Write poems for birthdays", "Short verses for family and friends.", 860),
            ("Summarise long articles", "Articles are cut down to a few sentences.", 640),
            ("Translate e-mails", "Messages are carried over between languages.", 410),
        ],
    ),
    (
        "Software development",
        "Code is written, explained and repaired in many languages.",
        [
            ("Debug Python errors", "Tracebacks are explained and fixed.", 1390),
            ("Write SQL queries", "Tables are joined, grouped and filtered.", 720),
            ("Build web pages", "Layouts and forms in HTML and CSS.", 530),
        ],
    ),
    (
        "Learning and homework",
        "Students ask for explanations, exercises and step-by-step solutions.",
        [
            ("Solve algebra exercises", "Equations are worked through step by step.", 980),
            ("Explain biology concepts", "Cells, genes and organs in plain words.", 560),
        ],
    ),
    (
        "Everyday decisions",
        "Cooking, travel and purchases are planned together.",
        [
            ("Plan trips and itineraries", "Routes, hotels and sights for a journey.", 610),
            ("Suggest dinner recipes", "Meals from what is in the fridge.", 480),
            (HOSTILE_TITLE, "<script>alert(2)</script> A summary that tries to be a script.", 120),
        ],
    ),
]
OTHER_IN_PARENT = 60
LANGUAGES = [("English", 0.62), ("Spanish", 0.14), ("Chinese", 0.11), ("German", 0.06)]


@dataclass
class Sample:
    """Rows by table, and what ``release.json`` says; change them before `write`."""

    info: dict[str, Any]
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def write(self, run: Path, number: int = 1) -> Path:
        """Write as release `number` of the run directory `run` and link it as the latest."""
        directory = run / "releases" / f"{number:04d}"
        directory.mkdir(parents=True)
        (directory / INFO_FILE).write_text(json.dumps({**self.info, "number": number}))
        for name, rows in self.tables.items():
            table = pa.Table.from_pylist(rows, schema=TABLES[name])
            pq.write_table(table, directory / f"{name}.parquet")
        link = run / "release"
        link.unlink(missing_ok=True)
        link.symlink_to(directory.relative_to(run))
        return directory


def cluster_row(
    cluster_id: str, level: int, parent: str | None, title: str, summary: str, n: int, other: int
) -> dict[str, Any]:
    share = n / TOTAL
    margin = 1.3 * (share * (1 - share) / TOTAL) ** 0.5 * 1.96
    return {
        "facet": FACET,
        "cluster_id": cluster_id,
        "level": level,
        "parent_id": parent,
        "title": title,
        "summary": summary,
        "conversations": n,
        "accounts": n * 3 // 5 // 5 * 5,
        "share": share,
        "share_low": max(0.0, share - margin),
        "share_high": min(1.0, share + margin),
        "other_conversations": other,
        "x": 0.5,
        "y": 0.5,
    }


def sample(*, dates: bool = True, publishable: bool = True) -> Sample:
    """Four broad uses with twelve leaves, languages, a measure and twelve weeks."""
    clusters: list[dict[str, Any]] = []
    number = 0
    for title, summary, leaves in TREE:
        parent = f"{FACET}-{number}"
        number += 1
        n = sum(leaf[2] for leaf in leaves) + OTHER_IN_PARENT
        clusters.append(cluster_row(parent, 1, None, title, summary, n, OTHER_IN_PARENT))
        for leaf_title, leaf_summary, leaf_n in leaves:
            cluster_id = f"{FACET}-{number}"
            number += 1
            clusters.append(cluster_row(cluster_id, 0, parent, leaf_title, leaf_summary, leaf_n, 0))
    top = sum(row["conversations"] for row in clusters if row["level"] == 1)
    root = cluster_row(ROOT_ID, ROOT_LEVEL, None, "All conversations", "", TOTAL, TOTAL - top)
    clusters.insert(0, {**root, "share_low": 1.0, "share_high": 1.0})

    tables: dict[str, list[dict[str, Any]]] = {
        "clusters": clusters,
        "breakdowns": [r for c in clusters for r in _languages(c, clusters.index(c))],
        "numeric": [
            {
                "facet": FACET,
                "cluster_id": c["cluster_id"],
                "measure": "turns",
                "mean": 3.0 + 0.2 * i,
                "low": 2.8 + 0.2 * i,
                "high": 3.2 + 0.2 * i,
                "conversations": c["conversations"],
            }
            for i, c in enumerate(clusters)
        ],
        "withheld": [
            {
                "facet": FACET,
                "table": "clusters",
                "level": 0,
                "reason": "accounts",
                "cells": 7,
                "conversations": TOTAL - top,
            },
            {
                "facet": FACET,
                "table": "breakdowns",
                "level": None,
                "reason": "accounts",
                "cells": 23,
                "conversations": None,
            },
        ],
    }
    if dates:
        tables["trends"] = [r for i, c in enumerate(clusters) for r in _weeks(c, i)]
    info = {
        "schema_version": SCHEMA_VERSION,
        "number": 1,
        "clio_version": "0.1.0",
        "preset": "default" if publishable else "personal",
        "thresholds": {"accounts": 25, "conversations": 50, "round_to": 1},
        "account_basis": "ids",
        "publishable": publishable,
        "privacy": {"epsilon": None},
        "totals": {"conversations": TOTAL, "accounts": 4810},
        "outcomes": {"assigned": TOTAL, "duplicate": 212, "skipped": 41, "rejected": 3},
        "facets": [{"name": FACET, "primary": True, "clusters": [12, 4]}],
        "period": {"first": "2025-01-06", "last": "2025-03-30"} if dates else None,
        "granularity": "week" if dates else None,
        "analyst": "extractive",
        "embedder": "minilm",
        "seed": 0,
        "notes": ["Conversations are counted once each."],
    }
    return Sample(info, tables)


def _languages(cluster: dict[str, Any], shift: int) -> list[dict[str, Any]]:
    n = cluster["conversations"]
    rows = []
    for i, (language, base) in enumerate(LANGUAGES):
        share = base * (1 + (0 if shift == 0 else 0.3 * ((shift + i) % 3 - 1) * (i > 0)))
        count = int(n * share)
        rows.append(
            {
                "facet": FACET,
                "cluster_id": cluster["cluster_id"],
                "dimension": "language",
                "value": language,
                "conversations": count,
                "accounts": count // 2 // 5 * 5,
                "share": count / n,
            }
        )
    return rows


def _weeks(cluster: dict[str, Any], index: int) -> list[dict[str, Any]]:
    rows = []
    for week in range(12):
        if index == 2 and week == 4:  # one period that was withheld
            continue
        wave = (
            1
            if cluster["cluster_id"] == ROOT_ID
            else 1 + 0.04 * (week - 6) * (index % 4 - 1.5) + 0.05 * (week * 7 % 5 - 2)
        )
        share = cluster["share"] * wave
        n = int(TOTAL / 12 * share)
        rows.append(
            {
                "facet": FACET,
                "cluster_id": cluster["cluster_id"],
                "period": date(2025, 1, 6) + timedelta(weeks=week),
                "granularity": "week",
                "conversations": n,
                "accounts": n // 2 // 5 * 5,
                "share": share,
                "share_low": max(0.0, share * 0.88 - 0.002),
                "share_high": min(1.0, share * 1.12 + 0.002),
            }
        )
    return rows
