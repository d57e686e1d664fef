"""What differential privacy costs: how one export's budget is split, and what several spend.

Notation: ε, δ as in (ε, δ)-differential privacy; ρ as in zero-concentrated differential privacy
(zCDP; Bun and Steinke, *Concentrated Differential Privacy*, TCC 2016). Neighbours differ by one
whole account.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scipy.optimize import minimize_scalar

from clio.pipeline.exporting import ROWS_OF_ACCOUNT

LEAVES: Final = 0.4
LEVELS: Final = 0.35
BREAKDOWNS: Final = 0.125
TRENDS: Final = 0.125
"""Parts of ε for leaves, for the levels above them together, for all dimensions, for trends.

What a release does not have leaves its part to the others.
"""

_JUST_UNDER: Final = 1.0 - 1e-12
"""So that the parts, as floating-point numbers, never add up to more than the whole."""


@dataclass(frozen=True)
class Parts:
    """Epsilon of each measurement of an export.

    Attributes
    ----------
    leaves
        Of the counts of leaves, together for the leaves of one account.
    levels
        Of each level above the leaves, under the root; from the root on.
    dimensions
        Of each dimension of breakdowns.
    trends
        Of the trends; 0 without.
    selection_delta
        δ that the choice of leaves shown takes.
    """

    leaves: float
    levels: tuple[float, ...]
    dimensions: tuple[float, ...]
    trends: float
    selection_delta: float

    @property
    def epsilon(self) -> float:
        """All measurements together, by basic composition (Dwork and Roth 2014, theorem 3.16)."""
        return math.fsum([self.leaves, *self.levels, *self.dimensions, self.trends])

    @property
    def rho(self) -> float:
        """All measurements together in zCDP: sums of ½ε² (Bun and Steinke 2016, prop. 1.4, 1.7).

        An account's leaves are distinct and noised alone, each with its part of ε; in every other
        measurement its rows may fall in one cell.
        """
        alone = [self.leaves / ROWS_OF_ACCOUNT] * ROWS_OF_ACCOUNT
        together = [*self.levels, *self.dimensions, self.trends]
        return math.fsum(e * e / 2 for e in (*alone, *together))


def split(epsilon: float, delta: float, *, levels: int, dimensions: int, trends: bool) -> Parts:
    """Split an export's ε over its measurements.

    Half of δ goes to the choice of leaves; the other half is what zCDP needs to be told as ε.

    Parameters
    ----------
    epsilon, delta
        Of the whole export; both positive.
    levels
        Levels between root and leaves.
    dimensions
        Dimensions of breakdowns.
    trends
        Whether there are any.
    """
    weights = [LEAVES, LEVELS * bool(levels), BREAKDOWNS * bool(dimensions), TRENDS * trends]
    unit = epsilon / math.fsum(weights) * _JUST_UNDER
    leaves, above, breakdowns, over_time = (unit * weight for weight in weights)
    return Parts(
        leaves,
        (above / max(levels, 1),) * levels,
        (breakdowns / max(dimensions, 1),) * dimensions,
        over_time,
        delta / 2,
    )


def epsilon_of(rho: float, delta: float) -> float:
    """The ε at δ that ρ-zCDP implies.

    The bound of Canonne, Kamath and Steinke (*The Discrete Gaussian for Differential Privacy*,
    2020, prop. 12), which holds for every order α > 1, at the best α::

        ε = αρ + (ln(1/δ) - ln α) / (α - 1) + ln(1 - 1/α)

    Parameters
    ----------
    rho
        Non-negative.
    delta
        In (0, 1).
    """
    if rho == 0.0:
        return 0.0

    def bound(log: float) -> float:
        above = math.exp(log)  # α - 1
        alpha = 1.0 + above
        whole = alpha * rho + (math.log(1.0 / delta) - math.log(alpha)) / above
        return whole + math.log(above / alpha)

    found = minimize_scalar(bound, bounds=(-10.0, 25.0), method="bounded")
    return max(0.0, float(found.fun))


@dataclass(frozen=True)
class Spend:
    """What one export costs.

    Attributes
    ----------
    epsilon, delta
        The export is (ε, δ)-differentially private.
    rho, selection_delta
        It is ρ-zCDP but for events of probability `selection_delta` (approximate zCDP, Bun and
        Steinke 2016, §8).
    """

    epsilon: float
    delta: float
    rho: float
    selection_delta: float


def composed(spends: Sequence[Spend]) -> tuple[float, float]:
    """``(ε, δ)`` of several exports of one run together.

    δ adds up. ε is the smaller of two bounds that both hold: the sum (basic composition), and what
    zCDP gives, in which ρ adds up, with the δ that the choices of leaves leave.
    """
    if not spends:
        return 0.0, 0.0
    delta = math.fsum(s.delta for s in spends)
    left = delta - math.fsum(s.selection_delta for s in spends)
    concentrated = epsilon_of(math.fsum(s.rho for s in spends), left)
    return min(math.fsum(s.epsilon for s in spends), concentrated), delta
