"""Runs the stages in order, skipping what still holds and resuming what was interrupted."""

from __future__ import annotations

import glob
import platform
import time
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from clio.conversation import Outcome
from clio.errors import RunError
from clio.pipeline import files
from clio.pipeline.progress import NoProgress, Progress
from clio.pipeline.run_directory import RunDirectory, RunState, StageState
from clio.pipeline.stage import Context, Stage
from clio.release.read import Release, open_release
from clio.settings import Settings
from clio.sources import expand, fingerprint, shown

_VERSIONS_OF = ("clio-insights", "duckdb", "numpy", "onnxruntime", "pyarrow", "scikit-learn")


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

    Several inputs, and patterns, give no name.
    """
    if len(inputs) != 1 or (glob.has_magic(str(inputs[0])) and not Path(inputs[0]).exists()):
        return Path("clio-run")
    stem = shown(Path(Path(inputs[0]).name)).split(".")[0] or "clio-run"
    return Path(f"{stem}-clio")


def run(
    inputs: str | Path | Sequence[str | Path],
    *,
    out: str | Path | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Run:
    """Read conversations, cluster and describe them, and write a release.

    A run that was interrupted goes on where it stopped and ends in the same release. Calling it
    again with other settings repeats only the stages that they touch.

    Parameters
    ----------
    inputs
        Files, folders or patterns.
    out
        The run directory; by default named after the input, in the working directory.
    settings
        Settings; the defaults where ``None``.
    progress
        Told of what happens.

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
    # Not with the module: the numerics behind the stages take a second to import, and what only
    # opens a release should not wait for them.
    from clio.pipeline.stages import STAGES

    named = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    paths = expand(named)
    path = Path(out) if out is not None else default_directory(named)
    directory = RunDirectory(path)
    directory.create()
    with directory.lock():
        directory.load()
        context = Context(
            directory=directory,
            settings=settings or Settings(),
            inputs=paths,
            progress=progress or NoProgress(),
        )
        _start(context)
        # A new version of the code may give other results, so it starts the chain.
        previous = version("clio-insights")
        try:
            for number in range(len(STAGES)):
                previous = _carry_out(STAGES[number:], context, previous)
        finally:
            files.remove(directory.temporary)
    return Run(path, directory.state)


def _start(context: Context) -> None:
    state = context.directory.state
    digest = fingerprint(context.inputs)
    if state.release is not None and state.input_fingerprint != digest:
        raise RunError(f"{context.directory.path} holds a run of another input; name another --out")
    state.input_fingerprint = digest
    state.inputs = [shown(Path(path.name)) for path in context.inputs]
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
    if known is not None and known.fingerprint == digest and known.done:
        context.progress.stage_finished(stage.name, known.seconds, skipped=True)
        return digest
    if known is None or known.fingerprint != digest:
        known = _start_over(stages, directory, digest)
    context.progress.stage_started(stage.name, *stage.total(context))
    started = time.monotonic()
    report = stage.run(context)
    known.done = True
    known.rows_in, known.rows_out = report.rows_in, report.rows_out
    known.outcomes = {outcome.value: count for outcome, count in report.outcomes.items()}
    known.details = report.details
    # Seconds of an interrupted attempt are not known; those since it was taken up again are.
    known.seconds = round(time.monotonic() - started, 3)
    state.next_cluster_number += int(report.details.get("cluster_numbers", 0))
    state.outcomes = _outcomes(state)
    directory.save()
    context.progress.stage_finished(stage.name, known.seconds, skipped=False)
    return digest


def _start_over(stages: Sequence[Stage], directory: RunDirectory, digest: str) -> StageState:
    """Forget the first stage and those after it, which build on what it wrote, and begin it.

    They are forgotten before their files go, so that a run killed in between, or one that goes
    back to earlier settings, never takes for whole what is not.
    """
    state = directory.state
    for stage in stages:
        state.stages.pop(stage.name, None)
    directory.save()
    for stage in stages:
        for path in stage.outputs(directory):
            files.remove(path)
    begun = StageState(fingerprint=digest)
    state.stages[stages[0].name] = begun
    directory.save()
    return begun


def _outcomes(state: RunState) -> dict[str, int]:
    """Rows by outcome as far as the stages have come, in the contract's order."""
    counts: Counter[str] = Counter()
    for stage in state.stages.values():
        counts.update(stage.outcomes)
    read = state.stages["read"].rows_in
    counts[Outcome.ASSIGNED.value] = read - sum(counts.values())
    return {o.value: counts[o.value] for o in Outcome if counts[o.value]}
