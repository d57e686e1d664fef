"""The privacy audit of a run or of a release: what is counted again, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clio import access
from clio.auditing import places
from clio.auditing.auditing import audit_release, compare, notes_of, release_checks
from clio.auditing.checks import leaks, recount, subtraction, wording
from clio.auditing.findings import AuditReport, Finding, Passed
from clio.auditing.subject import Subject, read_subject
from clio.errors import ReleaseError, RunError
from clio.pipeline import files
from clio.pipeline.canaries import canary_report
from clio.pipeline.facets import restored
from clio.pipeline.failures import explained
from clio.pipeline.progress import NoProgress
from clio.pipeline.run_directory import RunDirectory
from clio.pipeline.stage import Context
from clio.pipeline.stages.read import conversations_folder
from clio.pipeline.stages.release import gate_input
from clio.privacy.gate import STABILITY, GateInput
from clio.privacy.wording import count_windows, window_occurrences
from clio.release.schema import INFO_FILE, LATEST_LINK, ROOT_ID
from clio.settings import settings_from
from clio.sources import Inputs

Further = Callable[[RunDirectory, Subject], Passed | None]
"""A check of a run that others add, such as a model's opinion; ``None`` where it cannot look."""

CANARIES = "canaries"

PURGED = "the private tables are not there, so that nothing was counted again"


def audit(
    path: str | Path,
    *,
    previous: str | Path | None = None,
    further: Sequence[Further] | None = None,
) -> AuditReport:
    """Audit a run's latest release with its private tables, or a release that stands alone.

    Parameters
    ----------
    path
        A run directory, a release, or an export of one as Parquet or CSV.
    previous
        Another of these, to find what the difference of the two releases reveals.
    further
        More checks of a run, done last; by default what became of planted canaries.

    Returns
    -------
    AuditReport
        What was done and what was found. Opening the private tables is written to the run's log.

    Raises
    ------
    ReleaseError
        There is no release at either path.
    RunError
        Another process is working on the run.
    """
    folder = Path(path).absolute()
    other = None if previous is None else release_folder(Path(previous).absolute())
    if not (folder / "run.json").is_file():
        return audit_release(release_folder(folder), other)
    directory = RunDirectory(folder)
    subject, findings = read_subject(release_folder(folder))
    beside = [places.check_modes(folder), places.check_leftovers(folder)]
    if subject is None:
        checks = [Passed("files", "files that can be read as tables", findings), *beside]
        return AuditReport(None, None, "release", checks)
    checks = release_checks(subject, findings)
    if other is not None:
        checks.append(compare(subject, other))
    if not conversations_folder(directory).exists():
        notes = [PURGED, *notes_of(subject, alone=True)]
        return AuditReport(
            subject.info.number, subject.info.preset, "release", [*checks, *beside], notes
        )
    with explained(directory), directory.opened():
        access.record(directory.restricted, "audit")
        checks += _of_run(directory, subject)
        checks += beside
        chosen = (check_planted,) if further is None else further
        done = (check(directory, subject) for check in chosen)
        checks += [passed for passed in done if passed is not None]
        notes = _run_notes(directory, subject)
    return AuditReport(subject.info.number, subject.info.preset, "run", checks, notes)


def check_planted(directory: RunDirectory, subject: Subject) -> Passed | None:
    """What became of the canaries that were planted in a shadow of the run, if any were."""
    report = canary_report(directory.path)
    if report is None:
        return None
    limit = subject.thresholds.window_accounts
    findings = [
        Finding(CANARIES, "the shadow run", f"a detail of {accounts} accounts came out")
        for _, accounts, _ in report.found
        if accounts < limit
    ]
    figures = {"planted": report.total, "came out": len(report.found)}
    return Passed(CANARIES, "invented details planted in a shadow of the run", findings, figures)


def release_folder(path: Path) -> Path:
    """The folder that holds ``release.json``: of a run its latest release.

    Raises
    ------
    ReleaseError
        There is none.
    """
    for folder in (path, path / LATEST_LINK):
        if (folder / INFO_FILE).is_file():
            return folder.resolve()
    raise ReleaseError(
        f"there is no release at {path}: name a run that was finished, a release, or an export as "
        "parquet or csv"
    )


def _of_run(directory: RunDirectory, subject: Subject) -> list[Passed]:
    """What only the private tables can show."""
    if not directory.state.stages.get("release"):
        raise RunError(f"{directory.path} has no release; finish it with: clio run INPUT...")
    context = Context(
        directory=directory,
        settings=settings_from(directory.state.settings),
        inputs=Inputs(),
        progress=NoProgress(),
    )
    context.facets = restored(directory.state.facets)
    data = gate_input(context)
    found = _recounted(data, directory.state.forgotten.accounts)
    tokens, runs = wording.wanted_words(subject)
    elsewhere = places.wanted_windows(places.open_texts(directory.path))
    accounts = _window_accounts(directory, runs | set(elsewhere))
    evidence = wording.Evidence(
        tokens=_tokens(data, tokens),
        windows={window: accounts[window] for window in runs},
        shipped=data.shipped,
        families=data.families,
    )
    return [
        recount.check(subject, found),
        subtraction.check_statement(subject, lambda cells: found.truth(cells, subject)),
        wording.check_words(subject, evidence),
        wording.check_rarity(subject, evidence),
        leaks.check(elsewhere, accounts, subject.thresholds.window_accounts),
    ]


def _recounted(data: GateInput, forgotten: int) -> recount.Recounted:
    nodes = data.nodes.table
    clusters = recount.counts_by(nodes, "facet", "cluster_id")
    cells = recount.counts_by(data.cells.table, "facet", "cluster_id", "dimension", "value")
    answers = data.answers.table
    given = answers.filter(pc.field("holds"))
    cells |= recount.counts_by(given, "facet", "cluster_id", "dimension", "value")
    measures = recount.counts_by(data.numeric.table, "facet", "cluster_id", "measure")
    leaves = nodes.filter(pc.field("level") == 0)
    for key, count in recount.counts_by(leaves, "facet", "cluster_id").items():
        measures[(*key, STABILITY)] = count
    return recount.Recounted(
        clusters=clusters,
        cells=cells,
        periods=recount.counts_by(data.trends.table, "facet", "cluster_id", "period"),
        measures=measures,
        places=recount.counts_by(data.map_cells.table, "facet", "cell_x", "cell_y"),
        parent={
            (row["facet"], row["cluster_id"]): row["parent_id"] or ROOT_ID
            for row in nodes.select(["facet", "cluster_id", "parent_id"]).to_pylist()
            if row["cluster_id"] != ROOT_ID
        },
        forgotten=forgotten,
    )


def _tokens(data: GateInput, wanted: dict[str, set[str]]) -> dict[str, dict[str, int]]:
    """Accounts by cluster and token; of a word that no writer proposed, none."""
    found: dict[str, dict[str, int]] = {cluster: {} for cluster in wanted}
    rows = data.token_support.table.select(["cluster_id", "token", "accounts"]).to_pylist()
    for row in rows:
        if row["cluster_id"] in found:
            found[row["cluster_id"]][row["token"]] = row["accounts"]
    return found


def _window_accounts(directory: RunDirectory, wanted: Collection[str]) -> dict[str, int]:
    """How many accounts wrote each run of five words, anywhere in the corpus."""
    found = [window_occurrences(texts, who, wanted) for texts, who in _messages(directory)]
    return count_windows(pa.concat_tables(found), wanted)


def _messages(directory: RunDirectory) -> Iterator[tuple[list[str], NDArray[np.int64]]]:
    """Every message with a code of its account, part by part."""
    folder = conversations_folder(directory)
    names = files.read_table(folder, columns=["account"])["account"].unique()
    for part in files.parts(folder):
        table = files.read_table(part, columns=["account", "messages"])
        codes = pc.index_in(table["account"], value_set=names).to_numpy()
        messages = table["messages"].combine_chunks()
        contents = messages.flatten().field("content").to_pylist()
        yield contents, np.repeat(codes, messages.value_lengths().to_numpy()).astype(np.int64)


def _run_notes(directory: RunDirectory, subject: Subject) -> list[str]:
    notes = notes_of(subject, alone=False)
    gone = directory.state.forgotten.accounts
    if gone:
        notes.append(
            f"{gone:,} forgotten: released counts may hold what they added, so that they "
            "were compared loosely and the statement of safety was not held against them"
        )
    if directory.state.outstanding:
        notes.append("texts lie outside the run, which were not looked for; see run.json")
    return notes
