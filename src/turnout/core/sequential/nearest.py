"""The pair of shares at exactly the margin that is nearest to a guess."""

from __future__ import annotations

import math
from typing import Final

EXACT: Final = 1e-14
"""Relative difference at which two shares are the same."""

ROUNDS: Final = 80
"""More than halving alone needs."""


def nearest(candidate: float, stable: float, n1: float, n0: float, margin: float) -> float:
    """Find stable's share of failures in the nearest pair; the candidate's is it plus the margin.

    Nearest is what loses least: the least n1 * KL(candidate) + n0 * KL(stable). Its derivative is
    a cubic once the denominators, which are positive, are multiplied out. Newton's steps where
    they stay in the bracket, halving where they do not.

    Args:
        candidate: Guess of the candidate's share of failures, less than ``stable + margin``.
        stable: Guess of stable's share.
        n1: Requests to the candidate, more than none.
        n0: Requests to stable, more than none.
        margin: The margin, between 0 and 1.
    """
    low, high = max(0.0, candidate - margin), min(stable, 1.0 - margin)
    share = n1 / (n1 + n0)
    rest = n0 / (n1 + n0)
    guess = min(max(share * (candidate - margin) + rest * stable, low), high)
    for _ in range(ROUNDS):
        worse = guess + margin
        spread, spread_worse = guess * (1.0 - guess), worse * (1.0 - worse)
        off, off_worse = guess - stable, worse - candidate
        slope = share * (spread + off_worse * (1.0 - 2.0 * guess)) + rest * (
            spread_worse + off * (1.0 - 2.0 * worse)
        )
        value = share * off_worse * spread + rest * off * spread_worse
        if value > 0.0:
            high = guess
        else:
            low = guess
        following = guess - value / slope if slope > 0.0 else math.inf
        if abs(following - guess) <= EXACT * guess:
            break
        guess = following if low < following < high else (low + high) / 2.0
    return guess
