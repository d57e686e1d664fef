"""How tightly a reader can bound what a table does not print, by linear programmes.

Every cell that is not printed is an unknown from 0 on; every row and column that adds up is an
equation; a rounded number is an interval. HiGHS solves for the least and the most that an unknown
can be. Since every solution is a table that a reader must reckon with, the least and the most of
all solutions so far settle most unknowns without a programme of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_matrix, csr_matrix, vstack

from clio.auditing.subject import Cells

EXACT_CELLS: Final = 2_000
"""All unknowns of a table of so many are bounded exactly; a larger one is not solved at all."""

_GUESSES: Final = 50
"""So many columns are tried as a whole."""

_NEAR: Final = 1e-6


class ContradictionError(Exception):
    """No table of counts has the printed numbers."""


@dataclass(frozen=True)
class Claim:
    """What is to be shown of an unknown cell, for it to be safe.

    Attributes
    ----------
    low
        It may be as little as this for all a reader knows.
    high
        It may be as much as this.
    width
        Its interval is at least so wide.
    """

    low: float = np.inf
    high: float = 0.0
    width: float = 0.0


class Bounds:
    """The unknowns of one table.

    Parameters
    ----------
    cells
        The table as a reader sees it.
    base, floor
        Printed numbers are rounded to multiples of `base`, up where they would fall under `floor`.
    """

    def __init__(self, cells: Cells, base: int = 1, floor: int = 1) -> None:
        self.cells = cells
        self._off_by = base if base > 1 else 0
        printed = cells.printed
        self.unknown = printed < 0
        # Without rounding a printed number is a constant; with it, one more unknown.
        variable = self.unknown if base == 1 else np.ones_like(self.unknown)
        self._column = np.full(printed.shape, -1, dtype=np.intp)
        self._column[variable] = np.arange(int(variable.sum()))
        self._bounds = np.zeros((int(variable.sum()), 2))
        self._bounds[:, 1] = np.inf
        if base > 1:
            shown = printed[variable] >= 0
            values = printed[variable][shown]
            raised = values <= -(-floor // base) * base
            self._bounds[shown, 0] = np.where(raised, min(floor, base), values - base / 2)
            self._bounds[shown, 1] = values + base / 2
        self._equations()
        count = len(self._bounds)
        self.least = np.full(count, np.inf)
        self.most = np.full(count, -np.inf)
        self.programmes = 0
        self.large = count > EXACT_CELLS
        if not self.large:
            self._guess()

    def _equations(self) -> None:
        """Rows of leaves and of remainders, and each column of children."""
        cells, column = self.cells, self._column
        parent = np.array(cells.parent)
        rows: list[int] = []
        columns: list[int] = []
        signs: list[float] = []
        wanted: list[float] = []
        slack: list[float] = []

        def equation(parts: Iterable[tuple[int, int, float]], total: float, off: float) -> None:
            known = total
            number = len(wanted)
            for i, j, sign in parts:
                if column[i, j] >= 0:
                    rows.append(number)
                    columns.append(int(column[i, j]))
                    signs.append(sign)
                elif cells.printed[i, j] > 0:
                    known -= sign * cells.printed[i, j]
            wanted.append(known)
            slack.append(off)

        width = cells.printed.shape[1]
        for row in range(len(parent)):
            children = np.flatnonzero(parent == row)
            if not len(children):
                parts = [(row, j, 1.0) for j in range(width)]
                equation(parts, float(cells.totals[row]), self._off_by)
                continue
            for j in range(width):
                equation([(row, j, -1.0), *((int(c), j, 1.0) for c in children)], 0.0, 0.0)
        shape = (len(wanted), len(self._bounds))
        matrix = coo_matrix((signs, (rows, columns)), shape=shape)
        off = np.array(slack)
        self._matrix, self._wanted, self._off = csr_matrix(matrix), np.array(wanted), off

    def _solve(self, objective: NDArray[np.float64]) -> NDArray[np.float64]:
        self.programmes += 1
        exact = self._off == 0
        loose = ~exact
        upper = self._wanted[loose] + self._off[loose]
        lower = self._wanted[loose] - self._off[loose]
        matrix = self._matrix[loose]
        found = linprog(
            objective,
            A_eq=self._matrix[exact] if exact.any() else None,
            b_eq=self._wanted[exact] if exact.any() else None,
            A_ub=_stacked(matrix) if loose.any() else None,
            b_ub=np.concatenate([upper, -lower]) if loose.any() else None,
            bounds=self._bounds,
            method="highs",
        )
        if found.status == 2:
            raise ContradictionError
        if found.status != 0:
            raise RuntimeError(f"a linear programme ended with status {found.status}")
        solution: NDArray[np.float64] = found.x
        np.minimum(self.least, solution, out=self.least)
        np.maximum(self.most, solution, out=self.most)
        return solution

    def _guess(self) -> None:
        """A few solutions in arbitrary directions, always the same."""
        if not len(self._bounds):
            if self._wanted.size and (np.abs(self._wanted) > self._off + _NEAR).any():
                raise ContradictionError
            return
        # Each column as empty, and as full, as the rest allows: most unknowns are settled by that.
        weights = np.random.default_rng(0).random(len(self._bounds)) + 0.5
        for column in range(min(_GUESSES, self.cells.printed.shape[1])):
            at = self._column[:, column]
            objective = np.zeros(len(self._bounds))
            objective[at[at >= 0]] = weights[at[at >= 0]]
            self._solve(objective)
            self._solve(-objective)

    def interval(self, row: int, value: int) -> tuple[float, float]:
        """The least and the most that an unknown cell can be."""
        return self._end(row, value, 1.0), self._end(row, value, -1.0)

    def _end(self, row: int, value: int, sign: float) -> float:
        at = int(self._column[row, value])
        objective = np.zeros(len(self._bounds))
        objective[at] = sign
        return float(self._solve(objective)[at])

    def holds(self, row: int, value: int, claim: Claim) -> bool | None:
        """Whether a claim holds; ``None`` where the table is too large."""
        at = int(self._column[row, value])

        def shown() -> bool:
            low, high = self.least[at], self.most[at]
            return bool(
                low <= claim.low + _NEAR
                and high >= claim.high - _NEAR
                and high - low >= claim.width - _NEAR
            )

        for sign in (1.0, -1.0):
            if shown():
                return True
            if self.large:
                return None
            if sign > 0 and claim.low == np.inf and not claim.width:
                continue  # the least does not matter
            if sign < 0 and self.least[at] > claim.low + _NEAR:
                return False
            self._end(row, value, sign)
        return shown()


def _stacked(matrix: csr_matrix) -> csr_matrix:
    return csr_matrix(vstack([matrix, -matrix]))
