"""The ledger: append-only, sealed, and never over its budget."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clio.errors import EpsilonError
from clio.exporting.accounting import Spend, composed
from clio.exporting.ledger import BUDGET, ledger_of, read_ledger, spend


@dataclass
class Book:
    """What a run keeps, without the run."""

    lines: list[dict[str, Any]] = field(default_factory=list)

    class release:  # noqa: N801
        class info:  # noqa: N801
            number = 1

    def log(self) -> list[dict[str, Any]]:
        return [dict(line) for line in self.lines]

    def record(self, entry: dict[str, Any]) -> None:
        self.lines.append(dict(entry))


def cost(epsilon: float) -> Spend:
    return Spend(epsilon, 1e-8, epsilon**2 / 6, 5e-9)


def try_to_spend(book: Book, epsilon: float, budget: float | None) -> bool:
    try:
        spend(book, read_ledger(book), cost(epsilon), budget=budget, form="csv")  # type: ignore[arg-type]
    except EpsilonError:
        return False
    return True


REQUESTS = st.lists(
    st.tuples(st.floats(0.01, 5.0), st.one_of(st.none(), st.floats(0.1, 10.0))), max_size=12
)


@given(REQUESTS)
def test_what_is_spent_is_never_over_the_budget(
    requests: list[tuple[float, float | None]],
) -> None:
    book, limit, spent = Book(), BUDGET, []
    for epsilon, budget in requests:
        asked = limit if budget is None else budget
        before = len(book.lines)
        fits = composed([*spent, cost(epsilon)])[0] <= asked * (1 + 1e-9)
        assert try_to_spend(book, epsilon, budget) == fits
        if fits:
            spent.append(cost(epsilon))
            limit = asked
        # What was refused leaves no line.
        assert len(book.lines) == before + fits
        ledger = ledger_of(book.lines)
        assert list(ledger.spends) == spent
        assert ledger.budget == limit
        assert ledger.number == len(spent) + 1
        if fits:
            assert ledger.spent()[0] <= limit * (1 + 1e-9)


def test_two_exports_compose() -> None:
    book = Book()
    assert try_to_spend(book, 1.5, 4.0)
    assert try_to_spend(book, 2.0, None)
    epsilon, delta = ledger_of(book.lines).spent()
    assert epsilon == pytest.approx(3.5)
    assert delta == pytest.approx(2e-8)
    assert not try_to_spend(book, 0.6, None)
    assert try_to_spend(book, 0.6, 4.5)


def test_half_the_budget_fits_twice() -> None:
    book = Book()
    assert try_to_spend(book, 0.15, 0.3)
    assert try_to_spend(book, 0.15, None)
    assert not try_to_spend(book, 0.01, None)


def full_book() -> Book:
    book = Book()
    for epsilon in (0.5, 0.25, 1.0):
        assert try_to_spend(book, epsilon, None)
    return book


@pytest.mark.parametrize("line", [0, 1, 2])
@pytest.mark.parametrize(
    ("name", "value"),
    [("epsilon", 0.01), ("rho", 0.0), ("budget", 100.0), ("before", ""), ("seal", "0"), ("at", "")],
)
def test_a_changed_line_is_noticed(line: int, name: str, value: object) -> None:
    book = full_book()
    if book.lines[line][name] == value:
        return  # the first line has nothing before it
    book.lines[line][name] = value
    with pytest.raises(EpsilonError, match=r"line \d of the run's private/exports.jsonl"):
        read_ledger(book)  # type: ignore[arg-type]


@pytest.mark.parametrize("line", [0, 1])
def test_a_line_taken_out_is_noticed(line: int) -> None:
    book = full_book()
    del book.lines[line]
    with pytest.raises(EpsilonError, match="nobody knows what was spent"):
        read_ledger(book)  # type: ignore[arg-type]


@pytest.mark.parametrize("damage", [{}, {"epsilon": "much"}, {"epsilon": None}])
def test_a_line_of_another_shape_is_noticed(damage: dict[str, Any]) -> None:
    with pytest.raises(EpsilonError, match="line 1"):
        ledger_of([damage])
