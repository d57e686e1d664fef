"""Canaries: invented details planted in a shadow of a run, and looked for in what it releases.

The shadow goes through the same stages with the same settings, over the same input and some more
conversations that hold the details. The run's own tables and release stay as they are; of the
shadow nothing is kept but how many details came out, by kind.
"""

from __future__ import annotations

import shutil
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from clio import filesystem
from clio.analysts.asking import CACHE_FILE
from clio.errors import InputError, WaitingError
from clio.pipeline import files
from clio.pipeline.models import GUARD_FILE
from clio.pipeline.progress import Progress
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.runner import run
from clio.pipeline.stages.read import conversations_folder
from clio.pipeline.tombstones import TOMBSTONES_FILE
from clio.settings import settings_from

COPIES: Final = (1, 2, 5, 9)
"""Accounts that share a detail, in turns: always fewer than a word of a title needs."""

REPORT_FILE: Final = "canaries.json"
SHADOW_FOLDER: Final = "canaries"
"""In the private folder of the run."""

_HOST_CHARACTERS: Final = 2000
"""Of the conversation that a detail is hidden in, so much is taken over."""


@dataclass(frozen=True, slots=True)
class Detail:
    """An invented detail.

    Attributes
    ----------
    kind
        What it is: an e-mail address, a full name.
    value
        It itself; different from all others.
    sentence
        What a requester says, with it.
    traces
        What must not be found: the value, and parts that give it away.
    """

    kind: str
    value: str
    sentence: str
    traces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CanaryReport:
    """What became of the details.

    Attributes
    ----------
    planted
        How many there were of each kind.
    found
        Of those that came out the kind, how many accounts shared it, and the file that holds it;
        never the detail.
    """

    planted: Mapping[str, int]
    found: tuple[tuple[str, int, str], ...]

    @property
    def total(self) -> int:
        """How many were planted."""
        return sum(self.planted.values())

    def as_dict(self) -> dict[str, Any]:
        """As it is kept: JSON values."""
        names = ("kind", "accounts", "place")
        return {
            "planted": dict(self.planted),
            "found": [dict(zip(names, each, strict=True)) for each in self.found],
        }


def check_canaries(
    inputs: Sequence[str | Path],
    path: Path,
    details: Sequence[Detail],
    *,
    progress: Progress | None = None,
    sending: Callable[[str], None] | None = None,
) -> CanaryReport:
    """Plant details in a shadow of a finished run, and look for them in its release.

    Parameters
    ----------
    inputs
        Of the run; they are read again.
    path
        The run directory. The report is kept in its private folder.
    details
        What to plant.
    progress, sending
        As for `clio.run`.

    Raises
    ------
    InputError
        The input is standard input, which cannot be read twice.
    ClioError
        As `clio.run`.
    """
    if any(str(name) == "-" for name in inputs):
        raise InputError("--canaries reads the input twice, so that it cannot be standard input")
    directory = RunDirectory(path)
    directory.load()
    shadow = directory.private / SHADOW_FOLDER
    settings = settings_from(directory.state.settings)
    copies = [COPIES[at % len(COPIES)] for at in range(len(details))]
    try:
        planted = _write(directory, shadow, details, copies, settings.seed)
        _with_answers(directory.private, shadow / "run" / "private")
        run(
            [*inputs, planted],
            out=shadow / "run",
            settings=settings,
            progress=progress,
            sending=sending,
        )
    except WaitingError:
        # It goes on when the answers are there.
        raise
    except BaseException:
        filesystem.remove(shadow)
        raise
    found = [
        (details[at].kind, copies[at], place)
        for at, place in search(_public(shadow / "run"), [detail.traces for detail in details])
    ]
    report = CanaryReport(Counter(detail.kind for detail in details), tuple(sorted(found)))
    filesystem.remove(shadow)
    files.write_json(directory.private / REPORT_FILE, report.as_dict())
    return report


def canary_report(path: Path) -> CanaryReport | None:
    """What `check_canaries` found when a run was last checked; ``None`` where it never was.

    Parameters
    ----------
    path
        The run directory.
    """
    kept = RunDirectory(path).private / REPORT_FILE
    if not kept.is_file():
        return None
    record = orjson.loads(kept.read_bytes())
    found = tuple((each["kind"], each["accounts"], each["place"]) for each in record["found"])
    return CanaryReport(record["planted"], found)


def _write(
    directory: RunDirectory,
    shadow: Path,
    details: Sequence[Detail],
    copies: Sequence[int],
    seed: int,
) -> Path:
    """Write the conversations that hold the details, each in what others ask about alike."""
    for folder in (shadow, shadow / "run", shadow / "run" / "private"):
        files.make_private(folder)
    hosts = _hosts(directory, sum(copies), seed)
    rows = []
    for at, (detail, times) in enumerate(zip(details, copies, strict=True)):
        for copy in range(times):
            host = next(hosts)
            rows.append(
                host
                | {
                    "conversation_id": f"canary-{at}-{copy}",
                    "user_id": f"canary-account-{at}-{copy}",
                    "messages": [
                        {"role": "user", "content": f"{host['messages']} {detail.sentence}"}
                    ],
                }
            )
    path = shadow / "planted.jsonl"
    files.write_json_lines(path, rows)
    return path


def _hosts(directory: RunDirectory, number: int, seed: int) -> Iterator[dict[str, Any]]:
    """Conversations of the run to hide details in: date, labels and the requester's first turn.

    Neighbours in one cluster follow each other, so that the copies of a detail come together.
    """
    placed = files.read_table(directory.private / "assignments.parquet")
    primary = placed["facet"][0].as_py()
    placed = placed.filter(pa.compute.equal(placed["facet"], primary)).sort_by(
        [("cluster_id", "ascending"), ("conversation_id", "ascending")]
    )
    ids = placed["conversation_id"]
    start = int(np.random.default_rng(seed).integers(len(ids)))
    rows = [(start + at) % len(ids) for at in range(min(number, len(ids)))]
    wanted = ids.take(pa.array(rows))
    columns = ["conversation_id", "created_at", "messages", "labels"]
    table = files.read_table(conversations_folder(directory), columns=columns)
    table = table.filter(pa.compute.is_in(table["conversation_id"], wanted))
    known = {row.pop("conversation_id"): row for row in table.to_pylist()}
    hosts = [_as_host(known[name]) for name in wanted.to_pylist()]
    for at in range(number):
        yield hosts[at % len(hosts)]


def _as_host(row: dict[str, Any]) -> dict[str, Any]:
    turns = [message["content"] for message in row["messages"] if message["role"] == "user"]
    created, labels = row["created_at"], row["labels"]
    return {
        "messages": next((turn for turn in turns if turn.strip()), "")[:_HOST_CHARACTERS],
        "created_at": None if created is None else created.isoformat(),
        "labels": orjson.loads(labels) if isinstance(labels, str | bytes) else labels,
    }


def _with_answers(private: Path, shadow: Path) -> None:
    """What models were asked already is not asked again; the prompts' codes must be the same.

    Who was forgotten is not read either.
    """
    for kept in (GUARD_FILE, CACHE_FILE, TOMBSTONES_FILE):
        if (private / kept).is_file() and not (shadow / kept).exists():
            shutil.copy(private / kept, shadow / kept)


def _public(run_path: Path) -> Iterator[Path]:
    """What may leave a run, and what is recorded of it."""
    yield run_path / "run.json"
    for path in sorted((run_path / "releases").rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def search(paths: Iterable[Path], traces: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
    """Which details stand in files, however they are spelled.

    Parameters
    ----------
    paths
        Files; tables are decompressed.
    traces
        For each detail what gives it away.

    Returns
    -------
    list[tuple[int, str]]
        Number of the detail and name of the file, for each of both that belong together.
    """
    wanted = [[folded(trace) for trace in each] for each in traces]
    found = []
    for path in paths:
        text = folded(text_of(path))
        found += [
            (at, path.name)
            for at, each in enumerate(wanted)
            if any(trace in text for trace in each)
        ]
    return found


def folded(text: str) -> str:
    """A text as a reader may recognise it: NFKC, case-folded, without spaces and hidden signs."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in plain if not c.isspace() and unicodedata.category(c) != "Cf")


def text_of(path: Path) -> str:
    """What a file holds: its bytes as they are, and where it is a table names and values too."""
    pieces = [path.read_bytes().decode("utf-8", "replace")]
    if path.suffix == ".parquet":
        with pq.ParquetFile(path) as file:
            pieces += [str(file.metadata.metadata), str(file.schema_arrow)]
            table = file.read()
        pieces += (str(value) for column in table.columns for value in column.to_pylist())
    return "\n".join(pieces)
