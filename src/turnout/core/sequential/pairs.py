"""Evidence from evaluations: trials of the candidate beside trials of the baseline, task by task.

Exact for the mean of a suite whose tasks differ in difficulty. Run round by round, all tasks once,
and stop at a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from turnout.core.sequential.bets import mixed
from turnout.core.sequential.broken import Outcomes

STAKES: Final = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
"""Part of the capital that each guess puts on one trial; 0.9 only against "not worse"."""

SMALL_SUITE: Final = 60

Gains: TypeAlias = tuple[tuple[float, ...], tuple[float, ...]]
"""For each stake the logarithm of what it wins: against "not worse", and "worse by the margin"."""


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

    def gains(self, margin: float) -> Gains:
        """Give what each stake wins by these trials."""
        regressed, improved, tied = self.regressed, self.improved, self.tied
        worse = [regressed * math.log1p(one) + improved * math.log1p(-one) for one in STAKES]
        safe = [
            regressed * math.log1p(-stake * (1.0 - margin))
            + improved * math.log1p(stake * (1.0 + margin))
            + tied * math.log1p(stake * margin)
            for stake in STAKES[:-1]
        ]
        return tuple(worse), tuple(safe)


@dataclass(frozen=True, slots=True)
class Winnings:
    """What the stakes on a suite have won so far.

    Attributes:
        worse: For each stake the logarithm of what it has won against "not worse".
        safe: The same against "worse by the margin".
    """

    worse: tuple[float, ...] = (0.0,) * len(STAKES)
    safe: tuple[float, ...] = (0.0,) * (len(STAKES) - 1)

    def after(self, gains: Gains) -> Winnings:
        """Pay out."""
        worse, safe = zip(self.worse, gains[0], strict=True), zip(self.safe, gains[1], strict=True)
        return Winnings(
            tuple([won + gain for won, gain in worse]), tuple([won + gain for won, gain in safe])
        )

    def evidence(self) -> tuple[float, float]:
        """Give the logarithms of the evidence that it is worse, and that it is safe."""
        return _mean(self.worse), _mean(self.safe)


def beside(candidate: Outcomes, baseline: Outcomes, margin: float) -> Gains:
    """Give what each stake wins by trials of one task that both versions ran at the same time.

    Which trial belongs to which is not known from counts, so this is the mean over all ways to
    pair them: evidence as each single way is. Where one side has more trials, by errors of the
    other, each way leaves as many out. One trial of each is a pair.
    """
    ways = _pairings(candidate, baseline)
    chances = list(ways.values())
    paid = [pairs.gains(margin) for pairs in ways]
    worse, safe = (list(zip(*side, strict=True)) for side in zip(*paid, strict=True))
    return (
        tuple([mixed(gains, chances) for gains in worse]),
        tuple([mixed(gains, chances) for gains in safe]),
    )


def recorded(candidate: Outcomes, share: float, margin: float) -> Gains:
    """Give what each stake wins by trials of one task against its record, taken as the truth.

    Args:
        candidate: Trials of the candidate.
        share: Mean of the stored trials of this task, at least 20 of them.
        margin: Largest acceptable drop of the suite's mean.
    """
    good, bad = candidate.good, candidate.bad
    worse = [
        good * math.log1p(stake * (share - 1.0)) + bad * math.log1p(stake * share)
        for stake in STAKES
    ]
    safe = [
        good * math.log1p(stake * (margin - share + 1.0))
        + bad * math.log1p(stake * (margin - share))
        for stake in STAKES[:-1]
    ]
    return tuple(worse), tuple(safe)


def usual_margin(tasks: int) -> float:
    """Give the margin for a suite with so many tasks, if none is declared."""
    return 0.10 if tasks <= SMALL_SUITE else 0.05


def _pairings(candidate: Outcomes, baseline: Outcomes) -> dict[Pairs, float]:
    """List what pairing at random makes of these trials, with the chance of each."""
    if candidate.total > baseline.total:
        swapped = _pairings(baseline, candidate)
        return {Pairs(one.improved, one.regressed, one.tied): p for one, p in swapped.items()}
    ways = math.comb(baseline.total, baseline.bad)
    alone = baseline.total - candidate.total
    found: dict[Pairs, float] = {}
    for both in range(min(candidate.bad, baseline.bad) + 1):
        left = baseline.bad - both
        for theirs in range(max(0, left - alone), min(candidate.good, left) + 1):
            regressed = candidate.bad - both
            pairs = Pairs(regressed, theirs, candidate.total - regressed - theirs)
            found[pairs] = (
                math.comb(candidate.bad, both)
                * math.comb(candidate.good, theirs)
                * math.comb(alone, left - theirs)
                / ways
            )
    return found


def _mean(logs: Sequence[float]) -> float:
    return mixed(logs, [1.0 / len(logs)] * len(logs))
