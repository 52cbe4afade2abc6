"""How much longer it takes, if the candidate is as good as stable."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from turnout.core.sequential.nearest import nearest
from turnout.core.sequential.tally import Tally, Terms

SPREAD_OF_BETS: Final = 1.2
"""What it costs that no wager puts everything on the right guess; measured (docs/adr/0009)."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is still needed for a Pass, about.

    Attributes:
        requests: More requests to the candidate.
        seconds: How long they take at the pace of late; None where nothing came lately.
    """

    requests: float
    seconds: float | None


def forecast(tally: Tally, terms: Terms, min_requests: float) -> Forecast | None:
    """Estimate what a Pass still needs; None where nothing can be said yet.

    It is for a candidate that is as good as stable: one that is worse needs more, or never passes.
    """
    speed = _growth(tally)
    if speed is None:
        return None
    lacking = max(terms.sure - tally.safe.log, 0.0) / speed * SPREAD_OF_BETS
    requests = max(lacking, min_requests - tally.candidate.total, 0.0)
    recent = tally.recent
    pace = recent.requests / recent.seconds if recent.seconds > 0.0 else 0.0
    return Forecast(requests, requests / pace if pace > 0.0 else None)


def _growth(tally: Tally) -> float | None:
    """Expect so much of the logarithm from one request to the candidate."""
    asked = min(tally.candidate.total, tally.stable.total)
    if tally.margin is None or asked <= 0.0:
        return None
    share, beside = tally.rate.failures, tally.stable.total / tally.candidate.total
    stable = nearest(share, share, 1.0, beside, tally.margin)
    pays = _divergence(share, stable + tally.margin) + beside * _divergence(share, stable)
    return pays / tally.noise


def _divergence(share: float, other: float) -> float:
    """Give Kullback and Leibler's divergence between two shares."""
    return share * math.log(share / other) + (1.0 - share) * math.log((1.0 - share) / (1.0 - other))


def rounded(number: float) -> int:
    """Round to 1, 2 or 5 and noughts, so that a forecast in a status seldom changes."""
    if number < 1.0:
        return 0
    whole: int = 10 ** int(math.log10(number))
    return next(step * whole for step in (1, 2, 5, 10) if number < step * whole * 1.5)
