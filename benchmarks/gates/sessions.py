"""Requests that depend on each other: conversations, and noise that each arm has of its own."""

from dataclasses import dataclass
from math import comb, lgamma

import numpy as np

from benchmarks.gates.streams import Stream, draw

NOISE = 0.02
"""Standard deviation of an arm's success rate from minute to minute."""


@dataclass(frozen=True)
class Sessions:
    """Conversations of so many requests whose outcomes are correlated.

    Attributes:
        size: Requests in one.
        correlation: Of the outcomes of two requests in one (ICC).
    """

    size: int
    correlation: float

    def draw(
        self,
        rng: np.random.Generator,
        rate: float,
        sizes: tuple[float, float],
        shape: tuple[int, int],
    ) -> Stream:
        """Draw beta-binomial sessions: those with k failures arrive by Poisson's law for each k."""
        failures = np.arange(self.size + 1)
        shares = [self._share(int(k), 1 - rate) for k in failures]
        counts = []
        for requests in sizes:
            means = [requests / self.size * share for share in shares]
            sessions = np.stack([rng.poisson(mean, shape) for mean in means])
            bad = np.tensordot(failures, sessions, axes=1)
            counts += [sessions.sum(axis=0) * self.size - bad, bad]
        return Stream(np.stack(counts), 1.0)

    def _share(self, failures: int, rate: float) -> float:
        scale = 1 / self.correlation - 1
        a, b = rate * scale, (1 - rate) * scale
        log = _log_beta(a + failures, b + self.size - failures) - _log_beta(a, b)
        return comb(self.size, failures) * float(np.exp(log))


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def noisy(
    rng: np.random.Generator, rate: float, sizes: tuple[float, float], shape: tuple[int, int]
) -> Stream:
    """Draw requests while each arm's rate moves on its own from minute to minute."""
    own, other = (np.clip(rng.normal(rate, NOISE, shape), 0.0, 1.0) for _ in sizes)
    return draw(rng, (own, other), sizes, shape[1], 1.0)
