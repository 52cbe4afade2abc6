"""Cost per success: evidence from sums of money, by the central limit theorem.

Asymptotic, so less certain than shares: a metric of this kind should hold a rollout, not take it
back. Waudby-Smith et al. 2024; Howard et al. 2021 for the mixture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

TRAILING: Final = 10
"""Looks that stable's cost per success is taken from."""

ENOUGH: Final = 15
"""Looks before which there is no evidence."""

TUNED_TO: Final = 30.0
"""Looks at which the mixture is sharpest."""


SCATTER: Final = 1e-9
"""Part of the mean square below which a variance is nothing but rounding, and proves nothing."""

FREE: Final = 1e-12
"""Cost of a success up to which there is nothing to compare with."""

FAR_BELOW: Final = -30.0
"""Standard deviations below which erfc has few digits left."""


def sharpest(variance: float, alpha: float) -> float:
    """Give the mixture's parameter that is sharpest once so much variance has come together."""
    odds = -2.0 * math.log(alpha)
    return variance / (odds + math.log1p(odds))


def one_sided(total: float, variance: float, parameter: float) -> float:
    """Give the logarithm of the evidence that a sum's drift is positive: a half-normal mixture."""
    spread = variance + parameter
    return (
        0.5 * math.log(4.0 * parameter / spread)
        + total * total / (2.0 * spread)
        + _log_normal_below(total / math.sqrt(spread))
    )


def _log_normal_below(value: float) -> float:
    """Give the logarithm of the normal distribution; by its tail where erfc has no digits left."""
    if value > FAR_BELOW:
        return math.log(0.5 * math.erfc(-value / math.sqrt(2.0)))
    return -0.5 * value * value - math.log(-value * math.sqrt(2.0 * math.pi))


@dataclass(frozen=True, slots=True)
class Spend:
    """What one arm spent in a look, and how often it succeeded."""

    cost: float = 0.0
    successes: float = 0.0


@dataclass(frozen=True, slots=True)
class Drift:
    """A sum of one number a look, with its squares."""

    looks: int = 0
    total: float = 0.0
    squares: float = 0.0

    def after(self, value: float) -> Drift:
        """Take a look in."""
        return Drift(self.looks + 1, self.total + value, self.squares + value * value)

    def evidence(self, alpha: float) -> float:
        """Give the logarithm of the evidence that it drifts upward."""
        if self.looks < ENOUGH:
            return 0.0
        mean = self.total / self.looks
        variance = self.squares / self.looks - mean * mean
        if variance <= SCATTER * self.squares / self.looks:
            return 0.0
        parameter = sharpest(TUNED_TO, 2.0 * alpha)
        return one_sided(self.total / math.sqrt(variance), float(self.looks), parameter)


@dataclass(frozen=True, slots=True)
class CostTally:
    """Evidence of one cost metric.

    Attributes:
        dearer: Drift of the candidate's cost beyond stable's.
        safe: Drift of what is left to the cost that is still acceptable.
        trailing: What stable spent in its last looks, oldest first.
    """

    dearer: Drift = Drift()
    safe: Drift = Drift()
    trailing: tuple[Spend, ...] = ()

    def after(self, candidate: Spend, stable: Spend, increase: float) -> CostTally:
        """Take a look in; without a price for stable yet, only stable's part.

        Args:
            candidate: What the candidate spent in it.
            stable: What stable spent in it.
            increase: Largest acceptable increase of the cost per success: 0.15 for 15 %.
        """
        price = price_of(self.trailing)
        trailing = (*self.trailing, stable)[-TRAILING:]
        if price is None or (candidate.cost <= 0.0 and candidate.successes <= 0.0):
            return CostTally(self.dearer, self.safe, trailing)
        worth = candidate.cost / price
        return CostTally(
            self.dearer.after(worth - candidate.successes),
            self.safe.after((1.0 + increase) * candidate.successes - worth),
            trailing,
        )


def price_of(spends: Sequence[Spend]) -> float | None:
    """Give the cost of one success; None where there was none, or next to nothing was spent."""
    cost = math.fsum(one.cost for one in spends)
    successes = math.fsum(one.successes for one in spends)
    return cost / successes if successes > 0.0 and cost > FREE * successes else None
