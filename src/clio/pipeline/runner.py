"""Runs the stages in order, skipping what still holds and resuming what was interrupted."""

from __future__ import annotations

import glob
import platform
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from clio import filesystem
from clio.conversation import Outcome
from clio.errors import ClioError, RunError
from clio.pipeline import files
from clio.pipeline.editing import read_edits
from clio.pipeline.facets import recorded, restored
from clio.pipeline.failures import explained, from_native
from clio.pipeline.models import totals
from clio.pipeline.progress import NoProgress, Progress
from clio.pipeline.run_directory import RunDirectory, RunState, StageState
from clio.pipeline.sifting import check
from clio.pipeline.stage import Context, Stage
from clio.release.read import Release, open_release
from clio.release.write import next_number
from clio.settings import Settings, changed_settings
from clio.sources import Inputs, expand, fingerprint, shown

_VERSIONS_OF = ("clio-insights", "duckdb", "numpy", "onnxruntime", "pyarrow", "scikit-learn")

_OF_MODELS = {
    "analyst",
    "facet_model",
    "facets",
    "policy",
    "screen",
    "language",
    "describe_model",
    "describe",
}
"""Settings that decide what is asked of which model."""


class Run:
    """A finished run.

    Attributes
    ----------
    path
        The run directory.
    """

    def __init__(self, path: Path, state: RunState) -> None:
        self.path = path
        self._state = state

    @property
    def outcomes(self) -> dict[str, int]:
        """Rows read, by outcome; they add up to the rows read."""
        return dict(self._state.outcomes)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds that each stage took when it was last carried out."""
        return {name: stage.seconds for name, stage in self._state.stages.items()}

    @property
    def models(self) -> dict[str, Any]:
        """What was asked of each model, how it ended and what it cost, over all starts."""
        return dict(self._state.models)

    @property
    def outstanding(self) -> list[str]:
        """Where texts lie at a provider or in a folder outside the run, one line each."""
        return list(self._state.outstanding)

    @property
    def details(self) -> dict[str, dict[str, object]]:
        """What each stage recorded of itself."""
        return {name: dict(stage.details) for name, stage in self._state.stages.items()}

    def release(self) -> Release:
        """The run's latest release."""
        return open_release(self.path)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {self.outcomes.get('assigned', 0)} conversations assigned)"


def default_directory(inputs: Sequence[str | Path]) -> Path:
    """Where a run goes when nobody says: in the working directory, named after a single input.

    Several inputs, patterns and standard input give no name.
    """
    name = shown(inputs[0]) if len(inputs) == 1 else ""
    if not name or (glob.has_magic(name) and not Path(inputs[0]).exists()):
        return Path("clio-run")
    stem = Path(name).name.split(".")[0]
    return Path("clio-run" if stem in ("", "-") else f"{stem}-clio")


def run(
    inputs: str | Path | Sequence[str | Path],
    *,
    out: str | Path | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
    sending: Callable[[str], None] | None = None,
) -> Run:
    """Read conversations, cluster and describe them, and write a release.

    A run that was interrupted goes on where it stopped and ends in the same release. Calling it
    again with other settings repeats only the stages that they touch.

    Parameters
    ----------
    inputs
        Files, folders, patterns, addresses or ``-`` for standard input; see `clio.sources.expand`.
    out
        The run directory; by default named after the input, in the working directory.
    settings
        Settings; the defaults where ``None``.
    progress
        Told of what happens.
    sending
        Told where a model gets texts, before the first one leaves the machine; what it raises ends
        the run.

    Raises
    ------
    ClioError
        With one line that says what to do; see `clio.errors`.

    Examples
    --------
    >>> import clio
    >>> result = clio.run("conversations.jsonl.gz", out="RUN")  # doctest: +SKIP
    >>> result.release().clusters.head()  # doctest: +SKIP
    """
    named = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    settings = settings or Settings()
    check(settings)
    path = Path(out) if out is not None else default_directory(named)
    directory = RunDirectory(path)
    with explained(directory), ExitStack() as held:
        found = expand(named, format=settings.format)
        directory.create()
        held.enter_context(directory.lock())
        directory.load()
        context = Context(
            directory=directory,
            settings=settings,
            inputs=found,
            progress=progress or NoProgress(),
            sending=sending,
        )
        _prepare(context, held)
        _take_up(context, fingerprint(context.inputs))
        _work(context, held)
    return Run(path, directory.state)


def describe(
    path: str | Path,
    changes: Mapping[str, Any] | None = None,
    *,
    progress: Progress | None = None,
    sending: Callable[[str], None] | None = None,
) -> Run:
    """Write titles, summaries and the hierarchy of a run again, as a new release.

    Nothing is read again: the input may be gone.

    Parameters
    ----------
    path
        The run directory.
    changes
        Settings that differ from the run's: ``describe``, ``describe_model`` and what a model
        needs. A model that is named writes.
    progress, sending
        As for `run`.

    Raises
    ------
    ClioError
        With one line that says what to do: the run is not finished, or of another version.
    """
    directory = RunDirectory(Path(path))
    with explained(directory), ExitStack() as held:
        held.enter_context(directory.opened())
        context = Context(
            directory=directory,
            settings=changed_settings(directory.state.settings, changes or {}),
            inputs=Inputs(),
            progress=progress or NoProgress(),
            sending=sending,
        )
        # The file of the user's own facets may be gone too.
        context.facets = restored(directory.state.facets)
        _check_described(context)
        _prepare(context, held)
        _work(context, held)
    return Run(directory.path, directory.state)


def _check_described(context: Context) -> None:
    """See that everything stands that descriptions are made from.

    Raises
    ------
    RunError
        It does not.
    """
    from clio.pipeline.stages import STAGES

    path, previous = context.directory.path, version("clio-insights")
    for stage in STAGES[: [stage.name for stage in STAGES].index("describe")]:
        known = context.directory.state.stages.get(stage.name)
        previous = stage.fingerprint(context, previous) if known is not None else ""
        if known is None or not _stands(stage, context.directory, known, previous):
            raise RunError(
                f"{path} is not finished, was changed, or was made by another version of Clio; "
                f"run it again first: clio run INPUT... --out {path}"
            )


def _stands(stage: Stage, directory: RunDirectory, known: StageState, digest: str) -> bool:
    """Whether the result of a stage still holds and lies where it was put."""
    done = known.done and known.fingerprint == digest
    return done and files.size(stage.outputs(directory)) == (known.files, known.bytes)


def _check_standing(context: Context) -> None:
    """See that nothing is made again of a run that released what it forgot in part since.

    Other numbers would show, beside those that were released, what the forgotten had added.

    Raises
    ------
    RunError
        Something would be.
    """
    from clio.pipeline.stages import STAGES

    directory = context.directory
    forgotten, previous = directory.state.forgotten, version("clio-insights")
    for stage in STAGES if forgotten.release is not None else ():
        known = directory.state.stages.get(stage.name)
        previous = stage.fingerprint(context, previous) if known is not None else ""
        if known is None or not _stands(stage, directory, known, previous):
            raise RunError(
                f"{directory.path} has forgotten {forgotten.accounts:,} accounts since it was "
                "released, so its tree and its numbers stay as they are; for other settings, edits "
                "or another version of Clio name a new --out, with an input without those accounts"
            )


def _work(context: Context, held: ExitStack) -> None:
    """Carry out what does not stand yet."""
    # Not with the module: the numerics behind the stages take a second to import, and what only
    # opens a release should not wait for them.
    from clio.pipeline.stages import STAGES

    directory = context.directory
    held.callback(shutil.rmtree, directory.temporary, ignore_errors=True)
    _check_standing(context)
    _start(context)
    # A new version of the code may give other results, so it starts the chain.
    previous = version("clio-insights")
    try:
        for number in range(len(STAGES)):
            previous = _carry_out(STAGES[number:], context, previous)
    except Exception as error:
        _forget_damage(STAGES, directory, error)
        raise
    finally:
        _save_account(context)


def _save_account(context: Context) -> None:
    """Record what models were asked and where texts lie, however the run ended."""
    if context.settings.models:
        state = context.directory.state
        state.models = context.models.account()
        state.outstanding = context.models.outstanding()
        context.directory.save()


def _prepare(context: Context, held: ExitStack) -> None:
    """See that models can be asked before anything is read; those that are done with need no key.

    Raises
    ------
    ClioError
        One cannot: as `clio.pipeline.models.Models.prepare`.
    """
    held.callback(context.models.close)
    settings, state = context.settings, context.directory.state
    given = settings.model_dump(mode="json", include=_OF_MODELS)
    same = all(state.settings.get(name) == value for name, value in given.items())
    for model, work in (
        (settings.model_for_facets, ("facets",)),
        (settings.model_for_titles, ("describe", "hierarchy")),
    ):
        done = all(name in state.stages and state.stages[name].done for name in work)
        if model is not None and not (same and done):
            context.models.prepare(model)


def _take_up(context: Context, digest: str) -> None:
    """Take up a run of an input, or a new one.

    Raises
    ------
    RunError
        The directory holds a run of another input.
    """
    state = context.directory.state
    if state.release is not None and state.input_fingerprint != digest:
        raise RunError(f"{context.directory.path} holds a run of another input; name another --out")
    state.input_fingerprint = digest
    state.inputs = [item.blob.source for item in context.inputs]


def _start(context: Context) -> None:
    state = context.directory.state
    # Before hours of work: is the link still a link, and are all edits edits?
    next_number(context.directory.path)
    read_edits(context.directory.path)
    state.facets = recorded(context.facets)
    state.seed = context.settings.seed
    state.settings = context.settings.model_dump(mode="json")
    state.versions = {name: version(name) for name in _VERSIONS_OF}
    state.versions["python"] = platform.python_version()
    context.directory.save()


def _carry_out(stages: Sequence[Stage], context: Context, previous: str) -> str:
    """Carry out the first of the stages that are left, unless its result still holds."""
    stage, directory = stages[0], context.directory
    state, known = directory.state, directory.state.stages.get(stage.name)
    digest = stage.fingerprint(context, previous)
    if known is not None and _stands(stage, directory, known, digest):
        context.progress.stage_finished(stage.name, known.seconds, skipped=True)
        return digest
    # One that was done and does not stand was changed by somebody.
    if known is None or known.done or known.fingerprint != digest:
        _forget(stages, directory)
        used = totals(context.models.account())
        known = state.stages[stage.name] = StageState(fingerprint=digest, before=used)
        directory.save()
    context.progress.stage_started(stage.name, *stage.total(context))
    started = time.monotonic()
    report = stage.run(context)
    known.done = True
    known.files, known.bytes = files.size(stage.outputs(directory))
    known.rows_in, known.rows_out = report.rows_in, report.rows_out
    known.outcomes = {outcome.value: count for outcome, count in report.outcomes.items()}
    known.details = report.details
    calls, tokens, cost = totals(context.models.account())
    known.model_calls, known.tokens = calls - known.before[0], tokens - known.before[1]
    known.cost = round(cost - known.before[2], 6)
    # Seconds of an interrupted attempt are not known; those since it was taken up again are.
    known.seconds = round(time.monotonic() - started, 3)
    state.next_cluster_number += int(report.details.get("cluster_numbers", 0))
    state.outcomes = outcomes_of(state)
    directory.save()
    context.progress.stage_finished(stage.name, known.seconds, skipped=False)
    return digest


def _forget(stages: Sequence[Stage], directory: RunDirectory) -> None:
    """Forget the first of the stages and those after it, which build on what it wrote.

    They are forgotten before their files go, so that a run killed in between, or one that goes
    back to earlier settings, never takes for whole what is not.
    """
    state = directory.state
    for stage in stages:
        state.stages.pop(stage.name, None)
    if next_number(directory.path) == 1:
        # Nobody has seen the numbers of clusters: they begin again after those that stand.
        given = (int(s.details.get("cluster_numbers", 0)) for s in state.stages.values())
        state.next_cluster_number = 1 + sum(given)
    directory.save()
    for stage in stages:
        for path in stage.outputs(directory):
            filesystem.remove(path)


def _forget_damage(stages: Sequence[Stage], directory: RunDirectory, error: Exception) -> None:
    """Where an error comes from a damaged file of the run, forget the stage that wrote it.

    Raises
    ------
    RunError
        There is such a file; it says what happens next.
    """
    refused = isinstance(error, OSError) and error.errno is not None
    if refused or isinstance(error, ClioError | MemoryError):
        return
    if from_native(error, directory.temporary) is not None:
        return
    damaged = files.damaged(directory.private)
    if damaged is None:
        return
    for number, stage in enumerate(stages):
        if any(damaged.is_relative_to(output) for output in stage.outputs(directory)):
            _forget(stages[number:], directory)
            raise RunError(
                f"{damaged} was damaged and has been removed; "
                "run the same command again to have it made again"
            ) from None


def outcomes_of(state: RunState) -> dict[str, int]:
    """Rows by outcome as far as the stages have come, in the contract's order."""
    counts: Counter[str] = Counter()
    for stage in state.stages.values():
        counts.update(stage.outcomes)
    read = state.stages["read"].rows_in
    counts[Outcome.ASSIGNED.value] = read - sum(counts.values())
    return {o.value: counts[o.value] for o in Outcome if counts[o.value]}
