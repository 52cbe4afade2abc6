"""Wagers: capital spread over rival guesses, the better ones backed more from look to look."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SHARE_A_MINUTE: Final = 0.01
"""Part of the capital that is spread anew each minute: it finds what breaks late."""

MOST: Final = 700.0
"""Largest logarithm that is written as a plain number; e^710 is no double."""

SUSPICIOUS: Final = math.log(3.0)
"""Logarithm of the capital from which on a wager is a sign of something."""


@dataclass(frozen=True, slots=True)
class Bets:
    """What a wager has won, and how it is spread.

    Attributes:
        log: Natural logarithm of the capital; it began with 1.
        weights: Share of the capital behind each guess.
    """

    log: float
    weights: tuple[float, ...]

    @property
    def evidence(self) -> float:
        """The capital as a plain number, bounded so that it always is one."""
        return plain(self.log)

    def settled(
        self, gains: Sequence[float], prior: Sequence[float], seconds: float, cap: float = math.inf
    ) -> Bets:
        """Pay out one block, and spread a part of the capital anew (fixed share).

        Args:
            gains: Logarithm of what each guess multiplies its stake by.
            prior: How capital is spread at first.
            seconds: Length of the block: a minute spreads 1 %, shorter ones as much less.
            cap: Largest logarithm of the capital.
        """
        best = max(gains)
        stakes = zip(self.weights, gains, strict=True)
        won = [weight * math.exp(gain - best) for weight, gain in stakes]
        total = sum(won)
        kept = (1.0 - SHARE_A_MINUTE) ** (seconds / 60.0)
        keep, anew = kept / total, 1.0 - kept
        parts = zip(won, prior, strict=True)
        weights = tuple([keep * part + anew * first for part, first in parts])
        return Bets(min(self.log + best + math.log(total), cap), weights)


def plain(log: float) -> float:
    """Evidence as a plain number, from its logarithm."""
    return math.exp(min(log, MOST))


def mixed(logs: Sequence[float], weights: Sequence[float]) -> float:
    """Give the logarithm of a weighted mean of evidence: evidence again, whatever depends on what.

    Weights sum to 1.
    """
    best = max(logs)
    stakes = zip(weights, logs, strict=True)
    return best + math.log(sum(weight * math.exp(one - best) for weight, one in stakes))
