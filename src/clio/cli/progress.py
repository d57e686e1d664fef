"""Progress on a terminal, as plain lines elsewhere, or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress
from rich.text import Text

from clio.cli.common import messages
from clio.pipeline import NoProgress, Progress

SECONDS_A_LINE = 10.0
SECONDS_A_WAITING_LINE = 30.0

DOING = {
    "inspect": "Looking at conversations",
    "estimate": "Counting tokens",
    "read": "Reading conversations",
    "facets": "Extracting facets",
    "texts": "Gathering texts",
    "embed": "Embedding",
    "cluster": "Clustering",
    "describe": "Describing clusters",
    "hierarchy": "Building the hierarchy",
    "layout": "Drawing the map",
    "edits": "Applying edits",
    "release": "Passing the privacy gate",
    "gather": "Comparing texts",
    "networks": "Asking what chance gives",
}
"""What a stage does, in words; a stage that is not named here shows its name."""


def waiting_for(done: int, total: int) -> str:
    """What is awaited of a provider's batches, in words."""
    return f"waiting for the batch: {done:,} of {total:,}"


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        unit = task.fields.get("unit", "")
        return Text("" if speed is None else f"{speed:,.0f} {unit}/s", style="dim")


class _Bars:
    """One line a stage: finished ones with their seconds, the current one with a bar."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bars = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            _RateColumn(),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
        )
        self.doing = ""
        self.task = self.bars.add_task("", total=None, visible=False)

    def stage_started(self, name: str, total: int | None, unit: str) -> None:
        self.bars.remove_task(self.task)
        self.doing = DOING.get(name, name)
        self.task = self.bars.add_task(self.doing, total=total, unit=unit)

    def advanced(self, amount: int) -> None:
        self.bars.advance(self.task, amount)

    def waiting(self, done: int, total: int) -> None:
        self.bars.update(self.task, description=f"{self.doing}: {waiting_for(done, total)}")

    def stage_finished(self, name: str, seconds: float, *, skipped: bool) -> None:
        self.bars.update(self.task, visible=False)
        took = "as before" if skipped else f"{seconds:.1f} s"
        self.console.print(f"  {DOING.get(name, name):<26} {took:>10}", style="dim")


class _Lines:
    """A line when a stage ends, one every ten seconds within a long one, and one every half minute
    while a batch is awaited."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._said_waiting = -SECONDS_A_WAITING_LINE
        self._start("", None, "")

    def _start(self, name: str, total: int | None, unit: str) -> None:
        self.name, self.total, self.unit, self.done = name, total, unit, 0
        self.began = self.said = time.monotonic()

    def stage_started(self, name: str, total: int | None, unit: str) -> None:
        self._start(name, total, unit)

    def advanced(self, amount: int) -> None:
        self.done += amount
        now = time.monotonic()
        if now - self.said < SECONDS_A_LINE:
            return
        self.said = now
        rate = self.done / max(now - self.began, 1e-9)
        line = f"{self.name}: {self.done:,}"
        if self.total:
            line += f" of {self.total:,}"
        line += f" {self.unit}, {rate:,.0f}/s"
        if self.total and rate > 0:
            line += f", {max(self.total - self.done, 0) / rate:,.0f} s left"
        self.console.print(line, markup=False)

    def waiting(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._said_waiting >= SECONDS_A_WAITING_LINE:
            self._said_waiting = now
            self.console.print(f"{self.name}: {waiting_for(done, total)}", markup=False)

    def stage_finished(self, name: str, seconds: float, *, skipped: bool) -> None:
        took = "as before" if skipped else f"{seconds:.1f} s"
        count = f"{self.done:,} {self.unit}, " if not skipped and self.done else ""
        self.console.print(f"{name}: {count}{took}", markup=False)


@contextmanager
def paused(progress: Progress) -> Iterator[None]:
    """Take the display away while somebody is asked something."""
    if not isinstance(progress, _Bars):
        yield
        return
    progress.bars.stop()
    try:
        yield
    finally:
        progress.bars.start()


@contextmanager
def progress_display(*, quiet: bool) -> Iterator[Progress]:
    """A display on standard error: bars on a terminal, lines elsewhere, nothing when quiet."""
    if quiet:
        yield NoProgress()
    elif messages.is_terminal:
        display = _Bars(messages)
        with display.bars:
            yield display
    else:
        yield _Lines(messages)
