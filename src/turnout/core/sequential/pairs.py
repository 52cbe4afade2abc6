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


@dataclass(frozen=True, slots=True)
class Pairs:
    """Outcomes of trials that were run with both versions.

    Attributes:
        regressed: Trials that only the baseline passed.
        improved: Trials that only the candidate passed.
        tied: Trials that ended alike.
    """

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


def usual_margin(tasks: int) -> float:
    """Give the margin for a suite with so many tasks, if none is declared."""
    return 0.10 if tasks <= SMALL_SUITE else 0.05


def _mean(logs: Sequence[float]) -> float:
    return mixed(logs, [1.0 / len(logs)] * len(logs))
