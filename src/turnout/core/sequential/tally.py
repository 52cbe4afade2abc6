"""One metric's evidence, look by look: what is kept of all that was counted.

Its size does not grow: two wagers, stable's rate, the recent past, and what waits in an open block.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from turnout.core.looks import Counts, Window
from turnout.core.sequential.bets import Bets
from turnout.core.sequential.guesses import (
    SAFE_PRIOR,
    WORSE_PRIOR,
    Block,
    floor_gains,
    safe_gains,
    worse_gains,
)
from turnout.core.sequential.recent import Rate, Recent
from turnout.core.sequential.slump import Slump

WAIT_SECONDS: Final = 180.0
"""Stable's counts that wait for the candidate stand for no more time than this."""

REQUESTS_FOR_A_MARGIN: Final = 50.0
"""Requests to stable after which a margin that nobody declared is fixed."""


MARGINS: Final = ((0.95, 0.02), (0.88, 0.03))
"""Margins where none is declared: for stable's share of good answers from so high on."""

WIDEST: Final = 0.05

A_REQUEST: Final = 1e-3
"""What is less than this is no request: a rounding of fractions."""

NOTHING: Final = Counts()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a metric is tested for.

    Attributes:
        margin: Largest drop that is acceptable, above 0 and below 1; None takes one that suits
            stable's own share.
        alpha: Share of rollouts in which each promise may fail: 0.05 for 95 % confidence.
        minimum: Share of good answers that the candidate itself must have, below 1; None for none.
    """

    margin: float | None
    alpha: float = 0.05
    minimum: float | None = None

    @property
    def sure(self) -> float:
        """Logarithm of the evidence that is enough."""
        return -math.log(self.alpha)


@dataclass(frozen=True, slots=True)
class Open:
    """A block that has not seen the candidate yet: how long it is, and what stable answered."""

    seconds: float = 0.0
    stable: Counts = NOTHING

    def longer(self, look: Window) -> Open:
        """Let a look wait, and what waits fade so that it stands for three minutes at most."""
        seconds = look.end - look.start
        stood_for = min(self.seconds, WAIT_SECONDS) + seconds
        part = min(1.0, WAIT_SECONDS / stood_for) if stood_for > 0.0 else 1.0
        stable = self.stable + look.stable
        return Open(self.seconds + seconds, Counts(stable.good * part, stable.total * part))


UNSEEN: Final = Recent()
CLOSED: Final = Open()
USUAL: Final = Slump()


@dataclass(frozen=True, slots=True)
class Tally:
    """Evidence of one metric.

    Attributes:
        worse: Winnings against "the candidate is not worse than stable".
        safe: Winnings against "the candidate is worse by the margin or more".
        below: Winnings against "the candidate is at the minimum or above"; None without one.
        margin: The margin; None while one is still to be chosen.
        rate: Stable's rate, of closed blocks only.
        recent: Both arms lately.
        waiting: The block that is open.
        candidate: All that the candidate answered.
        stable: All that stable answered.
        slump: Whether stable does worse than it used to.
        noise: Scatter of the counts over that of independent requests, as it was learned before
            the rollout; 1 where it was not.
    """

    worse: Bets
    safe: Bets
    below: Bets | None
    margin: float | None
    rate: Rate
    recent: Recent = UNSEEN
    waiting: Open = CLOSED
    candidate: Counts = NOTHING
    stable: Counts = NOTHING
    slump: Slump = USUAL
    noise: float = 1.0

    @property
    def idle(self) -> float:
        """Seconds since the candidate was last seen to be asked."""
        return self.waiting.seconds


def begin(terms: Terms, rate: Rate | None = None, noise: float = 1.0) -> Tally:
    """Begin without evidence.

    Args:
        terms: What is tested for.
        rate: Stable's rate before the rollout, where it is known.
        noise: How much more two groups of stable's pods differed before the rollout than chance
            would have it (``Noise.factor``), where it is known.
    """
    return Tally(
        worse=Bets(0.0, WORSE_PRIOR),
        safe=Bets(0.0, SAFE_PRIOR),
        below=None if terms.minimum is None else Bets(0.0, WORSE_PRIOR),
        margin=terms.margin,
        rate=rate or Rate.known(),
        noise=noise,
    )


def follow(tally: Tally, look: Window, terms: Terms) -> Tally:
    """Take one look in.

    While the candidate has no request, stable's counts wait and nothing is staked: the block closes
    with the first look in which the candidate has one.
    """
    candidate = tally.candidate + look.candidate
    stable = tally.stable + look.stable
    lasted = look.end - look.start
    slump = tally.slump.after(look.candidate, look.stable, lasted, tally.margin)
    if look.candidate.total < A_REQUEST:
        return replace(tally, waiting=tally.waiting.longer(look), stable=stable, slump=slump)
    seconds = tally.waiting.seconds + lasted
    closed = _closed(tally, look.candidate, tally.waiting.stable + look.stable, seconds, terms)
    margin = tally.margin
    if margin is None and stable.total >= REQUESTS_FOR_A_MARGIN:
        margin = usual_margin(stable.good / stable.total)
    return replace(
        closed, candidate=candidate, stable=stable, waiting=CLOSED, margin=margin, slump=slump
    )


def _closed(tally: Tally, candidate: Counts, stable: Counts, seconds: float, terms: Terms) -> Tally:
    """Stake on one block and take it in."""
    block = Block(
        candidate.good,
        max(candidate.total - candidate.good, 0.0),
        stable.good,
        max(stable.total - stable.good, 0.0),
    )
    below = _below(tally.below, block, terms, seconds, tally.noise)
    if block.stable < A_REQUEST:
        return replace(tally, below=below)
    failures = tally.rate.failures
    worse = _dampened(worse_gains(block, failures), tally.noise)
    safe = tally.safe
    if tally.margin is not None:
        gains = _dampened(safe_gains(block, failures, tally.margin), tally.noise)
        safe = safe.settled(gains, SAFE_PRIOR, seconds, terms.sure + 1.0)
    return replace(
        tally,
        worse=tally.worse.settled(worse, WORSE_PRIOR, seconds),
        safe=safe,
        below=below,
        rate=tally.rate.after(stable.good, stable.total, seconds),
        recent=tally.recent.after(candidate, stable, seconds),
    )


def _below(
    bets: Bets | None, block: Block, terms: Terms, seconds: float, factor: float
) -> Bets | None:
    if bets is None or terms.minimum is None:
        return None
    gains = floor_gains(block.candidate_good, block.candidate_bad, 1.0 - terms.minimum)
    return bets.settled(_dampened(gains, factor), WORSE_PRIOR, seconds)


def _dampened(gains: list[float], factor: float) -> list[float]:
    return gains if factor == 1.0 else [one / factor for one in gains]


def usual_margin(share: float) -> float:
    """Give the margin for a stable version with this share of good answers, if none is declared."""
    return next((margin for least, margin in MARGINS if share >= least), WIDEST)
