"""Evidence that one task of a suite broke, though the mean of the suite may not tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from turnout.core.sequential.bets import mixed

ENOUGH_TRIALS: Final = 3

BROKEN: Final = 0.05  # how likely a task is taken to be broken before anything is seen
BROKEN_ODDS: Final = 30.0  # of a failure, in multiples of the baseline's
BROKEN_SHARE: Final = 0.3  # of the capital, staked on "some task broke"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Trials of one task."""

    good: int
    bad: int

    @property
    def total(self) -> int:
        """Trials that ended in a pass or a failure."""
        return self.good + self.bad


def broken(candidate: Outcomes, baseline: Outcomes) -> float:
    """Give the evidence, as a plain number, that one task breaks with the candidate.

    Nothing is concluded before three trials.
    """
    if candidate.total < ENOUGH_TRIALS:
        return 1.0
    return 1.0 - BROKEN + BROKEN * sign(candidate, baseline)


def sign(candidate: Outcomes, baseline: Outcomes) -> float:
    """Tell how much likelier these outcomes are of a broken task than of an equal one."""
    return fisher(candidate, baseline, BROKEN_ODDS) / fisher(candidate, baseline, 1.0)


def fisher(candidate: Outcomes, baseline: Outcomes, odds: float) -> float:
    """Give the chance that just these failures are the candidate's, of all that there were.

    Fisher's noncentral hypergeometric distribution, with odds of a failure as many times those of
    the baseline.
    """
    trials, beside = candidate.total, baseline.total
    failures = candidate.bad + baseline.bad
    ways = {
        mine: math.comb(trials, mine) * math.comb(beside, failures - mine) * odds**mine
        for mine in range(max(0, failures - beside), min(trials, failures) + 1)
    }
    return ways[candidate.bad] / math.fsum(ways.values())


def with_broken(worse: float, tasks: Sequence[tuple[Outcomes, Outcomes]]) -> float:
    """Add what speaks for a broken task to the evidence that the suite's mean is worse.

    Args:
        worse: Logarithm of the evidence on the mean.
        tasks: Outcomes of candidate and baseline, task by task.
    """
    broke = math.fsum(math.log(broken(candidate, baseline)) for candidate, baseline in tasks)
    return mixed([worse, broke], [1.0 - BROKEN_SHARE, BROKEN_SHARE])
