"""How much more the arms differ by chance than independent requests would.

Requests of one session fare alike, pods differ: counts then scatter more than they should. The
factor by which they do, learned before the rollout from two groups of stable's pods, dampens what a
wager pays. It is not learned further from the rollout: a real drop looks like noise. It cannot mend
a unit that is too small where traffic is rare: what is counted should be the session or the task.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from turnout.core.sequential.guesses import Block

MOST: Final = 50.0


@dataclass(frozen=True, slots=True)
class Noise:
    """Scatter of the candidate's failures around their expectation, over blocks.

    Attributes:
        squares: Sum of squared deviations, each over its variance.
        deviation: Sum of deviations.
        variance: Sum of variances.
        blocks: Number of blocks.
    """

    squares: float = 0.0
    deviation: float = 0.0
    variance: float = 0.0
    blocks: int = 0

    @property
    def factor(self) -> float:
        """Scatter over that of independent requests, from 1 to 50; a steady drop is no scatter."""
        freedom = self.blocks - 1
        if freedom < 1 or self.variance <= 0.0:
            return 1.0
        scatter = self.squares - self.deviation * self.deviation / self.variance
        return min(max(scatter / freedom, 1.0), MOST)

    def after(self, block: Block) -> Noise:
        """Take a block in; one in which all or none failed tells nothing of scatter."""
        n1, n0 = block.candidate, block.stable
        size, bad = n1 + n0, block.candidate_bad + block.stable_bad
        if size <= 1.0:
            return self
        off = block.candidate_bad - n1 * bad / size
        variance = n1 * n0 * bad * (size - bad) / (size * size * (size - 1.0))
        if variance <= 0.0:
            return self
        return Noise(
            self.squares + off * off / variance,
            self.deviation + off,
            self.variance + variance,
            self.blocks + 1,
        )
