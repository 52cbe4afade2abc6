"""Evidence from evaluations: trials of the candidate beside trials of the baseline, task by task.

Exact for the mean of a suite whose tasks differ in difficulty. Run round by round, all tasks once,
and stop at a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from turnout.core.sequential.bets import mixed

STAKES: Final = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
"""Part of the capital that each guess puts on one trial; 0.9 only against "not worse"."""

SMALL_SUITE: Final = 60

BROKEN: Final = 0.05
"""How likely a task is taken to be broken before anything is seen."""

BROKEN_ODDS: Final = 30.0
"""How many times the baseline's odds of a failure a broken task has."""

BROKEN_SHARE: Final = 0.3
"""Part of the capital that is staked on "some task broke"."""

ENOUGH_TRIALS: Final = 3


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Trials of one task."""

    good: int
    bad: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """Outcomes of trials that were run with both versions."""

    regressed: int = 0
    improved: int = 0
    tied: int = 0

    def worse(self) -> float:
        """Give the logarithm of the evidence that the candidate is worse."""
        return _mean(
            [
                self.regressed * math.log1p(stake) + self.improved * math.log1p(-stake)
                for stake in STAKES
            ]
        )

    def safe(self, margin: float) -> float:
        """Give the logarithm of the evidence that it is not worse by the margin."""
        return _mean(
            [
                self.regressed * math.log1p(-stake * (1.0 - margin))
                + self.improved * math.log1p(stake * (1.0 + margin))
                + self.tied * math.log1p(stake * margin)
                for stake in STAKES[:-1]
            ]
        )


@dataclass(frozen=True, slots=True)
class Recorded:
    """Trials of the candidate against a recorded baseline, which is taken as the truth.

    Attributes:
        worse: For each stake the logarithm of what it has won against "not worse".
        safe: The same against "worse by the margin".
    """

    worse: tuple[float, ...] = (0.0,) * len(STAKES)
    safe: tuple[float, ...] = (0.0,) * (len(STAKES) - 1)

    def after(self, baseline: float, outcome: float, margin: float) -> Recorded:
        """Take a trial in.

        Args:
            baseline: Mean of the stored trials of this task, at least 20 of them.
            outcome: What the candidate scored, from 0 to 1.
            margin: Largest acceptable drop of the suite's mean.
        """
        drop = baseline - outcome
        worse = zip(self.worse, STAKES, strict=True)
        safe = zip(self.safe, STAKES[:-1], strict=True)
        return Recorded(
            tuple(won + math.log1p(stake * drop) for won, stake in worse),
            tuple(won + math.log1p(stake * (margin - drop)) for won, stake in safe),
        )

    def evidence(self) -> tuple[float, float]:
        """Give the logarithms of the evidence that it is worse, and that it is safe."""
        return _mean(self.worse), _mean(self.safe)


def broken(candidate: Outcomes, baseline: Outcomes) -> float:
    """Give the evidence, as a plain number, that one task breaks with the candidate.

    Nothing is concluded before three trials.
    """
    if candidate.good + candidate.bad < ENOUGH_TRIALS:
        return 1.0
    ratio = fisher(candidate, baseline, BROKEN_ODDS) / fisher(candidate, baseline, 1.0)
    return 1.0 - BROKEN + BROKEN * ratio


def fisher(candidate: Outcomes, baseline: Outcomes, odds: float) -> float:
    """Give the chance that just these failures are the candidate's, of all that there were.

    Fisher's noncentral hypergeometric distribution, with odds of a failure as many times those of
    the baseline.
    """
    trials, beside = candidate.good + candidate.bad, baseline.good + baseline.bad
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


def usual_margin(tasks: int) -> float:
    """Give the margin for a suite with so many tasks, if none is declared."""
    return 0.10 if tasks <= SMALL_SUITE else 0.05


def _mean(logs: Sequence[float]) -> float:
    return mixed(logs, [1.0 / len(logs)] * len(logs))
