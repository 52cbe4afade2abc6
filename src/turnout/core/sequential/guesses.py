"""The guesses of a wager on shares, and what one block of counts pays for each.

Shares are of failures: near zero they lose no digits. A guess says how often either arm fails;
what it pays is its likelihood over that of the nearest pair of shares for which the hypothesis
holds. That cannot be expected to win while the hypothesis is true of the block on average, whatever
stable does from one block to the next.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from turnout.core.sequential.nearest import nearest

WORSE: Final = tuple(math.exp(one) for one in (0, 0.15, 0.35, 0.65, 1, 1.5, 2.2, 3.2, 5))
"""Guesses of how many times stable's odds of a failure the candidate has; the first sits out."""

WORSE_PRIOR: Final = (0.05, *(0.95 / 8 for _ in WORSE[1:]))

SAFE: Final = (-1.0, -0.5, 0.0, 0.25, 0.5)
"""Guesses of the candidate's drop in margins; before them one that sits out."""

SAFE_PRIOR: Final = (0.05, 0.10, 0.15, 0.40, 0.15, 0.15)


LEAST: Final = 0.05
"""The rarest failures that a guess expects of the candidate, in parts of stable's rate."""


TINY: Final = 1e-12
"""Share that none is taken to be below: a hypothesis that expects more than it could loses less."""


@dataclass(frozen=True, slots=True)
class Block:
    """What both arms answered in one block; fractions of requests are fine."""

    candidate_good: float
    candidate_bad: float
    stable_good: float
    stable_bad: float

    @property
    def candidate(self) -> float:
        """Requests to the candidate."""
        return self.candidate_good + self.candidate_bad

    @property
    def stable(self) -> float:
        """Requests to stable."""
        return self.stable_good + self.stable_bad


def worse_gains(block: Block, rate: float) -> list[float]:
    """Pay the guesses against "the candidate fails no more often than stable".

    Args:
        block: What was counted.
        rate: Stable's share of failures as it was known before the block.
    """
    n1, n0 = block.candidate, block.stable
    good, bad = block.candidate_good + block.stable_good, block.candidate_bad + block.stable_bad
    size, fine = n1 + n0, 1.0 - rate
    fixed = block.stable_good * math.log(fine) + block.stable_bad * math.log(rate)
    gains = []
    for times in WORSE:
        odds = rate * times
        fails = odds / (fine + odds)
        works = fine / (fine + odds)
        both = (n1 * fails + n0 * rate) / size
        gains.append(
            block.candidate_good * math.log(works)
            + block.candidate_bad * math.log(fails)
            + fixed
            - good * math.log(1.0 - both)
            - bad * math.log(both)
        )
    return gains


def safe_gains(block: Block, rate: float, margin: float) -> list[float]:
    """Pay the guesses against "the candidate fails more often than stable by the margin or more".

    Where a guess would be no share any more, or nearly, it stays at a small part of stable's rate.
    """
    least, most = LEAST * rate, 1.0 - LEAST * (1.0 - rate)
    n1, n0 = block.candidate, block.stable
    gains = [0.0]
    for drop in SAFE:
        fails = min(max(rate + drop * margin, least), most)
        stable = max(nearest(fails, rate, n1, n0, margin), TINY)
        candidate = stable + margin
        gains.append(
            block.candidate_good * math.log((1.0 - fails) / max(1.0 - candidate, TINY))
            + block.candidate_bad * math.log(fails / candidate)
            + block.stable_good * math.log((1.0 - rate) / (1.0 - stable))
            + block.stable_bad * math.log(rate / stable)
        )
    return gains


def floor_gains(good: float, bad: float, most: float) -> list[float]:
    """Pay the guesses against "the candidate fails at most so often", whatever stable does.

    Args:
        good: Good requests to the candidate.
        bad: The others.
        most: Share of failures that is allowed, above 0 and below 1.
    """
    gains = []
    for times in WORSE:
        all_odds = 1.0 - most + most * times
        gains.append(good * math.log(1.0 / all_odds) + bad * math.log(times / all_odds))
    return gains
