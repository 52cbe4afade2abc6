"""Whether a stable version that nobody changed does worse than it was recorded to do.

A wager against "it fails no more often than recorded, and a margin". It is watched for months, so
capital that was lost is lent again: a loss of many quiet weeks would hide what breaks after them.
That costs false alarms, by which the evidence is dearer. Where requests are independent and no more
of them fail than that, evidence of c comes up in n looks with a probability of at most n / c,
whenever one looks: the capital is at most that of a Shiryaev-Roberts procedure, of which n is
expected after n looks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from turnout.core.looks import Counts
from turnout.core.sequential.bets import SUSPICIOUS, Bets
from turnout.core.sequential.guesses import WORSE, Block, floor_gains
from turnout.core.sequential.noise import Noise
from turnout.core.sequential.recent import Rate
from turnout.core.sequential.slump import LEAST, NOBODY, most_failures

LOOK_SECONDS: Final = 60.0
"""Time between two looks."""

SURE: Final = math.log(1e6)
"""Logarithm of the evidence that a version does worse: at most 1 % in a week of looks."""

RECOVERED: Final = math.log(1e3)
"""Logarithm of the evidence that it does as recorded again."""

SUSPECT: Final = math.log(20.0)
"""Logarithm of the evidence by which it is counted beside others that do worse."""

MOST: Final = SURE + 4.0

SCATTER_LOOKS: Final = 30
"""Looks after which the scatter of counts is known; before, they are taken to scatter more."""

UNPROVED: Final = 2.0
"""Scatter of counts, over that of independent requests, that is allowed for until then."""

REMEMBERED: Final = 0.5 ** (LOOK_SECONDS / 1800.0)
"""What is left from look to look of the number of requests that were seen."""


PRIOR: Final = tuple(1.0 / (len(WORSE) - 1) for _ in WORSE[1:])
"""How capital is spread over the guesses but the one that sits out: it would keep what an incident
won long after its end."""

START: Final = Bets(0.0, PRIOR)
QUIET: Final = Noise()


@dataclass(frozen=True, slots=True)
class Drift:
    """How a version does by one metric beside what was recorded.

    Attributes:
        is_worse: It was found to do worse, and not yet to do as recorded again.
        worse: Winnings against "no worse than recorded".
        better: Logarithm of the evidence against "still worse".
        noise: How much more counts scatter than those of independent requests.
        lately: Its rate over the last minutes.
        asked: Requests over the last hour, about.
    """

    is_worse: bool = False
    worse: Bets = START
    better: float = 0.0
    noise: Noise = QUIET
    lately: Rate = NOBODY
    asked: float = 0.0

    @property
    def is_learning(self) -> bool:
        """Claim that there can be no evidence yet; of shares there can from the first look on."""
        return False

    @property
    def is_suspect(self) -> bool:
        """Claim that it does worse, or soon will have been found to."""
        return self.is_worse or self.worse.log >= SUSPECT

    def after(self, look: Counts, recorded: Rate, margin: float, sure: float = SURE) -> Drift:
        """Take a look in.

        Args:
            look: What was answered.
            recorded: What it is held to.
            margin: By how much more often it may fail.
            sure: Logarithm of the evidence that is enough.
        """
        asked = self.asked * REMEMBERED + look.total
        most, usual = most_failures(recorded, max(margin, LEAST)), recorded.failures
        good, bad = min(look.good, look.total), max(look.total - look.good, 0.0)
        if most >= 1.0 or look.total <= 0.0:
            return Drift(self.is_worse, self.worse, self.better, self.noise, self.lately, asked)
        gains = [one / self._scatter for one in floor_gains(good, bad, most)[1:]]
        worse = self.worse.settled(gains, PRIOR, LOOK_SECONDS, MOST)
        better = good * math.log((1.0 - usual) / (1.0 - most)) + bad * math.log(usual / most)
        better = min(max(self.better + better / self._scatter, 0.0), RECOVERED)
        noise = self.noise
        if worse.log < SUSPICIOUS and not self.is_worse:
            failed = max(recorded.total - recorded.good, 0.0)
            noise = noise.after(Block(good, bad, recorded.good, failed))
        known = Drift(
            self.is_worse,
            worse if worse.log > 0.0 else START,
            better,
            noise,
            self.lately.after(good, look.total, LOOK_SECONDS),
            asked,
        )
        return known._turned(sure)

    @property
    def _scatter(self) -> float:
        least = 1.0 if self.noise.blocks >= SCATTER_LOOKS else UNPROVED
        return max(self.noise.factor, least)

    def _turned(self, sure: float) -> Drift:
        """Come to a conclusion where there is evidence for it, and gather anew for the other."""
        if not self.is_worse and self.worse.log >= sure:
            return Drift(True, START, 0.0, self.noise, self.lately, self.asked)
        if self.is_worse and self.better >= RECOVERED:
            return Drift(False, START, 0.0, self.noise, self.lately, self.asked)
        return self
