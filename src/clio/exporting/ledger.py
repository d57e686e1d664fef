"""What differentially private exports of a run have spent, and the limit they keep to.

The ledger is the run's log of exports (``private/exports.jsonl``): one line an export, each with a
seal over itself and the seal before, so that a line that was changed, or taken out before others,
is noticed. A line stands on disk before anything of its export can be read by anyone; an export
that is killed afterwards has spent its part all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from clio.errors import EpsilonError
from clio.exporting.accounting import Spend, composed
from clio.pipeline.exporting import PrivateRun

BUDGET: Final = 4.0
"""ε over all exports of a run, where none was ever named."""

_SPEND: Final = ("epsilon", "delta", "rho", "selection_delta")
_ROUNDING: Final = 1e-9
"""Two exports of half the budget each fit, however their sum is rounded."""


@dataclass(frozen=True)
class Ledger:
    """Exports so far.

    Attributes
    ----------
    spends
        What each of them cost, in order.
    budget
        The one last named, or `BUDGET`.
    last
        Seal of the last line; empty without any.
    """

    spends: tuple[Spend, ...]
    budget: float
    last: str

    @property
    def number(self) -> int:
        """Number of the next export."""
        return len(self.spends) + 1

    def spent(self, *further: Spend) -> tuple[float, float]:
        """``(ε, δ)`` of all exports so far, and of further ones."""
        return composed([*self.spends, *further])

    def check(self, cost: Spend, budget: float | None) -> float:
        """The budget in force, if an export of this cost keeps to it.

        Parameters
        ----------
        cost
            Of the export.
        budget
            ε over all exports of the run; the one last named where not given.

        Raises
        ------
        EpsilonError
            Together with what was spent it is over the budget.
        """
        limit = self.budget if budget is None else budget
        together, _ = self.spent(cost)
        if together > limit * (1.0 + _ROUNDING):
            raise EpsilonError(
                f"this export would bring the run's epsilon to {together:.3g}, over its budget of "
                f"{limit:.3g} ({self.spent()[0]:.3g} is spent); allow more with --budget, or make "
                "another form of a parquet export that stands, which costs nothing: clio export "
                "EXPORT --to DIR"
            )
        return limit


def read_ledger(run: PrivateRun) -> Ledger:
    """The ledger of a run.

    Raises
    ------
    EpsilonError
        It was changed, so that nobody knows what was spent.
    """
    return ledger_of(run.log())


def ledger_of(entries: Sequence[Mapping[str, Any]]) -> Ledger:
    """The ledger that the lines of a log make.

    Raises
    ------
    EpsilonError
        A line is damaged, was changed, or is missing before another.
    """
    last, budget, spends = "", BUDGET, []
    for number, entry in enumerate(entries, start=1):
        try:
            spends.append(Spend(**{name: float(entry[name]) for name in _SPEND}))
            budget = float(entry["budget"])
            whole = entry["before"] == last and entry["seal"] == _seal(entry)
        except (KeyError, TypeError, ValueError):
            whole = False
        if not whole:
            raise EpsilonError(
                f"line {number} of the run's private/exports.jsonl was changed or is damaged, so "
                "that nobody knows what was spent; restore it from a copy"
            )
        last = entry["seal"]
    return Ledger(tuple(spends), budget, last)


def spend(run: PrivateRun, ledger: Ledger, cost: Spend, *, budget: float | None, form: str) -> None:
    """Write an export into the ledger, if the budget allows it.

    Parameters
    ----------
    run
        Whose ledger it is.
    ledger
        As it stands.
    cost
        Of the export.
    budget
        As in `Ledger.check`.
    form
        Of the export.

    Raises
    ------
    EpsilonError
        Together with what was spent it is over the budget; nothing is written then.
    """
    limit = ledger.check(cost, budget)
    entry = {
        "export": ledger.number,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "release": run.release.info.number,
        "form": form,
        "budget": limit,
        **asdict(cost),
        "before": ledger.last,
    }
    run.record({**entry, "seal": _seal(entry)})


def _seal(entry: Mapping[str, Any]) -> str:
    open_ = {name: value for name, value in entry.items() if name != "seal"}
    return hashlib.sha256(orjson.dumps(open_, option=orjson.OPT_SORT_KEYS)).hexdigest()
