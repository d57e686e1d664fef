"""How long the read stage alone takes, and how much memory, on generated rows.

    python benchmarks/reading.py                          1,000,000 rows
    python benchmarks/reading.py --rows 200000 --folder DIR

Reads, accounts for and writes every row: ids and duplicates, pseudonyms, ledger, conversations. It
is measured as a whole process, from start to exit. Beside it stand what a user would pick who only
wants the rows in a table: pandas and polars, which read the same file and write it as Parquet,
without any of the above. ``ratio`` is Clio's seconds to theirs, ``memory_ratio`` the same of peaks.

The file of rows is made first and kept in the folder, whole or not at all, so a script that was
interrupted goes on with it. The last line is one JSON object.

This process imports nothing large, since a child's peak counts from its parent's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from measuring import measured

MAX_SECONDS_A_MILLION = 300
MAX_PEAK_MB = 1500


def step(*arguments: str) -> list[str]:
    """The command that carries out a step of this script in a process of its own."""
    return [sys.executable, str(Path(__file__).resolve()), "--step", *arguments]


def generated(path: Path, rows: int) -> None:
    from clio.testing import write_jsonl

    write_jsonl(path, rows)


def stage(source: Path, out: Path) -> None:
    """Carry out the read stage in a fresh run and check that every row is accounted for."""
    from clio.pipeline.progress import NoProgress
    from clio.pipeline.run_directory import RunDirectory
    from clio.pipeline.stage import Context
    from clio.pipeline.stages.read import READ
    from clio.settings import Settings
    from clio.sources import expand

    directory = RunDirectory(out)
    directory.create()
    found = expand([source])
    report = READ.run(Context(directory, Settings(), found, NoProgress()))
    if report.rows_out + sum(report.outcomes.values()) != report.rows_in:
        raise SystemExit("rows are missing from the account")
    (out / "rows").write_text(str(report.rows_in), encoding="utf-8")


def pandas_table(source: Path, out: Path) -> None:
    import pandas as pd

    pd.read_json(source, lines=True).to_parquet(out)


def polars_table(source: Path, out: Path) -> None:
    import polars as pl

    pl.read_ndjson(source, infer_schema_length=None).write_parquet(out)


STEPS = {"stage": stage, "pandas": pandas_table, "polars": polars_table}


def compare(rows: int, folder: Path, others: list[str]) -> dict[str, Any]:
    source = folder / f"rows-{rows}.jsonl"
    if not source.is_file():
        measured(step("generate", str(source), str(rows)))
    report: dict[str, Any] = {
        "benchmark": "reading",
        "rows": rows,
        "bytes": source.stat().st_size,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        run = Path(aside) / "run"
        clio = measured(step("stage", str(source), str(run)))
        if int((run / "rows").read_text(encoding="utf-8")) != rows:
            raise SystemExit("not every row was read")
        report |= clio | {"rows_a_second": round(rows / clio["seconds"])}
        for name in others:
            other = measured(step(name, str(source), str(Path(aside) / f"{name}.parquet")))
            report[name] = other | {
                "ratio": round(clio["seconds"] / other["seconds"], 2),
                "memory_ratio": round(clio["peak_mb"] / other["peak_mb"], 3),
            }
    allowed = MAX_SECONDS_A_MILLION * max(1.0, rows / 1e6)
    report["met"] = clio["seconds"] <= allowed and clio["peak_mb"] <= MAX_PEAK_MB
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the rows are kept; else removed again")
    parser.add_argument("--without", action="append", default=[], choices=["pandas", "polars"])
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        name, source, target = given.step
        if name == "generate":
            generated(Path(source), int(target))
        else:
            STEPS[name](Path(source), Path(target))
        return
    others = [name for name in ("pandas", "polars") if name not in given.without]
    with tempfile.TemporaryDirectory() as aside:
        folder = given.folder or Path(aside)
        folder.mkdir(parents=True, exist_ok=True)
        report = compare(given.rows, folder, others)
    print(json.dumps(report))
    if not report["met"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
