"""Progress as an observer: it hears what happens and can change nothing."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears of the stages of a run. Implementations must not raise."""

    def stage_started(self, name: str, total: int | None, unit: str) -> None:
        """A stage begins; `total` is how many `unit` it will go through, where known."""

    def advanced(self, amount: int) -> None:
        """The current stage went through `amount` more."""

    def waiting(self, done: int, total: int) -> None:
        """Of the requests in batches at a provider, so many are done; told at each look."""

    def stage_finished(self, name: str, seconds: float, *, skipped: bool) -> None:
        """A stage ended; `skipped` where its earlier result still holds."""


class NoProgress:
    """Says nothing."""

    def stage_started(self, name: str, total: int | None, unit: str) -> None:
        """Say nothing."""

    def advanced(self, amount: int) -> None:
        """Say nothing."""

    def waiting(self, done: int, total: int) -> None:
        """Say nothing."""

    def stage_finished(self, name: str, seconds: float, *, skipped: bool) -> None:
        """Say nothing."""
