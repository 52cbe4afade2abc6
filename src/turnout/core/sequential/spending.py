"""One cost metric look by look: what is kept of all sums, and what it says.

The evidence needs looks that are alike, so what was counted is put together until it stands for a
minute: sums of ten seconds are zero now and huge then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from turnout.core.looks import Counts, Window
from turnout.core.sequential.cost import CostTally, Spend
from turnout.core.sequential.findings import MONEY, Finding, Metric

BLOCK: Final = 60.0
"""Seconds that one look of the evidence stands for, at least."""

HALF_LIFE: Final = 600.0
"""Seconds after which what was spent counts half in what is shown."""

MOST: Final = 9.99
"""Largest increase that is told: without a success there is no end to it."""

NOTHING: Final = Counts()
UNTESTED: Final = CostTally()


@dataclass(frozen=True, slots=True)
class Spending:
    """What is kept of one cost metric. In all counts the good ones' place holds the amount.

    Attributes:
        drift: The evidence.
        seconds: What the open look stands for so far.
        open_candidate: What the candidate spent, and succeeded, in it.
        open_stable: The same of stable.
        idle: Seconds since the candidate was last seen to succeed or spend.
        late_candidate: The same lately, fading.
        late_stable: The same of stable.
        candidate: The same in all.
        stable: The same of stable.
    """

    drift: CostTally = UNTESTED
    seconds: float = 0.0
    open_candidate: Counts = NOTHING
    open_stable: Counts = NOTHING
    idle: float = 0.0
    late_candidate: Counts = NOTHING
    late_stable: Counts = NOTHING
    candidate: Counts = NOTHING
    stable: Counts = NOTHING

    @property
    def increase(self) -> float | None:
        """By how much the candidate's success costs more than stable's lately: 0.15 for 15 %."""
        mine, theirs = self.late_candidate, self.late_stable.share
        if theirs is None or theirs <= 0.0 or mine == NOTHING:
            return None
        return MOST if mine.share is None else min(mine.share / theirs - 1.0, MOST)


def follow_spending(before: Spending, look: Window, increase: float) -> Spending:
    """Take one look in.

    Args:
        before: What is known.
        look: What was spent, and for how many successes, in the good ones' place and in all.
        increase: Largest acceptable increase of what one success takes.
        spent: What that is.
    """
    seconds = look.end - look.start
    candidate, stable = before.open_candidate + look.candidate, before.open_stable + look.stable
    left = 0.5 ** (seconds / HALF_LIFE)
    length = before.seconds + seconds
    closes = length >= BLOCK
    return Spending(
        drift=before.drift.after(_spend(candidate), _spend(stable), increase)
        if closes
        else before.drift,
        seconds=0.0 if closes else length,
        open_candidate=NOTHING if closes else candidate,
        open_stable=NOTHING if closes else stable,
        idle=before.idle + seconds if look.candidate == NOTHING else 0.0,
        late_candidate=_faded(before.late_candidate, left) + look.candidate,
        late_stable=_faded(before.late_stable, left) + look.stable,
        candidate=before.candidate + look.candidate,
        stable=before.stable + look.stable,
    )


def _spend(counts: Counts) -> Spend:
    return Spend(counts.good, counts.total)


def _faded(counts: Counts, left: float) -> Counts:
    return Counts(counts.good * left, counts.total * left)


def find_spending(
    metric: Metric, spending: Spending, increase: float, spent: str = MONEY
) -> Finding:
    """Boil it down to a finding.

    Args:
        metric: How the gate takes it.
        spending: What is kept of it.
        increase: Largest acceptable increase of what one success takes.
        spent: What that is.
    """
    alpha, mine, theirs = metric.terms.alpha, spending.late_candidate, spending.late_stable
    values = None if mine.share is None or theirs.share is None else (mine.share, theirs.share)
    return Finding(
        name=metric.name,
        on_regression=metric.on_regression,
        importance=metric.importance,
        worse=spending.drift.dearer.evidence(alpha),
        safe=spending.drift.safe.evidence(alpha),
        margin=increase,
        drop=spending.increase,
        shares=values,
        requests=spending.candidate.total,
        spent=spent,
    )
