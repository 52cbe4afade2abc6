"""Traffic of simulated rollouts: counts of each look and each arm.

Requests arrive by Poisson's law and end well or badly on their own, so the four counts of a look
are independent Poisson numbers: an exact draw, and a cheap one.
"""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from benchmarks.gates.arrays import Floats, Ints

INCIDENT_DROP = 0.10
"""What a provider incident takes from both arms."""
INCIDENT_MINUTES = 10.0
INCIDENT_BEGINS = 20.0
"""It begins at any time of the first so many minutes."""


@dataclass(frozen=True)
class Stream:
    """Counts, and how many minutes a look is.

    Attributes:
        counts: By (kind, look, repetition): the candidate's good and bad ones, then stable's.
        minutes: Length of a look.
    """

    counts: Ints
    minutes: float

    @property
    def looks(self) -> int:
        """Number of looks."""
        return int(self.counts.shape[1])

    @property
    def repetitions(self) -> int:
        """Number of simulated rollouts."""
        return int(self.counts.shape[2])

    @property
    def good1(self) -> Ints:
        """Candidate requests that ended well."""
        return self._sum(0)

    @property
    def good0(self) -> Ints:
        """Stable requests that ended well."""
        return self._sum(2)

    @property
    def requests1(self) -> Ints:
        """Candidate requests."""
        return self._sum(0, 1)

    @property
    def requests0(self) -> Ints:
        """Stable requests."""
        return self._sum(2, 3)

    def _sum(self, *kinds: int) -> Ints:
        counts: Ints = self.counts[list(kinds)].sum(axis=0)
        return counts

    def every(self, looks: int) -> "Stream":
        """Join so many looks into one, dropping what is left over."""
        kept = self.looks // looks * looks
        blocks = self.counts[:, :kept].reshape(4, -1, looks, self.repetitions)
        return Stream(blocks.sum(axis=2), self.minutes * looks)


def named(drop: float, stable: float) -> str:
    """Name a drop in points; one that leaves nothing is total."""
    return "total" if drop >= stable else f"-{100 * drop:.3g}"


@dataclass(frozen=True)
class Case:
    """One scenario: what is true, and how much of it is seen.

    Attributes:
        stable: Success rate of stable.
        drop: By how much the candidate's is lower.
        rps: Requests a second of both arms together.
        weight: Share of them that goes to the candidate.
        incident: Whether the provider fails more for both arms in between.
        minutes: Length of a look.
        looks: Number of looks.
        drifts: Whether the drop grows from 0 to what it is over all looks.
    """

    stable: float
    drop: float = 0.0
    rps: float = 2.0
    weight: float = 0.05
    incident: bool = False
    minutes: float = 1.0
    looks: int = 60
    drifts: bool = False

    @override
    def __str__(self) -> str:
        what = f", {named(self.drop, self.stable)}" if self.drop else ""
        also = (" drifting" if self.drifts else "") + (" + incident" if self.incident else "")
        return f"{self.stable:.2f}{what}{also}, {self.rps:g} rps, {100 * self.weight:g} %"

    @property
    def margin(self) -> float:
        """The product's default margin for this stable rate."""
        return 0.02 if self.stable >= 0.95 else 0.03 if self.stable >= 0.88 else 0.05

    @property
    def sizes(self) -> tuple[float, float]:
        """Expected requests a look, candidate's and stable's."""
        size = 60 * self.rps * self.minutes
        return size * self.weight, size * (1 - self.weight)

    def draw(self, rng: np.random.Generator, repetitions: int) -> Stream:
        """Simulate so many rollouts."""
        at = np.arange(self.looks)[:, None] * self.minutes
        shared = np.zeros((self.looks, repetitions if self.incident else 1))
        if self.incident:
            began = rng.uniform(0, INCIDENT_BEGINS, repetitions)
            shared[(at >= began) & (at < began + INCIDENT_MINUTES)] = INCIDENT_DROP
        grown = (at + self.minutes) / (self.looks * self.minutes) if self.drifts else 1.0
        rate0 = self.stable - shared
        rates = np.maximum(rate0 - self.drop * grown, 0.0), rate0
        return draw(rng, rates, self.sizes, repetitions, self.minutes)


def draw(
    rng: np.random.Generator,
    rates: tuple[Floats, Floats],
    sizes: tuple[Floats | float, Floats | float],
    repetitions: int,
    minutes: float,
) -> Stream:
    """Draw counts from rates of success and expected requests a look, candidate first.

    Rates are (looks, 1) or (looks, repetitions); sizes are numbers or (looks, 1).
    """
    shape = rates[0].shape[0], repetitions
    means = [
        size * share for size, rate in zip(sizes, rates, strict=True) for share in (rate, 1 - rate)
    ]
    return Stream(np.stack([rng.poisson(mean, shape) for mean in means]), minutes)
