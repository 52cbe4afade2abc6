"""What was seen lately: stable's rate, which guesses start from, and the drop as measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from turnout.core.looks import Counts

PSEUDO_REQUESTS: Final = 100.0
"""What is known of stable before the first look weighs as much as so many requests."""

USUAL: Final = 0.95
"""Share of good answers that stable is taken to have while nothing else is known; any is safe."""

DROP_SECONDS: Final = 600.0
"""Half-life of the measured drop."""


@dataclass(frozen=True, slots=True)
class HalfLife:
    """When what was seen counts half: after the longer of so much time and so many requests."""

    seconds: float
    requests: float

    def left(self, seconds: float, requests: float) -> float:
        """Tell which part is left of what was seen before."""
        part: float = max(0.5 ** (seconds / self.seconds), 0.5 ** (requests / self.requests))
        return part


LATELY: Final = HalfLife(seconds=180.0, requests=200.0)
"""Half-life of stable's rate."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How often stable answers well, of the past only."""

    good: float
    total: float

    @classmethod
    def known(cls, share: float = USUAL) -> Rate:
        """Begin with what stable did before the rollout."""
        return cls(PSEUDO_REQUESTS * share, PSEUDO_REQUESTS)

    @property
    def failures(self) -> float:
        """Share of failures; never quite 0 or 1, for half a request of either is added."""
        return (max(self.total - self.good, 0.0) + 0.5) / (self.total + 1.0)

    def after(self, good: float, total: float, seconds: float, half: HalfLife = LATELY) -> Rate:
        """Take a block in."""
        left = half.left(seconds, total)
        return Rate(self.good * left + good, self.total * left + total)


@dataclass(frozen=True, slots=True)
class Recent:
    """Both arms over the last blocks, each block weighed as Mantel and Haenszel do: n1 * n0 / N.

    So a share that moves for both arms, or a weight that changes, is no drop.

    Attributes:
        seconds: Length of the blocks.
        requests: Requests to the candidate.
        weight: Weights of the blocks.
        candidate: Weighted shares of good answers.
        stable: Weighted shares of good answers.
    """

    seconds: float = 0.0
    requests: float = 0.0
    weight: float = 0.0
    candidate: float = 0.0
    stable: float = 0.0

    def after(self, candidate: Counts, stable: Counts, seconds: float) -> Recent:
        """Take a block with requests to both arms in; older ones count half after ten minutes."""
        left: float = 0.5 ** (seconds / DROP_SECONDS)
        n1, n0 = candidate.total, stable.total
        size = n1 + n0
        return Recent(
            self.seconds * left + seconds,
            self.requests * left + n1,
            self.weight * left + n1 * n0 / size,
            self.candidate * left + candidate.good * n0 / size,
            self.stable * left + stable.good * n1 / size,
        )

    @property
    def shares(self) -> tuple[float, float] | None:
        """Shares of good answers of candidate and stable; None before both were asked."""
        if self.weight <= 0.0:
            return None
        return self.candidate / self.weight, self.stable / self.weight

    @property
    def drop(self) -> float | None:
        """By how much the candidate is worse, as a share; None before both arms were asked."""
        if self.weight <= 0.0:
            return None
        return (self.stable - self.candidate) / self.weight
