"""The statistical gate's evidence for thousands of rollouts at once.

Written from the formulas, not from the production gate, so that each is the other's test: the
agreement of both is a part of every run (see ``agreement``).
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.gates.arrays import Floats, Ints
from benchmarks.gates.noise import Noise
from benchmarks.gates.projection import project

FAIL_GRID = np.array([0, 0.15, 0.35, 0.65, 1, 1.5, 2.2, 3.2, 5])
"""Alternatives of fail: logarithm of how many times the odds of a failure are stable's."""
FAIL_PRIOR = np.array([0.05] + [0.95 / 8] * 8)
PASS_GRID = np.array([-1, -0.5, 0, 0.25, 0.5])
"""Alternatives of pass: drop in margins; one more, the first weight, sits out."""
PASS_PRIOR = np.array([0.05, 0.10, 0.15, 0.40, 0.15, 0.15])
FORGET = 0.01
"""Share of the capital that goes back to the prior's weights in a minute."""
PSEUDO = 100.0
HALF_MINUTES, HALF_REQUESTS = 3.0, 200.0
WAIT = 3.0
"""Minutes for which an open block keeps all of stable's requests."""
DROP_HALF_MINUTES = 10.0
LEAST = 0.05
"""Alternatives keep at least this part of stable's failures, and of its successes."""


@dataclass(frozen=True)
class Terms:
    """What a gate is told before the first look.

    Attributes:
        margin: The largest drop that is accepted, as a share.
        history: Stable's rate before the rollout, as the gate was told.
        confidence: Of both promises.
        prior: Noise that was learned before the rollout; None takes counts as they are.
        passes: Whether there is evidence for pass, too; without it nothing is ever promoted.
    """

    margin: float
    history: float
    confidence: float = 0.95
    prior: Noise | None = None
    passes: bool = True

    @property
    def certain(self) -> float:
        """Logarithm of the evidence at which a side is believed."""
        return float(-np.log1p(-self.confidence))


@dataclass(frozen=True)
class Look:
    """Counts of one look, a number a repetition: good and bad of candidate and stable."""

    good1: Floats
    bad1: Floats
    good0: Floats
    bad0: Floats


class Twin:
    """Evidence of many rollouts of one scenario, by repetition.

    Attributes:
        log_fail: Logarithm of the evidence that the candidate is worse.
        log_pass: Logarithm of the evidence that it is not worse by the margin.
    """

    def __init__(self, terms: Terms, repetitions: int) -> None:
        self.terms = terms
        self.log_fail = np.zeros(repetitions)
        self.log_pass = np.zeros(repetitions)
        self._fail = np.repeat(FAIL_PRIOR[:, None], repetitions, axis=1)
        self._pass = np.repeat(PASS_PRIOR[:, None], repetitions, axis=1)
        self._stable = np.full(repetitions, PSEUDO * terms.history)
        self._asked = np.full(repetitions, PSEUDO)
        self._drop = np.zeros((2, repetitions))
        self._block = np.zeros((3, repetitions))
        rows = np.arange(repetitions)
        self._noise = np.ones(repetitions) if terms.prior is None else terms.prior.factor(rows)

    @property
    def drop(self) -> Floats:
        """Measured drop from stable to candidate, minus infinity before the first look."""
        with np.errstate(divide="ignore", invalid="ignore"):
            drop = self._drop[0] / self._drop[1]
        known: Floats = np.where(self._drop[1] > 0, drop, -np.inf)
        return known

    def look(self, rows: Ints, look: Look, minutes: float) -> None:
        """Take the counts of one look for the repetitions ``rows``."""
        answered = look.good1 + look.bad1 > 0
        stood_for = np.minimum(self._block[2, rows], WAIT) + minutes
        part = np.where(answered, 1.0, np.minimum(1.0, WAIT / stood_for))
        self._block[0, rows] = (self._block[0, rows] + look.good0) * part
        self._block[1, rows] = (self._block[1, rows] + look.bad0) * part
        self._block[2, rows] += minutes
        closed = rows[answered]
        good0, bad0, waited = self._block[:, closed]
        self._block[:, closed] = 0.0
        both = good0 + bad0 > 0
        own = look.good1[answered][both], look.bad1[answered][both]
        if both.any():
            self._close(closed[both], Look(*own, good0[both], bad0[both]), waited[both])

    def _close(self, rows: Ints, block: Look, minutes: Floats) -> None:
        rate = (self._stable[rows] + 0.5) / (self._asked[rows] + 1)
        share = 1 / self._noise[rows]
        keep = (1 - FORGET) ** minutes
        factors = _fail_factors(rate, block) * share
        gain, self._fail[:, rows] = _bet(self._fail[:, rows], factors, keep, FAIL_PRIOR)
        self.log_fail[rows] += gain
        if self.terms.passes:
            factors = _pass_factors(rate, block, self.terms.margin) * share
            gain, self._pass[:, rows] = _bet(self._pass[:, rows], factors, keep, PASS_PRIOR)
            most = self.terms.certain + 1
            self.log_pass[rows] = np.minimum(self.log_pass[rows] + gain, most)
        self._measure(rows, block, minutes)

    def _measure(self, rows: Ints, block: Look, minutes: Floats) -> None:
        n1, n0 = block.good1 + block.bad1, block.good0 + block.bad0
        fade = 0.5 ** (minutes / DROP_HALF_MINUTES)
        gaps = block.good0 * n1 - block.good1 * n0
        gap = np.array([gaps, n1 * n0]) / (n1 + n0)
        self._drop[:, rows] = self._drop[:, rows] * fade + gap
        keep = 0.5 ** np.minimum(minutes / HALF_MINUTES, n0 / HALF_REQUESTS)
        self._stable[rows] = self._stable[rows] * keep + block.good0
        self._asked[rows] = self._asked[rows] * keep + n0


def _bet(weights: Floats, factors: Floats, keep: Floats, prior: Floats) -> tuple[Floats, Floats]:
    """Gain in log capital of a mixture, and the weights for the next look."""
    top = factors.max(axis=0)
    parts = weights * np.exp(factors - top)
    total = parts.sum(axis=0)
    return np.log(total) + top, keep * parts / total + (1 - keep) * prior[:, None]


def _fail_factors(rate: Floats, block: Look) -> Floats:
    n1, n0 = block.good1 + block.bad1, block.good0 + block.bad0
    odds = (1 - rate) / rate * np.exp(FAIL_GRID)[:, None]
    own = odds / (1 + odds)
    other = 1 - rate
    null = (n1 * own + n0 * other) / (n1 + n0)
    factors: Floats = (
        block.bad1 * np.log(own / null)
        + block.good1 * (-np.log1p(odds) - np.log1p(-null))
        + block.bad0 * np.log(other / null)
        + block.good0 * (np.log(rate) - np.log1p(-null))
    )
    return factors


def _pass_factors(rate: Floats, block: Look, margin: float) -> Floats:
    n1, n0 = block.good1 + block.bad1, block.good0 + block.bad0
    lowest, highest = LEAST * rate, 1 - LEAST * (1 - rate)
    own = np.clip(rate - PASS_GRID[:, None] * margin, lowest, highest)
    null0 = project(own, rate, n1, n0, margin)
    null1 = null0 - margin
    factors = (
        block.good1 * np.log(own / null1)
        + block.bad1 * np.log((1 - own) / (1 - null1))
        + block.good0 * np.log(rate / null0)
        + block.bad0 * np.log((1 - rate) / (1 - null0))
    )
    return np.concatenate([np.zeros((1, rate.size)), factors])
