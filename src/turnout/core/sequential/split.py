"""Whether traffic is split as it was told to be: a candidate that dies before it counts."""

from __future__ import annotations

import math
from typing import Final

PRIOR: Final = 100.0
"""How sure the prior is of the split: as much as so many requests."""

OFF: Final = math.log(1000.0)
"""Logarithm of the evidence at which the split is off."""

ALLOWED: Final = 0.1
"""By so much of themselves the odds of the split may be off: some callers pass by the gateway."""

UNSETTLED: Final = 60.0
"""Seconds of a weight in which requests may still be split as before: it is put into force, tasks
under way end, and counters are read every few seconds."""


def is_split_off(candidate: float, stable: float, weight: float, lasted: float) -> bool:
    """Claim that neither chance nor what is allowed explains how requests were split.

    Args:
        candidate: Requests that the candidate counted at this weight.
        stable: Requests that stable counted at this weight.
        weight: The candidate's share of the traffic, above 0 and below 1.
        lasted: For how many seconds they were counted, above 0.
    """
    return split_evidence(candidate, stable, weight, ALLOWED + UNSETTLED / lasted) >= OFF


def split_evidence(candidate: float, stable: float, weight: float, slack: float = 0.0) -> float:
    """Give the logarithm of the evidence that requests are not split by the weight.

    A sequential test of the sample ratio, valid at every look (Lindon & Malek 2022). Evidence of
    times with different weights multiplies: add the logarithms. With slack it is the evidence
    against the split that explains the counts best among all that are allowed, so whichever of
    them is true, the test holds.

    Args:
        candidate: Requests to the candidate while the weight was in force.
        stable: Requests to stable in that time.
        weight: The candidate's share of the traffic, above 0 and below 1.
        slack: By so much of themselves the odds of the split may be off, in either direction.
    """
    odds = weight / (1.0 - weight)
    seen = candidate / stable if stable > 0.0 else math.inf
    allowed = min(max(seen, odds / (1.0 + slack)), odds * (1.0 + slack))
    return (
        _log_beta(PRIOR * weight + candidate, PRIOR * (1.0 - weight) + stable)
        - _log_beta(PRIOR * weight, PRIOR * (1.0 - weight))
        - candidate * math.log(allowed / (1.0 + allowed))
        + stable * math.log1p(allowed)
    )


def _log_beta(one: float, other: float) -> float:
    return math.lgamma(one) + math.lgamma(other) - math.lgamma(one + other)
