"""Whether a success of a stable version costs more than it was recorded to do.

As `drift` for shares, with sums of money: their scatter is not known beforehand, so it is learned
from what was spent, and no single block may prove more than three standard deviations do. That
makes the evidence approximate, and slow: five minutes are one block.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from turnout.core.looks import Counts
from turnout.core.sequential.bets import SUSPICIOUS, Bets
from turnout.core.sequential.cost import FREE
from turnout.core.sequential.drift import (
    LOOK_SECONDS,
    MOST,
    RECOVERED,
    REMEMBERED,
    SUSPECT,
    UNPROVED,
)
from turnout.core.sequential.recent import Rate
from turnout.core.sequential.slump import NOBODY

BLOCK_LOOKS: Final = 5
"""Looks that are put together: money comes in lumps."""

LEAST: Final = 0.05
"""Increase that is allowed at least: prices of providers are rounded."""

LEARNED: Final = 12
"""Blocks by which the scatter is known well enough for any evidence."""

PROVED: Final = 30
"""Blocks by which it is known; before, it is taken to be double."""

KEPT: Final = 0.998
"""What is left of the scatter that was seen, from block to block."""

SMALLEST: Final = 0.02
"""Scatter of a block's cost per success that is allowed for in any case."""

CAPPED: Final = 3.0
"""Standard deviations that one block may count for."""

DEARER: Final = (0.05, 0.15, 0.4, 1.0, 3.0)
"""Guesses of the increase beyond the allowed one."""

PRIOR: Final = tuple(1.0 / len(DEARER) for _ in DEARER)
START: Final = Bets(0.0, PRIOR)


@dataclass(frozen=True, slots=True)
class Scatter:
    """How the cost of blocks scatters around their own mean.

    Attributes:
        squares: Sum of squared deviations, each over its successes; old ones fade.
        weight: Number of blocks in it.
        blocks: Blocks that were seen.
        mean: Recorded costs that were spent, and successes; old ones fade.
    """

    squares: float = 0.0
    weight: float = 0.0
    blocks: int = 0
    mean: Rate = NOBODY

    def after(self, block: Rate) -> Scatter:
        """Take a block in; the first one is only a mean."""
        mean = Rate(self.mean.good * KEPT + block.good, self.mean.total * KEPT + block.total)
        if self.mean.total <= 0.0:
            return Scatter(blocks=1, mean=mean)
        off = block.good - block.total * self.mean.good / self.mean.total
        return Scatter(
            self.squares * KEPT + off * off / block.total,
            self.weight * KEPT + 1.0,
            self.blocks + 1,
            mean,
        )

    @property
    def variance(self) -> float:
        """Variance of one success; taken to be double while few blocks were seen."""
        seen = self.squares / self.weight if self.weight > 0.0 else 0.0
        return seen if self.blocks >= PROVED else UNPROVED * seen


UNKNOWN: Final = Scatter()
NOTHING: Final = Counts()


@dataclass(frozen=True, slots=True)
class Dearer:
    """What a success costs beside what was recorded. In counts the good ones' place is the amount.

    Attributes:
        is_worse: It was found to cost more, and not yet to cost as recorded again.
        worse: Winnings against "costs no more than allowed".
        better: Logarithm of the evidence against "still more".
        scatter: How the cost scatters.
        lately: What was spent, and successes, over the last minutes.
        asked: Successes over the last hour, about.
        open: What was spent, and successes, in the block that is open.
        looks: Looks in it.
    """

    is_worse: bool = False
    worse: Bets = START
    better: float = 0.0
    scatter: Scatter = UNKNOWN
    lately: Rate = NOBODY
    asked: float = 0.0
    open: Counts = NOTHING
    looks: int = 0

    @property
    def is_learning(self) -> bool:
        """Claim that there can be no evidence yet."""
        return self.scatter.blocks < LEARNED

    @property
    def is_suspect(self) -> bool:
        """Claim that it costs more, or soon will have been found to."""
        return self.is_worse or self.worse.log >= SUSPECT

    def after(self, look: Counts, recorded: Rate, margin: float, sure: float) -> Dearer:
        """Take a look in.

        Args:
            look: What was spent, and successes.
            recorded: The same of its record.
            margin: By how much more a success may cost: 0.15 for 15 %.
            sure: Logarithm of the evidence that is enough.
        """
        known = replace(
            self,
            asked=self.asked * REMEMBERED + look.total,
            lately=self.lately.after(look.good, look.total, LOOK_SECONDS),
            open=self.open + look,
            looks=self.looks + 1,
        )
        if known.looks < BLOCK_LOOKS:
            return known
        closed = replace(known, open=NOTHING, looks=0)
        price = recorded.good / recorded.total if recorded.total > 0.0 else 0.0
        if price <= FREE or known.open == NOTHING:
            return closed
        block = Rate(known.open.good / price, max(known.open.total, 1.0))
        return _turned(_judged(closed, block, recorded, max(margin, LEAST)), sure)


def _judged(known: Dearer, block: Rate, recorded: Rate, margin: float) -> Dearer:
    """Take a block in: so many recorded costs of a success were spent for so many successes."""
    worse, better, scatter = known.worse, known.better, known.scatter
    if not known.is_learning:
        successes = block.total
        allowed = margin + 2.0 * math.sqrt(scatter.variance / recorded.total)
        variance = scatter.variance + SMALLEST * SMALLEST * successes
        beyond = block.good - successes * (1.0 + allowed)
        most = CAPPED * math.sqrt(variance * successes)
        gains = [_gain(min(beyond, most), one, successes, variance) for one in DEARER]
        worse = worse.settled(gains, PRIOR, BLOCK_LOOKS * LOOK_SECONDS, MOST)
        below = min(allowed, CAPPED * math.sqrt(variance / successes))
        better += _gain(-max(beyond, -most), below, successes, variance)
    if known.is_learning or (worse.log < SUSPICIOUS and not known.is_worse):
        scatter = scatter.after(block)
    return replace(
        known,
        worse=worse if worse.log > 0.0 else START,
        better=min(max(better, 0.0), RECOVERED),
        scatter=scatter,
    )


def _turned(known: Dearer, sure: float) -> Dearer:
    """Come to a conclusion where there is evidence for it, and gather anew for the other."""
    if not known.is_worse and known.worse.log >= sure:
        return replace(known, is_worse=True, worse=START, better=0.0)
    if known.is_worse and known.better >= RECOVERED:
        return replace(known, is_worse=False, worse=START, better=0.0)
    return known


def _gain(beyond: float, guess: float, successes: float, variance: float) -> float:
    """Give the logarithm of what is paid for a guess of how much more a success costs."""
    return (guess * beyond - 0.5 * guess * guess * successes) / variance
